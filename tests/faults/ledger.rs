//! What the sweeps have really met: a cell per call and fault, per error class, per promise. An empty
//! cell is a failure: "passed" without the ledger proves nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;

/// Counts, by group and cell.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<BTreeMap<(String, String), u64>>);

impl Ledger {
    /// Counts one in a cell.
    pub(crate) fn count(&self, group: &str, cell: &str) {
        self.add(group, cell, 1);
    }

    /// Counts several.
    pub(crate) fn add(&self, group: &str, cell: &str, number: u64) {
        let mut cells = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *cells
            .entry((group.to_owned(), cell.to_owned()))
            .or_default() += number;
    }

    /// The cells of a group.
    pub(crate) fn cells(&self, group: &str) -> BTreeMap<String, u64> {
        let cells = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        cells
            .iter()
            .filter(|((name, _), _)| name == group)
            .map(|((_, cell), number)| (cell.clone(), *number))
            .collect()
    }

    /// All of it as text, in order.
    pub(crate) fn text(&self) -> String {
        let cells = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut text = String::new();
        let mut last = "";
        for ((group, cell), number) in cells.iter() {
            if group != last {
                let _ = writeln!(text, "[{group}]");
                last = group;
            }
            let _ = writeln!(text, "  {cell}: {number}");
        }
        text
    }
}

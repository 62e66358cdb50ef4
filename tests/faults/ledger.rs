//! What the sweeps have really met: a cell per call and fault, per error class, per promise. An empty
//! cell is a failure: "passed" without the ledger proves nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;

use super::drive::held;

/// Counts, by group and cell.
type Cells = BTreeMap<String, BTreeMap<String, u64>>;

/// The counts of a run. The same cases give the same counts, in whatever order they were run.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<Cells>);

impl Ledger {
    /// Counts one in a cell.
    pub(crate) fn count(&self, group: &str, cell: &str) {
        self.add(group, cell, 1);
    }

    /// Counts several.
    pub(crate) fn add(&self, group: &str, cell: &str, number: u64) {
        let mut groups = held(&self.0);
        if let Some(count) = groups.get_mut(group).and_then(|cells| cells.get_mut(cell)) {
            *count += number;
            return;
        }
        let cells = groups.entry(group.to_owned()).or_default();
        *cells.entry(cell.to_owned()).or_default() += number;
    }

    /// The cells of a group.
    pub(crate) fn cells(&self, group: &str) -> BTreeMap<String, u64> {
        held(&self.0).get(group).cloned().unwrap_or_default()
    }

    /// Of these cells of a group, those that nothing was counted in.
    pub(crate) fn empty(
        &self,
        group: &str,
        claimed: impl IntoIterator<Item = String>,
    ) -> Vec<String> {
        let cells = self.cells(group);
        claimed
            .into_iter()
            .filter(|cell| cells.get(cell).is_none_or(|count| *count == 0))
            .collect()
    }

    /// All of it as text, in order.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (group, cells) in held(&self.0).iter() {
            let sum: u64 = cells.values().sum();
            let _ = writeln!(text, "[{group}] {} cells, {sum} in all", cells.len());
            for (cell, number) in cells {
                let _ = writeln!(text, "  {cell}: {number}");
            }
        }
        text
    }

    /// A line for each group, and each cell of the small ones.
    pub(crate) fn short(&self) -> String {
        // More cells than this are for the file, not for a screen.
        const MOST_SHOWN: usize = 24;
        let mut text = String::new();
        for (group, cells) in held(&self.0).iter() {
            let sum: u64 = cells.values().sum();
            let least = cells.values().min().copied().unwrap_or_default();
            let _ = writeln!(
                text,
                "[{group}] {} cells, {sum} in all, the least {least}",
                cells.len()
            );
            if cells.len() <= MOST_SHOWN {
                for (cell, number) in cells {
                    let _ = writeln!(text, "  {cell}: {number}");
                }
            }
        }
        text
    }
}

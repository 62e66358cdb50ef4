//! What one question may cost: elementary steps, counted the same on every machine, so that an answer never depends on
//! a clock. Past its budget a question is unknown.

use std::cell::Cell;

/// The budget was spent; whatever was found meanwhile does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exhausted;

/// Steps that are left.
#[derive(Debug, Default)]
pub(super) struct Work(Cell<u64>);

impl Work {
    pub(super) fn new(steps: u64) -> Self {
        Self(Cell::new(steps))
    }

    /// As many steps as these.
    pub(super) fn refill(&self, steps: u64) {
        self.0.set(steps);
    }

    pub(super) fn left(&self) -> u64 {
        self.0.get()
    }

    /// Spends steps; none may be left over for the last of them.
    pub(super) fn spend(&self, steps: usize) -> Result<(), Exhausted> {
        let left = u64::try_from(steps).ok();
        if let Some(left) = left.and_then(|steps| self.0.get().checked_sub(steps)) {
            self.0.set(left);
            Ok(())
        } else {
            self.0.set(0);
            Err(Exhausted)
        }
    }
}

//! Counts the requests of a run, so that tests and `-v` can say what a run cost.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The requests of a run so far. A request that is sent again counts again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Every request.
    pub requests: u64,
    /// Those of them that ask for a change.
    pub writes: u64,
    /// Those of them that were sent again after a failure.
    pub retries: u64,
    /// Those of them that AWS refused for their rate.
    pub throttled: u64,
    /// Requests by `service:Operation`.
    pub operations: BTreeMap<String, u64>,
}

/// The ledger while it is written.
#[derive(Debug, Default)]
pub(super) struct OpenLedger(Mutex<Ledger>);

impl OpenLedger {
    /// Notes a request that is about to be sent; gives its number in the run.
    pub(super) fn sent(&self, operation: &str, write: bool, attempt: u32) -> u64 {
        let mut ledger = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.requests += 1;
        ledger.writes += u64::from(write);
        ledger.retries += u64::from(attempt > 1);
        *ledger.operations.entry(operation.to_owned()).or_default() += 1;
        ledger.requests
    }

    /// Notes that a request was refused for its rate.
    pub(super) fn throttled(&self) {
        let mut ledger = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.throttled += 1;
    }

    pub(super) fn copy(&self) -> Ledger {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

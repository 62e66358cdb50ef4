//! What a run asked of AWS, for `-v`.

use std::fmt::Write as _;

use crate::aws::Ledger;

/// The requests of a run, by operation.
#[must_use]
pub fn text(ledger: &Ledger) -> String {
    let Ledger {
        requests,
        writes,
        retries,
        throttled,
        operations,
    } = ledger;
    let word = if *requests == 1 {
        "request"
    } else {
        "requests"
    };
    let mut text = format!("{requests} {word} to AWS, {writes} of them writes");
    if *retries > 0 {
        let _ = write!(text, ", {retries} sent again");
    }
    if *throttled > 0 {
        let _ = write!(text, ", {throttled} refused for their rate");
    }
    for (operation, count) in operations {
        let _ = write!(text, "\n  {count:>4}  {operation}");
    }
    text
}

//! The end of a run: one look at everything and a new plan, which must be empty. Where it is not,
//! what differs is read again until it is so twice in a row, since AWS shows writes late.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Event, Outcome, Run, fresh_plan};
use crate::kind::Address;

/// The pause before the next read: IAM's replicas take about 2 s as a rule, 10 to 30 s at worst
/// (facts.md section 3).
pub(super) fn pause(waited: Duration) -> Duration {
    if waited < Duration::from_secs(6) {
        Duration::from_secs(2)
    } else {
        Duration::from_secs(10)
    }
}

/// Looks until a fresh plan is empty; what it still holds after all waits is left in the outcome.
pub(super) async fn settle(run: &Run<'_>, outcome: &mut Outcome) {
    let given_up: BTreeSet<Address> = outcome
        .failures
        .iter()
        .map(|(address, _)| address)
        .chain(outcome.not_done.iter().map(|(address, _)| address))
        .cloned()
        .collect();
    let mut waited = Duration::ZERO;
    let mut in_a_row = 0;
    let mut differed = outcome.unseen;
    loop {
        let looked = fresh_plan(run).await;
        outcome.unverified = None;
        outcome.left.clear();
        match looked {
            Ok((_, plan)) => {
                let left = plan.actions.iter().map(|action| action.address.clone());
                outcome.left = left.filter(|address| !given_up.contains(address)).collect();
            }
            // After a failure the rest may have no lawful plan; the failure is the news then.
            Err(_) if !given_up.is_empty() => {}
            Err(error) => outcome.unverified = Some(error),
        }
        if outcome.left.is_empty() && outcome.unverified.is_none() {
            in_a_row += 1;
            if !differed || in_a_row >= 2 {
                return;
            }
        } else {
            differed = true;
            in_a_row = 0;
        }
        if waited >= run.limits.settle {
            return;
        }
        (run.on_event)(Event::Waiting("for AWS to show what was written"));
        let pause = pause(waited);
        run.aws.clock().sleep(pause).await;
        waited += pause;
    }
}

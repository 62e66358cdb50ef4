//! The end of a run: one look at everything and a new plan, which must be empty. Where it is not, what
//! differs is read again, since AWS shows writes late, until the plan is empty there and then everywhere.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Event, Outcome, Run, fresh_plan, plan_from};
use crate::error::Result;
use crate::kind::{Address, AnyKind, Snapshot};

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
    let mut late = Late::default();
    let mut differed = outcome.unseen;
    loop {
        // The last word is that of a look at everything: what lagged before may have hidden more than differed.
        let looked = late.look(run, in_a_row > 0).await;
        outcome.unverified = None;
        outcome.left.clear();
        match looked {
            Ok(mut left) => {
                left.retain(|address| !given_up.contains(address));
                outcome.left = left;
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
        // What was right once is looked at once more, however long that took.
        if waited >= run.limits.settle && in_a_row == 0 {
            return;
        }
        (run.on_event)(Event::Waiting("for AWS to show what was written"));
        let pause = pause(waited);
        run.aws.clock().sleep(pause).await;
        waited += pause;
    }
}

/// What the looks have shown so far: while something differs, what has differed is read again and no more.
#[derive(Default)]
struct Late {
    /// The world as it was read last; none where the next look has to be at everything.
    live: Option<Snapshot>,
    /// What has differed in some look.
    differed: BTreeSet<Address>,
}

impl Late {
    /// What a fresh plan changes, after a look at what differed or at everything.
    async fn look(&mut self, run: &Run<'_>, everything: bool) -> Result<Vec<Address>> {
        let narrow = !everything && !self.differed.is_empty();
        let (live, plan) = match self.live.take().filter(|_| narrow) {
            Some(live) => {
                let live = self.read_again(run, live).await?;
                let plan = plan_from(run, &live)?;
                (live, plan)
            }
            None => fresh_plan(run).await?,
        };
        self.live = Some(live);
        let left: Vec<Address> = plan
            .actions
            .iter()
            .map(|action| action.address.clone())
            .collect();
        self.differed.extend(left.iter().cloned());
        Ok(left)
    }

    async fn read_again(&self, run: &Run<'_>, mut live: Snapshot) -> Result<Snapshot> {
        run.aws.new_look();
        let differs = |kind: &&&dyn AnyKind| {
            let mut addresses = self.differed.iter();
            addresses.any(|address| address.kind == kind.name())
        };
        let kinds: Vec<&dyn AnyKind> = run.kinds.iter().filter(differs).copied().collect();
        let scope = run.scope.about(self.differed.clone());
        let read = Snapshot::observe(&kinds, run.aws, &scope).await?;
        for address in &self.differed {
            live.set(address, read.get(address).cloned());
        }
        Ok(live)
    }
}

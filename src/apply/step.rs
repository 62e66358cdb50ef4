//! One step: performed, followed to the end of its rollout, and looked at again where an error
//! leaves it open whether it was done.

use std::time::Duration;

use super::{Event, Run};
use crate::error::{Error, ErrorKind, Result};
use crate::kind::{Address, AnyKind, AnySpec, Hazard, Performed};
use crate::plan::{Step, kind_of};
use crate::planted::{Bug, planted};
use crate::rollout;

/// How often a step is performed: with the pauses between, longer than the 10 to 30 s for which a
/// new role cannot be assumed (facts.md section 3) and than any passing fault.
const MOST_PERFORMANCES: u32 = 6;
/// How often an unclear step is looked at before what shows is believed to be somebody else's work.
const MOST_LOOKS: u32 = 5;
/// The pause before the first look; doubled each time. IAM's replicas take about 2 s as a rule.
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// Whether live is as expected, what is left to AWS and to deployments aside.
pub(super) fn same(kind: &dyn AnyKind, expected: Option<&AnySpec>, live: Option<&AnySpec>) -> bool {
    match (expected, live) {
        (None, None) => true,
        (Some(expected), Some(live)) => {
            expected == live || kind.keep(expected, Some(live)) == *live
        }
        _ => false,
    }
}

/// The error for a resource that is neither as the plan left it nor as declared.
pub(super) fn changed(address: &Address) -> Error {
    Error::new(
        ErrorKind::Changed,
        "It has changed since the plan was made.",
    )
    .at(address)
    .hint("Run `provision plan` again and look at what is different.")
}

/// Performs the step; returns what it leaves to be said.
pub(super) async fn perform(
    run: &Run<'_>,
    step: &Step,
    before: Option<&AnySpec>,
    expected: Option<&AnySpec>,
) -> Result<Performed> {
    let kind = kind_of(run.kinds, &step.address.kind)?;
    let mut performances = 0;
    let mut pause = FIRST_PAUSE;
    loop {
        performances += 1;
        let error = match kind
            .perform(run.aws, run.scope, &step.address.name, &step.call)
            .await
        {
            Ok(performed) => return follow(run, step, performed).await,
            Err(error) if error.uncertain && planted(Bug::ExistsIsSuccess) => {
                return Ok(Performed::default());
            }
            Err(error) if error.uncertain => error,
            Err(error) => return Err(error),
        };
        match look_until_clear(run, kind, step, [before, expected], pause).await? {
            Standing::Done if !step.hazards.contains(&Hazard::Deploys) => {
                return Ok(Performed::default());
            }
            // A started rollout has to be followed: performed again, the call names it.
            Standing::Done | Standing::NotDone if performances < MOST_PERFORMANCES => {}
            Standing::Done | Standing::NotDone => {
                return Err(Error {
                    uncertain: false,
                    ..error
                });
            }
        }
        pause *= 2;
    }
}

/// Whether an unclear call was done.
enum Standing {
    Done,
    NotDone,
}

/// Looks until the resource is as before the step or as after it.
async fn look_until_clear(
    run: &Run<'_>,
    kind: &dyn AnyKind,
    step: &Step,
    [before, expected]: [Option<&AnySpec>; 2],
    mut pause: Duration,
) -> Result<Standing> {
    for _ in 0..MOST_LOOKS {
        (run.on_event)(Event::Waiting("for AWS after an unclear answer"));
        run.aws.clock().sleep(pause).await;
        pause *= 2;
        let live = look(run, kind, &step.address).await?;
        if same(kind, expected, live.as_ref()) {
            return Ok(Standing::Done);
        }
        if same(kind, before, live.as_ref()) {
            return Ok(Standing::NotDone);
        }
    }
    Err(changed(&step.address))
}

/// This one resource, read anew.
async fn look(run: &Run<'_>, kind: &dyn AnyKind, address: &Address) -> Result<Option<AnySpec>> {
    run.aws.new_look();
    let scope = run.scope.about([address.clone()].into());
    Ok(kind.observe(run.aws, &scope).await?.remove(&address.name))
}

/// Follows the rollout that the call started to its end.
async fn follow(run: &Run<'_>, step: &Step, performed: Performed) -> Result<Performed> {
    let Performed {
        notes,
        rollout,
        unseen,
    } = performed;
    if let Some(handle) = rollout {
        let tell = |told: rollout::Told<'_>| match told {
            rollout::Told::Progress(progress) => {
                (run.on_event)(Event::Rollout(&step.address, &progress.to_string()));
            }
            // A plan has many steps: what ECS says of each is told where one fails.
            rollout::Told::Happened(_) => {}
        };
        rollout::follow(run.aws, &handle, run.limits.rollout, &tell)
            .await
            .map_err(|error| error.at(&step.address))?;
    }
    Ok(Performed {
        notes,
        rollout: None,
        unseen,
    })
}

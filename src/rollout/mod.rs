//! One ECS service deployment, followed to its end: which one it is, how it stands, how it ended and
//! why. Success is only ever that of the deployment that this run started.

mod cause;
mod checks;
mod deploy;
mod deployment;
mod enter;
mod lines;
mod look;
mod outcome;
mod proof;
mod prune;
mod rollback;
mod standing;
mod tail;
mod target;
mod task;
#[cfg(test)]
mod tests;
mod uses;
mod verify;

use std::time::Duration;

use serde_json::Value;

pub use self::deploy::{Started, current, deploy, send};
pub use self::enter::{Door, Entered, enter};
pub use self::look::{
    Revision, Running, RunningImage, Status, Task, answer_hook, revisions, scale, status, tasks,
};
pub use self::outcome::{Ending, Evidence, Outcome};
pub use self::proof::{Proof, environment, prove};
pub use self::prune::{Pruning, plan_pruning, prune};
pub use self::rollback::{Back, find_back, stop};
use self::standing::{Standing, Watched};
pub use self::tail::{Heard, Wanted, follow_logs, read_logs};
pub use self::target::{Selection, Target, keys, live, one_key, resolve, revision_name};
pub use self::task::{End, News, Order, Ran, StoppedFor, follow_task, run_task};
pub use self::verify::verify;
use crate::aws::{Aws, ecs};
use crate::error::{Error, Result};
use crate::kind::RolloutHandle;

/// The time between two polls: at least 5 s (issue 6), so that 16 rollouts side by side ask less
/// than the 20 reads a second that ECS grants.
const POLL: Duration = Duration::from_secs(5);

/// Follows a rollout to its end. Anything but success is an error of the kind `Rollout`, which
/// names the cause.
///
/// # Errors
/// How it ended, unless it succeeded; what could not be read.
pub async fn follow(
    aws: &Aws,
    handle: &RolloutHandle,
    timeout: Duration,
    on_progress: &(dyn Fn(&str) + Sync),
) -> Result<Outcome> {
    let outcome = watch(aws, handle, timeout, on_progress).await?;
    match outcome.error(&handle.service) {
        None => Ok(outcome),
        Some(error) => Err(error),
    }
}

/// Follows a rollout until it ends, pauses at a hook, or the time is up; says how it came out.
/// `on_progress` is told how it stands whenever that has changed.
///
/// # Errors
/// What could not be read.
pub async fn watch(
    aws: &Aws,
    handle: &RolloutHandle,
    timeout: Duration,
    on_progress: &(dyn Fn(&str) + Sync),
) -> Result<Outcome> {
    let begun = aws.clock().now();
    let mut watched = Watched::new(handle);
    let mut said = String::new();
    loop {
        let service = ecs::service(aws, &handle.cluster, &handle.service).await?;
        let service = service.ok_or_else(|| gone(handle))?;
        let standing = watched.look(aws, &service).await?;
        let took = aws.clock().now().saturating_sub(begun);
        let (ending, reason) = match standing {
            Standing::Ended(ending, reason) => (ending, reason),
            Standing::Running(_) if took >= timeout => (Ending::TimedOut, None),
            Standing::Running(progress) => {
                if progress != said {
                    on_progress(&progress);
                    said = progress;
                }
                let rest = timeout.saturating_sub(took);
                aws.clock().sleep(POLL.min(rest)).await;
                continue;
            }
        };
        let causes = match ending {
            Ending::Succeeded | Ending::Paused => Vec::new(),
            _ => cause::causes(aws, handle, &service, begun).await,
        };
        return Ok(Outcome {
            ending,
            evidence: watched.evidence(),
            deployment: watched.deployment(),
            reason,
            causes,
            running: count(&service, "runningCount"),
            desired: count(&service, "desiredCount"),
            took,
        });
    }
}

/// Waits until every task that is asked for runs, and nothing else does.
///
/// # Errors
/// It was not so when the time was up; what could not be read.
pub async fn stable(
    aws: &Aws,
    handle: &RolloutHandle,
    timeout: Duration,
    on_progress: &(dyn Fn(&str) + Sync),
) -> Result<()> {
    let begun = aws.clock().now();
    let mut said = false;
    loop {
        let service = ecs::service(aws, &handle.cluster, &handle.service).await?;
        let service = service.ok_or_else(|| gone(handle))?;
        let deployments = service.get("deployments").and_then(Value::as_array);
        let is_alone = deployments.is_some_and(|all| all.len() == 1);
        let (running, desired) = (
            count(&service, "runningCount"),
            count(&service, "desiredCount"),
        );
        if is_alone && running == desired && count(&service, "pendingCount") == 0 {
            return Ok(());
        }
        if aws.clock().now().saturating_sub(begun) >= timeout {
            let message = format!(
                "{} is not stable: {running} of {desired} tasks running.",
                handle.service
            );
            return Err(Error::new(crate::error::ErrorKind::Rollout, message)
                .hint("Run provision wait to follow it further."));
        }
        if !said {
            on_progress("done: waiting until it is stable");
            said = true;
        }
        aws.clock().sleep(POLL).await;
    }
}

fn gone(handle: &RolloutHandle) -> Error {
    let message = format!("The service {} is gone.", handle.service);
    Error::new(crate::error::ErrorKind::Rollout, message)
        .hint("Somebody deleted it during the rollout; run provision plan.")
}

fn count(value: &Value, field: &str) -> i64 {
    value.get(field).and_then(Value::as_i64).unwrap_or_default()
}

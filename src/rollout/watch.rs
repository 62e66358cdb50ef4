//! One rollout, polled until it ends, pauses at a hook or the time is up; and the wait for a service
//! that is stable.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::cause;
use super::count;
use super::event::Told;
use super::outcome::{Ending, Outcome};
use super::standing::{Standing, Watched, is_ours};
use crate::aws::Aws;
use crate::aws::ecs::{self, text};
use crate::error::{Error, ErrorKind, Result};
use crate::kind::RolloutHandle;

/// The time between two polls: at least 5 s (issue 6), so that 16 rollouts side by side ask less
/// than the 20 reads a second that ECS grants.
const POLL: Duration = Duration::from_secs(5);
/// How much older than the rollout's begin an event may be that still belongs to it: ECS writes the
/// first one with the deployment, before the answer is back.
const SKEW: Duration = Duration::from_secs(1);

/// Follows a rollout to its end. Anything but success is an error of the kind `Rollout`, which
/// names the cause.
///
/// # Errors
/// How it ended, unless it succeeded; what could not be read.
pub async fn follow(
    aws: &Aws,
    handle: &RolloutHandle,
    timeout: Duration,
    tell: &(dyn Fn(Told<'_>) + Sync),
) -> Result<Outcome> {
    let outcome = watch(aws, Watched::new(handle), timeout, tell).await?;
    match outcome.error(&handle.service) {
        None => Ok(outcome),
        Some(error) => Err(error),
    }
}

/// Follows a rollout until it ends, pauses at a hook, or the time is up; says how it came out.
/// `tell` hears how it stands whenever that has changed, and of ECS's events as they come.
pub(super) async fn watch(
    aws: &Aws,
    mut watched: Watched<'_>,
    timeout: Duration,
    tell: &(dyn Fn(Told<'_>) + Sync),
) -> Result<Outcome> {
    let handle = watched.handle();
    let begun = aws.clock().now();
    let mut said = None;
    let mut events = Events::since(begun);
    loop {
        let service = ecs::service(aws, &handle.cluster, &handle.service).await?;
        let service = service.ok_or_else(|| gone(handle))?;
        let standing = watched.look(aws, &service).await?;
        events.tell_new(&service, tell);
        let took = aws.clock().now().saturating_sub(begun);
        let (ending, reason) = match standing {
            Standing::Ended(ending, reason) => (ending, reason),
            Standing::Running(_) if took >= timeout => (Ending::TimedOut, None),
            Standing::Running(progress) => {
                if said.as_ref() != Some(&progress) {
                    tell(Told::Progress(&progress));
                    said = Some(progress);
                }
                let rest = timeout.saturating_sub(took);
                aws.clock().sleep(POLL.min(rest)).await;
                continue;
            }
        };
        let causes = match ending {
            Ending::Succeeded | Ending::Paused => Vec::new(),
            _ => cause::causes(aws, handle, &service, begun, reason.as_deref()).await,
        };
        let (running, desired) = tasks(handle, &service, ending);
        return Ok(Outcome {
            ending,
            evidence: watched.evidence(),
            deployment: watched.deployment(),
            reason,
            causes,
            running,
            desired,
            took,
        });
    }
}

/// Tasks that run, and tasks that are asked for: of the revision that was sent while that is what
/// the service is on the way to, else of the service.
fn tasks(handle: &RolloutHandle, service: &Value, ending: Ending) -> (i64, i64) {
    let deployments = service.get("deployments").and_then(Value::as_array);
    let ours = deployments
        .into_iter()
        .flatten()
        .find(|one| is_ours(handle, one) && text(one, "status") == Some("PRIMARY"));
    let of = match (ending, ours) {
        (Ending::RolledBack | Ending::Superseded, _) | (_, None) => service,
        (_, Some(ours)) => ours,
    };
    (count(of, "runningCount"), count(service, "desiredCount"))
}

/// The events of the service that came since the rollout began, each told once, oldest first.
struct Events {
    since: f64,
    told: BTreeSet<String>,
}

impl Events {
    fn since(begun: Duration) -> Self {
        Self {
            since: begun.saturating_sub(SKEW).as_secs_f64(),
            told: BTreeSet::new(),
        }
    }

    fn tell_new(&mut self, service: &Value, tell: &(dyn Fn(Told<'_>) + Sync)) {
        let events = service.get("events").and_then(Value::as_array);
        let events: Vec<&Value> = events.into_iter().flatten().collect();
        for event in events.into_iter().rev() {
            let created = event.get("createdAt").and_then(Value::as_f64);
            if created.is_some_and(|created| created < self.since) {
                continue;
            }
            let Some(message) = text(event, "message") else {
                continue;
            };
            let id = text(event, "id").unwrap_or(message);
            if self.told.insert(id.to_owned()) {
                tell(Told::Happened(&cause::plain(message)));
            }
        }
    }
}

/// Waits until every task that is asked for runs, and nothing else does.
pub(super) async fn stable(aws: &Aws, handle: &RolloutHandle, timeout: Duration) -> Result<()> {
    let begun = aws.clock().now();
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
        let waited = aws.clock().now().saturating_sub(begun);
        if waited >= timeout {
            let message = format!(
                "{} is not stable: {running} of {desired} tasks running.",
                handle.service
            );
            return Err(Error::new(ErrorKind::Rollout, message)
                .hint("Run provision wait to follow it further."));
        }
        let rest = timeout.saturating_sub(waited);
        aws.clock().sleep(POLL.min(rest)).await;
    }
}

fn gone(handle: &RolloutHandle) -> Error {
    let message = format!("The service {} is gone.", handle.service);
    Error::new(ErrorKind::Rollout, message)
        .hint("Somebody deleted it during the rollout; run provision plan.")
}

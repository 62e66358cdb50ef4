//! `rollback`: what ran before runs again. An active rollout is stopped; otherwise the revision that
//! succeeded before is sent. No revision is ever changed or removed.

use futures::future::join_all;
use serde_json::{Value, json};

use super::back::{Back, UnderWay, find_back, is_digest};
use super::deploy::tell_sent;
use super::event::Event;
use super::follow::{Following, Report, Run, Sent, Until};
use super::outcome::{Ending, Outcome};
use super::send::{handle, primary, register_and_send, send};
use super::standing::Watched;
use super::target::{self, Target};
use crate::aws::ecs::text;
use crate::aws::{Attempts, Class, EcsOperation};
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::kind::RolloutHandle;
use crate::kinds::service::{self, Digests, Registration};

/// What is to go back, and where to.
#[derive(Clone, Debug)]
pub struct Return<'a> {
    /// The environment.
    pub environment: &'a str,
    /// Only this service, by its key or its name.
    pub service: Option<&'a str>,
    /// A revision's number, `FAMILY:NUMBER` or a digest; none: what ran before.
    pub to: Option<&'a str>,
    /// How the rollouts are followed.
    pub following: Following,
}

/// Finds the way back for every service, then goes it.
///
/// # Errors
/// Whatever kept the run from touching anything. What became of each service afterwards is in its
/// report.
pub async fn rollback(run: Run<'_>, order: &Return<'_>) -> Result<Vec<Report>> {
    let keys = match order.to {
        // A number is one of a family: another service's revision of that number is another thing.
        Some(to) if !is_digest(to) => {
            let key = target::one_key(run.config, order.environment, order.service)?;
            vec![key]
        }
        _ => target::keys(run.config, order.environment, order.service)?,
    };
    let ways = keys.iter().map(|key| way(run, key, order.to));
    let ways = target::every(ways).await?;
    let gone = ways.into_iter().map(|(target, back)| async move {
        let address = target.address();
        match go(run, order, target, back).await {
            Ok(report) => report,
            Err(error) => Report::failed(&address, "", error),
        }
    });
    Ok(join_all(gone).await)
}

/// One service, and where it goes back to.
async fn way(run: Run<'_>, key: &str, to: Option<&str>) -> Result<(Target, Back)> {
    let live = target::live(run.aws, run.config, key).await?;
    let back = find_back(run.aws, run.config, key, &live, to).await?;
    let target = Target {
        key: key.to_owned(),
        live,
        running: Digests::new(),
        digests: Digests::new(),
        tags: Digests::new(),
    };
    Ok((target, back))
}

async fn go(run: Run<'_>, order: &Return<'_>, mut target: Target, back: Back) -> Result<Report> {
    let Run { aws, config, .. } = run;
    let address = target.address();
    let tell = |to: &str| {
        let address = &address;
        (run.on_event)(Event::Back { address, to });
    };
    let back = match back {
        Back::Stop(under_way) => stop(run, &mut target, under_way).await?,
        other => other,
    };
    let (digest, started) = match back {
        Back::Stop(_) => return Err(Error::bug("What was stopped is not.")),
        Back::Follow(under_way) => {
            let Target { key, live, .. } = &target;
            return Ok(follow_back(run, order.following, key, live, &under_way).await);
        }
        Back::Already(revision) => return already(run, &target, &revision).await,
        Back::Revision(registration) => {
            tell(short(&registration.revision));
            let started = send(aws, config, &target.key, &target.live, &registration, false);
            (
                registration.digest.clone().unwrap_or_default(),
                started.await?,
            )
        }
        Back::Digests(digests) => {
            target.digests = digests;
            tell(&target.digest());
            let started = register_and_send(aws, config, &target, None, false);
            (target.digest(), started.await?)
        }
    };
    tell_sent(run, &address, &started);
    let sent = Sent {
        address,
        digest,
        started,
    };
    Ok(run.follow(order.following, &sent).await)
}

/// Tells ECS to stop a service deployment and to go back; says what is to be done from there. It may
/// have ended in the meantime, or be going back already since an earlier request was carried out.
async fn stop(run: Run<'_>, target: &mut Target, under_way: UnderWay) -> Result<Back> {
    let request = json!({
        "serviceDeploymentArn": under_way.deployment,
        "stopType": "ROLLBACK",
    });
    let operation = EcsOperation::StopServiceDeployment;
    let asked = run.aws.ecs(operation, Attempts::Idempotent, &request).await;
    let Err(error) = asked else {
        (run.on_event)(Event::Stopped {
            address: &target.address(),
            deployment: &under_way.deployment,
        });
        return Ok(Back::Follow(under_way));
    };
    if matches!(error.class, Class::AccessDenied | Class::Credentials) {
        return Err(error.into());
    }
    target.live = target::live(run.aws, run.config, &target.key).await?;
    match find_back(run.aws, run.config, &target.key, &target.live, None).await? {
        Back::Stop(_) => Err(error.into()),
        other => Ok(other),
    }
}

/// Follows a service deployment that goes back.
pub(super) async fn follow_back(
    run: Run<'_>,
    following: Following,
    key: &str,
    live: &Value,
    under_way: &UnderWay,
) -> Report {
    let address = format!("service/{key}");
    let mut report = Report::new(&address, "", short(&under_way.task_definition));
    report.deployment = Some(under_way.deployment.clone());
    if following.until == Until::None {
        report.result = "started";
        return report;
    }
    let handle = handle_of(run.config, key, live, under_way);
    let watched = Watched::known(&handle, under_way.deployment.clone());
    let outcome = run.watch(following, &address, watched).await;
    if outcome
        .as_ref()
        .is_ok_and(|one| one.ending == Ending::RolledBack)
        && let Ok(live) = target::live(run.aws, run.config, key).await
    {
        report.revision = short(service::revision(&live).unwrap_or_default()).to_owned();
        report.digest = digest(run, &live).await.unwrap_or_default();
    }
    run.close(following, &handle, report, outcome, |outcome| {
        not_back(outcome, &handle)
    })
    .await
}

/// A service deployment as what is followed.
pub(super) fn handle_of(
    config: &Config,
    key: &str,
    live: &Value,
    under_way: &UnderWay,
) -> RolloutHandle {
    let registration = Registration {
        revision: under_way.task_definition.clone(),
        digest: None,
    };
    let of_ours =
        primary(live).filter(|one| text(one, "taskDefinition") == Some(&registration.revision));
    handle(config, key, live, of_ours, &registration)
}

/// The error of a way back that did not lead there.
fn not_back(outcome: &Outcome, handle: &RolloutHandle) -> Option<Error> {
    match outcome.ending {
        Ending::RolledBack => None,
        Ending::Succeeded => {
            let message = "The rollout had succeeded before it could be stopped.";
            let hint = "Run the same command again to go back to what ran before it.";
            Some(Error::new(ErrorKind::Rollout, message).hint(hint))
        }
        _ => outcome.error(&handle.service),
    }
}

/// Nothing is to be done: what runs is what it went back to.
async fn already(run: Run<'_>, target: &Target, revision: &str) -> Result<Report> {
    let address = target.address();
    let revision = short(revision);
    (run.on_event)(Event::WentBack {
        address: &address,
        revision,
    });
    let digest = digest(run, &target.live).await?;
    Ok(Report::new(&address, &digest, revision))
}

/// The digests that a service of `DescribeServices` runs, as one text.
pub(super) async fn digest(run: Run<'_>, live: &Value) -> Result<String> {
    let digests = service::running(run.aws, run.config, live).await?;
    Ok(digests.into_values().collect::<Vec<_>>().join(", "))
}

/// `FAMILY:REVISION` of an ARN.
pub(super) fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

//! One deployment: the revision with the digest, one `UpdateService`, or what is under way already.

use serde_json::{Value, json};

use super::proof::Proof;
use super::target::Target;
use crate::aws::ecs::text;
use crate::aws::{Attempts, Aws, EcsOperation};
use crate::config::Config;
use crate::error::Result;
use crate::kind::RolloutHandle;
use crate::kinds::service::{self, Registration};

/// The tags of a revision that say what proved its image.
pub(super) const PROVED_BY: &str = "provision:proved-by";
/// The environment that proved it.
const PROVED_IN: &str = "provision:proved-in";
/// Since when it ran there: seconds since the Unix epoch.
const PROVED_SINCE: &str = "provision:proved-since";

/// A deployment that is on its way, or needs none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// `FAMILY:REVISION`.
    pub revision: String,
    /// The rollout to follow; none where the service runs this already.
    pub rollout: Option<RolloutHandle>,
    /// Whether the rollout was under way before.
    pub resumed: bool,
}

/// Registers the revision and sends it. Run again after a crash it goes on from where that was.
///
/// # Errors
/// What could not be read, registered or sent.
pub async fn deploy(
    aws: &Aws,
    config: &Config,
    target: &Target,
    proof: Option<&Proof>,
    force: bool,
) -> Result<Started> {
    let registration =
        service::register(aws, config, &target.key, &target.live, &target.digests).await?;
    if let Some(proof) = proof {
        record(aws, &registration.revision, proof).await?;
    }
    send(aws, config, &target.key, &target.live, &registration, force).await
}

/// Sends a revision to its service, unless it runs or rolls out already.
///
/// # Errors
/// What AWS refuses.
pub async fn send(
    aws: &Aws,
    config: &Config,
    key: &str,
    live: &Value,
    registration: &Registration,
    force: bool,
) -> Result<Started> {
    let revision = registration.revision.rsplit('/').next().unwrap_or_default();
    let mut started = Started {
        revision: revision.to_owned(),
        rollout: None,
        resumed: false,
    };
    let primary = primary(live)
        .filter(|primary| text(primary, "taskDefinition") == Some(registration.revision.as_str()));
    let state = primary.map(|primary| text(primary, "rolloutState").unwrap_or("COMPLETED"));
    match (primary, state) {
        (Some(_), Some("COMPLETED")) if !force => return Ok(started),
        (Some(primary), Some("IN_PROGRESS")) if !force => {
            started.resumed = true;
            started.rollout = Some(handle(config, key, live, primary, registration));
            return Ok(started);
        }
        _ => {}
    }
    // The same revision once more starts nothing by itself.
    let force = force || primary.is_some();
    started.rollout = Some(service::start(aws, config, key, registration, force).await?);
    Ok(started)
}

/// The deployment that a service of `DescribeServices` is on the way to.
pub(super) fn primary(live: &Value) -> Option<&Value> {
    let deployments = live.get("deployments")?.as_array()?;
    let is_primary = |one: &&Value| text(one, "status") == Some("PRIMARY");
    deployments.iter().find(is_primary)
}

fn handle(
    config: &Config,
    key: &str,
    live: &Value,
    primary: &Value,
    registration: &Registration,
) -> RolloutHandle {
    let declared = config.services.get(key);
    let cluster = declared.map(|service| service.cluster.name.clone());
    RolloutHandle {
        cluster: cluster.unwrap_or_default(),
        service: text(live, "serviceName").unwrap_or_default().to_owned(),
        deployment: text(primary, "id").map(str::to_owned),
        task_definition: registration.revision.clone(),
        digest: registration.digest.clone(),
        desired_count: i32::try_from(super::count(live, "desiredCount")).unwrap_or_default(),
    }
}

/// The rollout that a service is in, or was in last.
#[must_use]
pub fn current(config: &Config, key: &str, live: &Value) -> Option<RolloutHandle> {
    let primary = primary(live)?;
    let registration = Registration {
        revision: text(primary, "taskDefinition")?.to_owned(),
        digest: None,
    };
    Some(handle(config, key, live, primary, &registration))
}

/// Writes the evidence on the revision, where `status` and whoever looks later find it.
async fn record(aws: &Aws, revision: &str, proof: &Proof) -> Result<()> {
    let tags = [
        (PROVED_BY, proof.deployment.clone()),
        (PROVED_IN, proof.environment.clone()),
        (PROVED_SINCE, format!("{:.0}", proof.since)),
    ];
    let tags: Vec<Value> = tags
        .iter()
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect();
    let request = json!({"resourceArn": revision, "tags": tags});
    aws.ecs(EcsOperation::TagResource, Attempts::Idempotent, &request)
        .await?;
    Ok(())
}

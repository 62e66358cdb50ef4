//! One deployment to one service: the revision with the digest, one `UpdateService`, or what is
//! under way already.

use serde_json::{Value, json};

use super::proof::Proof;
use super::target::{self, Target};
use crate::aws::ecs::text;
use crate::aws::{Attempts, Aws, EcsOperation};
use crate::config::Config;
use crate::error::Result;
use crate::kind::RolloutHandle;
use crate::kinds::service::{self, Registration};

/// The tags of a revision that say what proved its image: by which deployment,
pub(super) const PROVED_BY: &str = "provision:proved-by";
/// in which environment,
const PROVED_IN: &str = "provision:proved-in";
/// since when it ran there (seconds since the Unix epoch),
const PROVED_SINCE: &str = "provision:proved-since";
/// which digests,
const PROVED_DIGEST: &str = "provision:proved-digest";
/// and which checks passed.
const PROVED_CHECKS: &str = "provision:proved-checks";
/// Characters that the value of a tag may have (the API reference of ECS, `Tag`).
const LONGEST_TAG: usize = 256;

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
pub(super) async fn register_and_send(
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
pub(super) async fn send(
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
            started.rollout = Some(handle(config, key, live, Some(primary), registration));
            return Ok(started);
        }
        _ => {}
    }
    // The same revision once more starts nothing by itself.
    let force = force || primary.is_some();
    started.rollout = Some(
        match service::start(aws, config, key, registration, force).await {
            Err(error) if error.uncertain => {
                started_all_the_same(aws, config, key, live, registration)
                    .await?
                    .ok_or(error)?
            }
            other => other?,
        },
    );
    Ok(started)
}

/// The rollout that a call started although its reply was lost: another one than before, of our
/// revision. A forced deployment is not sent twice, since that would be two.
async fn started_all_the_same(
    aws: &Aws,
    config: &Config,
    key: &str,
    before: &Value,
    registration: &Registration,
) -> Result<Option<RolloutHandle>> {
    let now = target::live(aws, config, key).await?;
    let id = |live: &Value| {
        primary(live)
            .and_then(|one| text(one, "id"))
            .map(str::to_owned)
    };
    let is_ours = primary(&now)
        .is_some_and(|one| text(one, "taskDefinition") == Some(registration.revision.as_str()));
    if !is_ours || id(&now) == id(before) {
        return Ok(None);
    }
    Ok(primary(&now).map(|primary| handle(config, key, &now, Some(primary), registration)))
}

/// The deployment that a service of `DescribeServices` is on the way to.
pub(super) fn primary(live: &Value) -> Option<&Value> {
    let deployments = live.get("deployments")?.as_array()?;
    let is_primary = |one: &&Value| text(one, "status") == Some("PRIMARY");
    deployments.iter().find(is_primary)
}

/// The rollout of a registration by a service; `deployment` is the one of `DescribeServices`, where it
/// is known.
pub(super) fn handle(
    config: &Config,
    key: &str,
    live: &Value,
    deployment: Option<&Value>,
    registration: &Registration,
) -> RolloutHandle {
    let declared = config.services.get(key);
    let cluster = declared.map(|service| service.cluster.name.clone());
    RolloutHandle {
        cluster: cluster.unwrap_or_default(),
        service: text(live, "serviceName").unwrap_or_default().to_owned(),
        deployment: deployment
            .and_then(|one| text(one, "id"))
            .map(str::to_owned),
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
    Some(handle(config, key, live, Some(primary), &registration))
}

/// Writes the evidence on the revision, where `status` and whoever looks later find it.
async fn record(aws: &Aws, revision: &str, proof: &Proof) -> Result<()> {
    let request = json!({"resourceArn": revision, "tags": evidence(proof)});
    aws.ecs(EcsOperation::TagResource, Attempts::Idempotent, &request)
        .await?;
    Ok(())
}

/// The evidence as tags.
fn evidence(proof: &Proof) -> Vec<Value> {
    let digests: Vec<&str> = proof.digests.values().map(String::as_str).collect();
    let mut tags = vec![
        (PROVED_BY, proof.deployment.clone()),
        (PROVED_IN, proof.environment.clone()),
        (PROVED_SINCE, format!("{:.0}", proof.since)),
        (PROVED_DIGEST, digests.join(" ")),
    ];
    if !proof.checks.is_empty() {
        tags.push((PROVED_CHECKS, proof.checks.join(" / ")));
    }
    let tags = tags.iter();
    tags.map(|(key, value)| json!({"key": key, "value": tag_value(value)}))
        .collect()
}

/// A text with only the signs that the value of a tag may have.
fn tag_value(text: &str) -> String {
    let allowed = |letter: char| letter.is_alphanumeric() || " +-=._:/@".contains(letter);
    text.chars()
        .filter(|letter| allowed(*letter))
        .take(LONGEST_TAG)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::{LONGEST_TAG, evidence, tag_value};
    use crate::rollout::Proof;

    #[test]
    fn the_evidence_names_deployment_digest_time_and_checks() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let proof = Proof {
            environment: "staging".to_owned(),
            key: "web-staging".to_owned(),
            digests: BTreeMap::from([("web".to_owned(), digest.clone())]),
            deployment: "arn:aws:ecs:r:1:service-deployment/c/web/abc".to_owned(),
            since: 1_793_491_200.4,
            ran: Duration::from_mins(10),
            tasks: 1,
            checks: vec![
                "`curl -f x` ended well".to_owned(),
                "https://x answers 200".to_owned(),
            ],
            lacking: Vec::new(),
        };
        let tags = evidence(&proof);
        let value = |key: &str| {
            let tag = tags.iter().find(|tag| tag["key"] == key).unwrap();
            tag["value"].as_str().unwrap().to_owned()
        };
        assert_eq!(value("provision:proved-by"), proof.deployment);
        assert_eq!(value("provision:proved-in"), "staging");
        assert_eq!(value("provision:proved-since"), "1793491200");
        assert_eq!(value("provision:proved-digest"), digest);
        assert_eq!(
            value("provision:proved-checks"),
            "curl -f x ended well / https://x answers 200"
        );
    }

    #[test]
    fn the_value_of_a_tag_is_short_and_has_only_what_ecs_takes() {
        assert_eq!(tag_value("a`b{c}\nd"), "abcd");
        assert_eq!(tag_value(&"x".repeat(999)).len(), LONGEST_TAG);
    }
}

//! Where a service goes back to. AWS remembers: the service deployments that it lists tell what ran
//! before, what is under way, and whether it has gone back already; there is no state file.

use futures::future::try_join_all;
use serde_json::Value;

use super::history::{History, Way};
use super::{deployment, target};
use crate::aws::ecs::{self, text};
use crate::aws::{Aws, Class};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::kinds::service::{self, Digests, Registration};

/// Revisions of a family that are looked through for one with a digest: more than a lifecycle policy
/// keeps images of, as a rule.
const MOST_REVISIONS: u32 = 30;

/// Where a rollback leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Back {
    /// This service deployment is under way and is to be stopped.
    Stop(UnderWay),
    /// This service deployment is going back already.
    Follow(UnderWay),
    /// It has gone back already, to the revision with this ARN.
    Already(String),
    /// A revision that ran before.
    Revision(Registration),
    /// Digests of which no ACTIVE revision is left.
    Digests(Digests),
}

/// A service deployment that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnderWay {
    /// Its ARN.
    pub deployment: String,
    /// The ARN of the task definition that it brings.
    pub task_definition: String,
}

/// Finds where a service goes back to. `to` is a revision's number, `FAMILY:NUMBER` or a digest.
/// Asked again after a crash it leads to the same end: what has gone back does not go further.
///
/// # Errors
/// Nothing to go back to; what could not be read.
pub async fn find_back(
    aws: &Aws,
    config: &Config,
    key: &str,
    live: &Value,
    to: Option<&str>,
) -> Result<Back> {
    match to {
        Some(digest) if is_digest(digest) => by_digest(aws, config, key, digest).await,
        Some(revision) => by_revision(aws, config, key, revision).await,
        None => previous(aws, config, key, live).await,
    }
}

/// Whether a rollback is told a digest, not a revision.
#[must_use]
pub fn is_digest(to: &str) -> bool {
    to.starts_with("sha256:")
}

fn family<'a>(config: &'a Config, key: &str) -> &'a str {
    config
        .services
        .get(key)
        .map_or("", |service| service.task.family.as_str())
}

async fn by_revision(aws: &Aws, config: &Config, key: &str, revision: &str) -> Result<Back> {
    let name = target::revision_name(config, key, revision)?;
    let definition = target::definition(aws, config, key, &name).await?;
    usable(aws, config, key, &definition).await
}

async fn by_digest(aws: &Aws, config: &Config, key: &str, digest: &str) -> Result<Back> {
    for arn in ecs::active_revisions(aws, family(config, key), MOST_REVISIONS).await? {
        let definition = ecs::task_definition(aws, &arn).await?;
        if target::digests(config, &definition)
            .values()
            .any(|one| one == digest)
        {
            return usable(aws, config, key, &definition).await;
        }
    }
    let selection = target::Selection::Digest(digest.to_owned());
    let targets = target::resolve(aws, config, &[key.to_owned()], &selection).await;
    let targets = targets.map_err(|error| {
        error.hint("Run provision revisions to see which digests there are, or push the image.")
    })?;
    let target = targets.into_iter().next();
    let target = target.ok_or_else(|| Error::bug("No target was resolved."))?;
    Ok(Back::Digests(target.digests))
}

/// What is under way is stopped; else the revision that succeeded before the one that runs.
async fn previous(aws: &Aws, config: &Config, key: &str, live: &Value) -> Result<Back> {
    let runs = service::revision(live).unwrap_or_default();
    let list = deployment::list(aws, live).await?;
    let history = history(aws, config, key, live, &list).await?;
    for candidate in match history.way_back(runs) {
        Way::Stop(under_way) => return Ok(Back::Stop(under_way)),
        Way::Follow(under_way) => return Ok(Back::Follow(under_way)),
        Way::Already => return Ok(Back::Already(runs.to_owned())),
        Way::Revisions(candidates) => candidates,
    } {
        let definition = ecs::task_definition_with_tags(aws, &candidate).await;
        let definition = match definition {
            Ok((definition, _)) => definition,
            // Deleted: the one before it is as good.
            Err(error) if matches!(error.class, Class::NotFound | Class::Invalid) => continue,
            Err(error) => return Err(error.into()),
        };
        if target::is_active(&definition) {
            return usable(aws, config, key, &definition).await;
        }
    }
    Err(
        Error::failed("There is no earlier revision that it could go back to.")
            .at(format!("service/{key}"))
            .hint("Run provision deploy with --tag or --digest instead."),
    )
}

/// The revisions that a rollback may go to by name, newest first. `list` is the service deployments.
pub(super) async fn candidates(
    aws: &Aws,
    config: &Config,
    key: &str,
    live: &Value,
    list: &[Value],
) -> Result<Vec<String>> {
    let runs = service::revision(live).unwrap_or_default();
    let history = history(aws, config, key, live, list).await?;
    Ok(history.others(runs))
}

async fn history(
    aws: &Aws,
    config: &Config,
    key: &str,
    live: &Value,
    list: &[Value],
) -> Result<History> {
    if list.is_empty() {
        return without_deployments(aws, config, key, live).await;
    }
    let targets = list
        .iter()
        .filter_map(|one| text(one, "targetServiceRevisionArn"));
    let definitions = deployment::task_definitions(aws, &targets.collect::<Vec<_>>()).await?;
    Ok(History::of(list, &definitions))
}

/// Where the endpoint lists no service deployments: what still runs besides, and the family's
/// revisions by their numbers.
async fn without_deployments(
    aws: &Aws,
    config: &Config,
    key: &str,
    live: &Value,
) -> Result<History> {
    let deployments = live.get("deployments").and_then(Value::as_array);
    let deployments: Vec<&Value> = deployments.into_iter().flatten().collect();
    let family = ecs::active_revisions(aws, family(config, key), MOST_REVISIONS).await?;
    Ok(History::without_deployments(&deployments, family))
}

/// A revision whose images are still there.
async fn usable(aws: &Aws, config: &Config, key: &str, definition: &Value) -> Result<Back> {
    let revision = text(definition, "taskDefinitionArn").unwrap_or_default();
    let digests = target::digests(config, definition);
    let pushed = digests
        .keys()
        .map(|repository| crate::aws::ecr_images::images(aws, repository));
    let pushed = try_join_all(pushed).await?;
    for ((repository, digest), images) in digests.iter().zip(pushed) {
        if !images.iter().any(|image| image.digest == *digest) {
            let name = revision.rsplit('/').next().unwrap_or_default();
            let message = format!("The image {repository}@{digest} of {name} is gone.");
            return Err(Error::failed(message)
                .at(format!("service/{key}"))
                .hint("Name another revision or digest with --to."));
        }
    }
    Ok(Back::Revision(Registration {
        revision: revision.to_owned(),
        digest: digests.into_values().next(),
    }))
}

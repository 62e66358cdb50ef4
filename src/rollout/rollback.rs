//! The way back: an active rollout is stopped, or the revision that last succeeded before the one
//! that runs is deployed again. AWS remembers; there is no state file.

use serde_json::{Value, json};

use super::{deployment, target};
use crate::aws::ecs::{self, text};
use crate::aws::{Attempts, Aws, Class, EcsOperation};
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::kinds::service::{self, Digests, Registration};

/// Revisions of a family that are looked through for one with a digest: more than a lifecycle policy
/// keeps images of, as a rule.
const MOST_REVISIONS: u32 = 30;

/// Where a rollback leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Back {
    /// The service deployment with this ARN is under way and is to be stopped.
    Stop(String),
    /// A revision that ran before.
    Revision(Registration),
    /// Digests of which no ACTIVE revision is left.
    Digests(Digests),
}

/// Finds where a service goes back to. `to` is a revision's number, `FAMILY:NUMBER` or a digest.
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
        Some(digest) if digest.starts_with("sha256:") => by_digest(aws, config, key, digest).await,
        Some(revision) => by_revision(aws, config, key, revision).await,
        None => previous(aws, config, key, live).await,
    }
}

fn family<'a>(config: &'a Config, key: &str) -> &'a str {
    config
        .services
        .get(key)
        .map_or("", |service| service.task.family.as_str())
}

async fn by_revision(aws: &Aws, config: &Config, key: &str, revision: &str) -> Result<Back> {
    let family = family(config, key);
    let number = match revision.split_once(':') {
        Some((of, number)) if of == family => number,
        Some(_) => "",
        None => revision,
    };
    if number.parse::<u64>().is_err() {
        let message = format!("{revision} is neither a revision of {family} nor a digest.");
        return Err(Error::new(ErrorKind::Usage, message)
            .hint("Run provision revisions to see which there are."));
    }
    let name = format!("{family}:{number}");
    let definition = ecs::task_definition_with_tags(aws, &name).await;
    let (definition, _) = definition.map_err(|error| {
        let known = matches!(error.class, Class::NotFound | Class::Invalid);
        let error = if known {
            Error::failed(format!("There is no revision {name}."))
        } else {
            Error::from(error)
        };
        error.at(format!("service/{key}"))
    })?;
    usable(aws, config, key, &definition).await
}

async fn by_digest(aws: &Aws, config: &Config, key: &str, digest: &str) -> Result<Back> {
    for arn in ecs::active_revisions(aws, family(config, key), MOST_REVISIONS).await? {
        let definition = ecs::task_definition(aws, &arn).await?;
        if digests(config, &definition)
            .values()
            .any(|one| one == digest)
        {
            return usable(aws, config, key, &definition).await;
        }
    }
    let selection = target::Selection::Digest(digest.to_owned());
    let targets = target::resolve(aws, config, &[key.to_owned()], &selection).await?;
    let target = targets.into_iter().next();
    let target = target.ok_or_else(|| Error::bug("No target was resolved."))?;
    Ok(Back::Digests(target.digests))
}

/// The revision of the newest successful deployment that is not what runs now.
async fn previous(aws: &Aws, config: &Config, key: &str, live: &Value) -> Result<Back> {
    let list = deployment::list(aws, live).await?;
    let active = list
        .first()
        .filter(|newest| matches!(text(newest, "status"), Some("PENDING" | "IN_PROGRESS")));
    if let Some(arn) = active.and_then(|active| text(active, "serviceDeploymentArn")) {
        return Ok(Back::Stop(arn.to_owned()));
    }
    for arn in candidates(aws, config, key, live, &list).await? {
        let definition = ecs::task_definition_with_tags(aws, &arn).await;
        let Ok((definition, _)) = definition else {
            continue;
        };
        if text(&definition, "status").is_none_or(|status| status == "ACTIVE") {
            return usable(aws, config, key, &definition).await;
        }
    }
    Err(
        Error::failed("There is no earlier revision that it could go back to.")
            .at(format!("service/{key}"))
            .hint("Run provision deploy with --tag or --digest instead."),
    )
}

/// Task definitions to go back to, best first.
pub(super) async fn candidates(
    aws: &Aws,
    config: &Config,
    key: &str,
    live: &Value,
    list: &[Value],
) -> Result<Vec<String>> {
    let runs = service::revision(live).unwrap_or_default();
    let successes: Vec<&str> = list
        .iter()
        .filter(|one| text(one, "status") == Some("SUCCESSFUL"))
        .filter_map(|one| text(one, "targetServiceRevisionArn"))
        .collect();
    let definitions = deployment::task_definitions(aws, &successes).await?;
    let mut found: Vec<String> = successes
        .iter()
        .filter_map(|arn| definitions.get(*arn).cloned())
        .collect();
    if list.is_empty() {
        // Without service deployments: what is still running besides, then older revisions.
        let deployments = live.get("deployments").and_then(Value::as_array);
        let others = deployments.into_iter().flatten();
        found.extend(
            others
                .filter(|one| text(one, "status") != Some("PRIMARY"))
                .filter_map(|one| text(one, "taskDefinition").map(str::to_owned)),
        );
        let number = |arn: &str| ecs::revision_of(arn).map_or(0, |(_, number)| number);
        let older = ecs::active_revisions(aws, family(config, key), MOST_REVISIONS).await?;
        found.extend(older.into_iter().filter(|arn| number(arn) < number(runs)));
    }
    found.retain(|arn| arn != runs);
    Ok(found)
}

/// The digests that a revision names, by repository.
fn digests(config: &Config, definition: &Value) -> Digests {
    let registry = format!("{}/", config.registry());
    let containers = definition
        .get("containerDefinitions")
        .and_then(Value::as_array);
    let images = containers
        .into_iter()
        .flatten()
        .filter_map(|container| text(container, "image")?.strip_prefix(&registry));
    images
        .filter_map(|image| {
            let (repository, digest) = image.split_once('@')?;
            Some((repository.to_owned(), digest.to_owned()))
        })
        .collect()
}

/// A revision whose images are still there.
async fn usable(aws: &Aws, config: &Config, key: &str, definition: &Value) -> Result<Back> {
    let revision = text(definition, "taskDefinitionArn").unwrap_or_default();
    let digests = digests(config, definition);
    for (repository, digest) in &digests {
        let images = crate::aws::ecr_images::images(aws, repository).await?;
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

/// Stops a service deployment; ECS goes back to what ran before.
///
/// # Errors
/// What AWS refuses.
pub async fn stop(aws: &Aws, deployment: &str) -> Result<()> {
    let request = json!({"serviceDeploymentArn": deployment, "stopType": "ROLLBACK"});
    let operation = EcsOperation::StopServiceDeployment;
    aws.ecs(operation, Attempts::Idempotent, &request).await?;
    Ok(())
}

//! What a deployment needs of the kind: the digests that run, a revision with the digests that are
//! asked for, and the one `UpdateService` that sends it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::answer::spec_of;
use super::calls::keep;
use super::image::{self, Images};
use super::names::Names;
use super::observe;
use super::perform::{Registered, Writer, service_of, short};
use super::spec::Spec;
use crate::aws::ecs::{self, text};
use crate::aws::{Attempts, Aws, EcsOperation};
use crate::config::Config;
use crate::diff::diff;
use crate::error::{Error, Result};
use crate::kind::{Address, RolloutHandle, Scope};

/// Digests of images by the name of their declared repository.
pub type Digests = BTreeMap<String, String>;

/// A revision that is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The revision's ARN.
    pub revision: String,
    /// The digest of its first container that has one of a declared repository.
    pub digest: Option<String>,
}

/// Whether a service of `DescribeServices` is there: neither gone nor going.
///
/// # Errors
/// The service has a status that nobody knows.
pub fn is_there(service: &Value) -> Result<bool> {
    Ok(observe::is_there(service)?)
}

/// Whether a service of `DescribeServices` carries the mark of this infra.toml.
#[must_use]
pub fn is_ours(service: &Value, config: &Config) -> bool {
    observe::owner(service, config) == Some(config.owner_mark())
}

/// The ARN of the revision that a service of `DescribeServices` runs, or is to run.
#[must_use]
pub fn revision(service: &Value) -> Option<&str> {
    observe::revision(service)
}

/// The digests that a service of `DescribeServices` runs.
///
/// # Errors
/// What could not be read.
pub async fn running(aws: &Aws, config: &Config, service: &Value) -> Result<Digests> {
    let names = Names::new(config, BTreeMap::new());
    let digests = image::running(aws, &names, service).await?;
    Ok(digests
        .into_iter()
        .map(|((_, repository), digest)| (repository, digest))
        .collect())
}

/// A declared service as it stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// What `DescribeServices` says of it.
    pub live: Value,
    /// The fields that differ from infra.toml; none where an apply would change nothing of it.
    pub drift: Vec<String>,
}

/// How the services with these keys stand, those that are there: with the reads of the services alone,
/// whatever else infra.toml declares.
///
/// # Errors
/// What could not be read.
pub async fn standings(
    aws: &Aws,
    config: &Arc<Config>,
    keys: &[String],
) -> Result<BTreeMap<String, Standing>> {
    let only = keys.iter().map(|key| Address::new("service", key));
    let scope = Scope::everything(config.clone()).about(only.collect());
    let (described, mut specs) = futures::try_join!(
        async { Ok(observe::described(aws, &scope).await?) },
        observe::observe(aws, &scope)
    )?;
    let mut desired = super::declare::declare(config);
    let mut standings = BTreeMap::new();
    for (key, live) in described {
        let (Some(before), Some(desired)) = (specs.remove(&key), desired.remove(&key)) else {
            continue;
        };
        let goal = keep(desired, Some(&before));
        standings.insert(
            key,
            Standing {
                live,
                drift: differing(&before, &goal),
            },
        );
    }
    Ok(standings)
}

/// The fields in which two specs differ.
fn differing(before: &Spec, goal: &Spec) -> Vec<String> {
    if before == goal {
        return Vec::new();
    }
    let json = |spec: &Spec| serde_json::to_value(spec).unwrap_or_default();
    let changes = diff(&json(before), &json(goal), &BTreeSet::new());
    changes.into_iter().map(|change| change.path).collect()
}

/// The tag that infra.toml gives to this container of a service.
#[must_use]
pub fn declared_tag(config: &Config, key: &str, container: &str) -> String {
    image::declared_tag(config, key, container)
}

/// The digest that a tag names now; none where it names no image.
///
/// # Errors
/// What could not be read.
pub async fn tag_digest(aws: &Aws, repository: &str, tag: &str) -> Result<Option<String>> {
    Ok(image::tag_digest(aws, repository, tag).await?)
}

/// A revision of the declared task definition with these digests: an ACTIVE one that says the same,
/// else a new one. Repositories that `digests` does not name keep what runs.
///
/// # Errors
/// What could not be read or registered.
pub async fn register(
    aws: &Aws,
    config: &Config,
    key: &str,
    live: &Value,
    digests: &Digests,
) -> Result<Registration> {
    let desired = super::declare::declare(config).remove(key);
    let desired = desired.ok_or_else(|| Error::bug(format!("No service has the key {key}.")))?;
    let writer = Writer {
        aws,
        config,
        key,
        asked: digests.clone(),
    };
    let names = writer.names(&desired.task).await?;
    let task = match observe::revision(live) {
        Some(arn) => {
            let definition = ecs::task_definition(aws, arn).await?;
            let live = spec_of(live, &definition, config.services.get(key), &names)?;
            keep(desired, Some(&live)).task
        }
        None => desired.task,
    };
    let Registered { arn, images } = writer.register(&names, &task, Some(live)).await?;
    Ok(Registration {
        revision: arn,
        digest: images.digest,
    })
}

/// Sends a revision to its service with one `UpdateService`. `force` starts a deployment even where
/// the service has this revision already.
///
/// # Errors
/// What AWS refuses.
pub async fn start(
    aws: &Aws,
    config: &Config,
    key: &str,
    registration: &Registration,
    force: bool,
) -> Result<RolloutHandle> {
    let service = config.services.get(key);
    let service = service.ok_or_else(|| Error::bug(format!("No service has the key {key}.")))?;
    let mut request = json!({
        "cluster": service.cluster.name,
        "service": service.name,
        "taskDefinition": short(&registration.revision),
    });
    let mut attempts = Attempts::Idempotent;
    if force {
        // Twice would be two deployments.
        attempts = Attempts::Once;
        if let Some(request) = request.as_object_mut() {
            request.insert("forceNewDeployment".to_owned(), true.into());
        }
    }
    let answer = aws
        .ecs(EcsOperation::UpdateService, attempts, &request)
        .await?;
    let updated = service_of(answer, "ecs:UpdateService")?;
    let writer = Writer {
        aws,
        config,
        key,
        asked: BTreeMap::new(),
    };
    let registered = Registered {
        arn: registration.revision.clone(),
        images: Images {
            digest: registration.digest.clone(),
            ..Images::default()
        },
    };
    let performed = writer.started(&updated, &service.cluster.name, &registered, true);
    performed.rollout.ok_or_else(|| {
        Error::bug(format!(
            "{} has no rollout.",
            text(&updated, "serviceName").unwrap_or(key)
        ))
    })
}

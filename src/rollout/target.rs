//! What a deployment is to do: which services of an environment, and which digest each of them.

use futures::future::join_all;
use serde_json::Value;

use crate::aws::ecs::{self, text};
use crate::aws::{Aws, Class};
use crate::config::{Config, Image};
use crate::error::{Error, ErrorKind, Result};
use crate::kinds::service::{self, Digests};

/// The image that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// The tags of infra.toml, as they are now.
    #[default]
    Declared,
    /// This tag.
    Tag(String),
    /// This digest.
    Digest(String),
}

/// One service, and what it is to run.
#[derive(Clone, Debug)]
pub struct Target {
    /// The service's key in infra.toml.
    pub key: String,
    /// What `DescribeServices` says of it.
    pub live: Value,
    /// What it runs now, by repository.
    pub running: Digests,
    /// What it is to run, by repository.
    pub digests: Digests,
    /// The tag that each digest was found by, by repository.
    pub tags: Digests,
}

impl Target {
    /// The address of the service.
    #[must_use]
    pub fn address(&self) -> String {
        format!("service/{}", self.key)
    }

    /// The digests as one text.
    #[must_use]
    pub fn digest(&self) -> String {
        let digests: Vec<&str> = self.digests.values().map(String::as_str).collect();
        digests.join(", ")
    }
}

/// The keys of an environment's services, or of the one that is named by its key or its name in AWS.
///
/// # Errors
/// There is no such environment or service.
pub fn keys(config: &Config, environment: &str, service: Option<&str>) -> Result<Vec<String>> {
    let keys: Vec<&str> = config.services_of(environment).collect();
    if keys.is_empty() {
        let mut names: Vec<&str> = config
            .environments
            .iter()
            .map(|environment| environment.name.as_str())
            .filter(|name| config.services_of(name).next().is_some())
            .collect();
        names.sort_unstable();
        let message = format!("No service of infra.toml is in an environment {environment}.");
        let error = Error::new(ErrorKind::Usage, message);
        return Err(match names.as_slice() {
            [] => error.hint("List it under `environments` of a service."),
            names => error.hint(format!("There is {}.", names.join(", "))),
        });
    }
    let Some(wanted) = service else {
        return Ok(keys.into_iter().map(str::to_owned).collect());
    };
    let is_it = |key: &&&str| {
        let service = config.services.get(**key);
        **key == wanted || service.is_some_and(|service| service.name == wanted)
    };
    match keys.iter().find(is_it) {
        Some(key) => Ok(vec![(*key).to_owned()]),
        None => Err(Error::new(
            ErrorKind::Usage,
            format!("The environment {environment} has no service {wanted}."),
        )
        .hint(format!("It has {}.", keys.join(", ")))),
    }
}

/// The key of the one service that is meant: of several it has to be named.
///
/// # Errors
/// There is no such environment or service; several are meant.
pub fn one_key(config: &Config, environment: &str, service: Option<&str>) -> Result<String> {
    let keys = keys(config, environment, service)?;
    match keys.as_slice() {
        [key] => Ok(key.clone()),
        keys => {
            let message = format!("The environment {environment} has {} services.", keys.len());
            Err(Error::new(ErrorKind::Usage, message)
                .hint(format!("Name one with --service: {}.", keys.join(", "))))
        }
    }
}

/// `FAMILY:NUMBER` of a revision of a service's family that is given by its number or so.
///
/// # Errors
/// It is of another family, or no number.
pub fn revision_name(config: &Config, key: &str, revision: &str) -> Result<String> {
    let family = config.services.get(key).map(|one| one.task.family.as_str());
    let family = family.unwrap_or_default();
    let number = match revision.split_once(':') {
        Some((of, number)) if of == family => number,
        Some(_) => "",
        None => revision,
    };
    if number.parse::<u64>().is_ok() {
        return Ok(format!("{family}:{number}"));
    }
    let message = format!("{revision} is no revision of {family}.");
    Err(Error::new(ErrorKind::Usage, message)
        .hint("Run provision revisions to see which there are."))
}

/// The ACTIVE task definition of a revision that is named by its ARN or `FAMILY:NUMBER`.
///
/// # Errors
/// There is none; it was deregistered, so that ECS starts nothing of it; what could not be read.
pub(super) async fn definition(
    aws: &Aws,
    config: &Config,
    key: &str,
    revision: &str,
) -> Result<Value> {
    let name = revision.rsplit('/').next().unwrap_or(revision);
    let found = ecs::task_definition_with_tags(aws, revision).await;
    let (definition, _) = found.map_err(|error| no_revision(error, key, name))?;
    if is_active(&definition) {
        return Ok(definition);
    }
    let digests: Vec<String> = digests(config, &definition).into_values().collect();
    let hint = match digests.as_slice() {
        [] => "Run provision revisions to see which are left.".to_owned(),
        digests => format!(
            "Name its digest instead, and it is registered anew: {}.",
            digests.join(", ")
        ),
    };
    let message = format!("The revision {name} was deregistered: ECS starts nothing of it.");
    Err(Error::failed(message)
        .at(format!("service/{key}"))
        .hint(hint))
}

fn no_revision(error: crate::aws::Error, key: &str, name: &str) -> Error {
    let error = if matches!(error.class, Class::NotFound | Class::Invalid) {
        Error::failed(format!("There is no revision {name}."))
            .hint("Run provision revisions to see which there are.")
    } else {
        Error::from(error)
    };
    error.at(format!("service/{key}"))
}

/// Whether ECS starts tasks of a task definition.
pub(super) fn is_active(definition: &Value) -> bool {
    text(definition, "status").is_none_or(|status| status == "ACTIVE")
}

/// The digests that a task definition names, by repository.
pub(super) fn digests(config: &Config, definition: &Value) -> Digests {
    let registry = format!("{}/", config.registry());
    let images = ecs::containers(definition)
        .filter_map(|container| text(container, "image")?.strip_prefix(&registry));
    images
        .filter_map(|image| {
            let (repository, digest) = image.split_once('@')?;
            Some((repository.to_owned(), digest.to_owned()))
        })
        .collect()
}

/// What becomes of several, in their order; the errors of all, where there are any.
pub(super) async fn every<T>(
    looks: impl Iterator<Item: Future<Output = Result<T>>>,
) -> Result<Vec<T>> {
    let mut found = Vec::new();
    let mut errors = Vec::new();
    for result in join_all(looks).await {
        match result {
            Ok(one) => found.push(one),
            Err(error) => errors.push(error),
        }
    }
    match Error::all(errors) {
        Some(error) => Err(error),
        None => Ok(found),
    }
}

/// The live service with this key.
///
/// # Errors
/// It is not there, or not ours.
pub async fn live(aws: &Aws, config: &Config, key: &str) -> Result<Value> {
    let address = format!("service/{key}");
    let declared = config.services.get(key);
    let declared = declared.ok_or_else(|| Error::bug(format!("No service has the key {key}.")))?;
    let live = ecs::service(aws, &declared.cluster.name, &declared.name).await?;
    let live = match live {
        Some(live) if service::is_there(&live)? => live,
        _ => {
            return Err(Error::failed("It is declared, but not there.")
                .at(&address)
                .hint(format!("Run provision apply {address}.")));
        }
    };
    if service::is_ours(&live, config) {
        return Ok(live);
    }
    Err(
        Error::refused("It does not carry the mark of this infra.toml.")
            .at(&address)
            .hint(format!(
                "Run provision apply {address} --allow adopts to take it over."
            )),
    )
}

/// The live service with this key; none where it is not there or not ours.
pub(super) async fn live_if_there(aws: &Aws, config: &Config, key: &str) -> Result<Option<Value>> {
    let Some(declared) = config.services.get(key) else {
        return Ok(None);
    };
    let live = ecs::service(aws, &declared.cluster.name, &declared.name).await?;
    let Some(live) = live else {
        return Ok(None);
    };
    let is_it = service::is_there(&live)? && service::is_ours(&live, config);
    Ok(is_it.then_some(live))
}

/// What each service is to run. Nothing is changed.
///
/// # Errors
/// A service is not there; no image has the tag or the digest.
pub(super) async fn resolve(
    aws: &Aws,
    config: &Config,
    keys: &[String],
    selection: &Selection,
) -> Result<Vec<Target>> {
    let resolved = keys
        .iter()
        .map(|key| resolve_one(aws, config, key, selection));
    every(resolved).await
}

async fn resolve_one(
    aws: &Aws,
    config: &Config,
    key: &str,
    selection: &Selection,
) -> Result<Target> {
    let mut target = Target {
        key: key.to_owned(),
        live: live(aws, config, key).await?,
        running: Digests::new(),
        digests: Digests::new(),
        tags: Digests::new(),
    };
    target.running = service::running(aws, config, &target.live).await?;
    let mut repositories = repositories(config, key);
    // A pod's sidecar may come from a repository that does not know the tag: it keeps what runs.
    let several = repositories.len() > 1;
    let mut missing = Vec::new();
    for (repository, declared) in std::mem::take(&mut repositories) {
        let reference = match selection {
            Selection::Declared => declared,
            Selection::Tag(tag) => tag.clone(),
            Selection::Digest(digest) => digest.clone(),
        };
        let found = find(aws, &repository, &reference, selection).await?;
        match found {
            Some(digest) => {
                if !matches!(selection, Selection::Digest(_)) {
                    target.tags.insert(repository.clone(), reference);
                }
                target.digests.insert(repository, digest);
            }
            None => missing.push((repository, reference)),
        }
    }
    let is_lacking = target.digests.is_empty() || *selection == Selection::Declared;
    match missing.first() {
        Some((repository, reference)) if is_lacking || !several => {
            let message = format!("The repository {repository} has no image {reference}.");
            Err(Error::failed(message)
                .at(target.address())
                .hint("Push it, or name another one with --tag or --digest."))
        }
        _ if target.digests.is_empty() => Err(Error::failed(
            "None of its containers has an image of a declared repository.",
        )
        .at(target.address())
        .hint(
            "Write `image = { repository = \"...\", tag = \"...\" }`; a fixed image is apply's.",
        )),
        _ => Ok(target),
    }
}

async fn find(
    aws: &Aws,
    repository: &str,
    reference: &str,
    selection: &Selection,
) -> Result<Option<String>> {
    match selection {
        Selection::Digest(digest) => {
            let images = crate::aws::ecr_images::images(aws, repository).await?;
            let found = images.iter().find(|image| image.digest == *digest);
            Ok(found.map(|image| image.digest.clone()))
        }
        _ => service::tag_digest(aws, repository, reference).await,
    }
}

/// The declared repositories that a service's containers have images of, each with its declared tag.
pub(super) fn repositories(config: &Config, key: &str) -> Digests {
    let containers = config
        .services
        .get(key)
        .map(|service| &service.task.container);
    containers
        .into_iter()
        .flatten()
        .filter_map(|(_, container)| match &container.image {
            Image::Repository { name, tag } => Some((name.clone(), tag.clone())),
            Image::Fixed(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{keys, repositories};
    use crate::config::{self, Config};
    use crate::error::ErrorKind;

    fn project() -> Config {
        config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("infra.toml")).unwrap()
    }

    #[test]
    fn a_service_is_named_by_its_key_and_only_in_its_environment() {
        let config = project();
        assert_eq!(
            keys(&config, "staging", None).unwrap(),
            ["back-end-staging"]
        );
        let named = keys(&config, "production", Some("back-end-production"));
        assert_eq!(named.unwrap(), ["back-end-production"]);
        let error = keys(&config, "production", Some("back-end-staging")).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage);
        assert_eq!(error.hint.unwrap(), "It has back-end-production.");
        let error = keys(&config, "nowhere", None).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage);
        assert_eq!(error.hint.unwrap(), "There is production, staging.");
    }

    #[test]
    fn a_service_wants_the_declared_tag_of_each_repository() {
        let wanted = repositories(&project(), "back-end-production");
        assert_eq!(wanted, [("back-end".to_owned(), "prod".to_owned())].into());
        assert!(repositories(&project(), "no-such-service").is_empty());
    }
}

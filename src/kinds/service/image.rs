//! Which image a container of ours is to have: what runs is kept, so that apply never moves an image
//! back. The sources are asked in the order of design.md ("The image belongs to deployments").

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::names::Names;
use super::observe::{is_there, revision};
use super::spec::{Image, Task};
use crate::aws::ecs::{self, text};
use crate::aws::{Aws, Class, EcsOperation, Error as AwsError};
use crate::config::{Config, Image as DeclaredImage};
use crate::kind::OWNER_TAG;

/// The images of a task definition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Images {
    /// The text of each container's image.
    pub(super) texts: BTreeMap<String, String>,
    /// The digest of the first container that has one of a declared repository.
    pub(super) digest: Option<String>,
    /// Whether some container's tag names no image yet.
    pub(super) missing: bool,
}

impl Images {
    /// The image of a container, as `RegisterTaskDefinition` takes it.
    pub(super) fn text(&self, container: &str, image: &Image) -> String {
        match (self.texts.get(container), image) {
            (Some(text), _) | (None, Image::Fixed(text)) => text.clone(),
            (None, Image::Managed { repository }) => repository.clone(),
        }
    }
}

/// Finds the image of each container of the service with this table key. `asked` holds the digests,
/// by repository, that somebody asked for; they come before everything else.
pub(super) async fn images(
    aws: &Aws,
    names: &Names<'_>,
    key: &str,
    task: &Task,
    live: Option<&Value>,
    asked: &BTreeMap<String, String>,
) -> Result<Images, AwsError> {
    let mut images = Images::default();
    let mut sources = Sources::new(aws, names, key, task, live);
    for (container, image) in task.container.iter().map(|(name, of)| (name, &of.image)) {
        let Image::Managed { repository } = image else {
            continue;
        };
        let url = names.config.repository_url(repository);
        let tag = declared_tag(names.config, key, container);
        let found = match asked.get(repository) {
            Some(digest) => Some(digest.clone()),
            None => match sources.deployed(container, repository).await? {
                None => tag_digest(aws, repository, &tag).await?,
                found => found,
            },
        };
        let text = if let Some(digest) = found {
            let text = format!("{url}@{digest}");
            images.digest.get_or_insert(digest);
            text
        } else {
            images.missing = true;
            format!("{url}:{tag}")
        };
        images.texts.insert(container.clone(), text);
    }
    Ok(images)
}

pub(super) fn declared_tag(config: &Config, key: &str, container: &str) -> String {
    let service = config.services.get(key);
    let container = service.and_then(|service| service.task.container.get(container));
    match container.map(|container| &container.image) {
        Some(DeclaredImage::Repository { name: _, tag }) => tag.clone(),
        // AWS's own default.
        Some(DeclaredImage::Fixed(_)) | None => "latest".to_owned(),
    }
}

/// What has been deployed: by this service, by this family, by the environment before. Each is read
/// at most once, and only when the one before it has nothing to say.
struct Sources<'a> {
    aws: &'a Aws,
    names: &'a Names<'a>,
    key: &'a str,
    task: &'a Task,
    live: Option<&'a Value>,
    read: Vec<Digests>,
}

/// Digests of one source, by container and repository.
pub(super) type Digests = BTreeMap<(String, String), String>;

/// Service, family, earlier environment.
const SOURCES: usize = 3;
/// Revisions of a family that are looked through for one with our mark: a family of ours has hardly
/// any others.
const MOST_REVISIONS: u32 = 5;

impl<'a> Sources<'a> {
    fn new(
        aws: &'a Aws,
        names: &'a Names<'a>,
        key: &'a str,
        task: &'a Task,
        live: Option<&'a Value>,
    ) -> Self {
        Self {
            aws,
            names,
            key,
            task,
            live,
            read: Vec::new(),
        }
    }

    /// The digest for this container: its own, else that of another container of its repository.
    async fn deployed(
        &mut self,
        container: &str,
        repository: &str,
    ) -> Result<Option<String>, AwsError> {
        for source in 0..SOURCES {
            if self.read.len() == source {
                let digests = self.read_source(source).await?;
                self.read.push(digests);
            }
            let digests = self.read.get(source).into_iter().flatten();
            let of_repository = digests.filter(|((_, name), _)| name == repository);
            let mut candidates: Vec<_> = of_repository.collect();
            candidates.sort_by_key(|((name, _), _)| name != container);
            if let Some((_, digest)) = candidates.first() {
                return Ok(Some((*digest).clone()));
            }
        }
        Ok(None)
    }

    async fn read_source(&self, source: usize) -> Result<Digests, AwsError> {
        match source {
            0 => match self.live {
                Some(service) => running(self.aws, self.names, service).await,
                None => Ok(Digests::new()),
            },
            1 => self.of_family().await,
            _ => self.of_earlier_environment().await,
        }
    }

    /// The family's newest ACTIVE revision with our mark.
    async fn of_family(&self) -> Result<Digests, AwsError> {
        let family = &self.task.family;
        let mark = self.names.config.owner_mark();
        for arn in ecs::active_revisions(self.aws, family, MOST_REVISIONS).await? {
            let (definition, tags) = ecs::task_definition_with_tags(self.aws, &arn).await?;
            if tags.get(OWNER_TAG).and_then(Value::as_str) == Some(mark.as_str()) {
                return Ok(pinned(self.names, &definition));
            }
        }
        Ok(Digests::new())
    }

    /// What the same table of infra.toml runs in the environment that proves images for this one.
    async fn of_earlier_environment(&self) -> Result<Digests, AwsError> {
        let Some(service) = earlier(self.names.config, self.key) else {
            return Ok(Digests::new());
        };
        match ecs::service(self.aws, &service.cluster.name, &service.name).await? {
            Some(service) => running(self.aws, self.names, &service).await,
            None => Ok(Digests::new()),
        }
    }
}

fn earlier<'a>(config: &'a Config, key: &str) -> Option<&'a crate::config::Service> {
    let declaration = config.declarations.get(&format!("service/{key}"))?;
    let name = declaration.environment.as_deref()?;
    let environment = config.environments.iter().find(|one| one.name == name)?;
    let after = environment.after.as_deref()?;
    config.services.get(twin(config, key, after)?)
}

/// The service that the same table of infra.toml makes in another environment.
#[must_use]
pub fn twin<'a>(config: &'a Config, key: &str, environment: &str) -> Option<&'a str> {
    let declaration = config.declarations.get(&format!("service/{key}"))?;
    let found = config.declarations.iter().find_map(|(address, other)| {
        let same = other.position == declaration.position
            && other.environment.as_deref() == Some(environment);
        same.then(|| address.strip_prefix("service/"))?
    })?;
    let (found, _) = config.services.get_key_value(found)?;
    Some(found)
}

/// The digests that a live service runs: those of its revision, and where that names a tag, those
/// that ECS resolved it to.
pub(super) async fn running(
    aws: &Aws,
    names: &Names<'_>,
    service: &Value,
) -> Result<Digests, AwsError> {
    if !is_there(service)? {
        return Ok(Digests::new());
    }
    let Some(arn) = revision(service) else {
        return Ok(Digests::new());
    };
    let definition = ecs::task_definition(aws, arn).await?;
    let mut digests = pinned(names, &definition);
    if digests.len() < images_of(names, &definition).count() {
        for (place, digest) in resolved(aws, names, service, arn).await? {
            digests.entry(place).or_insert(digest);
        }
    }
    Ok(digests)
}

/// The containers of a definition with an image of a declared repository: name, repository, text.
fn images_of<'a>(
    names: &'a Names<'_>,
    definition: &'a Value,
) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> {
    ecs::containers(definition).filter_map(|container| {
        let image = text(container, "image")?;
        Some((text(container, "name")?, names.repository_of(image)?, image))
    })
}

fn pinned(names: &Names<'_>, definition: &Value) -> Digests {
    images_of(names, definition)
        .filter_map(|(container, repository, image)| {
            let (_, digest) = image.split_once('@')?;
            Some((
                (container.to_owned(), repository.to_owned()),
                digest.to_owned(),
            ))
        })
        .collect()
}

/// The digests in the service's current revisions of this task definition; none where the endpoint
/// does not have service revisions, and for revisions from before they were recorded.
async fn resolved(
    aws: &Aws,
    names: &Names<'_>,
    service: &Value,
    task_definition: &str,
) -> Result<Digests, AwsError> {
    let current = service
        .get("currentServiceRevisions")
        .and_then(Value::as_array);
    let arns: Vec<&str> = current
        .into_iter()
        .flatten()
        .filter_map(|revision| text(revision, "arn"))
        .collect();
    if arns.is_empty() {
        return Ok(Digests::new());
    }
    let request = json!({"serviceRevisionArns": arns});
    let answer = ecs::read(aws, EcsOperation::DescribeServiceRevisions, &request).await;
    let answer = match answer {
        Err(error) if is_unknown(&error) => return Ok(Digests::new()),
        other => other?,
    };
    let revisions = answer.get("serviceRevisions").and_then(Value::as_array);
    let ours = revisions
        .into_iter()
        .flatten()
        .filter(|revision| text(revision, "taskDefinition") == Some(task_definition));
    let images = ours
        .filter_map(|revision| revision.get("containerImages")?.as_array())
        .flatten();
    Ok(images
        .filter_map(|image| {
            let repository = names.repository_of(text(image, "image")?)?;
            let container = text(image, "containerName")?;
            let digest = text(image, "imageDigest")?;
            Some((
                (container.to_owned(), repository.to_owned()),
                digest.to_owned(),
            ))
        })
        .collect())
}

/// The endpoint has no service revisions, or not this one.
fn is_unknown(error: &AwsError) -> bool {
    matches!(
        error.class,
        Class::Unsupported | Class::NotFound | Class::Invalid
    )
}

/// The digest that a tag names now; none where it names no image.
pub(super) async fn tag_digest(
    aws: &Aws,
    repository: &str,
    tag: &str,
) -> Result<Option<String>, AwsError> {
    let image = aws_sdk_ecr::types::ImageIdentifier::builder()
        .image_tag(tag)
        .build();
    let answer = aws
        .read("ecr:DescribeImages", |clients| {
            clients
                .ecr
                .describe_images()
                .repository_name(repository)
                .image_ids(image.clone())
                .send()
        })
        .await;
    match answer {
        Ok(answer) => Ok(answer
            .image_details
            .unwrap_or_default()
            .into_iter()
            .find_map(|image| image.image_digest)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

//! One revision per content: registering takes an ACTIVE revision that says the same, so that neither
//! a crash nor a lost reply leaves two.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::answer::{definition_of, task_of};
use super::image::Images;
use super::names::Names;
use super::spec::Task;
use crate::aws::ecs::{self, text};
use crate::aws::{Attempts, Aws, Class, EcsOperation};
use crate::config::Tags;
use crate::error::{Error, Result};
use crate::planted::{Bug, planted};

/// Revisions of a family that are compared with what is to be registered, newest first. A crash
/// leaves its revision at the very top; further ones serve changes that are taken back.
const MOST_COMPARED: u32 = 10;
/// Attempts to register where replies are lost: after each the family is looked at again.
const MOST_ATTEMPTS: usize = 3;

/// The ARN of an ACTIVE revision with this content: one that is there, else a new one with `tags`.
pub(super) async fn register(
    aws: &Aws,
    names: &Names<'_>,
    task: &Task,
    images: &Images,
    tags: &Tags,
) -> Result<String> {
    let definition = definition_of(task, names, |name, image| images.text(name, image))?;
    let content = Content::of(&definition, names)?;
    let mut request = definition;
    if let Some(request) = request.as_object_mut() {
        let tags = tags.iter();
        let tags = tags.map(|(key, value)| json!({"key": key, "value": value}));
        request.insert("tags".to_owned(), tags.collect());
    }
    let mut failure = None;
    for _ in 0..MOST_ATTEMPTS {
        let found = find(aws, names, &task.family, &content).await?;
        if let Some(arn) = found.filter(|_| !planted(Bug::RegistersBlindly)) {
            return Ok(arn);
        }
        let operation = EcsOperation::RegisterTaskDefinition;
        match aws.ecs(operation, Attempts::Once, &request).await {
            Ok(answer) => return arn_of(&answer),
            // It may or may not have been done: the family tells.
            Err(error) if matches!(error.class, Class::Passing | Class::Unreadable) => {
                failure = Some(error);
            }
            Err(error) => return Err(error.into()),
        }
    }
    match find(aws, names, &task.family, &content).await? {
        Some(arn) => Ok(arn),
        None => Err(failure.map_or_else(|| Error::bug("No attempt was made."), Error::from)),
    }
}

fn arn_of(answer: &Value) -> Result<String> {
    answer
        .get("taskDefinition")
        .and_then(|definition| text(definition, "taskDefinitionArn"))
        .map(str::to_owned)
        .ok_or_else(|| Error::failed("ecs:RegisterTaskDefinition answered without an ARN."))
}

/// What two revisions of equal content agree in: the canonical form, and the images to the letter.
#[derive(Clone, Debug, PartialEq)]
struct Content {
    task: Task,
    images: BTreeMap<String, String>,
}

impl Content {
    fn of(definition: &Value, names: &Names<'_>) -> Result<Self> {
        let mut task = task_of(definition, None, names)?;
        super::normalise::normalise_task(&mut task);
        let images = ecs::containers(definition).filter_map(|container| {
            let image = text(container, "image")?;
            Some((text(container, "name")?.to_owned(), image.to_owned()))
        });
        let images = images.collect();
        Ok(Self { task, images })
    }
}

async fn find(
    aws: &Aws,
    names: &Names<'_>,
    family: &str,
    content: &Content,
) -> Result<Option<String>> {
    for arn in ecs::active_revisions(aws, family, MOST_COMPARED).await? {
        let definition = ecs::task_definition(aws, &arn).await?;
        if Content::of(&definition, names)? == *content {
            return Ok(Some(arn));
        }
    }
    Ok(None)
}

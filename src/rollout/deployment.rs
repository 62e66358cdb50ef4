//! Which service deployment is ours: the first one of our task definition that is not older than the
//! deployment that our call was answered with.

use serde_json::{Value, json};

use crate::aws::ecs::{self, text};
use crate::aws::{Aws, Class, EcsOperation, Error};
use crate::kind::RolloutHandle;

/// Deployments on the page that is looked at: one page, the newest.
const MOST_LISTED: u32 = 20;
/// How much older than its deployment a service deployment may be, in seconds: they are two records
/// of one event, stamped one after the other.
const SKEW: f64 = 10.0;

/// What asking for service deployments came to.
pub(super) enum Found {
    /// Ours, by ARN.
    Ours(String),
    /// Not listed, or not yet.
    NotListed,
    /// The endpoint has none.
    Lacking,
}

/// Looks for the service deployment that our call started. `since` is when its deployment was made,
/// in seconds since the epoch, where that is known.
pub(super) async fn find(
    aws: &Aws,
    handle: &RolloutHandle,
    since: Option<f64>,
) -> Result<Found, Error> {
    let request = json!({
        "cluster": handle.cluster,
        "service": handle.service,
        "maxResults": MOST_LISTED,
    });
    let answer = ecs::read(aws, EcsOperation::ListServiceDeployments, &request).await;
    let Some(answer) = unless_lacking(answer)? else {
        return Ok(Found::Lacking);
    };
    let list = answer.get("serviceDeployments").and_then(Value::as_array);
    let mut candidates: Vec<&Value> = list
        .into_iter()
        .flatten()
        .filter(|one| since.is_none_or(|since| created(one) >= since - SKEW))
        .collect();
    // Where it is known since when, ours is the first; otherwise the newest is the best guess.
    candidates.sort_by(|a, b| created(a).total_cmp(&created(b)));
    if since.is_none() {
        candidates.reverse();
    }
    of_task_definition(aws, &candidates, &handle.task_definition).await
}

fn created(deployment: &Value) -> f64 {
    let created = deployment.get("createdAt").and_then(Value::as_f64);
    created.unwrap_or_default()
}

async fn of_task_definition(
    aws: &Aws,
    candidates: &[&Value],
    task_definition: &str,
) -> Result<Found, Error> {
    let targets: Vec<&str> = candidates
        .iter()
        .filter_map(|one| text(one, "targetServiceRevisionArn"))
        .collect();
    if targets.is_empty() {
        return Ok(Found::NotListed);
    }
    let request = json!({"serviceRevisionArns": targets});
    let answer = ecs::read(aws, EcsOperation::DescribeServiceRevisions, &request).await;
    let Some(answer) = unless_lacking(answer)? else {
        return Ok(Found::Lacking);
    };
    let revisions = answer.get("serviceRevisions").and_then(Value::as_array);
    let ours: Vec<&str> = revisions
        .into_iter()
        .flatten()
        .filter(|one| text(one, "taskDefinition") == Some(task_definition))
        .filter_map(|one| text(one, "serviceRevisionArn"))
        .collect();
    let found = candidates.iter().find(|one| {
        let target = text(one, "targetServiceRevisionArn");
        target.is_some_and(|target| ours.contains(&target))
    });
    let arn = found.and_then(|one| text(one, "serviceDeploymentArn"));
    Ok(arn.map_or(Found::NotListed, |arn| Found::Ours(arn.to_owned())))
}

/// How a service deployment stands.
pub(super) async fn describe(aws: &Aws, arn: &str) -> Result<Option<Value>, Error> {
    let request = json!({"serviceDeploymentArns": [arn]});
    let answer = ecs::read(aws, EcsOperation::DescribeServiceDeployments, &request).await;
    let Some(mut answer) = unless_lacking(answer)? else {
        return Ok(None);
    };
    let list = answer
        .get_mut("serviceDeployments")
        .and_then(Value::as_array_mut);
    Ok(list.and_then(Vec::pop))
}

fn unless_lacking(answer: Result<Value, Error>) -> Result<Option<Value>, Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.class == Class::Unsupported => Ok(None),
        Err(error) => Err(error),
    }
}

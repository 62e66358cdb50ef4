//! Which service deployment is ours: the one of our task definition that was made together with the
//! deployment that our call was answered with.

use std::collections::BTreeMap;

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
    let candidates = candidates(list.into_iter().flatten(), since);
    of_task_definition(aws, &candidates, &handle.task_definition).await
}

/// Those that may be the one whose deployment was made at `since`, most likely first: the nearest in
/// time; where no time is known, the newest.
fn candidates<'a>(list: impl Iterator<Item = &'a Value>, since: Option<f64>) -> Vec<&'a Value> {
    let mut candidates: Vec<&Value> = list.collect();
    let Some(since) = since else {
        candidates.sort_by(|a, b| created(b).total_cmp(&created(a)));
        return candidates;
    };
    candidates.retain(|one| {
        let ended = one.get("finishedAt").and_then(Value::as_f64);
        created(one) >= since - SKEW && ended.is_none_or(|ended| ended >= since)
    });
    let apart = |one: &Value| (created(one) - since).abs();
    candidates.sort_by(|a, b| apart(a).total_cmp(&apart(b)));
    candidates
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

/// The service deployments of a service of `DescribeServices`, newest first; none where the endpoint
/// has none.
pub(super) async fn list(aws: &Aws, live: &Value) -> Result<Vec<Value>, Error> {
    let request = json!({
        "cluster": text(live, "clusterArn"),
        "service": text(live, "serviceName"),
        "maxResults": MOST_LISTED,
    });
    let answer = ecs::read(aws, EcsOperation::ListServiceDeployments, &request).await;
    let Some(mut answer) = unless_lacking(answer)? else {
        return Ok(Vec::new());
    };
    let list = answer
        .get_mut("serviceDeployments")
        .and_then(Value::as_array_mut);
    let mut list = list.map(std::mem::take).unwrap_or_default();
    list.sort_by(|a, b| created(b).total_cmp(&created(a)));
    Ok(list)
}

/// The newest service deployment of a service of `DescribeServices`.
pub(super) async fn newest(aws: &Aws, live: &Value) -> Result<Option<Value>, Error> {
    Ok(list(aws, live).await?.into_iter().next())
}

/// The task definitions of service revisions, by the revision's ARN.
pub(super) async fn task_definitions(
    aws: &Aws,
    revisions: &[&str],
) -> Result<BTreeMap<String, String>, Error> {
    if revisions.is_empty() {
        return Ok(BTreeMap::new());
    }
    let request = json!({"serviceRevisionArns": revisions});
    let answer = ecs::read(aws, EcsOperation::DescribeServiceRevisions, &request).await;
    let Some(answer) = unless_lacking(answer)? else {
        return Ok(BTreeMap::new());
    };
    let revisions = answer.get("serviceRevisions").and_then(Value::as_array);
    let pair = |one: &Value| {
        let arn = text(one, "serviceRevisionArn")?;
        Some((arn.to_owned(), text(one, "taskDefinition")?.to_owned()))
    };
    Ok(revisions.into_iter().flatten().filter_map(pair).collect())
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::candidates;

    fn numbers(list: &[Value], since: Option<f64>) -> Vec<i64> {
        let found = candidates(list.iter(), since);
        found.iter().map(|one| one["n"].as_i64().unwrap()).collect()
    }

    #[test]
    fn ours_is_the_one_that_was_made_together_with_its_deployment() {
        let list = [
            json!({"n": 1, "createdAt": 100.0, "finishedAt": 104.0}),
            json!({"n": 2, "createdAt": 109.9}),
            json!({"n": 3, "createdAt": 103.0, "finishedAt": 111.0}),
            json!({"n": 4, "createdAt": 130.0}),
        ];
        // The first one was over before ours began.
        assert_eq!(numbers(&list, Some(110.0)), [2, 3, 4]);
        assert_eq!(numbers(&list, None), [4, 2, 3, 1]);
        assert_eq!(numbers(&list, Some(200.0)), [0_i64; 0]);
    }
}

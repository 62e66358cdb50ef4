//! Reads of ECS in batches: services ten a call, revisions of task definitions once for ever.
//! Answers are the API's own JSON; which of their fields mean what is the service kind's to know.

use serde_json::{Map, Value, json};

use super::ecs_wire::Operation;
use super::{Attempts, Aws, Class, Error};

/// Most services in one `DescribeServices` (facts.md section 4).
const SERVICES_A_CALL: usize = 10;
/// Most tasks in one `DescribeTasks`.
const TASKS_A_CALL: usize = 100;
/// Most items that the list operations give on one page.
const ITEMS_A_PAGE: u32 = 100;
/// Most pages of one list: 10,000 items, beyond every quota of ECS; an endpoint that pages for ever ends here.
const MOST_PAGES: usize = 100;

/// The services of these names in one cluster, with tags. What is not there is left out; so is a
/// cluster that is not there. INACTIVE and DRAINING ones are in the answer.
pub async fn services(aws: &Aws, cluster: &str, names: &[String]) -> Result<Vec<Value>, Error> {
    let mut batches = Vec::new();
    for names in names.chunks(SERVICES_A_CALL) {
        batches.push(services_batch(aws, cluster, names));
    }
    let batches = futures::future::try_join_all(batches).await?;
    Ok(batches.into_iter().flatten().collect())
}

async fn services_batch(aws: &Aws, cluster: &str, names: &[String]) -> Result<Vec<Value>, Error> {
    let request = json!({"cluster": cluster, "services": names, "include": ["TAGS"]});
    let answer = match read(aws, Operation::DescribeServices, &request).await {
        Ok(answer) => answer,
        Err(error) if cluster_is_missing(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let services = array(&answer, "services", "ecs:DescribeServices")?;
    for failure in answer
        .get("failures")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let reason = text(failure, "reason").unwrap_or_default();
        if reason != "MISSING" {
            let arn = text(failure, "arn").unwrap_or_default();
            let what = format!("ecs:DescribeServices could not read {arn}: {reason}");
            return Err(Error::unreadable(what));
        }
    }
    Ok(services)
}

fn cluster_is_missing(error: &Error) -> bool {
    error.code == "ClusterNotFoundException" || error.class == Class::NotFound
}

/// The same, read once in a look: what a plan and the audit share.
pub async fn services_once(
    aws: &Aws,
    cluster: &str,
    names: &[String],
) -> Result<Vec<Value>, Error> {
    let key = format!("ecs:DescribeServices:{cluster}:{}", names.join(","));
    let read = aws
        .look()
        .once(key, || services(aws, cluster, names))
        .await?;
    Ok(Vec::clone(&read))
}

/// One service, with tags; none where the service or its cluster is not there.
pub async fn service(aws: &Aws, cluster: &str, name: &str) -> Result<Option<Value>, Error> {
    let found = services_batch(aws, cluster, &[name.to_owned()]).await?;
    Ok(found
        .into_iter()
        .find(|service| text(service, "serviceName") == Some(name)))
}

/// The ARNs of the services of a cluster, for endpoints without the tagging API.
pub async fn list_services(aws: &Aws, cluster: &str) -> Result<Vec<String>, Error> {
    let request = json!({"cluster": cluster, "maxResults": ITEMS_A_PAGE});
    match pages(aws, Operation::ListServices, request, "serviceArns").await {
        Err(error) if cluster_is_missing(&error) => Ok(Vec::new()),
        other => other,
    }
}

/// The ARNs of the tasks of a family that run, or are to run, in a cluster.
pub async fn family_tasks(aws: &Aws, cluster: &str, family: &str) -> Result<Vec<String>, Error> {
    let request = json!({"cluster": cluster, "family": family, "maxResults": ITEMS_A_PAGE});
    pages(aws, Operation::ListTasks, request, "taskArns").await
}

/// The tasks of a service of `DescribeServices`: those that run, or those that stopped lately.
pub async fn service_tasks(aws: &Aws, service: &Value, stopped: bool) -> Result<Vec<Value>, Error> {
    let cluster = text(service, "clusterArn").unwrap_or_default();
    let request = json!({
        "cluster": cluster,
        "serviceName": text(service, "serviceName"),
        "desiredStatus": if stopped { "STOPPED" } else { "RUNNING" },
        "maxResults": ITEMS_A_PAGE,
    });
    let arns = pages(aws, Operation::ListTasks, request, "taskArns").await?;
    tasks(aws, cluster, &arns).await
}

/// The tasks of these ARNs in one cluster, a hundred a call. What is not there is left out.
pub async fn tasks(aws: &Aws, cluster: &str, arns: &[String]) -> Result<Vec<Value>, Error> {
    let mut found = Vec::new();
    for arns in arns.chunks(TASKS_A_CALL) {
        let request = json!({"cluster": cluster, "tasks": arns});
        let mut answer = read(aws, Operation::DescribeTasks, &request).await?;
        let tasks = answer.get_mut("tasks").and_then(Value::as_array_mut);
        found.extend(tasks.map(std::mem::take).unwrap_or_default());
    }
    Ok(found)
}

/// The ARNs of a family's ACTIVE revisions, newest first, as many as `most`.
pub async fn active_revisions(aws: &Aws, family: &str, most: u32) -> Result<Vec<String>, Error> {
    let request = json!({
        "familyPrefix": family,
        "status": "ACTIVE",
        "sort": "DESC",
        "maxResults": most.min(ITEMS_A_PAGE),
    });
    let answer = read(aws, Operation::ListTaskDefinitions, &request).await?;
    let mut arns = texts(&answer, "taskDefinitionArns");
    // moto takes the family for a prefix and may leave the order to chance.
    arns.retain(|arn| revision_of(arn).is_some_and(|(name, _)| name == family));
    arns.sort_by_key(|arn| std::cmp::Reverse(revision_of(arn).map(|(_, number)| number)));
    arns.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(arns)
}

/// All ACTIVE revisions of a family.
pub async fn all_active_revisions(aws: &Aws, family: &str) -> Result<Vec<String>, Error> {
    let request = json!({
        "familyPrefix": family,
        "status": "ACTIVE",
        "maxResults": ITEMS_A_PAGE,
    });
    let mut arns = pages(
        aws,
        Operation::ListTaskDefinitions,
        request,
        "taskDefinitionArns",
    )
    .await?;
    arns.retain(|arn| revision_of(arn).is_some_and(|(name, _)| name == family));
    Ok(arns)
}

/// The family and the number in a revision's ARN.
#[must_use]
pub fn revision_of(arn: &str) -> Option<(&str, u64)> {
    let (rest, number) = arn.rsplit_once(':')?;
    let (_, family) = rest.rsplit_once('/')?;
    Some((family, number.parse().ok()?))
}

/// What a revision says, without tags and status. A revision never changes: it is read once in a
/// look, and once for ever where the cache is kept.
pub async fn task_definition(aws: &Aws, arn: &str) -> Result<Value, Error> {
    let look = aws.look();
    let read = || async {
        if let Some(known) = aws.revisions.get(arn) {
            return Ok(known);
        }
        let (definition, _) = task_definition_with_tags(aws, arn).await?;
        aws.revisions.put(arn, &definition);
        Ok(definition)
    };
    let definition = look
        .once(format!("ecs:task-definition:{arn}"), read)
        .await?;
    Ok(Value::clone(&definition))
}

/// What a revision says, and its tags.
pub async fn task_definition_with_tags(
    aws: &Aws,
    revision: &str,
) -> Result<(Value, Map<String, Value>), Error> {
    let request = json!({"taskDefinition": revision, "include": ["TAGS"]});
    let mut answer = read(aws, Operation::DescribeTaskDefinition, &request).await?;
    let definition = answer
        .get_mut("taskDefinition")
        .map(Value::take)
        .filter(Value::is_object)
        .ok_or_else(|| Error::unreadable("ecs:DescribeTaskDefinition has no taskDefinition"))?;
    let mut tags = tags(&answer);
    if tags.is_empty() {
        // MiniStack returns them inside the definition.
        tags = self::tags(&definition);
    }
    Ok((definition, tags))
}

/// The tags of an answer: its list `tags` of `{key, value}`.
#[must_use]
pub fn tags(answer: &Value) -> Map<String, Value> {
    let list = answer.get("tags").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|tag| {
            let value = tag.get("value").cloned().unwrap_or_default();
            Some((text(tag, "key")?.to_owned(), value))
        })
        .collect()
}

/// Sends a read.
pub async fn read(aws: &Aws, operation: Operation, request: &Value) -> Result<Value, Error> {
    aws.ecs(operation, Attempts::Idempotent, request).await
}

async fn pages(
    aws: &Aws,
    operation: Operation,
    mut request: Value,
    list: &str,
) -> Result<Vec<String>, Error> {
    let mut items = Vec::new();
    for _ in 0..MOST_PAGES {
        let answer = read(aws, operation, &request).await?;
        items.extend(texts(&answer, list));
        match text(&answer, "nextToken") {
            Some(token) if !token.is_empty() => {
                if let Some(request) = request.as_object_mut() {
                    request.insert("nextToken".to_owned(), Value::from(token));
                }
            }
            _ => return Ok(items),
        }
    }
    Err(Error::unreadable(format!(
        "ecs:{operation:?} has no last page"
    )))
}

fn array(answer: &Value, list: &str, operation: &str) -> Result<Vec<Value>, Error> {
    answer
        .get(list)
        .and_then(Value::as_array)
        .cloned()
        .ok_or_else(|| Error::unreadable(format!("{operation} has no {list}")))
}

/// A field that is a text.
#[must_use]
pub fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field).and_then(Value::as_str)
}

/// The containers of a task definition.
pub fn containers(definition: &Value) -> impl Iterator<Item = &Value> {
    let containers = definition
        .get("containerDefinitions")
        .and_then(Value::as_array);
    containers.into_iter().flatten()
}

/// A field that is a list of texts; others in it are left out.
#[must_use]
pub fn texts(value: &Value, field: &str) -> Vec<String> {
    let list = value.get(field).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

//! A task that is run for its own sake, such as a migration: like the service's own tasks, with
//! another command, followed to its exit code.

use std::slice;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::lines::{Lines, Stream};
use super::send::primary;
use super::target;
use crate::aws::ecs::{self, text};
use crate::aws::{Attempts, Aws, EcsOperation};
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::kind::OWNER_TAG;
use crate::kinds::service;

/// The time between two looks at the task: somebody watches, and ECS grants 20 reads a second.
const POLL: Duration = Duration::from_secs(3);
/// How long a task that was just started may not be seen yet.
const UNSEEN: Duration = Duration::from_secs(30);
/// Looks at the log after the end while lines still come: the log driver delivers within seconds.
const LAST_LOOKS: usize = 5;
/// Longest `startedBy` that every version of ECS takes.
const LONGEST_STARTER: usize = 36;
/// What to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// The ARN or `FAMILY:REVISION` of the revision.
    pub revision: String,
    /// The container that is given the command; by default the only one, or the only essential one.
    pub container: Option<String>,
    /// The command.
    pub command: Vec<String>,
}

/// A task that was started.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its id.
    pub id: String,
    /// `FAMILY:REVISION`.
    pub revision: String,
    /// The container with the command.
    pub container: String,
    cluster: String,
    arn: String,
    lines: Option<Lines>,
}

/// What is told of a task that is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News<'a> {
    /// Its state, in ECS's word.
    State(&'a str),
    /// A line that it wrote.
    Line(&'a str),
    /// Something to know.
    Note(&'a str),
}

/// Why a task was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoppedFor {
    /// Whoever runs provision asked for it.
    Asked,
    /// The time was up.
    Timeout,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The exit code of the container; none where it never ran.
    pub exit: Option<i64>,
    /// Why it stopped, in ECS's words.
    pub reason: String,
    /// Whether it was killed for its memory.
    pub out_of_memory: bool,
    /// Why we told it to stop, where we did.
    pub stopped_for: Option<StoppedFor>,
    /// How long it took from the request on.
    pub took: Duration,
}

/// Starts a task like those of a service.
///
/// # Errors
/// The container cannot be told or is not there; ECS has no place for the task; what AWS refuses.
pub async fn run_task(
    aws: &Aws,
    config: &Config,
    key: &str,
    live: &Value,
    order: &Order,
) -> Result<Ran> {
    let address = format!("service/{key}");
    let definition = target::definition(aws, config, key, &order.revision).await?;
    let container =
        container(&definition, order.container.as_deref()).map_err(|error| error.at(&address))?;
    let name = text(container, "name").unwrap_or_default().to_owned();
    let stream = Stream::of(container, &aws.region);
    let request = request(config, key, live, &definition, &name, order)?;
    let answer = aws
        .ecs(EcsOperation::RunTask, Attempts::Idempotent, &request)
        .await?;
    let task = answer.get("tasks").and_then(|tasks| tasks.get(0));
    let Some(arn) = task.and_then(|task| text(task, "taskArn")) else {
        return Err(no_place(&answer).at(&address));
    };
    let last = |arn: &str| arn.rsplit('/').next().unwrap_or_default().to_owned();
    let id = last(arn);
    Ok(Ran {
        revision: last(text(&definition, "taskDefinitionArn").unwrap_or_default()),
        cluster: text(live, "clusterArn").unwrap_or_default().to_owned(),
        arn: arn.to_owned(),
        lines: stream.map(|stream| Lines::new(stream.of_task(&id))),
        id,
        container: name,
    })
}

/// The container that is meant.
pub(super) fn container<'a>(definition: &'a Value, wanted: Option<&str>) -> Result<&'a Value> {
    let containers: Vec<&Value> = ecs::containers(definition).collect();
    let names: Vec<&str> = containers
        .iter()
        .filter_map(|one| text(one, "name"))
        .collect();
    if let Some(wanted) = wanted {
        let found = containers
            .iter()
            .find(|one| text(one, "name") == Some(wanted));
        return found.copied().ok_or_else(|| {
            Error::new(ErrorKind::Usage, format!("It has no container {wanted}."))
                .hint(format!("It has {}.", names.join(", ")))
        });
    }
    let is_essential = |one: &&&Value| one.get("essential").and_then(Value::as_bool) != Some(false);
    let essential: Vec<&&Value> = containers.iter().filter(is_essential).collect();
    match (containers.as_slice(), essential.as_slice()) {
        ([one], _) => Ok(one),
        (_, [one]) => Ok(one),
        _ => Err(Error::new(
            ErrorKind::Usage,
            "It has several containers, and the command is for one of them.",
        )
        .hint(format!("Name it with --container: {}.", names.join(", ")))),
    }
}

/// `RunTask` with all that the service gives its own tasks.
fn request(
    config: &Config,
    key: &str,
    live: &Value,
    definition: &Value,
    container: &str,
    order: &Order,
) -> Result<Value> {
    let arn = text(definition, "taskDefinitionArn").unwrap_or_default();
    let mut request = Map::new();
    let mut put = |name: &str, value: Value| request.insert(name.to_owned(), value);
    put("cluster", json!(text(live, "clusterArn")));
    put("taskDefinition", json!(arn.rsplit('/').next()));
    put("count", json!(1));
    put("startedBy", starter(config).into());
    put("clientToken", service::client_token()?.into());
    put("tags", tags(config, key));
    let overridden = json!({"name": container, "command": order.command});
    put("overrides", json!({"containerOverrides": [overridden]}));
    let strategy = list(live, "capacityProviderStrategy");
    match (strategy, text(live, "launchType")) {
        (Some(strategy), _) => {
            put("capacityProviderStrategy", strategy.clone());
        }
        (None, Some(launch_type)) => {
            put("launchType", launch_type.into());
        }
        (None, None) => {}
    }
    // EC2 has no platform version, though an answer may name one.
    if text(live, "launchType") != Some("EC2")
        && let Some(version) = text(live, "platformVersion")
    {
        put("platformVersion", version.into());
    }
    for field in [
        "networkConfiguration",
        "enableExecuteCommand",
        "enableECSManagedTags",
    ] {
        if let Some(value) = live.get(field).filter(|value| !value.is_null()) {
            put(field, value.clone());
        }
    }
    for field in ["placementConstraints", "placementStrategy"] {
        if let Some(value) = list(live, field) {
            put(field, value.clone());
        }
    }
    if let Some(volumes) = primary(live).and_then(|one| list(one, "volumeConfigurations")) {
        put("volumeConfigurations", volumes.clone());
    }
    Ok(Value::Object(request))
}

/// A list that is not empty.
fn list<'a>(value: &'a Value, field: &str) -> Option<&'a Value> {
    let list = value.get(field)?;
    list.as_array()
        .filter(|items| !items.is_empty())
        .map(|_| list)
}

/// `provision/PROJECT` in the letters that ECS takes.
fn starter(config: &Config) -> String {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_/".contains(letter);
    let name = format!("provision/{}", config.project.name);
    let name = name
        .chars()
        .map(|letter| if allowed(letter) { letter } else { '-' });
    name.take(LONGEST_STARTER).collect()
}

fn tags(config: &Config, key: &str) -> Value {
    let declared = config.services.get(key).map(|service| &service.tags);
    let mut tags = declared.unwrap_or(&config.project.tags).clone();
    tags.insert(OWNER_TAG.to_owned(), config.owner_mark());
    let tags = tags.iter();
    tags.map(|(key, value)| json!({"key": key, "value": value}))
        .collect()
}

/// ECS started nothing and says why.
fn no_place(answer: &Value) -> Error {
    let failures = answer.get("failures").and_then(Value::as_array);
    let reasons: Vec<String> = failures
        .into_iter()
        .flatten()
        .map(|failure| {
            let reason = text(failure, "reason").unwrap_or("no reason given");
            let detail = text(failure, "detail").map(|detail| format!(" ({detail})"));
            format!("{reason}{}", detail.unwrap_or_default())
        })
        .collect();
    let reasons = if reasons.is_empty() {
        "no reason given".to_owned()
    } else {
        reasons.join(", ")
    };
    Error::failed(format!("ECS started no task: {reasons}."))
        .hint("Run provision status to see whether the service's own tasks find a place.")
}

/// Follows a task to its end. It is told to stop when `stop` is set or the time is up; `tell` hears
/// of its states and its lines.
///
/// # Errors
/// What could not be read. The task goes on.
pub async fn follow_task(
    aws: &Aws,
    ran: &Ran,
    timeout: Option<Duration>,
    stop: &AtomicBool,
    tell: &mut dyn FnMut(News<'_>) -> Result<()>,
) -> Result<End> {
    let begun = aws.clock().now();
    let mut lines = ran.lines.clone();
    let mut said = String::new();
    let mut stopped_for = None;
    loop {
        let took = aws.clock().now().saturating_sub(begun);
        let task = look(aws, ran, took).await?;
        let state = task.as_ref().and_then(|task| text(task, "lastStatus"));
        let state = state.unwrap_or("PROVISIONING").to_owned();
        if state != said {
            tell(News::State(&state))?;
            said.clone_from(&state);
        }
        if matches!(
            state.as_str(),
            "RUNNING" | "DEACTIVATING" | "STOPPING" | "DEPROVISIONING"
        ) {
            read(aws, &mut lines, tell).await?;
        }
        if let (Some(task), "STOPPED") = (&task, state.as_str()) {
            last_lines(aws, &mut lines, tell).await?;
            return Ok(end(ran, task, stopped_for, took));
        }
        let wanted = if stop.load(Ordering::Relaxed) {
            Some(StoppedFor::Asked)
        } else if timeout.is_some_and(|timeout| took >= timeout) {
            Some(StoppedFor::Timeout)
        } else {
            None
        };
        if let (None, Some(why)) = (stopped_for, wanted) {
            stop_task(aws, ran, why).await?;
            stopped_for = Some(why);
        }
        aws.clock().sleep(POLL).await;
    }
}

/// The task; none where it is not seen yet.
async fn look(aws: &Aws, ran: &Ran, age: Duration) -> Result<Option<Value>> {
    let tasks = ecs::tasks(aws, &ran.cluster, slice::from_ref(&ran.arn)).await?;
    match tasks.into_iter().next() {
        Some(task) => Ok(Some(task)),
        None if age < UNSEEN => Ok(None),
        None => Err(
            Error::failed(format!("ECS does not know the task {} any more.", ran.id))
                .hint("Run provision logs to see what it wrote."),
        ),
    }
}

async fn read(
    aws: &Aws,
    lines: &mut Option<Lines>,
    tell: &mut dyn FnMut(News<'_>) -> Result<()>,
) -> Result<usize> {
    let Some(reader) = lines else {
        return Ok(0);
    };
    match reader.next(aws).await {
        Ok(new) => {
            for line in &new {
                tell(News::Line(line))?;
            }
            Ok(new.len())
        }
        Err(error) => {
            let note = format!("its lines cannot be read: {}", Error::from(error));
            tell(News::Note(&note))?;
            *lines = None;
            Ok(0)
        }
    }
}

/// What still comes after the end.
async fn last_lines(
    aws: &Aws,
    lines: &mut Option<Lines>,
    tell: &mut dyn FnMut(News<'_>) -> Result<()>,
) -> Result<()> {
    read(aws, lines, tell).await?;
    for _ in 0..LAST_LOOKS {
        if lines.is_none() {
            return Ok(());
        }
        aws.clock().sleep(POLL).await;
        if read(aws, lines, tell).await? == 0 {
            return Ok(());
        }
    }
    Ok(())
}

async fn stop_task(aws: &Aws, ran: &Ran, why: StoppedFor) -> Result<()> {
    let reason = match why {
        StoppedFor::Asked => "provision run was interrupted",
        StoppedFor::Timeout => "the timeout of provision run was reached",
    };
    let request = json!({"cluster": ran.cluster, "task": ran.arn, "reason": reason});
    let operation = EcsOperation::StopTask;
    aws.ecs(operation, Attempts::Idempotent, &request).await?;
    Ok(())
}

fn end(ran: &Ran, task: &Value, stopped_for: Option<StoppedFor>, took: Duration) -> End {
    let containers = task.get("containers").and_then(Value::as_array);
    let mut containers = containers.into_iter().flatten();
    let container = containers.find(|one| text(one, "name") == Some(ran.container.as_str()));
    let own = container.and_then(|one| text(one, "reason"));
    let own = own.unwrap_or_default().trim_end_matches('.');
    let reason = text(task, "stoppedReason").unwrap_or("no reason given");
    let reason = reason.trim_end_matches('.');
    End {
        exit: container.and_then(|one| one.get("exitCode")?.as_i64()),
        out_of_memory: own.contains("OutOfMemory"),
        reason: if own.is_empty() || reason.contains(own) {
            reason.to_owned()
        } else {
            format!("{reason}; {own}")
        },
        stopped_for,
        took,
    }
}

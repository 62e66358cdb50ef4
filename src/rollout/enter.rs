//! The way into a container that runs: which task and container are meant, whether ECS can enter it,
//! and the session that it opens.

use std::fmt;

use serde_json::{Value, json};

use super::target;
use crate::aws::ecs::{self, text};
use crate::aws::{Attempts, Aws, EcsOperation};
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};

/// The container that is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Door {
    /// The task by its id or the beginning of it; by default the one that was started last.
    pub task: Option<String>,
    /// The container; by default the only one, or the only essential one.
    pub container: Option<String>,
    /// The command.
    pub command: String,
}

/// A session that is open. It holds a token, which is never shown.
#[derive(Clone)]
pub struct Entered {
    /// The task's id.
    pub task: String,
    /// The container.
    pub container: String,
    /// What session-manager-plugin takes as the session, as JSON.
    pub session: String,
    /// What it takes as the request, as JSON.
    pub target: String,
}

impl fmt::Debug for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered")
            .field("task", &self.task)
            .field("container", &self.container)
            .finish_non_exhaustive()
    }
}

/// Opens a session in a container of a service.
///
/// # Errors
/// ECS Exec is not enabled; no task runs; its agent does not; what AWS refuses.
pub async fn enter(aws: &Aws, config: &Config, key: &str, door: &Door) -> Result<Entered> {
    let address = format!("service/{key}");
    let live = target::live(aws, config, key).await?;
    enabled(config, key, &live).map_err(|error| error.at(&address))?;
    let cluster = text(&live, "clusterArn").unwrap_or_default();
    let tasks = running(aws, &live).await?;
    let task = choose(&tasks, door.task.as_deref()).map_err(|error| error.at(&address))?;
    let definition = match text(task, "taskDefinitionArn") {
        Some(arn) => ecs::task_definition(aws, arn).await?,
        None => Value::Null,
    };
    let container = super::task::container(&definition, door.container.as_deref());
    let container = container.map_err(|error| error.at(&address))?;
    let name = text(container, "name").unwrap_or_default();
    let inside = agent(config, key, task, name).map_err(|error| error.at(&address))?;
    let arn = text(task, "taskArn").unwrap_or_default();
    let request = json!({
        "cluster": cluster,
        "task": arn,
        "container": name,
        "interactive": true,
        "command": door.command,
    });
    let operation = EcsOperation::ExecuteCommand;
    let answer = aws.ecs(operation, Attempts::Once, &request).await?;
    let session = answer.get("session").filter(|session| session.is_object());
    let session = session.ok_or_else(|| {
        Error::failed("ECS opened no session.")
            .at(&address)
            .hint("Run the same command again, or name another task with --task.")
    })?;
    let last = |arn: &str| arn.rsplit('/').next().unwrap_or_default().to_owned();
    let id = last(arn);
    let runtime = text(inside, "runtimeId").unwrap_or_default();
    let target = format!("ecs:{}_{id}_{runtime}", last(cluster));
    Ok(Entered {
        task: id,
        container: name.to_owned(),
        session: session.to_string(),
        target: json!({"Target": target}).to_string(),
    })
}

/// Whether the service has ECS Exec on.
fn enabled(config: &Config, key: &str, live: &Value) -> Result<()> {
    if live.get("enableExecuteCommand").and_then(Value::as_bool) == Some(true) {
        return Ok(());
    }
    Err(Error::failed("ECS Exec is not enabled for this service.").hint(format!(
        "Write `enable_execute_command = true` under [service.\"{}\"] in infra.toml, run provision apply, and \
         provision deploy --force so that tasks start with it. The task role has to allow ssmmessages:*Channel.",
        table_key(config, key)
    )))
}

/// The key under which infra.toml has the service, before its environment was put in.
fn table_key<'a>(config: &'a Config, key: &'a str) -> &'a str {
    let declared = config.declarations.get(&format!("service/{key}"));
    declared.map_or(key, |declared| declared.key.as_str())
}

fn environment<'a>(config: &'a Config, key: &str) -> Option<&'a str> {
    let declared = config.declarations.get(&format!("service/{key}"));
    declared?.environment.as_deref()
}

/// The tasks of a service that run, newest first.
async fn running(aws: &Aws, live: &Value) -> Result<Vec<Value>> {
    let mut tasks = ecs::service_tasks(aws, live, false).await?;
    tasks.retain(|task| text(task, "lastStatus") == Some("RUNNING"));
    let started = |task: &Value| task.get("startedAt").and_then(Value::as_f64);
    let started = |task: &Value| started(task).unwrap_or_default();
    tasks.sort_by(|a, b| started(b).total_cmp(&started(a)));
    Ok(tasks)
}

/// The task that is meant.
fn choose<'a>(tasks: &'a [Value], wanted: Option<&str>) -> Result<&'a Value> {
    let id = |task: &Value| -> String {
        let arn = text(task, "taskArn").unwrap_or_default();
        arn.rsplit('/').next().unwrap_or_default().to_owned()
    };
    let Some(first) = tasks.first() else {
        return Err(Error::failed("No task of it runs.")
            .hint("Run provision tasks --stopped to see why they stopped."));
    };
    let Some(wanted) = wanted else {
        return Ok(first);
    };
    // A whole ARN is as good as an id.
    let wanted = wanted.rsplit('/').next().unwrap_or(wanted);
    let fitting: Vec<&Value> = tasks
        .iter()
        .filter(|task| id(task).starts_with(wanted))
        .collect();
    match fitting.as_slice() {
        [task] => Ok(task),
        [] => Err(
            Error::new(ErrorKind::Usage, format!("No task {wanted} of it runs."))
                .hint(format!("{} runs.", id(first))),
        ),
        _ => Err(Error::new(
            ErrorKind::Usage,
            format!("Several tasks begin with {wanted}."),
        )
        .hint("Give more of the id.")),
    }
}

/// The container as the task shows it, if the agent in it runs.
fn agent<'a>(config: &Config, key: &str, task: &'a Value, name: &str) -> Result<&'a Value> {
    let again = format!(
        "Start tasks with it: provision deploy {} --force.",
        environment(config, key).unwrap_or("ENVIRONMENT")
    );
    if task.get("enableExecuteCommand").and_then(Value::as_bool) != Some(true) {
        let message = "The task was started before ECS Exec was enabled.";
        return Err(Error::failed(message).hint(again));
    }
    let of = |value: &'a Value, list: &str, name: &str| -> Option<&'a Value> {
        let list = value.get(list)?.as_array()?;
        list.iter().find(|one| text(one, "name") == Some(name))
    };
    let container = of(task, "containers", name);
    let container = container
        .ok_or_else(|| Error::failed(format!("The container {name} is not in the task.")))?;
    let agent = of(container, "managedAgents", "ExecuteCommandAgent");
    match agent.and_then(|agent| text(agent, "lastStatus")) {
        Some("RUNNING") => Ok(container),
        Some("PENDING") => Err(
            Error::failed("ECS's agent in the container is still starting.")
                .hint("Run the same command again in a moment."),
        ),
        state => {
            let state = state.unwrap_or("not there");
            let reason = agent.and_then(|agent| text(agent, "reason"));
            let reason = reason
                .map(|reason| format!(" ({reason})"))
                .unwrap_or_default();
            let message = format!("ECS's agent in the container {name} is {state}{reason}.");
            Err(Error::failed(message).hint(format!(
                "The task role needs ssmmessages:CreateControlChannel, CreateDataChannel, OpenControlChannel and \
                 OpenDataChannel, and the subnets a way to Systems Manager. {again}"
            )))
        }
    }
}

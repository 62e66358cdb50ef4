//! Tasks as they are read, run by themselves, and stopped.

use serde_json::{Value, json};

use super::super::error::{Answer, ServiceError};
use super::super::protocol::Call;
use super::super::store::Table;
use super::super::world::{Members as _, World, add_tags, last_part, set, without};
use super::{TAGS, clusters, definitions, invalid, missing, page, running};

/// How long a task that somebody runs takes before it ends by itself, in seconds.
const RUNS: f64 = 5.0;

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Option<Answer> {
    if matches!(
        call.operation.as_str(),
        "ListTasks" | "DescribeTasks" | "StopTask"
    ) {
        end_due(call, world);
    }
    Some(match call.operation.as_str() {
        "ListTasks" => list(call, world),
        "DescribeTasks" => describe(call, world),
        "RunTask" => run(call, world),
        "StopTask" => stop(call, world),
        "ExecuteCommand" => execute(call, world),
        _ => return None,
    })
}

/// The tasks that were run by themselves end after their time, with exit code 0.
fn end_due(call: &Call, world: &mut World<'_>) {
    let prefix = format!("{}\n", clusters::name(call));
    let tasks = world.store.under(Table::Task, &prefix);
    let due = tasks.filter(|(_, task)| {
        task.str("lastStatus") == "RUNNING"
            && task
                .get("_ends")
                .and_then(Value::as_f64)
                .is_some_and(|at| at <= world.now)
    });
    let due: Vec<String> = due.map(|(key, _)| key.to_owned()).collect();
    for key in due {
        running::stop(
            world,
            &key,
            "EssentialContainerExited",
            "Essential container in task exited",
        );
        world.store.update(Table::Task, &key, |task| {
            let mut containers = task.list("containers").to_vec();
            for container in &mut containers {
                set(container, "exitCode", 0);
            }
            set(task, "containers", containers);
        });
    }
}

fn list(call: &Call, world: &World<'_>) -> Answer {
    clusters::find(call, world)?;
    let (service, family, by) = (
        call.input.text("serviceName"),
        call.input.text("family"),
        call.input.text("startedBy"),
    );
    let status = call.input.text("desiredStatus").unwrap_or("RUNNING");
    let group = service.map(|service| format!("service:{}", last_part(service)));
    let prefix = format!("{}\n", clusters::name(call));
    let rows = world.store.under(Table::Task, &prefix).filter(|(_, task)| {
        let definition = last_part(task.str("taskDefinitionArn"))
            .split(':')
            .next()
            .unwrap_or_default();
        task.str("desiredStatus") == status
            && group
                .as_ref()
                .is_none_or(|group| task.str("group") == group)
            && family.is_none_or(|family| definition == family)
            && by.is_none_or(|by| task.str("startedBy") == by)
    });
    page(
        call,
        world,
        "taskArns",
        100,
        rows.map(|(key, task)| (key.to_owned(), json!(task.str("taskArn")))),
    )
}

fn describe(call: &Call, world: &World<'_>) -> Answer {
    clusters::find(call, world)?;
    let asked = call.input.texts("tasks");
    if asked.is_empty() || asked.len() > 100 {
        return Err(invalid("Tasks must have between 1 and 100 elements."));
    }
    let tags = call.input.texts("include").contains(&"TAGS");
    let cluster = clusters::name(call);
    let (mut tasks, mut failures) = (Vec::new(), Vec::new());
    for name in asked {
        match world
            .store
            .get(Table::Task, &format!("{cluster}\n{}", last_part(name)))
        {
            Some(task) => tasks.push(if tags {
                without(task, &[])
            } else {
                without(task, &["tags"])
            }),
            None => failures.push(missing(
                &world.arn("ecs", &format!("task/{cluster}/{}", last_part(name))),
            )),
        }
    }
    Ok(json!({ "tasks": tasks, "failures": failures }))
}

/// A task for its own sake: it runs for a few seconds and exits with 0.
fn run(call: &Call, world: &mut World<'_>) -> Answer {
    clusters::find(call, world)?;
    let definition = definitions::active(call.input.str("taskDefinition"), world)?;
    let awsvpc = definition.str("networkMode") == "awsvpc";
    if awsvpc && call.input.member("networkConfiguration").is_none() {
        return Err(invalid(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        ));
    }
    let (arn, family) = (
        definition.str("taskDefinitionArn").to_owned(),
        definition.str("family").to_owned(),
    );
    let count = call.input.number("count").unwrap_or(1);
    if !(1..=10).contains(&count) {
        return Err(invalid("Count must be between 1 and 10."));
    }
    let cluster = clusters::name(call);
    let group = call
        .input
        .text("group")
        .map_or(format!("family:{family}"), str::to_owned);
    let mut tasks = Vec::new();
    for _ in 0..count {
        let mut task = running::task(world, cluster, &arn, &group, call.input.str("startedBy"));
        add_tags(&mut task, "tags", call.input.list("tags"), &TAGS)?;
        set(&mut task, "_ends", world.now + RUNS);
        for (field, name) in [
            ("overrides", "overrides"),
            ("launchType", "launchType"),
            ("enableExecuteCommand", "enableExecuteCommand"),
        ] {
            if let Some(value) = call.input.member(field) {
                set(&mut task, name, value.clone());
            }
        }
        let id = last_part(task.str("taskArn")).to_owned();
        running::write(world, &arn, &id, "task started");
        world
            .store
            .put(Table::Task, &format!("{cluster}\n{id}"), task.clone());
        tasks.push(without(&task, &[]));
    }
    Ok(json!({ "tasks": tasks, "failures": [] }))
}

fn find<'w>(call: &Call, world: &'w World<'_>) -> Result<(String, &'w Value), ServiceError> {
    clusters::find(call, world)?;
    let key = format!(
        "{}\n{}",
        clusters::name(call),
        last_part(call.input.str("task"))
    );
    let task = world.store.get(Table::Task, &key);
    let task = task.ok_or_else(|| invalid("The referenced task was not found."))?;
    Ok((key, task))
}

fn stop(call: &Call, world: &mut World<'_>) -> Answer {
    let (key, task) = find(call, world)?;
    if task.str("lastStatus") != "STOPPED" {
        let reason = call.input.text("reason").unwrap_or("Task stopped by user");
        running::stop(world, &key, "UserInitiated", reason);
    }
    Ok(json!({ "task": world.store.get(Table::Task, &key).map(|task| without(task, &[])) }))
}

/// A session that leads nowhere: whoever opens it gets no stream.
fn execute(call: &Call, world: &mut World<'_>) -> Answer {
    let (_, task) = find(call, world)?;
    if task.str("lastStatus") != "RUNNING" || task.flag("enableExecuteCommand") == Some(false) {
        let message = "The execute command failed because execute command was not enabled when the task was run or the execute command agent isn't running. Wait and try again or run a new task with execute command enabled and try again.";
        return Err(invalid(message));
    }
    let (task_arn, cluster) = (
        task.str("taskArn").to_owned(),
        task.str("clusterArn").to_owned(),
    );
    let container = task
        .list("containers")
        .first()
        .map(|container| container.str("name").to_owned())
        .unwrap_or_default();
    let session = format!("ecs-execute-command-{}", world.hex(17));
    Ok(json!({
        "clusterArn": cluster,
        "containerName": call.input.text("container").unwrap_or(&container),
        "interactive": true,
        "session": {
            "sessionId": session, "streamUrl": "wss://exec.sandbox.invalid/", "tokenValue": "sandbox",
        },
        "taskArn": task_arn,
    }))
}

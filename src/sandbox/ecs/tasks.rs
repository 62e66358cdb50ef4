//! Tasks as they are read, stopped, and entered.

use serde_json::{Value, json};

use super::super::error::{Answer, ServiceError};
use super::super::protocol::Call;
use super::super::store::Table;
use super::super::world::{Members as _, World, last_part, without};
use super::{clusters, invalid, missing, page, run, running};

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "ListTasks" => list(call, world),
        "DescribeTasks" => describe(call, world),
        "StopTask" => stop(call, world),
        "ExecuteCommand" => execute(call, world),
        _ => return None,
    })
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
        run::stopped(world, &key);
    }
    Ok(json!({ "task": world.store.get(Table::Task, &key).map(|task| without(task, &[])) }))
}

/// A session that leads nowhere: whoever opens it gets no stream.
fn execute(call: &Call, world: &mut World<'_>) -> Answer {
    let (_, task) = find(call, world)?;
    if task.str("lastStatus") != "RUNNING" || task.flag("enableExecuteCommand") != Some(true) {
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

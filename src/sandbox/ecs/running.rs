//! The tasks of a service: as many as its rollout says, and those that stopped with their reasons.

use serde_json::{Value, json};

use super::super::store::Table;
use super::super::world::{Members as _, World, last_part, set};
use super::behaviour::Cause;
use super::{causes, definitions};

/// How long a stopped task is still described: an hour, as with ECS.
const STOPPED_SECONDS: f64 = 3600.0;

/// The most stopped tasks that a deployment keeps: enough to see why it fails.
const STOPPED_KEPT: usize = 5;

/// The keys of a deployment's tasks in one of the states.
fn keys(world: &World<'_>, cluster: &str, deployment: &str, status: &str) -> Vec<String> {
    let prefix = format!("{cluster}\n");
    let tasks = world.store.under(Table::Task, &prefix);
    let own = tasks.filter(|(_, task)| {
        task.str("startedBy") == deployment && task.str("lastStatus") == status
    });
    own.map(|(key, _)| key.to_owned()).collect()
}

/// Starts or stops tasks of a deployment until `wanted` of them run.
pub(super) fn scale(world: &mut World<'_>, service_key: &str, deployment: &Value, wanted: i64) {
    let (cluster, service) = service_key.split_once('\n').unwrap_or_default();
    let id = deployment.str("id");
    let running = keys(world, cluster, id, "RUNNING");
    let wanted = usize::try_from(wanted).unwrap_or(0);
    for key in running.iter().skip(wanted) {
        let reason = format!("Scaling activity initiated by (deployment {id})");
        stop(world, key, "ServiceSchedulerInitiated", &reason);
    }
    let executes = world
        .store
        .get(Table::Service, service_key)
        .and_then(|service| service.flag("enableExecuteCommand"));
    for _ in running.len()..wanted {
        let mut task = task(
            world,
            cluster,
            deployment.str("taskDefinition"),
            &format!("service:{service}"),
            id,
        );
        if executes == Some(true) {
            give_agent(&mut task);
        }
        let key = format!("{cluster}\n{}", last_part(task.str("taskArn")));
        world.store.put(Table::Task, &key, task);
    }
}

/// Puts into each container the agent through which `ExecuteCommand` enters it.
pub(super) fn give_agent(task: &mut Value) {
    set(task, "enableExecuteCommand", true);
    let mut containers = task.list("containers").to_vec();
    for container in &mut containers {
        let agent = json!({ "name": "ExecuteCommandAgent", "lastStatus": "RUNNING" });
        set(container, "managedAgents", json!([agent]));
    }
    set(task, "containers", containers);
}

/// A task that runs.
pub(super) fn task(
    world: &mut World<'_>,
    cluster: &str,
    definition: &str,
    group: &str,
    started_by: &str,
) -> Value {
    let id = world.hex(32);
    let arn = world.arn("ecs", &format!("task/{cluster}/{id}"));
    let definition = definitions::resolve(definition, world)
        .cloned()
        .unwrap_or_default();
    let mut containers: Vec<Value> = Vec::new();
    let all = definition.list("containerDefinitions").iter();
    let is_checked = all
        .clone()
        .any(|container| container.get("healthCheck").is_some());
    for container in all {
        let container_id = world.uuid();
        let image = container.str("image");
        let mut made = json!({
            "containerArn": world.arn("ecs", &format!("container/{cluster}/{id}/{container_id}")),
            "taskArn": arn,
            "name": container.str("name"),
            "image": image,
            "runtimeId": format!("{id}-{}", containers.len() + 1_000_000_000),
            "lastStatus": "RUNNING",
            "healthStatus": if container.get("healthCheck").is_some() { "HEALTHY" } else { "UNKNOWN" },
        });
        if let Some(digest) = causes::digest(image, world) {
            set(&mut made, "imageDigest", digest);
        }
        containers.push(made);
    }
    json!({
        "taskArn": arn,
        "clusterArn": world.arn("ecs", &format!("cluster/{cluster}")),
        "taskDefinitionArn": definition.str("taskDefinitionArn"),
        "containers": containers,
        "cpu": definition.str("cpu"),
        "memory": definition.str("memory"),
        "desiredStatus": "RUNNING",
        "lastStatus": "RUNNING",
        "healthStatus": if is_checked { "HEALTHY" } else { "UNKNOWN" },
        "group": group,
        "startedBy": started_by,
        "createdAt": world.epoch(),
        "startedAt": world.epoch(),
        "enableExecuteCommand": false,
        "connectivity": "CONNECTED",
        "attachments": [],
        "overrides": { "containerOverrides": [] },
        "tags": [],
        "version": 1,
    })
}

/// Stops a task.
pub(super) fn stop(world: &mut World<'_>, key: &str, code: &str, reason: &str) {
    let now = world.epoch();
    let gone = world.now + STOPPED_SECONDS;
    world.store.update(Table::Task, key, |task| {
        set(task, "lastStatus", "STOPPED");
        set(task, "desiredStatus", "STOPPED");
        set(task, "healthStatus", "UNKNOWN");
        set(task, "stopCode", code);
        set(task, "stoppedReason", reason);
        set(task, "stoppedAt", now);
        set(task, "_gone_at", gone);
        let mut containers = task.list("containers").to_vec();
        for container in &mut containers {
            set(container, "lastStatus", "STOPPED");
        }
        set(task, "containers", containers);
    });
}

/// A task of a deployment starts and stops for a cause.
pub(super) fn fail(world: &mut World<'_>, service_key: &str, deployment: &Value, cause: Cause) {
    let (cluster, service) = service_key.split_once('\n').unwrap_or_default();
    let id = deployment.str("id").to_owned();
    let stopped = keys(world, cluster, &id, "STOPPED");
    for key in stopped.iter().rev().skip(STOPPED_KEPT - 1) {
        world.store.remove(Table::Task, key);
    }
    let mut task = task(
        world,
        cluster,
        deployment.str("taskDefinition"),
        &format!("service:{service}"),
        &id,
    );
    let mut containers = task.list("containers").to_vec();
    let image = containers
        .first()
        .map(|container| container.str("image").to_owned())
        .unwrap_or_default();
    let (code, stopped_reason, reason, exit) = cause.words(&image);
    if let Some(container) = containers.first_mut() {
        if let Some(exit) = exit {
            set(container, "exitCode", exit);
        }
        if !reason.is_empty() {
            set(container, "reason", reason);
        }
    }
    set(&mut task, "containers", containers);
    let task_id = last_part(task.str("taskArn")).to_owned();
    let key = format!("{cluster}\n{task_id}");
    world.store.put(Table::Task, &key, task);
    stop(world, &key, code, &stopped_reason);
    if exit.is_some() {
        last_words(world, deployment.str("taskDefinition"), &task_id, cause);
    }
}

/// What the container wrote before it stopped, where it writes to a log group that is there.
pub(super) fn last_words(world: &mut World<'_>, definition: &str, task_id: &str, cause: Cause) {
    let lines = match cause {
        Cause::OutOfMemory => [
            "worker started",
            "resident memory grows past the task's limit",
        ],
        Cause::Unhealthy => ["listening on port 8000", "health check: connection refused"],
        _ => [
            "starting the application",
            "fatal: the application exits with code 1",
        ],
    };
    for line in lines {
        write(world, definition, task_id, line);
    }
}

/// Writes a line to the log stream of a task's first container.
pub(super) fn write(world: &mut World<'_>, definition: &str, task_id: &str, line: &str) {
    write_of(world, definition, None, task_id, line);
}

/// The same of one of its containers.
pub(super) fn write_of(
    world: &mut World<'_>,
    definition: &str,
    container: Option<&str>,
    task_id: &str,
    line: &str,
) {
    let Some(definition) = definitions::resolve(definition, world) else {
        return;
    };
    let mut containers = definition.list("containerDefinitions").iter();
    let wanted = |one: &&Value| container.is_none_or(|name| one.str("name") == name);
    let Some(container) = containers.find(wanted) else {
        return;
    };
    let Some(options) = container
        .get("logConfiguration")
        .and_then(|log| log.get("options"))
    else {
        return;
    };
    let group = options.str("awslogs-group").to_owned();
    let stream = format!(
        "{}/{}/{task_id}",
        options.text("awslogs-stream-prefix").unwrap_or("ecs"),
        container.str("name")
    );
    if !world.store.has(Table::LogGroup, &group) {
        return;
    }
    let now = world.milliseconds();
    let key = format!("{group}\n{stream}");
    if !world.store.has(Table::LogStream, &key) {
        let arn = world.arn("logs", &format!("log-group:{group}:log-stream:{stream}"));
        let record =
            json!({ "logStreamName": stream, "creationTime": now, "arn": arn, "storedBytes": 0 });
        world.store.put(Table::LogStream, &key, record);
    }
    let number = format!("{:020}", world.store.next());
    let event = json!({ "timestamp": now, "message": line, "ingestionTime": now, "_id": number });
    world
        .store
        .put(Table::LogEvent, &format!("{key}\n{number}"), event);
}

/// Forgets the tasks that stopped long ago.
pub(super) fn forget(world: &mut World<'_>, service_key: &str) {
    let cluster = service_key.split('\n').next().unwrap_or_default();
    let prefix = format!("{cluster}\n");
    let tasks = world.store.under(Table::Task, &prefix);
    let gone = tasks.filter(|(_, task)| {
        task.get("_gone_at")
            .and_then(Value::as_f64)
            .is_some_and(|at| at < world.now)
    });
    let gone: Vec<String> = gone.map(|(key, _)| key.to_owned()).collect();
    for key in gone {
        world.store.remove(Table::Task, &key);
    }
}

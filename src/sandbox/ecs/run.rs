//! Tasks that somebody runs for their own sake, and their lives by the clock: placed, pulled, running
//! for the time that the script says, stopped with its exit code.

use serde_json::{Value, json};

use super::super::error::{Answer, ServiceError};
use super::super::faults::TaskScript;
use super::super::player::Player;
use super::super::protocol::Call;
use super::super::store::Table;
use super::super::world::{Members as _, World, add_tags, last_part, set, unset, without};
use super::behaviour::Cause;
use super::{TAGS, clusters, definitions, invalid, running};

/// When a task has its place, in seconds after it was asked for.
const PLACED: f64 = 2.0;
/// When its image is there and it runs.
const RUNS: f64 = 4.0;

/// What `RunTask` hands over to the task as it is.
const HANDED: [&str; 5] = [
    "overrides",
    "launchType",
    "enableExecuteCommand",
    "platformVersion",
    "networkConfiguration",
];

pub(super) fn answer(call: &Call, world: &mut World<'_>, player: &mut Player) -> Option<Answer> {
    (call.operation == "RunTask").then(|| run(call, world, player))
}

fn run(call: &Call, world: &mut World<'_>, player: &mut Player) -> Answer {
    clusters::find(call, world)?;
    let definition = definitions::active(call.input.str("taskDefinition"), world)?.clone();
    check(call, &definition)?;
    let cluster = clusters::name(call).to_owned();
    if let Some(tasks) = already_run(call, world, &cluster)? {
        return Ok(json!({ "tasks": tasks, "failures": [] }));
    }
    let command = command(call);
    let script = player.task(&command);
    if let Some(reason) = &script.unplaced {
        let arn = world.arn("ecs", &format!("container-instance/{cluster}/none"));
        return Ok(json!({ "tasks": [], "failures": [{ "arn": arn, "reason": reason }] }));
    }
    let family = definition.str("family");
    let group = call.input.text("group");
    let group = group.map_or(format!("family:{family}"), str::to_owned);
    let mut tasks = Vec::new();
    for _ in 0..call.input.number("count").unwrap_or(1) {
        let arn = definition.str("taskDefinitionArn");
        let by = call.input.str("startedBy");
        let mut task = running::task(world, &cluster, arn, &group, by);
        add_tags(&mut task, "tags", call.input.list("tags"), &TAGS)?;
        for field in HANDED {
            if let Some(value) = call.input.member(field) {
                set(&mut task, field, value.clone());
            }
        }
        if call.input.flag("enableExecuteCommand") == Some(true) {
            running::give_agent(&mut task);
        }
        if let Some(token) = call.input.text("clientToken") {
            set(&mut task, "_token", token);
            set(&mut task, "_asked", Value::Object(call.input.clone()));
        }
        unset(&mut task, "startedAt");
        set(&mut task, "_run", life(world, &script, &command, call));
        show(&mut task, "PROVISIONING");
        let key = format!("{cluster}\n{}", last_part(task.str("taskArn")));
        world.store.put(Table::Task, &key, task.clone());
        tasks.push(without(&task, &[]));
    }
    Ok(json!({ "tasks": tasks, "failures": [] }))
}

fn check(call: &Call, definition: &Value) -> Result<(), ServiceError> {
    let awsvpc = definition.str("networkMode") == "awsvpc";
    if awsvpc && call.input.member("networkConfiguration").is_none() {
        return Err(invalid(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        ));
    }
    let has_launch_type = call.input.text("launchType").is_some();
    if has_launch_type && !call.input.list("capacityProviderStrategy").is_empty() {
        return Err(invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
        ));
    }
    let containers = definition.list("containerDefinitions");
    for one in overridden(call) {
        let name = one.str("name");
        if !containers
            .iter()
            .any(|container| container.str("name") == name)
        {
            return Err(invalid(
                "Override for container named that is not a container in the TaskDefinition.",
            ));
        }
    }
    match call.input.number("count").unwrap_or(1) {
        1..=10 => Ok(()),
        _ => Err(invalid("Count must be between 1 and 10.")),
    }
}

/// The tasks that this client token has started already.
fn already_run(
    call: &Call,
    world: &World<'_>,
    cluster: &str,
) -> Result<Option<Vec<Value>>, ServiceError> {
    let Some(token) = call.input.text("clientToken") else {
        return Ok(None);
    };
    let prefix = format!("{cluster}\n");
    let tasks = world.store.under(Table::Task, &prefix);
    let same: Vec<&Value> = tasks
        .map(|(_, task)| task)
        .filter(|task| task.str("_token") == token)
        .collect();
    let asked = Value::Object(call.input.clone());
    if same.iter().any(|task| task.get("_asked") != Some(&asked)) {
        let message = "The client token was used for another request.";
        return Err(ServiceError::new("ConflictException", message));
    }
    let tasks: Vec<Value> = same.iter().map(|task| without(task, &[])).collect();
    Ok((!tasks.is_empty()).then_some(tasks))
}

/// What the request says otherwise of single containers.
fn overridden(call: &Call) -> &[Value] {
    let overrides = call.input.member("overrides");
    overrides.map_or(&[][..], |overrides| overrides.list("containerOverrides"))
}

/// What it says of the first container that is given a command.
fn commanded(call: &Call) -> Option<&Value> {
    let mut all = overridden(call).iter();
    all.find(|one| !one.list("command").is_empty())
}

/// The command of that container.
fn command(call: &Call) -> String {
    commanded(call).map_or_else(String::new, |one| one.texts("command").join(" "))
}

/// What is to come of a task. `exit N` at the end of a command is understood without a script.
fn life(world: &World<'_>, script: &TaskScript, command: &str, call: &Call) -> Value {
    let words = command.trim_end_matches(['"', '\'']);
    let exit = words
        .rsplit_once("exit ")
        .and_then(|(_, code)| code.parse::<i64>().ok());
    let mut lines = script.lines.clone();
    if lines.is_empty() {
        lines.push(match command {
            "" => "task started".to_owned(),
            command => format!("the sandbox runs: {command}"),
        });
    }
    let container = commanded(call).or_else(|| overridden(call).first());
    json!({
        "began": world.now,
        "seconds": script.seconds,
        "exit": script.exit.or(exit).unwrap_or(0),
        "cause": script.cause,
        "lines": lines,
        "said": 0,
        "container": container.map(|one| one.str("name")),
    })
}

/// Lets every task that was run take the steps that are due.
pub(super) fn advance(world: &mut World<'_>) {
    let tasks = world.store.rows(Table::Task);
    let live = tasks
        .filter(|(_, task)| task.member("_run").is_some() && task.str("lastStatus") != "STOPPED");
    let live: Vec<(String, Value)> = live
        .map(|(key, task)| (key.to_owned(), task.clone()))
        .collect();
    for (key, task) in live {
        step(world, &key, task);
    }
}

fn step(world: &mut World<'_>, key: &str, mut task: Value) {
    let run = task.get("_run").cloned().unwrap_or_default();
    let began = run.get("began").and_then(Value::as_f64).unwrap_or_default();
    let seconds = run
        .get("seconds")
        .and_then(Value::as_f64)
        .unwrap_or_default();
    let cause: Option<Cause> = run
        .get("cause")
        .and_then(|cause| serde_json::from_value(cause.clone()).ok());
    let age = world.now - began;
    if age < RUNS {
        let status = if age < PLACED {
            "PROVISIONING"
        } else {
            "PENDING"
        };
        if task.str("lastStatus") != status {
            show(&mut task, status);
            world.store.put(Table::Task, key, task);
        }
        return;
    }
    let starts = cause.is_none_or(Cause::starts);
    if starts {
        say(world, &mut task, &run, (age - RUNS) / seconds.max(1.0));
        if task.str("lastStatus") != "RUNNING" {
            show(&mut task, "RUNNING");
            set(&mut task, "startedAt", world.epoch());
        }
        world.store.put(Table::Task, key, task);
    }
    if !starts || age >= RUNS + seconds {
        end(world, key, &run, cause);
    }
}

/// Writes the lines that are due when this share of the task's time has passed.
fn say(world: &mut World<'_>, task: &mut Value, run: &Value, share: f64) {
    let lines = run.texts("lines");
    let said = usize::try_from(run.number("said").unwrap_or(0)).unwrap_or(0);
    let count = f64::from(u32::try_from(lines.len()).unwrap_or(u32::MAX));
    let due = lines
        .iter()
        .enumerate()
        .skip(said)
        .take_while(|(index, _)| {
            let index = f64::from(u32::try_from(*index).unwrap_or(u32::MAX));
            index <= share * count
        });
    let due: Vec<&str> = due.map(|(_, line)| *line).collect();
    let id = last_part(task.str("taskArn")).to_owned();
    let definition = task.str("taskDefinitionArn").to_owned();
    for line in &due {
        running::write_of(world, &definition, run.text("container"), &id, line);
    }
    if let Some(run) = task.get_mut("_run") {
        set(run, "said", said + due.len());
    }
}

fn end(world: &mut World<'_>, key: &str, run: &Value, cause: Option<Cause>) {
    let task = world
        .store
        .get(Table::Task, key)
        .cloned()
        .unwrap_or_default();
    let image = task
        .list("containers")
        .first()
        .map(|one| one.str("image").to_owned());
    let exit = run.number("exit").unwrap_or(0);
    let (code, stopped_reason, reason, exit) = if let Some(cause) = cause {
        cause.words(&image.unwrap_or_default())
    } else {
        let reason = "Essential container in task exited".to_owned();
        (
            "EssentialContainerExited",
            reason,
            String::new(),
            Some(exit),
        )
    };
    running::stop(world, key, code, &stopped_reason);
    let wanted = run.text("container").map(str::to_owned);
    world.store.update(Table::Task, key, |task| {
        let mut containers = task.list("containers").to_vec();
        for (index, container) in containers.iter_mut().enumerate() {
            let is_it = match &wanted {
                Some(name) => container.str("name") == name,
                None => index == 0,
            };
            if let Some(exit) = exit {
                set(container, "exitCode", if is_it { exit } else { 0 });
            }
            if is_it && !reason.is_empty() {
                set(container, "reason", reason.as_str());
            }
        }
        set(task, "containers", containers);
    });
}

/// Somebody stops a task: it is told to end, and ends by the signal.
pub(super) fn stopped(world: &mut World<'_>, key: &str) {
    const TERMINATED: i64 = 143;
    world.store.update(Table::Task, key, |task| {
        if task.member("startedAt").is_none() {
            return;
        }
        let mut containers = task.list("containers").to_vec();
        for container in &mut containers {
            set(container, "exitCode", TERMINATED);
        }
        set(task, "containers", containers);
    });
}

fn show(task: &mut Value, status: &str) {
    set(task, "lastStatus", status);
    let of_container = if status == "RUNNING" {
        "RUNNING"
    } else {
        "PENDING"
    };
    let mut containers = task.list("containers").to_vec();
    for container in &mut containers {
        set(container, "lastStatus", of_container);
    }
    set(task, "containers", containers);
}

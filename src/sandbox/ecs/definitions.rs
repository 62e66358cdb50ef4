//! Task definitions: revisions of a family, never changed, only switched off.

use serde_json::{Map, Value, json};

use super::super::error::{Answer, ServiceError};
use super::super::protocol::Call;
use super::super::random;
use super::super::store::Table;
use super::super::world::{Members as _, World, add_tags, last_part, set, shown};
use super::{TAGS, client, containers, invalid, page};

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "RegisterTaskDefinition" => register(call, world),
        "DescribeTaskDefinition" => describe(call, world),
        "ListTaskDefinitions" => list(call, world),
        "ListTaskDefinitionFamilies" => list_families(call, world),
        "DeregisterTaskDefinition" => deregister(call, world),
        "DeleteTaskDefinitions" => Ok(delete(call, world)),
        _ => return None,
    })
}

/// Where a definition is kept.
pub(super) fn key(definition: &Value) -> String {
    format!(
        "{}\n{:09}",
        definition.str("family"),
        definition.number("revision").unwrap_or(0)
    )
}

/// The definition of an ARN, of `FAMILY:REVISION`, or the newest active one of a family.
pub(super) fn resolve<'w>(name: &str, world: &'w World<'_>) -> Option<&'w Value> {
    let short = name
        .split_once(":task-definition/")
        .map_or(name, |(_, short)| short);
    if let Some((family, revision)) = short.split_once(':') {
        let revision: i64 = revision.parse().ok()?;
        let key = format!("{family}\n{revision:09}");
        return world.store.get(Table::TaskDefinition, &key);
    }
    let prefix = format!("{short}\n");
    let revisions = world
        .store
        .under(Table::TaskDefinition, &prefix)
        .map(|(_, definition)| definition);
    revisions
        .filter(|definition| definition.str("status") == "ACTIVE")
        .last()
}

/// An active definition, as services and tasks need one.
pub(super) fn active<'w>(name: &str, world: &'w World<'_>) -> Result<&'w Value, ServiceError> {
    let definition = resolve(name, world).ok_or_else(|| client("TaskDefinition not found."))?;
    if definition.str("status") == "ACTIVE" {
        return Ok(definition);
    }
    Err(client("TaskDefinition is inactive"))
}

/// A definition as it is shown; under a shuffling script its lists come in another order.
fn show(definition: &Value, world: &World<'_>) -> Value {
    let mut definition = shown(definition);
    if world.view.shuffle {
        let name = |item: &Value| item.str("name").to_owned();
        let mut containers = definition.list("containerDefinitions").to_vec();
        random::shuffle(world.seed, &mut containers, name);
        for container in &mut containers {
            for field in ["environment", "secrets"] {
                let mut items = container.list(field).to_vec();
                if !items.is_empty() {
                    random::shuffle(world.seed, &mut items, name);
                    set(container, field, items);
                }
            }
        }
        set(&mut definition, "containerDefinitions", containers);
    }
    definition
}

/// `1 vCPU` and `.5 vCPU` in CPU units, `2 GB` in MiB; plain numbers stay as they are.
fn normal(text: &str, unit: &str) -> String {
    let lower = text.to_lowercase().replace(' ', "");
    let Some(number) = lower.strip_suffix(unit) else {
        return text.to_owned();
    };
    match number.parse::<f64>() {
        Ok(number) => format!("{:.0}", number * 1024.0),
        Err(_) => text.to_owned(),
    }
}

/// The memory that Fargate takes with that much CPU, in MiB: smallest, largest, step.
fn fargate_memory(cpu: &str) -> Option<(i64, i64, i64)> {
    Some(match cpu {
        "256" => (512, 2048, 512),
        "512" => (1024, 4096, 1024),
        "1024" => (2048, 8192, 1024),
        "2048" => (4096, 16_384, 1024),
        "4096" => (8192, 30_720, 1024),
        "8192" => (16_384, 61_440, 4096),
        "16384" => (32_768, 122_880, 8192),
        _ => return None,
    })
}

fn check_fargate(
    cpu: &str,
    memory: &str,
    network_mode: &str,
    call: &Call,
) -> Result<(), ServiceError> {
    if network_mode != "awsvpc" {
        return Err(client("Fargate only supports network mode ‘awsvpc’."));
    }
    let memory: Option<i64> = memory.parse().ok();
    // 1536 MiB does not go with 256 units: the sizes there are 512, 1024 and 2048.
    let fits = fargate_memory(cpu)
        .zip(memory)
        .is_some_and(|((least, most, step), memory)| {
            (least..=most).contains(&memory)
                && memory % step == 0
                && !(cpu == "256" && memory == 1536)
        });
    if !fits {
        return Err(client(
            "No Fargate configuration exists for given values: check the task's cpu and memory.",
        ));
    }
    let containers = call.input.list("containerDefinitions");
    let logs = containers.iter().any(|container| {
        container
            .get("logConfiguration")
            .is_some_and(|log| log.str("logDriver") == "awslogs")
    });
    let secrets = containers
        .iter()
        .any(|container| !container.list("secrets").is_empty());
    if call.input.text("executionRoleArn").is_none() && (logs || secrets) {
        let what = if logs {
            "log driver awslogs"
        } else {
            "container secrets"
        };
        return Err(client(&format!(
            "Fargate requires task definition to have execution role ARN to support {what}."
        )));
    }
    Ok(())
}

/// The containers of a request, each complete; together they must have one that is essential.
fn complete_all(call: &Call, network_mode: &str, memory: bool) -> Result<Vec<Value>, ServiceError> {
    let asked = call.input.list("containerDefinitions");
    if asked.is_empty() {
        return Err(client("Container list cannot be empty."));
    }
    let complete = |container: &Value| containers::complete(container, network_mode, memory);
    let containers: Vec<Value> = asked.iter().map(complete).collect::<Result<_, _>>()?;
    let mut names: Vec<&str> = containers
        .iter()
        .map(|container| container.str("name"))
        .collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err(client(
            "The container names must be unique within a task definition.",
        ));
    }
    if !containers
        .iter()
        .any(|container| container.flag("essential") == Some(true))
    {
        return Err(client(
            "Invalid 'essential' flag: at least one container must be essential.",
        ));
    }
    Ok(containers)
}

fn register(call: &Call, world: &mut World<'_>) -> Answer {
    let family = call.input.str("family");
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if family.is_empty() || family.len() > 255 || !family.chars().all(allowed) {
        return Err(client("Invalid family."));
    }
    let mut definition = Value::Object(call.input.clone());
    let fargate = call
        .input
        .texts("requiresCompatibilities")
        .contains(&"FARGATE");
    let network_mode = call
        .input
        .text("networkMode")
        .unwrap_or("bridge")
        .to_owned();
    let cpu = call.input.text("cpu").map(|text| normal(text, "vcpu"));
    let memory = call.input.text("memory").map(|text| normal(text, "gb"));
    if fargate {
        let (cpu, memory) = (
            cpu.as_deref().unwrap_or_default(),
            memory.as_deref().unwrap_or_default(),
        );
        check_fargate(cpu, memory, &network_mode, call)?;
    }
    let containers = complete_all(call, &network_mode, memory.is_some())?;
    for (field, value) in [("cpu", cpu), ("memory", memory)] {
        if let Some(value) = value {
            set(&mut definition, field, value);
        }
    }
    let revision = world
        .store
        .get(Table::Family, family)
        .and_then(Value::as_i64)
        .unwrap_or(0)
        + 1;
    fill_in(
        &mut definition,
        &containers,
        &network_mode,
        fargate,
        revision,
        world,
    );
    super::super::world::unset(&mut definition, "tags");
    add_tags(&mut definition, "_tags", call.input.list("tags"), &TAGS)?;
    world.store.put(Table::Family, family, json!(revision));
    world
        .store
        .put(Table::TaskDefinition, &key(&definition), definition.clone());
    Ok(json!({ "taskDefinition": show(&definition, world), "tags": definition.list("_tags") }))
}

/// What ECS writes into a definition by itself.
fn fill_in(
    definition: &mut Value,
    containers: &[Value],
    network_mode: &str,
    fargate: bool,
    revision: i64,
    world: &World<'_>,
) {
    let family = definition.str("family").to_owned();
    let compatibilities = if fargate || network_mode == "awsvpc" {
        json!(["EC2", "FARGATE"])
    } else {
        json!(["EC2"])
    };
    let mut attributes =
        vec![json!({ "name": "com.amazonaws.ecs.capability.docker-remote-api.1.18" })];
    if network_mode == "awsvpc" {
        attributes.push(json!({ "name": "ecs.capability.task-eni" }));
    }
    let written: Map<String, Value> = [
        (
            "taskDefinitionArn",
            json!(world.arn("ecs", &format!("task-definition/{family}:{revision}"))),
        ),
        ("containerDefinitions", json!(containers)),
        ("revision", json!(revision)),
        ("networkMode", json!(network_mode)),
        ("status", json!("ACTIVE")),
        ("requiresAttributes", json!(attributes)),
        ("compatibilities", compatibilities),
        ("registeredAt", world.epoch()),
        (
            "registeredBy",
            json!(world.global_arn("iam", "user/sandbox")),
        ),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    for (name, value) in written {
        set(definition, &name, value);
    }
    for field in ["volumes", "placementConstraints"] {
        if definition.member(field).is_none() {
            set(definition, field, json!([]));
        }
    }
}

fn describe(call: &Call, world: &World<'_>) -> Answer {
    let definition = resolve(call.input.str("taskDefinition"), world);
    let definition = definition.ok_or_else(|| client("Unable to describe task definition."))?;
    let mut answer = json!({ "taskDefinition": show(definition, world) });
    if call.input.texts("include").contains(&"TAGS") {
        set(&mut answer, "tags", definition.list("_tags").to_vec());
    }
    Ok(answer)
}

fn list(call: &Call, world: &World<'_>) -> Answer {
    let family = call.input.text("familyPrefix");
    let status = call.input.text("status").unwrap_or("ACTIVE");
    let prefix = family
        .map(|family| format!("{family}\n"))
        .unwrap_or_default();
    let rows = world.store.under(Table::TaskDefinition, &prefix);
    let rows = rows.filter(|(_, definition)| definition.str("status") == status);
    let rows =
        rows.map(|(key, definition)| (key.to_owned(), json!(definition.str("taskDefinitionArn"))));
    if call.input.text("sort") != Some("DESC") {
        return page(call, world, "taskDefinitionArns", 100, rows);
    }
    let mut rows: Vec<(String, Value)> = rows.collect();
    rows.reverse();
    let count = rows.len();
    // The key counts up while the revisions count down, so that tokens stay in order.
    let numbered = rows
        .into_iter()
        .enumerate()
        .map(|(index, (_, arn))| (format!("{count:09} {index:09}"), arn));
    page(call, world, "taskDefinitionArns", 100, numbered)
}

fn list_families(call: &Call, world: &World<'_>) -> Answer {
    let prefix = call.input.str("familyPrefix");
    let status = call.input.text("status").unwrap_or("ALL");
    let rows = world.store.under(Table::Family, prefix);
    let rows = rows.filter(|(family, _)| match status {
        "ACTIVE" => resolve(family, world).is_some(),
        "INACTIVE" => resolve(family, world).is_none(),
        _ => true,
    });
    page(
        call,
        world,
        "families",
        100,
        rows.map(|(family, _)| (family.to_owned(), json!(family))),
    )
}

fn deregister(call: &Call, world: &mut World<'_>) -> Answer {
    let name = call.input.str("taskDefinition");
    if !last_part(name).contains(':') {
        return Err(invalid("A revision must be specified."));
    }
    let key = key(active(name, world)?);
    let now = world.epoch();
    world
        .store
        .update(Table::TaskDefinition, &key, |definition| {
            set(definition, "status", "INACTIVE");
            set(definition, "deregisteredAt", now);
        });
    let definition = world
        .store
        .get(Table::TaskDefinition, &key)
        .cloned()
        .unwrap_or_default();
    Ok(json!({ "taskDefinition": show(&definition, world) }))
}

/// Deletes revisions that are switched off; those that are not are failures in the answer.
fn delete(call: &Call, world: &mut World<'_>) -> Value {
    let (mut deleted, mut failures) = (Vec::new(), Vec::new());
    for name in call.input.texts("taskDefinitions") {
        match resolve(name, world).cloned() {
            Some(mut definition) if definition.str("status") == "INACTIVE" => {
                world.store.remove(Table::TaskDefinition, &key(&definition));
                set(&mut definition, "status", "DELETE_IN_PROGRESS");
                deleted.push(shown(&definition));
            }
            Some(definition) => {
                let reason = "The specified task definition is still in ACTIVE status. Please deregister the target and try again.";
                failures
                    .push(json!({ "arn": definition.str("taskDefinitionArn"), "reason": reason }));
            }
            None => failures.push(json!({ "arn": name, "reason": "MISSING" })),
        }
    }
    json!({ "taskDefinitions": deleted, "failures": failures })
}

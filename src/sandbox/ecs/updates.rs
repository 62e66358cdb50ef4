//! Services as they are made, changed and deleted, and which change starts a rollout.

use serde_json::{Value, json};

use super::super::error::{Answer, ServiceError};
use super::super::player::Player;
use super::super::protocol::Call;
use super::super::store::Table;
use super::super::world::{Members as _, World, add_tags, set, unset};
use super::rollouts::{self, Phase, Rollout};
use super::services::{fill_in, find, key, show};
use super::{TAGS, clusters, definitions, invalid, running};

/// The members that start a rollout where they change (facts.md section 4).
const DEPLOYS: [&str; 8] = [
    "taskDefinition",
    "networkConfiguration",
    "platformVersion",
    "loadBalancers",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
];

/// The members that change and start none.
const KEEPS: [&str; 9] = [
    "healthCheckGracePeriodSeconds",
    "enableExecuteCommand",
    "enableECSManagedTags",
    "propagateTags",
    "placementConstraints",
    "placementStrategy",
    "availabilityZoneRebalancing",
    "deploymentController",
    "monitoring",
];

pub(super) fn answer(call: &Call, world: &mut World<'_>, player: &mut Player) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "CreateService" => create(call, world, player),
        "UpdateService" => update(call, world, player),
        "DeleteService" => delete(call, world),
        _ => return None,
    })
}

fn check_name(name: &str) -> Result<(), ServiceError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if name.is_empty() || name.len() > 255 || !name.chars().all(allowed) {
        return Err(invalid("Invalid service name."));
    }
    Ok(())
}

/// What a service must have before it is made or changed: its definition, and what that asks for.
fn check(service: &Value, world: &World<'_>) -> Result<(), ServiceError> {
    let definition = definitions::active(service.str("taskDefinition"), world)?;
    let awsvpc = definition.str("networkMode") == "awsvpc";
    let network = service
        .get("networkConfiguration")
        .and_then(|network| network.get("awsvpcConfiguration"));
    if awsvpc && network.is_none_or(|network| network.list("subnets").is_empty()) {
        return Err(invalid(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        ));
    }
    if !awsvpc && network.is_some() {
        return Err(invalid(
            "Network Configuration is not valid for the given networkMode of this task definition.",
        ));
    }
    let fargate = service.str("launchType") == "FARGATE";
    if fargate
        && !definition
            .texts("requiresCompatibilities")
            .contains(&"FARGATE")
    {
        return Err(invalid(
            "Task definition does not support launch_type FARGATE.",
        ));
    }
    if service
        .number("desiredCount")
        .is_some_and(|count| count < 0)
    {
        return Err(invalid("Desired count cannot be negative."));
    }
    let configuration = service
        .get("deploymentConfiguration")
        .cloned()
        .unwrap_or_default();
    let (least, most) = (
        configuration.number("minimumHealthyPercent"),
        configuration.number("maximumPercent"),
    );
    if least
        .zip(most)
        .is_some_and(|(least, most)| most <= least && least >= 100)
    {
        return Err(invalid(
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.",
        ));
    }
    let names: Vec<&str> = definition
        .list("containerDefinitions")
        .iter()
        .map(|container| container.str("name"))
        .collect();
    for balancer in service.list("loadBalancers") {
        let name = balancer.str("containerName");
        if !names.contains(&name) {
            return Err(invalid(&format!(
                "The container {name} does not exist in the task definition."
            )));
        }
    }
    Ok(())
}

/// The full ARN of the definition that a name means.
fn definition_arn(name: &str, world: &World<'_>) -> Result<String, ServiceError> {
    Ok(definitions::active(name, world)?
        .str("taskDefinitionArn")
        .to_owned())
}

fn create(call: &Call, world: &mut World<'_>, player: &mut Player) -> Answer {
    let name = call.input.str("serviceName");
    check_name(name)?;
    clusters::find(call, world)?;
    let key = key(call, "serviceName");
    match world.store.get(Table::Service, &key) {
        Some(service) if service.str("status") == "ACTIVE" => {
            return same_again(call, service, &key, world);
        }
        Some(service) if service.str("status") == "DRAINING" => {
            return Err(invalid("Unable to Start a service that is still Draining."));
        }
        _ => {}
    }
    if call.input.text("launchType").is_some()
        && !call.input.list("capacityProviderStrategy").is_empty()
    {
        return Err(invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
        ));
    }
    let mut service = made(call, world)?;
    add_tags(&mut service, "tags", call.input.list("tags"), &TAGS)?;
    fill_in(&mut service);
    check(&service, world)?;
    let request = Value::Object(call.input.clone()).to_string();
    world.store.put(
        Table::ClientToken,
        &key,
        json!({ "token": call.input.str("clientToken"), "request": request }),
    );
    world.store.put(Table::Service, &key, service);
    rollouts::start(world, &key, player.behaviour(name));
    Ok(
        json!({ "service": world.store.get(Table::Service, &key).map(|service| show(service, true)) }),
    )
}

/// A service that is there: the same request under the same token is answered once more.
fn same_again(call: &Call, service: &Value, key: &str, world: &World<'_>) -> Answer {
    let before = world.store.get(Table::ClientToken, key);
    let token = call.input.text("clientToken");
    let request = Value::Object(call.input.clone()).to_string();
    if token.is_some()
        && before
            .is_some_and(|before| before.text("token") == token && before.str("request") == request)
    {
        return Ok(json!({ "service": show(service, true) }));
    }
    Err(invalid("Creation of service was not idempotent."))
}

/// The record of a new service.
fn made(call: &Call, world: &World<'_>) -> Result<Value, ServiceError> {
    let (cluster, name) = (clusters::name(call), call.input.str("serviceName"));
    let mut service = Value::Object(call.input.clone());
    for field in ["cluster", "clientToken", "role", "tags"] {
        unset(&mut service, field);
    }
    let daemon = call.input.text("schedulingStrategy") == Some("DAEMON");
    let strategy = match call.input.list("capacityProviderStrategy") {
        [] if call.input.text("launchType").is_none() => clusters::find(call, world)?
            .list("defaultCapacityProviderStrategy")
            .to_vec(),
        asked => asked.to_vec(),
    };
    if strategy.is_empty() {
        let launch = call.input.text("launchType").unwrap_or("EC2").to_owned();
        unset(&mut service, "capacityProviderStrategy");
        set(&mut service, "_launch_type", launch.as_str());
        set(&mut service, "launchType", launch);
    } else {
        set(&mut service, "capacityProviderStrategy", strategy);
    }
    let defaults = [
        ("desiredCount", json!(i64::from(daemon))),
        ("schedulingStrategy", json!("REPLICA")),
        ("loadBalancers", json!([])),
        ("serviceRegistries", json!([])),
        ("placementConstraints", json!([])),
        ("placementStrategy", json!([])),
        ("enableECSManagedTags", json!(false)),
        ("enableExecuteCommand", json!(false)),
        ("propagateTags", json!("NONE")),
        ("availabilityZoneRebalancing", json!("ENABLED")),
        ("deploymentController", json!({ "type": "ECS" })),
    ];
    for (field, value) in defaults {
        if service.member(field).is_none() {
            set(&mut service, field, value);
        }
    }
    let written = [
        (
            "serviceArn",
            json!(world.arn("ecs", &format!("service/{cluster}/{name}"))),
        ),
        (
            "clusterArn",
            json!(world.arn("ecs", &format!("cluster/{cluster}"))),
        ),
        (
            "taskDefinition",
            json!(definition_arn(call.input.str("taskDefinition"), world)?),
        ),
        ("status", json!("ACTIVE")),
        ("runningCount", json!(0)),
        ("pendingCount", json!(0)),
        ("deployments", json!([])),
        ("events", json!([])),
        ("taskSets", json!([])),
        ("createdAt", world.epoch()),
        ("createdBy", json!(world.global_arn("iam", "user/sandbox"))),
    ];
    for (field, value) in written {
        set(&mut service, field, value);
    }
    Ok(service)
}

fn update(call: &Call, world: &mut World<'_>, player: &mut Player) -> Answer {
    let before = find(call, world, "service")?.clone();
    if before.str("status") != "ACTIVE" {
        let message = "Service was not ACTIVE.";
        return Err(ServiceError::new("ServiceNotActiveException", message));
    }
    let mut after = before.clone();
    for field in DEPLOYS.iter().chain(&KEEPS) {
        if let Some(value) = call.input.member(field) {
            set(&mut after, field, value.clone());
        }
    }
    if let Some(count) = call.input.number("desiredCount") {
        set(&mut after, "desiredCount", count);
    }
    if let Some(asked) = call
        .input
        .get("deploymentConfiguration")
        .and_then(Value::as_object)
    {
        // Members that are left out stay as they are.
        let mut configuration = before
            .get("deploymentConfiguration")
            .cloned()
            .unwrap_or_default();
        for (field, value) in asked.iter().filter(|(_, value)| !value.is_null()) {
            set(&mut configuration, field, value.clone());
        }
        set(&mut after, "deploymentConfiguration", configuration);
    }
    if call.input.member("capacityProviderStrategy").is_some() {
        choose_capacity(&mut after, call.input.list("capacityProviderStrategy"));
    }
    if let Some(name) = call.input.text("taskDefinition") {
        set(&mut after, "taskDefinition", definition_arn(name, world)?);
    }
    fill_in(&mut after);
    check(&after, world)?;
    let key = key(call, "service");
    let deploys = call.input.flag("forceNewDeployment").unwrap_or(false)
        || DEPLOYS
            .iter()
            .any(|field| before.member(field) != after.member(field));
    let name = before.str("serviceName").to_owned();
    let counts = before.number("desiredCount") != after.number("desiredCount");
    world.store.put(Table::Service, &key, after);
    if deploys {
        rollouts::start(world, &key, player.behaviour(&name));
    } else if counts {
        count(world, &key);
    }
    Ok(
        json!({ "service": world.store.get(Table::Service, &key).map(|service| show(service, false)) }),
    )
}

/// A strategy takes the place of the launch type; an empty one brings it back.
fn choose_capacity(service: &mut Value, strategy: &[Value]) {
    if strategy.is_empty() {
        unset(service, "capacityProviderStrategy");
        let launch = service.text("_launch_type").unwrap_or("EC2").to_owned();
        set(service, "launchType", launch);
    } else {
        unset(service, "launchType");
        set(service, "capacityProviderStrategy", strategy.to_vec());
    }
}

/// The desired count has moved: a service at rest follows at once, a rollout aims at the new count.
fn count(world: &mut World<'_>, key: &str) {
    let desired = world
        .store
        .get(Table::Service, key)
        .and_then(|service| service.number("desiredCount"))
        .unwrap_or(0);
    let Some(service) = world.store.get(Table::Service, key) else {
        return;
    };
    let Some(primary) = service.list("deployments").first().cloned() else {
        return;
    };
    let id = primary.str("id").to_owned();
    if Rollout::load(world, key).is_some() || primary.str("rolloutState") == "FAILED" {
        rollouts::change_deployment(world, key, &id, |deployment| {
            set(deployment, "desiredCount", desired);
        });
        return;
    }
    let reason = primary.str("rolloutStateReason").to_owned();
    rollouts::settle(world, key, &reason);
}

fn delete(call: &Call, world: &mut World<'_>) -> Answer {
    let service = find(call, world, "service")?.clone();
    let gone = service.str("status") == "INACTIVE";
    if gone {
        return Err(ServiceError::new(
            "ServiceNotFoundException",
            "Service not found.",
        ));
    }
    let force = call.input.flag("force").unwrap_or(false);
    if !force
        && service.number("desiredCount") != Some(0)
        && service.str("schedulingStrategy") == "REPLICA"
    {
        return Err(invalid(
            "The service cannot be stopped while it is scaled above 0.",
        ));
    }
    let key = key(call, "service");
    if service.str("status") == "ACTIVE" {
        drain(world, &key, &service);
    }
    Ok(
        json!({ "service": world.store.get(Table::Service, &key).map(|service| show(service, true)) }),
    )
}

/// The service drains: its tasks stop, and after a while it is inactive.
fn drain(world: &mut World<'_>, key: &str, service: &Value) {
    let standing = Rollout::load(world, key);
    if let Some(standing) = &standing {
        rollouts::end_record(
            world,
            &standing.record,
            "STOPPED",
            "The service was deleted.",
        );
    }
    for deployment in service.list("deployments") {
        running::scale(world, key, deployment, 0);
    }
    world.store.update(Table::Service, key, |service| {
        set(service, "status", "DRAINING");
        for field in ["desiredCount", "runningCount", "pendingCount"] {
            set(service, field, 0);
        }
        let mut deployments = service.list("deployments").to_vec();
        for deployment in &mut deployments {
            for field in ["desiredCount", "runningCount", "pendingCount"] {
                set(deployment, field, 0);
            }
        }
        set(service, "deployments", deployments);
    });
    world.store.remove(Table::ClientToken, key);
    let now = world.now;
    let draining = Rollout {
        record: standing.map(|standing| standing.record).unwrap_or_default(),
        id: String::new(),
        behaviour: super::Behaviour::Quick,
        natural: false,
        phase: Phase::Draining,
        started: now,
        since: now,
        failed: 0,
    };
    draining.save(world, key);
}

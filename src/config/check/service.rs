//! Checks of a service as a whole; its parts are checked in the files beside this one.

use super::super::model::{
    Compatibility, LaunchType, Monitoring, NetworkMode, PlacementConstraint,
    PlacementConstraintType, PlacementStrategy, PlacementStrategyType, SchedulingStrategy, Service,
    ServiceVolume,
};
use super::super::names;
use super::super::node::Node;
use super::super::reader::Reader;

/// What the checks of the parts need to know of the whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Platform {
    pub(super) fargate: bool,
    pub(super) awsvpc: bool,
}

/// Whether the tasks of a service run on Fargate, and how they are connected.
fn platform(service: &Service) -> Platform {
    let compatibilities = service
        .task
        .requires_compatibilities
        .as_deref()
        .unwrap_or_default();
    let providers = &service.capacity_provider_strategy;
    let fargate = service.launch_type == Some(LaunchType::Fargate)
        || compatibilities.contains(&Compatibility::Fargate)
        || providers
            .iter()
            .any(|item| item.capacity_provider.starts_with("FARGATE"));
    let mode = service.task.network_mode;
    Platform {
        fargate,
        awsvpc: mode == Some(NetworkMode::Awsvpc) || (mode.is_none() && fargate),
    }
}

/// Checks a service and its task.
pub(in super::super) fn service(service: &Service, node: &Node, reader: &mut Reader<'_>) {
    let platform = platform(service);
    let name = names::fault(
        "service",
        &service.name,
        255,
        names::is_ecs_letter,
        "letters, digits, `_` and `-`",
    );
    if let Some((message, hint)) = name {
        reader.error_at(node, &["name"], message, hint);
    }
    check_capacity(service, platform, node, reader);
    check_count(service, platform, node, reader);
    super::deployment::deployment(service, node, reader);
    super::network::network(service, platform, node, reader);
    check_placement(service, platform, node, reader);
    check_volumes(&service.volume_configurations, service, node, reader);
    check_command_execution(service, node, reader);
    if let Some(Monitoring {
        metric_configurations,
    }) = &service.monitoring
    {
        for (index, item) in metric_configurations.iter().enumerate() {
            let known = [20, 60].contains(&item.resolution.0);
            let path = [
                "monitoring",
                "metric_configurations",
                &index.to_string(),
                "resolution",
            ];
            let message = "A metric's resolution is 20 or 60 seconds.";
            reader.demand(known, node, &path, message, "Write 20 or 60.");
        }
    }
    super::tags(node, &["tags"], &service.tags, reader);
    super::task::task(service, platform, node.follow(&["task"]), reader);
}

fn check_capacity(service: &Service, platform: Platform, node: &Node, reader: &mut Reader<'_>) {
    let key = "capacity_provider_strategy";
    let both = service.launch_type.is_some() && !service.capacity_provider_strategy.is_empty();
    let message = "`launch_type` and `capacity_provider_strategy` exclude each other.";
    reader.demand(!both, node, &[key], message, "Leave one of them out.");
    super::resources::strategy(&service.capacity_provider_strategy, node, key, reader);
    let version = service.platform_version.is_none() || platform.fargate;
    let message = "`platform_version` is for Fargate only.";
    let hint = "Leave it out, or write launch_type = \"FARGATE\".";
    reader.demand(version, node, &["platform_version"], message, hint);
}

fn check_count(service: &Service, platform: Platform, node: &Node, reader: &mut Reader<'_>) {
    // ECS's quota of tasks of a service.
    reader.range(node, &["desired_count"], service.desired_count, 0..=5000);
    if service.scheduling_strategy != SchedulingStrategy::Daemon {
        return;
    }
    let message = "A DAEMON service has one task on each instance: it takes no `desired_count`.";
    let free = service.desired_count.is_none();
    reader.demand(free, node, &["desired_count"], message, "Leave it out.");
    let left = !service.ignore_desired_count;
    reader.demand(
        left,
        node,
        &["ignore_desired_count"],
        message,
        "Leave it out.",
    );
    let message = "Fargate has no DAEMON services.";
    let hint = "Write scheduling_strategy = \"REPLICA\".";
    reader.demand(
        !platform.fargate,
        node,
        &["scheduling_strategy"],
        message,
        hint,
    );
    let free = service.placement_strategy.is_empty();
    let message = "A DAEMON service takes no `placement_strategy`.";
    reader.demand(
        free,
        node,
        &["placement_strategy"],
        message,
        "Leave it out.",
    );
}

fn check_placement(service: &Service, platform: Platform, node: &Node, reader: &mut Reader<'_>) {
    let Service {
        placement_constraints,
        placement_strategy,
        ..
    } = service;
    for (key, used) in [
        ("placement_constraints", !placement_constraints.is_empty()),
        ("placement_strategy", !placement_strategy.is_empty()),
    ] {
        let message = format!("Fargate takes no `{key}`.");
        reader.demand(
            !(used && platform.fargate),
            node,
            &[key],
            &message,
            "Leave it out.",
        );
    }
    // ECS's limits.
    let few = placement_constraints.len() <= 10;
    let message = "At most 10 placement constraints are allowed.";
    reader.demand(
        few,
        node,
        &["placement_constraints"],
        message,
        "Leave some out.",
    );
    let few = placement_strategy.len() <= 5;
    let message = "At most 5 placement strategies are allowed.";
    reader.demand(
        few,
        node,
        &["placement_strategy"],
        message,
        "Leave some out.",
    );
    for (index, item) in placement_constraints.iter().enumerate() {
        let PlacementConstraint { r#type, expression } = item;
        let member = *r#type == PlacementConstraintType::MemberOf;
        let message = "`expression` goes with `memberOf`, and `memberOf` with `expression`.";
        let hint = "Write { type = \"memberOf\", expression = \"...\" } or { type = \"distinctInstance\" }.";
        let path = ["placement_constraints", &index.to_string()];
        reader.demand(member == expression.is_some(), node, &path, message, hint);
    }
    for (index, item) in placement_strategy.iter().enumerate() {
        let PlacementStrategy { r#type, field } = item;
        let random = *r#type == PlacementStrategyType::Random;
        let message = "`spread` and `binpack` need a `field`; `random` takes none.";
        let hint = "Write { type = \"spread\", field = \"attribute:ecs.availability-zone\" }.";
        let path = ["placement_strategy", &index.to_string()];
        reader.demand(random == field.is_none(), node, &path, message, hint);
    }
}

fn check_volumes(
    volumes: &[ServiceVolume],
    service: &Service,
    node: &Node,
    reader: &mut Reader<'_>,
) {
    for (index, volume) in volumes.iter().enumerate() {
        let at_launch = service
            .task
            .volumes
            .iter()
            .any(|other| other.name == volume.name && other.configured_at_launch);
        let message = format!(
            "The task has no volume `{}` that is configured at launch.",
            volume.name
        );
        let hint = format!(
            "Add {{ name = \"{}\", configured_at_launch = true }} to `task.volumes`.",
            volume.name
        );
        let path = ["volume_configurations", &index.to_string(), "name"];
        reader.demand(at_launch, node, &path, &message, &hint);
    }
}

fn check_command_execution(service: &Service, node: &Node, reader: &mut Reader<'_>) {
    let possible = !service.enable_execute_command || service.task.task_role.is_some();
    let message = "`enable_execute_command` needs a `task_role`: ECS refuses it without.";
    let hint = "Give the task a role that may call ssmmessages:*.";
    reader.demand(possible, node, &["enable_execute_command"], message, hint);
}

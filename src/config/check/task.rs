//! Checks of a task definition: sizes, platform, volumes, and what its containers share.

use std::collections::BTreeMap;

use super::super::model::{
    Container, CpuUnits, Image, IpcMode, LogDriver, MemoryMegabytes, NetworkMode, PidMode, Service,
    Task, Volume,
};
use super::super::names;
use super::super::node::Node;
use super::super::reader::Reader;
use super::service::Platform;

/// Containers of a task: ECS's limit.
const CONTAINERS: usize = 10;

/// Fargate's sizes: CPU units, the least and the most MiB, and the step between.
const FARGATE_SIZES: &[(i32, i32, i32, i32)] = &[
    (256, 512, 2048, 512),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16_384, 1024),
    (4096, 8192, 30_720, 1024),
    (8192, 16_384, 61_440, 4096),
    (16_384, 32_768, 122_880, 8192),
];

/// Checks the task of a service.
pub(super) fn task(service: &Service, platform: Platform, node: &Node, reader: &mut Reader<'_>) {
    let task = &service.task;
    let letters = "letters, digits, `_` and `-`";
    let fault = names::fault("family", &task.family, 255, names::is_ecs_letter, letters);
    if let Some((message, hint)) = fault {
        reader.error_at(node, &["family"], message, hint);
    }
    if platform.fargate {
        check_fargate(task, node, reader);
    }
    check_execution_role(task, platform, node, reader);
    check_volumes(&task.volumes, platform, node, reader);
    check_containers(task, node, reader);
    check_shares(task, platform, node, reader);
    check_ports(task, platform, node, reader);
    for (name, container) in &task.container {
        let at = node.follow(&["container", name]);
        super::container::container(name, container, task, platform, at, reader);
    }
    super::tags(node, &["tags"], &task.tags, reader);
}

fn check_fargate(task: &Task, node: &Node, reader: &mut Reader<'_>) {
    let mode = task.network_mode.unwrap_or(NetworkMode::Awsvpc);
    let message = "Fargate has the network mode awsvpc only.";
    let hint = "Leave `network_mode` out.";
    reader.demand(
        mode == NetworkMode::Awsvpc,
        node,
        &["network_mode"],
        message,
        hint,
    );
    let message = "Fargate takes no `pid_mode` but \"task\".";
    let own = task.pid_mode != Some(PidMode::Host);
    reader.demand(
        own,
        node,
        &["pid_mode"],
        message,
        "Write pid_mode = \"task\".",
    );
    let own = task.ipc_mode.is_none_or(|mode| mode == IpcMode::None);
    reader.demand(
        own,
        node,
        &["ipc_mode"],
        "Fargate takes no `ipc_mode`.",
        "Leave it out.",
    );
    let free = task.placement_constraints.is_empty();
    let message = "Fargate takes no `placement_constraints`.";
    reader.demand(
        free,
        node,
        &["placement_constraints"],
        message,
        "Leave it out.",
    );
    if let Some(storage) = &task.ephemeral_storage {
        // Fargate's limits; 20 GiB come without asking.
        reader.range(
            node,
            &["ephemeral_storage", "size_in_gib"],
            storage.size_in_gib,
            21..=200,
        );
    }
    check_fargate_size(task, node, reader);
}

/// Checks that Fargate has tasks of this size.
fn check_fargate_size(task: &Task, node: &Node, reader: &mut Reader<'_>) {
    let (Some(CpuUnits(cpu)), Some(MemoryMegabytes(memory))) = (task.cpu, task.memory) else {
        let message = "A task on Fargate needs `cpu` and `memory`.";
        reader.error(
            &node.at,
            message,
            "Add cpu = 256 and memory = 512.".to_owned(),
        );
        return;
    };
    let Some((_, least, most, step)) = FARGATE_SIZES.iter().find(|(known, ..)| *known == cpu)
    else {
        let known: Vec<String> = FARGATE_SIZES.iter().map(|it| it.0.to_string()).collect();
        let message = format!("Fargate has no tasks with {cpu} CPU units.");
        let hint = format!("Write one of {}.", known.join(", "));
        reader.error_at(node, &["cpu"], message, hint);
        return;
    };
    // The smallest size alone has no even steps: 1536 MiB are missing.
    let even = |memory: i32| (memory - least) % step == 0 && (cpu, memory) != (256, 1536);
    if !(*least..=*most).contains(&memory) || !even(memory) {
        let message = format!("Fargate has no tasks with {cpu} CPU units and {memory} MiB.");
        let hint = match cpu {
            256 => "With 256 CPU units it has 512, 1024 or 2048 MiB.".to_owned(),
            _ => format!("With {cpu} CPU units it has {least} to {most} MiB in steps of {step}."),
        };
        reader.error_at(node, &["memory"], message, hint);
    }
}

/// Checks that ECS has a role to read secrets, pull images and write logs with.
fn check_execution_role(task: &Task, platform: Platform, node: &Node, reader: &mut Reader<'_>) {
    if task.execution_role.is_some() {
        return;
    }
    for (name, container) in &task.container {
        let image = matches!(container.image, Image::Repository { .. }) && platform.fargate;
        let driver = container.log_configuration.as_ref().map(|it| it.log_driver);
        let logs = container.log_group.is_some() || driver == Some(LogDriver::Awslogs);
        let (key, what) = if container.secrets.is_empty() {
            if image {
                ("image", "pulls its image from ECR")
            } else if logs && platform.fargate {
                ("log_group", "logs to CloudWatch")
            } else {
                continue;
            }
        } else {
            ("secrets", "has secrets")
        };
        let message = format!("The container `{name}` {what}: the task needs an `execution_role`.");
        let hint = "Add execution_role = \"NAME\", a role with AmazonECSTaskExecutionRolePolicy.";
        reader.error_at(node, &["container", name, key], message, hint.to_owned());
        return;
    }
}

fn check_volumes(volumes: &[Volume], platform: Platform, node: &Node, reader: &mut Reader<'_>) {
    for (index, volume) in volumes.iter().enumerate() {
        let Volume {
            name,
            host,
            docker_volume_configuration,
            efs_volume_configuration,
            s3files_volume_configuration,
            fsx_windows_file_server_volume_configuration,
            configured_at_launch,
        } = volume;
        let at = node.follow(&["volumes", &index.to_string()]);
        let twice = volumes.iter().take(index).any(|other| other.name == *name);
        let message = format!("Two volumes are named `{name}`.");
        reader.demand(!twice, at, &["name"], &message, "Rename one.");
        let sources = [
            host.is_some(),
            docker_volume_configuration.is_some(),
            efs_volume_configuration.is_some(),
            s3files_volume_configuration.is_some(),
            fsx_windows_file_server_volume_configuration.is_some(),
            *configured_at_launch,
        ];
        let one = sources.iter().filter(|used| **used).count() <= 1;
        let message = format!("The volume `{name}` is of more than one kind.");
        reader.demand(one, at, &[], &message, "Leave one in.");
        let on_instance = host.as_ref().is_some_and(|it| it.source_path.is_some());
        let message = "Fargate has no instance whose directories could be mounted.";
        let hint = "Leave `source_path` out, or use EFS.";
        let path = ["host", "source_path"];
        reader.demand(!(platform.fargate && on_instance), at, &path, message, hint);
        let docker = docker_volume_configuration.is_some();
        let path = ["docker_volume_configuration"];
        let message = "Fargate has no Docker volumes.";
        reader.demand(
            !(platform.fargate && docker),
            at,
            &path,
            message,
            "Use EFS.",
        );
    }
}

fn check_containers(task: &Task, node: &Node, reader: &mut Reader<'_>) {
    let count = task.container.len();
    if count == 0 {
        let hint = "Declare one: [service.NAME.task.container.web].".to_owned();
        reader.error_at(node, &["container"], "The task has no container.", hint);
        return;
    }
    let message = format!("A task has at most {CONTAINERS} containers, not {count}.");
    reader.demand(
        count <= CONTAINERS,
        node,
        &["container"],
        &message,
        "Make two services.",
    );
    if !task.container.values().any(|container| container.essential) {
        let name = task.container.keys().next().map_or("", String::as_str);
        let message = "No container of this task is essential; ECS wants at least one.";
        let hint = "Leave `essential = false` out of the main container.".to_owned();
        reader.error_at(node, &["container", name, "essential"], message, hint);
    }
}

/// Checks that the containers' shares fit into the task.
fn check_shares(task: &Task, platform: Platform, node: &Node, reader: &mut Reader<'_>) {
    let cpu: i64 = task
        .container
        .values()
        .filter_map(|it| it.cpu)
        .map(i64::from)
        .sum();
    if let Some(CpuUnits(most)) = task.cpu
        && cpu > i64::from(most)
    {
        let message = format!("The containers reserve {cpu} CPU units of the task's {most}.");
        reader.error_at(
            node,
            &["cpu"],
            message,
            "Raise it, or reserve less.".to_owned(),
        );
    }
    let hard = |it: &Container| {
        it.memory_reservation
            .or(it.memory)
            .map(|it| i64::from(it.0))
    };
    let memory: i64 = task.container.values().filter_map(hard).sum();
    match task.memory {
        Some(MemoryMegabytes(most)) if memory > i64::from(most) => {
            let message = format!("The containers reserve {memory} MiB of the task's {most}.");
            reader.error_at(
                node,
                &["memory"],
                message,
                "Raise it, or reserve less.".to_owned(),
            );
        }
        None if !platform.fargate => {
            for (name, container) in &task.container {
                let sized = container.memory.is_some() || container.memory_reservation.is_some();
                let message =
                    format!("Neither the task nor the container `{name}` has a `memory`.");
                let path = ["container", name];
                reader.demand(sized, node, &path, &message, "Add memory = 512.");
            }
        }
        _ => {}
    }
}

/// Checks that no two containers want the same port.
fn check_ports(task: &Task, platform: Platform, node: &Node, reader: &mut Reader<'_>) {
    let shared = platform.awsvpc || task.network_mode == Some(NetworkMode::Host);
    let mut taken = BTreeMap::new();
    let mut names = BTreeMap::new();
    for (name, container) in &task.container {
        for (index, port) in container.port_mappings.iter().enumerate() {
            let path = ["container", name, "port_mappings", &index.to_string()];
            let number = if shared {
                port.container_port
            } else {
                port.host_port.filter(|it| *it != 0)
            };
            if let Some(number) = number
                && let Some(other) = taken.insert((number, port.protocol), name)
            {
                let message =
                    format!("The port {number} is taken by the container `{other}` already.");
                let hint =
                    "The containers of a task share one network: each needs a port of its own.";
                reader.error_at(node, &path, message, hint.to_owned());
            }
            if let Some(port_name) = &port.name
                && let Some(other) = names.insert(port_name, name)
            {
                let message =
                    format!("The container `{other}` has a port named `{port_name}` already.");
                reader.error_at(node, &path, message, "Rename one.".to_owned());
            }
        }
    }
}

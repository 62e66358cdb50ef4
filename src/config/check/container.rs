//! Checks of a container definition.

use super::super::diagnostic::nearest;
use super::super::model::{
    Container, ContainerCondition, HealthCheck, LogDriver, NetworkMode, PortMapping, Task,
    UlimitName,
};
use super::super::names;
use super::super::node::Node;
use super::super::reader::Reader;
use super::service::Platform;

/// Checks one container.
pub(super) fn container(
    name: &str,
    container: &Container,
    task: &Task,
    platform: Platform,
    node: &Node,
    reader: &mut Reader<'_>,
) {
    let letters = "letters, digits, `_` and `-`";
    if let Some((message, hint)) =
        names::fault("container", name, 255, names::is_ecs_letter, letters)
    {
        reader.error(&node.at, message, hint);
    }
    check_resources(container, node, reader);
    check_port_mappings(&container.port_mappings, platform, node, reader);
    check_environment(container, node, reader);
    check_logging(container, task, platform, node, reader);
    if let Some(check) = &container.health_check {
        check_health(check, node, reader);
    }
    check_dependencies(name, container, task, node, reader);
    check_mounts(name, container, task, node, reader);
    check_network_fields(container, task, platform, node, reader);
    if platform.fargate {
        check_fargate(container, node, reader);
    }
    if let Some(policy) = &container.restart_policy {
        // ECS's limits of a restart policy.
        let period = policy.restart_attempt_period.map(|it| it.0);
        reader.range(
            node,
            &["restart_policy", "restart_attempt_period"],
            period,
            60..=1800,
        );
    }
}

fn check_resources(container: &Container, node: &Node, reader: &mut Reader<'_>) {
    reader.range(node, &["cpu"], container.cpu, 0..=262_144);
    // Docker's least memory is 6 MiB; ECS's is 4.
    reader.range(
        node,
        &["memory"],
        container.memory.map(|it| it.0),
        4..=i32::MAX,
    );
    let reserved = container.memory_reservation;
    let fits = reserved.is_none() || container.memory.is_none() || reserved <= container.memory;
    let message = "`memory_reservation` is more than `memory`.";
    reader.demand(
        fits,
        node,
        &["memory_reservation"],
        message,
        "Write at most `memory`.",
    );
}

fn check_port_mappings(
    ports: &[PortMapping],
    platform: Platform,
    node: &Node,
    reader: &mut Reader<'_>,
) {
    for (index, port) in ports.iter().enumerate() {
        let PortMapping {
            container_port,
            host_port,
            protocol: _,
            name: _,
            app_protocol,
            container_port_range,
        } = port;
        let at = node.follow(&["port_mappings", &index.to_string()]);
        let one = container_port.is_some() != container_port_range.is_some();
        let message =
            "A port mapping is exactly one of `container_port` and `container_port_range`.";
        reader.demand(one, at, &[], message, "Write container_port = 8000.");
        reader.range(at, &["container_port"], *container_port, 1..=65_535);
        reader.range(at, &["host_port"], *host_port, 0..=65_535);
        let same = !platform.awsvpc || host_port.is_none() || host_port == container_port;
        let message = "With awsvpc the port of the host is the container's.";
        reader.demand(same, at, &["host_port"], message, "Leave `host_port` out.");
        let named = app_protocol.is_none() || port.name.is_some();
        let message = "`app_protocol` is for Service Connect, which needs a `name`.";
        reader.demand(named, at, &["app_protocol"], message, "Add `name`.");
        if let Some(range) = container_port_range {
            let bounds = range.split_once('-').and_then(|(first, last)| {
                Some((first.parse::<u16>().ok()?, last.parse::<u16>().ok()?))
            });
            let fits = bounds.is_some_and(|(first, last)| first > 0 && first < last);
            let message = format!("`{range}` is no range of ports.");
            reader.demand(
                fits,
                at,
                &["container_port_range"],
                &message,
                "Write \"8000-8010\".",
            );
        }
    }
}

fn check_environment(container: &Container, node: &Node, reader: &mut Reader<'_>) {
    for name in container.secrets.keys() {
        let Some(entry) = node.get("environment").and_then(|table| table.entry(name)) else {
            continue;
        };
        let message = format!("`{name}` is in `environment` and in `secrets`.");
        let hint =
            "Leave it out of `environment`, where anyone with ecs:DescribeTaskDefinition reads it.";
        reader.error(&entry.key_at, message, hint.to_owned());
    }
    let tables = [
        (
            "environment",
            container.environment.keys().collect::<Vec<_>>(),
        ),
        ("secrets", container.secrets.keys().collect()),
    ];
    for (key, names) in tables {
        for name in names {
            let fits = !name.is_empty() && !name.contains(['=', '\0']) && name.trim() == name;
            let message = format!("`{name}` is no name of an environment variable.");
            let hint = "It has no `=` and no spaces at its ends.";
            reader.demand(fits, node, &[key, name], &message, hint);
        }
    }
    for (index, file) in container.environment_files.iter().enumerate() {
        let (_, ending) = file.value.rsplit_once('.').unwrap_or_default();
        let fits = file.value.starts_with("arn:") && ending == "env";
        let message = format!("`{}` is no file of environment variables.", file.value);
        let hint = "Write the ARN of an S3 object: arn:aws:s3:::BUCKET/NAME.env.";
        let path = ["environment_files", &index.to_string(), "value"];
        reader.demand(fits, node, &path, &message, hint);
    }
}

fn check_logging(
    container: &Container,
    task: &Task,
    platform: Platform,
    node: &Node,
    reader: &mut Reader<'_>,
) {
    let Some(logging) = &container.log_configuration else {
        return;
    };
    let message = "`log_group` and `log_configuration` exclude each other.";
    let hint = "`log_group` stands for the awslogs driver with that group. Leave one out.";
    reader.demand(
        container.log_group.is_none(),
        node,
        &["log_configuration"],
        message,
        hint,
    );
    let driver = logging.log_driver;
    let on_fargate = matches!(
        driver,
        LogDriver::Awslogs | LogDriver::Awsfirelens | LogDriver::Splunk
    );
    let message = format!("Fargate has no log driver {}.", driver.as_str());
    let hint = "It has awslogs, awsfirelens and splunk.";
    let path = ["log_configuration", "log_driver"];
    reader.demand(on_fargate || !platform.fargate, node, &path, &message, hint);
    let routed = driver != LogDriver::Awsfirelens
        || task
            .container
            .values()
            .any(|other| other.firelens_configuration.is_some());
    let message = "`awsfirelens` needs a container with `firelens_configuration`.";
    let hint = "Add a log router, such as amazon/aws-for-fluent-bit, to the task.";
    reader.demand(routed, node, &path, message, hint);
    let grouped = driver != LogDriver::Awslogs || logging.options.contains_key("awslogs-group");
    let message = "The awslogs driver needs the option awslogs-group.";
    let hint = "Write log_group = \"NAME\" instead of `log_configuration`.";
    reader.demand(
        grouped,
        node,
        &["log_configuration", "options"],
        message,
        hint,
    );
}

fn check_health(check: &HealthCheck, node: &Node, reader: &mut Reader<'_>) {
    let HealthCheck {
        command,
        interval,
        timeout,
        retries,
        start_period,
    } = check;
    let path = ["health_check", "command"];
    let form = match command
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["CMD-SHELL", script] => !script.is_empty(),
        ["CMD", _, ..] | ["NONE"] => true,
        _ => false,
    };
    let message = "A health check's command begins with \"CMD\" or \"CMD-SHELL\".";
    let hint = "Write [\"CMD-SHELL\", \"curl -f http://localhost:8000/ || exit 1\"].";
    reader.demand(form, node, &path, message, hint);
    // ECS's limits of a health check.
    reader.range(node, &["health_check", "interval"], interval.0, 5..=300);
    reader.range(node, &["health_check", "timeout"], timeout.0, 2..=60);
    reader.range(node, &["health_check", "retries"], *retries, 1..=10);
    reader.range(
        node,
        &["health_check", "start_period"],
        start_period.map(|it| it.0),
        0..=300,
    );
}

fn check_dependencies(
    name: &str,
    container: &Container,
    task: &Task,
    node: &Node,
    reader: &mut Reader<'_>,
) {
    for (index, dependency) in container.depends_on.iter().enumerate() {
        let other = dependency.container_name.as_str();
        let at = node.follow(&["depends_on", &index.to_string()]);
        let Some(target) = task.container.get(other) else {
            let hint = match nearest(other, task.container.keys().map(String::as_str)) {
                Some(near) => format!("Did you mean `{near}`?"),
                None => format!("Declare it: [service.NAME.task.container.{other}]."),
            };
            let message = format!("The task has no container `{other}`.");
            reader.error_at(at, &["container_name"], message, hint);
            continue;
        };
        let message = format!("The container `{name}` waits for itself, through `{other}`.");
        let circle = waits_for(other, name, task);
        reader.demand(
            !circle,
            at,
            &["container_name"],
            &message,
            "Leave one of them out.",
        );
        let condition = dependency.condition;
        let healthy = condition != ContainerCondition::Healthy || target.health_check.is_some();
        let message =
            format!("The container `{other}` has no `health_check`: it is never HEALTHY.");
        let hint = "Add one, or wait for START.";
        reader.demand(healthy, at, &["condition"], &message, hint);
        let ends = matches!(
            condition,
            ContainerCondition::Complete | ContainerCondition::Success
        );
        let word = condition.as_str();
        let message =
            format!("The container `{other}` is essential: when it is {word}, the task ends.");
        let hint = format!("Write essential = false in `{other}`.");
        reader.demand(
            !(ends && target.essential),
            at,
            &["condition"],
            &message,
            &hint,
        );
    }
}

/// Whether a container waits for another, directly or through others.
fn waits_for(from: &str, goal: &str, task: &Task) -> bool {
    let mut seen = Vec::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        if name == goal {
            return true;
        }
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        let next = task
            .container
            .get(name)
            .into_iter()
            .flat_map(|it| it.depends_on.iter());
        open.extend(next.map(|it| it.container_name.as_str()));
    }
    false
}

fn check_mounts(
    name: &str,
    container: &Container,
    task: &Task,
    node: &Node,
    reader: &mut Reader<'_>,
) {
    for (index, mount) in container.mount_points.iter().enumerate() {
        let volume = mount.source_volume.as_str();
        if task.volumes.iter().any(|other| other.name == volume) {
            continue;
        }
        let hint = match nearest(volume, task.volumes.iter().map(|it| it.name.as_str())) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("Add {{ name = \"{volume}\" }} to the task's `volumes`."),
        };
        let path = ["mount_points", &index.to_string(), "source_volume"];
        reader.error_at(
            node,
            &path,
            format!("The task has no volume `{volume}`."),
            hint,
        );
    }
    let sources = container.volumes_from.iter().enumerate();
    let sources = sources.map(|(index, it)| ("volumes_from", index, it.source_container.as_str()));
    let links = container.links.iter().enumerate();
    let links = links.map(|(index, it)| ("links", index, it.split(':').next().unwrap_or_default()));
    for (key, index, other) in sources.chain(links) {
        let known = other != name && task.container.contains_key(other);
        let message = format!("The task has no other container `{other}`.");
        let hint = "Name a container of this task.";
        reader.demand(known, node, &[key, &index.to_string()], &message, hint);
    }
}

/// Checks the fields that need a certain network mode.
fn check_network_fields(
    container: &Container,
    task: &Task,
    platform: Platform,
    node: &Node,
    reader: &mut Reader<'_>,
) {
    let Container {
        links,
        hostname,
        dns_servers,
        dns_search_domains,
        extra_hosts,
        ..
    } = container;
    for (key, used) in [
        ("hostname", hostname.is_some()),
        ("dns_servers", !dns_servers.is_empty()),
        ("dns_search_domains", !dns_search_domains.is_empty()),
        ("extra_hosts", !extra_hosts.is_empty()),
    ] {
        let message = format!("`{key}` is not possible with the network mode awsvpc.");
        reader.demand(
            !(used && platform.awsvpc),
            node,
            &[key],
            &message,
            "Leave it out.",
        );
    }
    let bridge = !platform.awsvpc && matches!(task.network_mode, None | Some(NetworkMode::Bridge));
    let message = "`links` need the network mode bridge.";
    let hint = "Leave them out: the containers of a task reach each other on localhost.";
    reader.demand(links.is_empty() || bridge, node, &["links"], message, hint);
}

/// Checks the fields that Fargate does not have.
fn check_fargate(container: &Container, node: &Node, reader: &mut Reader<'_>) {
    let linux = container.linux_parameters.as_ref();
    let uses = [
        (&["privileged"][..], container.privileged),
        (
            &["docker_security_options"],
            !container.docker_security_options.is_empty(),
        ),
        (
            &["resource_requirements"],
            !container.resource_requirements.is_empty(),
        ),
        (&["disable_networking"], container.disable_networking),
        (
            &["linux_parameters", "devices"],
            linux.is_some_and(|it| !it.devices.is_empty()),
        ),
        (
            &["linux_parameters", "shared_memory_size"],
            linux.is_some_and(|it| it.shared_memory_size.is_some()),
        ),
        (
            &["linux_parameters", "max_swap"],
            linux.is_some_and(|it| it.max_swap.is_some()),
        ),
        (
            &["linux_parameters", "swappiness"],
            linux.is_some_and(|it| it.swappiness.is_some()),
        ),
    ];
    for (path, used) in uses {
        let key = path.last().copied().unwrap_or_default();
        let message = format!("`{key}` is not possible on Fargate.");
        reader.demand(!used, node, path, &message, "Leave it out.");
    }
    for (index, limit) in container.ulimits.iter().enumerate() {
        let message = "Fargate has no ulimit but `nofile`.";
        let path = ["ulimits", &index.to_string(), "name"];
        let open_files = limit.name == UlimitName::Nofile;
        reader.demand(open_files, node, &path, message, "Leave it out.");
    }
    // Fargate takes 2 to 120 seconds for both.
    for (key, value) in [
        ("start_timeout", container.start_timeout),
        ("stop_timeout", container.stop_timeout),
    ] {
        reader.range(node, &[key], value.map(|it| it.0), 2..=120);
    }
}

//! Checks of what connects a service: network, load balancers, registries, Service Connect.

use super::super::diagnostic::nearest;
use super::super::model::{DeploymentStrategy, LoadBalancer, Network, NetworkMode, Service};
use super::super::node::Node;
use super::super::reader::Reader;
use super::service::Platform;

/// Subnets of a service: ECS's limit.
const SUBNETS: usize = 16;
/// Security groups of a service: ECS's limit.
const SECURITY_GROUPS: usize = 5;

/// Checks what connects a service.
pub(super) fn network(service: &Service, platform: Platform, node: &Node, reader: &mut Reader<'_>) {
    match &service.network {
        Some(network) => {
            let message = "`network` goes with the network mode awsvpc only.";
            let hint = "Write network_mode = \"awsvpc\" in the task, or leave `network` out.";
            reader.demand(platform.awsvpc, node, &["network"], message, hint);
            check_network(network, node, reader);
        }
        None if platform.awsvpc => {
            let why = match service.task.network_mode {
                Some(NetworkMode::Awsvpc) => "The network mode awsvpc",
                _ => "A service on Fargate",
            };
            let message = format!("{why} needs a `network`.");
            let hint =
                "Add network = { subnets = [\"subnet-...\"], security_groups = [\"sg-...\"] }.";
            reader.error(&node.at, message, hint.to_owned());
        }
        None => {}
    }
    for index in 0..service.load_balancers.len() {
        check_load_balancer(index, service, node, reader);
    }
    let grace = service.health_check_grace_period.is_none() || !service.load_balancers.is_empty();
    let message = "`health_check_grace_period` needs `load_balancers`.";
    reader.demand(
        grace,
        node,
        &["health_check_grace_period"],
        message,
        "Leave it out.",
    );
    // The largest number that ECS takes.
    let grace = service.health_check_grace_period.map(|it| it.0);
    reader.range(
        node,
        &["health_check_grace_period"],
        grace,
        0..=2_147_483_647,
    );
    check_registries(service, platform, node, reader);
    check_port_names(service, node, reader);
    let classic = service
        .load_balancers
        .iter()
        .any(|it| it.load_balancer_name.is_some());
    let message = "`role` is for a Classic Load Balancer only; ECS uses its service-linked role.";
    let allowed = service.role.is_none() || (classic && !platform.awsvpc);
    reader.demand(allowed, node, &["role"], message, "Leave it out.");
}

fn check_network(network: &Network, node: &Node, reader: &mut Reader<'_>) {
    let Network {
        subnets,
        security_groups,
        assign_public_ip: _,
    } = network;
    for (key, prefix, ids, most) in [
        ("subnets", "subnet-", subnets, SUBNETS),
        ("security_groups", "sg-", security_groups, SECURITY_GROUPS),
    ] {
        reader.once(node, &["network", key], ids);
        let message = format!("At most {most} {} are allowed.", key.replace('_', " "));
        reader.demand(
            ids.len() <= most,
            node,
            &["network", key],
            &message,
            "Leave some out.",
        );
        for (index, id) in ids.iter().enumerate() {
            let rest = id.strip_prefix(prefix).unwrap_or_default();
            let fits = !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric());
            let message = format!("`{id}` is no id of one of the {}.", key.replace('_', " "));
            let hint = format!("An id begins with `{prefix}`.");
            reader.demand(
                fits,
                node,
                &["network", key, &index.to_string()],
                &message,
                &hint,
            );
        }
    }
    let some = !subnets.is_empty();
    reader.demand(
        some,
        node,
        &["network", "subnets"],
        "`subnets` names none.",
        "Name one.",
    );
}

fn check_load_balancer(index: usize, service: &Service, node: &Node, reader: &mut Reader<'_>) {
    let Some(balancer) = service.load_balancers.get(index) else {
        return;
    };
    let LoadBalancer {
        target_group_arn,
        load_balancer_name,
        container_name,
        container_port,
        advanced_configuration,
    } = balancer;
    let at = node.follow(&["load_balancers", &index.to_string()]);
    let one = target_group_arn.is_some() != load_balancer_name.is_some();
    let message = "A load balancer is exactly one of `target_group_arn` and `load_balancer_name`.";
    let hint = "Write target_group_arn = \"arn:aws:elasticloadbalancing:...\".";
    reader.demand(one, at, &[], message, hint);
    if target_group_arn.is_some() {
        let arn = at.follow(&["target_group_arn"]);
        super::super::references::check_arn(arn, "elasticloadbalancing", "targetgroup/", reader);
    }
    match service.task.container.get(container_name) {
        None => no_container(container_name, service, at, reader),
        Some(container) => {
            let mapped = container.port_mappings.iter().any(|port| {
                port.container_port == Some(*container_port) || port.container_port_range.is_some()
            });
            let message = format!("The container `{container_name}` has no port {container_port}.");
            let hint = format!("Add {container_port} to its `port_mappings`.");
            reader.demand(mapped, at, &["container_port"], &message, &hint);
        }
    }
    let shifts = service
        .deployment
        .as_ref()
        .map_or(DeploymentStrategy::Rolling, |it| it.strategy)
        != DeploymentStrategy::Rolling;
    let complete = !shifts || load_balancer_name.is_some() || advanced_configuration.is_some();
    let message = "This deployment strategy needs `advanced_configuration` to shift traffic.";
    let hint = "Add alternate_target_group_arn, production_listener_rule and role.";
    reader.demand(complete, at, &[], message, hint);
}

fn no_container(name: &str, service: &Service, node: &Node, reader: &mut Reader<'_>) {
    let known = service.task.container.keys().map(String::as_str);
    let hint = match nearest(name, known) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => format!("Declare it: [service.NAME.task.container.{name}]."),
    };
    let message = format!("The task has no container `{name}`.");
    reader.error_at(node, &["container_name"], message, hint);
}

fn check_registries(service: &Service, platform: Platform, node: &Node, reader: &mut Reader<'_>) {
    for (index, registry) in service.service_registries.iter().enumerate() {
        let at = node.follow(&["service_registries", &index.to_string()]);
        let arn = at.follow(&["registry_arn"]);
        super::super::references::check_arn(arn, "servicediscovery", "service/", reader);
        if let Some(name) = &registry.container_name
            && !service.task.container.contains_key(name)
        {
            no_container(name, service, at, reader);
        }
        let both = registry.container_name.is_some() == registry.container_port.is_some();
        let message = "`container_name` and `container_port` belong together.";
        reader.demand(both, at, &[], message, "Give both or none.");
        let named = platform.awsvpc || registry.container_name.is_some();
        let message = "Without awsvpc a registry needs `container_name` and `container_port`.";
        reader.demand(named, at, &[], message, "Add both.");
    }
}

/// Checks the names of ports that Service Connect and VPC Lattice use.
fn check_port_names(service: &Service, node: &Node, reader: &mut Reader<'_>) {
    let containers = service.task.container.values();
    let ports = containers.flat_map(|it| it.port_mappings.iter());
    let known: Vec<&str> = ports.filter_map(|port| port.name.as_deref()).collect();
    let connect = service
        .service_connect
        .iter()
        .flat_map(|it| it.services.iter());
    let connect = connect.enumerate().map(|(index, it)| {
        (
            vec![
                "service_connect".to_owned(),
                "services".to_owned(),
                index.to_string(),
            ],
            &it.port_name,
        )
    });
    let lattice = service.vpc_lattice_configurations.iter().enumerate();
    let lattice = lattice.map(|(index, it)| {
        (
            vec!["vpc_lattice_configurations".to_owned(), index.to_string()],
            &it.port_name,
        )
    });
    for (path, name) in connect.chain(lattice) {
        if known.contains(&name.as_str()) {
            continue;
        }
        let path: Vec<&str> = path
            .iter()
            .map(String::as_str)
            .chain(["port_name"])
            .collect();
        let hint = match nearest(name, known.iter().copied()) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => {
                format!("Write port_mappings = [{{ container_port = 8000, name = \"{name}\" }}].")
            }
        };
        let message = format!("No port mapping of the task is named `{name}`.");
        reader.error_at(node, &path, message, hint);
    }
}

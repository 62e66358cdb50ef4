//! Container definitions as ECS stores them: with its defaults, and refused where ECS refuses them.

use serde_json::{Value, json};

use super::super::error::ServiceError;
use super::super::world::{Members as _, set};
use super::client;

/// Checks a container definition and fills in what ECS fills in (facts.md section 4).
pub(super) fn complete(
    container: &Value,
    network_mode: &str,
    task_memory: bool,
) -> Result<Value, ServiceError> {
    let name = container.str("name");
    check(container, task_memory)?;
    let mut container = container.clone();
    for field in [
        "environment",
        "mountPoints",
        "portMappings",
        "volumesFrom",
        "systemControls",
    ] {
        default(&mut container, field, json!([]));
    }
    default(&mut container, "essential", json!(true));
    default(&mut container, "cpu", json!(0));
    default(&mut container, "versionConsistency", json!("enabled"));
    let mut ports = container.list("portMappings").to_vec();
    for port in &mut ports {
        complete_port(port, name, network_mode)?;
    }
    set(&mut container, "portMappings", ports);
    if let Some(check) = container.get_mut("healthCheck") {
        for (field, value) in [("interval", 30), ("timeout", 5), ("retries", 3)] {
            default(check, field, json!(value));
        }
    }
    if let Some(log) = container.get_mut("logConfiguration") {
        default(log, "options", json!({}));
        default(log, "secretOptions", json!([]));
    }
    if container.get("firelensConfiguration").is_some() {
        default(&mut container, "user", json!("0"));
    }
    Ok(container)
}

fn default(record: &mut Value, field: &str, value: Value) {
    if record.member(field).is_none() {
        set(record, field, value);
    }
}

fn complete_port(
    port: &mut Value,
    container: &str,
    network_mode: &str,
) -> Result<(), ServiceError> {
    default(port, "protocol", json!("tcp"));
    if let Some(inside) = port.number("containerPort") {
        let outside = port.number("hostPort");
        if network_mode == "awsvpc"
            && outside.is_some_and(|outside| outside != inside && outside != 0)
        {
            return Err(client(
                "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
            ));
        }
        if !(0..=65_535).contains(&inside) {
            return Err(client(&format!(
                "Invalid container port {inside} in container '{container}'."
            )));
        }
        if ["awsvpc", "host"].contains(&network_mode) {
            set(port, "hostPort", inside);
        } else {
            default(port, "hostPort", json!(0));
        }
    }
    Ok(())
}

fn check(container: &Value, task_memory: bool) -> Result<(), ServiceError> {
    let name = container.str("name");
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if name.is_empty() {
        return Err(client("Container.name should not be null or empty."));
    }
    if name.len() > 255 || !name.chars().all(allowed) {
        return Err(client("Container name contains invalid characters."));
    }
    if container.text("image").is_none() {
        return Err(client("Container.image should not be null or empty."));
    }
    let memory = container
        .number("memory")
        .or_else(|| container.number("memoryReservation"));
    if memory.is_none() && !task_memory {
        let message = format!(
            "Invalid setting for container '{name}'. At least one of 'memory' or 'memoryReservation' must be specified."
        );
        return Err(client(&message));
    }
    if memory.is_some_and(|memory| memory < 4) {
        return Err(client(&format!(
            "Invalid memory setting for container '{name}': at least 4 MiB."
        )));
    }
    if container
        .list("secrets")
        .iter()
        .any(|secret| secret.text("valueFrom").is_none() || secret.text("name").is_none())
    {
        return Err(client(&format!(
            "A secret of container '{name}' lacks its name or valueFrom."
        )));
    }
    let mut seen: Vec<&str> = Vec::new();
    let variables = container
        .list("environment")
        .iter()
        .chain(container.list("secrets"));
    for variable in variables {
        if seen.contains(&variable.str("name")) {
            let message = "The secret name must be unique and not shared with any new or existing environment variables set on the container.";
            return Err(client(message));
        }
        if !variable.str("name").is_empty() && variable.get("valueFrom").is_some() {
            seen.push(variable.str("name"));
        }
    }
    Ok(())
}

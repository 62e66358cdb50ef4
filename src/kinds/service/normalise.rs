//! The defaults of AWS that depend on other fields: network mode and ports, percentages, platform,
//! launch type. Applied alike to what is declared and to what is observed.

use serde_json::{Value, json};

use super::shape::is_empty;
use super::spec::{Settings, Spec, Task};

/// Fills in, or leaves out, what AWS itself would.
pub(super) fn normalise(spec: &mut Spec) {
    let fargate = spec.on_fargate();
    launch(&mut spec.settings, fargate);
    deployment(&mut spec.settings);
    rebalancing(&mut spec.settings);
    connections(&mut spec.settings);
    let is_daemon = spec.settings.get("scheduling_strategy") == Some(&json!("DAEMON"));
    spec.desired_count = match spec.desired_count {
        _ if is_daemon => None,
        count => Some(count.unwrap_or(1)),
    };
    task(&mut spec.task, fargate);
}

/// The same for a task definition without its service, for comparing two of them.
pub(super) fn normalise_task(definition: &mut Task) {
    let compatibilities = definition.settings.get("requires_compatibilities");
    let fargate = compatibilities
        .and_then(Value::as_array)
        .is_some_and(|all| all.contains(&json!("FARGATE")));
    task(definition, fargate);
}

/// One of launch type and capacity providers; without either ECS takes instances of EC2.
fn launch(settings: &mut Settings, fargate: bool) {
    if settings.contains_key("capacity_provider_strategy") {
        settings.remove("launch_type");
    } else {
        settings
            .entry("launch_type".into())
            .or_insert_with(|| json!("EC2"));
    }
    if fargate {
        settings
            .entry("platform_version".into())
            .or_insert_with(|| json!("LATEST"));
    } else {
        settings.remove("platform_version");
    }
}

fn deployment(settings: &mut Settings) {
    let is_daemon = settings.get("scheduling_strategy") == Some(&json!("DAEMON"));
    let (minimum, maximum) = if is_daemon { (0, 100) } else { (100, 200) };
    let deployment = settings
        .entry("deployment".into())
        .or_insert_with(|| json!({}));
    let Some(deployment) = deployment.as_object_mut() else {
        return;
    };
    deployment
        .entry("minimum_healthy_percent")
        .or_insert_with(|| minimum.into());
    deployment
        .entry("maximum_percent")
        .or_insert_with(|| maximum.into());
    if let Some(breaker) = deployment
        .get_mut("circuit_breaker")
        .and_then(Value::as_object_mut)
        && breaker.get("threshold_configuration")
            == Some(&json!({"type": "BOUNDED_PERCENT", "value": 50}))
    {
        breaker.shift_remove("threshold_configuration");
    }
    for (part, off) in [
        (
            "circuit_breaker",
            json!({"enable": false, "rollback": false}),
        ),
        ("alarms", json!({"enable": false, "rollback": false})),
        ("early_success_criteria", json!({"enable": false})),
    ] {
        if deployment.get(part) == Some(&off) {
            deployment.shift_remove(part);
        }
    }
    // The steps of a strategy that is not in use mean nothing; ECS keeps them all the same.
    for (strategy, steps) in [
        ("LINEAR", "linear_configuration"),
        ("CANARY", "canary_configuration"),
    ] {
        if deployment.get("strategy") != Some(&json!(strategy)) {
            deployment.shift_remove(steps);
        }
    }
    deployment.sort_keys();
}

/// ECS does not rebalance where it could not: a daemon runs everywhere, and moving a task needs
/// room above 100 percent and a load balancer that is not a Classic one.
fn rebalancing(settings: &mut Settings) {
    let is_daemon = settings.get("scheduling_strategy") == Some(&json!("DAEMON"));
    let is_external = settings.get("launch_type") == Some(&json!("EXTERNAL"));
    let maximum = settings
        .get("deployment")
        .and_then(|deployment| deployment.get("maximum_percent")?.as_i64());
    let balancers = settings.get("load_balancers").and_then(Value::as_array);
    let is_classic = |balancer: &Value| balancer.get("load_balancer_name").is_some();
    let has_classic = balancers.is_some_and(|all| all.iter().any(is_classic));
    let has_controller = settings.contains_key("deployment_controller");
    if is_daemon
        || is_external
        || has_classic
        || has_controller
        || maximum.is_some_and(|maximum| maximum <= 100)
    {
        settings.insert("availability_zone_rebalancing".into(), json!("DISABLED"));
    }
}

fn connections(settings: &mut Settings) {
    let connect = settings
        .get_mut("service_connect")
        .and_then(Value::as_object_mut);
    let Some(connect) = connect else { return };
    if connect.get("enabled") == Some(&json!(false)) {
        settings.remove("service_connect");
        return;
    }
    let services = connect.get_mut("services").and_then(Value::as_array_mut);
    for service in services
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        if service.get("discovery_name") == service.get("port_name") {
            service.shift_remove("discovery_name");
        }
    }
}

fn task(task: &mut Task, fargate: bool) {
    let mode = if fargate { "awsvpc" } else { "bridge" };
    let mode = task
        .settings
        .entry("network_mode".into())
        .or_insert_with(|| json!(mode));
    let mode = mode.as_str().unwrap_or_default().to_owned();
    if fargate {
        let compatibilities = task.settings.entry("requires_compatibilities".into());
        compatibilities.or_insert_with(|| json!(["FARGATE"]));
    }
    for container in task.container.values_mut() {
        ports(&mut container.settings, &mode);
        if container.settings.contains_key("firelens_configuration") {
            // ECS runs log routers as root unless told otherwise.
            let user = container.settings.entry("user".into());
            user.or_insert_with(|| json!("0"));
        }
        for link in ["service_connect", "linux_parameters", "health_check"] {
            if container.settings.get(link).is_some_and(is_empty) {
                container.settings.remove(link);
            }
        }
    }
}

/// The host's port is the container's under `awsvpc` and `host`, and 0 means any under `bridge`.
fn ports(settings: &mut Settings, mode: &str) {
    let ports = settings
        .get_mut("port_mappings")
        .and_then(Value::as_array_mut);
    let Some(ports) = ports else { return };
    for port in ports.iter_mut().filter_map(Value::as_object_mut) {
        let implied = match mode {
            "awsvpc" | "host" => port.get("container_port").cloned(),
            _ => Some(json!(0)),
        };
        // MiniStack and moto answer 0 under `awsvpc` where nothing was written.
        let host = port.get("host_port");
        if host.is_some() && (host == implied.as_ref() || host == Some(&json!(0))) {
            port.shift_remove("host_port");
        }
    }
    ports.sort_by_cached_key(Value::to_string);
}

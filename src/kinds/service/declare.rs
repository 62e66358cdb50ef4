//! From infra.toml to the spec of a service.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::names::secret_text;
use super::normalise::normalise;
use super::service_fields::SERVICE;
use super::shape::{Side, read};
use super::spec::{Container, Image, Spec, Task};
use super::task_fields::{CONTAINER, TASK};
use crate::config::{self, Config, RoleReference};

/// The prefix of the streams of the `awslogs` driver, which Fargate requires; the one that the
/// console of ECS writes. Streams are `PREFIX/CONTAINER/TASK`.
pub const STREAM_PREFIX: &str = "ecs";

/// The services of infra.toml by table key.
pub(super) fn declare(config: &Config) -> BTreeMap<String, Spec> {
    let services = config.services.iter();
    services
        .map(|(key, service)| (key.clone(), service_spec(config, service)))
        .collect()
}

fn service_spec(config: &Config, service: &config::Service) -> Spec {
    let mut spec = Spec {
        owner: Some(config.owner_mark()),
        name: service.name.clone(),
        cluster: service.cluster.name.clone(),
        desired_count: service.desired_count,
        ignore_desired_count: service.ignore_desired_count,
        settings: read(SERVICE, &fields(service), Side::Config),
        tags: service.tags.clone(),
        task: task(config, &service.task),
    };
    normalise(&mut spec);
    spec
}

/// A table of infra.toml as JSON; its keys are the table's.
fn fields(table: &impl serde::Serialize) -> Map<String, Value> {
    match serde_json::to_value(table) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

fn task(config: &Config, task: &config::Task) -> Task {
    let containers = task.container.iter();
    Task {
        family: task.family.clone(),
        execution_role: task.execution_role.as_ref().map(role),
        task_role: task.task_role.as_ref().map(role),
        settings: read(TASK, &fields(task), Side::Config),
        container: containers
            .map(|(name, declared)| (name.clone(), container(config, declared)))
            .collect(),
    }
}

fn role(role: &RoleReference) -> String {
    role.declared.clone().unwrap_or_else(|| role.arn.clone())
}

fn container(config: &Config, container: &config::Container) -> Container {
    let mut written = fields(container);
    if let Some(group) = &container.log_group {
        written.insert(
            "log_configuration".to_owned(),
            json!({
                "log_driver": "awslogs",
                "options": {
                    "awslogs-group": group.name,
                    "awslogs-region": config.project.region,
                    "awslogs-stream-prefix": STREAM_PREFIX,
                },
            }),
        );
    }
    let secrets = container.secrets.iter();
    Container {
        image: match &container.image {
            config::Image::Repository { name, tag: _ } => Image::Managed {
                repository: name.clone(),
            },
            config::Image::Fixed(text) => Image::Fixed(text.clone()),
        },
        environment: container.environment.clone(),
        secrets: secrets
            .map(|(name, secret)| (name.clone(), secret_text(secret)))
            .collect(),
        settings: read(CONTAINER, &written, Side::Config),
    }
}

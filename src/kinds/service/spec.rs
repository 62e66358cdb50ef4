//! The spec of a service with its task definition: typed where the code asks, and tables of settings
//! in infra.toml's words for the rest, which serialize so that a field's path reads as it is written.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

pub use super::shape::Settings;
use crate::config::Tags;
use crate::kind::{Address, Owned};

/// Everything managed about one service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spec {
    /// The owner mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The service's name in AWS.
    pub name: String,
    /// The cluster's name.
    pub cluster: String,
    /// The number of tasks; none for a DAEMON service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desired_count: Option<i32>,
    /// Whether the number of tasks is left alone once the service is there. Never in AWS: observed
    /// as it is declared.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ignore_desired_count: bool,
    /// All other fields of the service.
    #[serde(flatten)]
    pub settings: Settings,
    /// The tags, without the owner mark.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: Tags,
    /// The task definition that runs.
    pub task: Task,
}

/// A task definition.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Task {
    /// The family.
    pub family: String,
    /// The role with which ECS starts tasks: a declared one's name, or an ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_role: Option<String>,
    /// The role that the containers have: a declared one's name, or an ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_role: Option<String>,
    /// All other fields.
    #[serde(flatten)]
    pub settings: Settings,
    /// The containers by name.
    pub container: BTreeMap<String, Container>,
}

/// A container of a task definition.
#[derive(Clone, PartialEq, Serialize)]
pub struct Container {
    /// The image.
    pub image: Image,
    /// Environment variables.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Environment variables that are secrets: `NAME` of a declared one with what follows its ARN
    /// (`:KEY:STAGE:VERSION`), an ARN, or `ssm:NAME`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
    /// All other fields.
    #[serde(flatten)]
    pub settings: Settings,
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be credentials: `report` shows them, and hides what looks like one.
        f.debug_struct("Container")
            .field("image", &self.image)
            .field("environment", &self.environment.keys())
            .field("secrets", &self.secrets)
            .finish_non_exhaustive()
    }
}

/// The image of a container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Image {
    /// An image of a declared repository. Which one belongs to deployments: its tag and every digest
    /// are equal here.
    Managed {
        /// The repository's name.
        repository: String,
    },
    /// An image reference, used as it is written.
    Fixed(String),
}

impl Owned for Spec {
    fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }
}

impl Spec {
    /// A setting that is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.settings.get(name)?.as_str()
    }

    /// Whether its tasks run on Fargate.
    #[must_use]
    pub fn on_fargate(&self) -> bool {
        let providers = self.settings.get("capacity_provider_strategy");
        let providers = providers.and_then(|providers| providers.as_array());
        let on_provider = |provider: &serde_json::Value| {
            let name = provider
                .get("capacity_provider")
                .and_then(|name| name.as_str());
            name.is_some_and(|name| name.starts_with("FARGATE"))
        };
        self.text("launch_type") == Some("FARGATE")
            || providers.is_some_and(|providers| providers.iter().any(on_provider))
    }

    /// Every role that the service or its tasks use, as names or ARNs.
    #[must_use]
    pub fn roles(&self) -> Vec<String> {
        let mut roles = Vec::new();
        roles.extend(self.task.execution_role.clone());
        roles.extend(self.task.task_role.clone());
        for value in self.settings.values() {
            roles_in(value, &mut roles);
        }
        roles.extend(self.text("role").map(str::to_owned));
        roles
    }

    /// The log groups that the tasks write to, by name.
    #[must_use]
    pub fn log_groups(&self) -> Vec<&str> {
        let service_connect = self.settings.get("service_connect");
        let logs = self
            .task
            .container
            .values()
            .filter_map(|container| container.settings.get("log_configuration"))
            .chain(service_connect.and_then(|connect| connect.get("log_configuration")));
        logs.filter_map(|log| log.get("options")?.get("awslogs-group")?.as_str())
            .collect()
    }

    /// The resources that it needs, by address, each once.
    #[must_use]
    pub fn refers(&self) -> Vec<Address> {
        let mut addresses = vec![Address::new("cluster", &self.cluster)];
        addresses.extend(self.roles().iter().filter_map(|role| role_address(role)));
        let groups = self.log_groups();
        addresses.extend(
            groups
                .into_iter()
                .map(|name| Address::new("log_group", name)),
        );
        for secret in self.task.secrets() {
            if !secret.starts_with("arn:") && !secret.starts_with("ssm:") {
                addresses.push(Address::new("secret", super::names::split_secret(secret).0));
            }
        }
        for container in self.task.container.values() {
            if let Image::Managed { repository } = &container.image {
                addresses.push(Address::new("repository", repository));
            }
        }
        addresses.sort();
        addresses.dedup();
        addresses
    }
}

impl Task {
    /// The secrets that the containers are given, as `Container::secrets` names them.
    #[must_use]
    pub fn secrets(&self) -> Vec<&str> {
        let containers = self.container.values();
        containers
            .flat_map(|container| {
                let options = container.settings.get("log_configuration");
                let options = options.and_then(|log| log.get("secret_options")?.as_object());
                let options = options.into_iter().flat_map(|options| options.values());
                let secrets = container.secrets.values().map(String::as_str);
                secrets.chain(options.filter_map(|option| option.as_str()))
            })
            .collect()
    }
}

/// A role's address; of an ARN too, since a role that is no longer declared may still be ours.
fn role_address(role: &str) -> Option<Address> {
    let name = match role.strip_prefix("arn:") {
        None => role,
        Some(arn) => arn.split_once(":role/")?.1.rsplit('/').next()?,
    };
    Some(Address::new("role", name))
}

fn roles_in(value: &serde_json::Value, roles: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                match value.as_str() {
                    Some(role) if key == "role" => roles.push(role.to_owned()),
                    _ => roles_in(value, roles),
                }
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| roles_in(item, roles)),
        _ => {}
    }
}

//! Between ECS's JSON and the spec: an answer read, a definition written.

use serde_json::{Map, Value, json};

use super::names::Names;
use super::normalise::normalise;
use super::service_fields::SERVICE;
use super::shape::{Field, Side, read, write};
use super::spec::{Container, Image, Settings, Spec, Task};
use super::task_fields::{CONTAINER, READ_ONLY, TASK};
use crate::aws::Error as AwsError;
use crate::aws::ecs::{tags, text};
use crate::config;
use crate::error::Result;
use crate::kinds::tags as ownership;

/// What `DescribeServices` says lies in the deployment, not in the service.
const IN_DEPLOYMENT: &[&str] = &[
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
    "monitoring",
];

/// The spec of a live service. `declared` is what infra.toml says of it, for what AWS never returns.
pub(super) fn spec_of(
    service: &Value,
    definition: &Value,
    declared: Option<&config::Service>,
    names: &Names<'_>,
) -> Result<Spec, AwsError> {
    let name = text(service, "serviceName").ok_or_else(|| lacking("serviceName"))?;
    let cluster = text(service, "clusterArn").ok_or_else(|| lacking("clusterArn"))?;
    let live_tags = tags(service)
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.as_str()?.to_owned())));
    let live_tags = ownership::observed(
        live_tags,
        declared.map(|service| &service.tags),
        names.config,
    );
    let mut spec = Spec {
        owner: live_tags.owner,
        name: name.to_owned(),
        cluster: last_part(cluster).to_owned(),
        desired_count: service
            .get("desiredCount")
            .and_then(Value::as_i64)
            .and_then(|count| i32::try_from(count).ok()),
        ignore_desired_count: declared.is_some_and(|service| service.ignore_desired_count),
        settings: settings(service, names),
        tags: live_tags.tags,
        task: task_of(definition, declared.map(|service| &service.task), names)?,
    };
    normalise(&mut spec);
    Ok(spec)
}

fn lacking(field: &str) -> AwsError {
    AwsError::unreadable(format!("ecs:DescribeServices has no {field}"))
}

/// What follows the last slash of an ARN.
pub(super) fn last_part(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// The settings of a live service. Fields of the service itself that we do not know are left alone:
/// `UpdateService` keeps what it is not told. Those in a member that we change are kept with it.
fn settings(service: &Value, names: &Names<'_>) -> Settings {
    let mut written = service.as_object().cloned().unwrap_or_default();
    let deployments = service.get("deployments").and_then(Value::as_array);
    let primary = deployments.and_then(|all| {
        let is_primary = |deployment: &&Value| text(deployment, "status") == Some("PRIMARY");
        all.iter().find(is_primary)
    });
    for field in IN_DEPLOYMENT {
        if let Some(value) = primary.and_then(|primary| primary.get(*field)) {
            written.entry(*field).or_insert_with(|| value.clone());
        }
    }
    // The service-linked role is ECS's own choice.
    let role = text(service, "roleArn").filter(|role| !role.contains(":role/aws-service-role/"));
    if let Some(role) = role.filter(|role| !role.is_empty()) {
        written.insert("role".to_owned(), role.into());
    }
    let mut settings = read(SERVICE, &written, Side::Api(names));
    settings.retain(|key, _| SERVICE.iter().any(|field| is_in(field, key)));
    settings
}

/// Whether a key is a field's own, or that of the member in which the API has the field.
fn is_in(field: &Field, key: &str) -> bool {
    let member = field.api.split_once('.').map(|(member, _)| member);
    field.name == key || member == Some(key)
}

/// The task definition of an answer of `DescribeTaskDefinition`.
pub(super) fn task_of(
    definition: &Value,
    declared: Option<&config::Task>,
    names: &Names<'_>,
) -> Result<Task, AwsError> {
    let mut written = definition.as_object().cloned().unwrap_or_default();
    written.retain(|key, _| !READ_ONLY.contains(&key.as_str()));
    let family = take_text(&mut written, "family")
        .ok_or_else(|| AwsError::unreadable("ecs:DescribeTaskDefinition has no family"))?;
    let mut role = |field: &str| {
        let arn = take_text(&mut written, field)?;
        Some(names.role_text(&arn))
    };
    let (execution_role, task_role) = (role("executionRoleArn"), role("taskRoleArn"));
    let Some(Value::Array(containers)) = written.shift_remove("containerDefinitions") else {
        return Err(AwsError::unreadable("a task definition has no containers"));
    };
    let container = containers
        .into_iter()
        .filter_map(|container| match container {
            Value::Object(container) => Some(container),
            _ => None,
        })
        .map(|container| container_of(container, declared, names))
        .collect();
    Ok(Task {
        family,
        execution_role,
        task_role,
        settings: read(TASK, &written, Side::Api(names)),
        container,
    })
}

fn container_of(
    mut written: Map<String, Value>,
    declared: Option<&config::Task>,
    names: &Names<'_>,
) -> (String, Container) {
    let name = take_text(&mut written, "name").unwrap_or_default();
    let image = take_text(&mut written, "image").unwrap_or_default();
    let declared = declared.and_then(|task| task.container.get(&name));
    let environment = pairs(written.shift_remove("environment"), "value");
    let secrets = pairs(written.shift_remove("secrets"), "valueFrom");
    let container = Container {
        image: names.image(&image, declared.map(|container| &container.image)),
        environment: environment.collect(),
        secrets: secrets
            .map(|(name, value_from)| (name, names.secret_text(&value_from)))
            .collect(),
        settings: read(CONTAINER, &written, Side::Api(names)),
    };
    (name, container)
}

fn take_text(written: &mut Map<String, Value>, field: &str) -> Option<String> {
    match written.shift_remove(field) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}

fn pairs(list: Option<Value>, held: &'static str) -> impl Iterator<Item = (String, String)> {
    let list = match list {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    };
    list.into_iter().filter_map(move |pair| {
        let value = text(&pair, held).unwrap_or_default();
        Some((text(&pair, "name")?.to_owned(), value.to_owned()))
    })
}

/// The request of `RegisterTaskDefinition`, without tags. `image` gives the text of each container's
/// image.
pub(super) fn definition_of(
    task: &Task,
    names: &Names<'_>,
    image: impl Fn(&str, &Image) -> String,
) -> Result<Value> {
    let mut written = write(TASK, &task.settings, names)?;
    // Absent means the same, and on EC2 the architecture would bind the tasks to some instances.
    if written.get("runtimePlatform")
        == Some(&json!({"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"}))
    {
        written.shift_remove("runtimePlatform");
    }
    written.insert("family".to_owned(), task.family.as_str().into());
    for (field, role) in [
        ("executionRoleArn", &task.execution_role),
        ("taskRoleArn", &task.task_role),
    ] {
        if let Some(role) = role {
            written.insert(field.to_owned(), names.role_arn(role).into());
        }
    }
    let containers = task.container.iter().map(|(name, container)| {
        let image = image(name, &container.image);
        container_definition(name, container, image, names)
    });
    let containers = containers.collect::<Result<Vec<Value>>>()?;
    written.insert("containerDefinitions".to_owned(), containers.into());
    Ok(Value::Object(written))
}

fn container_definition(
    name: &str,
    container: &Container,
    image: String,
    names: &Names<'_>,
) -> Result<Value> {
    let mut written = Map::new();
    written.insert("name".to_owned(), name.into());
    written.insert("image".to_owned(), image.into());
    written.extend(write(CONTAINER, &container.settings, names)?);
    let environment = container.environment.iter();
    let environment: Vec<Value> = environment
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    let secrets = container.secrets.iter().map(|(name, secret)| {
        let value_from = names.value_from(secret)?;
        Ok(json!({"name": name, "valueFrom": value_from}))
    });
    let secrets = secrets.collect::<Result<Vec<Value>>>()?;
    for (field, list) in [("environment", environment), ("secrets", secrets)] {
        if !list.is_empty() {
            written.insert(field.to_owned(), list.into());
        }
    }
    Ok(Value::Object(written))
}

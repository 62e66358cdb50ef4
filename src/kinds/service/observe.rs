//! Reads what is there: the declared services, ten a call, those that carry our mark, and the task
//! definition that each of them runs.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;
use serde_json::Value;

use super::answer::{last_part, spec_of};
use super::declare::declare;
use super::names::{Names, Secrets};
use super::spec::Spec;
use crate::aws::ecs::{self, text};
use crate::aws::{Aws, Error as AwsError, secrets, tagging};
use crate::config::{Config, SecretReference};
use crate::error::Result;
use crate::kind::{Address, OWNER_TAG, Scope};
use crate::kinds::tags::observed;

/// The live services by address name.
pub(super) async fn observe(aws: &Aws, scope: &Scope) -> Result<BTreeMap<String, Spec>> {
    let config = &scope.config;
    let declared = declared_names(scope);
    let (services, others, secrets) = futures::try_join!(
        describe(aws, by_cluster(declared.keys())),
        undeclared(aws, scope),
        secrets(aws, config, declared.values())
    )?;
    let names = Names::new(config, secrets);
    let declared_specs = declare(config);
    let live = services.into_iter().chain(others);
    let specs = try_join_all(
        live.map(|service| read_spec(aws, &names, &declared, &declared_specs, service)),
    )
    .await?;
    Ok(specs.into_iter().flatten().collect())
}

/// A service in its cluster, by names.
type Place = (String, String);

/// The table keys of the declared services that this run is about, by place.
fn declared_names(scope: &Scope) -> BTreeMap<Place, String> {
    let services = scope.config.services.iter();
    services
        .filter(|(key, _)| scope.wants("service", key))
        .map(|(key, service)| {
            let place = (service.cluster.name.clone(), service.name.clone());
            (place, key.clone())
        })
        .collect()
}

/// The ARNs of the declared secrets that these services are given, from the read that the secrets'
/// own kind shares.
async fn secrets(
    aws: &Aws,
    config: &Config,
    keys: impl Iterator<Item = &String>,
) -> Result<Secrets, AwsError> {
    let services = keys.filter_map(|key| config.services.get(key));
    let containers = services.flat_map(|service| service.task.container.values());
    let secrets = containers.flat_map(|container| container.secrets.values());
    let names: BTreeSet<&String> = secrets
        .filter_map(|secret| match secret {
            SecretReference::Declared { name, suffix: _ } => Some(name),
            SecretReference::Arn(_) | SecretReference::Parameter(_) => None,
        })
        .collect();
    let reads = names.into_iter().map(|name| async move {
        let found = secrets::secret(aws, name).await?;
        let arn = found.as_ref().as_ref().map(|secret| secret.arn.clone());
        Ok::<_, AwsError>((name.clone(), arn))
    });
    Ok(try_join_all(reads).await?.into_iter().collect())
}

fn by_cluster<'a>(places: impl Iterator<Item = &'a Place>) -> BTreeMap<String, Vec<String>> {
    let mut clusters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (cluster, service) in places {
        clusters
            .entry(cluster.clone())
            .or_default()
            .push(service.clone());
    }
    clusters
}

async fn describe(
    aws: &Aws,
    clusters: BTreeMap<String, Vec<String>>,
) -> Result<Vec<Value>, AwsError> {
    let reads = clusters
        .iter()
        .map(|(cluster, names)| ecs::services_once(aws, cluster, names));
    Ok(try_join_all(reads).await?.into_iter().flatten().collect())
}

/// The declared services that this run is about as `DescribeServices` has them, by key: the read that
/// `observe` shares.
pub(super) async fn described(
    aws: &Aws,
    scope: &Scope,
) -> Result<BTreeMap<String, Value>, AwsError> {
    let declared = declared_names(scope);
    let services = describe(aws, by_cluster(declared.keys())).await?;
    let key = |service: &Value| {
        let cluster = last_part(text(service, "clusterArn").unwrap_or_default());
        let name = text(service, "serviceName").unwrap_or_default();
        declared
            .get(&(cluster.to_owned(), name.to_owned()))
            .cloned()
    };
    let found = services.into_iter();
    Ok(found
        .filter_map(|service| Some((key(&service)?, service)))
        .collect())
}

/// What carries our mark and is not declared: as the tagging API lists it, or, where an endpoint
/// lacks that, among all services of the clusters that infra.toml names.
async fn undeclared(aws: &Aws, scope: &Scope) -> Result<Vec<Value>, AwsError> {
    let config = &scope.config;
    let all = config.services.values();
    let declared: BTreeSet<Place> = all
        .map(|service| (service.cluster.name.clone(), service.name.clone()))
        .collect();
    let is_declared = |address: &Address| {
        address.kind != "service" || config.services.contains_key(&address.name)
    };
    // A run about declared services has nothing to look for.
    if scope
        .only
        .as_ref()
        .is_some_and(|only| only.iter().all(is_declared))
    {
        return Ok(Vec::new());
    }
    let tagged = tagging::owned(aws, OWNER_TAG, &config.owner_mark()).await?;
    let mut places: BTreeSet<Place> = match tagged.as_ref() {
        Some(tagged) => tagged.keys().filter_map(|arn| place_of(arn)).collect(),
        None => listed(aws, config).await?,
    };
    places.retain(|place| {
        let name = format!("{}/{}", place.0, place.1);
        !declared.contains(place) && scope.wants("service", &name)
    });
    let mut services = describe(aws, by_cluster(places.iter())).await?;
    // The list may be older than the service: its own tags decide.
    let mark = config.owner_mark();
    services.retain(|service| owner(service, config).as_deref() == Some(mark.as_str()));
    Ok(services)
}

async fn listed(aws: &Aws, config: &Config) -> Result<BTreeSet<Place>, AwsError> {
    let of_services = config
        .services
        .values()
        .map(|service| &service.cluster.name);
    let clusters: BTreeSet<&String> = config.clusters.keys().chain(of_services).collect();
    let lists = clusters.iter().map(|cluster| async move {
        let arns = ecs::list_services(aws, cluster).await?;
        let name = |arn: &String| ((*cluster).clone(), last_part(arn).to_owned());
        Ok::<Vec<Place>, AwsError>(arns.iter().map(name).collect())
    });
    Ok(try_join_all(lists).await?.into_iter().flatten().collect())
}

fn place_of(arn: &str) -> Option<Place> {
    let (start, resource) = arn.split_once(":service/")?;
    let (cluster, service) = resource.split_once('/')?;
    start
        .contains(":ecs:")
        .then(|| (cluster.to_owned(), service.to_owned()))
}

/// The owner mark that a service carries.
pub(super) fn owner(service: &Value, config: &Config) -> Option<String> {
    let tags = ecs::tags(service)
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.as_str()?.to_owned())));
    observed(tags, None, config).owner
}

/// Whether a service of `DescribeServices` is there. INACTIVE is gone; DRAINING is going, and only
/// stands in the way of a new one.
pub(super) fn is_there(service: &Value) -> Result<bool, AwsError> {
    match text(service, "status") {
        Some("ACTIVE") => Ok(true),
        Some("DRAINING" | "INACTIVE") => Ok(false),
        other => Err(AwsError::unreadable(format!(
            "a service has the status {other:?}"
        ))),
    }
}

/// The ARN of the revision that a service runs, or is to run.
pub(super) fn revision(service: &Value) -> Option<&str> {
    let of_set = || {
        let sets = service.get("taskSets")?.as_array()?;
        text(sets.first()?, "taskDefinition")
    };
    text(service, "taskDefinition")
        .filter(|arn| !arn.is_empty())
        .or_else(of_set)
}

async fn read_spec(
    aws: &Aws,
    names: &Names<'_>,
    declared: &BTreeMap<Place, String>,
    specs: &BTreeMap<String, Spec>,
    service: Value,
) -> Result<Option<(String, Spec)>, AwsError> {
    if !is_there(&service)? {
        return Ok(None);
    }
    let arn = revision(&service)
        .ok_or_else(|| AwsError::unreadable("a service has no task definition"))?;
    let definition = ecs::task_definition(aws, arn).await?;
    let cluster = last_part(text(&service, "clusterArn").unwrap_or_default());
    let name = text(&service, "serviceName").unwrap_or_default();
    let place = (cluster.to_owned(), name.to_owned());
    let key = declared.get(&place).cloned();
    let table = key.as_ref().and_then(|key| names.config.services.get(key));
    let mut spec = spec_of(&service, &definition, table, names)?;
    if let Some(declared) = key.as_ref().and_then(|key| specs.get(key)) {
        copy_unanswered(&mut spec, &service, declared);
    }
    let key = key.unwrap_or_else(|| format!("{cluster}/{name}"));
    Ok(Some((key, spec)))
}

/// Fields that count as declared where an answer does not have them at all: `DescribeServices` does
/// not answer with the first everywhere, and moto never with the second, which AWS always does.
const UNANSWERED: [(&str, &str); 2] = [
    ("monitoring", "monitoring"),
    ("deployment", "deploymentConfiguration"),
];

fn copy_unanswered(spec: &mut Spec, service: &Value, declared: &Spec) {
    for (name, field) in UNANSWERED {
        let has = |value: &Value| value.get(field).is_some_and(|value| !value.is_null());
        let deployments = service.get("deployments").and_then(Value::as_array);
        let is_answered = has(service) || deployments.is_some_and(|all| all.iter().any(has));
        if !is_answered && let Some(value) = declared.settings.get(name) {
            spec.settings.insert(name.to_owned(), value.clone());
        }
    }
}

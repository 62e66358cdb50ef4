//! The reads of ECS's clusters, each at most once in a look, as plain values.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_ecs::types::{Cluster as Described, ClusterField};
use futures::future::try_join_all;
use serde_json::Value;

use super::{Aws, Error, ecs, pages};

/// Clusters or tasks a request: the most that ECS takes.
const BATCH: usize = 100;

/// A cluster as ECS describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// The name.
    pub name: String,
    /// The ARN.
    pub arn: String,
    /// `ACTIVE`, `PROVISIONING` and so on; an `INACTIVE` one is not given here.
    pub status: String,
    /// The value of the setting `containerInsights`.
    pub container_insights: Option<String>,
    /// The names of the capacity providers.
    pub capacity_providers: Vec<String>,
    /// Provider, weight and base of each item of the default strategy.
    pub default_strategy: Vec<(String, i32, i32)>,
    /// All tags.
    pub tags: BTreeMap<String, String>,
    /// How many services stand in it.
    pub services: i32,
    /// How many tasks run or wait in it.
    pub tasks: i32,
    /// How many instances are registered in it.
    pub instances: i32,
}

/// Those of these clusters, by name or ARN, that are there; by name.
pub async fn clusters(
    aws: &Aws,
    wanted: &BTreeSet<String>,
) -> Result<BTreeMap<String, Cluster>, Error> {
    let wanted: Vec<&String> = wanted.iter().collect();
    let batches = wanted
        .chunks(BATCH)
        .map(|batch| batch_of(aws, batch.iter().map(|name| (*name).clone()).collect()));
    let batches = try_join_all(batches).await?;
    let clusters = batches.iter().flat_map(|batch| batch.iter());
    Ok(clusters
        .map(|cluster| (cluster.name.clone(), cluster.clone()))
        .collect())
}

async fn batch_of(aws: &Aws, names: Vec<String>) -> Result<Arc<Vec<Cluster>>, Error> {
    let key = format!("ecs:DescribeClusters:{}", names.join(","));
    aws.look().once(key, || describe(aws, names.clone())).await
}

/// One cluster, read anew: what a delete relies on.
pub async fn cluster_now(aws: &Aws, name: &str) -> Result<Option<Cluster>, Error> {
    Ok(describe(aws, vec![name.to_owned()]).await?.pop())
}

async fn describe(aws: &Aws, names: Vec<String>) -> Result<Vec<Cluster>, Error> {
    let answer = aws
        .read("ecs:DescribeClusters", |clients| {
            clients
                .ecs
                .describe_clusters()
                .set_clusters(Some(names.clone()))
                .include(ClusterField::Settings)
                .include(ClusterField::Tags)
                .send()
        })
        .await?;
    for failure in answer.failures.unwrap_or_default() {
        // A missing one is a normal answer; anything else is a cluster that could not be read.
        if failure.reason.as_deref() != Some("MISSING") {
            return Err(Error::unreadable(format!(
                "ecs:DescribeClusters says {} of {}.",
                failure.reason.unwrap_or_default(),
                failure.arn.unwrap_or_default()
            )));
        }
    }
    let clusters = answer.clusters.unwrap_or_default().into_iter();
    clusters
        .filter(|cluster| cluster.status.as_deref() != Some("INACTIVE"))
        .map(cluster)
        .collect()
}

fn cluster(described: Described) -> Result<Cluster, Error> {
    let (Some(name), Some(arn)) = (described.cluster_name, described.cluster_arn) else {
        return Err(Error::unreadable(
            "ecs:DescribeClusters gives a cluster without name or ARN.",
        ));
    };
    let settings = described.settings.unwrap_or_default().into_iter();
    let strategy = described
        .default_capacity_provider_strategy
        .unwrap_or_default();
    let tags = described.tags.unwrap_or_default().into_iter();
    Ok(Cluster {
        name,
        arn,
        status: described.status.unwrap_or_default(),
        container_insights: settings
            .filter(|setting| {
                setting
                    .name
                    .as_ref()
                    .is_some_and(|name| name.as_str() == "containerInsights")
            })
            .find_map(|setting| setting.value),
        capacity_providers: described.capacity_providers.unwrap_or_default(),
        default_strategy: strategy
            .into_iter()
            .map(|item| (item.capacity_provider, item.weight, item.base))
            .collect(),
        tags: tags
            .filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())))
            .collect(),
        services: described.active_services_count,
        tasks: described
            .running_tasks_count
            .saturating_add(described.pending_tasks_count),
        instances: described.registered_container_instances_count,
    })
}

/// The ARNs of every cluster of the region.
pub async fn all(aws: &Aws) -> Result<Arc<Vec<String>>, Error> {
    aws.look()
        .once("ecs:ListClusters", || {
            pages::all("ecs:ListClusters", |token| async move {
                let answer = aws
                    .read("ecs:ListClusters", |clients| {
                        clients
                            .ecs
                            .list_clusters()
                            .set_next_token(token.clone())
                            .send()
                    })
                    .await?;
                Ok((answer.cluster_arns.unwrap_or_default(), answer.next_token))
            })
        })
        .await
}

/// The names of the services in a cluster that do not carry this tag.
pub async fn services_without(
    aws: &Aws,
    cluster: &str,
    tag: &str,
    value: &str,
) -> Result<Vec<String>, Error> {
    let arns = ecs::list_services(aws, cluster).await?;
    let services = ecs::services(aws, cluster, &arns).await?;
    let text = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).map(str::to_owned);
    let is_marked = |service: &Value| {
        let tags = service.get("tags").and_then(Value::as_array);
        tags.into_iter().flatten().any(|found| {
            text(found, "key").as_deref() == Some(tag)
                && text(found, "value").as_deref() == Some(value)
        })
    };
    Ok(services
        .iter()
        .filter(|service| text(service, "status").as_deref() != Some("INACTIVE"))
        .filter(|service| !is_marked(service))
        .filter_map(|service| text(service, "serviceName"))
        .collect())
}

/// How many tasks are meant to run in a cluster and belong to no service.
pub async fn tasks_without_service(aws: &Aws, cluster: &str) -> Result<usize, Error> {
    let arns = pages::all("ecs:ListTasks", |token| async move {
        let answer = aws
            .read("ecs:ListTasks", |clients| {
                let request = clients.ecs.list_tasks().cluster(cluster);
                request.set_next_token(token.clone()).send()
            })
            .await?;
        Ok((answer.task_arns.unwrap_or_default(), answer.next_token))
    })
    .await?;
    let batches = arns.chunks(BATCH).map(|batch| async move {
        let answer = aws
            .read("ecs:DescribeTasks", |clients| {
                let request = clients.ecs.describe_tasks().cluster(cluster);
                request.set_tasks(Some(batch.to_vec())).send()
            })
            .await?;
        let tasks = answer.tasks.unwrap_or_default().into_iter();
        let is_alone = |group: Option<&str>| !group.unwrap_or_default().starts_with("service:");
        Ok::<_, Error>(tasks.filter(|task| is_alone(task.group())).count())
    });
    Ok(try_join_all(batches).await?.into_iter().sum())
}

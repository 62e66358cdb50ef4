//! Clusters as they are in the account, and the calls as requests.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_ecs::types::{
    CapacityProviderStrategyItem as SdkItem, ClusterSetting, ClusterSettingName, Tag,
};
use futures::future::try_join_all;

use super::{Call, Cluster, Spec, by_provider};
use crate::aws::{Attempts, Aws, Class, Error as AwsError, ecs_clusters};
use crate::config::{CapacityProviderStrategyItem, ContainerInsights, Tags};
use crate::error::{Error, Result};
use crate::kind::{Address, Kind, OWNER_TAG, Scope};
use crate::kinds::identity::still_ours;
use crate::kinds::regional::{self, Arns};
use crate::kinds::{Aside, tags};

const ARNS: Arns = Arns {
    service: "ecs",
    before_name: "cluster/",
    after_name: 0,
    emulated: true,
};

/// How long the tasks of services that were just deleted are waited for: a load balancer drains its
/// targets for five minutes by default, and a task may take two to stop.
const DRAINING: Duration = Duration::from_mins(10);
/// Between two attempts to delete a cluster that still drains: ECS gives one token a second for all
/// changes of clusters.
const DRAINING_PAUSE: Duration = Duration::from_secs(5);

/// What is declared, and what carries our mark.
pub(super) async fn observe(aws: &Aws, scope: &Scope) -> Result<BTreeMap<String, Spec>> {
    let search = || async {
        let arns = ecs_clusters::all(aws).await?;
        let names = arns.iter().filter_map(|arn| ARNS.name(arn));
        Ok(names.map(str::to_owned).collect())
    };
    let declared = scope.config.clusters.keys();
    let read = |names| read(aws, scope, names);
    regional::observe(aws, scope, Cluster::NAME, ARNS, declared, read, search).await
}

/// The clusters of these names that are there.
async fn read(aws: &Aws, scope: &Scope, names: BTreeSet<String>) -> Result<BTreeMap<String, Spec>> {
    let found = ecs_clusters::clusters(aws, &names).await?;
    let reads = found.into_values().map(|cluster| async move {
        let address = Address::new(Cluster::NAME, &cluster.name);
        let spec = spec(aws, scope, &cluster)
            .await
            .map_err(|error| error.at(&address))?;
        Ok::<_, Error>((cluster.name, spec))
    });
    Ok(try_join_all(reads).await?.into_iter().collect())
}

/// Only what infra.toml names is in the spec: the rest is AWS's and others'.
async fn spec(aws: &Aws, scope: &Scope, cluster: &ecs_clusters::Cluster) -> Result<Spec> {
    let config = &scope.config;
    let declared = config.clusters.get(&cluster.name);
    let live = tags::observed(
        cluster.tags.clone(),
        declared.map(|declared| &declared.tags),
        config,
    );
    let leaves = scope.destroy || declared.is_none();
    let others = if leaves && live.owner.as_deref() == Some(config.owner_mark().as_str()) {
        others(aws, scope, cluster).await?
    } else {
        Vec::new()
    };
    let named = |is: fn(&crate::config::Cluster) -> bool| declared.is_some_and(is);
    Ok(Spec {
        owner: live.owner,
        container_insights: named(|one| one.container_insights.is_some())
            .then(|| container_insights(cluster))
            .transpose()?,
        capacity_providers: named(|one| one.capacity_providers.is_some()).then(|| {
            let mut providers = cluster.capacity_providers.clone();
            providers.sort();
            providers
        }),
        default_capacity_provider_strategy: named(|one| {
            one.default_capacity_provider_strategy.is_some()
        })
        .then(|| strategy(cluster)),
        tags: live.tags,
        others: Aside(others),
    })
}

fn container_insights(cluster: &ecs_clusters::Cluster) -> Result<ContainerInsights> {
    match cluster.container_insights.as_deref() {
        None => Ok(ContainerInsights::Disabled),
        Some(word) => ContainerInsights::from_text(word)
            .ok_or_else(|| regional::unknown_word("containerInsights", word)),
    }
}

fn strategy(cluster: &ecs_clusters::Cluster) -> Vec<CapacityProviderStrategyItem> {
    let items = cluster.default_strategy.iter();
    by_provider(
        items
            .map(|(provider, weight, base)| CapacityProviderStrategyItem {
                capacity_provider: provider.clone(),
                weight: *weight,
                base: *base,
            })
            .collect(),
    )
}

/// What stands in a cluster and is not ours. Our own services are their own resources, and the plan
/// sees to it that they go first.
async fn others(aws: &Aws, scope: &Scope, cluster: &ecs_clusters::Cluster) -> Result<Vec<String>> {
    let mut others = Vec::new();
    if cluster.services > 0 {
        let mark = scope.config.owner_mark();
        let services = ecs_clusters::services_without(aws, &cluster.name, OWNER_TAG, &mark).await?;
        others.extend(services.into_iter().map(|name| format!("service {name}")));
    }
    // The tasks of a service end with it; those of services that are gone already are waited for.
    if cluster.tasks > 0 {
        let alone = ecs_clusters::tasks_without_service(aws, &cluster.name).await?;
        if alone > 0 {
            others.push(format!("{alone} tasks"));
        }
    }
    if cluster.instances > 0 {
        others.push(format!("{} container instances", cluster.instances));
    }
    Ok(others)
}

/// Sends the requests of one call.
pub(super) async fn perform(aws: &Aws, scope: &Scope, name: &str, call: &Call) -> Result<()> {
    match call {
        Call::Create {
            container_insights,
            capacity_providers,
            default_capacity_provider_strategy,
            tags,
        } => {
            let providers = capacity_providers.as_deref();
            let strategy = default_capacity_provider_strategy.as_deref();
            Ok(create(aws, name, *container_insights, (providers, strategy), tags).await?)
        }
        Call::SetContainerInsights { container_insights } => {
            Ok(set_container_insights(aws, name, *container_insights).await?)
        }
        Call::PutCapacityProviders {
            capacity_providers,
            default_capacity_provider_strategy,
        } => {
            let providers = capacity_providers.as_deref();
            let strategy = default_capacity_provider_strategy.as_deref();
            put_capacity_providers(aws, name, providers, strategy).await
        }
        Call::Tag { tags } => Ok(tag(aws, &arn(scope, name), tags).await?),
        Call::Untag { keys } => Ok(untag(aws, &arn(scope, name), keys).await?),
        Call::Delete => delete(aws, scope, name).await,
    }
}

fn arn(scope: &Scope, name: &str) -> String {
    let project = &scope.config.project;
    project.regional_arn("ecs", &format!("cluster/{name}"))
}

type Capacity<'a> = (
    Option<&'a [String]>,
    Option<&'a [CapacityProviderStrategyItem]>,
);

async fn create(
    aws: &Aws,
    name: &str,
    insights: Option<ContainerInsights>,
    (providers, strategy): Capacity<'_>,
    tags: &Tags,
) -> Result<(), AwsError> {
    let strategy = strategy.map(sdk_strategy).transpose()?;
    aws.write("ecs:CreateCluster", Attempts::Once, |clients| {
        clients
            .ecs
            .create_cluster()
            .cluster_name(name)
            .set_settings(insights.map(|insights| vec![setting(insights)]))
            .set_capacity_providers(providers.map(<[String]>::to_vec))
            .set_default_capacity_provider_strategy(strategy.clone())
            .set_tags(Some(tag_list(tags)))
            .send()
    })
    .await?;
    Ok(())
}

fn setting(insights: ContainerInsights) -> ClusterSetting {
    ClusterSetting::builder()
        .name(ClusterSettingName::ContainerInsights)
        .value(insights.as_str())
        .build()
}

fn sdk_strategy(items: &[CapacityProviderStrategyItem]) -> Result<Vec<SdkItem>, AwsError> {
    let items = items.iter().map(|item| {
        SdkItem::builder()
            .capacity_provider(&item.capacity_provider)
            .weight(item.weight)
            .base(item.base)
            .build()
            .map_err(|error| AwsError::unreadable(error.to_string()))
    });
    items.collect()
}

fn tag_list(tags: &Tags) -> Vec<Tag> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect()
}

async fn set_container_insights(
    aws: &Aws,
    name: &str,
    insights: ContainerInsights,
) -> Result<(), AwsError> {
    aws.write(
        "ecs:UpdateClusterSettings",
        Attempts::Idempotent,
        |clients| {
            clients
                .ecs
                .update_cluster_settings()
                .cluster(name)
                .settings(setting(insights))
                .send()
        },
    )
    .await?;
    Ok(())
}

/// ECS takes both together: what is not given is sent as it is.
async fn put_capacity_providers(
    aws: &Aws,
    name: &str,
    providers: Option<&[String]>,
    wanted: Option<&[CapacityProviderStrategyItem]>,
) -> Result<()> {
    let (providers, wanted) = match (providers, wanted) {
        (Some(providers), Some(wanted)) => (providers.to_vec(), wanted.to_vec()),
        (providers, wanted) => {
            let Some(live) = ecs_clusters::cluster_now(aws, name).await? else {
                return Err(Error::failed("The cluster is not there any more."));
            };
            let kept = strategy(&live);
            (
                providers.map_or(live.capacity_providers, <[String]>::to_vec),
                wanted.map_or(kept, <[CapacityProviderStrategyItem]>::to_vec),
            )
        }
    };
    let items = sdk_strategy(&wanted)?;
    aws.write(
        "ecs:PutClusterCapacityProviders",
        Attempts::Idempotent,
        |clients| {
            clients
                .ecs
                .put_cluster_capacity_providers()
                .cluster(name)
                .set_capacity_providers(Some(providers.clone()))
                .set_default_capacity_provider_strategy(Some(items.clone()))
                .send()
        },
    )
    .await?;
    Ok(())
}

async fn tag(aws: &Aws, arn: &str, tags: &Tags) -> Result<(), AwsError> {
    aws.write("ecs:TagResource", Attempts::Idempotent, |clients| {
        clients
            .ecs
            .tag_resource()
            .resource_arn(arn)
            .set_tags(Some(tag_list(tags)))
            .send()
    })
    .await?;
    Ok(())
}

async fn untag(aws: &Aws, arn: &str, keys: &BTreeSet<String>) -> Result<(), AwsError> {
    aws.write("ecs:UntagResource", Attempts::Idempotent, |clients| {
        clients
            .ecs
            .untag_resource()
            .resource_arn(arn)
            .set_tag_keys(Some(keys.iter().cloned().collect()))
            .send()
    })
    .await?;
    Ok(())
}

/// Our services are gone by now, but their tasks may still stop: that is waited for, up to a limit.
async fn delete(aws: &Aws, scope: &Scope, name: &str) -> Result<()> {
    let clock = aws.clock();
    let begun = clock.now();
    loop {
        match ecs_clusters::cluster_now(aws, name).await? {
            None => return Ok(()),
            Some(cluster) => still_ours(&cluster.tags, &scope.config)?,
        }
        let sent = aws
            .write("ecs:DeleteCluster", Attempts::Idempotent, |clients| {
                clients.ecs.delete_cluster().cluster(name).send()
            })
            .await;
        match sent {
            Ok(_) => return Ok(()),
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) if error.class == Class::InUse => {
                if clock.now().saturating_sub(begun) >= DRAINING {
                    return Err(error.into());
                }
            }
            Err(error) => return Err(error.into()),
        }
        clock.sleep(DRAINING_PAUSE).await;
    }
}

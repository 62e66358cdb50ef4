//! `cluster`: an ECS cluster. Container insights and capacity providers are left to AWS and to
//! others unless infra.toml names them.

mod live;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Aside, tags};
use crate::aws::Aws;
use crate::config::{CapacityProviderStrategyItem, Config, ContainerInsights, Tags};
use crate::error::Result;
use crate::kind::{Kind, Owned, Performed, Refusal, Scope};

/// The kind `cluster`.
#[derive(Clone, Copy, Debug)]
pub struct Cluster;

/// Everything managed about one cluster. What infra.toml does not name is not in it, live or not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spec {
    /// The owner mark.
    pub owner: Option<String>,
    /// `CloudWatch` Container Insights.
    pub container_insights: Option<ContainerInsights>,
    /// The capacity providers, sorted.
    pub capacity_providers: Option<Vec<String>>,
    /// The strategy of services that name none, sorted by provider.
    pub default_capacity_provider_strategy: Option<Vec<CapacityProviderStrategyItem>>,
    /// All tags but the owner mark, AWS's and the ignored ones.
    pub tags: Tags,
    /// What others have in it; ECS does not delete it before that is gone. Read only where the
    /// cluster is to be deleted.
    #[serde(skip)]
    pub others: Aside<Vec<String>>,
}

impl Owned for Spec {
    fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }
}

/// One mutation of a cluster.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Call {
    /// Makes it, with its tags and its owner mark.
    Create {
        /// Left to AWS where none is given.
        container_insights: Option<ContainerInsights>,
        /// Left to AWS where none are given.
        capacity_providers: Option<Vec<String>>,
        /// Left to AWS where none is given.
        default_capacity_provider_strategy: Option<Vec<CapacityProviderStrategyItem>>,
        /// The owner mark among them.
        tags: Tags,
    },
    /// Sets Container Insights.
    SetContainerInsights {
        /// How much of it.
        container_insights: ContainerInsights,
    },
    /// Sets capacity providers and default strategy.
    PutCapacityProviders {
        /// All of them; none: as they are.
        capacity_providers: Option<Vec<String>>,
        /// All of it; none: as it is.
        default_capacity_provider_strategy: Option<Vec<CapacityProviderStrategyItem>>,
    },
    /// Adds or overwrites tags.
    Tag {
        /// The owner mark among them where it is adopted.
        tags: Tags,
    },
    /// Removes tags.
    Untag {
        /// Never the owner mark.
        keys: BTreeSet<String>,
    },
    /// Removes it.
    Delete,
}

impl Kind for Cluster {
    const NAME: &'static str = "cluster";
    type Spec = Spec;
    type Call = Call;

    fn declare(&self, config: &Config) -> BTreeMap<String, Spec> {
        config
            .clusters
            .iter()
            .map(|(name, cluster)| {
                let spec = Spec {
                    owner: Some(config.owner_mark()),
                    container_insights: cluster.container_insights,
                    capacity_providers: cluster.capacity_providers.clone(),
                    default_capacity_provider_strategy: cluster
                        .default_capacity_provider_strategy
                        .clone()
                        .map(by_provider),
                    tags: cluster.tags.clone(),
                    others: Aside::default(),
                };
                (name.clone(), spec)
            })
            .collect()
    }

    async fn observe(&self, aws: &Aws, scope: &Scope) -> Result<BTreeMap<String, Spec>> {
        live::observe(aws, scope).await
    }

    fn keep(&self, mut desired: Spec, live: Option<&Spec>) -> Spec {
        if let Some(live) = live {
            desired.others = live.others.clone();
        }
        desired
    }

    fn calls(&self, _: &str, before: Option<&Spec>, after: Option<&Spec>) -> Vec<Call> {
        match (before, after) {
            (None, None) => Vec::new(),
            (None, Some(after)) => vec![create(after)],
            (Some(_), None) => vec![Call::Delete],
            (Some(before), Some(after)) => changes(before, after),
        }
    }

    fn effect(&self, spec: Option<Spec>, call: &Call) -> Result<Option<Spec>, Refusal> {
        effect(spec, call)
    }

    async fn perform(
        &self,
        aws: &Aws,
        scope: &Scope,
        name: &str,
        call: &Call,
    ) -> Result<Performed> {
        live::perform(aws, scope, name, call).await?;
        Ok(Performed::default())
    }
}

/// A strategy's items have no order.
fn by_provider(mut items: Vec<CapacityProviderStrategyItem>) -> Vec<CapacityProviderStrategyItem> {
    items.sort_by(|one, other| one.capacity_provider.cmp(&other.capacity_provider));
    items
}

fn create(spec: &Spec) -> Call {
    let Spec {
        owner,
        container_insights,
        capacity_providers,
        default_capacity_provider_strategy,
        tags,
        others: _,
    } = spec;
    Call::Create {
        container_insights: *container_insights,
        capacity_providers: capacity_providers.clone(),
        default_capacity_provider_strategy: default_capacity_provider_strategy.clone(),
        tags: tags::with_owner(tags, owner.as_deref()),
    }
}

fn changes(before: &Spec, after: &Spec) -> Vec<Call> {
    let Spec {
        owner,
        container_insights,
        capacity_providers,
        default_capacity_provider_strategy,
        tags,
        others: _,
    } = after;
    let mut calls = Vec::new();
    let change = tags::change(
        (&before.tags, before.owner.as_deref()),
        (tags, owner.as_deref()),
    );
    if !change.add.is_empty() {
        calls.push(Call::Tag { tags: change.add });
    }
    if let Some(container_insights) = *container_insights
        && before.container_insights != Some(container_insights)
    {
        calls.push(Call::SetContainerInsights { container_insights });
    }
    if *capacity_providers != before.capacity_providers
        || *default_capacity_provider_strategy != before.default_capacity_provider_strategy
    {
        calls.push(Call::PutCapacityProviders {
            capacity_providers: capacity_providers.clone(),
            default_capacity_provider_strategy: default_capacity_provider_strategy.clone(),
        });
    }
    if !change.remove.is_empty() {
        calls.push(Call::Untag {
            keys: change.remove,
        });
    }
    calls
}

fn effect(spec: Option<Spec>, call: &Call) -> Result<Option<Spec>, Refusal> {
    match (spec, call) {
        (Some(_), Call::Create { .. }) => {
            Err(Refusal::not_yet("There is a cluster of this name already."))
        }
        (
            None,
            Call::Create {
                container_insights,
                capacity_providers,
                default_capacity_provider_strategy,
                tags,
            },
        ) => {
            let live = tags::apart(tags.clone());
            Ok(Some(Spec {
                owner: live.owner,
                container_insights: *container_insights,
                capacity_providers: capacity_providers.clone(),
                default_capacity_provider_strategy: default_capacity_provider_strategy.clone(),
                tags: live.tags,
                others: Aside::default(),
            }))
        }
        (Some(spec), Call::Delete) if !spec.others.0.is_empty() => Err(Refusal::blocked(format!(
            "It is not deleted while others use it: {}.",
            spec.others.0.join(", ")
        ))
        .hint("Remove them first, or keep the cluster in infra.toml.")),
        (_, Call::Delete) => Ok(None),
        (None, _) => Err(Refusal::not_yet("The cluster is not there yet.")),
        (Some(mut spec), call) => {
            change(&mut spec, call);
            Ok(Some(spec))
        }
    }
}

fn change(spec: &mut Spec, call: &Call) {
    match call {
        Call::SetContainerInsights { container_insights } => {
            spec.container_insights = Some(*container_insights);
        }
        Call::PutCapacityProviders {
            capacity_providers,
            default_capacity_provider_strategy,
        } => {
            spec.capacity_providers.clone_from(capacity_providers);
            spec.default_capacity_provider_strategy
                .clone_from(default_capacity_provider_strategy);
        }
        Call::Tag { tags } => tags::add(&mut spec.tags, &mut spec.owner, tags),
        Call::Untag { keys } => tags::remove(&mut spec.tags, keys),
        Call::Create { .. } | Call::Delete => {}
    }
}

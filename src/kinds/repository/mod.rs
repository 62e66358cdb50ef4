//! `repository`: an ECR repository with its lifecycle policy and its repository policy.
//! Image scanning is the registry's to set and is left alone.

mod effect;
mod json;
mod live;
#[cfg(test)]
pub(in crate::kinds) mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use self::json::JsonText;
use super::identity::{same_meaning, spelling_note, spelt_differently};
use super::{Aside, tags};
use crate::aws::Aws;
use crate::config::{Config, Encryption, TagMutability, Tags};
use crate::error::Result;
use crate::kind::{Address, Kind, Owned, Performed, Refusal, Scope};
use crate::policy::{Document, Principal};

/// The kind `repository`.
#[derive(Clone, Copy, Debug)]
pub struct Repository;

/// Everything managed about one repository.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spec {
    /// The owner mark.
    pub owner: Option<String>,
    /// Whether a tag may be moved.
    pub image_tag_mutability: TagMutability,
    /// The tag patterns that are excepted, sorted.
    pub mutability_exclusions: Vec<String>,
    /// The lifecycle policy.
    pub lifecycle_policy: Option<JsonText>,
    /// The repository policy.
    pub policy: Option<Document>,
    /// Fixed at creation.
    pub encryption: Encryption,
    /// All tags but the owner mark, AWS's and the ignored ones.
    pub tags: Tags,
    /// Whether a delete takes the images with it; AWS never returns it.
    #[serde(skip)]
    pub force_delete: Aside<bool>,
    /// Whether it holds images; read only where it is to be deleted.
    #[serde(skip)]
    pub holds_images: Aside<bool>,
}

impl Owned for Spec {
    fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }
}

/// One mutation of a repository.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Call {
    /// Makes it, with its tags and its owner mark.
    Create {
        /// Whether a tag may be moved.
        image_tag_mutability: TagMutability,
        /// The tag patterns that are excepted.
        mutability_exclusions: Vec<String>,
        /// How images are encrypted.
        encryption: Encryption,
        /// The owner mark among them.
        tags: Tags,
    },
    /// Sets whether tags may be moved.
    SetMutability {
        /// For all tags but the excepted ones.
        image_tag_mutability: TagMutability,
        /// All patterns, not only new ones.
        mutability_exclusions: Vec<String>,
    },
    /// Puts the lifecycle policy.
    PutLifecyclePolicy {
        /// The whole policy.
        lifecycle_policy: JsonText,
    },
    /// Removes the lifecycle policy.
    DeleteLifecyclePolicy,
    /// Sets the repository policy.
    SetPolicy {
        /// The whole policy.
        policy: Document,
    },
    /// Removes the repository policy.
    DeletePolicy,
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
    /// Stands for a change that ECR does not have; it is always refused.
    SetFixed {
        /// The field.
        field: &'static str,
    },
    /// Removes it.
    Delete {
        /// With its images.
        force: bool,
    },
}

impl Kind for Repository {
    const NAME: &'static str = "repository";
    type Spec = Spec;
    type Call = Call;

    fn declare(&self, config: &Config) -> BTreeMap<String, Spec> {
        config
            .repositories
            .iter()
            .map(|(name, repository)| {
                let spec = Spec {
                    owner: Some(config.owner_mark()),
                    image_tag_mutability: repository.image_tag_mutability,
                    mutability_exclusions: repository.mutability_exclusions.clone(),
                    lifecycle_policy: repository
                        .lifecycle_policy
                        .as_ref()
                        .map(|policy| JsonText::new(policy.text.as_str())),
                    policy: repository
                        .policy
                        .as_ref()
                        .map(|policy| policy.document.clone()),
                    encryption: repository.encryption.clone(),
                    tags: repository.tags.clone(),
                    force_delete: Aside(repository.force_delete),
                    holds_images: Aside::default(),
                };
                (name.clone(), spec)
            })
            .collect()
    }

    async fn observe(&self, aws: &Aws, scope: &Scope) -> Result<BTreeMap<String, Spec>> {
        live::observe(aws, scope).await
    }

    fn keep(&self, mut desired: Spec, live: Option<&Spec>) -> Spec {
        let Some(live) = live else {
            return desired;
        };
        if desired.lifecycle_policy == live.lifecycle_policy {
            desired.lifecycle_policy.clone_from(&live.lifecycle_policy);
        }
        if let (Some(policy), Some(same)) = (&desired.policy, &live.policy)
            && same_meaning(policy, same)
        {
            desired.policy.clone_from(&live.policy);
        }
        // A repository without a key of its own has AWS's, whose ARN only ECR knows.
        if desired.encryption.r#type == live.encryption.r#type && desired.encryption.key.is_none() {
            desired.encryption.key.clone_from(&live.encryption.key);
        }
        super::regional::keep_key(&mut desired.encryption.key, live.encryption.key.as_ref());
        desired.holds_images = live.holds_images.clone();
        desired
    }

    fn calls(&self, _: &str, before: Option<&Spec>, after: Option<&Spec>) -> Vec<Call> {
        match (before, after) {
            (None, None) => Vec::new(),
            (None, Some(after)) => {
                let create = create(after);
                let mut calls = vec![create];
                calls.extend(texts(None, after));
                calls
            }
            (Some(before), None) => vec![Call::Delete {
                force: before.force_delete.0,
            }],
            (Some(before), Some(after)) => changes(before, after),
        }
    }

    fn effect(&self, spec: Option<Spec>, call: &Call) -> Result<Option<Spec>, Refusal> {
        effect::effect(spec, call)
    }

    fn refers(&self, spec: &Spec) -> Vec<Address> {
        spec.policy.iter().flat_map(roles).collect()
    }

    fn documents(&self, spec: &Spec) -> BTreeMap<String, Document> {
        let policy = spec.policy.iter();
        policy
            .map(|policy| ("policy".to_owned(), policy.clone()))
            .collect()
    }

    fn notes(&self, desired: &Spec, live: Option<&Spec>) -> Vec<String> {
        let spelt = |live: &Spec| match (&desired.policy, &live.policy) {
            (Some(desired), Some(live)) => spelt_differently(desired, live),
            _ => false,
        };
        live.filter(|live| spelt(live))
            .map(|_| spelling_note("policy"))
            .into_iter()
            .collect()
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

/// The roles that a repository policy names: ECR refuses a principal that is not there.
fn roles(policy: &Document) -> Vec<Address> {
    let named = policy
        .statements()
        .iter()
        .filter_map(|statement| statement.principals.as_ref())
        .flat_map(|principals| &principals.list);
    named
        .filter_map(|principal| match principal {
            Principal::Aws(arn) => arn.split_once(":role/"),
            _ => None,
        })
        .filter_map(|(_, path)| path.rsplit('/').next())
        .map(|name| Address::new("role", name))
        .collect()
}

fn create(spec: &Spec) -> Call {
    let Spec {
        owner,
        image_tag_mutability,
        mutability_exclusions,
        lifecycle_policy: _,
        policy: _,
        encryption,
        tags,
        force_delete: _,
        holds_images: _,
    } = spec;
    Call::Create {
        image_tag_mutability: *image_tag_mutability,
        mutability_exclusions: mutability_exclusions.clone(),
        encryption: encryption.clone(),
        tags: tags::with_owner(tags, owner.as_deref()),
    }
}

/// The calls for the two policies.
fn texts(before: Option<&Spec>, after: &Spec) -> Vec<Call> {
    let mut calls = Vec::new();
    let lifecycle = before.and_then(|before| before.lifecycle_policy.as_ref());
    if lifecycle != after.lifecycle_policy.as_ref() {
        calls.push(match &after.lifecycle_policy {
            Some(lifecycle_policy) => Call::PutLifecyclePolicy {
                lifecycle_policy: lifecycle_policy.clone(),
            },
            None => Call::DeleteLifecyclePolicy,
        });
    }
    let policy = before.and_then(|before| before.policy.as_ref());
    if policy != after.policy.as_ref() {
        calls.push(match &after.policy {
            Some(policy) => Call::SetPolicy {
                policy: policy.clone(),
            },
            None => Call::DeletePolicy,
        });
    }
    calls
}

fn changes(before: &Spec, after: &Spec) -> Vec<Call> {
    let Spec {
        owner,
        image_tag_mutability,
        mutability_exclusions,
        lifecycle_policy: _,
        policy: _,
        encryption,
        tags,
        force_delete: _,
        holds_images: _,
    } = after;
    let mut calls = Vec::new();
    if *encryption != before.encryption {
        calls.push(Call::SetFixed {
            field: "encryption",
        });
    }
    let change = tags::change(
        (&before.tags, before.owner.as_deref()),
        (tags, owner.as_deref()),
    );
    if !change.add.is_empty() {
        calls.push(Call::Tag { tags: change.add });
    }
    if *image_tag_mutability != before.image_tag_mutability
        || *mutability_exclusions != before.mutability_exclusions
    {
        calls.push(Call::SetMutability {
            image_tag_mutability: *image_tag_mutability,
            mutability_exclusions: mutability_exclusions.clone(),
        });
    }
    calls.extend(texts(Some(before), after));
    if !change.remove.is_empty() {
        calls.push(Call::Untag {
            keys: change.remove,
        });
    }
    calls
}

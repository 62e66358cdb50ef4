//! `secret`: a secret of Secrets Manager. Its first value is made in the creating call or set by
//! hand; no value is ever read, nor is any in a spec or a call.

mod live;
#[cfg(test)]
mod tests;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Aside, regional, tags};
use crate::aws::Aws;
use crate::config::{Config, Generate, Tags};
use crate::error::Result;
use crate::kind::{Kind, Owned, Performed, Refusal, Scope};

/// The kind `secret`.
#[derive(Clone, Copy, Debug)]
pub struct Secret;

/// Everything managed about one secret.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spec {
    /// The owner mark.
    pub owner: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// The KMS key; none: `aws/secretsmanager`.
    pub kms_key_id: Option<String>,
    /// All tags but the owner mark, AWS's and the ignored ones.
    pub tags: Tags,
    /// How the first value is made; AWS does not know it.
    #[serde(skip)]
    pub generate: Aside<Option<Generate>>,
    /// Days until a deleted secret is gone, 0 for at once; AWS does not know it beforehand.
    #[serde(skip)]
    pub recovery_window_in_days: Aside<i32>,
}

impl Owned for Spec {
    fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }
}

/// One mutation of a secret.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Call {
    /// Makes it, with its tags, its owner mark and its first value. One of ours that is scheduled
    /// for deletion is restored, tagged and given a new value.
    Create {
        /// Free text.
        description: Option<String>,
        /// The KMS key.
        kms_key_id: Option<String>,
        /// How the value is made when the call is performed; none: it has no value yet.
        generate: Option<Generate>,
        /// The owner mark among them.
        tags: Tags,
    },
    /// Sets description and key.
    Update {
        /// Free text; none for none.
        description: Option<String>,
        /// The KMS key; none for `aws/secretsmanager`.
        kms_key_id: Option<String>,
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
    /// Schedules it for deletion.
    Delete {
        /// Days in which it can be restored; 0: deleted at once.
        recovery_window_in_days: i32,
    },
}

/// Days in which a deleted secret can be restored, where infra.toml does not say (any more): AWS's
/// default, and its maximum.
const RECOVERY_WINDOW: i32 = 30;

impl Kind for Secret {
    const NAME: &'static str = "secret";
    type Spec = Spec;
    type Call = Call;

    fn declare(&self, config: &Config) -> BTreeMap<String, Spec> {
        config
            .secrets
            .iter()
            .map(|(name, secret)| {
                let spec = Spec {
                    owner: Some(config.owner_mark()),
                    description: secret.description.clone(),
                    kms_key_id: secret.kms_key_id.clone(),
                    tags: secret.tags.clone(),
                    generate: Aside(secret.generate.clone()),
                    recovery_window_in_days: Aside(secret.recovery_window_in_days),
                };
                (name.clone(), spec)
            })
            .collect()
    }

    async fn observe(&self, aws: &Aws, scope: &Scope) -> Result<BTreeMap<String, Spec>> {
        live::observe(aws, scope).await
    }

    fn keep(&self, mut desired: Spec, live: Option<&Spec>) -> Spec {
        let key = live.and_then(|live| live.kms_key_id.as_ref());
        regional::keep_key(&mut desired.kms_key_id, key);
        desired
    }

    fn calls(&self, _: &str, before: Option<&Spec>, after: Option<&Spec>) -> Vec<Call> {
        match (before, after) {
            (None, None) => Vec::new(),
            (None, Some(after)) => vec![create(after)],
            (Some(before), None) => vec![Call::Delete {
                recovery_window_in_days: before.recovery_window_in_days.0,
            }],
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
        let without_value = live::perform(aws, scope, name, call).await?;
        let mut performed = Performed::default();
        if without_value {
            performed
                .notes
                .push(format!("no value yet: provision secret set {name}"));
        }
        Ok(performed)
    }
}

fn create(spec: &Spec) -> Call {
    let Spec {
        owner,
        description,
        kms_key_id,
        tags,
        generate,
        recovery_window_in_days: _,
    } = spec;
    Call::Create {
        description: description.clone(),
        kms_key_id: kms_key_id.clone(),
        generate: generate.0.clone(),
        tags: tags::with_owner(tags, owner.as_deref()),
    }
}

fn changes(before: &Spec, after: &Spec) -> Vec<Call> {
    let Spec {
        owner,
        description,
        kms_key_id,
        tags,
        generate: _,
        recovery_window_in_days: _,
    } = after;
    let mut calls = Vec::new();
    let change = tags::change(
        (&before.tags, before.owner.as_deref()),
        (tags, owner.as_deref()),
    );
    if !change.add.is_empty() {
        calls.push(Call::Tag { tags: change.add });
    }
    if *description != before.description || *kms_key_id != before.kms_key_id {
        calls.push(Call::Update {
            description: description.clone(),
            kms_key_id: kms_key_id.clone(),
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
            Err(Refusal::not_yet("There is a secret of this name already."))
        }
        (
            None,
            Call::Create {
                description,
                kms_key_id,
                generate,
                tags,
            },
        ) => {
            let live = tags::apart(tags.clone());
            Ok(Some(Spec {
                owner: live.owner,
                description: description.clone(),
                kms_key_id: kms_key_id.clone(),
                tags: live.tags,
                generate: Aside(generate.clone()),
                recovery_window_in_days: Aside(RECOVERY_WINDOW),
            }))
        }
        (
            _,
            Call::Delete {
                recovery_window_in_days: _,
            },
        ) => Ok(None),
        (None, _) => Err(Refusal::not_yet("The secret is not there yet.")),
        (Some(mut spec), call) => {
            change(&mut spec, call);
            Ok(Some(spec))
        }
    }
}

fn change(spec: &mut Spec, call: &Call) {
    match call {
        Call::Update {
            description,
            kms_key_id,
        } => {
            spec.description.clone_from(description);
            spec.kms_key_id.clone_from(kms_key_id);
        }
        Call::Tag { tags } => tags::add(&mut spec.tags, &mut spec.owner, tags),
        Call::Untag { keys } => tags::remove(&mut spec.tags, keys),
        Call::Create { .. } | Call::Delete { .. } => {}
    }
}

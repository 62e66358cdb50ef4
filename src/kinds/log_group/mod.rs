//! `log_group`: a CloudWatch log group.

mod live;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{regional, tags};
use crate::aws::Aws;
use crate::config::{Config, LogGroupClass, Tags};
use crate::error::Result;
use crate::kind::{Kind, Owned, Performed, Refusal, Scope};

/// The kind `log_group`.
#[derive(Clone, Copy, Debug)]
pub struct LogGroup;

/// Everything managed about one log group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spec {
    /// The owner mark.
    pub owner: Option<String>,
    /// Days; none: never expires.
    pub retention_in_days: Option<i32>,
    /// The ARN of the KMS key.
    pub kms_key_id: Option<String>,
    /// Fixed at creation.
    #[serde(rename = "log_group_class")]
    pub class: LogGroupClass,
    /// Whether CloudWatch refuses to delete the group.
    #[serde(rename = "deletion_protection_enabled")]
    pub deletion_protection: bool,
    /// All tags but the owner mark, AWS's and the ignored ones.
    pub tags: Tags,
}

impl Owned for Spec {
    fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }
}

/// One mutation of a log group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Call {
    /// Makes it, with its tags and its owner mark.
    Create {
        /// The class.
        class: LogGroupClass,
        /// The ARN of the KMS key.
        kms_key_id: Option<String>,
        /// Whether CloudWatch is to refuse to delete it.
        deletion_protection: bool,
        /// The owner mark among them.
        tags: Tags,
    },
    /// Sets after how many days events expire.
    PutRetention {
        /// One of the numbers that CloudWatch knows.
        retention_in_days: i32,
    },
    /// Lets events never expire.
    DeleteRetention,
    /// Encrypts what comes from now on with this key.
    AssociateKey {
        /// The key's ARN.
        kms_key_id: String,
    },
    /// Encrypts what comes from now on with AWS's key.
    DisassociateKey,
    /// Sets whether CloudWatch refuses to delete it.
    SetDeletionProtection {
        /// Whether it does.
        enabled: bool,
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
    /// Stands for a change that CloudWatch does not have; it is always refused.
    SetFixed {
        /// The field.
        field: &'static str,
    },
    /// Removes it with its events.
    Delete,
}

impl Kind for LogGroup {
    const NAME: &'static str = "log_group";
    type Spec = Spec;
    type Call = Call;

    fn declare(&self, config: &Config) -> BTreeMap<String, Spec> {
        config
            .log_groups
            .iter()
            .map(|(name, group)| {
                let spec = Spec {
                    owner: Some(config.owner_mark()),
                    retention_in_days: group.retention_in_days,
                    kms_key_id: group.kms_key_id.clone(),
                    class: group.log_group_class,
                    deletion_protection: group.deletion_protection_enabled,
                    tags: group.tags.clone(),
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
            (None, Some(after)) => create(after),
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

fn create(spec: &Spec) -> Vec<Call> {
    let Spec {
        owner,
        retention_in_days,
        kms_key_id,
        class,
        deletion_protection,
        tags,
    } = spec;
    let mut calls = vec![Call::Create {
        class: *class,
        kms_key_id: kms_key_id.clone(),
        deletion_protection: *deletion_protection,
        tags: tags::with_owner(tags, owner.as_deref()),
    }];
    if let Some(days) = retention_in_days {
        calls.push(Call::PutRetention {
            retention_in_days: *days,
        });
    }
    calls
}

fn changes(before: &Spec, after: &Spec) -> Vec<Call> {
    let Spec {
        owner,
        retention_in_days,
        kms_key_id,
        class,
        deletion_protection,
        tags,
    } = after;
    let mut calls = Vec::new();
    if *class != before.class {
        calls.push(Call::SetFixed { field: "class" });
    }
    let change = tags::change(
        (&before.tags, before.owner.as_deref()),
        (tags, owner.as_deref()),
    );
    if !change.add.is_empty() {
        calls.push(Call::Tag { tags: change.add });
    }
    if *deletion_protection != before.deletion_protection {
        calls.push(Call::SetDeletionProtection {
            enabled: *deletion_protection,
        });
    }
    if *kms_key_id != before.kms_key_id {
        calls.push(match kms_key_id {
            Some(kms_key_id) => Call::AssociateKey {
                kms_key_id: kms_key_id.clone(),
            },
            None => Call::DisassociateKey,
        });
    }
    if *retention_in_days != before.retention_in_days {
        calls.push(match *retention_in_days {
            Some(retention_in_days) => Call::PutRetention { retention_in_days },
            None => Call::DeleteRetention,
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
        (Some(_), Call::Create { .. }) => Err(Refusal::not_yet(
            "There is a log group of this name already.",
        )),
        (
            None,
            Call::Create {
                class,
                kms_key_id,
                deletion_protection,
                tags,
            },
        ) => {
            let live = tags::apart(tags.clone());
            Ok(Some(Spec {
                owner: live.owner,
                retention_in_days: None,
                kms_key_id: kms_key_id.clone(),
                class: *class,
                deletion_protection: *deletion_protection,
                tags: live.tags,
            }))
        }
        (_, Call::SetFixed { field }) => Err(Refusal::immutable(format!(
            "CloudWatch cannot change the {field} of a log group."
        ))
        .hint(
            "Put back what it was; or export the events, delete the log group by hand (aws logs \
             delete-log-group), and apply again.",
        )),
        (Some(spec), Call::Delete) if spec.deletion_protection => Err(Refusal::blocked(
            "It is not deleted while its deletion protection is on.",
        )
        .hint(
            "Declare it with `deletion_protection_enabled = false` and apply before it is removed.",
        )),
        (_, Call::Delete) => Ok(None),
        (None, _) => Err(Refusal::not_yet("The log group is not there yet.")),
        (Some(mut spec), call) => {
            change(&mut spec, call);
            Ok(Some(spec))
        }
    }
}

fn change(spec: &mut Spec, call: &Call) {
    match call {
        Call::PutRetention { retention_in_days } => {
            spec.retention_in_days = Some(*retention_in_days);
        }
        Call::DeleteRetention => spec.retention_in_days = None,
        Call::AssociateKey { kms_key_id } => spec.kms_key_id = Some(kms_key_id.clone()),
        Call::DisassociateKey => spec.kms_key_id = None,
        Call::SetDeletionProtection { enabled } => spec.deletion_protection = *enabled,
        Call::Tag { tags } => tags::add(&mut spec.tags, &mut spec.owner, tags),
        Call::Untag { keys } => tags::remove(&mut spec.tags, keys),
        Call::Create { .. } | Call::SetFixed { .. } | Call::Delete => {}
    }
}

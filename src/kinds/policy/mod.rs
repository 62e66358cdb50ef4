//! `policy`: a customer managed policy. Its document is its default version; older versions make
//! room when IAM's limit is reached.

mod live;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::documents::{self, MANAGED_SIZE};
use super::identity::{same_meaning, spelling_note, spelt_differently};
use super::{Aside, tags};
use crate::aws::Aws;
use crate::config::{Config, Tags};
use crate::error::Result;
use crate::kind::{Kind, Owned, Performed, Refusal, Scope};
use crate::policy::Document;

/// The kind `policy`.
#[derive(Clone, Copy, Debug)]
pub struct Policy;

/// Everything managed about one policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spec {
    /// The owner mark.
    pub owner: Option<String>,
    /// Begins and ends with `/`; fixed at creation.
    pub path: String,
    /// Fixed at creation.
    pub description: Option<String>,
    /// The default version.
    pub document: Document,
    /// All tags but the owner mark, AWS's and the ignored ones.
    pub tags: Tags,
    /// The ARN.
    #[serde(skip)]
    pub arn: Aside<String>,
    /// Who uses it besides the roles of the plan: IAM does not delete it before they let go.
    #[serde(skip)]
    pub others: Aside<Vec<String>>,
}

impl Owned for Spec {
    fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }
}

/// One mutation of a policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Call {
    /// Makes it, with its tags and its owner mark.
    Create {
        /// The ARN that it will have.
        arn: String,
        /// Begins and ends with `/`.
        path: String,
        /// Free text.
        description: Option<String>,
        /// The first version.
        document: Document,
        /// The owner mark among them.
        tags: Tags,
    },
    /// Makes a new default version; where the limit is reached, the oldest other one goes first.
    SetDocument {
        /// The policy's ARN.
        arn: String,
        /// The new default version.
        document: Document,
    },
    /// Adds or overwrites tags.
    Tag {
        /// The policy's ARN.
        arn: String,
        /// The owner mark among them where it is adopted.
        tags: Tags,
    },
    /// Removes tags.
    Untag {
        /// The policy's ARN.
        arn: String,
        /// Never the owner mark.
        keys: BTreeSet<String>,
    },
    /// Stands for a change that IAM does not have; it is always refused.
    SetFixed {
        /// The field.
        field: &'static str,
    },
    /// Removes it with all its versions.
    Delete {
        /// The policy's ARN.
        arn: String,
    },
}

impl Kind for Policy {
    const NAME: &'static str = "policy";
    type Spec = Spec;
    type Call = Call;

    fn declare(&self, config: &Config) -> BTreeMap<String, Spec> {
        config
            .policies
            .iter()
            .map(|(name, policy)| {
                let spec = Spec {
                    owner: Some(config.owner_mark()),
                    path: policy.path.clone(),
                    description: policy.description.clone(),
                    document: policy.document.document.clone(),
                    tags: policy.tags.clone(),
                    arn: Aside(
                        config
                            .project
                            .iam_arn(&format!("policy{}{name}", policy.path)),
                    ),
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
            if same_meaning(&desired.document, &live.document) {
                desired.document = live.document.clone();
            }
            desired.arn = live.arn.clone();
            desired.others = live.others.clone();
        }
        desired
    }

    fn calls(&self, _: &str, before: Option<&Spec>, after: Option<&Spec>) -> Vec<Call> {
        match (before, after) {
            (None, None) => Vec::new(),
            (None, Some(after)) => vec![create(after)],
            (Some(before), None) => vec![Call::Delete {
                arn: before.arn.0.clone(),
            }],
            (Some(before), Some(after)) => changes(before, after),
        }
    }

    fn detours(&self, name: &str, before: Option<&Spec>, after: Option<&Spec>) -> Vec<Vec<Call>> {
        let (Some(before), Some(after)) = (before, after) else {
            return Vec::new();
        };
        let Some(both) = documents::both(&before.document, &after.document, MANAGED_SIZE) else {
            return Vec::new();
        };
        let between = Spec {
            document: both,
            ..after.clone()
        };
        let mut calls = self.calls(name, Some(before), Some(&between));
        calls.extend(self.calls(name, Some(&between), Some(after)));
        vec![calls]
    }

    fn effect(&self, spec: Option<Spec>, call: &Call) -> Result<Option<Spec>, Refusal> {
        effect(spec, call)
    }

    fn documents(&self, spec: &Spec) -> BTreeMap<String, Document> {
        BTreeMap::from([("document".to_owned(), spec.document.clone())])
    }

    fn notes(&self, desired: &Spec, live: Option<&Spec>) -> Vec<String> {
        live.filter(|live| spelt_differently(&desired.document, &live.document))
            .map(|_| spelling_note("document"))
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
        live::perform(aws, scope, name, call).await
    }
}

fn create(spec: &Spec) -> Call {
    let Spec {
        owner,
        path,
        description,
        document,
        tags,
        arn,
        others: _,
    } = spec;
    Call::Create {
        arn: arn.0.clone(),
        path: path.clone(),
        description: description.clone(),
        document: document.clone(),
        tags: tags::with_owner(tags, owner.as_deref()),
    }
}

fn changes(before: &Spec, after: &Spec) -> Vec<Call> {
    let Spec {
        owner,
        path,
        description,
        document,
        tags,
        arn,
        others: _,
    } = after;
    let mut calls = Vec::new();
    if *path != before.path {
        calls.push(Call::SetFixed { field: "path" });
    }
    if *description != before.description {
        calls.push(Call::SetFixed {
            field: "description",
        });
    }
    let change = tags::change(
        (&before.tags, before.owner.as_deref()),
        (tags, owner.as_deref()),
    );
    let arn = || arn.0.clone();
    if !change.add.is_empty() {
        calls.push(Call::Tag {
            arn: arn(),
            tags: change.add,
        });
    }
    if *document != before.document {
        calls.push(Call::SetDocument {
            arn: arn(),
            document: document.clone(),
        });
    }
    if !change.remove.is_empty() {
        calls.push(Call::Untag {
            arn: arn(),
            keys: change.remove,
        });
    }
    calls
}

fn effect(spec: Option<Spec>, call: &Call) -> Result<Option<Spec>, Refusal> {
    let there =
        |spec: Option<Spec>| spec.ok_or_else(|| Refusal::not_yet("The policy is not there yet."));
    match call {
        Call::Create {
            arn,
            path,
            description,
            document,
            tags,
        } => {
            if spec.is_some() {
                return Err(Refusal::not_yet("There is a policy of this name already."));
            }
            let live = tags::apart(tags.clone());
            Ok(Some(Spec {
                owner: live.owner,
                path: path.clone(),
                description: description.clone(),
                document: document.clone(),
                tags: live.tags,
                arn: Aside(arn.clone()),
                others: Aside::default(),
            }))
        }
        Call::SetDocument { arn: _, document } => {
            let mut spec = there(spec)?;
            spec.document = document.clone();
            Ok(Some(spec))
        }
        Call::Tag { arn: _, tags } => {
            let mut spec = there(spec)?;
            tags::add(&mut spec.tags, &mut spec.owner, tags);
            Ok(Some(spec))
        }
        Call::Untag { arn: _, keys } => {
            let mut spec = there(spec)?;
            tags::remove(&mut spec.tags, keys);
            Ok(Some(spec))
        }
        Call::SetFixed { field } => Err(Refusal::immutable(format!(
            "IAM cannot change the {field} of a policy."
        ))
        .hint(
            "Put back what it was; or delete the policy by hand (aws iam delete-policy), after detaching it, and apply again.",
        )),
        Call::Delete { arn: _ } => match spec {
            Some(spec) if !spec.others.0.is_empty() => Err(Refusal::blocked(format!(
                "It is not deleted while others use it: {}.",
                spec.others.0.join(", ")
            ))
            .hint("Detach it there first: aws iam list-entities-for-policy names them.")),
            _ => Ok(None),
        },
    }
}

#[cfg(test)]
mod tests;

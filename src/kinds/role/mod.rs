//! `role`: an IAM role with its trust policy, boundary, attachments and inline policies, all of them
//! exclusively: what infra.toml does not declare is removed.

mod detours;
mod effect;
mod live;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::identity::{SERVICE_ROLE_PATH, same_meaning, spelling_note, spelt_differently};
use super::{Aside, tags};
use crate::aws::Aws;
use crate::config::{self, Config, Tags};
use crate::error::Result;
use crate::kind::{Address, Kind, Owned, Performed, Refusal, Scope};
use crate::planted::{Bug, planted};
use crate::policy::{Document, Effect, Principal};

/// The kind `role`.
#[derive(Clone, Copy, Debug)]
pub struct Role;

/// Everything managed about one role.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spec {
    /// The owner mark.
    pub owner: Option<String>,
    /// Begins and ends with `/`; fixed at creation.
    pub path: String,
    /// Free text.
    pub description: Option<String>,
    /// Seconds.
    pub max_session_duration: i32,
    /// Who may assume it.
    pub trust_policy: Document,
    /// The ARN of the managed policy that bounds it.
    pub permissions_boundary: Option<String>,
    /// The ARNs of the attached managed policies.
    pub managed_policies: BTreeSet<String>,
    /// The inline policies by name.
    pub inline_policies: BTreeMap<String, Document>,
    /// All tags but the owner mark, AWS's and the ignored ones.
    pub tags: Tags,
    /// The ARN.
    #[serde(skip)]
    pub arn: Aside<String>,
    /// The instance profiles that hold it: IAM does not delete it before it is out of them.
    #[serde(skip)]
    pub instance_profiles: Aside<Vec<String>>,
    /// How many managed policies the account allows on a role; none where it was not asked.
    #[serde(skip)]
    pub most_policies: Aside<Option<usize>>,
}

impl Owned for Spec {
    fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }
}

/// One mutation of a role.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Call {
    /// Makes it, with its boundary, its tags and its owner mark.
    Create {
        /// The ARN that it will have.
        arn: String,
        /// Begins and ends with `/`.
        path: String,
        /// Free text.
        description: Option<String>,
        /// Seconds.
        max_session_duration: i32,
        /// Who may assume it.
        trust_policy: Document,
        /// The ARN of its boundary.
        permissions_boundary: Option<String>,
        /// The owner mark among them.
        tags: Tags,
    },
    /// Adds or overwrites tags.
    Tag {
        /// The owner mark among them where it is adopted.
        tags: Tags,
    },
    /// Sets the description and the longest session.
    Update {
        /// Free text; none removes it.
        description: Option<String>,
        /// Seconds.
        max_session_duration: i32,
    },
    /// Sets who may assume it.
    SetTrustPolicy {
        /// The whole trust policy.
        document: Document,
    },
    /// Sets its boundary.
    PutBoundary {
        /// The policy's ARN.
        arn: String,
    },
    /// Attaches a managed policy.
    Attach {
        /// The policy's ARN.
        arn: String,
    },
    /// Adds or overwrites an inline policy.
    PutInline {
        /// The inline policy's name.
        name: String,
        /// The whole document.
        document: Document,
    },
    /// Detaches a managed policy.
    Detach {
        /// The policy's ARN.
        arn: String,
    },
    /// Removes an inline policy.
    DeleteInline {
        /// The inline policy's name.
        name: String,
    },
    /// Removes its boundary.
    DeleteBoundary,
    /// Removes tags.
    Untag {
        /// Never the owner mark.
        keys: BTreeSet<String>,
    },
    /// Stands for a change of path, which IAM does not have; it is always refused.
    SetPath {
        /// The wanted path.
        path: String,
    },
    /// Removes it; nothing is attached or inline any more.
    Delete,
}

impl Kind for Role {
    const NAME: &'static str = "role";
    type Spec = Spec;
    type Call = Call;

    fn declare(&self, config: &Config) -> BTreeMap<String, Spec> {
        config
            .roles
            .iter()
            .map(|(name, role)| (name.clone(), declared(config, name, role)))
            .collect()
    }

    async fn observe(&self, aws: &Aws, scope: &Scope) -> Result<BTreeMap<String, Spec>> {
        live::observe(aws, scope).await
    }

    fn keep(&self, mut desired: Spec, live: Option<&Spec>) -> Spec {
        if let Some(live) = live {
            if same_meaning(&desired.trust_policy, &live.trust_policy) {
                desired.trust_policy = live.trust_policy.clone();
            }
            for (name, document) in &mut desired.inline_policies {
                if let Some(same) = live
                    .inline_policies
                    .get(name)
                    .filter(|same| same_meaning(document, same))
                {
                    *document = same.clone();
                }
            }
            desired.arn = live.arn.clone();
            desired.instance_profiles = live.instance_profiles.clone();
            desired.most_policies = live.most_policies.clone();
        }
        desired
    }

    fn calls(&self, _: &str, before: Option<&Spec>, after: Option<&Spec>) -> Vec<Call> {
        match (before, after) {
            (None, None) => Vec::new(),
            (None, Some(after)) => {
                let create = create(after);
                let bare = effect::effect(None, &create).ok().flatten();
                let more = bare.map(|bare| changes(&bare, after)).unwrap_or_default();
                std::iter::once(create).chain(more).collect()
            }
            (Some(before), None) => removal(before),
            (Some(before), Some(after)) => changes(before, after),
        }
    }

    fn detours(&self, name: &str, before: Option<&Spec>, after: Option<&Spec>) -> Vec<Vec<Call>> {
        detours::detours(*self, name, before, after)
    }

    fn effect(&self, spec: Option<Spec>, call: &Call) -> Result<Option<Spec>, Refusal> {
        effect::effect(spec, call)
    }

    fn refers(&self, spec: &Spec) -> Vec<Address> {
        let policies = spec
            .managed_policies
            .iter()
            .chain(&spec.permissions_boundary)
            .filter_map(|arn| customer_managed(arn));
        let mut refers: BTreeSet<Address> =
            policies.map(|name| Address::new("policy", name)).collect();
        let principals = spec
            .trust_policy
            .statements()
            .iter()
            .filter_map(|statement| statement.principals.as_ref())
            .flat_map(|principals| &principals.list);
        refers.extend(principals.filter_map(|principal| trusted(principal, spec)));
        refers.into_iter().collect()
    }

    fn documents(&self, spec: &Spec) -> BTreeMap<String, Document> {
        let inline = spec
            .inline_policies
            .iter()
            .map(|(name, document)| (format!("inline_policies.{name}"), document.clone()));
        std::iter::once(("trust_policy".to_owned(), spec.trust_policy.clone()))
            .chain(inline)
            .collect()
    }

    fn notes(&self, desired: &Spec, live: Option<&Spec>) -> Vec<String> {
        let Some(live) = live else { return Vec::new() };
        let mut notes = Vec::new();
        if spelt_differently(&desired.trust_policy, &live.trust_policy) {
            notes.push(spelling_note("trust_policy"));
        }
        for (name, document) in &desired.inline_policies {
            let same = live.inline_policies.get(name);
            if same.is_some_and(|same| spelt_differently(document, same)) {
                notes.push(spelling_note(&format!("inline_policies.{name}")));
            }
        }
        notes
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

fn declared(config: &Config, name: &str, role: &config::Role) -> Spec {
    let inline = role
        .inline_policies
        .iter()
        .map(|(name, source)| (name.clone(), source.document.clone()));
    Spec {
        owner: Some(config.owner_mark()),
        path: role.path.clone(),
        description: role.description.clone(),
        max_session_duration: i32::try_from(role.max_session_duration.0).unwrap_or(i32::MAX),
        trust_policy: role.trust.document.clone(),
        permissions_boundary: role
            .permissions_boundary
            .as_ref()
            .map(|policy| policy.arn.clone()),
        managed_policies: role
            .managed_policies
            .iter()
            .map(|policy| policy.arn.clone())
            .collect(),
        inline_policies: inline.collect(),
        tags: role.tags.clone(),
        arn: Aside(config.project.iam_arn(&format!("role{}{name}", role.path))),
        instance_profiles: Aside::default(),
        most_policies: Aside::default(),
    }
}

fn create(spec: &Spec) -> Call {
    Call::Create {
        arn: spec.arn.0.clone(),
        path: spec.path.clone(),
        description: spec.description.clone(),
        max_session_duration: spec.max_session_duration,
        trust_policy: spec.trust_policy.clone(),
        permissions_boundary: spec.permissions_boundary.clone(),
        tags: tags::with_owner(&spec.tags, spec.owner.as_deref()),
    }
}

/// What adds comes first.
fn changes(before: &Spec, after: &Spec) -> Vec<Call> {
    let Spec {
        owner,
        path,
        description,
        max_session_duration,
        trust_policy,
        permissions_boundary,
        managed_policies,
        inline_policies,
        tags,
        arn: _,
        instance_profiles: _,
        most_policies: _,
    } = after;
    let mut calls = Vec::new();
    if *path != before.path {
        calls.push(Call::SetPath { path: path.clone() });
    }
    let change = tags::change(
        (&before.tags, before.owner.as_deref()),
        (tags, owner.as_deref()),
    );
    if !change.add.is_empty() {
        calls.push(Call::Tag { tags: change.add });
    }
    if *description != before.description || *max_session_duration != before.max_session_duration {
        calls.push(Call::Update {
            description: description.clone(),
            max_session_duration: *max_session_duration,
        });
    }
    if let Some(arn) = permissions_boundary.clone()
        && permissions_boundary != &before.permissions_boundary
    {
        calls.push(Call::PutBoundary { arn });
    }
    // What denies comes first, so that a creation goes through these calls in this order.
    let (denies, others) = inline_changes(&before.inline_policies, inline_policies);
    calls.extend(denies);
    let attached = managed_policies.difference(&before.managed_policies);
    calls.extend(attached.map(|arn| Call::Attach { arn: arn.clone() }));
    calls.extend(others);
    if *trust_policy != before.trust_policy {
        calls.push(Call::SetTrustPolicy {
            document: trust_policy.clone(),
        });
    }
    let detached = before.managed_policies.difference(managed_policies);
    calls.extend(detached.map(|arn| Call::Detach { arn: arn.clone() }));
    let removed = before.inline_policies.keys();
    let removed = removed.filter(|name| !inline_policies.contains_key(*name));
    calls.extend(removed.map(|name| Call::DeleteInline { name: name.clone() }));
    if permissions_boundary.is_none() && before.permissions_boundary.is_some() {
        calls.push(Call::DeleteBoundary);
    }
    let keys = change.remove;
    calls.extend((!keys.is_empty()).then_some(Call::Untag { keys }));
    if planted(Bug::TrustBeforeBoundary) {
        calls.sort_by_key(|call| !matches!(call, Call::SetTrustPolicy { .. }));
    }
    if planted(Bug::RemoveBeforeAdd) {
        calls.sort_by_key(|call| !matches!(call, Call::Detach { .. } | Call::DeleteInline { .. }));
    }
    calls
}

/// The calls that put what differs: the documents with a Deny, and the others.
fn inline_changes(
    before: &BTreeMap<String, Document>,
    after: &BTreeMap<String, Document>,
) -> (Vec<Call>, Vec<Call>) {
    let put = |(name, document): (&String, &Document)| Call::PutInline {
        name: name.clone(),
        document: document.clone(),
    };
    let (first, second): (Vec<_>, Vec<_>) = after
        .iter()
        .filter(|(name, document)| before.get(*name) != Some(*document))
        .partition(|(_, document)| denies(document));
    (
        first.into_iter().map(put).collect(),
        second.into_iter().map(put).collect(),
    )
}

fn denies(document: &Document) -> bool {
    document
        .statements()
        .iter()
        .any(|statement| statement.effect == Effect::Deny)
}

/// The boundary stays to the end: IAM deletes a role with its boundary.
fn removal(before: &Spec) -> Vec<Call> {
    let detached = before.managed_policies.iter();
    let removed = before.inline_policies.keys();
    detached
        .map(|arn| Call::Detach { arn: arn.clone() })
        .chain(removed.map(|name| Call::DeleteInline { name: name.clone() }))
        .chain([Call::Delete])
        .collect()
}

/// The name of a customer managed policy; none for one of AWS's.
fn customer_managed(arn: &str) -> Option<&str> {
    let (_, resource) = arn.split_once(":policy/")?;
    (!arn.contains(":iam::aws:")).then(|| resource.rsplit('/').next())?
}

/// The resource of the account that a principal of the trust policy names.
fn trusted(principal: &Principal, spec: &Spec) -> Option<Address> {
    let account = |arn: &str| arn.split(':').nth(4).map(str::to_owned);
    let (arn, marker, kind) = match principal {
        Principal::Federated(arn) => (arn, ":oidc-provider/", "oidc_provider"),
        Principal::Aws(arn) => (arn, ":role/", "role"),
        _ => return None,
    };
    let (_, resource) = arn.split_once(marker)?;
    if account(arn) != account(&spec.arn.0) || *arn == spec.arn.0 {
        return None;
    }
    match kind {
        "role" => Some(Address::new(kind, resource.rsplit('/').next()?)),
        _ => Some(Address::new(kind, resource)),
    }
}

/// Whether the role belongs to a service of AWS.
fn belongs_to_aws(spec: &Spec) -> bool {
    spec.path.starts_with(SERVICE_ROLE_PATH)
}

#[cfg(test)]
mod tests;

//! One role in several worlds: which documents say what it may do and who may be it.

use std::collections::{BTreeMap, BTreeSet};

use super::IamLaw;
use crate::kind::{Address, Snapshot};
use crate::kinds::{policy, role};
use crate::policy::{Access, Document, PolicyKind};

/// A role as it stands in `N` worlds.
pub(super) struct Worlds<'a, const N: usize> {
    law: &'a IamLaw,
    snapshots: [&'a Snapshot; N],
    roles: [Option<&'a role::Spec>; N],
    /// In place of documents that nobody knows: each allows one thing that nothing else names, so
    /// that attaching it is a gain, and keeping it none.
    unknown: BTreeMap<String, Document>,
}

/// What the role may do in each world.
pub(super) enum Sides<'b, const N: usize> {
    /// In each of the worlds.
    Known([Access<'b>; N]),
    /// The boundary with this ARN is not known, and it changes.
    Unknown(String),
}

impl<'a, const N: usize> Worlds<'a, N> {
    pub(super) fn new(law: &'a IamLaw, subject: &Address, worlds: [&'a Snapshot; N]) -> Self {
        let roles = worlds.map(|world| world.spec::<role::Spec>(subject));
        let mut this = Self {
            law,
            snapshots: worlds,
            roles,
            unknown: BTreeMap::new(),
        };
        let attached = this
            .roles
            .iter()
            .zip(&this.snapshots)
            .flat_map(|(role, world)| {
                let arns = role.iter().flat_map(|role| &role.managed_policies);
                arns.map(move |arn| (*world, arn))
            });
        let unknown: BTreeSet<&String> = attached
            .filter(|(world, arn)| this.document(world, arn).is_none())
            .map(|(_, arn)| arn)
            .collect();
        this.unknown = unknown
            .into_iter()
            .filter_map(|arn| Some((arn.clone(), stand_in(arn)?)))
            .collect();
        this
    }

    /// Whether the role may do the same, by the same documents, in these two worlds.
    pub(super) fn same(&self, one: usize, other: usize) -> bool {
        let (Some(one), Some(other)) = (self.side(one), self.side(other)) else {
            return false;
        };
        match (one, other) {
            ((_, None), (_, None)) => true,
            ((world, Some(role)), (other_world, Some(other))) => {
                role.trust_policy == other.trust_policy
                    && role.inline_policies == other.inline_policies
                    && role.managed_policies == other.managed_policies
                    && role.permissions_boundary == other.permissions_boundary
                    && role
                        .managed_policies
                        .iter()
                        .chain(&role.permissions_boundary)
                        .all(|arn| self.document(world, arn) == self.document(other_world, arn))
            }
            _ => false,
        }
    }

    fn side(&self, at: usize) -> Option<(&'a Snapshot, Option<&'a role::Spec>)> {
        Some((*self.snapshots.get(at)?, *self.roles.get(at)?))
    }

    /// A policy whose document is not known and that only one of these two worlds has attached.
    pub(super) fn changed_unknown(&self, one: usize, other: usize) -> Option<String> {
        let attached = |at: usize, arn: &String| {
            self.side(at)
                .and_then(|(_, role)| role)
                .is_some_and(|role| role.managed_policies.contains(arn))
        };
        self.unknown
            .keys()
            .find(|arn| attached(one, arn) != attached(other, arn))
            .cloned()
    }

    /// What the role may do in each world. A boundary that is not known is left out where it is the
    /// same everywhere: what is compared then is more than what the role may do, never less.
    pub(super) fn sides(&self) -> Sides<'_, N> {
        let boundaries: BTreeSet<Option<&String>> = self
            .roles
            .iter()
            .flatten()
            .map(|role| role.permissions_boundary.as_ref())
            .collect();
        let known = |arn: &String| {
            self.snapshots
                .iter()
                .any(|world| self.document(world, arn).is_some())
        };
        let unknown = boundaries.iter().copied().flatten().find(|arn| !known(arn));
        match unknown {
            Some(arn) if boundaries.len() > 1 => Sides::Unknown(arn.clone()),
            _ => {
                let mut at = 0;
                Sides::Known([(); N].map(|()| {
                    let side = self.side(at);
                    at += 1;
                    side.map(|(world, role)| self.access(world, role))
                        .unwrap_or_default()
                }))
            }
        }
    }

    fn access(&self, world: &'a Snapshot, role: Option<&'a role::Spec>) -> Access<'_> {
        let Some(role) = role else {
            return Access::default();
        };
        let attached = role
            .managed_policies
            .iter()
            .filter_map(|arn| self.document(world, arn).or_else(|| self.unknown.get(arn)));
        Access {
            identity: role.inline_policies.values().chain(attached).collect(),
            boundary: role
                .permissions_boundary
                .as_ref()
                .and_then(|arn| self.document(world, arn)),
            trust: Some(&role.trust_policy),
        }
    }

    fn document(&self, world: &'a Snapshot, arn: &str) -> Option<&'a Document> {
        let declared = arn
            .rsplit('/')
            .next()
            .and_then(|name| world.spec::<policy::Spec>(&Address::new("policy", name)));
        match declared {
            Some(policy) if policy.arn.0 == arn => Some(&policy.document),
            _ => self.law.documents.get(arn),
        }
    }
}

/// A document that allows one thing, which only it names.
fn stand_in(arn: &str) -> Option<Document> {
    let text = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "provision:UnknownPolicy", "Resource": arn}
    });
    Document::parse(&text.to_string(), PolicyKind::Identity).ok()
}

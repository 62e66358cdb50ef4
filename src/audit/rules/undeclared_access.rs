//! Whoever may push to, change or pass what infra.toml declares without being declared.

use crate::audit::drift::declared_role;
use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};
use std::collections::BTreeSet;

use crate::reach::{Grant, Origin};

const ABOUT: About = About {
    id: "undeclared-access",
    title: "Undeclared access to a declared resource",
    severity: Severity::Medium,
    confidence: Confidence::High,
    remedy: "Take the permission away, or declare the role here.",
};

/// Somebody beside infra.toml can change what it declares.
pub(super) struct UndeclaredAccess;

impl Rule for UndeclaredAccess {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn asks_who(&self) -> bool {
        true
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let targets = case.facts.targets();
        let mut out = Vec::new();
        for holder in case.facts.holders.iter().filter(|holder| !holder.declared) {
            if holder.arn.contains(":role/aws-service-role/") {
                continue;
            }
            let Some(state) = holder
                .states
                .iter()
                .find(|state| state.origin == Origin::Live)
            else {
                continue;
            };
            let grants = case.facts.grants(state, &targets);
            if grants.is_empty() {
                continue;
            }
            let mut finding = case.finding(
                &ABOUT,
                &holder.address,
                format!("it may {}.", powers(&grants)),
            );
            let from_github = case
                .trusts
                .iter()
                .any(|trust| trust.role.address == holder.address);
            if from_github {
                finding = finding.severity(Severity::High);
            } else if administers(state) {
                finding = finding.severity(Severity::Info);
                "it may do everything, and so change all that infra.toml declares."
                    .clone_into(&mut finding.message);
            }
            for grant in grants {
                finding.evidence.push(Evidence::Request {
                    what: format!("it may {} {}", grant.power.words(), grant.resource),
                    allowed: true,
                    policy: grant.policy,
                    statement: Some(grant.statement),
                    request: Box::new(grant.request),
                });
            }
            let live = case.facts.account.roles.get(&holder.arn);
            finding.accept = live.map(declared_role);
            out.push(finding);
        }
        out
    }
}

fn powers(grants: &[Grant]) -> String {
    let words: BTreeSet<String> = grants
        .iter()
        .map(|grant| format!("{} {}", grant.power.words(), grant.resource))
        .collect();
    words.into_iter().collect::<Vec<_>>().join(", ")
}

/// Whether a policy of it is that of an administrator.
fn administers(state: &crate::reach::State) -> bool {
    state
        .policies
        .iter()
        .flat_map(|held| held.document.statements())
        .any(|statement| {
            let all = |patterns: &crate::policy::Patterns| {
                !patterns.negated && patterns.list.iter().any(|one| one == "*")
            };
            statement.effect == crate::policy::Effect::Allow
                && statement.conditions.is_empty()
                && all(&statement.actions)
                && statement.resources.as_ref().is_none_or(all)
        })
}

//! A role that GitHub's provider opens and infra.toml does not declare.

use crate::audit::case::token;
use crate::audit::drift::declared_role;
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};
use serde_json::json;

const ABOUT: About = About {
    id: "undeclared-trust",
    title: "An undeclared role trusts the same provider",
    severity: Severity::Low,
    confidence: Confidence::High,
    remedy: "Declare the role here or in the project that it belongs to, or remove it.",
};

/// Another role that GitHub's tokens can assume.
pub(super) struct UndeclaredTrust;

impl Rule for UndeclaredTrust {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn asks_who(&self) -> bool {
        true
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in case
            .trusts
            .iter()
            .filter(|trust| !trust.role.declared && !trust.mended)
        {
            let repositories: Vec<String> = trust
                .repositories()
                .iter()
                .map(crate::reach::GithubRepository::full_name)
                .collect();
            let whom = if repositories.is_empty() {
                "GitHub".to_owned()
            } else {
                repositories.join(", ")
            };
            let ours = case.facts.config.github.as_ref().is_some_and(|github| {
                repositories.iter().any(|name| {
                    name.eq_ignore_ascii_case(&format!("{}/{}", github.owner, github.name))
                })
            });
            let message = format!("it takes tokens of {whom} and is not declared.");
            let mut finding =
                case.trust_finding(&ABOUT, trust, trust.statements().next(), &message);
            if ours {
                finding = finding.severity(Severity::Medium);
            }
            if let Some(witness) = trust.tokens(&json!({})).first() {
                finding.evidence.push(token(trust, witness));
            }
            let live = case.facts.account.role(&trust.role.name);
            finding.accept = live.map(|(_, role)| declared_role(role));
            out.push(finding);
        }
        out
    }
}

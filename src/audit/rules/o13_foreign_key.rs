//! O13: a condition key that no token of this provider fills.

use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};
use serde_json::json;

use crate::audit::case::token;
use crate::reach::ISSUER;

const ABOUT: About = About {
    id: "O13",
    title: "A condition key that the provider does not have",
    severity: Severity::High,
    confidence: Confidence::High,
    remedy: "Use one of the keys that AWS fills for GitHub: sub, aud, actor, actor_id, job_workflow_ref, repository, repository_id, workflow, ref, environment, enterprise_id.",
};

/// The condition says nothing, or is never met.
pub(super) struct ForeignKey;

impl Rule for ForeignKey {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in case.trusts.iter().filter(|trust| !trust.mended) {
            for statement in trust.statements() {
                for condition in statement
                    .conditions
                    .iter()
                    .filter(|condition| !filled(&condition.key))
                {
                    let without = trust.tokens(&json!({ "Null": { &condition.key: "true" } }));
                    let passes = without
                        .into_iter()
                        .find(|witness| witness.statement.index == statement.index);
                    let effect = match passes {
                        Some(_) => "so the condition guards nothing",
                        None => "so the statement lets nobody in",
                    };
                    let message = format!("no token has the key {}, {effect}.", condition.key);
                    let mut finding = case.trust_finding(&ABOUT, trust, Some(statement), &message);
                    if let Some(witness) = &passes {
                        finding.evidence.push(token(trust, witness));
                    }
                    // One practitioner's list has it, another's does not.
                    if condition
                        .key
                        .eq_ignore_ascii_case(&format!("{ISSUER}:repository_owner_id"))
                    {
                        finding = finding.confidence(Confidence::Low).severity(Severity::Low);
                    }
                    out.push(finding);
                }
            }
        }
        out
    }
}

/// The claims of GitHub's tokens that AWS fills (January 2026).
const CLAIMS: &[&str] = &[
    "sub",
    "aud",
    "actor",
    "actor_id",
    "job_workflow_ref",
    "repository",
    "repository_id",
    "workflow",
    "ref",
    "environment",
    "enterprise_id",
];

/// Whether a request with a token of GitHub can have this key; the global ones and those of STS it can.
fn filled(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    match lower.split_once(':') {
        Some(("aws" | "sts", _)) => true,
        Some((ISSUER, claim)) => CLAIMS.contains(&claim),
        _ => false,
    }
}

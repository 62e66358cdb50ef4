//! O10: conditions that an absent claim, or any other value, satisfies.

use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};
use serde_json::json;

use crate::audit::case::token;
use crate::audit::trust::{IDENTITY, is_claim};
use crate::policy::Statement;
use crate::policy::operator::Quantifier;
use crate::reach::key;

const ABOUT: About = About {
    id: "O10",
    title: "IfExists or a negated operator is the only guard",
    severity: Severity::High,
    confidence: Confidence::High,
    remedy: "Say whom you trust: StringEquals on the subject, without IfExists and without Not.",
};

/// The only guards are `IfExists` or negated.
pub(super) struct WeakGuard;

impl Rule for WeakGuard {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in &case.trusts {
            let absent: serde_json::Map<_, _> = IDENTITY
                .iter()
                .filter(|claim| **claim != "sub")
                .map(|claim| (key(claim), json!("true")))
                .collect();
            let open = trust.passing(&[&trust.bare_stranger(&absent)], &[]);
            for witness in open {
                let Some(statement) = trust
                    .statement(&witness)
                    .filter(|statement| only_weak(statement))
                else {
                    continue;
                };
                let message = "its only guards are `IfExists` or negated operators, and those hold for strangers too.";
                let mut finding = case.trust_finding(&ABOUT, trust, Some(statement), message);
                finding.evidence.push(token(trust, &witness));
                out.push(finding);
            }
        }
        out
    }
}

/// Whether the statement speaks of whose token it is, and only in words that strangers satisfy.
fn only_weak(statement: &Statement) -> bool {
    let about = |condition: &&crate::policy::Condition| {
        IDENTITY.iter().any(|claim| is_claim(condition, claim))
    };
    let mut guards = statement.conditions.iter().filter(about).peekable();
    guards.peek().is_some()
        && guards.all(|condition| {
            let operator = condition.operator;
            (operator.if_exists || operator.negated)
                && operator.quantifier != Some(Quantifier::ForAllValues)
        })
}

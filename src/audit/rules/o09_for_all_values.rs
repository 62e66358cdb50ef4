//! O9: `ForAllValues` in an Allow, which an absent claim satisfies.

use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};
use serde_json::json;

use crate::audit::case::token;
use crate::audit::trust::{Trust, is_claim};
use crate::policy::operator::Quantifier;
use crate::policy::{Condition, Statement};

const ABOUT: About = About {
    id: "O9",
    title: "ForAllValues lets in a token that lacks the claim",
    severity: Severity::High,
    confidence: Confidence::High,
    remedy: "Drop ForAllValues: a claim of GitHub has one value.",
};

/// A token without the claim passes.
pub(super) struct ForAllValues;

impl Rule for ForAllValues {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in &case.trusts {
            for statement in trust.statements() {
                for condition in &statement.conditions {
                    if condition.operator.quantifier == Some(Quantifier::ForAllValues)
                        && !condition.operator.negated
                    {
                        out.push(finding(case, trust, statement, condition));
                    }
                }
            }
        }
        out
    }
}

fn finding(
    case: &Case<'_>,
    trust: &Trust<'_>,
    statement: &Statement,
    condition: &Condition,
) -> Finding {
    let key = &condition.key;
    let message = format!(
        "{} on {key} also holds where the token has no such claim.",
        condition.operator
    );
    let mut finding = case.trust_finding(&ABOUT, trust, Some(statement), &message);
    // Every token of GitHub has these two, so nothing gets in today.
    if is_claim(condition, "sub") || is_claim(condition, "aud") {
        return finding.severity(Severity::Low);
    }
    let without = trust.tokens(&json!({ "Null": { key: "true" } }));
    if let Some(witness) = without
        .iter()
        .find(|witness| witness.statement.index == statement.index)
    {
        finding = finding.evidence(token(trust, witness));
    }
    finding
}

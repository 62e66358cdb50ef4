//! O11: the audience is not constrained.

use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};
use serde_json::json;

use crate::reach::key;

const ABOUT: About = About {
    id: "O11",
    title: "The audience is not constrained",
    severity: Severity::Low,
    confidence: Confidence::High,
    remedy: "Add StringEquals token.actions.githubusercontent.com:aud = sts.amazonaws.com.",
};

/// A token for another audience passes.
pub(super) struct Audience;

impl Rule for Audience {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in &case.trusts {
            for witness in
                trust.tokens(&json!({ "StringEquals": { key("aud"): "https://example.com/any" } }))
            {
                let message = "it takes tokens of every audience that the provider lists, also those meant for somebody else.";
                out.push(case.token_finding(&ABOUT, trust, &witness, message));
            }
        }
        out
    }
}

//! O1: a statement that says nothing about whose token it takes.

use crate::audit::trust::{Openness, constrained};
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "O1",
    title: "Nothing says which repository may assume the role",
    severity: Severity::Critical,
    confidence: Confidence::High,
    remedy: "Add StringEquals on token.actions.githubusercontent.com:sub, or use trust = { github = { environments = [...] } }.",
};

/// Any token of GitHub passes.
pub(super) struct Unconstrained;

impl Rule for Unconstrained {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in &case.trusts {
            for (_, witness) in trust
                .strangers
                .iter()
                .filter(|(openness, _)| *openness == Openness::AnyOwner)
            {
                if trust
                    .statement(witness)
                    .is_some_and(|statement| !constrained(statement))
                {
                    let message = "the trust policy takes the token of any repository on GitHub: no condition names one.";
                    out.push(case.token_finding(&ABOUT, trust, witness, message));
                }
            }
        }
        out
    }
}

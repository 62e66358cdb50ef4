//! O2: a subject pattern that every owner on GitHub can satisfy.

use crate::audit::trust::{Openness, constrained};
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "O2",
    title: "Any owner on GitHub may assume the role",
    severity: Severity::Critical,
    confidence: Confidence::High,
    remedy: "Name the owner and the repository in the subject: repo:OWNER/NAME:....",
};

/// Repositories of any owner pass.
pub(super) struct AnyOwner;

impl Rule for AnyOwner {
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
                if trust.statement(witness).is_some_and(constrained) {
                    let message = "the trust policy has conditions, but a repository of any owner on GitHub satisfies them.";
                    out.push(case.token_finding(&ABOUT, trust, witness, message));
                }
            }
        }
        out
    }
}

//! O5: a subject pattern that takes every repository of an owner.

use crate::audit::trust::Openness;
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "O5",
    title: "Every repository of the owner may assume the role",
    severity: Severity::Medium,
    confidence: Confidence::High,
    remedy: "Name the repository: repo:OWNER/NAME:....",
};

/// Every repository of the owner passes.
pub(super) struct Organisation;

impl Rule for Organisation {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in &case.trusts {
            for (_, witness) in trust
                .strangers
                .iter()
                .filter(|(openness, _)| *openness == Openness::Organisation)
            {
                let message = "the trust policy takes every repository of the owner, those made tomorrow too.";
                out.push(case.token_finding(&ABOUT, trust, witness, message));
            }
        }
        out
    }
}

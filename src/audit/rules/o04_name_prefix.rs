//! O4: a subject pattern that ends inside the repository's name.

use crate::audit::trust::Openness;
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "O4",
    title: "Repositories whose names only begin like the one meant may assume the role",
    severity: Severity::High,
    confidence: Confidence::High,
    remedy: "End the repository's name with a colon: repo:OWNER/NAME:....",
};

/// Repositories whose names begin alike pass.
pub(super) struct NamePrefix;

impl Rule for NamePrefix {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in &case.trusts {
            for (_, witness) in trust
                .strangers
                .iter()
                .filter(|(openness, _)| *openness == Openness::NamePrefix)
            {
                let message = "the subject pattern ends inside the name of the repository, so that other repositories of the owner satisfy it.";
                out.push(case.token_finding(&ABOUT, trust, witness, message));
            }
        }
        out
    }
}

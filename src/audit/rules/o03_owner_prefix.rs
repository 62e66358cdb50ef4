//! O3: a subject pattern that ends inside the owner's name.

use crate::audit::trust::Openness;
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "O3",
    title: "Owners whose names only begin like the one meant may assume the role",
    severity: Severity::Critical,
    confidence: Confidence::High,
    remedy: "End the owner's name with a slash: repo:OWNER/NAME:....",
};

/// Owners whose names begin alike pass.
pub(super) struct OwnerPrefix;

impl Rule for OwnerPrefix {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in &case.trusts {
            for (_, witness) in trust
                .strangers
                .iter()
                .filter(|(openness, _)| *openness == Openness::OwnerPrefix)
            {
                let message = "the subject pattern ends inside the name of the owner, so that anybody may register a name that satisfies it.";
                out.push(case.token_finding(&ABOUT, trust, witness, message));
            }
        }
        out
    }
}

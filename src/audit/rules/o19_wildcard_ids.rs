//! O19: wildcards where the immutable form of a subject has its ids.

use crate::audit::trust::Openness;
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "O19",
    title: "The ids of the subject are wildcards",
    severity: Severity::High,
    confidence: Confidence::High,
    remedy: "Write the ids: repo:OWNER@ID/NAME@ID:...; gh api repos/OWNER/NAME --jq .id prints them.",
};

/// Whoever takes over the names passes.
pub(super) struct WildcardIds;

impl Rule for WildcardIds {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in &case.trusts {
            for (_, witness) in trust
                .strangers
                .iter()
                .filter(|(openness, _)| *openness == Openness::Ids)
            {
                let message = "the immutable subject is trusted with wildcards in the places of its ids, so that whoever takes over the names of a deleted owner or repository gets in.";
                out.push(case.token_finding(&ABOUT, trust, witness, message));
            }
        }
        out
    }
}

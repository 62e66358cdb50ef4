//! O17: a subject by names for a repository whose ids are known.

use crate::audit::forms::{by_ids, by_names};
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "O17",
    title: "The subject goes by names although the ids are known",
    severity: Severity::Medium,
    confidence: Confidence::High,
    remedy: "Trust the immutable form too: trust = { github = ... } writes both forms where [github] has the ids.",
};

/// Names can be taken over, ids cannot.
pub(super) struct NameBased;

impl Rule for NameBased {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in &case.trusts {
            for repository in trust.repositories() {
                if repository.repository_id.is_none() || by_ids(trust, &repository).is_some() {
                    continue;
                }
                let Some(witness) = by_names(trust, &repository) else {
                    continue;
                };
                let message = "it knows the repository by its names only; after a rename the policy stops matching, and the old name is free for others.";
                out.push(case.token_finding(&ABOUT, trust, &witness, message));
            }
        }
        out
    }
}

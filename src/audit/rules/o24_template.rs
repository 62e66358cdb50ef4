//! O24: the repository's subjects are customised and the policy expects the default.

use crate::audit::Evidence;
use crate::audit::forms::{by_ids, by_names};
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "O24",
    title: "The subject template of the repository is customised",
    severity: Severity::Medium,
    confidence: Confidence::High,
    remedy: "Write the subject as the template makes it, or take the customisation away: provision github check shows it.",
};

/// The policy waits for a subject that GitHub does not write.
pub(super) struct Template;

impl Rule for Template {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let Some(github) = case
            .facts
            .account
            .github
            .as_ref()
            .filter(|facts| !facts.claims.is_empty())
        else {
            return Vec::new();
        };
        let mut out = Vec::new();
        for trust in &case.trusts {
            for repository in trust
                .repositories()
                .into_iter()
                .filter(|one| one.full_name() == github.repository)
            {
                let default = github
                    .claims
                    .iter()
                    .map(String::as_str)
                    .eq(["repo", "context"]);
                let found = by_names(trust, &repository).or_else(|| by_ids(trust, &repository));
                let Some(witness) = found.filter(|_| !default) else {
                    continue;
                };
                let claims = github.claims.join(", ");
                let message = format!(
                    "GitHub makes this repository's subjects of {claims}; the policy expects the default form."
                );
                let finding = case.token_finding(&ABOUT, trust, &witness, &message);
                out.push(finding.evidence(Evidence::value("include_claim_keys on GitHub", claims)));
            }
        }
        out
    }
}

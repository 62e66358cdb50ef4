//! O7: pull requests may assume a role that writes.

use crate::audit::Evidence;
use crate::audit::case::token;
use crate::audit::writes::write;
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};
use crate::policy::Witness;
use crate::reach::Family;

const ABOUT: About = About {
    id: "O7",
    title: "Pull requests may assume a role that writes",
    severity: Severity::High,
    confidence: Confidence::High,
    remedy: "Give pull requests a role of their own that only reads, and take pull_request out of this trust policy.",
};

/// Unreviewed code gets a role that writes.
pub(super) struct PullRequest;

impl Rule for PullRequest {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in &case.trusts {
            for repository in trust.repositories() {
                let tokens = Family::PullRequest.tokens(&trust.providers, &repository);
                let Some(witness) = trust.passing(&[&tokens], &[]).into_iter().next() else {
                    continue;
                };
                let Some((policy, write)) = trust.role.now().and_then(write) else {
                    continue;
                };
                let Witness { request, .. } = &write;
                let message = format!(
                    "the code of a pull request runs with this role before anybody has read it, and the role may {} on {}.",
                    request.action, request.resource
                );
                let mut finding = case.token_finding(&ABOUT, trust, &witness, &message);
                finding.evidence = vec![
                    token(trust, &witness),
                    Evidence::allowed("the role writes", policy, &write),
                ];
                out.push(finding);
            }
        }
        out
    }
}

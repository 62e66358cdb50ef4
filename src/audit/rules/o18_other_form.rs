//! O18: only the form of the subject that the repository does not mint.

use crate::audit::Evidence;
use crate::audit::forms::{by_ids, by_names};
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "O18",
    title: "Only one form of the subject is trusted",
    severity: Severity::High,
    confidence: Confidence::High,
    remedy: "Give [github] owner_id and repository_id and trust both forms; gh api repos/OWNER/NAME --jq '.id, .owner.id' prints them.",
};

/// Old form and immutable form of the subject.
pub(super) struct OtherForm;

impl Rule for OtherForm {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in &case.trusts {
            for repository in trust.repositories() {
                let (names, ids) = (by_names(trust, &repository), by_ids(trust, &repository));
                let github = case
                    .facts
                    .account
                    .github
                    .as_ref()
                    .filter(|facts| facts.repository == repository.full_name());
                let prefix = github.and_then(|facts| facts.subject_prefix.as_deref());
                let minted = prefix.map(|prefix| prefix.contains('@'));
                let (witness, message, sure) = match (names, ids, minted) {
                    (Some(witness), None, Some(true)) => (
                        witness,
                        "GitHub writes ids into this repository's subjects, and the policy knows only the names: it refuses every token.",
                        true,
                    ),
                    (None, Some(witness), Some(false)) => (
                        witness,
                        "GitHub does not write ids into this repository's subjects, and the policy knows only that form: it refuses every token.",
                        true,
                    ),
                    (Some(witness), None, None) if repository.repository_id.is_none() => (
                        witness,
                        "after a rename, a transfer or an opt-in GitHub writes OWNER@ID/NAME@ID, and this policy stops matching. GitHub was not asked.",
                        false,
                    ),
                    _ => continue,
                };
                let mut finding = case.token_finding(&ABOUT, trust, &witness, message);
                match prefix {
                    Some(prefix) => finding
                        .evidence
                        .push(Evidence::value("subject on GitHub", prefix)),
                    None => finding = finding.severity(Severity::Info).confidence(Confidence::Low),
                }
                if sure || trust.role.declared {
                    out.push(finding);
                }
            }
        }
        out
    }
}

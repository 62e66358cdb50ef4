//! A declared role that trusts another repository than [github] names.

use crate::audit::forms::{by_ids, by_names};
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "other-repository",
    title: "The role trusts a repository that [github] does not name",
    severity: Severity::Medium,
    confidence: Confidence::High,
    remedy: "Take the subject out, or declare the role where that repository's infrastructure is declared.",
};

/// Another repository can assume the role.
pub(super) struct OtherRepository;

impl Rule for OtherRepository {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in case.trusts.iter().filter(|trust| !trust.mended) {
            let Some(declared) = &trust.declared else {
                continue;
            };
            for repository in trust.repositories() {
                if repository
                    .full_name()
                    .eq_ignore_ascii_case(&declared.full_name())
                {
                    continue;
                }
                let found = by_names(trust, &repository).or_else(|| by_ids(trust, &repository));
                let Some(witness) = found.filter(|witness| !trust.open(witness)) else {
                    continue;
                };
                let message = format!("{} may assume it.", repository.full_name());
                out.push(case.token_finding(&ABOUT, trust, &witness, &message));
            }
        }
        out
    }
}

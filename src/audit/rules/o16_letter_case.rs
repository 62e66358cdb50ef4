//! O16: a subject that differs from the repository's in letter case only.

use crate::audit::Evidence;
use crate::audit::case::token;
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};
use crate::policy::{Grants, evaluate};
use crate::reach::Requests;

const ABOUT: About = About {
    id: "O16",
    title: "The letter case of the subject is not GitHub's",
    severity: Severity::Medium,
    confidence: Confidence::High,
    remedy: "Write OWNER/NAME as GitHub does; [github] repository has it.",
};

/// AWS compares subjects with their letter case.
pub(super) struct LetterCase;

impl Rule for LetterCase {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in case.trusts.iter().filter(|trust| trust.mended) {
            let Some(repository) = &trust.declared else {
                continue;
            };
            let before = Grants::of(&trust.held.document);
            let ours = trust.subjects(&repository.prefixes().map(|prefix| format!("{prefix}:*")));
            let dead = Requests::witnesses(&before, &[&ours], &[]).is_empty();
            for witness in trust.passing(&[&ours], &[]) {
                if evaluate(&trust.held.document, &witness.request).is_allowed() {
                    continue;
                }
                let name = repository.full_name();
                let part = if dead { "it" } else { "part of it" };
                let message = format!(
                    "{part} refuses every token of {name}: the letter case of the repository's name differs."
                );
                let mut finding = case.finding(&ABOUT, &trust.role.address, message);
                finding.location =
                    case.place(&trust.role.address, trust.held, trust.statement(&witness));
                let what = "the token that GitHub gives is refused";
                finding.evidence = vec![
                    Evidence::refused(what, trust.held.name.clone(), witness.request.clone()),
                    token(trust, &witness),
                ];
                out.push(finding);
            }
        }
        out
    }
}

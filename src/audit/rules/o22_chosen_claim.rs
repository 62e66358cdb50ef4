//! O22: a subject that begins with a claim of the caller's choice, without the repository.

use crate::audit::trust::Trust;
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};
use crate::policy::Witness;
use crate::reach::Requests;

const ABOUT: About = About {
    id: "O22",
    title: "What is asked for is the caller's own choice",
    severity: Severity::High,
    confidence: Confidence::High,
    remedy: "Put the repository into the subject, and the claim after it.",
};

/// Anybody can run a job with this claim.
pub(super) struct ChosenClaim;

impl Rule for ChosenClaim {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in case.trusts.iter().filter(|trust| !trust.closed) {
            for (claim, witness) in chosen(trust) {
                let message = format!(
                    "{claim} is what the caller makes it, and the repository is not asked for."
                );
                out.push(case.token_finding(&ABOUT, trust, &witness, &message));
            }
        }
        out
    }
}

/// Claims that the author of a workflow chooses.
const CHOSEN: &[&str] = &[
    "environment",
    "ref",
    "head_ref",
    "base_ref",
    "event_name",
    "ref_type",
];

fn chosen(trust: &Trust<'_>) -> Vec<(&'static str, Witness)> {
    let mut out: Vec<(&str, Witness)> = Vec::new();
    let ours: Vec<String> = trust
        .repositories()
        .iter()
        .flat_map(crate::reach::GithubRepository::subjects)
        .collect();
    let ours: Requests = trust.subjects(&ours);
    let elsewhere = trust.subjects(&["repo:*".to_owned()]);
    for claim in CHOSEN.iter().chain(&["workflow"]) {
        let subject = trust.subjects(&[format!("{claim}:*")]);
        let begun = trust.passing(&[&subject], &[&ours, &elsewhere]);
        let named = |witness: &Witness| {
            let mut all = trust.wanted("sub");
            let index = witness.statement.index;
            all.any(|(statement, _, value)| {
                statement.index == index && value.starts_with(&format!("{claim}:"))
            })
        };
        out.extend(
            begun
                .into_iter()
                .filter(named)
                .map(|witness| (*claim, witness)),
        );
    }
    for claim in ["ref", "environment"] {
        let found = trust.passing(&[&trust.stranger(&[claim])], &[&trust.stranger(&[])]);
        out.extend(
            found
                .into_iter()
                .filter(|witness| !trust.open(witness))
                .map(|witness| (claim, witness)),
        );
    }
    out
}

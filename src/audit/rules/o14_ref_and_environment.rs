//! O14: a role that trusts a ref and an environment of one repository.

use crate::audit::case::token;
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};
use crate::reach::Family;

const ABOUT: About = About {
    id: "O14",
    title: "Refs and environments are both trusted",
    severity: Severity::Info,
    confidence: Confidence::High,
    remedy: "Decide for one: a job that names an environment has the environment's subject and no other.",
};

/// A job names an environment or it does not.
pub(super) struct RefAndEnvironment;

impl Rule for RefAndEnvironment {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in &case.trusts {
            for repository in trust.repositories() {
                let any = Family::OtherBranch(String::new()).any(&trust.providers, &repository);
                if !trust.passing(&[&any], &[]).is_empty() {
                    continue;
                }
                let forms = |context: &str| -> Vec<String> {
                    repository
                        .prefixes()
                        .iter()
                        .map(|prefix| format!("{prefix}:{context}:*"))
                        .collect()
                };
                let refs = trust.passing(&[&trust.subjects(&forms("ref"))], &[]);
                let environments = trust.passing(&[&trust.subjects(&forms("environment"))], &[]);
                let (Some(one), Some(other)) = (refs.first(), environments.first()) else {
                    continue;
                };
                let message = "it trusts refs and environments: the protection rules of the environment do not hold for the refs.";
                let mut finding = case.token_finding(&ABOUT, trust, one, message);
                finding.evidence.push(token(trust, other));
                out.push(finding);
            }
        }
        out
    }
}

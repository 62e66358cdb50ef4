//! O15: a trusted environment that GitHub does not protect.

use crate::audit::Evidence;
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};
use crate::reach::Family;

const ABOUT: About = About {
    id: "O15",
    title: "A trusted environment has no protection rules",
    severity: Severity::Info,
    confidence: Confidence::High,
    remedy: "Give the environment required reviewers or a branch rule on GitHub; provision github sync does it.",
};

/// Every branch may name the environment.
pub(super) struct UnprotectedEnvironment;

impl Rule for UnprotectedEnvironment {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let Some(github) = &case.facts.account.github else {
            return Vec::new();
        };
        let mut out = Vec::new();
        for trust in &case.trusts {
            for repository in trust
                .repositories()
                .into_iter()
                .filter(|one| one.full_name() == github.repository)
            {
                for (name, _) in github
                    .environments
                    .iter()
                    .filter(|(_, protected)| !**protected)
                {
                    let tokens =
                        Family::Environment(name.clone()).tokens(&trust.providers, &repository);
                    let Some(witness) = trust.passing(&[&tokens], &[]).into_iter().next() else {
                        continue;
                    };
                    let message = format!(
                        "GitHub has no protection rules on the environment {name}, so any branch may use it."
                    );
                    let finding = case.token_finding(&ABOUT, trust, &witness, &message);
                    out.push(finding.evidence(Evidence::value(
                        format!("environment {name} on GitHub"),
                        "not protected",
                    )));
                }
            }
        }
        out
    }
}

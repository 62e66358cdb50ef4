//! O15: a trusted environment that GitHub does not protect.

use crate::audit::Evidence;
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};
use crate::reach::Family;

const ABOUT: About = About {
    id: "O15",
    title: "A trusted environment has no protection rules",
    severity: Severity::Info,
    confidence: Confidence::High,
    remedy: "Give the environment required reviewers or a branch rule on GitHub, under Settings, Environments.",
};

/// Every branch may name the environment.
pub(super) struct UnprotectedEnvironment;

impl Rule for UnprotectedEnvironment {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let github = case.facts.account.github.as_ref();
        let Some((github, environments)) =
            github.and_then(|github| Some((github, github.environments.as_ref()?)))
        else {
            return Vec::new();
        };
        let declared = case.facts.config.environments.iter();
        let missing = declared
            .map(|one| &one.name)
            .filter(|name| !environments.contains_key(*name));
        let open = environments.iter().filter(|(_, protected)| !**protected);
        let open: Vec<(&String, bool)> = open
            .map(|(name, _)| (name, true))
            .chain(missing.map(|name| (name, false)))
            .collect();
        let mut out = Vec::new();
        for trust in &case.trusts {
            let repositories = trust.repositories().into_iter();
            for repository in repositories.filter(|one| one.full_name() == github.repository) {
                for (name, there) in &open {
                    let tokens =
                        Family::Environment((*name).clone()).tokens(&trust.providers, &repository);
                    let Some(witness) = trust.passing(&[&tokens], &[]).into_iter().next() else {
                        continue;
                    };
                    let (message, found) = if *there {
                        (
                            "has no protection rules on the environment",
                            "not protected",
                        )
                    } else {
                        (
                            "makes the environment, unprotected, for whoever names it:",
                            "not there",
                        )
                    };
                    let message = format!("GitHub {message} {name}, so any branch may use it.");
                    let finding = case.token_finding(&ABOUT, trust, &witness, &message);
                    let value = format!("environment {name} on GitHub");
                    let finding = finding.remedy(remedy(&github.repository, name));
                    out.push(finding.evidence(Evidence::value(value, found)));
                }
            }
        }
        out
    }
}

/// What to do about an environment; the call lets only protected branches use it.
fn remedy(repository: &str, environment: &str) -> String {
    let remedy = ABOUT.remedy;
    format!(
        "{remedy} For protected branches only: gh api -X PUT 'repos/{repository}/environments/{environment}' \
         -F 'deployment_branch_policy[protected_branches]=true' \
         -F 'deployment_branch_policy[custom_branch_policies]=false'"
    )
}

//! O6: a repository whose every branch, or every environment name, may assume the role.

use crate::audit::case::token;
use crate::audit::remedies::role_for_each_environment;
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};
use crate::reach::Family;

const ABOUT: About = About {
    id: "O6",
    title: "Every branch of the repository may assume the role",
    severity: Severity::Medium,
    confidence: Confidence::High,
    remedy: "Trust an environment with protection rules, or one branch: trust = { github = { environments = [\"production\"] } }.",
};

/// Any branch or any environment of the repository passes.
pub(super) struct EveryRef;

impl Rule for EveryRef {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in &case.trusts {
            for repository in trust.repositories() {
                let branch = Family::OtherBranch(case.facts.default_branch().to_owned());
                let open = [
                    branch,
                    Family::OtherEnvironment(Vec::new()),
                    Family::Tag,
                    Family::PullRequest,
                ];
                let mut passing = open.iter().filter_map(|family| {
                    let found = trust.passing(&[&family.any(&trust.providers, &repository)], &[]);
                    found.into_iter().next().map(|witness| (family, witness))
                });
                let passing: Vec<_> = passing.by_ref().collect();
                let Some((_, first)) = passing.iter().find(|(family, _)| family.is_anybodys())
                else {
                    continue;
                };
                let words: Vec<String> = passing.iter().map(|(family, _)| family.words()).collect();
                let name = repository.full_name();
                let mut message = format!("{name} may assume it from {}.", words.join(", "));
                let graph = case.graph();
                let grant = graph.reaches_production(&trust.role.address);
                if let Some(grant) = grant {
                    let address = &grant.resource;
                    message = format!(
                        "{message} The role may {} {address}, from which production runs.",
                        grant.power.words()
                    );
                }
                let repositories = graph.to_production(&trust.role.address);
                let repositories: Vec<&str> = repositories
                    .filter_map(|grant| grant.resource.strip_prefix("repository/"))
                    .collect();
                let mut finding = case.token_finding(&ABOUT, trust, first, &message);
                finding.evidence = passing
                    .iter()
                    .map(|(_, witness)| token(trust, witness))
                    .collect();
                if grant.is_some() {
                    let lines = role_for_each_environment(case.facts.config, &repositories);
                    finding = finding
                        .severity(Severity::High)
                        .remedy(format!("# {}\n{lines}", ABOUT.remedy));
                }
                out.push(finding);
            }
        }
        out
    }
}

//! A repository of production whose tags can be moved.

use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};
use crate::config::TagMutability;

const ABOUT: About = About {
    id: "mutable-production-tags",
    title: "Tags of a repository that production runs can be moved",
    severity: Severity::Medium,
    confidence: Confidence::High,
    remedy: "Set image_tag_mutability = IMMUTABLE, push each build under its commit, and promote digests: provision promote.",
};

/// Whoever pushes replaces what production starts next.
pub(super) struct MutableProductionTags;

impl Rule for MutableProductionTags {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let graph = case.graph();
        let mut out = Vec::new();
        for (name, repository) in &case.facts.config.repositories {
            let mutable = matches!(
                repository.image_tag_mutability,
                TagMutability::Mutable | TagMutability::MutableWithExclusion
            );
            let address = format!("repository/{name}");
            let services = graph.services.get(&address).cloned().unwrap_or_default();
            let services: Vec<String> = services
                .into_iter()
                .filter(|service| graph.production.contains(service))
                .collect();
            if !mutable || services.is_empty() {
                continue;
            }
            let mut message = format!(
                "{} runs from it, and IAM has no condition on an image's tag: whoever may push may move any tag.",
                services.join(", ")
            );
            let pushers: Vec<&String> = graph
                .grants
                .iter()
                .filter(|(_, grants)| grants.iter().any(|grant| grant.resource == address))
                .map(|(role, _)| role)
                .collect();
            if !pushers.is_empty() {
                let names: Vec<&str> = pushers.iter().map(|role| role.as_str()).collect();
                message = format!("{message} From GitHub that is {}.", names.join(", "));
            }
            let finding = case.finding(&ABOUT, &address, message);
            out.push(finding.evidence(Evidence::value(
                "image_tag_mutability",
                repository.image_tag_mutability.as_str(),
            )));
        }
        out
    }
}

//! An environment whose image is another build than the one that was proved before it.

use crate::audit::images::is_mutable;
use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};
use crate::config::Image;

const ABOUT: About = About {
    id: "separate-build",
    title: "An environment runs another build than the one before it",
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    remedy: "Build once, push under the commit, and take the digest along: provision promote staging production.",
};

/// Production runs what staging never saw.
pub(super) struct SeparateBuild;

impl Rule for SeparateBuild {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let config = case.facts.config;
        let mut out = Vec::new();
        for environment in &config.environments {
            let Some(before) = &environment.after else {
                continue;
            };
            for (repository, tag, key) in images(case, &environment.name) {
                let earlier: Vec<String> = images(case, before)
                    .into_iter()
                    .filter(|(other, ..)| *other == repository)
                    .map(|(_, tag, _)| tag)
                    .collect();
                let Some(declared) = config.repositories.get(&repository) else {
                    continue;
                };
                if earlier.is_empty() || earlier.contains(&tag) || !is_mutable(declared, &tag) {
                    continue;
                }
                let message = format!(
                    "{} waits for the tag {tag}, {before} for {}: each is pushed by itself, so what {before} validated is not what runs here.",
                    environment.name,
                    earlier.join(", ")
                );
                let finding = case.finding(&ABOUT, &format!("service/{key}"), message);
                out.push(finding.evidence(Evidence::value(
                    "tags",
                    format!(
                        "{repository}:{tag} after {repository}:{}",
                        earlier.join(", ")
                    ),
                )));
            }
        }
        out
    }
}

/// The images of an environment's services: repository, tag, service.
fn images(case: &Case<'_>, environment: &str) -> Vec<(String, String, String)> {
    let config = case.facts.config;
    let mut out = Vec::new();
    for (key, service) in &config.services {
        let declared = config.declarations.get(&format!("service/{key}"));
        if declared.and_then(|declaration| declaration.environment.as_deref()) != Some(environment)
        {
            continue;
        }
        for container in service.task.container.values() {
            if let Image::Repository { name, tag } = &container.image {
                out.push((name.clone(), tag.clone(), key.clone()));
            }
        }
    }
    out
}

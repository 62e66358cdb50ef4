//! A container whose image goes by a tag that can be moved.

use crate::audit::images::{is_mutable, tag_of};
use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};
use crate::config::Image;

const ABOUT: About = About {
    id: "mutable-image-tag",
    title: "An image by a tag that can be moved",
    severity: Severity::Low,
    confidence: Confidence::High,
    remedy: "Make the repository's tags immutable and deploy by digest: provision deploy writes the digest into the task definition.",
};

/// The tag may mean another image tomorrow.
pub(super) struct MutableImageTag;

impl Rule for MutableImageTag {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let config = case.facts.config;
        let mut out = Vec::new();
        for (key, service) in &config.services {
            let live = case.facts.account.services.get(key);
            let live = live.and_then(|service| {
                case.facts
                    .account
                    .task_definitions
                    .get(&service.task_definition)
            });
            for (name, container) in &service.task.container {
                let (repository, tag) = match &container.image {
                    Image::Repository { name, tag } => (name.clone(), tag.clone()),
                    Image::Fixed(text) => match tag_of(text) {
                        Some((repository, tag)) => (repository, tag),
                        None => continue,
                    },
                };
                if config
                    .repositories
                    .get(&repository)
                    .is_some_and(|repository| !is_mutable(repository, &tag))
                {
                    continue;
                }
                let running = live.and_then(|definition| {
                    definition.containers.iter().find(|one| one.name == *name)
                });
                let by_tag = running.is_some_and(|container| !container.image.contains('@'));
                let message = format!(
                    "the container {name} goes by the tag {repository}:{tag}. When the tag moves, the text of the task definition stays the same, and a comparison of texts sees nothing."
                );
                let mut finding = case.finding(&ABOUT, &format!("service/{key}"), message);
                finding
                    .evidence
                    .push(Evidence::value("image", format!("{repository}:{tag}")));
                if let Some(container) = running.filter(|_| by_tag) {
                    finding = finding
                        .severity(Severity::Medium)
                        .evidence(Evidence::value("running", &container.image));
                }
                out.push(finding);
            }
        }
        out
    }
}

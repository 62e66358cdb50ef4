//! An image for another processor than the task definition's.

use crate::audit::images::find;
use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "image-architecture",
    title: "The image is for another processor",
    severity: Severity::High,
    confidence: Confidence::High,
    remedy: "Set architecture to that of the image, or build the image for the architecture.",
};

/// The task starts and fails.
pub(super) struct ImageArchitecture;

impl Rule for ImageArchitecture {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let account = case.facts.account;
        let mut out = Vec::new();
        for (key, service) in &account.services {
            let Some(definition) = account.task_definitions.get(&service.task_definition) else {
                continue;
            };
            for container in &definition.containers {
                let Some(image) = find(account, &container.image) else {
                    continue;
                };
                if image.architectures.is_empty()
                    || image.architectures.contains(&definition.architecture)
                {
                    continue;
                }
                let built = image.architectures.join(", ");
                let message = format!(
                    "the container {} runs on {} with an image for {built}.",
                    container.name, definition.architecture
                );
                let finding = case.finding(&ABOUT, &format!("service/{key}"), message);
                out.push(finding.evidence(Evidence::value(&container.image, built)));
            }
        }
        out
    }
}

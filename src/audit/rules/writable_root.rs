//! A container whose root file system can be written.

use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "writable-root",
    title: "A container can write its root file system",
    severity: Severity::Low,
    confidence: Confidence::High,
    remedy: "Set readonly_root_filesystem = true and mount a volume where the program writes.",
};

/// What gets in can change the program.
pub(super) struct WritableRoot;

impl Rule for WritableRoot {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for (key, service) in &case.facts.config.services {
            for (name, container) in &service.task.container {
                if !container.readonly_root_filesystem {
                    let message = format!("the container {name} can write everywhere.");
                    let finding = case.finding(&ABOUT, &format!("service/{key}"), message);
                    out.push(
                        finding.evidence(Evidence::value("readonly_root_filesystem", "false")),
                    );
                }
            }
        }
        out
    }
}

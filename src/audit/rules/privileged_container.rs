//! A container that is root on its instance.

use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "privileged-container",
    title: "A container is privileged",
    severity: Severity::High,
    confidence: Confidence::High,
    remedy: "Leave privileged out; add the one Linux capability that is needed.",
};

/// What breaks out of the container has the instance.
pub(super) struct PrivilegedContainer;

impl Rule for PrivilegedContainer {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for (key, service) in &case.facts.config.services {
            for (name, container) in service
                .task
                .container
                .iter()
                .filter(|(_, container)| container.privileged)
            {
                let message = format!("the container {name} is privileged.");
                let finding = case.finding(&ABOUT, &format!("service/{key}"), message);
                out.push(finding.evidence(Evidence::value(
                    "privileged",
                    container.privileged.to_string(),
                )));
            }
        }
        out
    }
}

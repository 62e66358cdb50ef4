//! A credential as a plain environment variable, declared or in a revision that is still there.

use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};
use crate::redact::{is_credential, names_credential};

const ABOUT: About = About {
    id: "plain-credential",
    title: "A credential as a plain environment variable",
    severity: Severity::High,
    confidence: Confidence::Medium,
    remedy: "Make it a secret and name it under `secrets`; rotate the value, since old revisions keep it.",
};

/// Whoever may describe task definitions reads it.
pub(super) struct PlainCredential;

impl Rule for PlainCredential {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for (key, service) in &case.facts.config.services {
            for (container, definition) in &service.task.container {
                for (name, value) in definition
                    .environment
                    .iter()
                    .filter(|(name, value)| is_credential(name, value))
                {
                    let message =
                        format!("{name} of the container {container} stands in infra.toml.");
                    let finding = case.finding(&ABOUT, &format!("service/{key}"), message);
                    out.push(finding.evidence(Evidence::value(name, why(name, value.is_empty()))));
                }
            }
        }
        for (arn, definition) in &case.facts.account.task_definitions {
            let service = case
                .facts
                .account
                .services
                .iter()
                .find(|(_, service)| service.task_definition == *arn);
            let address = service
                .map(|(key, _)| key.clone())
                .or_else(|| case.family(&definition.family));
            let Some(key) = address else { continue };
            for container in &definition.containers {
                for name in &container.credentials {
                    let message = format!(
                        "{name} of the container {} is readable in {}.",
                        container.name,
                        short(arn)
                    );
                    let mut finding = case.finding(&ABOUT, &format!("service/{key}"), message);
                    if service.is_none() {
                        finding = finding.severity(Severity::Medium).remedy("Rotate the value; deregister and delete the revision once nothing can roll back to it.");
                    }
                    out.push(finding.evidence(Evidence::value(name, why(name, false))));
                }
            }
        }
        out
    }
}

/// The value is never shown.
fn why(name: &str, empty: bool) -> String {
    match (names_credential(name), empty) {
        (true, _) => "looks like a credential by its name (hidden)".to_owned(),
        (false, _) => "looks like a credential by its value (hidden)".to_owned(),
    }
}

/// `FAMILY:NUMBER`.
fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

//! A variable that runs although infra.toml no longer has it, or whose secret is gone.

use crate::audit::images::secret_name;
use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "secret-removed",
    title: "A removed secret is still referred to",
    severity: Severity::Medium,
    confidence: Confidence::High,
    remedy: "Deploy the declared task definition: provision apply; then remove the secret.",
};

/// The next task does not start, or reads what was to be forgotten.
pub(super) struct SecretRemoved;

impl Rule for SecretRemoved {
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
            let declared = case.facts.config.services.get(key);
            for container in &definition.containers {
                let wanted =
                    declared.and_then(|service| service.task.container.get(&container.name));
                for (variable, from) in &container.secrets {
                    let gone = secret_name(from)
                        .and_then(|name| account.secrets.get(&name))
                        .filter(|secret| secret.deleted.is_some());
                    let dropped = wanted.is_some_and(|wanted| {
                        !wanted.secrets.contains_key(variable)
                            && !wanted.environment.contains_key(variable)
                    });
                    let message = match (gone, dropped) {
                        (Some(_), _) => format!(
                            "{variable} comes from a secret that is scheduled for deletion: the next task does not start."
                        ),
                        (None, true) => format!(
                            "{variable} is still given to the container {}, and infra.toml no longer has it.",
                            container.name
                        ),
                        (None, false) => continue,
                    };
                    let finding = case.finding(&ABOUT, &format!("service/{key}"), message);
                    out.push(finding.evidence(Evidence::value(variable, from)));
                }
                for variable in &container.environment {
                    if wanted.is_some_and(|wanted| {
                        !wanted.environment.contains_key(variable)
                            && !wanted.secrets.contains_key(variable)
                    }) {
                        let message = format!(
                            "{variable} is still given to the container {}, and infra.toml no longer has it.",
                            container.name
                        );
                        let finding = case
                            .finding(&ABOUT, &format!("service/{key}"), message)
                            .severity(Severity::Low);
                        out.push(finding.evidence(Evidence::value("environment", variable)));
                    }
                }
            }
        }
        out
    }
}

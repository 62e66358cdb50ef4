//! A resource that is not as infra.toml says.

use crate::audit::remedies::accept_fields;
use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "drift",
    title: "The resource differs from infra.toml",
    severity: Severity::Low,
    confidence: Confidence::High,
    remedy: "Run provision plan to see it, and provision apply or the lines of accept to end it.",
};

/// AWS and infra.toml differ.
pub(super) struct Drift;

impl Rule for Drift {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for drift in &case.facts.account.drift {
            let fields: Vec<&str> = drift
                .fields
                .iter()
                .map(|field| field.path.as_str())
                .collect();
            let message = match drift.verb.as_str() {
                "create" => "it is declared and not there yet.".to_owned(),
                "delete" => {
                    "it carries this project's owner mark and is no longer declared.".to_owned()
                }
                _ => format!("it differs in {}.", fields.join(", ")),
            };
            let mut finding = case.finding(&ABOUT, &drift.address, message);
            if drift.verb == "create" {
                finding = finding.severity(Severity::Info);
                finding
                    .evidence
                    .push(Evidence::value("in the account", "nothing"));
            }
            if !drift.meaning.is_empty() {
                finding = finding.severity(Severity::Medium);
            }
            for field in drift.fields.iter().filter(|_| drift.verb != "create") {
                finding.evidence.push(Evidence::value(
                    &field.path,
                    format!("{} in the account, {} declared", field.live, field.declared),
                ));
            }
            finding.evidence.extend(
                drift
                    .meaning
                    .iter()
                    .map(|meaning| Evidence::value("meaning", meaning)),
            );
            let name = drift.address.split_once('/').map_or("", |(_, name)| name);
            finding.evidence.extend(case.events(name));
            finding.revert = Some(format!(
                "provision apply {} would {} it",
                drift.address, drift.verb
            ));
            finding.accept = accept_fields(drift);
            out.push(finding);
        }
        out
    }
}

//! A log group that keeps its events for ever.

use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "log-retention",
    title: "A log group keeps its events for ever",
    severity: Severity::Low,
    confidence: Confidence::High,
    remedy: "Set retention_in_days.",
};

/// Logs that never expire are paid for and leak later.
pub(super) struct LogRetention;

impl Rule for LogRetention {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for (name, group) in &case.facts.config.log_groups {
            if group.retention_in_days.is_none() {
                let finding = case.finding(
                    &ABOUT,
                    &format!("log_group/{name}"),
                    "no retention is declared: events never expire.",
                );
                out.push(finding.evidence(Evidence::value("retention_in_days", "never expires")));
            }
        }
        out
    }
}

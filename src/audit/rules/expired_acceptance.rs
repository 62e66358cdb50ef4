//! An acceptance whose last day is past.

use crate::audit::accept::expired;
use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "expired-acceptance",
    title: "An acceptance has expired",
    severity: Severity::Medium,
    confidence: Confidence::High,
    remedy: "Mend what was accepted, or accept it anew with a later day and the reason.",
};

/// What was accepted for a while stands again.
pub(super) struct ExpiredAcceptance;

impl Rule for ExpiredAcceptance {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for acceptance in &case.facts.config.acceptances {
            if expired(acceptance.until.as_deref(), case.today) {
                let until = acceptance.until.clone().unwrap_or_default();
                let message = format!("the acceptance of {} ended on {until}.", acceptance.rule);
                let finding = case
                    .finding(&ABOUT, &acceptance.address, message)
                    .at(acceptance.position.clone());
                out.push(finding.evidence(Evidence::value("reason given", &acceptance.reason)));
            }
        }
        out
    }
}

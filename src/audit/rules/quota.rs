//! A quota of IAM that is nearly used up.

use crate::audit::quotas::uses;
use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "quota",
    title: "A quota is nearly used up",
    severity: Severity::Low,
    confidence: Confidence::High,
    remedy: "Ask for a higher quota, or merge and remove policies.",
};

/// The next change may be refused.
pub(super) struct Quota;

impl Rule for Quota {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        // Four fifths: what is left still holds a change and the time to ask for more.
        const NEAR: (i64, i64) = (4, 5);
        let mut out = Vec::new();
        for (address, what, used, limit) in uses(case.facts) {
            if limit > 0 && used * NEAR.1 >= limit * NEAR.0 {
                let finding = case.finding(
                    &ABOUT,
                    &address,
                    format!("{used} of {limit} {what} are used."),
                );
                let full = used >= limit;
                let finding = if full {
                    finding.severity(Severity::Medium)
                } else {
                    finding
                };
                out.push(finding.evidence(Evidence::value(what, format!("{used} of {limit}"))));
            }
        }
        out
    }
}

//! A secret whose value has not changed for a year.

use crate::audit::Day;
use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "secret-unrotated",
    title: "A secret has never been rotated",
    severity: Severity::Low,
    confidence: Confidence::High,
    remedy: "provision secret rotate NAME, then deploy, since tasks read secrets when they start.",
};

/// The longer a value lives, the more have seen it.
pub(super) struct SecretUnrotated;

impl Rule for SecretUnrotated {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        // A year, the longest period that common rules on credentials allow.
        const OLDEST: i64 = 365 * 86_400;
        let mut out = Vec::new();
        for (name, secret) in &case.facts.account.secrets {
            let Some(since) = secret.changed.or(secret.created) else {
                continue;
            };
            if secret.rotates || secret.deleted.is_some() || case.seconds() - since < OLDEST {
                continue;
            }
            let message = format!("its value is that of {}.", Day::of(since));
            let finding = case.finding(&ABOUT, &format!("secret/{name}"), message);
            out.push(finding.evidence(Evidence::value("last changed", Day::of(since).to_string())));
        }
        out
    }
}

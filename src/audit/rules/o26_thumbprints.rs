//! O26: thumbprints for GitHub's provider.

use crate::audit::Evidence;
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};
use crate::reach::ISSUER;

const ABOUT: About = About {
    id: "O26",
    title: "Thumbprints of GitHub's provider have no effect",
    severity: Severity::Info,
    confidence: Confidence::High,
    remedy: "Leave thumbprints out: AWS has not used them for GitHub since July 2023.",
};

/// AWS does not use them.
pub(super) struct Thumbprints;

impl Rule for Thumbprints {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let declared = case.facts.config.oidc_providers.get(ISSUER);
        let prints = declared
            .and_then(|provider| provider.thumbprints.as_ref())
            .filter(|prints| !prints.is_empty());
        let Some(prints) = prints else {
            return Vec::new();
        };
        let message = "infra.toml gives thumbprints, which AWS does not use for GitHub; where they differ, nothing follows.";
        let finding = case.finding(&ABOUT, &format!("oidc_provider/{ISSUER}"), message);
        vec![finding.evidence(Evidence::value("thumbprints", prints.join(", ")))]
    }
}

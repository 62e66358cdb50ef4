//! A managed policy that keeps older versions.

use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "extra-versions",
    title: "Older versions of a declared policy are kept",
    severity: Severity::Info,
    confidence: Confidence::High,
    remedy: "Delete the versions that are not the default: aws iam delete-policy-version.",
};

/// An older version can be made the default with one call.
pub(super) struct ExtraVersions;

impl Rule for ExtraVersions {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn asks_who(&self) -> bool {
        true
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let config = case.facts.config;
        let mut out = Vec::new();
        for (arn, policy) in &case.facts.account.policies {
            let name = arn.rsplit('/').next().unwrap_or_default();
            if policy.versions > 1
                && config.policies.contains_key(name)
                && arn.contains(&config.project.account_id)
            {
                let message =
                    "whoever may call iam:SetDefaultPolicyVersion can bring an older text back.";
                let finding = case.finding(&ABOUT, &format!("policy/{name}"), message);
                out.push(
                    finding.evidence(Evidence::value("versions", policy.versions.to_string())),
                );
            }
        }
        out
    }
}

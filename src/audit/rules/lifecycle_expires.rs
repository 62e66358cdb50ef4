//! A lifecycle policy that would expire an image in use.

use crate::audit::images::{digests_in_use, find};
use crate::audit::lifecycle::expired;
use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "lifecycle-expires",
    title: "A lifecycle rule expires an image in use",
    severity: Severity::High,
    confidence: Confidence::High,
    remedy: "Keep what runs: raise the count or the age of the rule, or give the tags that run a rule of higher priority.",
};

/// A task that is replaced cannot be started again.
pub(super) struct LifecycleExpires;

impl Rule for LifecycleExpires {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let account = case.facts.account;
        let used = digests_in_use(account);
        let mut out = Vec::new();
        for (name, declared) in &case.facts.config.repositories {
            let Some(live) = account.repositories.get(name) else {
                continue;
            };
            let (Some(images), Some(policy)) = (&live.images, &declared.lifecycle_policy) else {
                continue;
            };
            for (digest, rule) in expired(&policy.text, images, case.seconds()) {
                let Some(service) = used.iter().find(|(image, _)| {
                    find(account, image).is_some_and(|one| one.digest == digest)
                }) else {
                    continue;
                };
                let message = format!(
                    "rule {rule} of its lifecycle policy expires {digest}, which service/{} runs.",
                    service.1
                );
                let mut finding = case.finding(&ABOUT, &format!("repository/{name}"), message);
                finding.location = crate::config::Position {
                    path: policy.path.clone(),
                    line: 1,
                    column: 1,
                };
                out.push(finding.evidence(Evidence::value("expires", digest)));
            }
        }
        out
    }
}

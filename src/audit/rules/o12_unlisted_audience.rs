//! O12: the audience is constrained to what the provider does not list.

use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};
use serde_json::json;

use crate::audit::Evidence;
use crate::audit::case::token;
use crate::reach::key;

const ABOUT: About = About {
    id: "O12",
    title: "The audience is one that the provider does not list",
    severity: Severity::Medium,
    confidence: Confidence::High,
    remedy: "Add the audience to client_ids of the provider, or trust the one that is there.",
};

/// No token of this audience is ever accepted.
pub(super) struct UnlistedAudience;

impl Rule for UnlistedAudience {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in case.trusts.iter().filter(|trust| !trust.mended) {
            let Some(audiences) = case.audiences(&trust.providers) else {
                continue;
            };
            let listed = trust.tokens(&json!({ "StringEquals": { key("aud"): audiences } }));
            for witness in trust.tokens(&json!({})) {
                if listed.iter().any(|one| one.statement == witness.statement) {
                    continue;
                }
                let message = format!(
                    "it waits for an audience that the provider does not list; listed: {}.",
                    audiences.join(", ")
                );
                let mut finding =
                    case.trust_finding(&ABOUT, trust, trust.statement(&witness), &message);
                finding.evidence = vec![
                    token(trust, &witness),
                    Evidence::value("client_ids", audiences.join(", ")),
                ];
                out.push(finding);
            }
        }
        out
    }
}

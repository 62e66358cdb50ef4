//! O21: a reusable workflow by a ref that moves.

use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};
use serde_json::json;

use crate::audit::case::token;
use crate::reach::key;

const ABOUT: About = About {
    id: "O21",
    title: "job_workflow_ref ends in a ref that moves",
    severity: Severity::Medium,
    confidence: Confidence::High,
    remedy: "End it in the commit: OWNER/NAME/.github/workflows/FILE.yml@COMMIT.",
};

/// The workflow's text is not what it was.
pub(super) struct MutableWorkflow;

impl Rule for MutableWorkflow {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in &case.trusts {
            for (statement, _, value) in trust.wanted("job_workflow_ref") {
                let reference = value
                    .rsplit_once('@')
                    .map_or("", |(_, reference)| reference);
                if reference.len() == 40 && reference.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    continue;
                }
                let witnesses =
                    trust.tokens(&json!({ "StringLike": { key("job_workflow_ref"): value } }));
                let Some(witness) = witnesses
                    .iter()
                    .find(|one| one.statement.index == statement.index)
                else {
                    continue;
                };
                let message = format!("{value} is whatever its ref points to next.");
                let mut finding = case.trust_finding(&ABOUT, trust, Some(statement), &message);
                finding.evidence.push(token(trust, witness));
                out.push(finding);
            }
        }
        out
    }
}

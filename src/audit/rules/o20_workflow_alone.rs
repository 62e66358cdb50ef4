//! O20: a reusable workflow is all that is asked for.

use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "O20",
    title: "job_workflow_ref is the only guard",
    severity: Severity::High,
    confidence: Confidence::High,
    remedy: "Name the repository as well: anybody may call a public reusable workflow.",
};

/// Whoever calls the workflow gets in.
pub(super) struct WorkflowAlone;

impl Rule for WorkflowAlone {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in &case.trusts {
            for witness in trust.passing(
                &[&trust.stranger(&["job_workflow_ref"])],
                &[&trust.stranger(&[])],
            ) {
                if !trust.open(&witness) {
                    let message = "any repository that calls the reusable workflow satisfies it.";
                    out.push(case.token_finding(&ABOUT, trust, &witness, message));
                }
            }
        }
        out
    }
}

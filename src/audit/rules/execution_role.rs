//! An execution role that may do more than start its tasks.

use crate::audit::execution::needed;
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "execution-role",
    title: "An execution role is wider than its tasks need",
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    remedy: "Keep to AmazonECSTaskExecutionRolePolicy and to the secrets that the tasks name.",
};

/// Whoever gets into a task's start gets this too.
pub(super) struct ExecutionRole;

impl Rule for ExecutionRole {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for role in case.facts.roles() {
            let Some(needed) = needed(case.facts.config, &role.arn) else {
                continue;
            };
            for state in &role.states {
                for witness in crate::reach::Requests::witnesses(&state.grants(), &[], &[&needed]) {
                    let request = &witness.request;
                    let message = format!(
                        "starting its tasks does not need {} on {}.",
                        request.action, request.resource
                    );
                    out.push(case.held_finding(&ABOUT, role, state, &witness, &message));
                }
            }
        }
        out
    }
}

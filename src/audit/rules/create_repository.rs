//! A push role that may create repositories.

use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "create-repository",
    title: "A push role may create repositories",
    severity: Severity::Low,
    confidence: Confidence::High,
    remedy: "Take ecr:CreateRepository away: infra.toml makes the repositories.",
};

/// A mistyped name makes a repository instead of an error.
pub(super) struct CreateRepository;

impl Rule for CreateRepository {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for (role, state) in case.ci_states() {
            for witness in state
                .may(&["ecr:CreateRepository"], &["*", "arn:*:ecr:*"])
                .into_iter()
                .take(1)
            {
                let message =
                    "with create-on-push a mistyped repository is made instead of refused.";
                out.push(case.held_finding(&ABOUT, role, state, &witness, message));
            }
        }
        out
    }
}

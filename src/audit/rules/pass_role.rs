//! A CI role that may pass more roles than the tasks need, or to anybody.

use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};
use serde_json::json;

use crate::reach::Requests;

const ABOUT: About = About {
    id: "pass-role",
    title: "A CI role may pass roles beyond those of the tasks",
    severity: Severity::High,
    confidence: Confidence::High,
    remedy: "Allow iam:PassRole on the task and execution roles only, with StringEquals iam:PassedToService = ecs-tasks.amazonaws.com.",
};

/// `PassRole` gives away whatever the role may do.
pub(super) struct PassRole;

impl Rule for PassRole {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let config = case.facts.config;
        let roles: Vec<String> = config
            .services
            .values()
            .flat_map(|service| {
                service
                    .task
                    .execution_role
                    .iter()
                    .chain(&service.task.task_role)
            })
            .map(|role| role.arn.clone())
            .collect();
        let bounded =
            json!({ "StringEquals": { "iam:PassedToService": "ecs-tasks.amazonaws.com" } });
        let intended: Vec<&str> = roles.iter().map(String::as_str).collect();
        let without = if intended.is_empty() {
            vec![]
        } else {
            vec![Requests::of_where(&["iam:PassRole"], &intended, &bounded)]
        };
        let mut out = Vec::new();
        for (role, state) in case.ci_states() {
            if !state.mentions(&["iam:PassRole"], &["*"]) {
                continue;
            }
            let within = Requests::of(&["iam:PassRole"], &["*"]);
            let excluded: Vec<&Requests> = without.iter().collect();
            for witness in Requests::witnesses(&state.grants(), &[&within], &excluded) {
                let passed = &witness.request.resource;
                let message = if roles.contains(passed) {
                    format!("it may pass {passed} to any service.")
                } else {
                    format!("it may pass {passed}, which no declared task uses.")
                };
                out.push(case.held_finding(&ABOUT, role, state, &witness, &message));
            }
        }
        out
    }
}

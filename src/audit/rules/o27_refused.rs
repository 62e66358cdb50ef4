//! O27: a trust policy that IAM refuses, or that STS never honours.

use crate::audit::trust::is_claim;
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};
use crate::policy::Statement;

const ABOUT: About = About {
    id: "O27",
    title: "IAM refuses a trust policy that does not evaluate the subject",
    severity: Severity::High,
    confidence: Confidence::High,
    remedy: "Add a condition on token.actions.githubusercontent.com:sub that names the repository.",
};

/// Shared providers must evaluate the subject.
pub(super) struct Refused;

impl Rule for Refused {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in case.trusts.iter().filter(|trust| !trust.mended) {
            for statement in trust
                .statements()
                .filter(|statement| !evaluates_subject(statement))
            {
                let message = "GitHub's provider is shared by all of GitHub, so IAM wants a condition on the subject that is no bare wildcard; some endpoints accept the policy and STS refuses later.";
                out.push(case.trust_finding(&ABOUT, trust, Some(statement), message));
            }
        }
        out
    }
}

fn evaluates_subject(statement: &Statement) -> bool {
    statement.conditions.iter().any(|condition| {
        is_claim(condition, "sub")
            && condition
                .values
                .iter()
                .any(|value| !value.bytes().all(|byte| matches!(byte, b'*' | b'?')))
    })
}

//! O28: `sts:*`, or `AssumeRole` where `AssumeRoleWithWebIdentity` is meant.

use crate::audit::Evidence;
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};
use crate::policy::StatementRef;

const ABOUT: About = About {
    id: "O28",
    title: "The statement names another call than AssumeRoleWithWebIdentity",
    severity: Severity::Low,
    confidence: Confidence::High,
    remedy: "Write sts:AssumeRoleWithWebIdentity, and nothing else that is not needed.",
};

/// A token is exchanged by one call only.
pub(super) struct WrongCall;

impl Rule for WrongCall {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in case.trusts.iter().filter(|trust| !trust.mended) {
            for statement in trust.statements() {
                let call = |pattern: &&String| {
                    let lower = pattern.to_ascii_lowercase();
                    lower == "*"
                        || lower == "sts:*"
                        || lower == "sts:assumerole"
                        || lower == "sts:assumerole*"
                };
                let Some(pattern) = statement.actions.list.iter().find(call) else {
                    continue;
                };
                let message = format!(
                    "{pattern} is not the call that exchanges a token: that is sts:AssumeRoleWithWebIdentity."
                );
                let mut finding = case.trust_finding(&ABOUT, trust, Some(statement), &message);
                finding.evidence = vec![Evidence::Statement {
                    policy: trust.held.name.clone(),
                    statement: StatementRef::of(statement),
                    what: format!("its action is {pattern}"),
                }];
                out.push(finding);
            }
        }
        out
    }
}

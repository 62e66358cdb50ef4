//! An action pattern that no action of AWS matches.

use crate::audit::statements::{Declared, identity_policies, repository_policies};
use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};
use crate::policy::{Statement, StatementRef, actions};

const ABOUT: About = About {
    id: "unknown-action",
    title: "An action that does not exist",
    severity: Severity::Medium,
    confidence: Confidence::High,
    remedy: "Correct the name; the service authorization reference lists the actions of each service.",
};

/// A misspelt action grants, or denies, nothing.
pub(super) struct UnknownAction;

impl Rule for UnknownAction {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for Declared { address, held } in identity_policies(case.facts)
            .into_iter()
            .chain(repository_policies(case.facts))
        {
            for statement in held.document.statements() {
                for pattern in unknown(statement) {
                    let message = format!(
                        "{pattern} matches no action of AWS, so the statement does nothing for it."
                    );
                    let mut finding = case.finding(&ABOUT, &address, message);
                    finding.location = case.place(&address, &held, Some(statement));
                    finding.evidence.push(Evidence::Statement {
                        policy: held.name.clone(),
                        statement: StatementRef::of(statement),
                        what: format!("names {pattern}"),
                    });
                    if let Some(near) = actions::nearest(pattern) {
                        finding = finding.remedy(format!(
                            "Did you mean {near}? Correct the name or remove it."
                        ));
                    }
                    out.push(finding);
                }
            }
        }
        out
    }
}

fn unknown(statement: &Statement) -> Vec<&String> {
    statement
        .actions
        .list
        .iter()
        .filter(|pattern| !actions::exists(pattern))
        .collect()
}

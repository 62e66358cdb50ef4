//! A statement without which the policy says the same.

use crate::audit::statements::{Declared, identity_policies, part};
use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};
use crate::policy::{Relation, StatementRef, relate};

const ABOUT: About = About {
    id: "superfluous-statement",
    title: "A statement that another makes superfluous",
    severity: Severity::Low,
    confidence: Confidence::High,
    remedy: "Remove the statement.",
};

/// Removing it changes nothing.
pub(super) struct SuperfluousStatement;

impl Rule for SuperfluousStatement {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for Declared { address, held } in identity_policies(case.facts) {
            for statement in held.document.statements() {
                let Some(rest) = part(&held.document, statement.index, false) else {
                    continue;
                };
                if relate(&rest, &held.document).relation != Relation::Equal {
                    continue;
                }
                let message = format!(
                    "without statement {} the policy means the same.",
                    statement.index
                );
                let mut finding = case.finding(&ABOUT, &address, message);
                finding.location = case.place(&address, &held, Some(statement));
                out.push(finding.evidence(Evidence::Statement {
                    policy: held.name.clone(),
                    statement: StatementRef::of(statement),
                    what: "the others already say it".to_owned(),
                }));
            }
        }
        out
    }
}

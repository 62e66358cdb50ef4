//! A trust policy that names a principal which no longer exists.

use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};
use crate::policy::{Principal, StatementRef};

const ABOUT: About = About {
    id: "unresolved-principal",
    title: "A trusted principal is gone",
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    remedy: "Name the principal by its ARN again, or remove it.",
};

/// A unique id stands where an ARN was.
pub(super) struct UnresolvedPrincipal;

impl Rule for UnresolvedPrincipal {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn asks_who(&self) -> bool {
        true
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let account = case.facts.account;
        let known: std::collections::BTreeSet<&str> = account
            .roles
            .values()
            .map(|role| role.id.as_str())
            .chain(account.users.values().map(|user| user.id.as_str()))
            .collect();
        let mut out = Vec::new();
        for (role, _, held) in case.facts.trusts() {
            for statement in held.document.statements() {
                for principal in statement
                    .principals
                    .iter()
                    .flat_map(|principals| &principals.list)
                {
                    let Principal::Aws(id) = principal else {
                        continue;
                    };
                    let unique = id.starts_with("AROA") || id.starts_with("AIDA");
                    if !unique || known.contains(id.as_str()) {
                        continue;
                    }
                    let message =
                        format!("{id} is the id of a role or user that is not in the account.");
                    let mut finding = case.finding(&ABOUT, &role.address, message);
                    finding.location = case.place(&role.address, held, Some(statement));
                    out.push(finding.evidence(Evidence::Statement {
                        policy: held.name.clone(),
                        statement: StatementRef::of(statement),
                        what: format!("trusts {id}"),
                    }));
                }
            }
        }
        out
    }
}

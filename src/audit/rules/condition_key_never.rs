//! A condition on a key that the statement's actions never have.

use crate::audit::statements::{Declared, identity_policies};
use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};
use crate::policy::{Statement, StatementRef, actions};

const ABOUT: About = About {
    id: "condition-key-never",
    title: "A condition key that the action never has",
    severity: Severity::Medium,
    confidence: Confidence::High,
    remedy: "Use a key that the action has, or take the action out of the statement.",
};

/// The condition is never met, or guards nothing.
pub(super) struct ConditionKeyNever;

impl Rule for ConditionKeyNever {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for Declared { address, held } in identity_policies(case.facts) {
            for statement in held
                .document
                .statements()
                .iter()
                .filter(|statement| !statement.actions.negated)
            {
                for condition in &statement.conditions {
                    let without = lacking(statement, &condition.key);
                    if without.is_empty() {
                        continue;
                    }
                    let operator = condition.operator;
                    let absent = operator.negated || operator.if_exists;
                    let effect = if absent {
                        "so it guards nothing"
                    } else {
                        "so it is never met"
                    };
                    let message = format!(
                        "{} never has the key {}, {effect}.",
                        without.join(", "),
                        condition.key
                    );
                    let mut finding = case.finding(&ABOUT, &address, message);
                    finding.location = case.place(&address, &held, Some(statement));
                    out.push(finding.evidence(Evidence::Statement {
                        policy: held.name.clone(),
                        statement: StatementRef::of(statement),
                        what: format!("{operator} on {}", condition.key),
                    }));
                }
            }
        }
        out
    }
}

/// The actions of a statement, by their full names, that never have a key. The keys that begin with `aws:` are AWS's
/// own and can be in any request.
fn lacking<'a>(statement: &'a Statement, key: &str) -> Vec<&'a str> {
    if key.to_ascii_lowercase().starts_with("aws:") {
        return Vec::new();
    }
    let mut out = Vec::new();
    for name in &statement.actions.list {
        if let Some(action) = actions::find(name)
            && !action
                .condition_keys
                .iter()
                .any(|known| same_key(known, key))
        {
            out.push(name.as_str());
        }
    }
    out
}

/// Whether a key is the one of the reference, where `${TagKey}` stands for any text.
fn same_key(known: &str, key: &str) -> bool {
    match known.split_once("${") {
        Some((start, _)) => key
            .get(..start.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(start)),
        None => known.eq_ignore_ascii_case(key),
    }
}

//! Statements taken apart into atoms: one action, one resource, one principal, the condition's text.
//! Comparing atoms decides most small edits at once; what it cannot decide goes to `relate`.

use std::collections::BTreeSet;

use super::canonical;
use super::document::Document;
use super::statement::{Effect, Patterns};

/// The smallest part of a statement that still means something alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Atom {
    /// Allow or Deny.
    pub effect: Effect,
    /// One action pattern in lower case; `!a,b` for all but a and b.
    pub action: String,
    /// One resource pattern; `!a,b` for all but a and b; empty where the statement names none.
    pub resource: String,
    /// One principal with its kind; `!a,b` for all but a and b; empty in an identity policy.
    pub principal: String,
    /// The canonical text of the conditions; empty where there are none.
    pub condition: String,
    /// Whether `${...}` in the texts is a variable.
    pub variables: bool,
}

impl Document {
    /// The atoms of all statements.
    #[must_use]
    pub fn atoms(&self) -> BTreeSet<Atom> {
        let mut out = BTreeSet::new();
        for statement in self.statements() {
            let condition = canonical::conditions_text(&statement.conditions);
            let actions = parts(&statement.actions, str::to_ascii_lowercase);
            let resources = match &statement.resources {
                Some(patterns) => parts(patterns, str::to_owned),
                None => vec![String::new()],
            };
            let principals = match &statement.principals {
                None => vec![String::new()],
                Some(principals) => {
                    let list = principals
                        .list
                        .iter()
                        .map(super::statement::Principal::text)
                        .collect();
                    parts(
                        &Patterns {
                            negated: principals.negated,
                            list,
                            over_fields: false,
                        },
                        str::to_owned,
                    )
                }
            };
            for action in &actions {
                for resource in &resources {
                    for principal in &principals {
                        out.insert(Atom {
                            effect: statement.effect,
                            action: action.clone(),
                            resource: resource.clone(),
                            principal: principal.clone(),
                            condition: condition.clone(),
                            variables: self.has_variables()
                                && has_variable(&[action, resource, &condition]),
                        });
                    }
                }
            }
        }
        out
    }
}

/// The patterns one by one, or one text for all but them.
fn parts(patterns: &Patterns, spelling: impl Fn(&str) -> String) -> Vec<String> {
    let list: BTreeSet<String> = patterns.list.iter().map(|text| spelling(text)).collect();
    if patterns.negated {
        let all: Vec<String> = list.into_iter().collect();
        return vec![format!("!{}", all.join(","))];
    }
    list.into_iter().collect()
}

fn has_variable(texts: &[&String]) -> bool {
    texts.iter().any(|text| text.contains("${"))
}

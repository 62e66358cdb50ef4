//! A plan as it is shown: counted, and with every credential hidden, whatever the format.
//! The formats read this and never the specs themselves.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::diff::{Change, diff};
use crate::kind::{Address, Hazard};
use crate::plan::{Action, Plan, Verb};
use crate::redact;

/// What a plan is of: names that a report repeats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct About {
    /// The project's name.
    pub project: String,
    /// The account's twelve digits.
    pub account_id: String,
    /// The project's region.
    pub region: String,
    /// The addresses asked for; empty for everything.
    pub addresses: Vec<String>,
    /// Whether the plan removes what is there.
    pub destroy: bool,
}

/// How many resources a plan makes, changes and removes; a replaced one is made and removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Created or replaced.
    pub add: usize,
    /// Changed in place.
    pub change: usize,
    /// Deleted or replaced.
    pub destroy: usize,
}

impl Summary {
    /// Counts the actions of a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let count = |verb| {
            plan.actions
                .iter()
                .filter(|action| action.verb() == verb)
                .count()
        };
        let replaced = count(Verb::Replace);
        Self {
            add: count(Verb::Create) + replaced,
            change: count(Verb::Change),
            destroy: count(Verb::Delete) + replaced,
        }
    }

    /// `1 to add, 2 to change, 0 to destroy`.
    #[must_use]
    pub fn words(self) -> String {
        format!(
            "{} to add, {} to change, {} to destroy",
            self.add, self.change, self.destroy
        )
    }
}

/// The last line of a plan.
pub(super) fn last_line(plan: &Plan, about: &About) -> String {
    match (plan.is_empty(), about.destroy) {
        (true, false) => "No changes. Your infrastructure matches infra.toml.".to_owned(),
        (true, true) => "No changes. There is nothing of this project to destroy.".to_owned(),
        (false, _) => format!("Plan: {}.", Summary::of(plan).words()),
    }
}

/// The fields of an action that are shown: what differs, or all that a new resource has.
pub(super) fn fields(action: &Action) -> Vec<Change> {
    let changes = match (&action.before, &action.after) {
        (None, Some(after)) => diff(&Value::Null, &after.json(), &action.documents),
        _ => action.changes.clone(),
    };
    changes
        .into_iter()
        .filter(|change| !(is_empty(&change.before) && is_empty(&change.after)))
        .map(
            |Change {
                 path,
                 before,
                 after,
             }| {
                let (before, after) = redact::hide_change(&path, &before, &after);
                Change {
                    path,
                    before,
                    after,
                }
            },
        )
        .collect()
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// The hazards of a plan that nothing grants by itself.
pub(super) fn needs_allow(plan: &Plan) -> BTreeSet<Hazard> {
    plan.hazards()
        .into_iter()
        .filter(|hazard| *hazard != Hazard::Deploys)
        .collect()
}

/// Notes with the address that they are about, in the plan's order, each once.
pub(super) fn notes(plan: &Plan) -> Vec<(&Address, &str)> {
    let mut seen = BTreeSet::new();
    plan.notes
        .iter()
        .map(|(address, note)| (address, note.as_str()))
        .filter(|note| seen.insert(*note))
        .collect()
}

/// The symbol of what is done.
pub(super) fn symbol(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "+",
        Verb::Change => "~",
        Verb::Delete => "-",
        Verb::Replace => "±",
    }
}

//! The canonical form: one JSON text for all spellings that differ only in what never has a meaning.
//!
//! These are, each with the page of the IAM User Guide that says so:
//! - the order of keys and lists, and a scalar or an object for a list of one: "Grammar of the IAM JSON policy
//!   language", which also lets booleans and numbers stand with or without quotes;
//! - values that stand twice, since of a list one value suffices: "IAM JSON policy elements: Condition", "... Action";
//! - Sids, which name a statement and nothing more: "IAM JSON policy elements: Sid";
//! - the letter case of actions: "IAM JSON policy elements: Action"; of condition keys: "... Condition"; of operators,
//!   which no page promises, as other evaluators read them;
//! - `"*"` for `{"AWS": "*"}` and an account's id for its `:root`: "AWS JSON policy elements: Principal";
//! - `ArnLike` for `ArnEquals`, which "behave identically": "IAM JSON policy elements: Condition operators".

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::operator::Comparison;
use super::statement::{Condition, Effect, Patterns, Principal, Principals, Statement};
use super::values;

/// The canonical text of a document; `principal_ids` resolves unique ids to ARNs.
pub(super) fn text(
    version_2012: bool,
    id: Option<&str>,
    statements: &[Statement],
    principal_ids: &BTreeMap<String, String>,
) -> String {
    let statements: BTreeSet<String> = statements
        .iter()
        .map(|one| statement(one, principal_ids))
        .collect();
    let version = if version_2012 {
        "2012-10-17"
    } else {
        "2008-10-17"
    };
    let head = match id {
        Some(id) => format!("\"Id\":{},", Value::from(id)),
        None => String::new(),
    };
    let body: Vec<String> = statements.into_iter().collect();
    format!(
        "{{{head}\"Statement\":[{}],\"Version\":\"{version}\"}}",
        body.join(",")
    )
}

/// The canonical text of one statement; the version counts only where it changes what the statement says.
pub(super) fn statement_text(one: &Statement, version_2012: bool) -> String {
    let text = statement(one, &BTreeMap::new());
    if version_2012 && text.contains("${") {
        format!("2012 {text}")
    } else {
        text
    }
}

fn statement(statement: &Statement, principal_ids: &BTreeMap<String, String>) -> String {
    let Statement {
        index: _,
        line: _,
        sid: _,
        effect,
        principals,
        actions,
        resources,
        conditions,
    } = statement;
    let mut object = Map::new();
    let effect = match effect {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
    };
    insert_patterns(&mut object, "Action", actions, str::to_ascii_lowercase);
    if !conditions.is_empty() {
        object.insert("Condition".to_owned(), conditions_value(conditions));
    }
    object.insert("Effect".to_owned(), Value::from(effect));
    if let Some(principals) = principals {
        let key = if principals.negated {
            "NotPrincipal"
        } else {
            "Principal"
        };
        object.insert(key.to_owned(), principals_value(principals, principal_ids));
    }
    if let Some(resources) = resources {
        insert_patterns(&mut object, "Resource", resources, str::to_owned);
    }
    Value::Object(object).to_string()
}

fn insert_patterns(
    object: &mut Map<String, Value>,
    key: &str,
    patterns: &Patterns,
    spelling: impl Fn(&str) -> String,
) {
    let list: BTreeSet<String> = patterns.list.iter().map(|text| spelling(text)).collect();
    let key = if patterns.negated {
        format!("Not{key}")
    } else {
        key.to_owned()
    };
    object.insert(key, json!(list));
}

fn principals_value(principals: &Principals, principal_ids: &BTreeMap<String, String>) -> Value {
    let mut kinds: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for principal in &principals.list {
        let resolved = match principal {
            Principal::Aws(text) => principal_ids.get(text).map(|arn| Principal::from_aws(arn)),
            _ => None,
        };
        let (key, value) = resolved.as_ref().unwrap_or(principal).tagged();
        kinds.entry(key).or_default().insert(value.to_owned());
    }
    json!(kinds)
}

/// Operator → key → values. Where a key stands more often than once under an operator (in two letter cases, or under
/// `ArnLike` and `ArnEquals`), all of these conditions must hold: each further one keeps its own list under a name of
/// another letter case, which is the same operator.
fn conditions_value(conditions: &[Condition]) -> Value {
    let mut lists: BTreeMap<(String, String), BTreeSet<BTreeSet<String>>> = BTreeMap::new();
    for Condition {
        operator,
        key,
        values,
    } in conditions
    {
        let spelling = |text: &String| match operator.comparison {
            Comparison::Bool | Comparison::Null if values::boolean(text).is_some() => {
                text.to_ascii_lowercase()
            }
            _ => text.clone(),
        };
        lists
            .entry((operator.to_string(), key.to_ascii_lowercase()))
            .or_default()
            .insert(values.iter().map(spelling).collect());
    }
    let mut operators: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for ((operator, key), lists) in lists {
        for (place, list) in lists.into_iter().enumerate() {
            let mut left = place;
            let (operator, key) = (respelt(&operator, &mut left), respelt(&key, &mut left));
            operators.entry(operator).or_default().insert(key, list);
        }
    }
    json!(operators)
}

/// The name in the letter case of this number: each of its bits turns one letter, the lowest the first.
fn respelt(name: &str, bits: &mut usize) -> String {
    let turned = |letter: char| {
        if !letter.is_ascii_alphabetic() {
            return letter;
        }
        let turn = *bits % 2 == 1;
        *bits /= 2;
        match (turn, letter.is_ascii_uppercase()) {
            (false, _) => letter,
            (true, true) => letter.to_ascii_lowercase(),
            (true, false) => letter.to_ascii_uppercase(),
        }
    };
    name.chars().map(turned).collect()
}

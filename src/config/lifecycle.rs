//! The form of an ECR lifecycle policy.

use serde_json::Value;

use super::diagnostic::{alternatives, nearest};
use super::documents::Loaded;
use super::reader::Reader;

/// ECR's limit of rules in a policy.
const MOST_RULES: usize = 50;

/// Reports what ECR would refuse about a lifecycle policy.
pub(super) fn check(value: &Value, loaded: &Loaded, reader: &mut Reader<'_>) {
    let Some(rules) = value.get("rules").and_then(Value::as_array) else {
        report(
            loaded,
            0,
            "A lifecycle policy has a list `rules`.",
            "Write {\"rules\": [...]}.",
            reader,
        );
        return;
    };
    unknown_keys(value, &["rules"], 0, loaded, reader);
    if rules.is_empty() || rules.len() > MOST_RULES {
        let message = format!(
            "A lifecycle policy has 1 to {MOST_RULES} rules, not {}.",
            rules.len()
        );
        report(
            loaded,
            0,
            &message,
            "Add a rule, or name no lifecycle policy.",
            reader,
        );
    }
    let mut priorities = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let at = position_of_rule(loaded, index);
        check_rule(rule, index + 1, at, loaded, reader);
        if let Some(priority) = rule.get("rulePriority").and_then(Value::as_u64) {
            if priorities.contains(&priority) {
                let message = format!("Two rules have the priority {priority}.");
                report(
                    loaded,
                    at,
                    &message,
                    "Every rule has a priority of its own.",
                    reader,
                );
            }
            priorities.push(priority);
        }
    }
}

fn check_rule(rule: &Value, number: usize, at: usize, loaded: &Loaded, reader: &mut Reader<'_>) {
    unknown_keys(
        rule,
        &["rulePriority", "description", "selection", "action"],
        at,
        loaded,
        reader,
    );
    for key in ["rulePriority", "selection", "action"] {
        if rule.get(key).is_none() {
            let message = format!("Rule {number} has no `{key}`.");
            report(loaded, at, &message, &format!("Add \"{key}\"."), reader);
        }
    }
    let Some(selection) = rule.get("selection") else {
        return;
    };
    let status = selection
        .get("tagStatus")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !["tagged", "untagged", "any"].contains(&status) {
        let message = format!("Rule {number} selects by no `tagStatus`.");
        let hint = "Write \"tagStatus\": \"tagged\", \"untagged\" or \"any\".";
        report(loaded, at, &message, hint, reader);
    }
    let lists = selection
        .get("tagPrefixList")
        .or(selection.get("tagPatternList"));
    if status == "tagged" && lists.is_none() {
        let message = format!("Rule {number} selects tagged images and names no tags.");
        report(
            loaded,
            at,
            &message,
            "Add \"tagPatternList\": [\"...\"].",
            reader,
        );
    }
    for key in ["countType", "countNumber"] {
        if selection.get(key).is_none() {
            let message = format!("The selection of rule {number} has no `{key}`.");
            report(loaded, at, &message, &format!("Add \"{key}\"."), reader);
        }
    }
}

fn unknown_keys(
    value: &Value,
    known: &[&str],
    at: usize,
    loaded: &Loaded,
    reader: &mut Reader<'_>,
) {
    for key in value
        .as_object()
        .into_iter()
        .flat_map(serde_json::Map::keys)
    {
        if known.contains(&key.as_str()) {
            continue;
        }
        let quoted = format!("\"{key}\"");
        let text = &loaded.source.text;
        let found = text
            .get(at..)
            .and_then(|rest| rest.find(&quoted))
            .map_or(at, |it| at + it);
        let hint = match nearest(key, known.iter().copied()) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("Known here: {}.", alternatives(known.iter().copied())),
        };
        report(
            loaded,
            found,
            &format!("Unknown key `{key}`."),
            &hint,
            reader,
        );
    }
}

/// Where a rule begins, as far as its priority tells.
fn position_of_rule(loaded: &Loaded, index: usize) -> usize {
    let text = &loaded.source.text;
    text.match_indices("\"rulePriority\"")
        .nth(index)
        .map_or(0, |(at, _)| at)
}

fn report(loaded: &Loaded, at: usize, message: &str, hint: &str, reader: &mut Reader<'_>) {
    let rest = loaded.source.text.get(at..).unwrap_or_default();
    let length = match rest.strip_prefix('"') {
        Some(inner) => inner.find('"').map_or(1, |end| end + 2),
        None => 1,
    };
    let diagnostic = loaded.source.diagnostic(&(at..at + length), message);
    reader.report(diagnostic.with_hint(hint.to_owned()));
}

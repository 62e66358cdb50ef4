//! What differs between two values: one differ for every kind, over JSON, by field path.
//! It owns the form of a path and nothing else; what is worth hiding is `redact`'s to say.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

/// One differing field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The field, such as `task.container.web.environment.DEBUG`.
    pub path: String,
    /// The value before; null where there was none.
    pub before: Value,
    /// The value after; null where there is none.
    pub after: Value,
}

/// The fields in which two values differ, in the order of `before`, then what only `after` has.
/// Lists are compared whole. Values at the paths in `whole` are not looked into either.
#[must_use]
pub fn diff(before: &Value, after: &Value, whole: &BTreeSet<String>) -> Vec<Change> {
    let mut changes = Vec::new();
    walk("", before, after, whole, &mut changes);
    changes
}

fn walk(
    path: &str,
    before: &Value,
    after: &Value,
    whole: &BTreeSet<String>,
    changes: &mut Vec<Change>,
) {
    if before == after {
        return;
    }
    if whole.contains(path) {
        changes.push(Change {
            path: path.to_owned(),
            before: before.clone(),
            after: after.clone(),
        });
        return;
    }
    let empty = Map::new();
    let fields = match (before, after) {
        (Value::Object(before), Value::Object(after)) => Some((before, after)),
        (Value::Object(before), Value::Null) if !before.is_empty() => Some((before, &empty)),
        (Value::Null, Value::Object(after)) if !after.is_empty() => Some((&empty, after)),
        _ => None,
    };
    let Some((before_fields, after_fields)) = fields else {
        changes.push(Change {
            path: path.to_owned(),
            before: before.clone(),
            after: after.clone(),
        });
        return;
    };
    for (key, before) in before_fields {
        let after = after_fields.get(key).unwrap_or(&Value::Null);
        walk(&join(path, key), before, after, whole, changes);
    }
    for (key, after) in after_fields {
        if !before_fields.contains_key(key) {
            walk(&join(path, key), &Value::Null, after, whole, changes);
        }
    }
}

/// The path of a field in the value at `path`; a key that would be read otherwise is quoted as JSON does.
#[must_use]
pub fn join(path: &str, key: &str) -> String {
    let key = if key.is_empty() || key.contains('.') || key.starts_with('"') {
        Value::from(key).to_string()
    } else {
        key.to_owned()
    };
    if path.is_empty() {
        key
    } else {
        format!("{path}.{key}")
    }
}

/// The keys of a path: what [`join`] put together.
#[must_use]
pub fn keys(path: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let mut quoted = serde_json::Deserializer::from_str(rest).into_iter::<String>();
        let (key, length) = match quoted.next() {
            Some(Ok(key)) if rest.starts_with('"') => (key, quoted.byte_offset()),
            _ => {
                let length = rest.find('.').unwrap_or(rest.len());
                (rest.get(..length).unwrap_or(rest).to_owned(), length)
            }
        };
        keys.push(key);
        let after = rest.get(length..).unwrap_or_default();
        rest = after.strip_prefix('.').unwrap_or_default();
    }
    keys
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(before: &Value, after: &Value) -> Vec<String> {
        diff(before, after, &BTreeSet::new())
            .into_iter()
            .map(|change| change.path)
            .collect()
    }

    #[test]
    fn names_the_deepest_field_that_differs() {
        let before =
            json!({"container": {"web": {"environment": {"DEBUG": "1", "A": "x"}}}, "cpu": "256"});
        let after =
            json!({"container": {"web": {"environment": {"DEBUG": "0", "A": "x"}}}, "cpu": "256"});
        let changes = diff(&before, &after, &BTreeSet::new());
        assert_eq!(
            changes,
            [Change {
                path: "container.web.environment.DEBUG".into(),
                before: json!("1"),
                after: json!("0")
            }]
        );
    }

    #[test]
    fn a_path_is_taken_apart_as_it_was_put_together() {
        for wanted in [
            &["a"][..],
            &["inline_policies", "a.b"],
            &["x", "say \"hi\".", "y"],
            &["tags", "\"team\""],
            &["tags", "", "\"", "say \"hi\""],
            &["tags", "bell.\u{7}", "caf\u{e9}.\\"],
            &["\"x\"", "", " \"y\"", ""],
        ] {
            let path = wanted
                .iter()
                .fold(String::new(), |path, key| join(&path, key));
            assert_eq!(keys(&path), wanted, "{path}");
        }
    }

    #[test]
    fn what_is_only_on_one_side_is_null_on_the_other() {
        assert_eq!(paths(&json!({"a": 1}), &json!({"b": 2})), ["a", "b"]);
        assert_eq!(
            paths(&json!({"tags": null}), &json!({"tags": {"x.y": "1"}})),
            ["tags.\"x.y\""]
        );
        assert_eq!(
            paths(&json!({"tags": {"x": "1"}}), &json!({"tags": null})),
            ["tags.x"]
        );
        for nothing in [json!({}), json!({"a": null})] {
            let empty = json!({"a": {}});
            assert_eq!(paths(&empty, &nothing), ["a"]);
            assert_eq!(paths(&nothing, &empty), ["a"]);
        }
    }

    #[test]
    fn lists_and_named_paths_are_compared_whole() {
        assert_eq!(paths(&json!({"a": ["x"]}), &json!({"a": ["y"]})), ["a"]);
        let whole = BTreeSet::from(["document".to_owned()]);
        let changes = diff(
            &json!({"document": {"x": 1}}),
            &json!({"document": {"x": 2}}),
            &whole,
        );
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].path, "document");
    }

    #[test]
    fn equal_values_have_no_changes() {
        assert!(paths(&json!({"a": {"b": [1, 2]}}), &json!({"a": {"b": [1, 2]}})).is_empty());
    }
}

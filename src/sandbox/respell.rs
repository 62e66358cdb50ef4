//! The same policy document in another spelling: other order of members and of lists, one item as
//! itself or as a list of one. AWS stores documents so; whoever compares text sees a difference.

use serde_json::Value;

use super::random;

/// Another spelling of a document that follows from the seed; what is not JSON stays as it is.
pub(super) fn respell(seed: u64, document: &str) -> String {
    match serde_json::from_str::<Value>(document) {
        Ok(value) => spell(seed, value, "").to_string(),
        Err(_) => document.to_owned(),
    }
}

/// A JSON text that is no policy document, with its members in another order.
pub(super) fn reorder(seed: u64, text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(value) => order(seed, value).to_string(),
        Err(_) => text.to_owned(),
    }
}

fn order(seed: u64, value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members
                .into_iter()
                .map(|(key, member)| (key, order(seed, member)))
                .collect();
            random::shuffle(seed, &mut members, |(key, _)| key.clone());
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => items.into_iter().map(|item| order(seed, item)).collect(),
        other => other,
    }
}

fn spell(seed: u64, value: Value, name: &str) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members
                .into_iter()
                .map(|(key, member)| (key.clone(), spell(seed, member, &key)))
                .collect();
            random::shuffle(seed, &mut members, |(key, _)| key.clone());
            Value::Object(members.into_iter().collect())
        }
        Value::Array(mut items) => {
            random::shuffle(seed, &mut items, Value::to_string);
            let single = items.len() == 1 && random::hash(seed, name).is_multiple_of(2);
            match items.pop() {
                Some(item) if single => spell(seed, item, name),
                Some(item) => {
                    items.push(item);
                    Value::Array(
                        items
                            .into_iter()
                            .map(|item| spell(seed, item, ""))
                            .collect(),
                    )
                }
                None => Value::Array(items),
            }
        }
        Value::String(text) if may_be_list(name) && random::hash(seed, name) % 2 == 1 => {
            Value::Array(vec![text.into()])
        }
        other => other,
    }
}

/// The members of a statement that may be one string or a list of strings.
fn may_be_list(name: &str) -> bool {
    [
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "AWS",
        "Service",
        "Federated",
    ]
    .contains(&name)
}

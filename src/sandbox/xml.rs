//! The text side of awsQuery: form bodies become nested JSON, JSON answers become XML.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::error::ServiceError;

/// Reads a form body: `Tags.member.1.Key=a` becomes `{"Tags": [{"Key": "a"}]}`.
pub(super) fn form(body: &str) -> Map<String, Value> {
    let mut root = Value::Object(Map::new());
    for pair in body.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name);
        let path: Vec<&str> = name.split('.').filter(|part| *part != "member").collect();
        insert(&mut root, &path, decode(value));
    }
    match gather(root) {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn insert(node: &mut Value, path: &[&str], text: String) {
    let Some((head, rest)) = path.split_first() else {
        *node = Value::String(text);
        return;
    };
    if !node.is_object() {
        *node = Value::Object(Map::new());
    }
    if let Value::Object(map) = node {
        insert(
            map.entry((*head).to_owned()).or_insert(Value::Null),
            rest,
            text,
        );
    }
}

/// Turns objects whose keys are all numbers into arrays in the order of those numbers.
fn gather(node: Value) -> Value {
    let Value::Object(map) = node else {
        return node;
    };
    let numbered = !map.is_empty() && map.keys().all(|key| key.parse::<usize>().is_ok());
    if !numbered {
        return Value::Object(
            map.into_iter()
                .map(|(key, value)| (key, gather(value)))
                .collect(),
        );
    }
    let mut items: Vec<(usize, Value)> = Vec::new();
    for (key, value) in map {
        items.push((key.parse().unwrap_or(usize::MAX), gather(value)));
    }
    items.sort_by_key(|(number, _)| *number);
    Value::Array(items.into_iter().map(|(_, value)| value).collect())
}

/// Undoes percent encoding; a plus sign is a space.
pub(super) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut digit = || {
                    rest.next()
                        .and_then(|byte| char::from(byte).to_digit(16))
                        .unwrap_or(0)
                };
                let value = digit() * 16 + digit();
                bytes.push(u8::try_from(value).unwrap_or(b'?'));
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Percent encoding as IAM puts it on policy documents: all but the unreserved characters.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The XML of an answer.
pub(super) fn answer(
    operation: &str,
    version: &str,
    members: &Value,
    request_id: &str,
    namespace: &str,
) -> String {
    let mut text =
        format!("<{operation}Response xmlns=\"{namespace}{version}/\"><{operation}Result>");
    write_members(&mut text, members);
    let _ = write!(
        text,
        "</{operation}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    );
    text
}

/// The XML of a refusal.
pub(super) fn error(
    error: &ServiceError,
    version: &str,
    request_id: &str,
    namespace: &str,
) -> String {
    let blame = if error.status >= 500 {
        "Receiver"
    } else {
        "Sender"
    };
    format!(
        "<ErrorResponse xmlns=\"{namespace}{version}/\"><Error><Type>{blame}</Type><Code>{}</Code><Message>{}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
        escape(&error.code),
        escape(&error.message)
    )
}

fn write_members(text: &mut String, value: &Value) {
    let Value::Object(members) = value else {
        return;
    };
    for (name, member) in members {
        if member.is_null() {
            continue;
        }
        let _ = write!(text, "<{name}>");
        match member {
            // The one map among the answers of IAM and STS.
            Value::Object(entries) if name == "SummaryMap" => {
                for (key, value) in entries {
                    let _ = write!(
                        text,
                        "<entry><key>{key}</key><value>{value}</value></entry>"
                    );
                }
            }
            _ => write_value(text, member),
        }
        let _ = write!(text, "</{name}>");
    }
}

fn write_value(text: &mut String, value: &Value) {
    match value {
        Value::Null => {}
        Value::Bool(flag) => {
            let _ = write!(text, "{flag}");
        }
        Value::Number(number) => {
            let _ = write!(text, "{number}");
        }
        Value::String(string) => text.push_str(&escape(string)),
        Value::Array(items) => {
            for item in items {
                text.push_str("<member>");
                write_value(text, item);
                text.push_str("</member>");
            }
        }
        Value::Object(_) => write_members(text, value),
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\r' => escaped.push_str("&#xD;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

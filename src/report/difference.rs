//! One field's change in words: short values on one line, documents and long texts as a unified
//! diff with three lines around each change.

use serde_json::Value;
use similar::TextDiff;

/// Longest value that is shown on one line beside another: two of them fill a terminal's width.
const LONGEST_INLINE: usize = 60;
/// Lines around a change, as `diff -u` has them.
const LINES_AROUND: usize = 3;

/// What a change looks like.
pub(super) enum Shape {
    /// `before → after`, or the only side.
    Inline(String),
    /// Lines with their sign in the first column.
    Lines(Vec<String>),
}

/// The shape of the change from one value to another; `Null` stands for none.
pub(super) fn shape(before: &Value, after: &Value) -> Shape {
    if !is_long(before) && !is_long(after) {
        return Shape::Inline(match (before, after) {
            (Value::Null, Value::Null) => String::new(),
            _ => format!("{} → {}", inline(before), inline(after)),
        });
    }
    let (before, after) = (block(before), block(after));
    let difference = TextDiff::from_lines(&before, &after);
    let text = difference
        .unified_diff()
        .context_radius(LINES_AROUND)
        .to_string();
    Shape::Lines(text.lines().map(str::to_owned).collect())
}

/// The shape of a value that is new with all that it stands in.
pub(super) fn whole(value: &Value) -> Shape {
    if is_long(value) {
        Shape::Lines(block(value).lines().map(str::to_owned).collect())
    } else {
        Shape::Inline(inline(value))
    }
}

/// A value on one line.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::Null => "(none)".to_owned(),
        Value::String(text) if text.starts_with("(hidden") => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(key, value)| format!("{key}: {}", inline(value)))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

fn is_long(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            text.contains('\n') || (text.len() > LONGEST_INLINE && parsed(text).is_some())
        }
        Value::Array(_) | Value::Object(_) => value.to_string().len() > LONGEST_INLINE,
        _ => false,
    }
}

/// A value on several lines, ending with a line feed; nothing for none.
fn block(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => match parsed(text) {
            Some(json) => pretty(&json),
            None => text.clone(),
        },
        other => pretty(other),
    };
    format!("{}\n", text.trim_end())
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}

/// A JSON document that stands in a string.
fn parsed(text: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(text).ok()?;
    (value.is_object() || value.is_array()).then_some(value)
}

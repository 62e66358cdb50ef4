//! A JSON text whose meaning counts: the order of keys and whitespace do not.

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::planted::{Bug, planted};

/// A JSON text; two are equal when they are the same JSON.
#[derive(Clone, Debug)]
pub struct JsonText {
    text: String,
    value: Value,
}

impl JsonText {
    /// Reads a text; one that is not JSON stands for itself.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let value =
            serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.trim().to_owned()));
        Self { text, value }
    }

    /// The text as given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text that is sent: without insignificant whitespace.
    #[must_use]
    pub fn minified(&self) -> String {
        match &self.value {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        }
    }
}

impl PartialEq for JsonText {
    fn eq(&self, other: &Self) -> bool {
        if planted(Bug::ComparesRawJson) {
            return self.text == other.text;
        }
        self.value == other.value
    }
}

impl Serialize for JsonText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_order_and_whitespace_are_no_difference() {
        let one = JsonText::new("{\"a\": 1, \"b\": [1, 2]}");
        assert_eq!(one, JsonText::new("{\"b\":[1,2],\n \"a\":1}"));
        assert!(one != JsonText::new("{\"a\": 1, \"b\": [2, 1]}"));
        assert_eq!(one.minified(), "{\"a\":1,\"b\":[1,2]}");
    }
}

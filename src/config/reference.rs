//! The reference of infra.toml in Markdown, from its JSON Schema.

use std::fmt::Write;

use serde_json::Value;

use super::schema::schema;

const OPENING: &str = "\
# infra.toml

Written by `PROVISION_BLESS=1 cargo test --test config`; do not edit. Every other key is an error.

- Durations are `\"10m\"`, `\"30s\"`; a bare number means seconds.
- Strings may hold `{{...}}`: `{{project.name}}`, `{{account_id}}`, `{{region}}`, `{{partition}}`,
  `{{github.repository}}`, `{{environment}}`, any key of the environment's `vars`, and
  `{{KIND.NAME.arn}}` and `{{repository.NAME.url}}` of what is declared. The same holds in the
  documents that infra.toml names. A string that is one var and nothing else takes the var's type.
- A key that is left out means AWS's default; any other live value is drift.
";

/// The text of docs/configuration.md.
#[must_use]
pub fn reference() -> String {
    let schema = schema();
    let mut text = OPENING.to_owned();
    let none = Value::Null;
    let definitions = schema.get("$defs").unwrap_or(&none);
    for (table, shape) in schema.get("properties").into_iter().flat_map(members) {
        let (header, shape) = match shape.get("additionalProperties") {
            Some(inner) => (format!("[{table}.NAME]"), inner),
            None => (format!("[{table}]"), shape),
        };
        let name = target(shape).unwrap_or_default();
        let definition = definitions.get(name).unwrap_or(&none);
        section(&mut text, &format!("## `{header}`"), name, definition);
    }
    text.push_str("\n# Nested tables and words\n");
    let mut rest: Vec<(&String, &Value)> = members(definitions).collect();
    rest.sort_by_key(|(name, _)| *name);
    for (name, definition) in rest {
        if !text.contains(&format!("<a id=\"{}\">", anchor(name))) {
            section(&mut text, &format!("## {name}"), name, definition);
        }
    }
    text
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// The name of the definition that a schema refers to.
fn target(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

fn anchor(name: &str) -> String {
    name.to_lowercase()
}

fn described(schema: &Value) -> &str {
    schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn section(text: &mut String, title: &str, name: &str, definition: &Value) {
    let mut lines = format!(
        "\n<a id=\"{}\"></a>\n{title}\n\n{}\n",
        anchor(name),
        described(definition)
    );
    if let Some(words) = definition.get("oneOf").and_then(Value::as_array) {
        lines.push_str("\n| value | is |\n|---|---|\n");
        for word in words {
            if let Some(value) = word.get("const").and_then(Value::as_str) {
                let _ = writeln!(lines, "| `\"{value}\"` | {} |", described(word));
            }
        }
    }
    if let Some(properties) = definition.get("properties") {
        lines.push_str("\n| key | type | default | is |\n|---|---|---|---|\n");
        for (key, schema) in members(properties) {
            lines.push_str(&row(key, schema, definition));
        }
    }
    text.push_str(&lines);
}

fn row(key: &str, schema: &Value, definition: &Value) -> String {
    let required = definition.get("required").and_then(Value::as_array);
    let required = required.is_some_and(|keys| keys.iter().any(|it| it == key));
    let default = match (schema.get("default"), required) {
        (_, true) => "required".to_owned(),
        (Some(value @ (Value::String(_) | Value::Number(_) | Value::Bool(_))), _) => {
            format!("`{value}`")
        }
        _ => String::new(),
    };
    format!(
        "| `{key}` | {} | {default} | {} |\n",
        type_of(schema),
        described(schema)
    )
}

/// The type of a value in words, with a link where it is a table or a word.
fn type_of(schema: &Value) -> String {
    if let Some(name) = target(schema) {
        return format!("[{name}](#{})", anchor(name));
    }
    if let Some(title) = schema.get("title").and_then(Value::as_str) {
        return title.to_owned();
    }
    if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
        let choices: Vec<String> = choices.iter().map(type_of).collect();
        return choices.join(" or ");
    }
    let of = |key: &str, word: &str| match schema.get(key) {
        Some(inner @ Value::Object(_)) => format!("{word} of {}", type_of(inner)),
        _ => word.to_owned(),
    };
    let first = match schema.get("type") {
        Some(Value::Array(types)) => types.first().and_then(Value::as_str),
        Some(Value::String(name)) => Some(name.as_str()),
        _ => None,
    };
    match first {
        Some("array") => of("items", "list"),
        Some("object") => of("additionalProperties", "table"),
        Some("integer") => "number".to_owned(),
        Some(name) => name.to_owned(),
        None => "any".to_owned(),
    }
}

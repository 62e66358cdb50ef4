//! Lines of infra.toml: what would declare a difference, and what would end a danger.

use std::fmt::Write as _;

use serde_json::Value;

use crate::config::Config;

use crate::reach::Drift;

/// The lines that would declare what is there, where they are short enough to be typed; `None` where they are not.
pub(super) fn accept_fields(drift: &Drift) -> Option<String> {
    let (kind, name) = drift.address.split_once('/')?;
    if drift.verb != "change" {
        return None;
    }
    let lines: Vec<String> = drift
        .fields
        .iter()
        .filter_map(|field| {
            Some(format!(
                "{} = {}",
                plain_key(&field.path)?,
                toml(&field.live)?
            ))
        })
        .collect();
    (!lines.is_empty()).then(|| format!("[{kind}.\"{name}\"]\n{}", lines.join("\n")))
}

/// A path that is a key of its table.
fn plain_key(path: &str) -> Option<&str> {
    let plain = path
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    (plain && path != "owner").then_some(path)
}

/// A short value as TOML; a null means that the key is left out.
fn toml(value: &Value) -> Option<String> {
    match value {
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::String(text) if !text.contains('\n') && !text.starts_with("(hidden") => {
            Some(value.to_string())
        }
        Value::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(toml).collect();
            items.map(|items| format!("[{}]", items.join(", ")))
        }
        Value::Null | Value::String(_) | Value::Object(_) => None,
    }
}

/// The lines that take production out of the reach of every branch: a role for each environment, and tags that cannot be
/// moved in the repositories that production runs from.
pub(super) fn role_for_each_environment(config: &Config, repositories: &[&str]) -> String {
    let mut out = String::new();
    for environment in &config.environments {
        let name = &environment.name;
        let _ = writeln!(
            out,
            "[role.\"github-{name}\"]\ntrust = {{ github = {{ environments = [\"{name}\"] }} }}\n"
        );
    }
    for repository in repositories {
        let _ = writeln!(
            out,
            "[repository.\"{repository}\"]\nimage_tag_mutability = \"IMMUTABLE\"\n"
        );
    }
    out.push_str("# Push every build under its commit; then provision deploy and provision promote take its digest along.");
    out
}

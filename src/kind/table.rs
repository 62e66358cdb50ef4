//! A spec as a table of infra.toml: documents become files, everything else keeps its key.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Map, Value};

use super::Address;
use crate::diff::join;
use crate::redact;

/// Files by path, in the order in which they are written.
pub type Files = Vec<(PathBuf, String)>;

/// A resource as it is written.
#[derive(Clone, Debug)]
pub struct Table {
    /// The resource.
    pub address: Address,
    /// The keys.
    pub fields: Map<String, Value>,
    /// The documents that the fields name.
    pub files: Files,
    /// The fields that look like credentials and are not written, by path.
    pub left_out: Vec<String>,
}

impl Table {
    /// The table of a spec: without the owner mark and what is empty, documents moved into files.
    #[must_use]
    pub fn new(address: Address, spec: Value) -> Self {
        let mut table = Self {
            address,
            fields: Map::new(),
            files: Vec::new(),
            left_out: Vec::new(),
        };
        if let Value::Object(fields) = spec {
            table.fields = fields;
        }
        table.fields.remove("owner");
        // What AWS finds by itself is left to it.
        table.fields.remove("thumbprints");
        let hidden = redact::hide("", &Value::Object(table.fields.clone()));
        leave_out("", &mut table.fields, &hidden, &mut table.left_out);
        table.move_documents();
        drop_empty(&mut table.fields);
        // Beside the others a table's tags are what is least looked for.
        if let Some(tags) = table.fields.shift_remove("tags") {
            table.fields.insert("tags".to_owned(), tags);
        }
        table
    }

    fn move_documents(&mut self) {
        let name = file_name(&self.address.name);
        for (key, end) in [
            ("document", ""),
            ("trust_policy", "-trust"),
            ("lifecycle_policy", "-lifecycle"),
            ("policy", "-repository"),
        ] {
            if let Some(document) = self
                .fields
                .get(key)
                .filter(|value| value.is_object())
                .cloned()
            {
                let file = self.file(&format!("{name}{end}"), &document);
                self.fields.insert(key.to_owned(), file);
            }
        }
        if let Some(Value::Object(inline)) = self.fields.get("inline_policies").cloned() {
            let files = inline
                .into_iter()
                .map(|(key, document)| {
                    let file = self.file(&format!("{name}-{}", file_name(&key)), &document);
                    (key, file)
                })
                .collect::<Map<_, _>>();
            self.fields
                .insert("inline_policies".to_owned(), files.into());
        }
    }

    fn file(&mut self, stem: &str, document: &Value) -> Value {
        let path = format!("policies/{stem}.json");
        self.files
            .push((PathBuf::from(&path), format!("{document:#}\n")));
        Value::from(path)
    }

    /// The table's text.
    #[must_use]
    pub fn text(&self) -> String {
        self.text_under(&format!(
            "{}.{}",
            self.address.kind,
            key(&self.address.name)
        ))
    }

    /// The same under another heading.
    #[must_use]
    pub fn text_under(&self, path: &str) -> String {
        let mut out = String::new();
        for path in &self.left_out {
            let _ = writeln!(
                out,
                "# {path} looks like a credential and is not written here: put it into a secret."
            );
        }
        let task = if self.address.kind == "service" {
            "task"
        } else {
            ""
        };
        write_table(&mut out, path, &self.fields, task);
        if let Some(Value::Object(fields)) = self.fields.get(task) {
            let path = format!("{path}.task");
            write_table(&mut out, &path, fields, "container");
            let containers = fields.get("container").and_then(Value::as_object);
            for (name, container) in containers.into_iter().flatten() {
                if let Value::Object(fields) = container {
                    let path = format!("{path}.container.{}", key(name));
                    write_table(&mut out, &path, fields, "");
                }
            }
        }
        out
    }
}

/// A heading and its keys; `apart` has headings of its own, all other tables stand on one line.
fn write_table(out: &mut String, path: &str, fields: &Map<String, Value>, apart: &str) {
    if fields.len() == 1 && fields.contains_key(apart) {
        return;
    }
    let _ = writeln!(out, "[{path}]");
    for (name, value) in fields.iter().filter(|(name, _)| *name != apart) {
        let _ = writeln!(out, "{} = {}", key(name), inline(value));
    }
    out.push('\n');
}

/// A key, in quotes where it needs them.
#[must_use]
pub fn key(name: &str) -> String {
    let bare = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        text(name)
    }
}

/// A string; braces that would begin a placeholder cannot be written otherwise, which the check of
/// the whole file then says.
pub(crate) fn text(value: &str) -> String {
    toml::Value::String(value.to_owned()).to_string()
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(value) => text(value),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{} = {}", key(name), inline(value)))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

fn file_name(name: &str) -> String {
    let letter = |letter: char| {
        if letter.is_ascii_alphanumeric() || "-_.".contains(letter) {
            letter
        } else {
            '-'
        }
    };
    let name: String = name.chars().map(letter).collect();
    name.trim_matches(['-', '.']).to_owned()
}

/// Removes what is hidden: no credential is written to a file that is to be committed.
fn leave_out(
    path: &str,
    fields: &mut Map<String, Value>,
    hidden: &Value,
    left_out: &mut Vec<String>,
) {
    fields.retain(|name, value| {
        let path = join(path, name);
        let shown = hidden.get(name).unwrap_or(&Value::Null);
        match value {
            Value::Object(inner) => leave_out(&path, inner, shown, left_out),
            value if value != shown => {
                left_out.push(path);
                return false;
            }
            _ => {}
        }
        true
    });
}

/// Removes nulls, and lists and tables that hold nothing.
fn drop_empty(fields: &mut Map<String, Value>) {
    for value in fields.values_mut() {
        if let Value::Object(inner) = value {
            drop_empty(inner);
        }
    }
    fields.retain(|_, value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(inner) => !inner.is_empty(),
        _ => true,
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_spec_becomes_tables_and_files() {
        let spec = json!({
            "owner": "x@y",
            "cluster": "main",
            "tags": {},
            "network": {"subnets": ["subnet-1"], "assign_public_ip": false},
            "task": {
                "family": "web",
                "container": {"web.1": {"image": "nginx", "environment": {"A.B": "say \"hi\""}}},
            },
        });
        let table = Table::new(Address::new("service", "web"), spec);
        let parsed: toml::Table = table.text().parse().unwrap();
        let service = &parsed["service"]["web"];
        assert_eq!(service["network"]["subnets"][0].as_str(), Some("subnet-1"));
        let container = &service["task"]["container"]["web.1"];
        assert_eq!(container["environment"]["A.B"].as_str(), Some("say \"hi\""));
        assert!(service.get("owner").is_none() && service.get("tags").is_none());
    }

    #[test]
    fn no_credential_is_written() {
        let spec = json!({"task": {"container": {"web": {"environment": {
            "DEBUG": "1", "DB_PASSWORD": "canary"}}}}});
        let table = Table::new(Address::new("service", "web"), spec);
        let text = table.text();
        assert!(
            text.contains("DEBUG = \"1\"") && !text.contains("canary"),
            "{text}"
        );
        assert_eq!(
            table.left_out,
            ["task.container.web.environment.DB_PASSWORD"]
        );
    }

    #[test]
    fn documents_become_files_under_policies() {
        let spec =
            json!({"trust_policy": {"Version": "2012-10-17"}, "inline_policies": {"a/b": {}}});
        let table = Table::new(Address::new("role", "Deploy"), spec);
        assert_eq!(table.fields["trust_policy"], "policies/Deploy-trust.json");
        assert_eq!(table.files.len(), 2);
        assert_eq!(table.files[1].0, PathBuf::from("policies/Deploy-a-b.json"));
    }
}

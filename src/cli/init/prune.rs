//! Makes a table short: what infra.toml would say by itself is left out. Each key is tried, and
//! goes only where the declaration without it is still the same.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::Project;
use super::template::head;
use crate::config::{self, Config};
use crate::kind::table::{Table, key};
use crate::kind::{Address, AnyKind, AnySpec};

/// The table with which a resource is declared by name alone, for what refers to it.
pub(super) fn stub(address: &Address, path: &str) -> String {
    let name = key(&address.name);
    let kind = &address.kind;
    let body = match kind.as_str() {
        "oidc_provider" => "client_ids = [\"sts.amazonaws.com\"]\n".to_owned(),
        "policy" => format!("document = \"stub.json\"\npath = {path:?}\n"),
        "role" => format!("trust = {{ service = \"ecs-tasks.amazonaws.com\" }}\npath = {path:?}\n"),
        _ => String::new(),
    };
    format!("[{kind}.{name}]\n{body}\n")
}

/// The document of every stub.
const STUB_DOCUMENT: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]}"#;

/// Reads a text of infra.toml whose documents are these.
pub(super) fn parse(text: &str, files: &[(PathBuf, String)]) -> Option<Config> {
    let documents: BTreeMap<&Path, &str> = files
        .iter()
        .map(|(path, text)| (path.as_path(), text.as_str()))
        .collect();
    let mut read = |path: &Path| {
        if path == Path::new("stub.json") {
            return Ok(STUB_DOCUMENT.to_owned());
        }
        let found = documents.get(path).map(|text| (*text).to_owned());
        found.ok_or(io::Error::from(io::ErrorKind::NotFound))
    };
    config::parse("infra.toml", text, &mut read).ok()
}

/// What a table is tried against.
pub(super) struct Trial<'a> {
    pub(super) project: &'a Project,
    pub(super) kind: &'a dyn AnyKind,
    pub(super) live: &'a AnySpec,
    /// The stubs of what the resource refers to.
    pub(super) stubs: String,
}

impl Trial<'_> {
    /// What the table declares, with what is kept from live, the owner mark aside.
    fn declared(&self, table: &Table) -> Option<Value> {
        let text = format!("{}{}{}", head(self.project), self.stubs, table.text());
        let config = parse(&text, &table.files)?;
        let declared = self.kind.declare(&config);
        let spec = declared.get(&table.address.name)?;
        Some(without_owner(&self.kind.keep(spec, Some(self.live))))
    }

    /// The shortest table that declares the same, and whether that is what is live.
    pub(super) fn prune(&self, mut table: Table) -> (Table, bool) {
        let Some(wanted) = self.declared(&table) else {
            return (table, false);
        };
        let exact = wanted == without_owner(self.live);
        let named = named_managed_policies(&table);
        if self.declared(&named).as_ref() == Some(&wanted) {
            table = named;
        }
        // What is used without our mark is kept as it is, so that nothing about it could be tried.
        let keys = if self.kind.name() == "oidc_provider" {
            Vec::new()
        } else {
            paths(&table.fields)
        };
        for path in keys {
            let mut shorter = table.clone();
            if remove(&mut shorter.fields, &path)
                && self.declared(&shorter).as_ref() == Some(&wanted)
            {
                table = shorter;
            }
        }
        (table, exact)
    }
}

/// The table with managed policies by name instead of by ARN.
fn named_managed_policies(table: &Table) -> Table {
    let mut named = table.clone();
    let last = |arn: &str| arn.rsplit('/').next().unwrap_or(arn).to_owned();
    for name in ["managed_policies", "permissions_boundary"] {
        match named.fields.get_mut(name) {
            Some(Value::Array(arns)) => {
                for arn in arns {
                    if let Some(text) = arn.as_str() {
                        *arn = Value::from(last(text));
                    }
                }
            }
            Some(Value::String(arn)) => *arn = last(arn),
            _ => {}
        }
    }
    named
}

fn without_owner(spec: &AnySpec) -> Value {
    let mut value = spec.json();
    if let Value::Object(fields) = &mut value {
        fields.remove("owner");
    }
    value
}

/// The paths of all keys, a table before what is in it.
fn paths(fields: &Map<String, Value>) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (name, value) in fields {
        found.push(vec![name.clone()]);
        if let Value::Object(inner) = value {
            for mut path in paths(inner) {
                path.insert(0, name.clone());
                found.push(path);
            }
        }
    }
    found
}

/// Removes a key; false where it is gone already.
fn remove(fields: &mut Map<String, Value>, path: &[String]) -> bool {
    match path {
        [] => false,
        [name] => fields.shift_remove(name).is_some(),
        [name, rest @ ..] => match fields.get_mut(name) {
            Some(Value::Object(inner)) => remove(inner, rest),
            _ => false,
        },
    }
}

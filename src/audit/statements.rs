//! A document one statement at a time, and every document that infra.toml declares.

use std::sync::Arc;

use serde_json::Value;

use crate::policy::{Document, PolicyKind};
use crate::reach::{Facts, Held};

/// A document of infra.toml and the address of what holds it.
pub(super) struct Declared {
    /// `policy/NAME`, `role/NAME`, `repository/NAME`.
    pub address: String,
    /// The document.
    pub held: Held,
}

/// Every identity policy that infra.toml declares, each once.
pub(super) fn identity_policies(facts: &Facts<'_>) -> Vec<Declared> {
    let mut out = Vec::new();
    for (name, policy) in &facts.config.policies {
        let address = format!("policy/{name}");
        let source = &policy.document;
        out.push(declared(&address, &address, &source.path, &source.document));
    }
    for (name, role) in &facts.config.roles {
        for (policy, source) in &role.inline_policies {
            let name_of = format!("inline policy {policy}");
            out.push(declared(
                &format!("role/{name}"),
                &name_of,
                &source.path,
                &source.document,
            ));
        }
    }
    out
}

/// Every repository policy that infra.toml declares.
pub(super) fn repository_policies(facts: &Facts<'_>) -> Vec<Declared> {
    let all = facts.config.repositories.iter();
    all.filter_map(|(name, repository)| {
        let source = repository.policy.as_ref()?;
        Some(declared(
            &format!("repository/{name}"),
            "repository policy",
            &source.path,
            &source.document,
        ))
    })
    .collect()
}

fn declared(address: &str, name: &str, path: &str, document: &Document) -> Declared {
    let held = Held {
        name: name.to_owned(),
        path: Some(path.to_owned()),
        document: Arc::new(document.clone()),
    };
    Declared {
        address: address.to_owned(),
        held,
    }
}

/// The document with one statement only, or with all but one; `index` counts from 1.
pub(super) fn part(document: &Document, index: usize, only: bool) -> Option<Document> {
    let mut value: Value = serde_json::from_str(document.text()).ok()?;
    let kind: PolicyKind = document.kind();
    let statements = value.get_mut("Statement")?;
    if let Value::Array(list) = statements {
        let mut place = 0;
        list.retain(|_| {
            place += 1;
            (place == index) == only
        });
        if list.is_empty() {
            return None;
        }
    } else if !only {
        return None;
    }
    Document::read(&value.to_string(), kind).ok()
}

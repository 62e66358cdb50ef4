//! Where the corpora stand, and how they are read.

use std::path::{Path, PathBuf};

use provision::policy::{Document, PolicyKind};
use serde_json::Value;

/// The corpora's folder: beside the checkout, or where `PROVISION_CORPORA` says.
pub(crate) fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora");
    let named = std::env::var_os("PROVISION_CORPORA").map(PathBuf::from);
    [Some(beside), named]
        .into_iter()
        .flatten()
        .find(|folder| folder.is_dir())
}

/// One corpus, or `None` after saying that the test is skipped.
pub(crate) fn read(name: &str) -> Option<Value> {
    let Some(folder) = folder() else {
        println!("skipped: no ../shared/corpora beside the checkout and no PROVISION_CORPORA");
        return None;
    };
    let text = std::fs::read_to_string(folder.join(name)).expect("the corpus can be read");
    Some(serde_json::from_str(&text).expect("the corpus is JSON"))
}

/// The list under a key.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().expect("a list")
}

/// Reads a policy for its meaning.
pub(crate) fn document(value: &Value, kind: PolicyKind) -> Document {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    match Document::read(&text, kind) {
        Ok(document) => document,
        Err(errors) => panic!("{text}: {errors:?}"),
    }
}

/// The kind that a policy's elements speak for.
pub(crate) fn kind_of(value: &Value) -> PolicyKind {
    let statements = match &value["Statement"] {
        Value::Array(items) => items.clone(),
        other => vec![other.clone()],
    };
    let has = |key: &str| {
        statements
            .iter()
            .any(|statement| statement.get(key).is_some())
    };
    let principal = has("Principal") || has("NotPrincipal");
    let resource = has("Resource") || has("NotResource");
    match (principal, resource) {
        (false, true) => PolicyKind::Identity,
        (_, true) => PolicyKind::Resource,
        (_, false) => PolicyKind::Trust,
    }
}

//! Policy documents: their grammar, their size without white space, their principals, and how they
//! are shown.

use serde_json::{Map, Value};

use super::super::error::ServiceError;
use super::super::respell::respell;
use super::super::store::Table;
use super::super::world::{Members as _, World, last_part};
use super::super::xml;
use crate::policy::{Document, PolicyKind};

/// Checks the grammar of a document.
pub(super) fn check(text: &str, kind: PolicyKind) -> Result<(), ServiceError> {
    Document::parse(text, kind).map(drop).map_err(|errors| {
        let first = errors
            .first()
            .map(|error| error.message.as_str())
            .unwrap_or_default();
        malformed(&format!("Syntax errors in policy. {first}"))
    })
}

/// Characters without white space, which IAM does not count.
pub(super) fn size(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

fn malformed(message: &str) -> ServiceError {
    ServiceError::new("MalformedPolicyDocument", message)
}

/// A document as an answer carries it: percent-encoded, respelt where the script says so.
pub(super) fn show(text: &str, world: &World<'_>) -> Value {
    if world.view.respell {
        xml::encode(&respell(world.seed, text)).into()
    } else {
        xml::encode(text).into()
    }
}

/// The roles of this account that a trust policy names, each with its unique id. IAM stores the id:
/// a role that is gone, or was made anew, does not fit any more.
pub(super) fn principals(
    text: &str,
    world: &World<'_>,
) -> Result<Map<String, Value>, ServiceError> {
    let mut found = Map::new();
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    let own = world.global_arn("iam", "role/");
    for arn in principal_texts(&document)
        .into_iter()
        .filter(|arn| arn.starts_with(&own))
    {
        let role = world.store.get(Table::Role, &last_part(arn).to_lowercase());
        let Some(role) = role.filter(|role| role.str("Arn") == arn) else {
            return Err(malformed(&format!(
                "Invalid principal in policy: \"AWS\":\"{arn}\""
            )));
        };
        found.insert(arn.to_owned(), role.str("RoleId").into());
    }
    Ok(found)
}

fn principal_texts(document: &Value) -> Vec<&str> {
    let statements = match document.get("Statement") {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(single) => vec![single],
        None => Vec::new(),
    };
    let mut texts = Vec::new();
    for statement in statements {
        match statement
            .get("Principal")
            .and_then(|principal| principal.get("AWS"))
        {
            Some(Value::String(text)) => texts.push(text.as_str()),
            Some(Value::Array(items)) => texts.extend(items.iter().filter_map(Value::as_str)),
            _ => {}
        }
    }
    texts
}

/// A trust policy as it is shown: a role that is not the one that was meant shows as its unique id.
pub(super) fn show_trust(role: &Value, world: &World<'_>) -> Value {
    let mut text = role.str("AssumeRolePolicyDocument").to_owned();
    if let Some(Value::Object(meant)) = role.get("_principals") {
        for (arn, id) in meant {
            let id = id.as_str().unwrap_or_default();
            let stands = world.store.get(Table::Role, &last_part(arn).to_lowercase());
            let same = stands.is_some_and(|role| role.str("RoleId") == id);
            if !same || world.view.principals_as_ids {
                text = text.replace(&format!("\"{arn}\""), &format!("\"{id}\""));
            }
        }
    }
    show(&text, world)
}

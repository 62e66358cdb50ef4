//! Who satisfies this: requests that a document allows within a query.
//! A query is itself read as a document, so it may hold whatever a statement may.

use serde_json::{Map, Value, json};

use super::document::Document;
use super::kind::PolicyKind;
use super::relate::{Answer, Grants, outside};

/// What is asked for; what is left out is free.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Action patterns.
    pub actions: Vec<String>,
    /// Resource patterns.
    pub resources: Vec<String>,
    /// A `Principal` element; not for identity policies.
    pub principal: Option<Value>,
    /// A `Condition` element.
    pub condition: Option<Value>,
}

impl Query {
    /// The query as a document of a kind.
    fn document(&self, kind: PolicyKind) -> Result<Document, String> {
        let Self {
            actions,
            resources,
            principal,
            condition,
        } = self;
        let or_all = |list: &[String]| {
            if list.is_empty() {
                json!("*")
            } else {
                json!(list)
            }
        };
        let mut statement = Map::new();
        statement.insert("Effect".to_owned(), json!("Allow"));
        statement.insert("Action".to_owned(), or_all(actions));
        if kind != PolicyKind::Trust || !resources.is_empty() {
            statement.insert("Resource".to_owned(), or_all(resources));
        }
        if kind != PolicyKind::Identity {
            statement.insert(
                "Principal".to_owned(),
                principal.clone().unwrap_or_else(|| json!("*")),
            );
        }
        if let Some(condition) = condition {
            statement.insert("Condition".to_owned(), condition.clone());
        }
        let text = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        Document::read(&text, kind).map_err(|errors| {
            errors.first().map_or_else(
                || "The query cannot be read.".to_owned(),
                ToString::to_string,
            )
        })
    }
}

/// Requests within the query that the grants allow, one for each statement that allows any.
#[must_use]
pub fn find(grants: &Grants<'_>, kind: PolicyKind, query: &Query) -> Answer {
    match query.document(kind) {
        Ok(filter) => outside(&[grants, &Grants::of(&filter)], &[]),
        Err(reason) => Answer::Unknown(reason),
    }
}

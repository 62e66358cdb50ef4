//! What a document is for, which decides the elements that its statements have.
//! It is said, or it is what the elements themselves say.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a document is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyKind {
    /// Attached to a role or user, inline or managed; also a permissions boundary.
    Identity,
    /// Says who may assume a role.
    Trust,
    /// Attached to a resource such as a repository or a bucket.
    Resource,
}

impl PolicyKind {
    /// The word that `--kind` takes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Trust => "trust",
            Self::Resource => "resource",
        }
    }

    /// What the elements of a document say: without a principal it is an identity policy; with one, a resource policy
    /// where a statement names a resource or an action of another service than STS, which alone assumes roles, and
    /// else a trust policy. `None` where there is neither principal nor resource, or no document at all.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let statements: Vec<&Value> = match value.get("Statement")? {
            Value::Array(items) => items.iter().collect(),
            other => vec![other],
        };
        let has = |keys: [&str; 2]| {
            let mut all = statements.iter();
            all.any(|one| keys.iter().any(|key| one.get(key).is_some()))
        };
        let resource = has(["Resource", "NotResource"]);
        if !has(["Principal", "NotPrincipal"]) {
            return resource.then_some(Self::Identity);
        }
        let others = statements.iter().any(|one| names_another_service(one));
        Some(if resource || others {
            Self::Resource
        } else {
            Self::Trust
        })
    }

    /// What two documents that are compared are for, where nobody says; the error is a sentence.
    pub fn of_both(a: &str, b: &str) -> Result<Self, String> {
        match (Self::of(a), Self::of(b)) {
            (Some(one), Some(other)) if one != other => Err(format!(
                "A reads as {} policy and B as {}: they can be compared as one kind only.",
                one.with_article(),
                other.with_article(),
            )),
            (one, other) => Ok(one.or(other).unwrap_or(Self::Identity)),
        }
    }

    fn with_article(self) -> &'static str {
        match self {
            Self::Identity => "an identity",
            Self::Trust => "a trust",
            Self::Resource => "a resource",
        }
    }
}

/// Whether a statement's `Action` names an action of another service than STS.
fn names_another_service(statement: &Value) -> bool {
    let actions: Vec<&Value> = match statement.get("Action") {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(other) => vec![other],
        None => Vec::new(),
    };
    actions
        .into_iter()
        .filter_map(|action| action.as_str()?.split_once(':'))
        .any(|(service, _)| !service.eq_ignore_ascii_case("sts") && !service.contains(['*', '?']))
}

//! Documents that stand only between two others: the statements of both, and a Deny that holds back
//! what must not be combined.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::policy::{Document, PolicyKind};

/// The name of the inline policy that holds back what must not be combined. Wherever an apply ended
/// before it was removed, it is an inline policy that infra.toml does not declare.
pub(crate) const HOLD: &str = "provision-hold";
/// Characters of a managed policy (facts.md section 3: fixed).
pub(crate) const MANAGED_SIZE: usize = 6144;
/// Characters of a trust policy that every account allows (facts.md section 3: the default quota).
pub(crate) const TRUST_SIZE: usize = 2048;
/// Characters of all inline policies of a role (facts.md section 3: fixed).
pub(crate) const INLINE_SIZE: usize = 10_240;

/// A document with the statements of both, if it fits and if both read `${...}` alike.
pub(crate) fn both(before: &Document, after: &Document, limit: usize) -> Option<Document> {
    if before.has_variables() != after.has_variables() {
        return None;
    }
    let mut statements = statements(before);
    for statement in self::statements(after) {
        if !statements.contains(&statement) {
            statements.push(statement);
        }
    }
    let all: Vec<Value> = statements.into_iter().map(Value::Object).collect();
    build(&all, before.has_variables(), before.kind()).filter(|both| both.size() <= limit)
}

/// Denies what some of these documents allow and none of the others does, statement by statement;
/// none where that is nothing.
pub(crate) fn hold<'a>(
    some: impl Iterator<Item = &'a Document>,
    others: impl Iterator<Item = &'a Document>,
) -> Option<Document> {
    let kept: Vec<Map<String, Value>> = others.flat_map(statements).collect();
    let mut denied = Vec::new();
    for document in some {
        // A Deny that reads `${...}` as text would hold back something else.
        if !document.has_variables() && document.text().contains("${") {
            return None;
        }
        for mut statement in statements(document) {
            if statement.get("Effect") == Some(&json!("Allow")) && !kept.contains(&statement) {
                statement.insert("Effect".to_owned(), json!("Deny"));
                denied.push(Value::Object(statement));
            }
        }
    }
    if denied.is_empty() {
        return None;
    }
    build(&denied, true, PolicyKind::Identity).filter(|hold| hold.size() <= INLINE_SIZE)
}

/// The statements that deny, as they are written.
pub(crate) fn denials(document: &Document) -> BTreeSet<String> {
    let all = statements(document).into_iter();
    let denials = all.filter(|statement| statement.get("Effect") == Some(&json!("Deny")));
    denials
        .map(|statement| Value::Object(statement).to_string())
        .collect()
}

/// Denies everything.
pub(crate) fn hold_everything() -> Option<Document> {
    let deny = json!({"Effect": "Deny", "Action": "*", "Resource": "*"});
    build(&[deny], true, PolicyKind::Identity)
}

/// The statements without their Sids, which must differ within one document.
fn statements(document: &Document) -> Vec<Map<String, Value>> {
    let root = serde_json::to_value(document).unwrap_or_default();
    let list = match root.get("Statement") {
        Some(Value::Array(list)) => list.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    list.into_iter()
        .filter_map(|statement| match statement {
            Value::Object(mut statement) => {
                statement.remove("Sid");
                Some(statement)
            }
            _ => None,
        })
        .collect()
}

fn build(statements: &[Value], variables: bool, kind: PolicyKind) -> Option<Document> {
    let version = if variables {
        "2012-10-17"
    } else {
        "2008-10-17"
    };
    let text = json!({"Version": version, "Statement": statements}).to_string();
    Document::parse(&text, kind).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(statements: &Value) -> Document {
        let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        Document::parse(&text, PolicyKind::Identity).unwrap()
    }

    fn allow(action: &str) -> Value {
        json!({"Sid": "One", "Effect": "Allow", "Action": action, "Resource": "*"})
    }

    #[test]
    fn both_holds_each_statement_once() {
        let before = document(&json!([allow("ecr:PutImage")]));
        let after = document(&json!([allow("ecr:PutImage"), {
            "Sid": "Two", "Effect": "Deny", "Action": "s3:*", "Resource": "*"
        }]));
        let both = both(&before, &after, MANAGED_SIZE).unwrap();
        assert_eq!(both, after);
    }

    #[test]
    fn both_is_refused_where_it_does_not_fit() {
        let before = document(&json!([allow("ecr:PutImage")]));
        let after = document(&json!([allow("ecr:GetImage")]));
        assert_eq!(both(&before, &after, 100), None);
    }

    #[test]
    fn a_hold_denies_only_what_the_others_lack() {
        let old = document(&json!([allow("ecr:PutImage"), {
            "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"
        }]));
        let new = document(&json!([allow("ecr:PutImage")]));
        let hold = hold([&old].into_iter(), [&new].into_iter()).unwrap();
        assert_eq!(
            hold,
            document(&json!({"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}))
        );
    }

    #[test]
    fn nothing_new_needs_no_hold() {
        let one = document(&json!([allow("ecr:PutImage")]));
        assert_eq!(hold([&one].into_iter(), [&one].into_iter()), None);
    }
}

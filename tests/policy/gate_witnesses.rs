//! Gate 5: every witness of the corpora is confirmed by an evaluator that is not ours.

use provision::policy::{Document, PolicyKind, relate};
use serde_json::{Value, json};

use crate::corpora::{self, kind_of, list};
use crate::gates_random::confirm;

#[test]
fn gate_5_witnesses_of_the_corpora() {
    let mut lines = Vec::new();
    for (file, before, after) in [
        (
            "access_analyzer_check_no_new_access.json",
            "existing",
            "new",
        ),
        ("quacky_mutants.json", "a", "b"),
        ("aws_managed_version_pairs.json", "a", "b"),
        ("awspolicyequivalence.json", "a_json", "b_json"),
    ] {
        let Some(corpus) = corpora::read(file) else {
            return;
        };
        for case in list(&corpus, "cases") {
            lines.extend(lines_of(&case[before], &case[after]));
        }
    }
    confirm("gate 5", lines);
}

fn lines_of(first: &Value, second: &Value) -> Vec<(String, bool)> {
    let kind = kind_of(first);
    let dated = |policy: &Value| {
        // There `${...}` is a variable with or without Version.
        let mut policy = policy.clone();
        policy["Version"] = Value::from("2012-10-17");
        policy
    };
    if !first.is_object() || !second.is_object() {
        return Vec::new();
    }
    let (first, second) = (dated(first), dated(second));
    let read = |value: &Value| Document::read(&value.to_string(), kind);
    let (Ok(a), Ok(b)) = (read(&first), read(&second)) else {
        return Vec::new();
    };
    let comparison = relate(&a, &b);
    let mut out = Vec::new();
    for (witnesses, yes, no) in [
        (&comparison.gained, &second, &first),
        (&comparison.lost, &first, &second),
    ] {
        for witness in witnesses {
            for (policy, wanted) in [(yes, true), (no, false)] {
                // Of KMS it asks that the key's own policy allow too, which is not a rule of the language.
                let key_policy = witness.request.action.starts_with("kms:");
                if !key_policy && !quirk(policy, witness.request.resource.as_str()) {
                    let kind = if kind == PolicyKind::Identity {
                        "identity"
                    } else {
                        "resource"
                    };
                    out.push((
                        json!({"kind": kind, "policy": policy, "request": witness.request})
                            .to_string(),
                        wanted,
                    ));
                }
            }
        }
    }
    out
}

/// What the other evaluator is known to decide otherwise: `*` in a request's resource; a wildcard in the first part of
/// an ARN's last field, which it takes for a letter; a `$` in the fields before it; `"Federated": "*"`; elements that name nobody or are in lower case.
fn quirk(policy: &Value, resource: &str) -> bool {
    let text = policy.to_string();
    let wild_type = |word: &str| {
        if !word.starts_with("arn:") {
            return false;
        }
        let mut fields = word.splitn(6, ':');
        let (region, account) = (fields.nth(3), fields.next());
        let kind = fields
            .next()
            .unwrap_or_default()
            .split(['/', ':'])
            .next()
            .unwrap_or_default();
        let bucket = word.starts_with("arn:aws:s3:::") || (region, account) == (Some(""), Some(""));
        let variable = word.splitn(6, ':').take(5).any(|field| field.contains('$'));
        variable || !bucket && kind.contains(['*', '?']) && word.contains('/')
    };
    resource.contains('*')
        || text.contains("\"allow\"")
        || text.contains("NotPrincipal\":\"*\"")
        || text.contains("\"Federated\":\"*\"")
        || text.split('"').any(wild_type)
}

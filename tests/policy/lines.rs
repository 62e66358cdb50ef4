//! What `--batch` answers to lines: bad ones too, and of documents that are of another kind than is said.

use provision::policy::batch::{self, Answer, Line};
use provision::policy::{PolicyKind, lint};
use serde_json::{Value, json};

/// The first line of a batch.
pub(crate) fn line(text: &str) -> Line<'_> {
    Line {
        text,
        number: 1,
        kind: None,
    }
}

fn parsed(answer: &Answer) -> Value {
    serde_json::from_str(&answer.line).expect("JSON")
}

fn identity() -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]})
}

fn trust(principal: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": principal}}]})
}

fn resource() -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Principal": "*", "Resource": "arn:aws:s3:::a/*"}]})
}

#[test]
fn a_bad_line_answers_for_itself() {
    for text in [
        "nonsense",
        "{\"id\": 7}",
        "{\"id\": 7, \"kind\": \"identity\", \"a\": {}, \"b\": {}}",
    ] {
        let bad = Line {
            number: 12,
            ..line(text)
        };
        let answer = batch::diff(bad);
        let value = parsed(&answer);
        assert!(answer.failed && value["error"].is_string(), "{value}");
        assert_eq!(value["line"], 12, "{value}");
        assert!(!text.contains('7') || value["id"] == 7);
    }
}

#[test]
fn a_policy_of_another_kind_than_is_said_is_an_error() {
    for (kind, policy, message) in [
        ("trust", identity(), "no `Principal`"),
        ("resource", identity(), "no `Principal`"),
        ("identity", trust("a.amazonaws.com"), "has no `Principal`"),
        ("identity", resource(), "has no `Principal`"),
    ] {
        let case = json!({"id": "x", "kind": kind, "a": policy, "b": policy}).to_string();
        let answer = batch::diff(line(&case));
        let value = parsed(&answer);
        assert!(answer.failed, "{value}");
        let error = value["error"].as_str().expect("an error");
        assert!(error.contains(message), "{error}");
        assert_eq!(value["errors"][0]["line"], 1);
        assert!(value["errors"][0]["column"].as_u64() > Some(1), "{value}");
        assert_eq!(value["id"], "x");
        let request = json!({"action": "s3:GetObject", "resource": "arn:aws:s3:::a/x"});
        let case = json!({"id": 3, "kind": kind, "policy": policy, "request": request}).to_string();
        let answer = batch::eval(line(&case));
        assert!(answer.failed && parsed(&answer)["id"] == 3, "{answer:?}");
    }
}

#[test]
fn the_kind_is_what_the_elements_say() {
    let of = |value: &Value| PolicyKind::of(&value.to_string());
    assert_eq!(of(&identity()), Some(PolicyKind::Identity));
    assert_eq!(of(&trust("a.amazonaws.com")), Some(PolicyKind::Trust));
    assert_eq!(of(&resource()), Some(PolicyKind::Resource));
    let repository =
        json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}});
    assert_eq!(of(&repository), Some(PolicyKind::Resource));
    assert_eq!(of(&json!({"Statement": {"Effect": "Allow"}})), None);
    assert_eq!(of(&json!("nonsense")), None);
}

#[test]
fn without_a_kind_both_documents_must_be_of_one() {
    let both =
        |a: &Value, b: &Value| batch::diff(line(&json!({"id": 1, "a": a, "b": b}).to_string()));
    let answer = both(&identity(), &resource());
    let value = parsed(&answer);
    let error = value["error"].as_str().expect("an error");
    assert!(answer.failed && error.contains("`kind`"), "{value}");
    let answer = both(&trust("a.amazonaws.com"), &trust("b.amazonaws.com"));
    assert_eq!(parsed(&answer)["relation"], "incomparable");
}

#[test]
fn a_request_has_an_action_of_a_service_and_an_arn() {
    for (action, resource, fault) in [
        ("PutImage", "*", "`PutImage` is not an action"),
        ("ecr:", "*", "`ecr:` is not an action"),
        ("ecr:Put*", "*", "`ecr:Put*` is not an action"),
        ("ecr:PutImage", "back-end", "The resource `back-end`"),
        ("ecr:PutImage", "arn:aws:ecr", "The resource `arn:aws:ecr`"),
        ("ecr:PutImage", "", "The resource ``"),
    ] {
        let request = json!({"principal": "*", "action": action, "resource": resource});
        let case = json!({"id": 1, "policy": identity(), "request": request}).to_string();
        let answer = batch::eval(line(&case));
        let value = parsed(&answer);
        let error = value["error"].as_str().expect("an error");
        assert!(answer.failed && error.contains(fault), "{error}");
    }
    let case = json!({"id": 1, "request": {"action": "s3:GetObject"}}).to_string();
    assert!(batch::eval(line(&case)).failed, "a case without a policy");
}

#[test]
fn an_invalid_document_fails_its_line() {
    let case = |policy: Value| json!({"id": 1, "policy": policy}).to_string();
    assert!(!batch::check(line(&case(identity())), &lint::findings).failed);
    let answer = batch::check(line(&case(json!({"Statement": []}))), &lint::findings);
    assert!(answer.failed && parsed(&answer)["valid"] == false);
}

//! What counts as the same document, and what a request's principal may look like.

use std::collections::BTreeMap;

use provision::policy::{
    Document, PolicyKind, Request, RequestPrincipal, batch, relate, same_spelling,
    same_spelling_with,
};
use serde_json::{Value, json};

use crate::lines::line;

fn document(value: &Value, kind: PolicyKind) -> Document {
    Document::read(&value.to_string(), kind).expect("a document")
}

fn trust(principal: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}]})
}

#[test]
fn an_id_is_the_role_that_it_resolves_to() {
    const ROLE: &str = "arn:aws:iam::123456789012:role/ci";
    let ids = BTreeMap::from([("AROAEXAMPLE".to_owned(), ROLE.to_owned())]);
    let same = |one: &str, other: &str, kind: PolicyKind, other_kind: PolicyKind| {
        let (one, other) = (
            document(&trust(one), kind),
            document(&trust(other), other_kind),
        );
        same_spelling_with(&one, &other, &ids)
    };
    let (trust, resource) = (PolicyKind::Trust, PolicyKind::Resource);
    assert!(same("AROAEXAMPLE", ROLE, trust, trust));
    assert!(same(ROLE, "AROAEXAMPLE", trust, trust));
    assert!(!same("AROAOTHER", ROLE, trust, trust));
    assert!(!same("AROAEXAMPLE", "123456789012", trust, trust));
    // The same words in a policy of another kind are another document.
    assert!(!same(ROLE, ROLE, trust, resource));
    let read = |principal: &str| document(&self::trust(principal), trust);
    assert!(same_spelling(
        &read("123456789012"),
        &read("arn:aws:iam::123456789012:root")
    ));
    assert!(!same_spelling(&read("123456789012"), &read(ROLE)));
}

#[test]
fn one_comparison_is_told_as_a_line_of_many() {
    let statement = |resource: &str| {
        json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}]})
    };
    for (a, b, note) in [
        ("arn:aws:s3:::a/*", "arn:aws:s3:::*", false),
        // A `*` that stands for whole fields of an ARN is where the two readings part.
        ("arn:aws:s3*", "arn:aws:s3:::a", false),
        ("arn:aws:s3:*:a", "arn:aws:s3:::a", true),
        ("arn:aws:s3:::a", "arn:aws:s3:*:a", true),
    ] {
        let case = json!({"kind": "identity", "a": statement(a), "b": statement(b)}).to_string();
        let mut of_many: Value =
            serde_json::from_str(&batch::diff(line(&case)).line).expect("JSON");
        of_many.as_object_mut().expect("an object").remove("id");
        let read = |resource: &str| document(&statement(resource), PolicyKind::Identity);
        let (a, b) = (read(a), read(b));
        let alone = batch::comparison_json(&a, &b, &relate(&a, &b));
        let alone: Value = serde_json::from_str(&alone).expect("JSON");
        assert_eq!(alone, of_many);
        assert_eq!(alone.get("note").is_some(), note, "{alone}");
    }
}

#[test]
fn whether_it_broadens_follows_from_the_relation() {
    let of = |actions: &[&str]| {
        let value = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": actions, "Resource": "*"}]});
        document(&value, PolicyKind::Identity)
    };
    for (a, b, broadens) in [
        (&["s3:GetObject"][..], &["s3:Get*"][..], true),
        (&["s3:Get*"], &["s3:GetObject"], false),
        (&["s3:GetObject"], &["s3:PutObject"], true),
        (&["s3:GetObject"], &["S3:getobject"], false),
    ] {
        assert_eq!(relate(&of(a), &of(b)).broadens(), broadens, "{a:?} {b:?}");
    }
}

#[test]
fn a_principal_is_one_string_or_one_kind_with_one() {
    let read = |principal: Value| {
        let request = json!({"principal": principal, "action": "s3:GetObject", "resource": "*"});
        serde_json::from_value::<Request>(request).map(|request| request.principal)
    };
    let text = str::to_owned;
    for (written, meant) in [
        (json!({"AWS": "*"}), RequestPrincipal::Anonymous),
        (json!({"AWS": "x"}), RequestPrincipal::Aws(text("x"))),
        (
            json!({"Service": "x"}),
            RequestPrincipal::Service(text("x")),
        ),
        (
            json!({"Service": "*"}),
            RequestPrincipal::Service(text("*")),
        ),
        (
            json!({"Federated": "x"}),
            RequestPrincipal::Federated(text("x")),
        ),
        (
            json!({"CanonicalUser": "x"}),
            RequestPrincipal::CanonicalUser(text("x")),
        ),
        (json!(null), RequestPrincipal::Anonymous),
        (json!("*"), RequestPrincipal::Anonymous),
    ] {
        assert_eq!(
            read(written.clone()).expect("a principal"),
            meant,
            "{written}"
        );
    }
    for wrong in [
        json!({"AWS": "x", "Service": "y"}),
        json!({}),
        json!({"AWS": 1}),
        json!({"User": "x"}),
        json!(["x"]),
        json!(1),
    ] {
        assert!(read(wrong.clone()).is_err(), "{wrong}");
    }
}

//! Our own cases of relations, and of the law over whole subjects.

use provision::policy::law::{self, Finding};
use provision::policy::{Access, Document, PolicyKind, Relation, batch, relate};
use serde_json::{Value, json};

use crate::lines::line;

fn relation(a: Value, b: Value, kind: &str) -> Value {
    let whole = |statement: Value| json!({"Version": "2012-10-17", "Statement": statement});
    let case = json!({"id": "x", "kind": kind, "a": whole(a), "b": whole(b)}).to_string();
    let answer: Value = serde_json::from_str(&batch::diff(line(&case)).line).expect("JSON");
    assert_eq!(answer["id"], "x");
    answer["relation"].clone()
}

#[test]
fn the_same_words_mean_other_things_in_the_older_version() {
    let whole =
        |version: &str, statement: Value| json!({"Version": version, "Statement": statement});
    let statement = |resource: &str| json!([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}]);
    for (resource, expected) in [
        ("arn:aws:s3:::${aws:username}", "incomparable"),
        ("arn:aws:s3:::a*", "equal"),
    ] {
        let [a, b] =
            ["2008-10-17", "2012-10-17"].map(|version| whole(version, statement(resource)));
        let case = json!({"kind": "identity", "a": a, "b": b}).to_string();
        let answer: Value = serde_json::from_str(&batch::diff(line(&case)).line).expect("JSON");
        assert_eq!(answer["relation"], expected, "{resource}");
    }
}

#[test]
fn relations_follow_from_the_meaning() {
    let allow = |condition: Value| json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": condition}]);
    let deny = |condition: Value| {
        json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}])
    };
    let cases = [
        (
            allow(json!({"StringEquals": {"k": "a"}})),
            allow(json!({"StringLike": {"k": "a*"}})),
            "wider",
        ),
        // Two conditions on one key must both hold; of the values of one, one must.
        (
            allow(json!({"StringEquals": {"k": "a", "K": "b"}})),
            allow(json!({"StringEquals": {"k": ["a", "b"]}})),
            "wider",
        ),
        (
            allow(
                json!({"ArnLike": {"k": "arn:aws:s3:::a*"}, "ArnEquals": {"k": "arn:aws:s3:::*b"}}),
            ),
            allow(json!({"ArnLike": {"k": ["arn:aws:s3:::a*", "arn:aws:s3:::*b"]}})),
            "wider",
        ),
        (
            allow(json!({"StringEquals": {"k": "a"}, "stringequals": {"K": "a"}})),
            allow(json!({"StringEquals": {"k": "a"}})),
            "equal",
        ),
        (
            allow(json!({"StringEquals": {"k": ["a", "b"]}})),
            allow(json!({"StringEquals": {"K": "b"}})),
            "narrower",
        ),
        (
            allow(json!({"StringEquals": {"k": "a"}})),
            deny(json!({"StringNotEquals": {"k": "a"}})),
            "equal",
        ),
        (
            allow(json!({"BoolIfExists": {"k": "true"}})),
            deny(json!({"Bool": {"k": "false"}})),
            "equal",
        ),
        (
            allow(json!({"NumericLessThan": {"k": "10"}})),
            deny(json!({"NumericGreaterThanEqualsIfExists": {"k": "10"}})),
            "equal",
        ),
        (
            allow(json!({"NumericLessThan": {"k": "10"}})),
            allow(json!({"NumericLessThanEquals": {"k": "10"}})),
            "wider",
        ),
        (
            allow(json!({"IpAddress": {"k": "10.0.0.0/8"}})),
            allow(json!({"IpAddress": {"k": ["10.0.0.0/9", "10.128.0.0/9"]}})),
            "equal",
        ),
        (
            allow(json!({"DateLessThan": {"k": "2026-01-01"}})),
            allow(json!({"DateLessThan": {"k": "2026-01-01T00:00:00Z"}})),
            "equal",
        ),
        (
            allow(json!({"ForAllValues:StringEquals": {"k": "a"}})),
            allow(json!({"ForAnyValue:StringEquals": {"k": "a"}})),
            "incomparable",
        ),
        (
            allow(json!({"ForAllValues:StringEquals": {"k": "a"}})),
            allow(json!({"ForAllValues:StringEquals": {"k": "a"}, "Null": {"k": "false"}})),
            "narrower",
        ),
        (
            allow(json!({"ForAnyValue:StringEquals": {"k": "a"}})),
            deny(json!({"ForAllValues:StringNotEquals": {"k": "a"}})),
            "equal",
        ),
        (
            allow(json!({"Null": {"k": "false"}})),
            allow(json!({"StringLike": {"k": "*"}})),
            "equal",
        ),
        (
            allow(json!({"StringLike": {"k": "*"}})),
            allow(json!({"StringLike": {"k": "?*"}})),
            "narrower",
        ),
        (
            allow(json!({"StringEqualsIgnoreCase": {"k": "a"}})),
            allow(json!({"StringEquals": {"k": ["a", "A"]}})),
            "equal",
        ),
        (
            allow(json!({"ArnLike": {"k": "arn:aws:sns:*:*:*"}})),
            allow(json!({"ArnEquals": {"k": "arn:aws:sns:*:*:*"}})),
            "equal",
        ),
        (
            allow(json!({"StringEquals": {"k": "${aws:username}"}})),
            allow(json!({"StringEquals": {"k": "${aws:userid}"}})),
            "incomparable",
        ),
        (
            allow(json!({"StringEquals": {"k": "${aws:username, 'a'}"}})),
            allow(json!({"StringEquals": {"k": "${aws:username}"}})),
            "narrower",
        ),
        (
            json!([{"Effect": "Allow", "Action": ["s3:Get*", "s3:Put*"], "Resource": "*"}]),
            json!([{"Effect": "Allow", "Action": "s3:Put*", "Resource": "*"}, {"Effect": "Allow", "Action": "S3:get*", "Resource": "*"}]),
            "equal",
        ),
        (
            json!([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]),
            json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}]),
            "equal",
        ),
        (
            json!([{"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::a"}]),
            json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]),
            "wider",
        ),
    ];
    for (a, b, wanted) in cases {
        assert_eq!(
            relation(a.clone(), b.clone(), "identity"),
            wanted,
            "{a} {b}"
        );
    }
}

/// A policy that allows what the conditions leave of `b/${aws:username}`, beside `c`, and one that allows `c`.
fn beside(denied: &[Value], condition: &Value) -> Value {
    let mut list = vec![
        json!({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::c"}),
        json!({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/${aws:username}", "Condition": condition}),
    ];
    for kept in denied {
        list.push(
            json!({"Effect": "Deny", "Action": "*", "NotResource": ["arn:aws:s3:::c", kept]}),
        );
    }
    Value::from(list)
}

#[test]
fn a_variable_may_have_the_value_of_a_literal_or_one_character() {
    let c = json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::c"}]);
    let only = |texts: &[&str]| {
        let denied: Vec<Value> = texts
            .iter()
            .map(|text| json!(format!("arn:aws:s3:::b/{text}")))
            .collect();
        beside(&denied, &json!({}))
    };
    let with = |condition: Value| beside(&[], &condition);
    let pairs = [
        (c.clone(), only(&["alice"]), "wider"),
        (only(&["alice"]), c.clone(), "narrower"),
        (c.clone(), only(&["?"]), "wider"),
        (c.clone(), only(&["a?c*"]), "wider"),
        (c.clone(), only(&["${aws:userid}"]), "wider"),
        (only(&["alice"]), only(&["alice", "*"]), "equal"),
        (only(&["alice"]), only(&["bob"]), "incomparable"),
        (c.clone(), only(&["alice", "bob"]), "equal"),
        // The value would have to begin and end as two patterns ask: it is not tried, so nothing is claimed.
        (c.clone(), only(&["a*", "*z"]), "unknown"),
        (
            c.clone(),
            with(json!({"StringEquals": {"aws:username": "alice"}})),
            "wider",
        ),
        (
            with(json!({"StringEquals": {"k": ["${aws:username}", "x"]}})),
            with(json!({"StringEquals": {"k": ["x", "${aws:username}"]}})),
            "equal",
        ),
        (
            with(json!({"StringEquals": {"k": "${aws:username}"}})),
            with(json!({"StringEquals": {"k": ["${aws:username}", "${aws:userid}"]}})),
            "wider",
        ),
        (
            c.clone(),
            with(
                json!({"StringEquals": {"k": "${aws:username}"}, "ForAllValues:StringEquals": {"k": "${aws:userid}"}}),
            ),
            "wider",
        ),
    ];
    for (a, b, wanted) in pairs {
        assert_eq!(
            relation(a.clone(), b.clone(), "identity"),
            wanted,
            "{a} {b}"
        );
    }
}

fn document(statement: Value, kind: PolicyKind) -> Document {
    let text = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    Document::parse(&text, kind).unwrap_or_else(|errors| panic!("{errors:?}"))
}

#[test]
fn a_note_says_where_the_other_reading_of_wildcards_answers_otherwise() {
    let allow = |resource: &str| json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sns:*", "Resource": resource}]});
    let (fields, deeper) = ("arn:aws:sns:*:1:a", "arn:aws:sns:*:1:1:a");
    let diff = |a: &str, b: &str| -> Value {
        let case = json!({"id": 1, "a": allow(a), "b": allow(b)}).to_string();
        serde_json::from_str(&batch::diff(line(&case)).line).expect("JSON")
    };
    // Within fields, the one is a topic `a` and the other a topic `1:a`; over strings, the first holds the second.
    let answer = diff(fields, deeper);
    assert_eq!(answer["relation"], "incomparable");
    let note = answer["note"].as_str().expect("a note");
    assert!(note.contains("narrower"), "{note}");
    assert!(diff("*", fields)["note"].is_null());
    let eval = |resource: &str| -> Value {
        let case = json!({"id": 1, "policy": allow(fields), "request": {"action": "sns:Publish", "resource": resource, "context": {}}}).to_string();
        serde_json::from_str(&batch::eval(line(&case)).line).expect("JSON")
    };
    let answer = eval("arn:aws:sns:us-east-1:1:1:a");
    assert_eq!(answer["allowed"], false);
    assert!(answer["note"].is_string());
    assert!(eval("arn:aws:sns:us-east-1:1:a")["note"].is_null());
}

#[test]
fn the_law_sees_a_permission_of_before_with_a_trust_of_after() {
    let may = |action: &str| {
        document(
            json!({"Effect": "Allow", "Action": action, "Resource": "*"}),
            PolicyKind::Identity,
        )
    };
    let trust = |service: &str| {
        document(
            json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}),
            PolicyKind::Trust,
        )
    };
    let (old, new) = (may("s3:*"), may("ecr:*"));
    let (ec2, ecs) = (trust("ec2.amazonaws.com"), trust("ecs-tasks.amazonaws.com"));
    let before = Access {
        identity: vec![&old],
        boundary: None,
        trust: Some(&ec2),
    };
    let goal = Access {
        identity: vec![&new],
        boundary: None,
        trust: Some(&ecs),
    };
    let mixed = Access {
        identity: vec![&old],
        boundary: None,
        trust: Some(&ecs),
    };
    let Finding::Pair { assume, permission } = law::gains(&before, &mixed, &goal) else {
        panic!("no gain")
    };
    assert_eq!(assume.request.principal.text(), "ecs-tasks.amazonaws.com");
    assert!(permission.request.action.starts_with("s3:"));
    assert!(law::gains(&before, &goal, &goal).is_nothing());
    let nothing = Access {
        identity: vec![],
        boundary: None,
        trust: Some(&ecs),
    };
    assert!(law::gains(&before, &nothing, &goal).is_nothing());
    assert!(law::losses(&before, &nothing, &goal).is_nothing());
    assert!(!law::losses(&before, &nothing, &before).is_nothing());
    let both = Access {
        identity: vec![&new, &old],
        boundary: Some(&old),
        trust: Some(&ec2),
    };
    assert!(law::gains(&before, &both, &before).is_nothing());
    assert!(law::losses(&before, &both, &before).is_nothing());
    let gone = Access::default();
    assert!(law::gains(&before, &gone, &goal).is_nothing());
}

#[test]
fn what_is_denied_is_a_document_of_its_own() {
    let document = |statements: Value| {
        let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        Document::read(&text, PolicyKind::Identity).expect("a document")
    };
    let deny = |actions: Value| json!({"Effect": "Deny", "Action": actions, "Resource": "*"});
    let allow = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let whole = document(json!([allow, deny(json!("s3:*"))]));
    let split = document(json!([
        deny(json!("s3:Get*")),
        deny(json!(["s3:*", "s3:PutObject"]))
    ]));
    let less = document(json!([allow, deny(json!("s3:Get*"))]));
    assert_eq!(
        relate(&whole.denied(), &split.denied()).relation,
        Relation::Equal
    );
    assert_eq!(
        relate(&whole.denied(), &less.denied()).relation,
        Relation::Narrower
    );
    let none = document(json!([allow])).denied();
    assert!(none.statements().is_empty());
    assert_eq!(relate(&none, &less.denied()).relation, Relation::Wider);
}

//! Our own cases for each rule of the language, through the functions that the commands call with `--batch`.

use provision::policy::batch;
use serde_json::{Value, json};

use crate::lines::line;

fn eval(policy: &Value, request: &Value, kind: &str) -> bool {
    answer(&json!({"id": 1, "kind": kind, "policy": policy, "request": request}))
}

/// Whether the request of a case is allowed by its policies.
pub(crate) fn answer(case: &Value) -> bool {
    let answer: Value =
        serde_json::from_str(&batch::eval(line(&case.to_string())).line).expect("JSON");
    answer["allowed"]
        .as_bool()
        .unwrap_or_else(|| panic!("{answer}"))
}

/// Whether a condition holds of a context.
pub(crate) fn holds(version: &str, condition: Value, context: Value) -> bool {
    let policy = json!({"Version": version, "Statement":
        {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}});
    let request = json!({"principal": "arn:aws:iam::111111111111:role/R", "action": "s3:GetObject",
        "resource": "arn:aws:s3:::a/x", "context": context});
    eval(&policy, &request, "identity")
}

#[test]
fn conditions_hold_as_the_guide_says() {
    let cases: &[(&str, &str, Value, Value, bool)] = &[
        ("StringEquals", "k", json!("a"), json!(["a"]), true),
        ("StringEquals", "k", json!("a"), json!(["A"]), false),
        ("StringEquals", "K", json!(["b", "a"]), json!(["a"]), true),
        ("StringEquals", "k", json!("a*"), json!(["ab"]), false),
        ("StringEquals", "k", json!("a"), json!([]), false),
        // What is not of the operator's type satisfies neither it nor its negation.
        ("NumericNotEquals", "k", json!("5"), json!(["five"]), false),
        ("NumericNotEquals", "k", json!("5"), json!(["6"]), true),
        (
            "DateNotEquals",
            "k",
            json!("2026-01-01"),
            json!(["soon"]),
            false,
        ),
        (
            "DateNotEquals",
            "k",
            json!("2026-01-01"),
            json!(["2026-01-02"]),
            true,
        ),
        (
            "NotIpAddress",
            "k",
            json!("10.0.0.0/8"),
            json!(["here"]),
            false,
        ),
        (
            "NotIpAddress",
            "k",
            json!("10.0.0.0/8"),
            json!(["192.0.2.1"]),
            true,
        ),
        (
            "ArnNotEquals",
            "k",
            json!("arn:aws:s3:::a"),
            json!(["b"]),
            false,
        ),
        (
            "ArnNotEquals",
            "k",
            json!("arn:aws:s3:::a"),
            json!(["arn:aws:s3:::b"]),
            true,
        ),
        ("StringNotEquals", "k", json!("a"), json!(["a"]), false),
        (
            "StringNotEquals",
            "k",
            json!(["a", "b"]),
            json!(["c"]),
            true,
        ),
        (
            "StringNotEquals",
            "k",
            json!(["a", "b"]),
            json!(["b"]),
            false,
        ),
        ("StringNotEquals", "k", json!("a"), json!([]), true),
        (
            "StringEqualsIgnoreCase",
            "k",
            json!("aB"),
            json!(["Ab"]),
            true,
        ),
        (
            "StringNotEqualsIgnoreCase",
            "k",
            json!("aB"),
            json!(["Ab"]),
            false,
        ),
        ("StringLike", "k", json!("a*c?"), json!(["abbcd"]), true),
        ("StringLike", "k", json!("a*c?"), json!(["ac"]), false),
        ("StringLike", "k", json!("A*"), json!(["ab"]), false),
        ("StringNotLike", "k", json!("a*"), json!(["ab"]), false),
        ("StringNotLike", "k", json!("a*"), json!(["b"]), true),
        ("stringlike", "k", json!("a*"), json!(["ab"]), true),
        ("StringEqualsIfExists", "k", json!("a"), json!([]), true),
        ("StringEqualsIfExists", "k", json!("a"), json!(["b"]), false),
        ("StringNotEqualsIfExists", "k", json!("a"), json!([]), true),
        ("NumericEquals", "k", json!("10"), json!(["10.0"]), true),
        ("NumericEquals", "k", json!(10), json!(["x"]), false),
        ("NumericNotEquals", "k", json!("10"), json!(["10.0"]), false),
        ("NumericNotEquals", "k", json!("10"), json!([]), true),
        ("NumericLessThan", "k", json!("10"), json!(["9.5"]), true),
        ("NumericLessThan", "k", json!("10"), json!(["10"]), false),
        ("NumericLessThan", "k", json!("10"), json!(["9"]), true),
        (
            "NumericLessThanEquals",
            "k",
            json!("10"),
            json!(["10"]),
            true,
        ),
        ("NumericGreaterThan", "k", json!("-2"), json!(["-1"]), true),
        (
            "NumericGreaterThanEquals",
            "k",
            json!("10"),
            json!(["10"]),
            true,
        ),
        (
            "NumericGreaterThanEquals",
            "k",
            json!("10"),
            json!(["9"]),
            false,
        ),
        (
            "DateEquals",
            "k",
            json!("2026-01-01T00:00:00Z"),
            json!(["2026-01-01T01:00:00+01:00"]),
            true,
        ),
        (
            "DateNotEquals",
            "k",
            json!("2026-01-01T00:00:00Z"),
            json!(["2026-01-01"]),
            false,
        ),
        (
            "DateLessThan",
            "k",
            json!("2026-01-01T00:00:00Z"),
            json!(["2025-12-31T23:59:59Z"]),
            true,
        ),
        (
            "DateGreaterThan",
            "k",
            json!("1767225600"),
            json!(["2026-01-01T00:00:01Z"]),
            true,
        ),
        (
            "DateGreaterThanEquals",
            "k",
            json!("2026-01-01"),
            json!(["2026-01-01T00:00:00Z"]),
            true,
        ),
        (
            "DateLessThanEquals",
            "k",
            json!("2026-01-01"),
            json!(["2026-01-02"]),
            false,
        ),
        ("Bool", "k", json!("true"), json!(["True"]), true),
        ("Bool", "k", json!(false), json!(["true"]), false),
        ("Bool", "k", json!("false"), json!([]), false),
        ("BoolIfExists", "k", json!("false"), json!([]), true),
        ("BinaryEquals", "k", json!("QUJD"), json!(["QUJD"]), true),
        ("BinaryEquals", "k", json!("QUJD"), json!(["qujd"]), false),
        (
            "IpAddress",
            "k",
            json!("10.0.0.0/8"),
            json!(["10.1.2.3"]),
            true,
        ),
        (
            "IpAddress",
            "k",
            json!("10.0.0.1"),
            json!(["10.0.0.1"]),
            true,
        ),
        (
            "IpAddress",
            "k",
            json!("10.0.0.0/8"),
            json!(["11.0.0.0"]),
            false,
        ),
        (
            "IpAddress",
            "k",
            json!("2001:db8::/32"),
            json!(["2001:DB8:0::1"]),
            true,
        ),
        (
            "NotIpAddress",
            "k",
            json!("10.0.0.0/8"),
            json!(["2001:db8::1"]),
            true,
        ),
        (
            "NotIpAddress",
            "k",
            json!("10.0.0.0/8"),
            json!(["10.9.9.9"]),
            false,
        ),
        (
            "ArnEquals",
            "k",
            json!("arn:aws:sns:*:1:t*"),
            json!(["arn:aws:sns:eu-west-1:1:t:u"]),
            true,
        ),
        (
            "ArnLike",
            "k",
            json!("arn:aws:s*:1:t"),
            json!(["arn:aws:sns:eu:1:t"]),
            false,
        ),
        (
            "ArnLike",
            "k",
            json!("arn:aws:sns:*:t"),
            json!(["arn:aws:sns:eu:1:t"]),
            false,
        ),
        (
            "ArnNotLike",
            "k",
            json!("arn:aws:sns:*:*:*"),
            json!(["arn:aws:sqs:eu:1:t"]),
            true,
        ),
        ("Null", "k", json!("true"), json!([]), true),
        ("Null", "k", json!("true"), json!(["a"]), false),
        ("Null", "k", json!(false), json!(["a"]), true),
        (
            "ForAllValues:StringEquals",
            "k",
            json!(["a", "b"]),
            json!(["a", "b", "a"]),
            true,
        ),
        (
            "ForAllValues:StringEquals",
            "k",
            json!(["a", "b"]),
            json!(["a", "c"]),
            false,
        ),
        (
            "ForAllValues:StringEquals",
            "k",
            json!("a"),
            json!([]),
            true,
        ),
        (
            "ForAllValues:StringNotEquals",
            "k",
            json!("a"),
            json!(["b", "c"]),
            true,
        ),
        (
            "ForAllValues:StringNotEquals",
            "k",
            json!("a"),
            json!(["b", "a"]),
            false,
        ),
        (
            "ForAnyValue:StringEquals",
            "k",
            json!("a"),
            json!(["b", "a"]),
            true,
        ),
        (
            "ForAnyValue:StringEquals",
            "k",
            json!("a"),
            json!([]),
            false,
        ),
        (
            "ForAnyValue:StringNotEquals",
            "k",
            json!("a"),
            json!(["a", "b"]),
            true,
        ),
        (
            "ForAnyValue:StringNotEquals",
            "k",
            json!("a"),
            json!(["a"]),
            false,
        ),
        (
            "ForAnyValue:StringNotEquals",
            "k",
            json!("a"),
            json!([]),
            false,
        ),
        (
            "ForAnyValue:StringLikeIfExists",
            "k",
            json!("a*"),
            json!([]),
            true,
        ),
        (
            "ForAllValues:IpAddress",
            "k",
            json!("10.0.0.0/8"),
            json!(["10.0.0.1", "11.0.0.1"]),
            false,
        ),
    ];
    for (operator, key, value, present, wanted) in cases {
        let (mut condition, mut context) = (json!({}), json!({}));
        condition[*operator][*key] = value.clone();
        context["k"] = present.clone();
        assert_eq!(
            holds("2012-10-17", condition, context),
            *wanted,
            "{operator} {value} of {present}"
        );
    }
}

#[test]
fn strings_and_arns_take_variables_and_nothing_else_does() {
    for (operator, written, value, holding) in [
        ("StringEquals", "${aws:username}", "bob", true),
        ("StringLike", "${aws:username}", "bob", true),
        ("StringEqualsIgnoreCase", "${aws:username}", "BOB", true),
        (
            "ArnEquals",
            "arn:aws:s3:::${aws:username}",
            "arn:aws:s3:::bob",
            true,
        ),
        ("BinaryEquals", "${aws:username}", "bob", false),
        ("BinaryEquals", "${aws:username}", "${aws:username}", true),
        ("NumericEquals", "${aws:username}", "1", false),
    ] {
        let context =
            json!({"k": [value], "aws:username": [if value == "1" { "1" } else { "bob" }]});
        let condition = json!({operator: {"k": written}});
        assert_eq!(
            holds("2012-10-17", condition, context),
            holding,
            "{operator} {written} {value}"
        );
    }
}

#[test]
fn variables_are_variables_in_one_version_only() {
    let equals = |pattern: &str| json!({"StringEquals": {"k": pattern}});
    let like = |pattern: &str| json!({"StringLike": {"k": pattern}});
    let cases = [
        (
            "2012-10-17",
            equals("${aws:username}"),
            json!({"k": "bob", "aws:username": "bob"}),
            true,
        ),
        (
            "2012-10-17",
            equals("${aws:UserName}"),
            json!({"k": "bob", "AWS:username": "bob"}),
            true,
        ),
        (
            "2012-10-17",
            equals("${aws:username}"),
            json!({"k": "bob"}),
            false,
        ),
        (
            "2012-10-17",
            json!({"StringNotEquals": {"k": "${aws:username}"}}),
            json!({"k": "bob"}),
            true,
        ),
        (
            "2008-10-17",
            equals("${aws:username}"),
            json!({"k": "bob", "aws:username": "bob"}),
            false,
        ),
        (
            "2008-10-17",
            equals("${aws:username}"),
            json!({"k": "${aws:username}"}),
            true,
        ),
        (
            "2012-10-17",
            equals("${aws:username, 'none'}"),
            json!({"k": "none"}),
            true,
        ),
        (
            "2012-10-17",
            equals("${aws:username, 'none'}"),
            json!({"k": "none", "aws:username": "bob"}),
            false,
        ),
        ("2012-10-17", like("${*}x"), json!({"k": "*x"}), true),
        ("2012-10-17", like("${*}x"), json!({"k": "ax"}), false),
        ("2012-10-17", like("${?}${$}"), json!({"k": "?$"}), true),
        (
            "2012-10-17",
            like("${aws:username}/*"),
            json!({"k": "a*/b", "aws:username": "a*"}),
            true,
        ),
        (
            "2012-10-17",
            like("${aws:username}/*"),
            json!({"k": "ab/b", "aws:username": "a*"}),
            false,
        ),
        (
            "2012-10-17",
            equals("${k2}"),
            json!({"k": "a", "k2": ["a", "b"]}),
            false,
        ),
    ];
    for (version, condition, context, wanted) in cases {
        assert_eq!(
            holds(version, condition.clone(), context.clone()),
            wanted,
            "{version} {condition} {context}"
        );
    }
}

#[test]
fn actions_resources_and_principals_match_as_the_guide_says() {
    let cases = [
        (
            json!({"Action": "S3:getobject", "Resource": "*"}),
            "s3:GetObject",
            "arn:aws:s3:::a/x",
            true,
        ),
        (
            json!({"Action": "s3:Get?bject", "Resource": "*"}),
            "s3:GetObject",
            "arn:aws:s3:::a/x",
            true,
        ),
        (
            json!({"NotAction": "s3:*", "Resource": "*"}),
            "s3:GetObject",
            "arn:aws:s3:::a/x",
            false,
        ),
        (
            json!({"NotAction": "iam:*", "Resource": "*"}),
            "s3:GetObject",
            "arn:aws:s3:::a/x",
            true,
        ),
        (
            json!({"Action": "*", "Resource": "arn:aws:s3:::A/x"}),
            "s3:GetObject",
            "arn:aws:s3:::a/x",
            false,
        ),
        (
            json!({"Action": "*", "Resource": "arn:aws:s3:::a/*"}),
            "s3:GetObject",
            "arn:aws:s3:::a/x:y/z",
            true,
        ),
        (
            json!({"Action": "*", "Resource": "arn:aws:sqs:*:q"}),
            "sqs:SendMessage",
            "arn:aws:sqs:eu:1:q",
            false,
        ),
        (
            json!({"Action": "*", "Resource": "arn:aws:sqs:*:*:q"}),
            "sqs:SendMessage",
            "arn:aws:sqs:eu:1:q",
            true,
        ),
        (
            json!({"Action": "*", "Resource": "arn:aws:sqs:?u:1:q"}),
            "sqs:SendMessage",
            "arn:aws:sqs:eu:1:q",
            true,
        ),
        (
            json!({"Action": "*", "NotResource": ["arn:aws:s3:::b", "arn:aws:s3:::a/*"]}),
            "s3:GetObject",
            "arn:aws:s3:::a/x",
            false,
        ),
        (
            json!({"Action": "*", "NotResource": "arn:aws:s3:::a/${aws:username}"}),
            "s3:GetObject",
            "arn:aws:s3:::a/x",
            true,
        ),
        (
            json!({"Action": "*", "Resource": "arn:aws:s3:::a/x"}),
            "ecr:GetAuthorizationToken",
            "*",
            false,
        ),
        (
            json!({"Action": "*", "Resource": "*"}),
            "ecr:GetAuthorizationToken",
            "*",
            true,
        ),
    ];
    for (mut statement, action, resource, wanted) in cases {
        statement["Effect"] = json!("Allow");
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
        let request = json!({"principal": "arn:aws:iam::111111111111:role/R", "action": action, "resource": resource, "context": {}});
        assert_eq!(
            eval(&policy, &request, "identity"),
            wanted,
            "{policy} {request}"
        );
    }
    let role = "arn:aws:iam::111111111111:role/path/R";
    let session = "arn:aws:sts::111111111111:assumed-role/R/s";
    let provider = "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com";
    let principals = [
        (json!({"Principal": "*"}), role, true),
        (json!({"Principal": "*"}), "*", true),
        (json!({"Principal": {"AWS": "111111111111"}}), role, true),
        (
            json!({"Principal": {"AWS": "arn:aws:iam::111111111111:root"}}),
            session,
            true,
        ),
        (json!({"Principal": {"AWS": "222222222222"}}), role, false),
        (
            json!({"Principal": {"AWS": "111111111111"}}),
            provider,
            false,
        ),
        (json!({"Principal": {"AWS": role}}), session, true),
        (json!({"Principal": {"AWS": session}}), role, false),
        (
            json!({"Principal": {"Federated": provider}}),
            provider,
            true,
        ),
        (
            json!({"Principal": {"Service": "ec2.amazonaws.com"}}),
            "ec2.amazonaws.com",
            true,
        ),
        (
            json!({"Principal": {"Service": ["ecs.amazonaws.com"]}}),
            "ec2.amazonaws.com",
            false,
        ),
        (json!({"NotPrincipal": {"AWS": role}}), role, false),
        (json!({"NotPrincipal": {"AWS": "222222222222"}}), role, true),
    ];
    for (mut statement, principal, wanted) in principals {
        statement["Effect"] = json!("Allow");
        statement["Action"] = json!("sts:AssumeRole");
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
        let request = json!({"principal": principal, "action": "sts:AssumeRole", "resource": role, "context": {}});
        assert_eq!(
            eval(&policy, &request, "trust"),
            wanted,
            "{policy} {principal}"
        );
    }
}

#[test]
fn policies_combine_within_an_account_and_across_two() {
    let allow = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}});
    let deny = json!({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}});
    let narrow = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Put*", "Resource": "*"}});
    let to = |principal: &str| {
        json!({"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "s3:*", "Resource": "*"}})
    };
    let role = "arn:aws:iam::111111111111:role/R";
    let cases = [
        (json!({"policies": [narrow, allow]}), "111111111111", true),
        (json!({"policies": [allow, deny]}), "111111111111", false),
        (
            json!({"policies": [allow], "boundary": narrow}),
            "111111111111",
            false,
        ),
        (
            json!({"policies": [allow], "boundary": allow}),
            "111111111111",
            true,
        ),
        (
            json!({"policies": [], "resource_policy": to(role)}),
            "111111111111",
            true,
        ),
        (
            json!({"policies": [], "resource_policy": to("111111111111")}),
            "111111111111",
            false,
        ),
        (
            json!({"policies": [], "boundary": narrow, "resource_policy": to(role)}),
            "111111111111",
            false,
        ),
        (
            json!({"policies": [allow], "resource_policy": to("111111111111")}),
            "222222222222",
            true,
        ),
        (
            json!({"policies": [allow], "resource_policy": to("333333333333")}),
            "222222222222",
            false,
        ),
        (
            json!({"policies": [], "resource_policy": to(role)}),
            "222222222222",
            false,
        ),
        (
            json!({"policies": [allow], "resource_policy": deny_of(&to(role))}),
            "111111111111",
            false,
        ),
    ];
    for (mut case, owner, wanted) in cases {
        case["request"] = json!({"principal": role, "action": "s3:GetObject", "resource": "arn:aws:s3:::a/x",
            "context": {"aws:ResourceAccount": owner}});
        assert_eq!(answer(&case), wanted, "{case}");
    }
}

fn deny_of(policy: &Value) -> Value {
    let mut out = policy.clone();
    out["Statement"]["Effect"] = json!("Deny");
    out
}

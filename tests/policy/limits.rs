//! No input of 100 KB takes long: documents made to be slow to read and to compare are answered or unknown in time.

use std::time::{Duration, Instant};

use provision::policy::{
    Answer, Document, Grants, PolicyKind, Query, Request, batch, describe, evaluate, find, lint,
    relate, relate_grants,
};
use serde_json::{Map, Value, json};

use crate::gate_managed::thread_time;
use crate::lines::line;

/// What the promise is: one question within two seconds, as `just policy-full` holds it. Without optimisation
/// everything takes several times as long.
fn limit() -> Duration {
    let full = std::env::var_os("POLICY_FULL").is_some();
    Duration::from_secs(if full { 2 } else { 20 })
}

/// The size of the inputs that the promise is about.
const SIZE: usize = 100_000;

/// The time that this thread takes for something, where the system tells it; else the clock's.
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (begin, own) = (Instant::now(), thread_time());
    let out = work();
    let own = own.and_then(|own| thread_time()?.checked_sub(own));
    let took = own.unwrap_or_else(|| begin.elapsed());
    println!("limits: {what}: {took:.1?}");
    assert!(took <= limit(), "{what}: {took:?}");
    out
}

fn allow(action: &str, resources: &Value) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": resources})
}

/// Texts of a pattern in a number, as many as stay within the size.
fn many(count: usize, one: impl Fn(usize) -> String) -> Value {
    let mut left = SIZE * 9 / 10;
    let mut out = Vec::new();
    for place in 0..count {
        let text = one(place);
        left = match left.checked_sub(text.len() + 3) {
            Some(left) => left,
            None => break,
        };
        out.push(text);
    }
    json!(out)
}

/// Statements, as many as stay within the size.
fn statements(count: usize, one: impl Fn(usize) -> Value) -> Value {
    let mut left = SIZE * 9 / 10;
    let mut out = Vec::new();
    for place in 0..count {
        let statement = one(place);
        left = match left.checked_sub(statement.to_string().len() + 1) {
            Some(left) => left,
            None => break,
        };
        out.push(statement);
    }
    Value::Array(out)
}

fn under(condition: &Value) -> Value {
    json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": condition})
}

/// The same with statements that deny.
fn everything_but(denies: Value) -> Value {
    let mut out = vec![allow("*", &json!("*"))];
    let Value::Array(list) = denies else {
        return Value::Array(out);
    };
    out.extend(list);
    Value::Array(out)
}

type Case = (&'static str, Value, Value);

fn wildcards() -> Vec<Case> {
    let stars = |count: usize, end: &str| format!("arn:aws:s3:::{}{end}", "*a".repeat(count));
    let one = |end: &str| json!([allow("s3:*", &json!(stars(40_000, end)))]);
    let list = |step: usize| {
        json!([allow(
            "s3:*",
            &many(900, |place| stars(
                40 + (place + step) % 60,
                &format!("*{}", place + step)
            ))
        )])
    };
    let questions = |step: usize| {
        json!([allow(
            "s3:*",
            &many(600, |place| {
                format!(
                    "arn:aws:s3:::{}*{}",
                    "?".repeat(100 + (place + step) % 50),
                    "?a".repeat((place + step) % 31)
                )
            })
        )])
    };
    let suffixes = |letters: &[char]| {
        let all: Vec<String> = letters
            .iter()
            .enumerate()
            .map(|(place, letter)| format!("arn:aws:s3:::*{letter}{}", "?".repeat(17 + place)))
            .collect();
        json!([allow("s3:*", &json!(all))])
    };
    let long = |end: &str| {
        json!([allow(
            "s3:*",
            &json!(format!("arn:aws:s3:::*{}{end}", "a".repeat(90_000)))
        )])
    };
    vec![
        ("*a*a*a*b", one("*b"), one("*c")),
        ("many *a*a*a*b", list(0), list(1)),
        ("questions", questions(0), questions(3)),
        (
            "suffixes",
            suffixes(&['a']),
            suffixes(&['b', 'c', 'd', 'a']),
        ),
        ("aaaaa", long("*b"), long("*c")),
    ]
}

fn lists() -> Vec<Case> {
    let both = |step: usize| {
        statements(900, |place| {
            allow(
                &format!("s3:*Get*{}*", place + step),
                &json!(format!(
                    "arn:aws:s3:::b{}*x{}*",
                    place * 7 % 900,
                    (place + step) % 13
                )),
            )
        })
    };
    let not_action = |step: usize| {
        json!([{"Effect": "Allow", "NotResource": "arn:aws:s3:::x",
        "NotAction": many(4_000, |place| format!("s{}:*Get{}*x*", place % 50, place + step))}])
    };
    let not_resource = |step: usize| {
        json!([{"Effect": "Allow", "Action": "s3:*",
        "NotResource": many(4_000, |place| format!("arn:aws:s3:::*{place}*a*{}", place % (17 + step)))}])
    };
    let neither = |step: usize| {
        statements(600, |place| {
            json!({"Effect": "Allow",
        "NotAction": [format!("s3:*{}*", place + step), format!("s{}:*", place % 7)],
        "NotResource": [format!("arn:aws:s3:::*{}*", place % (11 + step)), format!("arn:aws:s3:::b{place}/*")]})
        })
    };
    vec![
        ("many statements", both(0), both(1)),
        ("NotAction", not_action(0), not_action(1)),
        ("NotResource", not_resource(0), not_resource(2)),
        ("NotAction and NotResource", neither(0), neither(2)),
    ]
}

fn denies() -> Vec<Case> {
    let all = || json!([allow("*", &json!("*"))]);
    let grid = statements(600, |place| {
        json!({"Effect": "Deny", "Action": format!("s{}:*", place % 23),
        "Resource": format!("arn:aws:*:*:*:*{}*", place % 29),
        "Condition": {"StringNotEquals": {format!("aws:PrincipalTag/k{}", place % 31): format!("v{}", place % 37)}}})
    });
    let clauses = statements(800, |place| {
        let keys: Map<String, Value> = (0..3)
            .map(|turn| {
                let key = (place * 7_919 + turn * 40_503 * (place + 3)) % 30;
                (
                    format!("aws:PrincipalTag/k{key}"),
                    json!(["true", "false"][(place >> turn) & 1]),
                )
            })
            .collect();
        json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": keys}})
    });
    let wide = statements(300, |place| {
        let keys: Map<String, Value> = (0..12)
            .map(|turn| {
                (
                    format!("aws:PrincipalTag/k{}", (place * 7 + turn * 5) % 40),
                    json!(format!("v{}", (place + turn) % 2)),
                )
            })
            .collect();
        json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"StringEquals": keys}})
    });
    vec![
        ("a grid of Denies", all(), everything_but(grid)),
        ("clauses", all(), everything_but(clauses)),
        ("wide Denies", all(), everything_but(wide)),
    ]
}

fn conditions() -> Vec<Case> {
    let long = |step: usize| {
        json!([under(&json!({"StringLike": {"aws:PrincipalTag/x":
        many(6_000, |place| format!("*a{}*b*c{}", place + step, place % 11))}}))])
    };
    let keys = |operator: &str| {
        let keys: Map<String, Value> = (0..2_600)
            .map(|place| (format!("aws:PrincipalTag/k{place}"), json!(["a*", "*b"])))
            .collect();
        json!([under(&json!({operator: keys}))])
    };
    let numbers = |step: usize| {
        statements(900, |place| {
            under(&json!({
        "NumericLessThan": {"s3:max-keys": (place + step).to_string()},
        "NumericGreaterThan": {"s3:k2": (place * (7 + step) % 600).to_string()}}))
        })
    };
    let addresses = |step: usize| {
        json!([under(&json!({"IpAddress": {"aws:SourceIp":
        many(5_000, |place| format!("10.{}.{}.0/{}", place % (256 - step), (place / 16) % 256, 16 + place % 16))}}))])
    };
    let sets = |step: usize| {
        statements(500, |place| {
            under(&json!({
        "ForAllValues:StringLike": {"aws:TagKeys": [format!("*a{}*", place + step), format!("b{}*", place % 9)]},
        "ForAnyValue:StringNotLike": {"aws:TagKeys": [format!("*c{}", place % (13 + step))]}}))
        })
    };
    vec![
        ("a long condition", long(0), long(1)),
        ("many keys", keys("StringLike"), keys("StringNotLike")),
        ("numbers", numbers(0), numbers(1)),
        ("addresses", addresses(0), addresses(1)),
        ("sets of values", sets(0), sets(4)),
    ]
}

fn variables() -> Vec<Case> {
    let plain = |step: usize| {
        json!([allow(
            "s3:*",
            &many(1_500, |place| {
                format!(
                    "arn:aws:s3:::b{place}/${{aws:username}}/*${{aws:PrincipalTag/t{}}}*",
                    place % (30 + step)
                )
            })
        )])
    };
    let defaults = |step: usize| {
        statements(500, |place| {
            allow(
                "s3:*",
                &json!(format!(
                    "arn:aws:s3:::${{aws:PrincipalTag/a{}, 'x'}}/${{aws:PrincipalTag/b{}, 'y'}}/${{aws:PrincipalTag/c, 'z'}}/{place}*",
                    place % (5 - step),
                    place % 3
                )),
            )
        })
    };
    vec![
        ("variables", plain(0), plain(1)),
        ("variables with defaults", defaults(0), defaults(1)),
    ]
}

fn read(statements: &Value, kind: PolicyKind, what: &str) -> Document {
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    assert!(text.len() <= SIZE, "{what}: {} letters", text.len());
    timed(&format!("{what}: parse"), || {
        Document::parse(&text, kind).is_ok()
    });
    let document = timed(&format!("{what}: read"), || Document::read(&text, kind))
        .unwrap_or_else(|errors| panic!("{what}: {errors:?}"));
    timed(&format!("{what}: check"), || lint::findings(&document));
    timed(&format!("{what}: spellings"), || {
        (
            document.canonical(),
            document.size(),
            document.pretty(),
            document.denied(),
        )
    });
    document
}

fn judge(kind: PolicyKind, cases: Vec<Case>) {
    for (what, a, b) in cases {
        let (a, b) = (read(&a, kind, what), read(&b, kind, what));
        let comparison = timed(&format!("{what}: relate"), || relate(&a, &b));
        println!("limits: {what}: {:?}", comparison.relation);
        timed(&format!("{what}: words"), || {
            describe::text(&a, &b, &comparison)
        });
        let before = Grants {
            layers: vec![vec![&a, &b], vec![&a]],
        };
        let after = Grants {
            layers: vec![vec![&b], vec![&a, &b]],
        };
        timed(&format!("{what}: relate sets"), || {
            relate_grants(&before, &after)
        });
        let query = match kind {
            PolicyKind::Trust => Query::default(),
            PolicyKind::Identity | PolicyKind::Resource => Query {
                actions: vec!["s3:*".to_owned()],
                resources: vec!["arn:aws:s3:::*a*b*c*".to_owned()],
                ..Query::default()
            },
        };
        let found = timed(&format!("{what}: find"), || {
            find(&Grants::of(&a), kind, &query)
        });
        if let Answer::Some(witnesses) = found {
            for witness in witnesses.iter().take(3) {
                let request: &Request = &witness.request;
                assert!(timed(&format!("{what}: evaluate"), || evaluate(&a, request)).is_allowed());
            }
        }
    }
}

fn principals() -> Vec<Case> {
    let named = |element: &str, step: usize| {
        let all = many(4_000, |place| {
            format!(
                "arn:aws:iam::{:012}:role/r{}",
                place % (300 + step),
                place + step
            )
        });
        json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::a/*", element: {"AWS": all}}])
    };
    let each = |step: usize| {
        statements(600, |place| {
            json!({"Effect": (["Allow", "Deny"][(place + step) % 2]), "Action": format!("s3:*{}*", place % 9),
            "Principal": {"AWS": format!("arn:aws:iam::{:012}:role/r{place}", place % 50)},
            "Resource": format!("arn:aws:s3:::b*{}*", place % (13 + step))})
        })
    };
    vec![
        (
            "many principals",
            named("Principal", 0),
            named("Principal", 7),
        ),
        (
            "all but many",
            named("NotPrincipal", 0),
            named("NotPrincipal", 7),
        ),
        ("a principal a statement", each(0), each(1)),
    ]
}

/// Trust policies on GitHub's tokens, whose subjects have a shape of their own.
fn subjects() -> Vec<Case> {
    let provider = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
    let trust = |condition: Value| {
        json!({"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": provider}, "Condition": condition})
    };
    let key = |claim: &str| format!("token.actions.githubusercontent.com:{claim}");
    let like = |step: usize, one: &dyn Fn(usize) -> String| {
        json!([trust(
            json!({"StringEquals": {key("aud"): "sts.amazonaws.com"},
        "StringLike": {key("sub"): many(4_000, |place| one(place + step))}})
        )])
    };
    let repositories = |step| like(step, &|place| format!("repo:org/app{place}:*"));
    let stars = |step| {
        like(step, &|place| {
            format!("repo:*{}*/*{place}*:ref:*", place % 17)
        })
    };
    let ids = |step| {
        like(step, &|place| {
            format!("repo:org@*{place}/app@{}*:environment:*", place % 13)
        })
    };
    let claims = |step: usize| {
        statements(300, |place| {
            trust(
                json!({"StringLike": {key("sub"): format!("repo:org/app{}*:*", place + step)},
            "StringNotEquals": {key("actor"): format!("a{}", place % 9)},
            "ForAllValues:StringLike": {key("ref"): format!("refs/*/{}*", place % 11)}}),
            )
        })
    };
    vec![
        ("subjects", repositories(0), repositories(1)),
        ("subjects with wildcards", stars(0), stars(3)),
        ("subjects with ids", ids(0), ids(2)),
        ("claims", claims(0), claims(1)),
    ]
}

/// A policy's name for each of many actions that do not exist.
fn unknown_actions() -> Vec<Case> {
    let names = |form: &dyn Fn(usize) -> String| json!([{"Effect": "Allow", "Action": many(4_000, form), "Resource": "*"}]);
    let plain = || names(&|place| format!("ec2:DescribeInstance{place}Attributess"));
    let stars = || names(&|place| format!("ec2:*De*In*{place}*At*"));
    vec![
        ("unknown actions", plain(), plain()),
        ("unknown patterns", stars(), stars()),
    ]
}

#[test]
fn wildcards_are_decided_or_unknown_in_time() {
    judge(PolicyKind::Identity, wildcards());
}

#[test]
fn lists_are_decided_or_unknown_in_time() {
    judge(PolicyKind::Identity, lists());
}

#[test]
fn denies_are_decided_or_unknown_in_time() {
    judge(PolicyKind::Identity, denies());
}

#[test]
fn conditions_are_decided_or_unknown_in_time() {
    judge(PolicyKind::Identity, conditions());
}

#[test]
fn variables_are_decided_or_unknown_in_time() {
    judge(PolicyKind::Identity, variables());
}

#[test]
fn principals_are_decided_or_unknown_in_time() {
    judge(PolicyKind::Resource, principals());
}

#[test]
fn subjects_are_decided_or_unknown_in_time() {
    judge(PolicyKind::Trust, subjects());
}

#[test]
fn unknown_actions_are_told_in_time() {
    judge(PolicyKind::Identity, unknown_actions());
}

/// A policy with a request, made to be slow to decide.
fn requests() -> Vec<(&'static str, Value, Value)> {
    let bucket = |text: String| format!("arn:aws:s3:::{text}");
    let on = |resource: String| json!({"action": "s3:GetObject", "resource": resource});
    let with = |key: &str, values: Value| json!({"action": "s3:GetObject", "resource": "arn:aws:s3:::a", "context": {key: values}});
    let short = |count: usize, end: &str| -> Value {
        (0..count).map(|place| format!("{place:x}{end}")).collect()
    };
    let variables = |count: usize| bucket("${aws:username}".repeat(count));
    let user = || with("aws:username", json!("a".repeat(40_000)));
    let compared = |operator: &str, end: &str| {
        json!([under(
            &json!({operator: {"aws:TagKeys": short(5_500, end)}})
        )])
    };
    let keys = |end: &str| with("aws:TagKeys", short(5_500, end));
    vec![
        (
            "a long beginning",
            json!([allow(
                "s3:*",
                &json!(bucket(format!("*{}b", "a".repeat(30_000))))
            )]),
            on(bucket("a".repeat(60_000))),
        ),
        (
            "stars and questions",
            json!([allow("s3:*", &json!(bucket("*?a".repeat(15_000))))]),
            on(bucket("a".repeat(45_000))),
        ),
        (
            "a variable again",
            json!([allow("s3:*", &json!(variables(3_000)))]),
            user(),
        ),
        (
            "a variable in each of many",
            json!([allow(
                "s3:*",
                &many(1_000, |place| format!("{}{place}*", variables(1)))
            )]),
            user(),
        ),
        (
            "all values",
            compared("ForAllValues:StringLike", "*a"),
            keys("b"),
        ),
        (
            "all values of a list",
            compared("ForAllValues:StringEquals", ""),
            keys(""),
        ),
        (
            "not any value",
            compared("ForAnyValue:StringNotLike", "*"),
            keys(""),
        ),
        (
            "values and statements",
            statements(400, |place| {
                under(&json!({"ForAnyValue:StringLike": {"aws:TagKeys": format!("*{place}*x*")}}))
            }),
            keys("a"),
        ),
    ]
}

#[test]
fn requests_are_decided_in_time() {
    for (what, statements, request) in requests() {
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        let text =
            json!({"id": 1, "kind": "identity", "policy": policy, "request": request}).to_string();
        assert!(text.len() <= SIZE, "{what}: {} letters", text.len());
        let answer = timed(&format!("{what}: eval"), || batch::eval(line(&text)));
        assert!(!answer.failed, "{what}: {}", answer.line);
    }
}

/// Texts one after the other.
fn joined(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).map(one).collect()
}

#[test]
fn what_is_no_document_is_refused_in_time() {
    let texts = [
        ("nothing but open brackets", "[".repeat(SIZE)),
        (
            "foreign letters",
            format!("{{\"Id\": \"{}\"}}", "\u{3b1}".repeat(SIZE / 2)),
        ),
        (
            "keys without end",
            format!(
                "{{{}\"x\": 1}}",
                joined(9_000, |place| format!("\"k{place}\": 1,"))
            ),
        ),
        (
            "a long key",
            format!("{{\"{}\": 1}}", "Statemen".repeat(SIZE / 8)),
        ),
        (
            "statements without anything",
            format!("{{\"Statement\": [{}{{}}]}}", "{},".repeat(SIZE / 3)),
        ),
        (
            "statements on lines of their own",
            format!("{{\"Statement\": [{}{{}}]}}", "{},\n".repeat(SIZE / 4)),
        ),
        (
            "the same key again",
            format!("{{{}\"Id\": \"x\"}}", "\"Id\": \"x\",".repeat(SIZE / 10)),
        ),
        (
            "operators without end",
            format!(
                "{{\"Statement\": {{\"Effect\": \"Allow\", \"Action\": \"*\", \"Resource\": \"*\", \"Condition\": {{{}\"x\": 1}}}}}}",
                joined(5_000, |place| format!("\"StringLik{place}\": 1,"))
            ),
        ),
    ];
    for (what, text) in texts {
        for kind in [
            PolicyKind::Identity,
            PolicyKind::Trust,
            PolicyKind::Resource,
        ] {
            let read = timed(&format!("{what}: read as {}", kind.name()), || {
                Document::parse(&text, kind)
            });
            assert!(read.is_err(), "{what}");
        }
    }
}

//! No input of 100 KB takes long: documents made to be slow to read and to compare are answered or unknown in time.

use std::time::{Duration, Instant};

use provision::policy::{
    Answer, Document, Grants, PolicyKind, Query, Request, evaluate, find, readings, relate,
    relate_grants,
};
use serde_json::{Map, Value, json};

use crate::gate_managed::thread_time;

/// What the promise is: one question within two seconds. Without optimisation everything takes several times as long.
const LIMIT: Duration = if cfg!(debug_assertions) {
    Duration::from_secs(20)
} else {
    Duration::from_secs(2)
};

/// The size of the inputs that the promise is about.
const SIZE: usize = 100_000;

/// The time that this thread takes for something, where the system tells it; else the clock's.
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (begin, own) = (Instant::now(), thread_time());
    let out = work();
    let own = own.and_then(|own| thread_time()?.checked_sub(own));
    let took = own.unwrap_or_else(|| begin.elapsed());
    println!("limits: {what}: {took:.1?}");
    assert!(took <= LIMIT, "{what}: {took:?}");
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

fn read(statements: &Value, what: &str) -> Document {
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    assert!(text.len() <= SIZE, "{what}: {} letters", text.len());
    timed(&format!("{what}: read"), || {
        Document::read(&text, PolicyKind::Identity)
    })
    .unwrap_or_else(|errors| panic!("{what}: {errors:?}"))
}

fn judge(cases: Vec<Case>) {
    for (what, a, b) in cases {
        let (a, b) = (read(&a, what), read(&b, what));
        let comparison = timed(&format!("{what}: relate"), || relate(&a, &b));
        println!("limits: {what}: {:?}", comparison.relation);
        timed(&format!("{what}: note"), || {
            readings::note_of_comparison(&a, &b, &comparison)
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
        let query = Query {
            actions: vec!["s3:*".to_owned()],
            resources: vec!["arn:aws:s3:::*a*b*c*".to_owned()],
            ..Query::default()
        };
        let found = timed(&format!("{what}: find"), || {
            find(&Grants::of(&a), PolicyKind::Identity, &query)
        });
        if let Answer::Some(witnesses) = found {
            for witness in witnesses.iter().take(3) {
                let request: &Request = &witness.request;
                assert!(timed(&format!("{what}: evaluate"), || evaluate(&a, request)).is_allowed());
            }
        }
    }
}

#[test]
fn wildcards_are_decided_or_unknown_in_time() {
    judge(wildcards());
}

#[test]
fn lists_are_decided_or_unknown_in_time() {
    judge(lists());
}

#[test]
fn denies_are_decided_or_unknown_in_time() {
    judge(denies());
}

#[test]
fn conditions_are_decided_or_unknown_in_time() {
    judge(conditions());
}

#[test]
fn variables_are_decided_or_unknown_in_time() {
    judge(variables());
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

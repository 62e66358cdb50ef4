//! Random policies and requests from small alphabets, so that they often meet; a seed gives the same ones for ever.

use serde_json::{Map, Value, json};

/// A small generator (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).expect("small")).expect("small")
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    fn some<'a>(&mut self, list: &[&'a str], most: usize) -> Vec<&'a str> {
        let count = 1 + self.below(most);
        (0..count).map(|_| *self.pick(list)).collect()
    }
}

/// What a generator may use, so that a comparison stays within what two evaluators both define.
#[derive(Clone, Copy)]
pub(crate) struct Grammar {
    pub(crate) principals: bool,
    pub(crate) variables: bool,
}

const ACTIONS: &[&str] = &[
    "s3:GetObject",
    "S3:getobject",
    "s3:PutObject",
    "s3:Get*",
    "s3:*",
    "sqs:SendMessage",
    "sqs:*",
    "*",
    "s3:?etObject",
    "s3:*Object",
];
const REQUEST_ACTIONS: &[&str] = &[
    "s3:GetObject",
    "s3:PutObject",
    "sqs:SendMessage",
    "s3:getobject",
];
const RESOURCES: &[&str] = &[
    "*",
    "arn:aws:s3:::a",
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::*/x",
    "arn:aws:s3:::a/?",
    "arn:aws:s3:::*",
    "arn:aws:s3:::a/x:y",
    "arn:aws:sqs:*:111111111111:q*",
    "arn:aws:sqs:us-east-1:*:q",
    "arn:*:sqs:us-*-1:111111111111:q",
];
const VARIABLE_RESOURCES: &[&str] = &[
    "arn:aws:s3:::a/${aws:username}",
    "arn:aws:s3:::a/${aws:username}/*",
    "arn:aws:s3:::${aws:username, 'a'}/x",
];
// The other evaluator reads a `*` in a request's resource as a wildcard, so none holds one.
const REQUEST_RESOURCES: &[&str] = &[
    "arn:aws:s3:::a",
    "arn:aws:s3:::a/x",
    "arn:aws:s3:::a/x/y",
    "arn:aws:s3:::b/x",
    "arn:aws:s3:::a/x:y",
    "arn:aws:sqs:us-east-1:111111111111:q",
    "arn:aws:sqs:eu-west-1:111111111111:q2",
    "arn:aws:sqs:us-west-1:222222222222:q",
];

/// Operators by the key that they are used on, with values; keys of one value, then `aws:TagKeys` with many.
const CONDITIONS: &[(&str, &[&str], &[&str])] = &[
    (
        "s3:prefix",
        &[
            "StringEquals",
            "StringNotEquals",
            "StringLike",
            "StringNotLike",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
        ],
        &["x", "X", "x*", "?", "*", "a/x", ""],
    ),
    (
        "aws:username",
        &[
            "StringEquals",
            "StringLike",
            "StringNotEquals",
            "StringNotLike",
        ],
        &["x", "y", "x*"],
    ),
    (
        "aws:SourceArn",
        &["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"],
        &[
            "arn:aws:sns:us-east-1:111111111111:t",
            "arn:aws:sns:*:111111111111:*",
            "arn:aws:s3:::a",
            "arn:*:*:*:*:*",
        ],
    ),
    ("aws:SecureTransport", &["Bool"], &["true", "false", "True"]),
    (
        "s3:max-keys",
        &[
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThan",
            "NumericGreaterThanEquals",
        ],
        &["1", "10", "10.5", "-3"],
    ),
    (
        "aws:CurrentTime",
        &[
            "DateEquals",
            "DateNotEquals",
            "DateLessThan",
            "DateLessThanEquals",
            "DateGreaterThan",
            "DateGreaterThanEquals",
        ],
        &["2026-01-01T00:00:00Z", "2026-01-01T12:30:00Z", "2026-06-01"],
    ),
    (
        "aws:SourceIp",
        &["IpAddress", "NotIpAddress"],
        &["10.0.0.0/8", "10.1.0.0/16", "192.0.2.4/32", "2001:db8::/32"],
    ),
    ("x:blob", &["BinaryEquals"], &["QUJD", "QUJE"]),
];
const TAG_OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "StringNotLike",
    "StringEqualsIgnoreCase",
];
const TAGS: &[&str] = &["x", "y", "z", "x*", "X"];

const PRINCIPALS: &[(&str, &str)] = &[
    ("AWS", "*"),
    ("AWS", "111111111111"),
    ("AWS", "arn:aws:iam::111111111111:root"),
    ("AWS", "arn:aws:iam::111111111111:role/R"),
    ("AWS", "arn:aws:iam::111111111111:user/u"),
    ("AWS", "arn:aws:sts::111111111111:assumed-role/R/s"),
    ("AWS", "arn:aws:iam::222222222222:role/path/P"),
    ("Service", "ec2.amazonaws.com"),
    ("Service", "ecs-tasks.amazonaws.com"),
];
const REQUEST_PRINCIPALS: &[&str] = &[
    "arn:aws:iam::111111111111:role/R",
    "arn:aws:iam::111111111111:user/u",
    "arn:aws:sts::111111111111:assumed-role/R/s",
    "arn:aws:sts::222222222222:assumed-role/P/s",
    "arn:aws:iam::222222222222:role/path/P",
    "ec2.amazonaws.com",
    "*",
];

fn one_or_list(random: &mut Random, list: Vec<&str>) -> Value {
    match list.as_slice() {
        [one] if random.chance(60) => json!(one),
        _ => json!(list),
    }
}

/// A policy of up to four statements.
pub(crate) fn policy(random: &mut Random, grammar: Grammar) -> Value {
    let count = 1 + random.below(4);
    let statements: Vec<Value> = (0..count)
        .map(|place| statement(random, grammar, place))
        .collect();
    let version = if grammar.variables || random.chance(70) {
        "2012-10-17"
    } else {
        "2008-10-17"
    };
    json!({"Version": version, "Statement": statements})
}

fn statement(random: &mut Random, grammar: Grammar, place: usize) -> Value {
    let mut out = Map::new();
    if random.chance(30) {
        out.insert("Sid".to_owned(), json!(format!("S{place}")));
    }
    let effect = if place > 0 && random.chance(35) {
        "Deny"
    } else {
        "Allow"
    };
    out.insert("Effect".to_owned(), json!(effect));
    let action = if random.chance(15) {
        "NotAction"
    } else {
        "Action"
    };
    let actions = random.some(ACTIONS, 3);
    out.insert(action.to_owned(), one_or_list(random, actions));
    let resource = if random.chance(15) {
        "NotResource"
    } else {
        "Resource"
    };
    let mut resources = random.some(RESOURCES, 3);
    // A variable without a value matches no resource, under NotResource too; the other evaluator decides that otherwise.
    if grammar.variables && resource == "Resource" && random.chance(40) {
        let more: &&str = random.pick(VARIABLE_RESOURCES);
        resources.push(more);
    }
    out.insert(resource.to_owned(), one_or_list(random, resources));
    if grammar.principals {
        let key = if random.chance(15) {
            "NotPrincipal"
        } else {
            "Principal"
        };
        out.insert(key.to_owned(), principal(random));
    }
    if random.chance(60) {
        out.insert("Condition".to_owned(), conditions(random, grammar));
    }
    Value::Object(out)
}

fn principal(random: &mut Random) -> Value {
    if random.chance(15) {
        return json!("*");
    }
    let mut out: Map<String, Value> = Map::new();
    for _ in 0..=random.below(2) {
        let (kind, value) = random.pick(PRINCIPALS);
        match out.get_mut(*kind) {
            Some(Value::Array(list)) => list.push(json!(value)),
            _ => {
                out.insert((*kind).to_owned(), json!([value]));
            }
        }
    }
    Value::Object(out)
}

fn conditions(random: &mut Random, grammar: Grammar) -> Value {
    let mut out: Map<String, Value> = Map::new();
    for _ in 0..=random.below(2) {
        let (operator, key, values) = condition(random, grammar);
        let entry = out.entry(operator).or_insert_with(|| json!({}));
        entry[key] = values;
    }
    Value::Object(out)
}

fn condition(random: &mut Random, grammar: Grammar) -> (String, String, Value) {
    if random.chance(15) {
        let key = random.pick(CONDITIONS).0;
        let value = if random.chance(50) { "true" } else { "false" };
        return ("Null".to_owned(), key.to_owned(), json!(value));
    }
    if random.chance(25) {
        let quantifier = if random.chance(50) {
            "ForAllValues"
        } else {
            "ForAnyValue"
        };
        let operator = random.pick(TAG_OPERATORS);
        let values = random.some(TAGS, 2);
        return (
            format!("{quantifier}:{operator}"),
            "aws:TagKeys".to_owned(),
            one_or_list(random, values),
        );
    }
    let (key, operators, values) = random.pick(CONDITIONS);
    let operator = random.pick(operators);
    let mut list = random.some(values, 2);
    let plain = !operator.contains("Not") && operator.starts_with("String");
    if grammar.variables && plain && random.chance(25) {
        list.push("${aws:username}");
    }
    let suffix = if random.chance(20) { "IfExists" } else { "" };
    let key = if random.chance(20) {
        key.to_uppercase()
    } else {
        (*key).to_owned()
    };
    (
        format!("{operator}{suffix}"),
        key,
        one_or_list(random, list),
    )
}

/// A request from the same alphabets.
pub(crate) fn request(random: &mut Random, grammar: Grammar) -> Value {
    let mut context = Map::new();
    for (key, _, values) in CONDITIONS {
        if random.chance(55) {
            let value = match *key {
                "s3:prefix" => random.pick(&["x", "X", "xy", "a/x", "b", "*"]),
                "aws:username" => random.pick(&["x", "y", "xy"]),
                "aws:SourceArn" => random.pick(&[
                    "arn:aws:sns:us-east-1:111111111111:t",
                    "arn:aws:sns:eu-west-1:111111111111:u:v",
                    "arn:aws:s3:::a",
                    "none",
                ]),
                "s3:max-keys" => random.pick(&["1", "5", "10", "10.5", "11", "-4"]),
                "aws:CurrentTime" => random.pick(&[
                    "2026-01-01T00:00:00Z",
                    "2026-01-01T06:00:00Z",
                    "2026-05-05T05:05:05Z",
                    "2027-01-01T00:00:00Z",
                ]),
                "aws:SourceIp" => random.pick(&[
                    "10.1.2.3",
                    "10.2.0.1",
                    "192.0.2.4",
                    "203.0.113.9",
                    "2001:db8::1",
                    "2001:db9::1",
                ]),
                "aws:SecureTransport" => random.pick(&["true", "false"]),
                _ => random.pick(values),
            };
            context.insert((*key).to_owned(), json!([value]));
        }
    }
    if random.chance(55) {
        let tags = random.some(&["x", "y", "xy", "X"], 3);
        context.insert("aws:TagKeys".to_owned(), json!(tags));
    }
    let principal = if grammar.principals {
        random.pick(REQUEST_PRINCIPALS)
    } else {
        &"arn:aws:iam::111111111111:role/R"
    };
    json!({
        "principal": principal,
        "action": random.pick(REQUEST_ACTIONS),
        "resource": random.pick(REQUEST_RESOURCES),
        "context": context,
    })
}

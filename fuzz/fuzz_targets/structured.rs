//! Two documents made of the bytes, so that every input is a pair of them: most of what the engine decides is reached.
#![no_main]
#![allow(
    dead_code,
    unused_imports,
    reason = "the library's module stands here as a part of a program"
)]

#[path = "../../src/policy/mod.rs"]
mod policy;

use libfuzzer_sys::fuzz_target;
use policy::{Document, PolicyKind};
use serde_json::{Map, Value, json};

mod mirror;

const ACTIONS: &[&str] = &[
    "s3:GetObject",
    "s3:Get*",
    "s3:*",
    "*",
    "sqs:?end*",
    "sts:AssumeRole",
];
const RESOURCES: &[&str] = &[
    "*",
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::*/b?",
    "arn:aws:*:*:1*:x:*",
    "arn:aws:s3:::${aws:username}/*",
    "arn:aws:s3:::${aws:username, 'a'}*",
];
const OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotLike",
    "StringLikeIfExists",
    "ForAllValues:StringLike",
    "ForAnyValue:StringNotEquals",
    "ArnLike",
    "NumericLessThan",
    "DateGreaterThanEquals",
    "NotIpAddress",
    "Bool",
    "Null",
    "StringEqualsIgnoreCase",
];
const KEYS: &[&str] = &[
    "aws:username",
    "aws:SourceArn",
    "k",
    "token.actions.githubusercontent.com:sub",
];
const VALUES: &[&str] = &[
    "a",
    "A*",
    "*b",
    "10",
    "2026-01-01",
    "10.0.0.0/8",
    "true",
    "${aws:username}",
    "repo:o/n:*",
    "arn:aws:s3:::a*",
];
const PRINCIPALS: &[&str] = &[
    "*",
    "111111111111",
    "arn:aws:iam::111111111111:role/R",
    "arn:aws:sts::111111111111:assumed-role/R/s",
];

/// Choices, a byte each; without bytes always the first.
struct Bytes<'a>(std::slice::Iter<'a, u8>);

impl Bytes<'_> {
    fn below(&mut self, limit: usize) -> usize {
        usize::from(*self.0.next().unwrap_or(&0)) % limit
    }

    fn pick(&mut self, list: &[&'static str]) -> &'static str {
        list[self.below(list.len())]
    }

    fn some(&mut self, list: &[&'static str]) -> Value {
        let count = 1 + self.below(3);
        json!((0..count).map(|_| self.pick(list)).collect::<Vec<_>>())
    }

    fn document(&mut self, kind: PolicyKind) -> Option<Document> {
        let statements: Vec<Value> = (0..1 + self.below(4))
            .map(|_| self.statement(kind))
            .collect();
        let version = ["2012-10-17", "2008-10-17"][usize::from(self.below(5) == 4)];
        let text = json!({"Version": version, "Statement": statements}).to_string();
        Document::read(&text, kind).ok()
    }

    fn statement(&mut self, kind: PolicyKind) -> Value {
        let mut out = Map::new();
        out.insert("Effect".to_owned(), json!(["Allow", "Deny"][self.below(2)]));
        let action = ["Action", "NotAction"][usize::from(self.below(4) == 3)];
        out.insert(action.to_owned(), self.some(ACTIONS));
        if kind != PolicyKind::Trust {
            let resource = ["Resource", "NotResource"][usize::from(self.below(4) == 3)];
            out.insert(resource.to_owned(), self.some(RESOURCES));
        }
        if kind != PolicyKind::Identity {
            let principal = ["Principal", "NotPrincipal"][usize::from(self.below(4) == 3)];
            out.insert(principal.to_owned(), json!({"AWS": self.some(PRINCIPALS)}));
        }
        let mut conditions = Map::new();
        for _ in 0..self.below(3) {
            let keys = json!({self.pick(KEYS): self.some(VALUES)});
            conditions.insert(self.pick(OPERATORS).to_owned(), keys);
        }
        if !conditions.is_empty() {
            out.insert("Condition".to_owned(), Value::Object(conditions));
        }
        Value::Object(out)
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = Bytes(bytes.iter());
    let kind = [
        PolicyKind::Identity,
        PolicyKind::Trust,
        PolicyKind::Resource,
    ][bytes.below(3)];
    if let (Some(a), Some(b)) = (bytes.document(kind), bytes.document(kind)) {
        mirror::check(&a, &b);
    }
});

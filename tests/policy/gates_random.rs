//! Gates 8 and 9: laws of the relation, and random cases against an evaluator that is not ours.

use provision::policy::{Document, PolicyKind, Relation, Request, evaluate, relate};
use serde_json::{Value, json};

use crate::corpora::document;
use crate::random::{Grammar, Random, policy, request};
use crate::simulator;

/// How many cases: the small count, the large one where `POLICY_FULL` is set, or a few where `POLICY_FEW` is: there
/// the test is run for every mutant of the policy engine.
fn count(small: usize, large: usize) -> usize {
    if std::env::var_os("POLICY_FULL").is_some() {
        large
    } else if std::env::var_os("POLICY_FEW").is_some() {
        small / 40
    } else {
        small
    }
}

fn kind_name(kind: PolicyKind) -> &'static str {
    match kind {
        PolicyKind::Identity => "identity",
        PolicyKind::Trust => "trust",
        PolicyKind::Resource => "resource",
    }
}

fn grammars() -> [(PolicyKind, Grammar); 3] {
    [
        (
            PolicyKind::Identity,
            Grammar {
                principals: false,
                variables: false,
            },
        ),
        (
            PolicyKind::Identity,
            Grammar {
                principals: false,
                variables: true,
            },
        ),
        (
            PolicyKind::Resource,
            Grammar {
                principals: true,
                variables: false,
            },
        ),
    ]
}

fn read_request(value: &Value) -> Request {
    serde_json::from_value(value.clone()).expect("a request")
}

#[test]
fn gate_9_random_requests_against_another_evaluator() {
    let mut random = Random(9);
    let total = count(50_000, 1_000_000);
    let (mut lines, mut ours) = (Vec::new(), Vec::new());
    while lines.len() < total {
        let (kind, grammar) = *random.pick(&grammars());
        let policy = policy(&mut random, grammar);
        let document = document(&policy, kind);
        for _ in 0..5 {
            let request = request(&mut random, grammar);
            ours.push(evaluate(&document, &read_request(&request)).is_allowed());
            lines.push(
                json!({"kind": kind_name(kind), "policy": policy, "request": request}).to_string(),
            );
        }
    }
    let Some(theirs) = simulator::ask(lines.clone()) else {
        return;
    };
    assert_eq!(theirs.len(), ours.len());
    let allowed = ours.iter().filter(|allowed| **allowed).count();
    let mut differ = 0;
    for ((ours, theirs), line) in ours.iter().zip(&theirs).zip(&lines) {
        if ours.to_string() != *theirs {
            differ += 1;
            if differ <= 5 {
                println!("  {ours} here, {theirs} there: {line}");
            }
        }
    }
    println!(
        "gate 9: {} requests, {allowed} allowed, {differ} decided otherwise",
        ours.len()
    );
    assert_eq!(differ, 0);
}

#[test]
fn gate_9_random_pairs_miss_nothing() {
    let mut random = Random(99);
    let total = count(2_000, 20_000);
    let mut lines = Vec::new();
    let mut relations = std::collections::BTreeMap::new();
    let mut missed = 0;
    for _ in 0..total {
        let (kind, grammar) = *random.pick(&grammars());
        let (first, second) = (policy(&mut random, grammar), policy(&mut random, grammar));
        let (a, b) = (document(&first, kind), document(&second, kind));
        let comparison = relate(&a, &b);
        *relations.entry(comparison.relation).or_insert(0_usize) += 1;
        let widens = matches!(
            comparison.relation,
            Relation::Wider | Relation::Incomparable
        );
        let narrows = matches!(
            comparison.relation,
            Relation::Narrower | Relation::Incomparable
        );
        for _ in 0..40 {
            let sample = read_request(&request(&mut random, grammar));
            // The relation is over requests whose keys have values of their type: a SourceArn is an ARN.
            if sample
                .context
                .iter()
                .flat_map(|(_, values)| values)
                .any(|value| value == "none")
            {
                continue;
            }
            let (in_a, in_b) = (
                evaluate(&a, &sample).is_allowed(),
                evaluate(&b, &sample).is_allowed(),
            );
            let known = comparison.relation == Relation::Unknown
                || in_a == in_b
                || (in_b && widens)
                || (in_a && narrows);
            if !known {
                missed += 1;
                println!(
                    "  {:?} but {in_a}/{in_b}: {first} {second} {sample:?}",
                    comparison.relation
                );
            }
        }
        for (list, yes, no) in [
            (&comparison.gained, &second, &first),
            (&comparison.lost, &first, &second),
        ] {
            for witness in list {
                // There a `*` within a request's resource is a wildcard, and `*` alone is any resource.
                if witness.request.resource.contains('*') {
                    continue;
                }
                for (policy, wanted) in [(yes, true), (no, false)] {
                    let line = json!({"kind": kind_name(kind), "policy": policy, "request": witness.request});
                    lines.push((line.to_string(), wanted));
                }
            }
        }
    }
    println!(
        "gate 9: {total} pairs: {relations:?}; {missed} sampled requests contradict the relation"
    );
    assert_eq!(missed, 0);
    confirm("gate 9", lines);
}

/// Gate 5's question: does the other evaluator confirm our witnesses?
pub(crate) fn confirm(gate: &str, lines: Vec<(String, bool)>) {
    let Some(theirs) = simulator::ask(lines.iter().map(|(line, _)| line.clone()).collect()) else {
        return;
    };
    let mut refuted = 0;
    for ((line, wanted), answer) in lines.iter().zip(&theirs) {
        if wanted.to_string() != *answer {
            refuted += 1;
            if refuted <= 5 {
                let case: Value = serde_json::from_str(line).expect("JSON");
                println!(
                    "  {wanted} here, {answer} there: {} by {}",
                    case["request"], case["policy"]
                );
            }
        }
    }
    println!(
        "{gate}: {} answers about witnesses, {refuted} refuted",
        lines.len()
    );
    assert_eq!(refuted, 0);
}

fn with_statement(policy: &Value, statement: &Value) -> Value {
    let mut out = policy.clone();
    out["Statement"]
        .as_array_mut()
        .expect("a list")
        .push(statement.clone());
    out
}

#[test]
fn gate_8_laws_of_the_relation() {
    let mut random = Random(8);
    let total = count(1_000, 10_000);
    let mut undecided = 0;
    for _ in 0..total {
        let (kind, grammar) = *random.pick(&grammars());
        let value = policy(&mut random, grammar);
        let other = policy(&mut random, grammar);
        let a = document(&value, kind);
        let b = document(&other, kind);
        assert_eq!(relate(&a, &a.clone()).relation, Relation::Equal);
        let (there, back) = (relate(&a, &b).relation, relate(&b, &a).relation);
        let mirrored = match there {
            Relation::Wider => Relation::Narrower,
            Relation::Narrower => Relation::Wider,
            same => same,
        };
        assert_eq!(mirrored, back, "{value} {other}");
        assert_eq!(
            relate(&a, &respelt(&value, kind)).relation,
            Relation::Equal,
            "{value}"
        );
        let added = &other["Statement"][0];
        let wider = document(&with_statement(&value, added), kind);
        let relation = relate(&a, &wider).relation;
        let allows = added["Effect"] == "Allow";
        // A variable whose value would decide may be left open; a guess may not be made.
        undecided += usize::from(relation == Relation::Unknown);
        let lawful = if relation == Relation::Unknown && grammar.variables {
            [Relation::Unknown; 2]
        } else if allows {
            [Relation::Equal, Relation::Wider]
        } else {
            [Relation::Equal, Relation::Narrower]
        };
        assert!(
            lawful.contains(&relation),
            "{relation:?}: {value} + {added}"
        );
    }
    println!("gate 8: {total} policies, every law holds; {undecided} left undecided");
    assert!(undecided * 100 <= total, "{undecided} undecided");
}

/// The same policy spelt otherwise: statements backwards, lists for scalars, values twice, no Sids.
fn respelt(policy: &Value, kind: PolicyKind) -> Document {
    let mut out = policy.clone();
    let statements = out["Statement"].as_array_mut().expect("a list");
    statements.reverse();
    for statement in statements.iter_mut() {
        let object = statement.as_object_mut().expect("an object");
        object.remove("Sid");
        for key in ["Action", "NotAction", "Resource", "NotResource"] {
            if let Some(value) = object.get_mut(key) {
                let mut list = value
                    .as_array()
                    .cloned()
                    .unwrap_or_else(|| vec![value.clone()]);
                list.reverse();
                list.extend(list.first().cloned());
                *value = Value::Array(list);
            }
        }
    }
    document(&out, kind)
}

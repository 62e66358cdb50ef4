//! Gates 1 to 4: cases with the verdicts of others.

use provision::policy::{Answer, Document, Grants, PolicyKind, Relation, outside, relate};
use serde_json::Value;

use crate::corpora::{self, document, kind_of, list};

fn report(gate: &str, passed: usize, failures: &[String]) {
    println!(
        "{gate}: {passed} of {} as labelled",
        passed + failures.len()
    );
    for failure in failures {
        println!("  {failure}");
    }
    assert!(
        failures.is_empty(),
        "{gate}: {} cases differ",
        failures.len()
    );
    assert!(passed > 0, "{gate}: no case was run");
}

#[test]
fn gate_1_access_analyzer_check_no_new_access() {
    let Some(corpus) = corpora::read("access_analyzer_check_no_new_access.json") else {
        return;
    };
    let (mut passed, mut failures) = (0, Vec::new());
    for case in list(&corpus, "cases") {
        if case
            .get("suspect")
            .is_some_and(|value| value != &Value::Bool(false))
        {
            continue;
        }
        let mut kind = kind_of(&case["existing"]);
        if case["policy_type"] == "IDENTITY_POLICY" {
            kind = PolicyKind::Identity;
        } else if kind == PolicyKind::Identity {
            kind = PolicyKind::Resource;
        }
        let existing = document(&case["existing"], kind);
        let new = document(&case["new"], kind);
        let verdict = match outside(&[&Grants::of(&new)], &[&Grants::of(&existing)]) {
            Answer::None => "PASS".to_owned(),
            Answer::Some(_) => "FAIL".to_owned(),
            Answer::Unknown(reason) => reason,
        };
        if case["result"] == verdict.as_str() {
            passed += 1;
        } else {
            failures.push(format!(
                "{}: {} here, {} there",
                case["name"], verdict, case["result"]
            ));
        }
    }
    report("gate 1", passed, &failures);
}

#[test]
fn gate_2_quacky_mutants() {
    let Some(corpus) = corpora::read("quacky_mutants.json") else {
        return;
    };
    let (mut passed, mut failures) = (0, Vec::new());
    for case in list(&corpus, "cases") {
        if case["untyped_model_agrees"] == Value::Bool(false) {
            continue;
        }
        let dated = |policy: &Value| {
            let mut policy = policy.clone();
            policy["Version"] = Value::from("2012-10-17");
            policy
        };
        let kind = kind_of(&case["a"]);
        let relation = relate(
            &document(&dated(&case["a"]), kind),
            &document(&dated(&case["b"]), kind),
        )
        .relation;
        if case["relation"] == label(relation) {
            passed += 1;
        } else {
            failures.push(format!(
                "{}: {relation:?} here, {} there",
                case["name"], case["relation"]
            ));
        }
    }
    report("gate 2", passed, &failures);
}

fn label(relation: Relation) -> &'static str {
    match relation {
        Relation::Equal => "equal",
        Relation::Wider => "b_wider",
        Relation::Narrower => "b_narrower",
        Relation::Incomparable => "incomparable",
        Relation::Unknown => "unknown",
    }
}

#[test]
fn gate_3_policy_equivalence() {
    let Some(corpus) = corpora::read("awspolicyequivalence.json") else {
        return;
    };
    let (mut passed, mut failures) = (0, Vec::new());
    for case in list(&corpus, "cases") {
        let wanted = match (
            &case["valid_iam_policy"],
            &case["equivalent"],
            &case["semantic_relation"],
        ) {
            (Value::Bool(true), Value::Bool(true), _) => "equal",
            (Value::Bool(true), _, Value::String(relation)) => relation,
            _ => continue,
        };
        let kind = kind_of(&case["a_json"]);
        let parse = |key: &str| {
            Document::read(case[key].as_str().expect("a text"), kind).expect("a document")
        };
        let relation = relate(&parse("a"), &parse("b")).relation;
        if wanted == label(relation) {
            passed += 1;
        } else {
            failures.push(format!(
                "{}: {relation:?} here, {wanted} there",
                case["name"]
            ));
        }
    }
    report("gate 3", passed, &failures);
}

fn resource_policy(resource: &str) -> Document {
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}});
    document(&policy, PolicyKind::Identity)
}

fn meet(one: &str, other: &str) -> bool {
    let (one, other) = (resource_policy(one), resource_policy(other));
    match outside(&[&Grants::of(&one), &Grants::of(&other)], &[]) {
        Answer::None => false,
        Answer::Some(_) => true,
        Answer::Unknown(reason) => panic!("{reason}"),
    }
}

#[test]
fn gate_4_parliament_globs_and_arns() {
    let Some(corpus) = corpora::read("parliament_tests.json") else {
        return;
    };
    let (mut passed, mut failures) = (0, Vec::new());
    for case in list(&corpus, "glob_intersection") {
        // As the last field of an ARN, where a wildcard crosses everything.
        let texts =
            ["a", "b"].map(|key| format!("arn:aws:s3:::{}", case[key].as_str().expect("a text")));
        if Value::Bool(meet(&texts[0], &texts[1])) == case["intersects"] {
            passed += 1;
        } else {
            failures.push(format!("{case}"));
        }
    }
    for case in list(&corpus, "arn")
        .iter()
        .filter(|case| case["fn"] == "is_arn_match")
    {
        let text = |place: usize| case["args"][place].as_str().expect("a text");
        let plain = |text: &str| text.replace("${aws:PrincipalTag/Namespace}", "x");
        // In the form of a resource type's ARN a `*` stands for a region, an account or a name: never for nothing.
        let form = if text(1) == "*" {
            "*".to_owned()
        } else {
            text(1).replace('*', "?*")
        };
        if Value::Bool(meet(&form, &plain(text(2)))) == case["expected"] {
            passed += 1;
        } else {
            failures.push(format!("{case}"));
        }
    }
    // They ask whether an ARN has all that its service's form wants, which IAM itself does not mind and no rule judges.
    let strict = list(&corpus, "arn")
        .iter()
        .filter(|case| case["fn"] == "is_arn_strictly_valid");
    println!(
        "gate 4: {} cases of is_arn_strictly_valid not run: they are about that linter's own ARN forms, not about matching",
        strict.count()
    );
    report("gate 4", passed, &failures);
}

//! Many cases, a JSON line each: what `policy diff`, `policy eval` and `policy check` do with `--batch`.
//! A line in is a line out, with its id; a bad line gives an error of its own and nothing more.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::{Document, PolicyKind, SyntaxError};
use super::evaluate::{Decision, StatementRef, evaluate};
use super::lint::{self, Finding};
use super::readings;
use super::relate::{Comparison, relate};
use super::request::Request;
use super::together::{Policies, evaluate_together};

/// The answer to one line.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The line to print, without its line break.
    pub line: String,
    /// Whether a comparison broadens (unknown counts).
    pub broadens: bool,
    /// Whether the line held no case, or a document with errors.
    pub failed: bool,
}

/// What kind a document is for: as said, else by its elements.
#[must_use]
pub fn kind_of(text: &str) -> PolicyKind {
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return PolicyKind::Identity;
    };
    let statements: Vec<&Value> = match value.get("Statement") {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(other) => vec![other],
        None => Vec::new(),
    };
    let has = |keys: [&str; 2]| {
        statements
            .iter()
            .any(|one| keys.iter().any(|key| one.get(key).is_some()))
    };
    match (
        has(["Principal", "NotPrincipal"]),
        has(["Resource", "NotResource"]),
    ) {
        (false, _) => PolicyKind::Identity,
        (true, true) => PolicyKind::Resource,
        (true, false) => PolicyKind::Trust,
    }
}

#[derive(Deserialize)]
struct DiffCase {
    #[serde(default)]
    id: Value,
    kind: Option<PolicyKind>,
    a: Value,
    b: Value,
}

#[derive(Serialize)]
struct WithId<T: Serialize> {
    id: Value,
    #[serde(flatten)]
    answer: T,
}

#[derive(Serialize)]
struct Failure {
    error: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<SyntaxError>,
}

#[derive(Serialize)]
struct Evaluated {
    allowed: bool,
    statements: Vec<StatementRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// A comparison, with a note where the other reading of resource patterns gives another.
#[derive(Serialize)]
struct Compared {
    #[serde(flatten)]
    comparison: Comparison,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// Answers one line of `policy diff --batch`.
#[must_use]
pub fn diff(line: &str, kind: Option<PolicyKind>) -> Answer {
    answer(line, |case: DiffCase| {
        let DiffCase {
            id,
            kind: own,
            a,
            b,
        } = case;
        let (a, b) = (text_of(&a), text_of(&b));
        // Where no kind is said, one that either document asks for.
        let kind = own.or(kind).unwrap_or_else(|| kind_of(&a).max(kind_of(&b)));
        let read = |name: &str, text: &str| {
            Document::read(text, kind).map_err(|errors| wrong(&id, name, errors))
        };
        let (a, b) = (read("a", &a)?, read("b", &b)?);
        let comparison = relate(&a, &b);
        let broadens = comparison.broadens();
        let note = readings::note_of_comparison(&a, &b, &comparison);
        Ok((id, Compared { comparison, note }, broadens))
    })
}

#[derive(Deserialize)]
struct EvalCase {
    #[serde(default)]
    id: Value,
    kind: Option<PolicyKind>,
    policy: Option<Value>,
    #[serde(default)]
    policies: Vec<Value>,
    boundary: Option<Value>,
    resource_policy: Option<Value>,
    trust: Option<Value>,
    request: Value,
}

/// Answers one line of `policy eval --batch`: one `policy`, or several `policies` with a `boundary`, a
/// `resource_policy` or a `trust` policy, combined as IAM does.
#[must_use]
pub fn eval(line: &str, kind: Option<PolicyKind>) -> Answer {
    answer(line, |case: EvalCase| {
        let EvalCase {
            id,
            kind: own,
            policy,
            policies,
            boundary,
            resource_policy,
            trust,
            request,
        } = case;
        let request: Request = serde_json::from_value(request).map_err(|error| {
            (
                id.clone(),
                Failure {
                    error: format!("request: {error}"),
                    errors: Vec::new(),
                },
            )
        })?;
        let read = |name: &str, value: &Value, kind: Option<PolicyKind>| {
            let text = text_of(value);
            let kind = kind.unwrap_or_else(|| kind_of(&text));
            Document::read(&text, kind).map_err(|errors| wrong(&id, name, errors))
        };
        let alone = policies.is_empty()
            && boundary.is_none()
            && resource_policy.is_none()
            && trust.is_none();
        if let (Some(policy), true) = (&policy, alone) {
            let document = read("policy", policy, own.or(kind))?;
            let note = readings::note_of_request(&document, &request);
            let decision = evaluate(&document, &request);
            return Ok((id, evaluated(&decision, note), false));
        }
        let identity = Some(PolicyKind::Identity);
        let mut set = Policies::default();
        for policy in policy.iter().chain(&policies) {
            set.identity.push(read("policies", policy, identity)?);
        }
        let optional = |name: &str, value: &Option<Value>, kind: PolicyKind| {
            value
                .as_ref()
                .map(|value| read(name, value, Some(kind)))
                .transpose()
        };
        set.boundary = optional("boundary", &boundary, PolicyKind::Identity)?;
        set.resource = optional("resource_policy", &resource_policy, PolicyKind::Resource)?;
        set.trust = optional("trust", &trust, PolicyKind::Trust)?;
        let decision = evaluate_together(&set, &request);
        Ok((id, evaluated(&decision, None), false))
    })
}

fn evaluated(decision: &Decision, note: Option<String>) -> Evaluated {
    Evaluated {
        note,
        allowed: decision.is_allowed(),
        statements: decision.statements().to_vec(),
    }
}

#[derive(Deserialize)]
struct CheckCase {
    #[serde(default)]
    id: Value,
    kind: Option<PolicyKind>,
    policy: Value,
}

/// What a check found in one document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Whether IAM would accept the document: no errors and no finding of severity error.
    pub valid: bool,
    /// Grammar errors.
    pub errors: Vec<SyntaxError>,
    /// Limits and lint rules.
    pub findings: Vec<Finding>,
}

/// Checks one document: grammar, limits, rules.
#[must_use]
pub fn check_text(text: &str, kind: PolicyKind) -> Checked {
    match Document::parse(text, kind) {
        Err(errors) => Checked {
            valid: false,
            errors,
            findings: Vec::new(),
        },
        Ok(document) => {
            let findings = lint::findings(&document);
            let valid = findings
                .iter()
                .all(|finding| finding.severity != lint::Severity::Error);
            Checked {
                valid,
                errors: Vec::new(),
                findings,
            }
        }
    }
}

/// Answers one line of `policy check --batch`.
#[must_use]
pub fn check(line: &str, kind: Option<PolicyKind>) -> Answer {
    answer(line, |case: CheckCase| {
        let CheckCase {
            id,
            kind: own,
            policy,
        } = case;
        let text = text_of(&policy);
        let kind = own.or(kind).unwrap_or_else(|| kind_of(&text));
        Ok((id, check_text(&text, kind), false))
    })
}

/// A document given as JSON, or as a string that holds it.
fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn wrong(id: &Value, name: &str, errors: Vec<SyntaxError>) -> (Value, Failure) {
    let first = errors.first().map_or_else(String::new, ToString::to_string);
    (
        id.clone(),
        Failure {
            error: format!("{name}: {first}"),
            errors,
        },
    )
}

fn answer<C, T>(
    line: &str,
    work: impl FnOnce(C) -> Result<(Value, T, bool), (Value, Failure)>,
) -> Answer
where
    C: for<'de> Deserialize<'de>,
    T: Serialize,
{
    let case: Result<C, _> = serde_json::from_str(line);
    let outcome = match case {
        Ok(case) => work(case),
        Err(error) => {
            let id = serde_json::from_str::<Value>(line)
                .ok()
                .and_then(|value| value.get("id").cloned());
            Err((
                id.unwrap_or_default(),
                Failure {
                    error: format!("not a case: {error}"),
                    errors: Vec::new(),
                },
            ))
        }
    };
    match outcome {
        Ok((id, answer, broadens)) => Answer {
            line: to_line(&WithId { id, answer }),
            broadens,
            failed: false,
        },
        Err((id, failure)) => Answer {
            line: to_line(&WithId {
                id,
                answer: failure,
            }),
            broadens: true,
            failed: true,
        },
    }
}

fn to_line<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
}

/// As [`Comparison`], for one document against another, in JSON, with the note on the two readings.
#[must_use]
pub fn comparison_json(a: &Document, b: &Document, comparison: &Comparison) -> String {
    let compared = Compared {
        comparison: comparison.clone(),
        note: readings::note_of_comparison(a, b, comparison),
    };
    serde_json::to_string_pretty(&compared).unwrap_or_default()
}

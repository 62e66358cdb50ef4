//! Many cases, a JSON line each: what `policy diff`, `policy eval` and `policy check` do with `--batch`.
//! A line in is a line out, with its id; a bad line gives an error of its own and nothing more.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::{Document, SyntaxError};
use super::evaluate::{Decision, StatementRef, evaluate};
use super::kind::PolicyKind;
use super::lint::{self, Finding};
use super::readings;
use super::relate::{Comparison, relate};
use super::request::Request;
use super::shape::Misshapen;
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

/// One line of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Its text, without its line break.
    pub text: &'a str,
    /// 1-based.
    pub number: usize,
    /// What documents are for whose case does not say; else what their elements say.
    pub kind: Option<PolicyKind>,
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

/// Why a line has no answer.
#[derive(Serialize)]
struct Failure {
    /// The number of the line.
    line: usize,
    error: String,
    /// The errors of a document, with their places in it.
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
pub fn diff(line: Line<'_>) -> Answer {
    answer(line, |case: DiffCase| {
        let DiffCase {
            id,
            kind: own,
            a,
            b,
        } = case;
        let (a, b) = (text_of(&a), text_of(&b));
        let kind = match own.or(line.kind) {
            Some(kind) => kind,
            None => PolicyKind::of_both(&a, &b)
                .map_err(|why| line.failure(&id, format!("{why} Say which with `kind`.")))?,
        };
        let read = |name: &str, text: &str| {
            Document::read(text, kind).map_err(|errors| line.wrong(&id, name, errors))
        };
        let (a, b) = (read("a", &a)?, read("b", &b)?);
        let comparison = relate(&a, &b);
        let broadens = comparison.broadens();
        let note = readings::note_of_comparison(&a, &b, &comparison);
        let outcome = Outcome {
            answer: Compared { comparison, note },
            broadens,
            failed: false,
        };
        Ok((id, outcome))
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
pub fn eval(line: Line<'_>) -> Answer {
    answer(line, |case: EvalCase| {
        let (id, request) = (&case.id, &case.request);
        let request: Request = serde_json::from_value(request.clone())
            .map_err(|error| line.failure(id, format!("request: {error}")))?;
        request.check().map_err(|Misshapen { message, hint }| {
            line.failure(id, format!("request: {message} {hint}"))
        })?;
        let evaluated = case.decide(&line, &request)?;
        Ok((case.id, Outcome::of(evaluated)))
    })
}

impl EvalCase {
    fn decide(&self, line: &Line<'_>, request: &Request) -> Result<Evaluated, Failed> {
        let Self {
            id,
            kind: own,
            policy,
            policies,
            boundary,
            resource_policy,
            trust,
            request: _,
        } = self;
        let read = |name: &str, value: &Value, kind: PolicyKind| {
            Document::read(&text_of(value), kind).map_err(|errors| line.wrong(id, name, errors))
        };
        let together = boundary.is_some() || resource_policy.is_some() || trust.is_some();
        match (policy, policies.as_slice()) {
            (Some(policy), []) if !together => {
                let kind = own
                    .or(line.kind)
                    .or_else(|| PolicyKind::of(&text_of(policy)));
                let document = read("policy", policy, kind.unwrap_or(PolicyKind::Identity))?;
                let note = readings::note_of_request(&document, request);
                return Ok(evaluated(&evaluate(&document, request), note));
            }
            (None, []) if !together => {
                return Err(line.failure(id, "The case has no `policy`.".to_owned()));
            }
            _ => {}
        }
        let mut set = Policies::default();
        for policy in policy.iter().chain(policies) {
            set.identity
                .push(read("policies", policy, PolicyKind::Identity)?);
        }
        let optional = |name: &str, value: &Option<Value>, kind: PolicyKind| {
            let value = value.as_ref();
            value.map(|value| read(name, value, kind)).transpose()
        };
        set.boundary = optional("boundary", boundary, PolicyKind::Identity)?;
        set.resource = optional("resource_policy", resource_policy, PolicyKind::Resource)?;
        set.trust = optional("trust", trust, PolicyKind::Trust)?;
        Ok(evaluated(&evaluate_together(&set, request), None))
    }
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
    /// Limits and rules.
    pub findings: Vec<Finding>,
    /// How the document was read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What a document is judged by beyond its grammar: the rules of the language, or more than these.
pub type Rules<'a> = &'a dyn Fn(&Document) -> Vec<Finding>;

/// Checks one document: grammar, limits, rules.
#[must_use]
pub fn check_text(text: &str, kind: PolicyKind, rules: Rules<'_>) -> Checked {
    match Document::parse(text, kind) {
        Err(errors) => Checked {
            valid: false,
            errors,
            findings: Vec::new(),
            notes: Vec::new(),
        },
        Ok(document) => {
            let findings = rules(&document);
            let valid = findings
                .iter()
                .all(|finding| finding.severity != lint::Severity::Error);
            Checked {
                valid,
                errors: Vec::new(),
                findings,
                notes: Vec::new(),
            }
        }
    }
}

/// Answers one line of `policy check --batch`.
#[must_use]
pub fn check(line: Line<'_>, rules: Rules<'_>) -> Answer {
    answer(line, |case: CheckCase| {
        let CheckCase {
            id,
            kind: own,
            policy,
        } = case;
        let text = text_of(&policy);
        let kind = own.or(line.kind).or_else(|| PolicyKind::of(&text));
        let checked = check_text(&text, kind.unwrap_or(PolicyKind::Identity), rules);
        let outcome = Outcome {
            broadens: false,
            failed: !checked.valid,
            answer: checked,
        };
        Ok((id, outcome))
    })
}

/// A document given as JSON, or as a string that holds it.
fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// What a line says, beside its id.
struct Outcome<T> {
    answer: T,
    broadens: bool,
    failed: bool,
}

impl<T> Outcome<T> {
    fn of(answer: T) -> Self {
        Self {
            answer,
            broadens: false,
            failed: false,
        }
    }
}

/// The id of a line and why it has no answer.
struct Failed(Box<(Value, Failure)>);

impl Line<'_> {
    fn failure(&self, id: &Value, error: String) -> Failed {
        let failure = Failure {
            line: self.number,
            error,
            errors: Vec::new(),
        };
        Failed(Box::new((id.clone(), failure)))
    }

    fn wrong(&self, id: &Value, name: &str, errors: Vec<SyntaxError>) -> Failed {
        let first = errors.first().map_or_else(String::new, ToString::to_string);
        let mut failed = self.failure(id, format!("{name}: {first}"));
        failed.0.1.errors = errors;
        failed
    }
}

fn answer<C, T>(
    line: Line<'_>,
    work: impl FnOnce(C) -> Result<(Value, Outcome<T>), Failed>,
) -> Answer
where
    C: for<'de> Deserialize<'de>,
    T: Serialize,
{
    let case: Result<C, _> = serde_json::from_str(line.text);
    let outcome = match case {
        Ok(case) => work(case),
        Err(error) => {
            let value = serde_json::from_str::<Value>(line.text).ok();
            let id = value.and_then(|value| value.get("id").cloned());
            Err(line.failure(&id.unwrap_or_default(), format!("not a case: {error}")))
        }
    };
    match outcome {
        Ok((id, outcome)) => {
            let Outcome {
                answer,
                broadens,
                failed,
            } = outcome;
            Answer {
                line: to_line(&WithId { id, answer }),
                broadens,
                failed,
            }
        }
        Err(failed) => {
            let (id, answer) = *failed.0;
            Answer {
                line: to_line(&WithId { id, answer }),
                broadens: true,
                failed: true,
            }
        }
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

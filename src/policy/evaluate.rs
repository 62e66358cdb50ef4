//! Does this policy allow this request: the rules of one statement, one document, and of documents together.
//! Sources: IAM User Guide, "Policy evaluation logic", and at each rule the section that it comes from.

use serde::{Deserialize, Serialize};

use super::context::Context;
use super::document::Document;
use super::glob::{self, Reading, Token};
use super::operator::{Comparison, Operator, Quantifier};
use super::request::Request;
use super::shape::FIELD_COLONS;
use super::statement::{Condition, Effect, Patterns, Statement};
use super::values::{self, Number, Range};

/// Names a statement of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StatementRef {
    /// 1-based place in its document.
    pub index: usize,
    /// Its Sid, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

impl StatementRef {
    /// The name of a statement.
    #[must_use]
    pub fn of(statement: &Statement) -> Self {
        Self {
            index: statement.index,
            sid: statement.sid.clone(),
        }
    }
}

/// What one document says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Some statement allows and none denies: the statements that allow.
    Allowed(Vec<StatementRef>),
    /// These statements deny.
    Denied(Vec<StatementRef>),
    /// No statement matches ("implicit deny").
    NotAllowed,
}

impl Decision {
    /// Whether the request is allowed.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }

    /// The statements that decide; none where no statement matches.
    #[must_use]
    pub fn statements(&self) -> &[StatementRef] {
        match self {
            Self::Allowed(statements) | Self::Denied(statements) => statements,
            Self::NotAllowed => &[],
        }
    }
}

/// Decides a request by one document: an explicit Deny beats every Allow, and without an Allow nothing is allowed.
#[must_use]
pub fn evaluate(document: &Document, request: &Request) -> Decision {
    let mut allowed = Vec::new();
    let mut denied = Vec::new();
    for statement in document.statements() {
        if statement_matches(statement, document.has_variables(), request) {
            match statement.effect {
                Effect::Allow => allowed.push(StatementRef::of(statement)),
                Effect::Deny => denied.push(StatementRef::of(statement)),
            }
        }
    }
    if !denied.is_empty() {
        Decision::Denied(denied)
    } else if allowed.is_empty() {
        Decision::NotAllowed
    } else {
        Decision::Allowed(allowed)
    }
}

/// Whether a statement applies to a request; `variables` says whether `${...}` is a variable in its document.
#[must_use]
pub fn statement_matches(statement: &Statement, variables: bool, request: &Request) -> bool {
    action_matches(&statement.actions, &request.action)
        && principal_matches(statement, request)
        && resource_matches(statement.resources.as_ref(), variables, request)
        && statement
            .conditions
            .iter()
            .all(|condition| condition_holds(condition, variables, &request.context))
}

/// "IAM JSON policy elements: Action": `*` and `?` are wildcards, letter case does not count; `NotAction` is all else.
fn action_matches(patterns: &Patterns, action: &str) -> bool {
    let reading = Reading {
        wildcards: true,
        variables: false,
    };
    let matched = |pattern: &String| {
        let stem = stem(pattern, &['*', '?']);
        let start = action.as_bytes().get(..stem.len());
        // Most patterns of a long list fail in their first letters, or are one name.
        start.is_some_and(|start| start.eq_ignore_ascii_case(stem.as_bytes()))
            && if stem.len() == pattern.len() {
                action.len() == pattern.len()
            } else {
                glob::matches(&glob::parse(pattern, reading), action, true)
            }
    };
    patterns.list.iter().any(matched) != patterns.negated
}

/// What stands before the first of these characters.
fn stem<'p>(pattern: &'p str, special: &[char]) -> &'p str {
    pattern
        .split_once(special)
        .map_or(pattern, |(before, _)| before)
}

/// "AWS JSON policy elements: Principal" and "`NotPrincipal`"; an identity policy has none, and is about its holder.
fn principal_matches(statement: &Statement, request: &Request) -> bool {
    match &statement.principals {
        None => true,
        Some(principals) => {
            let known = request.principal.known();
            principals.list.iter().any(|entry| known.named_by(entry)) != principals.negated
        }
    }
}

/// "IAM JSON policy elements: Resource" and "`NotResource`".
fn resource_matches(patterns: Option<&Patterns>, variables: bool, request: &Request) -> bool {
    let Some(patterns) = patterns else {
        return true;
    };
    let matched = patterns.list.iter().any(|pattern| {
        if !request
            .resource
            .starts_with(stem(pattern, &['*', '?', '$']))
        {
            return false;
        }
        let tokens = patterns.resource_tokens(pattern, variables);
        glob::expand(&tokens, request.resource.len(), &|key| {
            single(&request.context, key)
        })
        .is_some_and(|tokens| glob::matches(&tokens, &request.resource, false))
    });
    matched != patterns.negated
}

/// The value of a key that has exactly one: a variable takes no other ("Policy variables", single-valued keys only).
fn single(context: &Context, key: &str) -> Option<String> {
    match context.get(key).map(Vec::as_slice) {
        Some([value]) => Some(value.clone()),
        _ => None,
    }
}

/// Whether one condition holds. "Condition operators": a missing key makes a positive operator false, a negated one
/// true, `...IfExists` true; "Multivalued context keys": `ForAllValues` true, `ForAnyValue` false.
#[must_use]
pub fn condition_holds(condition: &Condition, variables: bool, context: &Context) -> bool {
    let Condition {
        operator,
        key,
        values,
    } = condition;
    let Operator {
        quantifier,
        comparison,
        negated,
        if_exists,
    } = *operator;
    let present: &[String] = context.get(key).map_or(&[], Vec::as_slice);
    if comparison == Comparison::Null {
        // "Condition operator to check existence of condition keys": true asks for absence.
        return values
            .iter()
            .any(|value| values::boolean(value) == Some(present.is_empty()));
    }
    if present.is_empty() {
        return if_exists
            || match quantifier {
                Some(Quantifier::ForAllValues) => true,
                Some(Quantifier::ForAnyValue) => false,
                None => negated,
            };
    }
    let longest = present.iter().map(String::len).max().unwrap_or_default();
    let read = |value: &String| PolicyValue::read(comparison, value, variables, context, longest);
    let compiled: Vec<PolicyValue> = values.iter().filter_map(read).collect();
    let matched = |value: &String| compiled.iter().any(|wanted| wanted.matches(value));
    // A value that is not of the operator's type satisfies neither the operator nor its negation.
    let passes = |value: &String| has_type(comparison, value) && matched(value) != negated;
    // Without a prefix, a negated operator asks that no value match.
    if quantifier == Some(Quantifier::ForAllValues) || (quantifier.is_none() && negated) {
        present.iter().all(passes)
    } else {
        present.iter().any(passes)
    }
}

/// Whether a request's value is of the type that an operator compares.
fn has_type(comparison: Comparison, value: &str) -> bool {
    match comparison {
        Comparison::Arn => value.matches(':').count() >= FIELD_COLONS,
        Comparison::IpAddress => values::address_number(value).is_some(),
        Comparison::NumericEquals
        | Comparison::NumericLessThan
        | Comparison::NumericLessThanEquals
        | Comparison::NumericGreaterThan
        | Comparison::NumericGreaterThanEquals => Number::parse(value).is_some(),
        Comparison::DateEquals
        | Comparison::DateLessThan
        | Comparison::DateLessThanEquals
        | Comparison::DateGreaterThan
        | Comparison::DateGreaterThanEquals => values::instant(value).is_some(),
        Comparison::StringEquals
        | Comparison::StringEqualsIgnoreCase
        | Comparison::StringLike
        | Comparison::Bool
        | Comparison::BinaryEquals
        | Comparison::Null => true,
    }
}

/// A policy's value made ready for comparing.
enum PolicyValue {
    Text { tokens: Vec<Token>, fold: bool },
    Number(Comparison, Number),
    Instant(Comparison, i64),
    Range(Range),
}

impl PolicyValue {
    /// `None` for a value that matches nothing of this length: not of the operator's type, a variable without value, or
    /// too long.
    fn read(
        comparison: Comparison,
        text: &str,
        variables: bool,
        context: &Context,
        longest: usize,
    ) -> Option<Self> {
        let plain = Reading {
            wildcards: false,
            variables: variables && comparison.takes_variables(),
        };
        if comparison == Comparison::Bool && values::boolean(text).is_none() {
            return None;
        }
        let tokens = match comparison {
            Comparison::StringEquals
            | Comparison::StringEqualsIgnoreCase
            | Comparison::Bool
            | Comparison::BinaryEquals => glob::parse(text, plain),
            Comparison::StringLike => glob::parse(
                text,
                Reading {
                    wildcards: true,
                    variables,
                },
            ),
            Comparison::Arn => glob::parse_arn(text, variables)?,
            Comparison::IpAddress => return Range::parse(text).map(Self::Range),
            Comparison::Null => return None,
            Comparison::DateEquals
            | Comparison::DateLessThan
            | Comparison::DateLessThanEquals
            | Comparison::DateGreaterThan
            | Comparison::DateGreaterThanEquals => {
                return values::instant(text).map(|instant| Self::Instant(comparison, instant));
            }
            Comparison::NumericEquals
            | Comparison::NumericLessThan
            | Comparison::NumericLessThanEquals
            | Comparison::NumericGreaterThan
            | Comparison::NumericGreaterThanEquals => {
                return Number::parse(text).map(|number| Self::Number(comparison, number));
            }
        };
        let fold = matches!(
            comparison,
            Comparison::StringEqualsIgnoreCase | Comparison::Bool
        );
        glob::expand(&tokens, longest, &|key| single(context, key))
            .map(|tokens| Self::Text { tokens, fold })
    }

    fn matches(&self, value: &str) -> bool {
        match self {
            Self::Text { tokens, fold } => glob::matches(tokens, value, *fold),
            Self::Number(comparison, wanted) => {
                Number::parse(value).is_some_and(|number| compare(*comparison, number.cmp(wanted)))
            }
            Self::Instant(comparison, wanted) => values::instant(value)
                .is_some_and(|instant| compare(*comparison, instant.cmp(wanted))),
            Self::Range(range) => values::address_number(value)
                .is_some_and(|(six, number, _)| range.contains(six, number)),
        }
    }
}

/// Whether an order of (request's value, policy's value) satisfies a numeric or date operator.
pub(super) fn compare(comparison: Comparison, order: std::cmp::Ordering) -> bool {
    match comparison {
        Comparison::NumericEquals | Comparison::DateEquals => order.is_eq(),
        Comparison::NumericLessThan | Comparison::DateLessThan => order.is_lt(),
        Comparison::NumericLessThanEquals | Comparison::DateLessThanEquals => order.is_le(),
        Comparison::NumericGreaterThan | Comparison::DateGreaterThan => order.is_gt(),
        Comparison::NumericGreaterThanEquals | Comparison::DateGreaterThanEquals => order.is_ge(),
        _ => false,
    }
}

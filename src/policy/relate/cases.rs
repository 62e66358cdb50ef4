//! A statement in cases, each of which is one conjunction.

use std::collections::{BTreeMap, BTreeSet};

use crate::policy::document::Document;
use crate::policy::glob::{self, Reading, Token};
use crate::policy::operator::{Operator, Quantifier};
use crate::policy::statement::{Condition, Principal, Principals, Statement};

use super::space::GITHUB;
use super::variables::Assignment;

/// One case of a statement: which keys with a default value are present, and which absent.
pub(super) struct Case<'a> {
    pub(super) statement: &'a Statement,
    pub(super) principals: Option<Principals>,
    pub(super) present: Vec<String>,
    pub(super) absent: Vec<(String, String)>,
}

/// Keys that are present, and keys that are absent with their defaults.
type Split = (Vec<String>, Vec<(String, String)>);

/// Splits a statement so that each case is one conjunction: GitHub's provider apart from other principals, and a
/// variable with a default value into its key present and its key absent ("IAM policy elements: Variables and tags":
/// "Specifying default values").
pub(super) fn cases<'a>(statement: &'a Statement, document: &Document) -> Vec<Case<'a>> {
    let mut principals: Vec<Option<Principals>> = vec![statement.principals.clone()];
    if let Some(whole) = &statement.principals
        && !whole.negated
    {
        let (github, other): (Vec<_>, Vec<_>) = whole.list.iter().cloned().partition(is_github);
        if !github.is_empty() && !other.is_empty() {
            principals = [github, other]
                .map(|list| {
                    Some(Principals {
                        negated: false,
                        list,
                    })
                })
                .to_vec();
        }
    }
    let mut splits: Vec<Split> = vec![(Vec::new(), Vec::new())];
    if document.has_variables() {
        for (key, default) in variables_with_defaults(statement) {
            splits = splits
                .into_iter()
                .flat_map(|(present, absent)| {
                    let mut with = present.clone();
                    with.push(key.clone());
                    let mut without = absent.clone();
                    without.push((key.clone(), default.clone()));
                    [(with, absent), (present, without)]
                })
                .collect();
        }
    }
    let mut out = Vec::new();
    for principals in &principals {
        for (present, absent) in &splits {
            out.push(Case {
                statement,
                principals: principals.clone(),
                present: present.clone(),
                absent: absent.clone(),
            });
        }
    }
    out
}

/// Keys with defaults in one statement: each doubles the cases; beyond this the variables are left opaque.
const CASE_LIMIT: usize = 4;

/// Two defaults of one key cannot both be told apart by presence; the first counts and the witness is confirmed.
fn variables_with_defaults(statement: &Statement) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let texts = statement
        .resources
        .iter()
        .flat_map(|patterns| &patterns.list);
    let values = statement
        .conditions
        .iter()
        .flat_map(|condition| &condition.values);
    for text in texts.chain(values).filter(|text| text.contains("${")) {
        for token in glob::parse(
            text,
            Reading {
                wildcards: true,
                variables: true,
            },
        ) {
            if let Token::Variable {
                key,
                default: Some(default),
            } = token
            {
                out.entry(key).or_insert(default);
            }
        }
    }
    if out.len() > CASE_LIMIT {
        BTreeMap::new()
    } else {
        out
    }
}

/// Whether a document has a statement with more defaults than are told apart.
pub(super) fn too_many_defaults(document: &Document) -> bool {
    document.has_variables()
        && document.statements().iter().any(|statement| {
            let texts = statement
                .resources
                .iter()
                .flat_map(|patterns| &patterns.list);
            let values = statement
                .conditions
                .iter()
                .flat_map(|condition| &condition.values);
            let commas = texts.chain(values).filter(|text| text.contains("${"));
            commas.map(|text| text.matches(',').count()).sum::<usize>() > CASE_LIMIT
                && variables_with_defaults(statement).is_empty()
        })
}

/// Keys without which a statement cannot apply: all patterns of one of its positive parts take their value, and a
/// pattern with a variable without value matches nothing ("Policy variables with no value").
pub(super) fn required(statement: &Statement) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    if let Some(resources) = statement
        .resources
        .as_ref()
        .filter(|resources| !resources.negated)
    {
        out.extend(common(&resources.list));
    }
    for Condition {
        operator,
        key: _,
        values,
    } in &statement.conditions
    {
        let Operator {
            quantifier,
            comparison,
            negated,
            if_exists,
        } = *operator;
        let plain = quantifier != Some(Quantifier::ForAllValues) && !negated && !if_exists;
        if plain && comparison.takes_variables() {
            out.extend(common(values));
        }
    }
    out
}

/// The variables without default that every one of these texts holds.
fn common(texts: &[String]) -> BTreeSet<String> {
    let variables = |text: &String| -> BTreeSet<String> {
        glob::parse(
            text,
            Reading {
                wildcards: true,
                variables: true,
            },
        )
        .into_iter()
        .filter_map(|token| match token {
            Token::Variable { key, default: None } => Some(key),
            _ => None,
        })
        .collect()
    };
    if texts.iter().any(|text| !text.contains("${")) {
        return BTreeSet::new();
    }
    let sets = texts.iter().map(variables);
    sets.reduce(|one, other| one.intersection(&other).cloned().collect())
        .unwrap_or_default()
}

pub(super) fn defaults(absent: &[(String, String)]) -> BTreeMap<&str, &str> {
    absent
        .iter()
        .map(|(key, default)| (key.as_str(), default.as_str()))
        .collect()
}

/// Writes the values of fixed keys and the defaults of absent ones into a pattern's text, as literal characters.
pub(super) fn substitute(
    text: &str,
    variables: bool,
    fixed: &Assignment,
    absent: &BTreeMap<&str, &str>,
) -> String {
    if (absent.is_empty() && fixed.is_empty()) || !variables || !text.contains("${") {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, tail) = rest.split_at(start);
        out.push_str(before);
        let Some(end) = tail.find('}') else { break };
        let (body, after) = tail.split_at(end + 1);
        let reading = Reading {
            wildcards: false,
            variables: true,
        };
        let tokens = glob::parse(body, reading);
        let value = match tokens.as_slice() {
            [Token::Variable { key, default }] => fixed.get(key).or(default
                .as_ref()
                .filter(|_| absent.contains_key(key.as_str()))),
            _ => None,
        };
        match value {
            Some(value) => {
                for letter in value.chars() {
                    match letter {
                        '*' | '?' | '$' => out.extend(['$', '{', letter, '}']),
                        other => out.push(other),
                    }
                }
            }
            None => out.push_str(body),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

pub(super) fn is_github(principal: &Principal) -> bool {
    matches!(principal, Principal::Federated(arn) if arn.ends_with(&format!("oidc-provider/{GITHUB}")))
}

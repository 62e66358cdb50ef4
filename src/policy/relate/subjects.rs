//! Subjects of GitHub's tokens as GitHub makes them, in the place of a pattern's wildcards.
//! Source: GitHub Docs, "OpenID Connect reference", "Example subject claims" and "Immutable subject claims".

use super::strings::{Item, Symbol};

/// What runs in a repository: the end of a subject, the most usual first.
const CONTEXTS: &[&str] = &[
    "ref:refs/heads/main",
    "ref:refs/heads/example",
    "environment:production",
    "pull_request",
    "ref:refs/tags/v1.0.0",
    "environment:example",
];

/// Subjects that are made of one pattern: each wildcard may be filled in a few ways.
const MOST: usize = 96;

/// Subjects that match a pattern, as GitHub would make them, the most usual first.
pub(super) fn of_pattern(pattern: &[Item]) -> Vec<String> {
    let mut texts = vec![String::new()];
    for (place, item) in pattern.iter().enumerate() {
        let rest = pattern.get(place + 1..).unwrap_or_default();
        let last = rest.iter().all(|item| matches!(item, Item::Many { .. }));
        let mut next: Vec<String> = Vec::new();
        for text in &texts {
            match item {
                Item::Letter(symbol) | Item::Fold(symbol) => {
                    next.extend(char::from_u32(*symbol).map(|letter| format!("{text}{letter}")));
                }
                Item::One { .. } | Item::Word => next.push(format!("{text}{}", one(text))),
                Item::Many { .. } | Item::Words => {
                    let fills = if last { ends(text) } else { middles(text) };
                    next.extend(fills.iter().map(|fill| format!("{text}{fill}")));
                }
            }
        }
        next.truncate(MOST);
        texts = next;
    }
    texts.retain(|text| is_subject(text));
    texts
}

/// One character in the place of `?`.
fn one(before: &str) -> char {
    if before.ends_with('@') { '1' } else { 'x' }
}

/// The part of a subject that a text breaks off in.
enum Part<'t> {
    Start,
    Owner(&'t str),
    Name(&'t str),
    Context(&'t str),
    Other,
}

fn part(text: &str) -> Part<'_> {
    let Some(body) = text.strip_prefix("repo:") else {
        return if text.is_empty() {
            Part::Start
        } else {
            Part::Other
        };
    };
    let Some((_, rest)) = body.split_once('/') else {
        return Part::Owner(body);
    };
    match rest.split_once(':') {
        None => Part::Name(rest),
        Some((_, context)) => Part::Context(context),
    }
}

/// What may end a subject that begins so.
fn ends(before: &str) -> Vec<String> {
    let with = |starts: &[&str]| -> Vec<String> {
        let each = starts.iter().flat_map(|start| {
            CONTEXTS
                .iter()
                .map(move |context| format!("{start}:{context}"))
        });
        each.collect()
    };
    match part(before) {
        Part::Start => with(&["repo:example/example", "repo:example@1/example@2"]),
        Part::Owner("") => with(&["example/example", "example@1/example@2"]),
        Part::Owner(owner) if owner.ends_with('@') => with(&["1/example@2", "12345/example@67890"]),
        Part::Owner(owner) if owner.contains('@') => with(&["/example@2", "0/example@2"]),
        Part::Owner(_) => with(&["/example", "-evil/example", "@1/example@2"]),
        Part::Name("") => with(&["example", "example@2"]),
        Part::Name(name) if name.ends_with('@') => with(&["2", "67890"]),
        Part::Name(name) if name.contains('@') => with(&["", "0"]),
        Part::Name(_) => with(&["", "-other", "@2"]),
        Part::Context(context) => {
            let known = CONTEXTS.iter().filter_map(|one| one.strip_prefix(context));
            let mut out: Vec<String> = known.map(str::to_owned).collect();
            out.extend(["example".to_owned(), "-example".to_owned()]);
            out
        }
        Part::Other => vec!["example".to_owned()],
    }
}

/// What may stand between the beginning of a subject and the letters that follow.
fn middles(before: &str) -> Vec<String> {
    let fills: &[&str] = match part(before) {
        Part::Start => &["repo:example/example", "repo:example", "repo", ""],
        Part::Owner("") => &["example", "example/example", ""],
        Part::Owner(owner) if owner.ends_with('@') => &["1", "12345", "1/example@2"],
        Part::Owner(_) => &["", "-evil", "/example", "@1"],
        Part::Name("") => &["example", ""],
        Part::Name(name) if name.ends_with('@') => &["2", "67890"],
        Part::Name(_) => &["", "-other", "@2"],
        Part::Context("") => &["environment", "ref", "ref:refs/heads", "ref:refs", ""],
        Part::Context(_) | Part::Other => &["example", "", "-example"],
    };
    fills.iter().map(|fill| (*fill).to_owned()).collect()
}

/// Whether GitHub makes such subjects by default.
pub(super) fn is_subject(text: &str) -> bool {
    let Part::Context(context) = part(text) else {
        return false;
    };
    let repository = text
        .strip_prefix("repo:")
        .and_then(|rest| rest.split_once(':'))
        .and_then(|(repository, _)| repository.split_once('/'));
    let name = |part: &str| {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let (name, id) = part
            .split_once('@')
            .map_or((part, None), |(name, id)| (name, Some(id)));
        let number = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        !name.is_empty() && name.bytes().all(letter) && id.is_none_or(number)
    };
    let named = repository.is_some_and(|(owner, repository)| {
        name(owner) && name(repository) && owner.contains('@') == repository.contains('@')
    });
    // "If the value contains a colon, it is replaced with %3A"; a branch's name holds none.
    let value = |rest: &str| !rest.is_empty() && !rest.contains([':', '*', '?', ' ']);
    let known = ["ref:refs/heads/", "ref:refs/tags/", "environment:"];
    named
        && (context == "pull_request"
            || known
                .iter()
                .any(|start| context.strip_prefix(start).is_some_and(value)))
}

/// A text in symbols.
pub(super) fn symbols(text: &str) -> Vec<Symbol> {
    text.chars().map(Symbol::from).collect()
}

//! `{{...}}` in the strings of infra.toml and in the documents that it names.

use std::ops::Range;

use super::declared::{Declared, KINDS};
use super::diagnostic::{alternatives, nearest};
use super::node::Value;

/// Where a text stands, which decides what its placeholders may name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    pub(super) declared: &'a Declared,
    pub(super) environment: Option<&'a Variables>,
    /// Whether the text is a policy document and not a string of infra.toml.
    pub(super) document: bool,
}

/// An environment's name and its `vars`.
#[derive(Clone, Debug)]
pub(super) struct Variables {
    pub(super) environment: String,
    pub(super) values: Vec<(String, Value)>,
}

/// A placeholder that cannot be resolved, by its bytes in the text.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) at: Range<usize>,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// A text with its placeholders resolved, and which bytes came from which.
#[derive(Debug, Default)]
pub(super) struct Expanded {
    pub(super) text: String,
    pieces: Vec<(Range<usize>, Range<usize>)>,
}

impl Expanded {
    /// The bytes of the original text from which a byte of the expanded text came.
    pub(super) fn origin(&self, offset: usize) -> usize {
        let mut shift = 0_isize;
        for (out, original) in &self.pieces {
            if offset < out.start {
                break;
            }
            if offset < out.end {
                return original.start;
            }
            shift = original.end.cast_signed() - out.end.cast_signed();
        }
        offset.saturating_add_signed(shift)
    }
}

/// Resolves every placeholder of a text, or says what is wrong with each that cannot be.
pub(super) fn expand(text: &str, scope: Scope<'_>) -> Result<Expanded, Vec<Fault>> {
    let mut expanded = Expanded::default();
    let mut faults = Vec::new();
    let mut done = 0;
    while let Some(found) = text.get(done..).and_then(|rest| rest.find("{{")) {
        let start = done + found;
        expanded
            .text
            .push_str(text.get(done..start).unwrap_or_default());
        let Some(end) = end_of(text, start) else {
            faults.push(unclosed(start));
            return Err(faults);
        };
        let inner = text.get(start + 2..end - 2).unwrap_or_default();
        match value_of(inner, scope) {
            Ok(value) => {
                let from = expanded.text.len();
                expanded.text.push_str(&escaped(&value, scope.document));
                expanded
                    .pieces
                    .push((from..expanded.text.len(), start..end));
            }
            Err((message, hint)) => faults.push(Fault {
                at: start..end,
                message,
                hint,
            }),
        }
        done = end;
    }
    expanded.text.push_str(text.get(done..).unwrap_or_default());
    if faults.is_empty() {
        Ok(expanded)
    } else {
        Err(faults)
    }
}

/// Puts a text in the place of every placeholder of a document. `value` is given what stands between the braces, and
/// whether that is a whole string.
pub(super) fn replace(text: &str, value: &mut dyn FnMut(&str, bool) -> String) -> Expanded {
    let mut expanded = Expanded::default();
    let mut done = 0;
    while let Some(found) = text.get(done..).and_then(|rest| rest.find("{{")) {
        let start = done + found;
        let (before, Some(end)) = (
            text.get(done..start).unwrap_or_default(),
            end_of(text, start),
        ) else {
            break;
        };
        let inner = text.get(start + 2..end - 2).unwrap_or_default();
        let alone =
            before.ends_with('"') && text.get(end..).is_some_and(|rest| rest.starts_with('"'));
        expanded.text.push_str(before);
        let from = expanded.text.len();
        expanded.text.push_str(&escaped(&value(inner, alone), true));
        expanded
            .pieces
            .push((from..expanded.text.len(), start..end));
        done = end;
    }
    expanded.text.push_str(text.get(done..).unwrap_or_default());
    expanded
}

/// The value of a var, with its type, where a string is one placeholder and nothing else.
pub(super) fn sole_variable<'a>(text: &str, scope: Scope<'a>) -> Option<&'a Value> {
    let inner = text.strip_prefix("{{")?.strip_suffix("}}")?.trim();
    let values = &scope.environment?.values;
    values
        .iter()
        .find(|(name, _)| name == inner)
        .map(|(_, value)| value)
}

/// The end of the placeholder that begins at `start`, past its closing braces.
fn end_of(text: &str, start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = start;
    loop {
        let rest = text.get(at..)?;
        if rest.starts_with("{{") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("}}") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            let letter = rest.chars().next()?;
            if letter == '\n' {
                return None;
            }
            at += letter.len_utf8();
        }
    }
}

fn unclosed(start: usize) -> Fault {
    Fault {
        at: start..start + 2,
        message: "This placeholder is not closed on its line.".to_owned(),
        hint: Some("A placeholder is written `{{NAME}}`.".to_owned()),
    }
}

fn escaped(value: &str, document: bool) -> String {
    if !document {
        return value.to_owned();
    }
    let quoted = serde_json::Value::from(value).to_string();
    quoted
        .trim_start_matches('"')
        .strip_suffix('"')
        .unwrap_or_default()
        .to_owned()
}

type Unresolved = (String, Option<String>);

/// Resolves what stands between the braces; an inner `{{environment}}` first.
fn value_of(inner: &str, scope: Scope<'_>) -> Result<String, Unresolved> {
    let mut name = inner.trim().to_owned();
    if name.contains("{{environment}}") {
        name = name.replace("{{environment}}", &value_of("environment", scope)?);
    }
    if name.contains("{{") {
        let hint = "Only {{environment}} may stand inside another placeholder.".to_owned();
        return Err((format!("`{inner}` has a placeholder inside."), Some(hint)));
    }
    if let Some(value) = builtin(&name, scope)? {
        return Ok(value);
    }
    if let Some((_, value)) = scope
        .environment
        .and_then(|it| it.values.iter().find(|(key, _)| *key == name))
    {
        return Ok(plain(value));
    }
    match (name.split_once('.'), name.rsplit_once('.')) {
        (Some((kind, _)), Some((_, attribute))) if KINDS.contains(&kind) => {
            reference(&name, kind, attribute, scope)
        }
        _ => Err(unknown(&name, scope)),
    }
}

const BUILTINS: [&str; 6] = [
    "project.name",
    "account_id",
    "region",
    "partition",
    "github.repository",
    "environment",
];

fn builtin(name: &str, scope: Scope<'_>) -> Result<Option<String>, Unresolved> {
    let declared = scope.declared;
    let value = match name {
        "project.name" => declared.project_name.clone(),
        "account_id" => declared.account_id.clone(),
        "region" => declared.region.clone(),
        "partition" => declared.partition().as_str().to_owned(),
        "github.repository" => {
            let github = declared.github.as_ref().ok_or_else(no_github)?;
            format!("{}/{}", github.owner, github.name)
        }
        "environment" => {
            let none = || no_environment(scope.document);
            scope.environment.ok_or_else(none)?.environment.clone()
        }
        _ => return Ok(None),
    };
    Ok(Some(value))
}

fn no_github() -> Unresolved {
    (
        "`github.repository` needs a [github] table.".to_owned(),
        Some("Add `[github]` with `repository = \"OWNER/NAME\"`.".to_owned()),
    )
}

fn no_environment(document: bool) -> Unresolved {
    let (what, hint) = if document {
        (
            "in a document of a table without `environments`",
            "to the table that names the document",
        )
    } else {
        ("where no `environments` are given", "to the table")
    };
    (
        format!("`{{{{environment}}}}` stands {what}."),
        Some(format!("Add `environments = [\"NAME\", ...]` {hint}.")),
    )
}

fn reference(
    text: &str,
    kind: &str,
    attribute: &str,
    scope: Scope<'_>,
) -> Result<String, Unresolved> {
    let name = text
        .strip_prefix(kind)
        .and_then(|rest| rest.strip_suffix(attribute))
        .and_then(|rest| rest.strip_prefix('.')?.strip_suffix('.'))
        .unwrap_or_default();
    let known: &[&str] = if kind == "repository" {
        &["arn", "url"]
    } else {
        &["arn"]
    };
    if name.is_empty() || !known.contains(&attribute) {
        let forms = known.iter().map(|known| format!("{kind}.NAME.{known}"));
        let forms: Vec<String> = forms.collect();
        let message = format!("`{text}` names no attribute that a {kind} has.");
        let hint = format!("Write {}.", alternatives(forms.iter().map(String::as_str)));
        return Err((message, Some(hint)));
    }
    let Some(named) = scope.declared.get(kind, name) else {
        let hint = scope.declared.hint(kind, name);
        return Err((format!("There is no {kind} named `{name}`."), Some(hint)));
    };
    if kind == "secret" && !scope.document {
        let hint = format!("Name the secret itself: `{name}`.");
        return Err((
            "A secret's ARN has a random end that is known only once it exists.".to_owned(),
            Some(hint),
        ));
    }
    match (attribute, &named.url) {
        ("url", Some(url)) => Ok(url.clone()),
        _ => Ok(named.arn.clone()),
    }
}

fn unknown(name: &str, scope: Scope<'_>) -> Unresolved {
    let variables = scope.environment.map_or(&[][..], |it| it.values.as_slice());
    let known = BUILTINS
        .into_iter()
        .chain(variables.iter().map(|(name, _)| name.as_str()));
    let known: Vec<&str> = known.collect();
    let message = match scope.environment {
        Some(it) => {
            let environment = &it.environment;
            format!("There is no placeholder `{name}` in the environment {environment}.")
        }
        None => format!("There is no placeholder `{name}`."),
    };
    let kind = name.split_once('.').map(|(kind, _)| kind);
    let hint = match (
        nearest(name, known),
        kind.and_then(|kind| nearest(kind, KINDS)),
    ) {
        (Some(near), _) => format!("Did you mean `{{{{{near}}}}}`?"),
        (None, Some(kind)) => format!("Did you mean `{{{{{kind}.NAME.arn}}}}`?"),
        (None, None) => match scope.environment {
            Some(it) => format!("Add it to `vars` of [environment.{}].", it.environment),
            None => format!(
                "Known here: {}, and KIND.NAME.arn. `vars` are known where `environments` are given.",
                alternatives(BUILTINS.into_iter().filter(|name| *name != "environment"))
            ),
        },
    };
    (message, Some(hint))
}

/// The text of a scalar value.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Datetime(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(value) => value.to_string(),
        Value::List(_) | Value::Table(_) => String::new(),
    }
}

//! Words for what a change of policies means: one sentence for each witness.

use super::actions;
use super::document::Document;
use super::evaluate::statement_matches;
use super::kind::PolicyKind;
use super::readings;
use super::relate::{Comparison, Relation, Witness};
use super::statement::{Patterns, Statement};

/// Whether a witness tells of something gained or lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Allowed after, not before.
    Gained,
    /// Allowed before, not after.
    Lost,
}

/// The sentence for a witness, without a subject: "may now `ecr:DeleteRepository` on every repository; example: ...".
/// `document` is the one that allows it: the new one of a gain, the old one of a loss.
#[must_use]
pub fn sentence(document: &Document, witness: &Witness, change: Change) -> String {
    let verb = match change {
        Change::Gained => "may now",
        Change::Lost => "may no longer",
    };
    let statement = document
        .statements()
        .iter()
        .find(|one| one.index == witness.statement.index);
    if document.kind() == PolicyKind::Trust {
        return assuming(witness, verb);
    }
    let action = &witness.request.action;
    let mut out = match document.kind() {
        PolicyKind::Resource => format!("`{}` {verb} `{action}`", witness.request.principal.text()),
        PolicyKind::Identity | PolicyKind::Trust => format!("{verb} `{action}`"),
    };
    let scope = scope(document, statement, witness);
    if let Some(scope) = &scope {
        out.push_str(" on ");
        out.push_str(scope);
    }
    // A scope of one resource is its own example.
    let said = scope == Some(format!("`{}`", witness.request.resource));
    let example = example(witness, said);
    if !example.is_empty() {
        out.push_str("; example: ");
        out.push_str(&example);
    }
    out
}

/// A trust policy: who may assume, told by the subject of the token where there is one.
fn assuming(witness: &Witness, verb: &str) -> String {
    let request = &witness.request;
    let subject = request
        .context
        .iter()
        .find(|(key, _)| key.ends_with(":sub"))
        .and_then(|(_, values)| values.first());
    let principal = request.principal.text();
    let who = match subject {
        Some(subject) => format!("`{subject}` of `{principal}`"),
        None if principal == "*" => "anyone".to_owned(),
        None => format!("`{principal}`"),
    };
    let others: Vec<String> = request
        .context
        .iter()
        .filter(|(key, _)| !key.ends_with(":sub") && !key.ends_with(":aud"))
        .map(|(key, values)| format!("{key} = {}", values.join(", ")))
        .collect();
    let with = if others.is_empty() {
        String::new()
    } else {
        format!(" with {}", others.join(" and "))
    };
    format!("{who} {verb} `{}`{with}", request.action)
}

/// What the statement's resources are in words; `None` where the action takes none.
fn scope(document: &Document, statement: Option<&Statement>, witness: &Witness) -> Option<String> {
    let known = actions::find(&witness.request.action);
    // Of the types that the action takes, that of the example which stands beside it.
    let kind = known.as_ref().and_then(|action| {
        let fitting = action.type_of(&witness.request.resource);
        let other = || action.resources.iter().find(|one| one.required);
        let kind = fitting.or_else(other).or(action.resources.first());
        kind.map(|one| one.name)
    });
    if known.is_some() && kind.is_none() {
        return None;
    }
    let resources = statement.and_then(|statement| statement.resources.as_ref())?;
    let everything = || {
        kind.map_or_else(
            || "every resource".to_owned(),
            |kind| format!("every {kind}"),
        )
    };
    if resources.negated {
        return Some(format!(
            "{} but `{}`",
            everything(),
            resources.list.join("`, `")
        ));
    }
    if resources.list.iter().any(|pattern| pattern == "*") {
        return Some(everything());
    }
    // The patterns through which the witness is allowed.
    let matching: Vec<&str> = resources
        .list
        .iter()
        .filter(|pattern| {
            statement.is_some_and(|statement| {
                let only = Patterns {
                    negated: false,
                    over_fields: false,
                    list: vec![(*pattern).clone()],
                };
                let narrowed = Statement {
                    resources: Some(only),
                    ..statement.clone()
                };
                statement_matches(&narrowed, document.has_variables(), &witness.request)
            })
        })
        .map(String::as_str)
        .collect();
    (!matching.is_empty()).then(|| format!("`{}`", matching.join("`, `")))
}

fn example(witness: &Witness, resource_said: bool) -> String {
    let request = &witness.request;
    let mut parts = Vec::new();
    if request.resource != "*" && !resource_said {
        parts.push(format!("`{}`", request.resource));
    }
    for (key, values) in request.context.iter() {
        parts.push(format!("{key} = {}", values.join(", ")));
    }
    parts.join(", ")
}

/// The relation in one line, such as "wider: 2 gained".
#[must_use]
pub fn headline(comparison: &Comparison) -> String {
    let Comparison {
        relation,
        gained,
        lost,
        reason,
    } = comparison;
    match relation {
        Relation::Equal => "equal: the same meaning".to_owned(),
        Relation::Wider => format!("wider: {} gained", gained.len()),
        Relation::Narrower => format!("narrower: {} lost", lost.len()),
        Relation::Incomparable => {
            format!("incomparable: {} gained, {} lost", gained.len(), lost.len())
        }
        Relation::Unknown => format!("unknown: {}", reason.as_deref().unwrap_or("not decided.")),
    }
}

/// Headline and sentences, one a line, for the comparison of two documents.
#[must_use]
pub fn text(a: &Document, b: &Document, comparison: &Comparison) -> String {
    let mut out = headline(comparison);
    out.push('\n');
    for (list, document, change, sign) in [
        (&comparison.gained, b, Change::Gained, '+'),
        (&comparison.lost, a, Change::Lost, '-'),
    ] {
        for witness in list {
            let sid = witness
                .statement
                .sid
                .as_ref()
                .map_or_else(String::new, |sid| format!(" ({sid})"));
            let line = sentence(document, witness, change);
            let index = witness.statement.index;
            out.extend([format!(
                "{sign} statement {index}{sid}: {line}
"
            )]);
        }
    }
    if let Some(note) = readings::note_of_comparison(a, b, comparison) {
        out.extend(["note: ", &note, "\n"]);
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::policy::relate;

    use super::*;

    #[test]
    fn a_sentence_names_the_kind_of_its_example() {
        let document = |action: &str, resource: &str| {
            let text = format!(
                r#"{{"Statement": {{"Effect": "Allow", "Action": "{action}", "Resource": "{resource}"}}}}"#
            );
            Document::read(&text, PolicyKind::Identity).unwrap()
        };
        let none = document("sqs:SendMessage", "*");
        for (action, resource, sentence) in [
            (
                "s3:GetObject",
                "*",
                "may now `s3:GetObject` on every object; example: `arn:aws:s3:::example/example`",
            ),
            (
                "ecr:PutImage",
                "*",
                "may now `ecr:PutImage` on every repository; example: `arn:aws:ecr:us-east-1:123456789012:repository/example`",
            ),
            (
                "ecr:GetAuthorizationToken",
                "*",
                "may now `ecr:GetAuthorizationToken`",
            ),
        ] {
            let text = text(
                &none,
                &document(action, resource),
                &relate(&none, &document(action, resource)),
            );
            assert!(
                text.contains(&format!("+ statement 1: {sentence}\n")),
                "{text}"
            );
        }
    }
}

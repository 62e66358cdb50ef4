//! The two readings of a wildcard in a resource pattern: within its field of the ARN, which is the one that decides
//! here ("IAM JSON policy elements: Resource"), or over the whole string. AWS's own examples fit the first better (206
//! of 207, against 204); where the second gives another answer, a note says so.

use super::document::Document;
use super::evaluate::evaluate;
use super::relate::{Comparison, Relation, relate};
use super::request::Request;

/// A note where the whole-string reading relates two documents otherwise.
#[must_use]
pub fn note_of_comparison(a: &Document, b: &Document, comparison: &Comparison) -> Option<String> {
    if !matters(a) && !matters(b) {
        return None;
    }
    let other = relate(&a.over_fields(), &b.over_fields());
    if other.relation == comparison.relation || other.relation == Relation::Unknown {
        return None;
    }
    let first = other.gained.first().or(other.lost.first());
    let example = first.map_or_else(String::new, |witness| {
        let request = &witness.request;
        format!("; example: {} on {}", request.action, request.resource)
    });
    Some(format!(
        "If a `*` in a resource also matched `:`, the relation would be {}{example}.",
        other.relation.name()
    ))
}

/// A note where the whole-string reading decides a request otherwise.
#[must_use]
pub fn note_of_request(document: &Document, request: &Request) -> Option<String> {
    if !matters(document) {
        return None;
    }
    let allowed = evaluate(document, request).is_allowed();
    let other = evaluate(&document.over_fields(), request).is_allowed();
    (allowed != other).then(|| {
        let word = if other { "allowed" } else { "not allowed" };
        format!("If a `*` in a resource also matched `:`, the request would be {word}.")
    })
}

/// Whether a resource pattern has a wildcard before the last field of its ARN, or fewer fields than an ARN has.
fn matters(document: &Document) -> bool {
    document
        .statements()
        .iter()
        .filter_map(|statement| statement.resources.as_ref())
        .flat_map(|resources| &resources.list)
        .filter(|pattern| *pattern != "*")
        .any(|pattern| {
            let mut fields = pattern.splitn(6, ':');
            let wild = fields
                .by_ref()
                .take(5)
                .any(|field| field.contains(['*', '?']));
            wild || fields.next().is_none()
        })
}

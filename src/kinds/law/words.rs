//! What the law has found, in words and with its proof.

use crate::kind::{AccessChange, AccessExample, Address};
use crate::policy::{
    Access, Comparison, Document, Grants, Relation, RequestPrincipal, Witness, relate_grants,
};

/// A request that a document of a resource allows.
pub(super) fn permission(witness: &Witness) -> String {
    let request = &witness.request;
    match &request.principal {
        RequestPrincipal::Anonymous => own_permission(witness),
        principal => format!("{} by {}", own_permission(witness), principal.text()),
    }
}

/// A request of the subject itself.
fn own_permission(witness: &Witness) -> String {
    let request = &witness.request;
    format!("{} on {}", request.action, request.resource)
}

/// A request to assume the subject; GitHub's tokens are told apart by their subject.
fn assumption(witness: &Witness) -> String {
    let request = &witness.request;
    let token = request
        .context
        .iter()
        .find(|(key, _)| key.ends_with(":sub"))
        .and_then(|(_, values)| values.first());
    match token {
        Some(token) => format!("{} of {}", token, request.principal.text()),
        None => request.principal.text().to_owned(),
    }
}

/// Who may do what.
pub(super) fn pair(assume: &Witness, permission: &Witness) -> String {
    format!("{} by {}", own_permission(permission), assumption(assume))
}

/// Why a policy that nobody knows decides nothing.
pub(super) fn unknown(arn: &str) -> String {
    format!("the document of {arn} is not known.")
}

/// A change that could not be decided.
pub(super) fn undecided(subject: &Address, reason: String) -> AccessChange {
    AccessChange {
        subject: subject.to_string(),
        relation: word(Relation::Unknown).to_owned(),
        reason: Some(reason),
        ..AccessChange::default()
    }
}

/// What the change of one document means.
pub(super) fn document_change(
    subject: &Address,
    before: Option<&Document>,
    after: Option<&Document>,
) -> Option<AccessChange> {
    if before == after {
        return None;
    }
    let [before, after] =
        [before, after].map(|document| document.map(Grants::of).unwrap_or_default());
    let compared = relate_grants(&before, &after);
    let sentence = match subject.kind.as_str() {
        "repository" => permission,
        _ => own_permission,
    };
    Some(change(subject, &[(compared, sentence)]))
}

/// What the change of a role means: what it may do, and who may be it.
pub(super) fn role_change(
    subject: &Address,
    before: &Access<'_>,
    after: &Access<'_>,
) -> AccessChange {
    let may = relate_grants(&before.permissions(), &after.permissions());
    let trust = relate_grants(&before.trusted(), &after.trusted());
    change(
        subject,
        &[(may, own_permission), (trust, assumption_sentence)],
    )
}

fn assumption_sentence(witness: &Witness) -> String {
    format!("assumed by {}", assumption(witness))
}

type Sentence = fn(&Witness) -> String;

fn change(subject: &Address, compared: &[(Comparison, Sentence)]) -> AccessChange {
    let mut change = AccessChange {
        subject: subject.to_string(),
        ..AccessChange::default()
    };
    let mut relation = Relation::Equal;
    for (comparison, sentence) in compared {
        relation = together(relation, comparison.relation);
        let examples = |witnesses: &[Witness]| -> Vec<AccessExample> {
            witnesses
                .iter()
                .map(|witness| AccessExample {
                    text: sentence(witness),
                    witness: serde_json::to_value(witness).unwrap_or_default(),
                })
                .collect()
        };
        change.gained.extend(examples(&comparison.gained));
        change.lost.extend(examples(&comparison.lost));
        if change.reason.is_none() {
            change.reason.clone_from(&comparison.reason);
        }
    }
    word(relation).clone_into(&mut change.relation);
    change
}

/// The relation of two parts that are compared apart.
fn together(one: Relation, other: Relation) -> Relation {
    match (one, other) {
        (Relation::Unknown, _) | (_, Relation::Unknown) => Relation::Unknown,
        (Relation::Equal, other) => other,
        (one, Relation::Equal) => one,
        (one, other) if one == other => one,
        _ => Relation::Incomparable,
    }
}

fn word(relation: Relation) -> &'static str {
    match relation {
        Relation::Equal => "equal",
        Relation::Wider => "wider",
        Relation::Narrower => "narrower",
        Relation::Incomparable => "incomparable",
        Relation::Unknown => "unknown",
    }
}

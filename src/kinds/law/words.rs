//! What the law has found, in words and with its proof.

use crate::kind::{AccessChange, AccessExample, Address};
use crate::policy::describe::{self, Change};
use crate::policy::{
    Access, Document, Grants, Relation, RequestPrincipal, StatementRef, Witness, relate_grants,
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
pub(super) fn unknown(arn: &str, reason: Option<&str>) -> String {
    match reason {
        Some(reason) => format!("the document of {arn} is not known: {reason}"),
        None => format!("the document of {arn} is not known."),
    }
}

/// A change that could not be decided.
pub(super) fn undecided(subject: &Address, reason: String) -> AccessChange {
    AccessChange {
        subject: subject.to_string(),
        relation: Relation::Unknown.name().to_owned(),
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
    let sides = [before, after].map(|document| document.map(Grants::of).unwrap_or_default());
    let phrase = match subject.kind.as_str() {
        "repository" => Phrase::Resource,
        _ => Phrase::Policy,
    };
    Some(change(subject, &[(phrase, sides)]))
}

/// What the change of a role means: what it may do, and who may be it.
pub(super) fn role_change(
    subject: &Address,
    before: &Access<'_>,
    after: &Access<'_>,
) -> AccessChange {
    let may = [before.permissions(), after.permissions()];
    let trust = [before.trusted(), after.trusted()];
    change(subject, &[(Phrase::Role, may), (Phrase::Trust, trust)])
}

/// Who stands at the head of a sentence, and what is said of the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phrase {
    /// The role may do something.
    Role,
    /// Whoever has the policy may do something.
    Policy,
    /// Somebody may do something with the subject.
    Resource,
    /// Somebody may assume the subject.
    Trust,
}

/// The sentence of a witness that these grants allow, with the statement that does.
fn sentence(
    subject: &Address,
    phrase: Phrase,
    grants: &Grants<'_>,
    witness: &Witness,
    change: Change,
) -> String {
    let documents = grants.layers.first();
    let Some(document) = documents.and_then(|layer| layer.get(witness.document)) else {
        return permission(witness);
    };
    let sentence = describe::sentence(document, witness, change);
    let name = &subject.name;
    let whole = match phrase {
        Phrase::Role => format!("`{name}` {sentence}"),
        Phrase::Policy => format!("whoever has `{name}` {sentence}"),
        Phrase::Resource => sentence,
        Phrase::Trust => format!("{sentence} on `{name}`"),
    };
    let StatementRef { index, sid } = &witness.statement;
    let sid = sid
        .as_ref()
        .map_or_else(String::new, |sid| format!(" {sid}"));
    format!("{whole} (statement {index}{sid})")
}

fn change(subject: &Address, compared: &[(Phrase, [Grants<'_>; 2])]) -> AccessChange {
    let mut change = AccessChange {
        subject: subject.to_string(),
        ..AccessChange::default()
    };
    let mut relation = Relation::Equal;
    for (phrase, [before, after]) in compared {
        let comparison = relate_grants(before, after);
        relation = together(relation, comparison.relation);
        let examples = |witnesses: &[Witness], grants: &Grants<'_>, way: Change| {
            let example = |witness: &Witness| AccessExample {
                text: sentence(subject, *phrase, grants, witness, way),
                witness: serde_json::to_value(witness).unwrap_or_default(),
            };
            witnesses.iter().map(example).collect::<Vec<_>>()
        };
        change
            .gained
            .extend(examples(&comparison.gained, after, Change::Gained));
        change
            .lost
            .extend(examples(&comparison.lost, before, Change::Lost));
        if change.reason.is_none() {
            change.reason.clone_from(&comparison.reason);
        }
    }
    relation.name().clone_into(&mut change.relation);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_parts_together_are_one_way_only_where_neither_is_another() {
        use Relation::{Equal, Incomparable, Narrower, Unknown, Wider};
        for (one, other, both) in [
            (Equal, Equal, Equal),
            (Equal, Wider, Wider),
            (Wider, Equal, Wider),
            (Wider, Wider, Wider),
            (Narrower, Narrower, Narrower),
            (Wider, Narrower, Incomparable),
            (Incomparable, Equal, Incomparable),
            (Unknown, Wider, Unknown),
            (Equal, Unknown, Unknown),
        ] {
            assert_eq!(together(one, other), both, "{one:?} {other:?}");
            assert_eq!(together(other, one), both, "{other:?} {one:?}");
        }
    }
}

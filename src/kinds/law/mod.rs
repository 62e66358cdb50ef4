//! The law of IAM: what each subject may do, and who may be it, stays within what it was and what it
//! will be. The one file that may name several kinds.

mod access;
mod read;
mod words;

use std::collections::BTreeMap;

use crate::kind::{AccessChange, Address, Kind, Law, Refusal, RefusalCause, Snapshot};
use crate::policy::law::{self, Finding, outside};
use crate::policy::{Answer, Document, Grants};

use super::KINDS;
use super::policy::{self, Policy};
use super::role::{self, Role};
use access::{Sides, Worlds};
pub use read::observe;

/// Judges roles by their policies, boundary and trust, and repositories by their own policy.
#[derive(Clone, Debug, Default)]
pub struct IamLaw {
    /// The documents that are in no spec, by ARN: AWS managed policies, other people's.
    pub documents: BTreeMap<String, Document>,
    /// Why the document of an ARN is not known: a sentence.
    pub unread: BTreeMap<String, String>,
}

impl IamLaw {
    /// Why a policy decides nothing.
    fn unknown(&self, arn: &str) -> String {
        words::unknown(arn, self.unread.get(arn).map(String::as_str))
    }
}

impl Law for IamLaw {
    fn subjects(&self, world: &Snapshot, address: &Address) -> Vec<Address> {
        subjects(world, address)
    }

    fn holds(
        &self,
        subject: &Address,
        before: &Snapshot,
        after: &Snapshot,
        goal: &Snapshot,
    ) -> Result<(), Refusal> {
        if subject.kind != Role::NAME {
            return document_holds(subject, before, after, goal);
        }
        let worlds = Worlds::new(self, subject, [before, after, goal]);
        if worlds.same(0, 1) || worlds.same(1, 2) {
            return Ok(());
        }
        let [before, after, goal] = match worlds.sides() {
            Sides::Known(sides) => sides,
            Sides::Unknown(arn) => return Err(undecided(subject, &self.unknown(&arn))),
        };
        match law::gains(&before, &after, &goal) {
            Finding::Nothing => {}
            Finding::Unknown(reason) => return Err(undecided(subject, &reason)),
            Finding::Pair { assume, permission } => {
                return Err(wider(subject, &words::pair(&assume, &permission)));
            }
        }
        match law::losses(&before, &after, &goal) {
            Finding::Nothing => Ok(()),
            Finding::Unknown(reason) => Err(undecided(subject, &reason)),
            Finding::Pair { assume, permission } => {
                Err(gap(subject, &words::pair(&assume, &permission)))
            }
        }
    }

    fn broadens(&self, subject: &Address, before: &Snapshot, after: &Snapshot) -> bool {
        if !before.contains(subject) || !after.contains(subject) {
            return false;
        }
        if subject.kind != Role::NAME {
            return document_broadens(subject, before, after);
        }
        let worlds = Worlds::new(self, subject, [before, after]);
        if worlds.same(0, 1) {
            return false;
        }
        if worlds.changed_unknown(0, 1).is_some() {
            return true;
        }
        match worlds.sides() {
            Sides::Known([before, after]) => !law::gains(&before, &after, &before).is_nothing(),
            Sides::Unknown(_) => true,
        }
    }

    fn access(
        &self,
        subject: &Address,
        before: &Snapshot,
        after: &Snapshot,
    ) -> Option<AccessChange> {
        if !before.contains(subject) || !after.contains(subject) {
            return None;
        }
        if subject.kind != Role::NAME {
            let before = own_document(before, subject);
            let after = own_document(after, subject);
            return words::document_change(subject, before.as_ref(), after.as_ref());
        }
        let worlds = Worlds::new(self, subject, [before, after]);
        if worlds.same(0, 1) {
            return None;
        }
        if let Some(arn) = worlds.changed_unknown(0, 1) {
            return Some(words::undecided(subject, self.unknown(&arn)));
        }
        match worlds.sides() {
            Sides::Known([before, after]) => Some(words::role_change(subject, &before, &after)),
            Sides::Unknown(arn) => Some(words::undecided(subject, self.unknown(&arn))),
        }
    }
}

/// Whose access a call on this address may move.
#[must_use]
pub fn subjects(world: &Snapshot, address: &Address) -> Vec<Address> {
    match address.kind.as_str() {
        Role::NAME => vec![address.clone()],
        Policy::NAME => users(world, address),
        "repository" if own_document(world, address).is_some() => vec![address.clone()],
        _ => Vec::new(),
    }
}

/// The roles that have the policy attached or as their boundary; the policy itself where others,
/// whom the plan does not know, use it too.
fn users(world: &Snapshot, address: &Address) -> Vec<Address> {
    let Some(policy) = world.spec::<policy::Spec>(address) else {
        return Vec::new();
    };
    let arn = &policy.arn.0;
    let uses = |spec: &role::Spec| {
        spec.managed_policies.contains(arn) || spec.permissions_boundary.as_ref() == Some(arn)
    };
    let roles = world
        .of_kind(Role::NAME)
        .filter(|(_, spec)| spec.get::<role::Spec>().is_some_and(uses))
        .map(|(role, _)| role.clone());
    let itself = (!policy.others.0.is_empty()).then(|| address.clone());
    roles.chain(itself).collect()
}

/// The document of a subject that is judged by it alone: a repository's policy, or a policy that
/// others use.
fn own_document(world: &Snapshot, address: &Address) -> Option<Document> {
    let spec = world.get(address)?;
    let kind = KINDS.iter().find(|kind| kind.name() == address.kind)?;
    kind.documents(spec).into_values().next()
}

fn grants(document: Option<&Document>) -> Grants<'_> {
    document.map(Grants::of).unwrap_or_default()
}

fn document_holds(
    subject: &Address,
    before: &Snapshot,
    after: &Snapshot,
    goal: &Snapshot,
) -> Result<(), Refusal> {
    let [before, after, goal] = [before, after, goal].map(|world| own_document(world, subject));
    if after == before || after == goal {
        return Ok(());
    }
    let [before, after, goal] = [&before, &after, &goal].map(|document| grants(document.as_ref()));
    let first = |answer: Answer| match answer {
        Answer::None => Ok(None),
        Answer::Some(witnesses) => Ok(witnesses.first().map(words::permission)),
        Answer::Unknown(reason) => Err(undecided(subject, &reason)),
    };
    if let Some(gained) = first(outside(&[&after], &[&before, &goal]))? {
        return Err(wider(subject, &gained));
    }
    if let Some(lost) = first(outside(&[&before, &goal], &[&after]))? {
        return Err(gap(subject, &lost));
    }
    Ok(())
}

fn document_broadens(subject: &Address, before: &Snapshot, after: &Snapshot) -> bool {
    let [before, after] = [before, after].map(|world| own_document(world, subject));
    if before == after {
        return false;
    }
    // A Deny of a resource's policy holds back what other policies grant.
    let [denied_before, denied_after] =
        [&before, &after].map(|document| document.as_ref().map(Document::denied));
    let exceeds = |one: Option<&Document>, other: Option<&Document>| {
        outside(&[&grants(one)], &[&grants(other)]) != Answer::None
    };
    exceeds(after.as_ref(), before.as_ref())
        || exceeds(denied_before.as_ref(), denied_after.as_ref())
}

fn wider(subject: &Address, what: &str) -> Refusal {
    Refusal::new(
        RefusalCause::Wider,
        format!("{subject} would meanwhile allow what it does not allow at the end: {what}."),
    )
}

fn gap(subject: &Address, what: &str) -> Refusal {
    Refusal::new(
        RefusalCause::Gap,
        format!("{subject} would meanwhile lack what it keeps: {what}."),
    )
}

fn undecided(subject: &Address, reason: &str) -> Refusal {
    Refusal::new(
        RefusalCause::Wider,
        format!("Whether {subject} would meanwhile allow more could not be decided: {reason}"),
    )
}

#[cfg(test)]
mod random;
#[cfg(test)]
mod tests;

//! Other ways from one role to another, for when no order of the plain calls is lawful.

use super::{Call, Role, Spec};
use crate::kind::Kind;
use crate::kinds::documents::{self, HOLD, INLINE_SIZE, TRUST_SIZE};
use crate::policy::Document;

/// First the documents of before and after as one, then the inline Denies: of what is new, of what
/// goes, of everything.
pub(super) fn detours(
    role: Role,
    name: &str,
    before: Option<&Spec>,
    after: Option<&Spec>,
) -> Vec<Vec<Call>> {
    let Some(before) = before else {
        return Vec::new();
    };
    let plain = role.calls(name, Some(before), after);
    let mut detours = Vec::new();
    if let Some(after) = after
        && let Some(between) = between(before, after)
    {
        let mut calls = role.calls(name, Some(before), Some(&between));
        calls.extend(role.calls(name, Some(&between), Some(after)));
        detours.push(calls);
    }
    let old = || before.inline_policies.values();
    let new = || {
        after
            .into_iter()
            .flat_map(|after| after.inline_policies.values())
    };
    let holds = [
        documents::hold(new(), old()),
        documents::hold(old(), new()),
        documents::hold_everything(),
    ];
    detours.extend(
        holds
            .into_iter()
            .flatten()
            .map(|hold| held(&plain, hold, after.is_none())),
    );
    detours
}

/// The role with the statements of both.
fn between(before: &Spec, after: &Spec) -> Option<Spec> {
    let mut between = after.clone();
    if before.trust_policy != after.trust_policy {
        between.trust_policy =
            documents::both(&before.trust_policy, &after.trust_policy, TRUST_SIZE)?;
    }
    for (name, document) in &mut between.inline_policies {
        if let Some(old) = before
            .inline_policies
            .get(name)
            .filter(|old| *old != document)
        {
            *document = documents::both(old, document, INLINE_SIZE)?;
        }
    }
    let changed = between.trust_policy != after.trust_policy
        || between.inline_policies != after.inline_policies;
    let size: usize = between.inline_policies.values().map(Document::size).sum();
    (changed && size <= INLINE_SIZE).then_some(between)
}

/// The calls between putting the hold and removing it; a role is deleted after all else.
fn held(plain: &[Call], hold: Document, deletes: bool) -> Vec<Call> {
    let put = Call::PutInline {
        name: HOLD.to_owned(),
        document: hold,
    };
    let remove = Call::DeleteInline {
        name: HOLD.to_owned(),
    };
    // A hold left over by an earlier run is in the plain calls: it is overwritten, and goes last.
    let between = plain
        .iter()
        .filter(|call| **call != remove && !matches!(call, Call::Delete))
        .cloned();
    let delete = deletes.then_some(Call::Delete);
    std::iter::once(put)
        .chain(between)
        .chain([remove.clone()])
        .chain(delete)
        .collect()
}

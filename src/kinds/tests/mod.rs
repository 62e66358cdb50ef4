//! Laws that hold for every kind, for the tests of each to call with specs of its own; and the kinds
//! of IAM against the sandbox.

pub(crate) mod account;
mod iam;

use crate::kind::{Kind, Owned};

/// Every intermediate state of these calls from `before` on; each call is accepted, the effect of a
/// second one is nothing more, and the owner mark, once there, stays.
pub(super) fn fold<K: Kind>(
    kind: &K,
    before: Option<K::Spec>,
    calls: &[K::Call],
) -> Vec<Option<K::Spec>> {
    let mut states = vec![before.clone()];
    let mut state = before;
    for call in calls {
        let made = state.is_none();
        let owner = state
            .as_ref()
            .and_then(|spec| spec.owner().map(str::to_owned));
        let next = match kind.effect(state, call) {
            Ok(next) => next,
            Err(refusal) => panic!("refused: {}", refusal.message),
        };
        if let Some(spec) = &next {
            assert!(
                made || owner.is_none() || spec.owner().is_some(),
                "the mark is gone"
            );
        }
        if !made {
            let again = kind.effect(next.clone(), call);
            assert!(again == Ok(next.clone()), "twice is not the same as once");
        }
        states.push(next.clone());
        state = next;
    }
    states
}

/// The plain calls and every detour lead from one to the other.
pub(super) fn lead<K: Kind>(kind: &K, before: Option<&K::Spec>, after: Option<&K::Spec>) {
    let mut ways = vec![kind.calls("name", before, after)];
    ways.extend(kind.detours("name", before, after));
    for calls in ways {
        let states = fold(kind, before.cloned(), &calls);
        assert!(
            states.last() == Some(&after.cloned()),
            "the calls end elsewhere"
        );
    }
    assert!(kind.calls("name", after, after).is_empty());
}

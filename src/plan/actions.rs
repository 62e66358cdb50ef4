//! What the steps make up: one action per resource, with its changes, hazards and meaning.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Input, Scheduled, kind_of};
use crate::diff::diff;
use crate::error::Result;
use crate::kind::{Address, AnyKind, AnySpec, Hazard, Snapshot};

/// The actions, in the order of the kinds, deletes last and in reverse.
pub(super) fn actions(
    input: &Input<'_>,
    goal: &Snapshot,
    scheduled: &Scheduled,
) -> Result<Vec<Action>> {
    let mut steps_of: BTreeMap<&Address, Vec<usize>> = BTreeMap::new();
    for (position, step) in scheduled.steps.iter().enumerate() {
        steps_of.entry(&step.address).or_default().push(position);
    }
    let changed: BTreeSet<&Address> = steps_of.keys().copied().collect();
    let mut actions = Vec::new();
    for (address, steps) in &steps_of {
        let kind = kind_of(input.kinds, &address.kind)?;
        let mut action = action(input, kind, address, goal.get(address).cloned());
        for position in steps {
            if let Some(step) = scheduled.steps.get(*position) {
                action.hazards.extend(step.hazards.iter().copied());
            }
        }
        if replaces(input, kind, scheduled, &action, steps) {
            action.hazards.insert(Hazard::Replaces);
        }
        action.access = access(input, goal, scheduled, &changed, address, steps);
        action.steps.clone_from(steps);
        actions.push(action);
    }
    let order = |kind: &str| {
        input
            .kinds
            .iter()
            .position(|known| known.name() == kind)
            .unwrap_or(usize::MAX)
    };
    let (mut deletes, mut makes): (Vec<_>, Vec<_>) = actions
        .into_iter()
        .partition(|action| action.after.is_none());
    makes.sort_by_key(|action| order(&action.address.kind));
    deletes.sort_by_key(|action| std::cmp::Reverse(order(&action.address.kind)));
    makes.extend(deletes);
    Ok(makes)
}

fn action(
    input: &Input<'_>,
    kind: &dyn AnyKind,
    address: &Address,
    after: Option<AnySpec>,
) -> Action {
    let before = input.live.get(address).cloned();
    let mut documents: BTreeSet<String> = BTreeSet::new();
    for spec in before.iter().chain(&after) {
        documents.extend(kind.documents(spec).into_keys());
    }
    let changes = match (&before, &after) {
        (Some(before), Some(after)) => diff(&before.json(), &after.json(), &documents),
        _ => Vec::new(),
    };
    let hazards = ownership(input.mark, before.as_ref(), after.as_ref());
    let (steps, access) = (Vec::new(), Vec::new());
    Action {
        address: address.clone(),
        before,
        after,
        changes,
        documents,
        hazards,
        steps,
        access,
    }
}

fn ownership(mark: &str, before: Option<&AnySpec>, after: Option<&AnySpec>) -> BTreeSet<Hazard> {
    let mut hazards = BTreeSet::new();
    let Some(before) = before else { return hazards };
    match (before.owner(), after) {
        (_, None) => {
            hazards.insert(Hazard::Deletes);
        }
        (None, Some(after)) if after.owner() == Some(mark) => {
            hazards.insert(Hazard::Adopts);
        }
        (Some(owner), Some(_)) if owner != mark => {
            hazards.insert(Hazard::Foreign);
        }
        _ => {}
    }
    hazards
}

/// Whether the steps remove the resource on the way from one spec to another.
fn replaces(
    input: &Input<'_>,
    kind: &dyn AnyKind,
    scheduled: &Scheduled,
    action: &Action,
    steps: &[usize],
) -> bool {
    if action.after.is_none() {
        return false;
    }
    let mut state = input.live.get(&action.address).cloned();
    let mut was_there = state.is_some();
    for position in steps {
        let Some(step) = scheduled.steps.get(*position) else {
            continue;
        };
        state = kind.effect(state.as_ref(), &step.call).unwrap_or(state);
        if was_there && state.is_none() {
            return true;
        }
        was_there = state.is_some();
    }
    false
}

/// What the action means: for its own resource, and for each subject that has no action of its own.
fn access(
    input: &Input<'_>,
    goal: &Snapshot,
    scheduled: &Scheduled,
    changed: &BTreeSet<&Address>,
    address: &Address,
    steps: &[usize],
) -> Vec<crate::kind::AccessChange> {
    let mut subjects: BTreeSet<&Address> = BTreeSet::from([address]);
    for step in steps
        .iter()
        .filter_map(|position| scheduled.steps.get(*position))
    {
        subjects.extend(
            step.writes
                .iter()
                .filter(|subject| !changed.contains(subject)),
        );
    }
    subjects
        .into_iter()
        .filter_map(|subject| input.law.access(subject, input.live, goal))
        .collect()
}

//! What the loop cannot put in order at once: a bounded search over orders, then detours, then (if
//! the user accepts it) an order that is never wider but has a gap.

use std::collections::{BTreeMap, BTreeSet};

use super::schedule::Left;
use super::{Input, Pending, Scheduled, World, refused, schedule};
use crate::error::Result;
use crate::kind::{Address, RefusalCause, Snapshot};

#[cfg(test)]
mod tests;

/// Orders tried one by one: with more calls than this that move the same subjects, a search would
/// take longer than a person waits, and detours find what it would.
const MOST_SEARCHED_CALLS: usize = 8;
/// Schedules tried in all: each costs milliseconds, so the search ends within a few seconds.
const MOST_ATTEMPTS: usize = 400;

/// Puts the calls in a lawful order, or says why there is none.
pub(super) fn lawful<'a>(
    input: &Input<'a>,
    goal: &Snapshot,
    world: World,
    pending: Vec<Pending<'a>>,
) -> Result<Scheduled> {
    let (scheduled, left) = schedule(input, goal, world.clone(), pending.clone(), false);
    if left.is_empty() {
        return Ok(scheduled);
    }
    if !left.iter().any(|(_, refusal)| is_law(refusal.cause))
        || left.iter().any(|(_, refusal)| {
            matches!(
                refusal.cause,
                RefusalCause::Blocked | RefusalCause::Immutable
            )
        })
    {
        return Err(refused(&left));
    }
    let entangled = entangled(input, &pending, &left);
    let attempt = |pending: Vec<Pending<'a>>| {
        let (scheduled, left) = schedule(input, goal, world.clone(), pending, false);
        left.is_empty().then_some(scheduled)
    };
    if let Some(found) = orders(&pending, &entangled, attempt) {
        return Ok(found);
    }
    if let Some(found) = detours(input, goal, &pending, &entangled, attempt) {
        return Ok(found);
    }
    if input.interrupts {
        let (scheduled, left) = schedule(input, goal, world, pending, true);
        if left.is_empty() {
            return Ok(scheduled);
        }
        return Err(refused(&left));
    }
    Err(refused(&left))
}

fn is_law(cause: RefusalCause) -> bool {
    matches!(cause, RefusalCause::Wider | RefusalCause::Gap)
}

/// The addresses whose calls move the same subjects as what is left, near and far.
fn entangled(input: &Input<'_>, pending: &[Pending<'_>], left: &Left<'_>) -> BTreeSet<Address> {
    let mut moved: BTreeMap<&Address, BTreeSet<Address>> = BTreeMap::new();
    for call in pending {
        moved.entry(&call.address).or_insert_with(|| {
            let mut subjects: BTreeSet<Address> = input
                .law
                .subjects(input.live, &call.address)
                .into_iter()
                .collect();
            subjects.extend(input.law.subjects(input.desired, &call.address));
            subjects.insert(call.address.clone());
            subjects
        });
    }
    let mut found: BTreeSet<Address> = left
        .iter()
        .map(|(pending, _)| pending.address.clone())
        .collect();
    loop {
        let subjects: BTreeSet<&Address> = found
            .iter()
            .filter_map(|address| moved.get(address))
            .flatten()
            .collect();
        let more: Vec<Address> = moved
            .iter()
            .filter(|(address, moves)| {
                !found.contains(**address) && moves.iter().any(|subject| subjects.contains(subject))
            })
            .map(|(address, _)| (*address).clone())
            .collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

/// Tries the orders of the entangled calls, each put before all others.
fn orders<'a>(
    pending: &[Pending<'a>],
    entangled: &BTreeSet<Address>,
    attempt: impl Fn(Vec<Pending<'a>>) -> Option<Scheduled>,
) -> Option<Scheduled> {
    let (near, far): (Vec<_>, Vec<_>) = pending
        .iter()
        .cloned()
        .partition(|call| entangled.contains(&call.address));
    if near.len() > MOST_SEARCHED_CALLS {
        return None;
    }
    let mut attempts = 0;
    let mut order: Vec<usize> = (0..near.len()).collect();
    while next_permutation(&mut order) {
        attempts += 1;
        if attempts > MOST_ATTEMPTS {
            return None;
        }
        let calls = order
            .iter()
            .filter_map(|position| near.get(*position).cloned())
            .chain(far.clone());
        if let Some(found) = attempt(calls.collect()) {
            return Some(found);
        }
    }
    None
}

/// The next permutation in lexicographic order; false after the last.
fn next_permutation(order: &mut [usize]) -> bool {
    let Some(pivot) = (1..order.len())
        .rev()
        .find(|at| order.get(at - 1) < order.get(*at))
    else {
        return false;
    };
    let Some(successor) = (pivot..order.len())
        .rev()
        .find(|at| order.get(*at) > order.get(pivot - 1))
    else {
        return false;
    };
    order.swap(pivot - 1, successor);
    if let Some(tail) = order.get_mut(pivot..) {
        tail.reverse();
    }
    true
}

/// Tries the detours of the entangled resources: one at a time, each kind of detour for all of them
/// at once, then pairs.
fn detours<'a>(
    input: &Input<'a>,
    goal: &Snapshot,
    pending: &[Pending<'a>],
    entangled: &BTreeSet<Address>,
    attempt: impl Fn(Vec<Pending<'a>>) -> Option<Scheduled>,
) -> Option<Scheduled> {
    let mut choices: Vec<(Address, usize, Vec<Pending<'a>>)> = Vec::new();
    for address in entangled {
        let Some(kind) = input.kinds.iter().find(|kind| kind.name() == address.kind) else {
            continue;
        };
        let runner = pending
            .iter()
            .any(|call| call.address == *address && call.runner);
        let detours = kind.detours(&address.name, input.live.get(address), goal.get(address));
        for (index, calls) in detours.into_iter().enumerate() {
            let last = calls.len().saturating_sub(1);
            let calls = calls
                .into_iter()
                .enumerate()
                .map(|(position, call)| Pending {
                    in_order: true,
                    late: position == last,
                    runner,
                    ..Pending::new(*kind, address.clone(), call)
                });
            choices.push((address.clone(), index, calls.collect()));
        }
    }
    let singles = choices.iter().map(|choice| vec![choice]);
    let most = choices
        .iter()
        .map(|(_, index, _)| *index)
        .max()
        .unwrap_or(0);
    let together = (0..=most)
        .map(|wanted| {
            choices
                .iter()
                .filter(|(_, index, _)| *index == wanted)
                .collect::<Vec<_>>()
        })
        .filter(|chosen| chosen.len() > 1);
    let pairs = choices.iter().enumerate().flat_map(|(at, first)| {
        choices
            .iter()
            .skip(at)
            .filter(|second| second.0 != first.0)
            .map(move |second| vec![first, second])
    });
    singles
        .chain(together)
        .chain(pairs)
        .take(MOST_ATTEMPTS)
        .find_map(|chosen| attempt(with_detours(pending, &chosen)))
}

fn with_detours<'a>(
    pending: &[Pending<'a>],
    chosen: &[&(Address, usize, Vec<Pending<'a>>)],
) -> Vec<Pending<'a>> {
    let mut calls: Vec<Pending<'a>> = Vec::new();
    for (_, _, detour) in chosen {
        calls.extend(detour.iter().cloned());
    }
    calls.extend(
        pending
            .iter()
            .filter(|call| {
                !chosen
                    .iter()
                    .any(|(address, _, _)| *address == call.address)
            })
            .cloned(),
    );
    calls
}

//! The loop that puts calls in order: go through what is left, take each call that its effect
//! accepts, that leaves no reference dangling and that is lawful; repeat until a pass takes none.

use std::collections::BTreeSet;

use super::{Input, Step, World};
use crate::kind::{Address, AnyCall, AnyKind, AnySpec, Hazard, Refusal, RefusalCause, Snapshot};
use crate::planted::{Bug, planted};

/// A call that has no place yet.
#[derive(Clone)]
pub(crate) struct Pending<'a> {
    /// Its kind.
    pub(crate) kind: &'a dyn AnyKind,
    /// The resource that it changes.
    pub(crate) address: Address,
    /// The call.
    pub(crate) call: AnyCall,
    /// Whether it may only follow the calls of its resource that are listed before it (a detour).
    pub(crate) in_order: bool,
    /// Whether it is taken only when nothing else can be.
    pub(crate) late: bool,
    /// Whether it moves the access of the run itself.
    pub(crate) runner: bool,
}

impl<'a> Pending<'a> {
    /// An ordinary call, free to be interleaved.
    pub(crate) fn new(kind: &'a dyn AnyKind, address: Address, call: AnyCall) -> Self {
        Self {
            kind,
            address,
            call,
            in_order: false,
            late: false,
            runner: false,
        }
    }
}

/// What a schedule came to.
pub(crate) struct Scheduled {
    /// The world after the steps.
    pub(crate) world: Snapshot,
    /// The calls that were taken, in order.
    pub(crate) steps: Vec<Step>,
}

/// What a schedule could not place, each with the last refusal.
pub(crate) type Left<'a> = Vec<(Pending<'a>, Refusal)>;

/// Puts the calls in order from this world on. With `gaps`, a call that the law refuses only for
/// what would be lost meanwhile is taken when nothing else can be, marked `interrupts`.
pub(crate) fn schedule<'a>(
    input: &Input<'a>,
    goal: &Snapshot,
    mut world: World,
    mut left: Vec<Pending<'a>>,
    gaps: bool,
) -> (Scheduled, Left<'a>) {
    let mut steps = Vec::new();
    loop {
        let taken_before = steps.len();
        let mut refused = pass(input, goal, &mut world, left, &mut steps);
        if refused.is_empty() {
            return (
                Scheduled {
                    world: world.now,
                    steps,
                },
                Vec::new(),
            );
        }
        if steps.len() == taken_before {
            let Some(position) = fallback(input, goal, &mut world, &refused, gaps, &mut steps)
            else {
                return (
                    Scheduled {
                        world: world.now,
                        steps,
                    },
                    refused,
                );
            };
            refused.remove(position);
        }
        left = refused.into_iter().map(|(pending, _)| pending).collect();
    }
}

/// One pass over what is left; returns what was not taken.
fn pass<'a>(
    input: &Input<'a>,
    goal: &Snapshot,
    world: &mut World,
    left: Vec<Pending<'a>>,
    steps: &mut Vec<Step>,
) -> Left<'a> {
    let mut refused: Left<'a> = Vec::new();
    let mut waiting: BTreeSet<Address> = BTreeSet::new();
    for pending in left {
        let outcome = if pending.late || pending.runner {
            Err(Refusal::not_yet("It is kept for last."))
        } else if pending.in_order && waiting.contains(&pending.address) {
            Err(Refusal::not_yet(
                "An earlier call on the same resource comes first.",
            ))
        } else {
            take(input, goal, world, &pending, false)
        };
        match outcome {
            Ok(step) => steps.push(step),
            Err(refusal) => {
                waiting.insert(pending.address.clone());
                refused.push((pending, refusal));
            }
        }
    }
    refused
}

/// When a pass took nothing: a call that was kept for last, else one with a gap.
fn fallback(
    input: &Input<'_>,
    goal: &Snapshot,
    world: &mut World,
    refused: &Left<'_>,
    gaps: bool,
    steps: &mut Vec<Step>,
) -> Option<usize> {
    let late = |pending: &Pending<'_>| pending.late && !pending.runner;
    let runner = |pending: &Pending<'_>| pending.runner;
    for kept in [&late as &dyn Fn(&Pending<'_>) -> bool, &runner] {
        for (position, (pending, _)) in refused.iter().enumerate() {
            let first = !pending.in_order
                || !refused
                    .iter()
                    .take(position)
                    .any(|(other, _)| other.address == pending.address);
            if !kept(pending) || !first {
                continue;
            }
            if let Ok(step) = take(input, goal, world, pending, false) {
                steps.push(step);
                return Some(position);
            }
        }
    }
    if !gaps {
        return None;
    }
    for (position, (pending, refusal)) in refused.iter().enumerate() {
        if refusal.cause == RefusalCause::Gap
            && let Ok(step) = take(input, goal, world, pending, true)
        {
            steps.push(step);
            return Some(position);
        }
    }
    None
}

/// Takes one call, if its effect accepts it, no reference dangles and the law holds.
fn take(
    input: &Input<'_>,
    goal: &Snapshot,
    world: &mut World,
    pending: &Pending<'_>,
    gaps: bool,
) -> Result<Step, Refusal> {
    let address = &pending.address;
    let before = world.now.get(address).cloned();
    let after = pending.kind.effect(before.as_ref(), &pending.call)?;
    let refers = after
        .as_ref()
        .map(|after| pending.kind.refers(after))
        .unwrap_or_default();
    if let Some(missing) = world.missing(&refers) {
        return Err(Refusal::not_yet(format!(
            "It needs {missing}, which is not there yet."
        )));
    }
    if before.is_some()
        && after.is_none()
        && let Some(referrer) = world.referrer(address)
    {
        return Err(Refusal::not_yet(format!("{referrer} still uses it.")));
    }
    world.trial.set(address, after.clone());
    let judged = judge(input, goal, world, pending, gaps);
    let (subjects, mut hazards) = match judged {
        Ok(judged) => judged,
        Err(refusal) => {
            world.trial.set(address, before);
            return Err(refusal);
        }
    };
    hazards.extend(pending.kind.hazards(&pending.call));
    let mut reads: BTreeSet<Address> = world.refers(address).iter().cloned().collect();
    reads.extend(refers.iter().cloned());
    let mut writes = subjects;
    writes.insert(address.clone());
    world.accept(address, after, refers);
    Ok(Step {
        address: address.clone(),
        call: pending.call.clone(),
        reads,
        writes,
        hazards,
        last: pending.runner,
    })
}

/// Asks the law about every subject whose access the call at trial may move.
fn judge(
    input: &Input<'_>,
    goal: &Snapshot,
    world: &World,
    pending: &Pending<'_>,
    gaps: bool,
) -> Result<(BTreeSet<Address>, BTreeSet<Hazard>), Refusal> {
    let mut subjects: BTreeSet<Address> = BTreeSet::new();
    subjects.extend(input.law.subjects(&world.now, &pending.address));
    subjects.extend(input.law.subjects(&world.trial, &pending.address));
    let mut hazards = BTreeSet::new();
    for subject in &subjects {
        match input.law.holds(subject, &world.now, &world.trial, goal) {
            Err(refusal)
                if refusal.cause == RefusalCause::Wider && planted(Bug::TrustBeforeBoundary) => {}
            Err(refusal) if refusal.cause == RefusalCause::Gap && planted(Bug::RemoveBeforeAdd) => {
            }
            Err(refusal) if gaps && refusal.cause == RefusalCause::Gap => {
                hazards.insert(Hazard::Interrupts);
            }
            held => held?,
        }
        if was_whole(input, goal, subject) && input.law.broadens(subject, &world.now, &world.trial)
        {
            hazards.insert(Hazard::Broadens);
        }
    }
    Ok((subjects, hazards))
}

/// Whether the subject was there before this plan, and not as a creation that was left half done.
fn was_whole(input: &Input<'_>, goal: &Snapshot, subject: &Address) -> bool {
    let Some(live) = input.live.get(subject) else {
        return false;
    };
    let Some(kind) = input.kinds.iter().find(|kind| kind.name() == subject.kind) else {
        return true;
    };
    !is_unfinished(*kind, subject, live, goal.get(subject), input.mark)
}

/// Whether a live resource of ours equals a state of its own creation: a prefix of its creating
/// calls. The whole of it does not count.
pub(crate) fn is_unfinished(
    kind: &dyn AnyKind,
    address: &Address,
    live: &AnySpec,
    goal: Option<&AnySpec>,
    mark: &str,
) -> bool {
    let Some(goal) = goal else { return false };
    if live == goal || live.owner() != Some(mark) {
        return false;
    }
    let mut state: Option<AnySpec> = None;
    for call in kind.calls(&address.name, None, Some(goal)) {
        match kind.effect(state.as_ref(), &call) {
            Ok(next) => state = next,
            Err(_) => return false,
        }
        if state.as_ref() == Some(live) {
            return true;
        }
    }
    false
}

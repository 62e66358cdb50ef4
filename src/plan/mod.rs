//! What has to be done, in order: a dry run of every call that leads from live to the goal.
//! Pure: no clock, no network, no randomness; the same input in any order gives the same plan.

mod actions;
mod schedule;
mod search;
#[cfg(test)]
mod tests;
mod world;

use std::collections::BTreeSet;

use crate::diff::Change;
use crate::error::{Error, ErrorKind, Result};
use crate::kind::{
    AccessChange, Address, AnyCall, AnyKind, AnySpec, Hazard, Law, Refusal, RefusalCause, Snapshot,
};

pub(crate) use self::schedule::{Pending, Scheduled, schedule};
pub(crate) use self::world::World;

/// A call in its place in the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The resource that the call changes.
    pub address: Address,
    /// The call.
    pub call: AnyCall,
    /// The resources that must stay as they are while it runs.
    pub reads: BTreeSet<Address>,
    /// Its own address and the subjects whose access it may move.
    pub writes: BTreeSet<Address>,
    /// The hazards of this call.
    pub hazards: BTreeSet<Hazard>,
    /// Whether it has to wait for every earlier step: it narrows the role of the run itself.
    pub last: bool,
}

/// What the plan does to one resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// The resource.
    pub address: Address,
    /// As it is; `None` where it is not there.
    pub before: Option<AnySpec>,
    /// As it will be; `None` where it is deleted.
    pub after: Option<AnySpec>,
    /// The differing fields; empty where it is created or deleted.
    pub changes: Vec<Change>,
    /// The field paths that hold policy documents.
    pub documents: BTreeSet<String>,
    /// Why it may need `--allow`.
    pub hazards: BTreeSet<Hazard>,
    /// Its steps, as positions in `Plan::steps`.
    pub steps: Vec<usize>,
    /// What it means for whom.
    pub access: Vec<AccessChange>,
}

/// What an action does, as its symbol says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `+`
    Create,
    /// `~`
    Change,
    /// `-`
    Delete,
    /// `±`
    Replace,
}

impl Action {
    /// What it does.
    #[must_use]
    pub fn verb(&self) -> Verb {
        match (&self.before, &self.after) {
            (None, _) => Verb::Create,
            (Some(_), None) => Verb::Delete,
            (Some(_), Some(_)) if self.hazards.contains(&Hazard::Replaces) => Verb::Replace,
            (Some(_), Some(_)) => Verb::Change,
        }
    }
}

/// The ordered steps, and the actions that they make up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The calls, in an order that is lawful.
    pub steps: Vec<Step>,
    /// One action per resource that changes, in the order of the kinds, deletes last.
    pub actions: Vec<Action>,
    /// What is there and as declared.
    pub unchanged: Snapshot,
    /// The world when all is done: what is declared, with what is kept from live.
    pub goal: Snapshot,
    /// What else is worth saying, by resource.
    pub notes: Vec<(Address, String)>,
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.actions.is_empty()
    }

    /// Every hazard of the plan.
    #[must_use]
    pub fn hazards(&self) -> BTreeSet<Hazard> {
        self.actions
            .iter()
            .flat_map(|action| action.hazards.iter().copied())
            .collect()
    }
}

/// What a plan is made from.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// Every kind, in the order in which they are made.
    pub kinds: &'a [&'a dyn AnyKind],
    /// What may never happen between two calls.
    pub law: &'a dyn Law,
    /// What infra.toml declares.
    pub desired: &'a Snapshot,
    /// What is there: what is declared, and what carries our mark.
    pub live: &'a Snapshot,
    /// Our owner mark: only what carries it is ever deleted.
    pub mark: &'a str,
    /// The role under which the run itself acts; calls that move its access come last.
    pub runner: Option<&'a Address>,
    /// Whether an order with a gap is acceptable where no other one is lawful.
    pub interrupts: bool,
}

/// The kind of this name.
pub fn kind_of<'a>(kinds: &[&'a dyn AnyKind], name: &str) -> Result<&'a dyn AnyKind> {
    kinds
        .iter()
        .find(|kind| kind.name() == name)
        .copied()
        .ok_or_else(|| Error::bug(format!("There is no kind {name}.")))
}

/// The goal: what is declared with what is kept from live, and what is there without being ours.
pub fn goal(
    kinds: &[&dyn AnyKind],
    desired: &Snapshot,
    live: &Snapshot,
    mark: &str,
) -> Result<Snapshot> {
    let mut goal = Snapshot::new();
    for (address, desired) in desired.iter() {
        let live = live.get(address);
        let kept = kind_of(kinds, &address.kind)?.keep(desired, live);
        // An equal spec is taken from live itself, so that later comparisons are of pointers.
        let spec = live.filter(|live| **live == kept).cloned().unwrap_or(kept);
        goal.set(address, Some(spec));
    }
    for (address, live) in live.iter() {
        if !goal.contains(address) && live.owner() != Some(mark) {
            goal.set(address, Some(live.clone()));
        }
    }
    Ok(goal)
}

/// The plan that leads from live to the goal.
///
/// # Errors
/// `Refused` where AWS would refuse a call in any order or where no order is lawful; `Config` where
/// an immutable attribute differs; `Bug` where the dry run does not end at the goal.
pub fn plan(input: &Input<'_>) -> Result<Plan> {
    let goal = goal(input.kinds, input.desired, input.live, input.mark)?;
    let pending = pending(input, &goal);
    let world = World::new(input.kinds, input.live, &goal)?;
    let scheduled = search::lawful(input, &goal, world, pending)?;
    if let Some(difference) = first_difference(&scheduled.world, &goal) {
        return Err(Error::bug("The dry run of the plan does not end as declared.").at(difference));
    }
    let actions = actions::actions(input, &goal, &scheduled)?;
    let unchanged = goal
        .iter()
        .filter(|(address, spec)| input.live.get(address) == Some(*spec))
        .map(|(address, spec)| (address.clone(), spec.clone()))
        .collect();
    let notes = notes(input, &scheduled)?;
    Ok(Plan {
        steps: scheduled.steps,
        actions,
        unchanged,
        goal,
        notes,
    })
}

fn first_difference<'a>(world: &'a Snapshot, goal: &'a Snapshot) -> Option<&'a Address> {
    world
        .iter()
        .find(|(address, spec)| goal.get(address) != Some(*spec))
        .or_else(|| goal.iter().find(|(address, _)| !world.contains(address)))
        .map(|(address, _)| address)
}

/// All calls: creates and updates in the order of the kinds, then deletes in reverse.
fn pending<'a>(input: &Input<'a>, goal: &Snapshot) -> Vec<Pending<'a>> {
    let mut makes = Vec::new();
    let mut deletes = Vec::new();
    let addresses: BTreeSet<&Address> = goal.addresses().chain(input.live.addresses()).collect();
    for (order, kind) in input.kinds.iter().enumerate() {
        for address in addresses
            .iter()
            .filter(|address| address.kind == kind.name())
        {
            let (before, after) = (input.live.get(address), goal.get(address));
            if before == after {
                continue;
            }
            let calls = kind.calls(&address.name, before, after);
            let into = if after.is_some() {
                &mut makes
            } else {
                &mut deletes
            };
            into.push((
                order,
                calls
                    .into_iter()
                    .map(|call| Pending::new(*kind, (*address).clone(), call))
                    .collect::<Vec<_>>(),
            ));
        }
    }
    deletes.sort_by_key(|(order, _)| std::cmp::Reverse(*order));
    let mut pending: Vec<_> = makes
        .into_iter()
        .chain(deletes)
        .flat_map(|(_, calls)| calls)
        .collect();
    for call in &mut pending {
        let subjects = input.law.subjects(input.live, &call.address);
        call.runner = input
            .runner
            .is_some_and(|runner| call.address == *runner || subjects.contains(runner));
    }
    pending
}

fn notes(input: &Input<'_>, scheduled: &Scheduled) -> Result<Vec<(Address, String)>> {
    let mut notes = Vec::new();
    for (address, desired) in input.desired.iter() {
        let kind = kind_of(input.kinds, &address.kind)?;
        for note in kind.notes(desired, input.live.get(address)) {
            notes.push((address.clone(), note));
        }
    }
    if let Some(step) = scheduled.steps.iter().find(|step| step.last) {
        let note = "This run acts under this role; the calls that change what it may do come last.";
        notes.push((step.address.clone(), note.to_owned()));
    }
    Ok(notes)
}

/// The error for what could not be placed.
fn refused(left: &[(Pending<'_>, Refusal)]) -> Error {
    let worst = [RefusalCause::Immutable, RefusalCause::Blocked]
        .into_iter()
        .find(|cause| left.iter().any(|(_, refusal)| refusal.cause == *cause));
    let chosen: Vec<_> = match worst {
        Some(worst) => left
            .iter()
            .filter(|(_, refusal)| refusal.cause == worst)
            .collect(),
        None => Vec::new(),
    };
    if let Some((first, refusal)) = chosen.first() {
        let kind = match refusal.cause {
            RefusalCause::Immutable => ErrorKind::Config,
            _ => ErrorKind::Refused,
        };
        let mut messages: Vec<String> = vec![refusal.message.clone()];
        for (pending, refusal) in chosen.iter().skip(1) {
            let line = format!("{}: {}", pending.address, refusal.message);
            if !messages.contains(&line) && Some(&refusal.message) != messages.first() {
                messages.push(line);
            }
        }
        let error = Error::new(kind, messages.join("\n")).at(&first.address);
        return match &refusal.hint {
            Some(hint) => error.hint(hint.clone()),
            None => error,
        };
    }
    no_lawful_order(left)
}

fn no_lawful_order(left: &[(Pending<'_>, Refusal)]) -> Error {
    let by_law = left
        .iter()
        .find(|(_, refusal)| matches!(refusal.cause, RefusalCause::Wider | RefusalCause::Gap));
    if let Some((pending, refusal)) = by_law {
        return Error::refused(format!(
            "No order of these changes keeps everybody's access between what it was and what it will be: {}",
            refusal.message
        ))
        .at(&pending.address)
        .hint("Split this into two applies, or accept a gap with --allow interrupts.");
    }
    let reasons: Vec<String> = left
        .iter()
        .map(|(pending, refusal)| format!("{}: {}", pending.address, refusal.message))
        .collect();
    Error::bug(format!(
        "The plan cannot be put in order.\n{}",
        reasons.join("\n")
    ))
}

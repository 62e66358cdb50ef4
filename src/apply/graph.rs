//! The plan's own partial order: a step waits for the earlier ones whose sets clash with its own.
//! Writes clash with writes and with reads; two reads do not.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::Address;
use crate::plan::Step;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Started,
    Finished,
    Failed,
    /// Found done already, or dropped when the rest was put in order again.
    Dropped,
}

/// Steps, who waits for whom, and what has become of each.
pub(super) struct Graph {
    steps: Vec<Step>,
    states: Vec<State>,
    /// For each step, how many unfinished ones it waits for.
    waits: Vec<usize>,
    /// For each step, those that wait for it.
    followers: Vec<Vec<usize>>,
    ready: BTreeSet<usize>,
    touched: BTreeSet<Address>,
    lost: BTreeSet<Address>,
}

impl Graph {
    pub(super) fn new(steps: Vec<Step>) -> Self {
        let mut graph = Self {
            states: vec![State::Waiting; steps.len()],
            waits: vec![0; steps.len()],
            followers: vec![Vec::new(); steps.len()],
            ready: BTreeSet::new(),
            touched: BTreeSet::new(),
            lost: BTreeSet::new(),
            steps,
        };
        graph.link(0);
        graph
    }

    /// Links the steps from this position on among themselves.
    fn link(&mut self, from: usize) {
        let mut last_write: BTreeMap<Address, usize> = BTreeMap::new();
        let mut reads_since: BTreeMap<Address, Vec<usize>> = BTreeMap::new();
        let mut barrier: Option<usize> = None;
        let mut edges: Vec<BTreeSet<usize>> = Vec::new();
        for (position, step) in self.steps.iter().enumerate().skip(from) {
            let mut earlier: BTreeSet<usize> = barrier.into_iter().collect();
            for address in &step.writes {
                earlier.extend(last_write.get(address));
                earlier.extend(reads_since.get(address).into_iter().flatten());
            }
            for address in &step.reads {
                earlier.extend(last_write.get(address));
            }
            if step.last {
                earlier.extend(from..position);
                barrier = Some(position);
            }
            for address in &step.writes {
                last_write.insert(address.clone(), position);
                reads_since.remove(address);
            }
            for address in step.reads.difference(&step.writes) {
                reads_since
                    .entry(address.clone())
                    .or_default()
                    .push(position);
            }
            edges.push(earlier);
        }
        for (offset, earlier) in edges.into_iter().enumerate() {
            let position = from + offset;
            if let Some(waits) = self.waits.get_mut(position) {
                *waits = earlier.len();
            }
            if earlier.is_empty() {
                self.ready.insert(position);
            }
            for before in earlier {
                if let Some(followers) = self.followers.get_mut(before) {
                    followers.push(position);
                }
            }
        }
    }

    pub(super) fn step(&self, position: usize) -> Option<&Step> {
        self.steps.get(position)
    }

    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The steps that wait for nothing, now counted as started.
    pub(super) fn take_ready(&mut self) -> Vec<(usize, Step)> {
        let ready = std::mem::take(&mut self.ready);
        let mut taken = Vec::new();
        for position in ready {
            if let (Some(state), Some(step)) =
                (self.states.get_mut(position), self.steps.get(position))
            {
                *state = State::Started;
                self.touched.insert(step.address.clone());
                taken.push((position, step.clone()));
            }
        }
        taken
    }

    pub(super) fn finish(&mut self, position: usize) {
        self.leave(position, State::Finished);
    }

    /// A failed step: what waits for it stays waiting, until the rest is put in order again.
    pub(super) fn fail(&mut self, position: usize) {
        if let Some(state) = self.states.get_mut(position) {
            *state = State::Failed;
        }
    }

    fn leave(&mut self, position: usize, state: State) {
        if let Some(current) = self.states.get_mut(position) {
            *current = state;
        }
        self.ready.remove(&position);
        let followers = self
            .followers
            .get_mut(position)
            .map(std::mem::take)
            .unwrap_or_default();
        for follower in followers {
            if let Some(waits) = self.waits.get_mut(follower) {
                *waits = waits.saturating_sub(1);
                if *waits == 0 && self.states.get(follower) == Some(&State::Waiting) {
                    self.ready.insert(follower);
                }
            }
        }
    }

    /// Drops the waiting steps of a resource that is as declared already; returns them.
    pub(super) fn drop_address(&mut self, address: &Address) -> Vec<Step> {
        let positions: Vec<usize> = self
            .positions(State::Waiting)
            .filter(|at| {
                self.steps
                    .get(*at)
                    .is_some_and(|step| step.address == *address)
            })
            .collect();
        for position in &positions {
            self.leave(*position, State::Dropped);
        }
        positions
            .iter()
            .filter_map(|at| self.steps.get(*at).cloned())
            .collect()
    }

    /// Puts these steps in place of all that wait.
    pub(super) fn replace(&mut self, steps: Vec<Step>) {
        let waiting: Vec<usize> = self.positions(State::Waiting).collect();
        for position in waiting {
            if let (Some(state), Some(step)) =
                (self.states.get_mut(position), self.steps.get(position))
            {
                *state = State::Dropped;
                self.lost.insert(step.address.clone());
            }
        }
        self.ready.clear();
        let from = self.steps.len();
        for step in steps {
            self.lost.remove(&step.address);
            self.steps.push(step);
            self.states.push(State::Waiting);
            self.waits.push(0);
            self.followers.push(Vec::new());
        }
        self.link(from);
    }

    fn positions(&self, wanted: State) -> impl Iterator<Item = usize> + '_ {
        self.states
            .iter()
            .enumerate()
            .filter(move |(_, state)| **state == wanted)
            .map(|(at, _)| at)
    }

    /// The steps that have not begun.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Step> {
        self.positions(State::Waiting)
            .filter_map(|at| self.steps.get(at))
    }

    /// The steps that have not begun, or have not ended.
    pub(super) fn unfinished(&self) -> impl Iterator<Item = &Step> {
        self.states
            .iter()
            .zip(&self.steps)
            .filter(|(state, _)| matches!(state, State::Waiting | State::Started))
            .map(|(_, step)| step)
    }

    pub(super) fn is_done(&self) -> bool {
        self.unfinished().next().is_none()
    }

    /// Whether this run has begun a step on this resource.
    pub(super) fn touched(&self, address: &Address) -> bool {
        self.touched.contains(address)
    }

    /// Whether steps of this resource were given up after a failure.
    pub(super) fn was_dropped(&self, address: &Address) -> bool {
        self.lost.contains(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::AnyCall;

    fn step(name: &str, reads: &[&str], writes: &[&str]) -> Step {
        let set = |names: &[&str]| names.iter().map(|name| Address::new("x", *name)).collect();
        Step {
            address: Address::new("x", name),
            call: AnyCall::new(name.to_owned()),
            reads: set(reads),
            writes: set(writes),
            hazards: BTreeSet::new(),
            last: false,
        }
    }

    fn ready(graph: &mut Graph) -> Vec<usize> {
        graph
            .take_ready()
            .into_iter()
            .map(|(position, _)| position)
            .collect()
    }

    #[test]
    fn writes_wait_for_writes_and_reads_and_reads_do_not_wait_for_reads() {
        let mut graph = Graph::new(vec![
            step("a", &[], &["a"]),
            step("b", &["a"], &["b"]),
            step("c", &["a"], &["c"]),
            step("a", &[], &["a"]),
        ]);
        assert_eq!(ready(&mut graph), [0]);
        graph.finish(0);
        assert_eq!(ready(&mut graph), [1, 2]);
        graph.finish(1);
        assert_eq!(ready(&mut graph), [0; 0]);
        graph.finish(2);
        assert_eq!(ready(&mut graph), [3]);
    }

    #[test]
    fn the_runs_own_role_waits_for_everything_and_everything_after_waits_for_it() {
        let mut own = step("own", &[], &["own"]);
        own.last = true;
        let mut graph = Graph::new(vec![step("a", &[], &["a"]), own, step("b", &[], &["b"])]);
        assert_eq!(ready(&mut graph), [0]);
        graph.finish(0);
        assert_eq!(ready(&mut graph), [1]);
        graph.finish(1);
        assert_eq!(ready(&mut graph), [2]);
    }

    #[test]
    fn what_waits_for_a_failed_step_is_not_begun() {
        let mut graph = Graph::new(vec![step("a", &[], &["a"]), step("b", &["a"], &["b"])]);
        assert_eq!(ready(&mut graph), [0]);
        graph.fail(0);
        assert!(!graph.has_ready());
        graph.replace(vec![]);
        assert!(graph.is_done());
        assert!(graph.was_dropped(&Address::new("x", "b")));
    }
}

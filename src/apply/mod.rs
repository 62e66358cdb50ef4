//! Performs a plan: steps side by side in the plan's own partial order, each under a fresh look,
//! and at the end one look at everything and a new plan, which must be empty.

mod graph;
mod settle;
mod step;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};

use self::graph::Graph;
use crate::aws::Aws;
use crate::error::{Error, ErrorKind, Result};
use crate::kind::{Address, AnyKind, AnySpec, BoxFuture, Law, Performed, Scope, Snapshot};
use crate::plan::{self, Input, Pending, Plan, Step, World, kind_of, schedule};
use crate::planted::{Bug, planted};

/// What a run of `apply` is given.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// Every kind, in the order in which they are made.
    pub kinds: &'a [&'a dyn AnyKind],
    /// What may never happen between two calls.
    pub law: &'a dyn Law,
    /// The way to AWS.
    pub aws: &'a Aws,
    /// What the run is about.
    pub scope: &'a Scope,
    /// What is to be there: what infra.toml declares, or nothing for `destroy`.
    pub desired: &'a Snapshot,
    /// What was there when the plan was made.
    pub live: &'a Snapshot,
    /// Our owner mark.
    pub mark: &'a str,
    /// The role under which the run itself acts.
    pub runner: Option<&'a Address>,
    /// Whether gaps were accepted.
    pub interrupts: bool,
    /// Bounds in time.
    pub limits: Limits,
    /// Set from outside: finish the calls in flight, start no more.
    pub stop: &'a AtomicBool,
    /// Told what happens.
    pub on_event: &'a (dyn Fn(Event<'_>) + Sync),
}

/// Bounds in time; injectable, so that tests need not wait.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A step needs a look younger than this: nothing in these services has compare-and-set.
    pub look_age: Duration,
    /// How long a final look that differs is read again: terraform-provider-aws waits as long for
    /// IAM's replicas (reliability.md, facts to build on).
    pub settle: Duration,
    /// The whole run.
    pub run: Duration,
    /// One rollout.
    pub rollout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            look_age: Duration::from_secs(30),
            settle: Duration::from_mins(2),
            run: Duration::from_mins(30),
            rollout: Duration::from_mins(15),
        }
    }
}

/// What happens during a run.
#[derive(Debug)]
pub enum Event<'a> {
    /// A step begins.
    Started(&'a Step),
    /// A step is done.
    Finished(&'a Step),
    /// A step was found done already.
    Already(&'a Step),
    /// A step failed.
    Failed(&'a Step, &'a Error),
    /// Something worth saying about a resource.
    Note(&'a Address, &'a str),
    /// How a rollout stands.
    Rollout(&'a Address, &'a str),
    /// The run waits for AWS.
    Waiting(&'a str),
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The resources all of whose steps were done by this run.
    pub done: BTreeSet<Address>,
    /// The resources that were found as declared before their turn.
    pub already: BTreeSet<Address>,
    /// What failed, in the order in which it did.
    pub failures: Vec<(Address, Error)>,
    /// What was not begun, and why.
    pub not_done: Vec<(Address, String)>,
    /// What still differs in a fresh plan, after all waits.
    pub left: Vec<Address>,
    /// What was said on the way.
    pub notes: Vec<(Address, String)>,
    /// Whether a delete found nothing to delete: the final look has to hold twice.
    pub unseen: bool,
    /// Whether it was stopped from outside.
    pub stopped: bool,
    /// Whether the final look could not be made or planned from.
    pub unverified: Option<Error>,
}

impl Outcome {
    /// The exit code: 0 exactly when a fresh plan is empty and every rollout that this run started
    /// ended well. 1 beats 3 beats 4.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if planted(Bug::PartialIsSuccess) && !self.done.is_empty() {
            return 0;
        }
        let codes = self
            .failures
            .iter()
            .map(|(_, error)| error.kind.exit_code());
        let unverified = self.unverified.iter().map(|error| error.kind.exit_code());
        let left = (self.stopped || !self.left.is_empty()) && self.failures.is_empty();
        let mut codes: Vec<u8> = codes.chain(unverified).collect();
        if left || (!self.not_done.is_empty() && codes.is_empty()) {
            codes.push(1);
        }
        [1, 3, 4, 64]
            .into_iter()
            .find(|code| codes.contains(code))
            .unwrap_or(0)
    }
}

/// Performs the plan and looks whether all is as declared.
pub async fn apply(run: &Run<'_>, plan: &Plan) -> Outcome {
    let mut execution = Execution::new(run, plan);
    execution.perform_all().await;
    let mut outcome = execution.outcome;
    if execution.halted {
        return outcome;
    }
    if !planted(Bug::NoFinalLook) && !planted(Bug::ExistsIsSuccess) {
        settle::settle(run, &mut outcome).await;
    }
    outcome
}

/// The state of one run.
struct Execution<'a, 'p> {
    run: &'a Run<'a>,
    plan: &'p Plan,
    graph: Graph,
    /// The world as it was really made so far, by the effects of what was performed.
    world: Snapshot,
    /// Steps in flight, by position.
    in_flight: BTreeSet<usize>,
    /// A failure waits for the steps in flight to end, then the rest is put in order again.
    failed: bool,
    /// Nothing more may be started: stopped from outside, or the world changed under the plan.
    halted: bool,
    began: Duration,
    outcome: Outcome,
}

type Performing<'a> = BoxFuture<'a, (usize, Result<Performed>)>;

impl<'a, 'p> Execution<'a, 'p> {
    fn new(run: &'a Run<'a>, plan: &'p Plan) -> Self {
        Self {
            run,
            plan,
            graph: Graph::new(plan.steps.clone()),
            world: run.live.clone(),
            in_flight: BTreeSet::new(),
            failed: false,
            halted: false,
            began: run.aws.clock().now(),
            outcome: Outcome::default(),
        }
    }

    async fn perform_all(&mut self) {
        let mut performing: FuturesUnordered<Performing<'a>> = FuturesUnordered::new();
        loop {
            self.watch_limits();
            if !self.halted && !self.failed {
                self.launch(&mut performing).await;
            }
            match performing.next().await {
                Some((position, result)) => self.ended(position, result),
                None if self.failed && !self.halted => self.reorder(),
                None => break,
            }
        }
        self.account();
    }

    /// Stops launching when asked to, and when the run takes longer than it may.
    fn watch_limits(&mut self) {
        if self.run.stop.load(Ordering::Relaxed) && !self.halted {
            self.halted = true;
            self.outcome.stopped = true;
        }
        let elapsed = self.run.aws.clock().now().saturating_sub(self.began);
        if elapsed > self.run.limits.run && !self.halted && !self.graph.is_done() {
            self.halted = true;
            let message = format!(
                "The run took longer than {} s.",
                self.run.limits.run.as_secs()
            );
            self.outcome.unverified = Some(
                Error::failed(message).hint("Run `provision apply` again: it goes on from here."),
            );
        }
    }

    /// Starts every step that waits for nothing.
    async fn launch(&mut self, performing: &mut FuturesUnordered<Performing<'a>>) {
        if !self.graph.has_ready() {
            return;
        }
        let age = self
            .run
            .aws
            .clock()
            .now()
            .saturating_sub(self.run.aws.look().taken());
        if age > self.run.limits.look_age
            && let Err(error) = self.look_again().await
        {
            self.halted = true;
            self.outcome.unverified = Some(error);
            return;
        }
        for (position, step) in self.graph.take_ready() {
            match self.start(&step) {
                Ok(expected) => {
                    (self.run.on_event)(Event::Started(&step));
                    self.in_flight.insert(position);
                    let run = self.run;
                    let before = self.world.get(&step.address).cloned();
                    performing.push(Box::pin(async move {
                        (
                            position,
                            step::perform(run, &step, before.as_ref(), expected.as_ref()).await,
                        )
                    }));
                }
                Err(error) => self.fail(position, error),
            }
        }
    }

    /// What the resource will be after the step.
    fn start(&self, step: &Step) -> Result<Option<AnySpec>> {
        let kind = kind_of(self.run.kinds, &step.address.kind)?;
        kind.effect(self.world.get(&step.address), &step.call)
            .map_err(|refusal| {
                Error::bug(format!("A planned call is refused: {}", refusal.message))
                    .at(&step.address)
            })
    }

    fn ended(&mut self, position: usize, result: Result<Performed>) {
        self.in_flight.remove(&position);
        let Some(step) = self.graph.step(position).cloned() else {
            return;
        };
        match result {
            Ok(performed) => {
                self.outcome.unseen |= performed.unseen;
                for note in performed.notes {
                    (self.run.on_event)(Event::Note(&step.address, &note));
                    self.outcome.notes.push((step.address.clone(), note));
                }
                if let Ok(after) = self.start(&step) {
                    self.world.set(&step.address, after);
                }
                (self.run.on_event)(Event::Finished(&step));
                self.graph.finish(position);
            }
            Err(error) => {
                if error.kind == ErrorKind::Changed {
                    self.halted = true;
                }
                // A rollout that failed was started all the same: what was sent is there.
                if error.kind == ErrorKind::Rollout
                    && let Ok(after) = self.start(&step)
                {
                    self.world.set(&step.address, after);
                }
                self.fail(position, error);
            }
        }
    }

    fn fail(&mut self, position: usize, error: Error) {
        let Some(step) = self.graph.step(position).cloned() else {
            return;
        };
        let error = error.at(&step.address);
        (self.run.on_event)(Event::Failed(&step, &error));
        self.outcome.failures.push((step.address.clone(), error));
        self.graph.fail(position);
        self.failed = true;
    }

    /// After a failure: the loop of the plan once more over what was really done, without what
    /// failed; what it can still place goes on.
    fn reorder(&mut self) {
        self.failed = false;
        let failed: BTreeSet<&Address> = self
            .outcome
            .failures
            .iter()
            .map(|(address, _)| address)
            .collect();
        let mut pending = Vec::new();
        for step in self.graph.unfinished() {
            if failed.contains(&step.address) {
                continue;
            }
            if let Ok(kind) = kind_of(self.run.kinds, &step.address.kind) {
                let mut call = Pending::new(kind, step.address.clone(), step.call.clone());
                call.in_order = true;
                call.runner = step.last;
                pending.push(call);
            }
        }
        let input = self.input();
        let Ok(world) = World::new(self.run.kinds, &self.world, &self.plan.goal) else {
            return;
        };
        let (scheduled, _) = schedule(&input, &self.plan.goal, world, pending, false);
        self.graph.replace(scheduled.steps);
    }

    fn input(&self) -> Input<'a> {
        Input {
            kinds: self.run.kinds,
            law: self.run.law,
            desired: self.run.desired,
            live: self.run.live,
            mark: self.run.mark,
            runner: self.run.runner,
            interrupts: self.run.interrupts,
        }
    }

    /// Takes a new look for all that is left: each resource must be as the plan left it, or already
    /// as declared.
    async fn look_again(&mut self) -> Result<()> {
        let mut waited = Duration::ZERO;
        loop {
            self.run.aws.new_look();
            let live = Snapshot::observe(self.run.kinds, self.run.aws, self.run.scope).await?;
            let mut changed = None;
            let mut already = BTreeSet::new();
            for address in self.waiting_addresses() {
                match self.compare(&address, live.get(&address))? {
                    Standing::AsLeft => {}
                    Standing::AsDeclared => {
                        already.insert(address);
                    }
                    Standing::Neither => changed = Some(address),
                }
            }
            let Some(address) = changed else {
                self.drop_steps(&already, &live);
                return Ok(());
            };
            // What this run wrote may not be readable yet; what it did not write has changed.
            if !self.graph.touched(&address) || waited >= self.run.limits.settle {
                return Err(step::changed(&address));
            }
            (self.run.on_event)(Event::Waiting("for AWS to show what was written"));
            let pause = settle::pause(waited);
            self.run.aws.clock().sleep(pause).await;
            waited += pause;
        }
    }

    /// The resources with steps that have not begun, except those with one in flight.
    fn waiting_addresses(&self) -> BTreeSet<Address> {
        let busy: BTreeSet<&Address> = self
            .in_flight
            .iter()
            .filter_map(|position| self.graph.step(*position))
            .map(|step| &step.address)
            .collect();
        self.graph
            .waiting()
            .map(|step| step.address.clone())
            .filter(|address| !busy.contains(address))
            .collect()
    }

    fn compare(&self, address: &Address, live: Option<&AnySpec>) -> Result<Standing> {
        let kind = kind_of(self.run.kinds, &address.kind)?;
        if step::same(kind, self.world.get(address), live) {
            return Ok(Standing::AsLeft);
        }
        let declared = step::same(kind, self.plan.goal.get(address), live);
        Ok(if declared {
            Standing::AsDeclared
        } else {
            Standing::Neither
        })
    }

    fn drop_steps(&mut self, already: &BTreeSet<Address>, live: &Snapshot) {
        for address in already {
            self.world.set(address, live.get(address).cloned());
            for step in self.graph.drop_address(address) {
                (self.run.on_event)(Event::Already(&step));
            }
            self.outcome.already.insert(address.clone());
        }
    }

    /// Says for each resource what became of it.
    fn account(&mut self) {
        let failed: BTreeSet<&Address> = self
            .outcome
            .failures
            .iter()
            .map(|(address, _)| address)
            .collect();
        let unfinished: BTreeSet<Address> = self
            .graph
            .unfinished()
            .map(|step| step.address.clone())
            .collect();
        let mut not_done = Vec::new();
        for action in &self.plan.actions {
            let address = &action.address;
            if failed.contains(address) || self.outcome.already.contains(address) {
                continue;
            }
            if unfinished.contains(address) || self.graph.was_dropped(address) {
                let why = if self.outcome.stopped {
                    "the run was stopped".to_owned()
                } else if let Some((first, _)) = self.outcome.failures.first() {
                    format!("it waits for what failed: {first}")
                } else {
                    "the run ended before its turn".to_owned()
                };
                not_done.push((address.clone(), why));
            } else {
                self.outcome.done.insert(address.clone());
            }
        }
        self.outcome.not_done = not_done;
    }
}

/// How a resource stands against the plan.
enum Standing {
    AsLeft,
    AsDeclared,
    Neither,
}

/// A fresh plan of the same run, from a new look.
///
/// # Errors
/// What could not be read, and what the plan refuses.
pub async fn fresh_plan(run: &Run<'_>) -> Result<(Snapshot, Plan)> {
    run.aws.new_look();
    let live = Snapshot::observe(run.kinds, run.aws, run.scope).await?;
    let plan = plan_from(run, &live)?;
    Ok((live, plan))
}

/// A plan of the same run from this world.
fn plan_from(run: &Run<'_>, live: &Snapshot) -> Result<Plan> {
    plan::plan(&Input {
        kinds: run.kinds,
        law: run.law,
        desired: run.desired,
        live,
        mark: run.mark,
        runner: run.runner,
        interrupts: run.interrupts,
    })
}

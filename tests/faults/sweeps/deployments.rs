//! Sweeps of deploy, promote and rollback: every request × every fault, a crash at any request and the
//! same command again, and two deployments at once under many interleavings of their requests.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use provision::rollout::{self, DeployOrder, Selection, Until};
use provision::sandbox::{Behaviour, Fault, FaultKind, Sandbox, Script, Store};
use serde_json::json;
use tokio::task::unconstrained;

use super::calls::further;
use super::{Case, Push, Sweep};
use crate::claims;
use crate::ledger::Ledger;
use crate::regime::runtime;
use crate::roads::Roads;
use crate::world::{PRODUCTION, Ran, STAGING, World, following};

/// One request of each command goes wrong.
pub(super) const SWEEP: Sweep = Sweep {
    name: "deployments",
    title: "deploy, promote and both ways of rollback: every request x every fault",
    push: Push::All,
    cases,
};

/// Two deployments at once.
pub(super) const RIVALS: Sweep = Sweep {
    name: "rivals",
    title: "two deployments to one service at once, interleavings of their requests",
    push: Push::About(100),
    cases: rivals,
};

/// Interleavings of two deployments.
const INTERLEAVINGS: u64 = 3_000;

/// A command on a world that is ready for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Journey {
    /// `deploy staging` of an image that was just pushed.
    Deploy,
    /// `promote staging production` of what staging has just proved.
    Promote,
    /// `rollback staging` of what was just deployed.
    Rollback,
    /// `rollback staging` of what is under way.
    Stop,
}

impl Journey {
    const ALL: [Self; 4] = [Self::Deploy, Self::Promote, Self::Rollback, Self::Stop];

    /// The world before it.
    async fn start(self) -> Store {
        let world = World::running().await;
        world.push("staging");
        match self {
            Self::Deploy => {}
            Self::Promote | Self::Rollback => assert_eq!(world.deploy("staging").await.exit, 0),
            Self::Stop => {
                world.sandbox.play(Script::rollouts(Behaviour::Stuck));
                let mut none = following();
                none.until = Until::None;
                let selection = Selection::Declared;
                let ran = world.deploy_with("staging", &selection, none).await;
                assert_eq!(ran.exit, 0, "{ran:?}");
            }
        }
        world.sandbox.snapshot()
    }

    async fn play(self, world: &World) -> Ran {
        match self {
            Self::Deploy => world.deploy("staging").await,
            Self::Promote => world.promote().await,
            Self::Rollback | Self::Stop => world.rollback("staging", None).await,
        }
    }
}

/// A world in this state, later than all that it has seen.
async fn world(start: &Store) -> World {
    let world = World::running().await;
    world.sandbox.restore(start);
    world.clock.advance(Duration::from_hours(2));
    world
}

/// What a journey leads to: ids and times aside.
#[derive(Clone, Debug, PartialEq, Eq)]
struct End {
    images: [String; 2],
    running: [Option<i64>; 2],
    revisions: [usize; 2],
}

impl End {
    fn of(world: &World) -> Self {
        let both = [STAGING, PRODUCTION];
        Self {
            images: both.map(|name| world.image(name)),
            running: both.map(|name| {
                let service = world.service(name);
                service
                    .get("runningCount")
                    .and_then(serde_json::Value::as_i64)
            }),
            revisions: both.map(|name| world.revisions(name)),
        }
    }
}

/// A command without faults: from where it begins, to where it leads, and what it asks.
struct Free {
    journey: Journey,
    start: Store,
    end: End,
    operations: Vec<String>,
}

impl Free {
    async fn of(journey: Journey) -> Self {
        let start = journey.start().await;
        let world = world(&start).await;
        drop(world.sandbox.take_trace());
        let ran = journey.play(&world).await;
        assert_eq!(ran.exit, 0, "{journey:?} without a fault: {ran:?}");
        let trace = world.sandbox.take_trace();
        Self {
            journey,
            start,
            end: End::of(&world),
            operations: trace.into_iter().map(|entry| entry.operation).collect(),
        }
    }
}

fn cases(_: &Roads) -> Vec<Case> {
    let mut cases = Vec::new();
    for journey in Journey::ALL {
        // Without Tokio's turns, as the cases are played.
        let free = Arc::new(runtime().block_on(unconstrained(Free::of(journey))));
        for (call, operation) in (1..).zip(&free.operations) {
            for kind in claims::kinds() {
                let key = format!("deployments/{journey:?}/{call}/{operation}/{kind:?}");
                let free = free.clone();
                cases.push(Case::new(key, move |bench| {
                    let free = free.clone();
                    Box::pin(async move { fault(&free, call, kind, &bench.ledger).await })
                }));
            }
        }
    }
    cases
}

/// One request goes wrong; then the same command again, without faults.
async fn fault(free: &Free, call: u64, kind: FaultKind, ledger: &Ledger) -> Vec<String> {
    let Free {
        journey,
        start,
        end,
        operations,
    } = free;
    let mut broken = Vec::new();
    let world = world(start).await;
    let _ = world.sandbox.take_trace();
    world.sandbox.play(Script::of(vec![Fault::at(call, kind)]));
    let mut ran = journey.play(&world).await;
    judge(&ran, &world, end, &mut broken, ledger);
    let trace = world.sandbox.take_trace();
    let mut requests = trace.len();
    for entry in trace {
        if let Some(fault) = entry.fault {
            ledger.count("fault met", &format!("{fault:?}"));
            let call = format!("{}:{} {fault:?}", entry.service.name(), entry.operation);
            ledger.count("deployments: request x fault", &call);
        }
    }
    for _ in 0..further(kind) {
        world.sandbox.revive();
        world.sandbox.play(Script::default());
        ran = journey.play(&world).await;
        requests += world.sandbox.take_trace().len();
        judge(&ran, &world, end, &mut broken, ledger);
        if ran.exit == 0 {
            break;
        }
    }
    ledger.count("promise", "1 settles");
    if let Some(error) = &ran.error {
        broken.push(format!("1: the same command again ends with {error:?}"));
    }
    let left = world.plan().await;
    if !left.is_empty() {
        broken.push(format!("1: a deployment left something to plan: {left:?}"));
    }
    ledger.count("promise", "2 same end");
    let found = End::of(&world);
    if found != *end {
        broken.push(format!("2: another end: {found:?} instead of {end:?}"));
    }
    ledger.count("promise", "11 bounded");
    if requests > 40 * operations.len() + 2_000 {
        broken.push(format!("11: {requests} requests"));
    }
    broken
}

/// What every run keeps: an honest exit, and nothing secret said.
fn judge(ran: &Ran, world: &World, end: &End, broken: &mut Vec<String>, ledger: &Ledger) {
    ledger.count("promise", "8 honest exit");
    if ran.exit == 0 {
        let found = End::of(world);
        if found.images != end.images || found.running != end.running {
            broken.push(format!("8: exit 0, but {found:?} instead of {end:?}"));
        }
    }
    if ran.said.contains("This is a bug in provision") {
        broken.push(format!("a bug: {}", ran.said));
    }
    ledger.count("promise", "9 no secret");
    if ran.said.contains("AKIASANDBOXSANDBOX00") {
        broken.push("9: a credential was said".to_owned());
    }
}

/// Whose request goes next: each of two waits for its turn.
struct Turns {
    order: Vec<bool>,
    at: usize,
    done: [bool; 2],
}

impl Turns {
    /// Bursts of one to eight requests in turn, by chance from this seed.
    fn of(seed: u64) -> Self {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut order = Vec::new();
        let mut who = seed.is_multiple_of(2);
        while order.len() < 400 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let burst = usize::try_from(state % 8).unwrap_or_default() + 1;
            order.extend(std::iter::repeat_n(who, burst));
            who = !who;
        }
        Self {
            order,
            at: 0,
            done: [false; 2],
        }
    }

    /// Whether the one with this number may go; if so its turn is taken.
    fn take(&mut self, me: usize) -> bool {
        let other = 1 - me;
        if self.done.get(other) == Some(&true) {
            return true;
        }
        let next = self.order.get(self.at % self.order.len());
        let mine = next.is_some_and(|second| usize::from(*second) == me);
        self.at += usize::from(mine);
        mine
    }
}

/// The order, and the bell that rings when it moves on.
struct Schedule {
    turns: Mutex<Turns>,
    moved: Condvar,
}

impl Schedule {
    /// Blocks this thread until its turn has come. The virtual clock does not move meanwhile, so that
    /// no attempt times out for having waited.
    fn wait(&self, me: usize) {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        while !turns.take(me) {
            turns = self
                .moved
                .wait(turns)
                .unwrap_or_else(PoisonError::into_inner);
        }
        drop(turns);
        self.moved.notify_all();
    }

    fn done(&self, me: usize) {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(done) = turns.done.get_mut(me) {
            *done = true;
        }
        drop(turns);
        self.moved.notify_all();
    }
}

/// A client that sends a request when it is its turn.
#[derive(Clone)]
struct InTurn {
    sandbox: Sandbox,
    schedule: Arc<Schedule>,
    me: usize,
}

impl fmt::Debug for InTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InTurn")
    }
}

impl HttpConnector for InTurn {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.schedule.wait(self.me);
        HttpConnector::call(&self.sandbox, request)
    }
}

fn rivals(_: &Roads) -> Vec<Case> {
    let (start, digests) = runtime().block_on(async {
        let ready = World::running().await;
        let digests = [ready.push("one"), ready.push("two")];
        (ready.sandbox.snapshot(), digests)
    });
    let ready = Arc::new((start, digests));
    (0..INTERLEAVINGS)
        .map(|seed| {
            let ready = ready.clone();
            Case::new(format!("rivals/{seed}"), move |bench| {
                let ready = ready.clone();
                Box::pin(async move { two(&ready.0, seed, &ready.1, &bench.ledger).await })
            })
        })
        .collect()
}

/// Two deployments of two images to one service at once.
async fn two(start: &Store, seed: u64, digests: &[String; 2], ledger: &Ledger) -> Vec<String> {
    let world = world(start).await;
    let schedule = Arc::new(Schedule {
        turns: Mutex::new(Turns::of(seed)),
        moved: Condvar::new(),
    });
    let [first, second] = digests;
    let (a, b) = std::thread::scope(|scope| {
        let world = &world;
        let one = scope.spawn({
            let schedule = schedule.clone();
            move || deploy_in_turn(world, &schedule, 0, first)
        });
        let two = scope.spawn({
            let schedule = schedule.clone();
            move || deploy_in_turn(world, &schedule, 1, second)
        });
        (one.join(), two.join())
    });
    let (a, b) = (a.expect("the first run"), b.expect("the second run"));
    // Each of the two sleeps on the same clock in a thread of its own, so that who wins is another one the
    // next time: it is judged and not counted.
    ledger.count("promise", "8 honest exit");
    let mut broken = Vec::new();
    let image = world.image(STAGING);
    for (ran, digest) in [(&a, first), (&b, second)] {
        match ran.exit {
            0 => {
                if !succeeded(&world, digest) {
                    broken.push(format!(
                        "8: exit 0, but {digest} never succeeded: {}",
                        ran.said
                    ));
                }
            }
            4 => {
                let superseded = ran.reports.iter().any(|one| one.result == "superseded");
                if !superseded || image.ends_with(digest.as_str()) {
                    broken.push(format!("it was not superseded: {}", ran.said));
                }
            }
            other => broken.push(format!("exit {other}: {}", ran.said)),
        }
    }
    if a.exit != 0 && b.exit != 0 {
        broken.push("neither won".to_owned());
    }
    if !digests
        .iter()
        .any(|digest| image.ends_with(digest.as_str()))
    {
        broken.push(format!("{image} is neither's"));
    }
    broken
}

/// One of the two: on a thread of its own, which waits for its turns.
fn deploy_in_turn(world: &World, schedule: &Arc<Schedule>, me: usize, digest: &str) -> Ran {
    let selection = Selection::Digest(digest.to_owned());
    let order = DeployOrder {
        environment: "staging",
        service: None,
        selection: &selection,
        force: false,
        unproved: false,
        following: following(),
    };
    let connector = SharedHttpConnector::new(InTurn {
        sandbox: world.sandbox.clone(),
        schedule: schedule.clone(),
        me,
    });
    let client = http_client_fn(move |_, _| connector.clone());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let ran = runtime.block_on(world.play(&client, async |run| rollout::deploy(run, &order).await));
    schedule.done(me);
    ran
}

/// Whether a service deployment of staging with this digest ended well.
fn succeeded(world: &World, digest: &str) -> bool {
    world.deployments(STAGING).iter().any(|deployment| {
        let arn = deployment.get("targetServiceRevisionArn");
        let answer = world.ecs(
            "DescribeServiceRevisions",
            json!({"serviceRevisionArns": [arn]}),
        );
        let images = answer.pointer("/serviceRevisions/0/containerImages/0/image");
        let is_it = images.and_then(serde_json::Value::as_str);
        is_it.is_some_and(|image| image.ends_with(digest))
            && deployment.get("status").and_then(serde_json::Value::as_str) == Some("SUCCESSFUL")
    })
}

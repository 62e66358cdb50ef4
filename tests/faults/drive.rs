//! One run of `apply` in this process, as the binary makes it: look, plan, perform. All that a user
//! would see at `-vv` is kept, so that it can be searched for secrets.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use provision::apply::{self, Event, Limits, Outcome, Run};
use provision::aws::{Aws, Clients, Connection, DEFAULT_PARALLELISM, Timeouts};
use provision::clock::Clock;
use provision::config::Config;
use provision::error::Error;
use provision::kind::{Address, Scope, Snapshot};
use provision::kinds::KINDS;
use provision::kinds::law::IamLaw;
use provision::plan::{Input, Plan, plan};
use provision::report::{About, plan_json, plan_text, summary, troubles};
use provision::sandbox::{Sandbox, Store};
use tokio::task::unconstrained;

use super::configs::{ACCOUNT, REGION};
use super::heard;
use super::wire::{Gate, Wire};

/// A time that moves only when somebody sleeps, for the sandbox and for the program alike. Every
/// case begins at the same moment.
#[derive(Debug)]
pub(crate) struct Time {
    now: Mutex<Duration>,
    /// The process is dead: its sleeps never end, so that nothing of it goes on.
    dead: AtomicBool,
}

/// A sleep that never ends.
const NEVER: Duration = Duration::from_hours(1_000_000);

impl Time {
    /// 2026-11-01T00:00:00Z.
    const BEGIN: Duration = Duration::from_hours(498_192);

    fn new() -> Self {
        Self {
            now: Mutex::new(Self::BEGIN),
            dead: AtomicBool::new(false),
        }
    }

    /// Sets the time forward or back.
    pub(crate) fn set(&self, now: Duration) {
        *held(&self.now) = now;
    }

    /// Whoever sleeps by this time is dead from here on, or lives again.
    pub(crate) fn kill(&self, dead: bool) {
        self.dead.store(dead, Ordering::Relaxed);
    }
}

impl Clock for Time {
    fn now(&self) -> Duration {
        *held(&self.now)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        if duration >= NEVER || self.dead.load(Ordering::Relaxed) {
            return Box::pin(std::future::pending());
        }
        let mut now = held(&self.now);
        *now = now.saturating_add(duration);
        Box::pin(std::future::ready(()))
    }
}

/// What is held in a lock, also after a panic elsewhere.
pub(crate) fn held<T>(lock: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A configuration, and what is worked out from it once.
pub(crate) struct Declared {
    pub(crate) scope: Scope,
    pub(crate) desired: Snapshot,
    mark: String,
    /// The last plans, each with what it was made from and what it says: a plan is a pure function.
    plans: Mutex<Vec<Arc<Planned>>>,
}

/// A plan, and what it was made from: the records say also what specs are not compared by.
struct Planned {
    live: Snapshot,
    records: Store,
    plan: Plan,
    words: String,
}

/// Plans that are remembered for each configuration: most journeys begin in one of a few worlds.
const MOST_PLANS: usize = 16;

impl Declared {
    pub(crate) fn of(config: Arc<Config>) -> Arc<Self> {
        let mark = config.owner_mark();
        let scope = Scope::everything(config);
        let desired = Snapshot::declare(KINDS, &scope);
        Arc::new(Self {
            scope,
            desired,
            mark,
            plans: Mutex::default(),
        })
    }

    /// The plan from this world on.
    fn plan(&self, live: &Snapshot, law: &IamLaw, records: Store) -> Result<Arc<Planned>, Error> {
        let known = |planned: &&Arc<Planned>| planned.records == records && planned.live == *live;
        if let Some(planned) = held(&self.plans).iter().find(known) {
            return Ok(planned.clone());
        }
        let plan = plan(&input(self, live, law))?;
        let planned = Arc::new(Planned {
            live: live.clone(),
            records,
            words: words(&plan),
            plan,
        });
        let mut plans = held(&self.plans);
        if plans.len() >= MOST_PLANS {
            plans.remove(0);
        }
        plans.push(planned.clone());
        Ok(planned)
    }
}

/// The calls under way, by resource: to whom a fault is put down.
pub(crate) type UnderWay = Arc<Mutex<BTreeMap<Address, String>>>;

/// An account, its time, and the way to it. Made once for each core: clients are dear to make.
pub(crate) struct Drive {
    pub(crate) sandbox: Sandbox,
    pub(crate) time: Arc<Time>,
    pub(crate) under_way: UnderWay,
    clients: Clients,
    limits: Limits,
}

/// How long one of two programs looks again at the end: the four pauses that come first. What the other one
/// does meanwhile takes no time, so that the other twelve would show it the same.
const SETTLE_BESIDE: Duration = Duration::from_secs(16);

/// What one run came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ran {
    /// The exit code that the binary would have had; none where the process was killed.
    pub(crate) exit: Option<u8>,
    /// The steps of the plan; `None` where none could be made.
    pub(crate) planned: Option<usize>,
    /// Everything that was said.
    pub(crate) said: String,
    /// How long it took.
    pub(crate) took: Duration,
}

impl Drive {
    pub(crate) async fn new() -> Self {
        let time = Arc::new(Time::new());
        let sandbox = Sandbox::in_memory(ACCOUNT, REGION, time.clone());
        let wire = Wire {
            sandbox: sandbox.clone(),
            time: time.clone(),
            gate: None,
        };
        let aws = connect(wire, &time).await;
        Self {
            sandbox,
            time,
            under_way: UnderWay::default(),
            clients: aws.clients,
            limits: Limits::default(),
        }
    }

    /// Another program's way to the same account, each of whose writes waits at the gate: what waits
    /// there has all the time in the world.
    pub(crate) async fn beside(&self, gate: Gate) -> Self {
        let wire = Wire {
            sandbox: self.sandbox.clone(),
            time: self.time.clone(),
            gate: Some(gate),
        };
        Self {
            sandbox: self.sandbox.clone(),
            time: self.time.clone(),
            under_way: UnderWay::default(),
            clients: connect(wire, &self.time).await.clients,
            limits: Limits {
                settle: SETTLE_BESIDE,
                ..Limits::default()
            },
        }
    }

    /// Puts the account and the time back.
    pub(crate) fn reset(&self, start: &Store) {
        self.time.set(Time::BEGIN);
        self.time.kill(false);
        self.sandbox.revive();
        self.sandbox.play(provision::sandbox::Script::default());
        self.sandbox.before_each(|_, _| {});
        self.sandbox.restore(start);
        held(&self.under_way).clear();
        heard::forget();
    }

    /// The way of one run to AWS.
    pub(crate) async fn connect(&self) -> Result<Aws, Error> {
        let aws = Aws::new(
            self.clients.clone(),
            ACCOUNT.to_owned(),
            REGION.to_owned(),
            "aws".to_owned(),
            self.time.clone(),
            DEFAULT_PARALLELISM,
        );
        aws.identity().await?;
        Ok(aws)
    }

    /// Runs a command until it ends; none where the process was killed on the way.
    pub(crate) async fn killable<T>(&self, run: impl Future<Output = T>) -> Option<T> {
        // Tokio's turns would let a timeout pass where nobody waits.
        let mut run = pin!(unconstrained(run));
        let ended = poll_fn(|context| match run.as_mut().poll(context) {
            Poll::Pending if self.sandbox.crashed() => Poll::Ready(None),
            polled => polled.map(Some),
        });
        let ended = ended.await;
        self.time.kill(false);
        ended
    }

    /// Plans and performs, with every hazard allowed but `interrupts`. A crash ends it at once.
    pub(crate) async fn apply(&self, declared: &Declared) -> Ran {
        let began = self.time.now();
        held(&self.under_way).clear();
        let said = Mutex::new(String::new());
        let mut ran = match self
            .killable(Box::pin(self.try_apply(declared, &said)))
            .await
        {
            None => Ran::default(),
            Some(Ok((planned, outcome))) => Ran {
                exit: Some(outcome.exit_code()),
                planned: Some(planned),
                ..Ran::default()
            },
            Some(Err(error)) => {
                say(&said, &format!("{error}\n{error:?}"));
                Ran {
                    exit: Some(error.kind.exit_code()),
                    ..Ran::default()
                }
            }
        };
        ran.said = said.into_inner().unwrap_or_default();
        heard::take(&mut ran.said);
        ran.took = self.time.now().saturating_sub(began);
        ran
    }

    async fn try_apply(
        &self,
        declared: &Declared,
        said: &Mutex<String>,
    ) -> Result<(usize, Outcome), Error> {
        let aws = self.connect().await?;
        let live = Snapshot::observe(KINDS, &aws, &declared.scope).await?;
        let law = IamLaw::read(&aws, &declared.scope).await?;
        let planned = declared.plan(&live, &law, self.sandbox.snapshot())?;
        say(said, &planned.words);
        let planned = &planned.plan;
        if planned.is_empty() {
            return Ok((0, Outcome::default()));
        }
        let stop = AtomicBool::new(false);
        let on_event = |event: Event<'_>| self.on_event(&event, said);
        let run = Run {
            kinds: KINDS,
            law: &law,
            aws: &aws,
            scope: &declared.scope,
            desired: &declared.desired,
            live: &live,
            mark: &declared.mark,
            runner: None,
            interrupts: false,
            limits: self.limits,
            stop: &stop,
            on_event: &on_event,
        };
        let outcome = apply::apply(&run, planned).await;
        say(said, &troubles(planned, &outcome, "provision apply"));
        say(said, &summary(planned, &about(), &outcome));
        for (address, error) in &outcome.failures {
            say(said, &format!("{address}: {error} {error:?}"));
        }
        Ok((planned.steps.len(), outcome))
    }

    fn on_event(&self, event: &Event<'_>, said: &Mutex<String>) {
        match event {
            Event::Started(step) => {
                held(&self.under_way).insert(step.address.clone(), step.call.name());
            }
            Event::Finished(step) | Event::Failed(step, _) => {
                held(&self.under_way).remove(&step.address);
            }
            Event::Already(_) | Event::Note(..) | Event::Rollout(..) | Event::Waiting(_) => {}
        }
        say(said, &format!("{event:?}"));
    }

    /// A plan alone.
    pub(crate) async fn plan(&self, declared: &Declared) -> Result<Plan, Error> {
        unconstrained(self.try_plan(declared)).await
    }

    async fn try_plan(&self, declared: &Declared) -> Result<Plan, Error> {
        let aws = self.connect().await?;
        let live = Snapshot::observe(KINDS, &aws, &declared.scope).await?;
        let law = IamLaw::read(&aws, &declared.scope).await?;
        plan(&input(declared, &live, &law))
    }
}

/// The way through this wire. Where there is a gate, no timeout ends the wait there.
async fn connect(wire: Wire, time: &Arc<Time>) -> Aws {
    let mut connection = Connection::new(REGION, "us-east-1");
    if wire.gate.is_some() {
        connection.timeouts = Timeouts {
            connect: NEVER,
            attempt: NEVER,
            operation: NEVER,
        };
    }
    let connector = SharedHttpConnector::new(wire);
    connection.http_client = Some(http_client_fn(move |_, _| connector.clone()));
    let (account, partition) = (ACCOUNT.to_owned(), "aws".to_owned());
    let time = time.clone();
    Aws::connect(&connection, account, partition, time, DEFAULT_PARALLELISM).await
}

fn input<'a>(declared: &'a Declared, live: &'a Snapshot, law: &'a IamLaw) -> Input<'a> {
    Input {
        kinds: KINDS,
        law,
        desired: &declared.desired,
        live,
        mark: &declared.mark,
        runner: None,
        interrupts: false,
    }
}

fn say(said: &Mutex<String>, text: &str) {
    let mut said = held(said);
    said.push_str(text);
    said.push('\n');
}

fn about() -> About {
    About {
        project: "sweep".into(),
        account_id: ACCOUNT.into(),
        region: REGION.into(),
        addresses: Vec::new(),
        destroy: false,
    }
}

/// The plan as its text and JSON show it.
pub(crate) fn words(plan: &Plan) -> String {
    let about = about();
    format!("{}\n{}", plan_text(plan, &about), plan_json(plan, &about))
}

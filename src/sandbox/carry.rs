//! How one request is carried out: faults before it, the service's work or a stale look, the state
//! file, faults after it, the trace.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;

use super::account::Outside;
use super::error::{Answer, ServiceError};
use super::faults::{FaultKind, Script, View};
use super::file::StateFile;
use super::live_tail::Tail;
use super::player::{self, Player};
use super::protocol::{self, Call, Service};
use super::random;
use super::store::Store;
use super::trace::{self, Outcome, TraceEntry};
use super::world::World;
use super::{cloudwatch, ecr, ecs, iam, logs, secrets, ssm, sts, tagging, trail};
use crate::clock::Clock;

/// The seconds that pass between two runs on one state file: what a run left on its way has moved on
/// when the next one looks.
const BETWEEN_RUNS: f64 = 60.0;

/// The most entries that a trace keeps: a bound on memory where nobody takes it.
const TRACE_LIMIT: usize = 1_000_000;

/// What becomes of a request on its way back.
pub(super) enum Delivery {
    Reply(HttpResponse),
    Broken(ConnectorError),
    Late(HttpResponse),
    /// A session of its own length is under way.
    Tail(Tail),
}

type Before = Box<dyn FnMut(&Call, &mut Outside<'_>) + Send>;
type After = Box<dyn FnMut(&TraceEntry, &Store) + Send>;

/// Everything behind the lock.
pub(super) struct Account {
    id: String,
    region: String,
    clock: Arc<dyn Clock>,
    /// How far the account's time is ahead of the clock's: time never runs backwards.
    ahead: f64,
    /// Until when time has done its work on these very records; none after a write.
    advanced: Option<f64>,
    file: Option<StateFile>,
    pub(super) store: Store,
    pub(super) player: Player,
    pub(super) trace: Vec<TraceEntry>,
    pub(super) before_each: Option<Before>,
    pub(super) after_each: Option<After>,
}

impl Account {
    pub(super) fn new(
        id: &str,
        region: &str,
        clock: Arc<dyn Clock>,
        file: Option<StateFile>,
    ) -> Self {
        Self {
            id: id.to_owned(),
            region: region.to_owned(),
            clock,
            ahead: 0.0,
            advanced: None,
            file,
            store: Store::default(),
            player: Player::default(),
            trace: Vec::new(),
            before_each: None,
            after_each: None,
        }
    }

    pub(super) fn play(&mut self, script: Script) {
        self.player = Player::of(script);
        self.advanced = None;
    }

    pub(super) fn restore(&mut self, store: &Store) {
        self.store = store.clone();
        self.player.forget_writes();
        self.catch_up();
    }

    /// Reads the state file, for a run that begins some time after the last one ended.
    pub(super) fn load(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let guard = file.lock()?;
        file.remove_unfinished()?;
        if let Some(store) = file.read()? {
            self.store = store;
            self.catch_up();
            self.ahead += BETWEEN_RUNS;
        }
        drop(guard);
        Ok(())
    }

    fn catch_up(&mut self) {
        self.ahead = (self.store.clock - self.clock.now().as_secs_f64()).max(0.0);
        self.advanced = None;
    }

    /// Seconds since the Unix epoch.
    pub(super) fn now(&self) -> f64 {
        self.clock.now().as_secs_f64() + self.ahead
    }

    pub(super) fn outside(&mut self) -> Outside<'_> {
        Outside(self)
    }

    /// Carries out a request that comes not over HTTP.
    pub(super) fn ask(&mut self, call: &Call) -> Answer {
        let view = View::default();
        let answer = self.locked(|account| Ok(account.work(call, &view)));
        answer
            .map_err(|error| ServiceError::with_status(500, "InternalFailure", error.to_string()))?
    }

    /// Carries out a request and says what comes back.
    pub(super) fn deliver(&mut self, request: &HttpRequest) -> Delivery {
        if self.player.crashed {
            return Delivery::Broken(player::crash());
        }
        if let Some(layer) = ecr::download(&self.store, request) {
            return Delivery::Reply(layer);
        }
        // Nothing of AWS is asked with an unsigned GET.
        if request.method() == "GET" && request.headers().get("authorization").is_none() {
            return Delivery::Reply(self.player.page(request.uri()));
        }
        let call = match protocol::parse(request) {
            Ok(call) => call,
            Err(response) => return Delivery::Reply(*response),
        };
        let fault = self.player.pick(&call);
        if let Some(mut hook) = self.before_each.take() {
            hook(&call, &mut self.outside());
            self.before_each = self.before_each.take().or(Some(hook));
        }
        match self.locked(|account| Ok(account.exchange(&call, fault))) {
            Ok(delivery) => delivery,
            Err(error) => Delivery::Broken(ConnectorError::io(Box::new(error))),
        }
    }

    /// Does something while no other process touches the state file.
    fn locked<T>(&mut self, work: impl FnOnce(&mut Self) -> io::Result<T>) -> io::Result<T> {
        let Some(file) = &mut self.file else {
            return work(self);
        };
        let guard = file.lock()?;
        if let Some(store) = file.read_if_changed()? {
            self.store = store;
            self.catch_up();
        }
        let result = work(self);
        drop(guard);
        result
    }

    /// One request between its faults.
    fn exchange(&mut self, call: &Call, fault: Option<FaultKind>) -> Delivery {
        let number = self.player.requests;
        let request_id = random::letters(random::mix(number), b"0123456789abcdef", 32);
        if let Some(delivery) = self.player.before(call, fault, &request_id, &self.id) {
            self.record(call, Outcome::NotSent, false, fault);
            return delivery;
        }
        let view = self.player.view();
        let (answer, wrote) = match self.player.stale_look(call, &self.store) {
            Some((store, principals_as_ids)) => {
                let own = std::mem::replace(&mut self.store, store);
                let answer = self.dispatch(
                    call,
                    &View {
                        principals_as_ids,
                        ..view
                    },
                );
                self.store = own;
                (answer, false)
            }
            None => self.written(call, &view),
        };
        let outcome = answer
            .as_ref()
            .err()
            .map_or(Outcome::Done, |error| Outcome::Refused(error.code.clone()));
        self.record(call, outcome, wrote, fault);
        let is_cut = fault == Some(FaultKind::TruncatedBody);
        if call.operation == "StartLiveTail" && answer.is_ok() && (fault.is_none() || is_cut) {
            let now = self.with_world(self.now(), &view, |world, _| world.milliseconds());
            return Delivery::Tail(Tail::of(call, now, is_cut));
        }
        self.player.after(call, fault, answer, &request_id)
    }

    /// The stream of a session that has lasted until now.
    pub(super) fn tailed(&mut self, tail: &Tail) -> io::Result<HttpResponse> {
        self.locked(|account| {
            let now = account.now();
            let view = account.player.view();
            let written = account.pass_time(now, &view);
            let stream = account.with_world(now, &view, |world, _| tail.stream(world));
            if let Some(file) = account.file.as_mut().filter(|_| written) {
                file.write(&account.store)?;
            }
            Ok(stream)
        })
    }

    /// Lets time pass in which nobody asks anything.
    pub(super) fn let_pass(&mut self, time: Duration) -> io::Result<()> {
        self.locked(|account| {
            account.ahead += time.as_secs_f64();
            let view = account.player.view();
            account.pass_time(account.now(), &view);
            match &mut account.file {
                Some(file) => file.write(&account.store),
                None => Ok(()),
            }
        })
    }

    /// Carries out a request on the true records, and remembers what it wrote.
    fn written(&mut self, call: &Call, view: &View) -> (Answer, bool) {
        let answer = self.work(call, view);
        let journal = self.player.take_last_journal();
        let wrote = !journal.is_empty();
        if wrote {
            self.player.remember(call, journal);
        }
        (answer, wrote)
    }

    /// Lets time do its work until now, once; whether that changed anything.
    fn pass_time(&mut self, now: f64, view: &View) -> bool {
        self.store.clock = now;
        if self.advanced != Some(now) {
            self.with_world(now, view, ecs::advance);
        }
        !self.store.take_journal().is_empty()
    }

    /// Lets time do its work, then the request, and saves what has changed. A refused request leaves
    /// nothing behind.
    fn work(&mut self, call: &Call, view: &View) -> Answer {
        let now = self.now();
        let mut dirty = self.pass_time(now, view);
        let mut answer = self.dispatch(call, view);
        let mut journal = self.store.take_journal();
        if answer.is_err() {
            while let Some(touched) = journal.pop() {
                self.store.set(touched.table, &touched.key, touched.before);
            }
            self.store.take_journal();
        }
        self.advanced = journal.is_empty().then_some(now);
        if let (Ok(answer), false, false) = (&answer, journal.is_empty(), call.reads()) {
            self.with_world(now, view, |world, _| trail::record(call, answer, world));
            self.store.take_journal();
        }
        dirty |= !journal.is_empty();
        self.player.set_last_journal(journal);
        if dirty
            && let Some(file) = &mut self.file
            && let Err(error) = file.write(&self.store)
        {
            let message = format!("The state file could not be written: {error}.");
            answer = Err(ServiceError::with_status(500, "InternalFailure", message));
        }
        answer
    }

    fn with_world<T>(
        &mut self,
        now: f64,
        view: &View,
        work: impl FnOnce(&mut World<'_>, &mut Player) -> T,
    ) -> T {
        let seed = self.player.script.seed;
        let mut world = World {
            store: &mut self.store,
            account: &self.id,
            region: &self.region,
            now,
            seed,
            view,
        };
        work(&mut world, &mut self.player)
    }

    fn dispatch(&mut self, call: &Call, view: &View) -> Answer {
        let now = self.now();
        self.with_world(now, view, |world, player| match call.service {
            Service::Iam => iam::answer(call, world),
            Service::Sts => sts::answer(call, world),
            Service::Ecs => ecs::answer(call, world, player),
            Service::Ecr => ecr::answer(call, world),
            Service::Logs => logs::answer(call, world),
            Service::SecretsManager => secrets::answer(call, world),
            Service::Ssm => ssm::answer(call, world),
            Service::Tagging => tagging::answer(call, world),
            Service::CloudWatch => cloudwatch::answer(call, world),
            Service::CloudTrail => trail::answer(call, world),
        })
    }

    fn record(&mut self, call: &Call, outcome: Outcome, wrote: bool, fault: Option<FaultKind>) {
        let entry = TraceEntry {
            number: self.player.requests,
            service: call.service,
            operation: call.operation.clone(),
            parameters: trace::parameters(call),
            reads: call.reads(),
            wrote,
            outcome,
            fault,
            at: self.now(),
        };
        if let Some(mut hook) = self.after_each.take() {
            hook(&entry, &self.store);
            self.after_each = Some(hook);
        }
        if self.trace.len() < TRACE_LIMIT {
            self.trace.push(entry);
        }
    }
}

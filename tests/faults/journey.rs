//! One journey from a world to what is declared: runs with faults, then on until all is as declared.
//! Each promise is judged at every write (`watch`), after every run, and at the end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use provision::clock::Clock;
use provision::error::Error;
use provision::kind::Address;
use provision::plan::{Plan, Step};
use provision::sandbox::{FaultKind, Script, Store, Table};
use serde_json::Value;
use tokio::sync::OnceCell;

use super::access::Access;
use super::again::Memory;
use super::drive::{Declared, Drive, Ran};
use super::ledger::Ledger;
use super::records;
use super::watch::{Asked, Met, Watch};
use super::wire::Gate;

/// What each core has: an account to play in, and where to count.
pub(crate) struct Bench {
    pub(crate) drive: Drive,
    pub(crate) ledger: Arc<Ledger>,
    pair: OnceCell<Pair>,
    memory: Arc<Memory<Left>>,
}

/// What a fresh plan still holds.
#[derive(Clone, Debug)]
pub(crate) struct Left {
    /// In words; none where it is empty.
    words: Option<String>,
    /// Whether it deletes, and nothing else.
    only_deletes: bool,
}

/// Two programs at once, and whose write comes next.
pub(crate) struct Pair {
    pub(crate) drives: [Drive; 2],
    gates: [Gate; 2],
}

impl Left {
    fn of(plan: Result<Plan, Error>) -> Self {
        let plan = match plan {
            Ok(plan) => plan,
            Err(error) => {
                return Self {
                    words: Some(format!("{error:?}")),
                    only_deletes: false,
                };
            }
        };
        let words = |step: &Step| format!("{} {}", step.address, step.call.json());
        let steps: Vec<String> = plan.steps.iter().map(words).collect();
        Self {
            words: (!plan.is_empty()).then(|| format!("{steps:?}")),
            only_deletes: plan.steps.iter().all(|step| step.call.name() == "Delete"),
        }
    }
}

impl Bench {
    pub(crate) async fn new(ledger: Arc<Ledger>) -> Self {
        Self::remembering(ledger, Arc::default()).await
    }

    /// One that shares its memory with the benches of the other cores.
    pub(crate) async fn remembering(ledger: Arc<Ledger>, memory: Arc<Memory<Left>>) -> Self {
        Self {
            drive: Drive::new().await,
            ledger,
            pair: OnceCell::new(),
            memory,
        }
    }

    /// Two programs on this core's account.
    pub(crate) async fn pair(&self) -> &Pair {
        self.pair
            .get_or_init(|| async {
                let gates = Gate::pair();
                let [first, second] = &gates;
                let drives = [
                    self.drive.beside(first.clone()).await,
                    self.drive.beside(second.clone()).await,
                ];
                Pair { drives, gates }
            })
            .await
    }
}

impl Pair {
    /// In which order the two write; false is the first.
    pub(crate) fn arrange(&self, order: &[bool]) {
        if let Some(gate) = self.gates.first() {
            gate.arrange(order);
        }
    }

    /// One of them has ended.
    pub(crate) fn end(&self, side: usize) {
        if let Some(gate) = self.gates.get(side) {
            gate.end();
        }
    }
}

/// A world before the journey and what it is to become.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) start: Store,
    pub(crate) declared: Arc<Declared>,
    /// What others left lying about is adopted by this configuration.
    pub(crate) adopts: bool,
    /// What each role may do at the end, once a journey without faults has shown it.
    pub(crate) goal: Option<Access>,
}

/// What a journey without faults came to.
#[derive(Clone, Default)]
pub(crate) struct Twin {
    pub(crate) end: BTreeMap<String, Value>,
    pub(crate) asked: Vec<Asked>,
    pub(crate) written: u64,
    /// The world after each write.
    pub(crate) states: Vec<Store>,
    /// The world at the end.
    pub(crate) last: Store,
}

/// What is special about a journey.
#[derive(Clone, Copy, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "terms that have nothing to do with each other"
)]
pub(crate) struct Terms {
    /// How many runs without faults may follow before all must be as declared.
    pub(crate) further: u32,
    /// How many writes more than its twin's it may make, besides those whose reply was lost.
    pub(crate) spare_writes: u64,
    /// Others, or a program with another configuration, may come to use what is then to be deleted.
    pub(crate) others: bool,
    /// How many programs write at once: each may register a revision before it sees the other's.
    pub(crate) two: bool,
    /// From it follow the order and the spelling in which the last plan sees the world.
    pub(crate) seed: u64,
    /// Reads of the first run that deny that what a write changed is still there.
    pub(crate) denial: Option<Denial>,
    /// Whether the plan is to be made three times more at the end.
    pub(crate) stays: bool,
    /// Whether the world after each write is kept.
    pub(crate) keeps_states: bool,
}

/// The reads of a service that come next after a write and deny that what it changed is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Denial {
    /// The number of the write in the run, from 1.
    pub(crate) write: u64,
    pub(crate) reads: u64,
}

impl Denial {
    /// Whether no read came later that told the truth. Where it is the goal that something is not there,
    /// the run cannot know better then, and does not delete what it does not see.
    fn is_total(self, asked: &[Asked]) -> bool {
        let mut writes = asked.iter().enumerate().filter(|(_, asked)| asked.writes);
        let nth = usize::try_from(self.write).unwrap_or(usize::MAX);
        let Some((at, write)) = writes.nth(nth.saturating_sub(1)) else {
            return false;
        };
        let of_provider = write
            .call
            .as_ref()
            .is_some_and(|call| call.starts_with("oidc_provider/"));
        // Descriptions are all that is taken from the list of roles.
        let tells = |asked: &Asked| match asked.operation.as_str() {
            "iam:ListRoles" => false,
            other => of_provider || !other.contains("OpenIDConnect"),
        };
        let later = asked.iter().skip(at + 1).filter(|asked| !asked.writes);
        let later = later.filter(|asked| asked.service() == write.service());
        let denied = usize::try_from(self.reads).unwrap_or(usize::MAX);
        !later.skip(denied).any(tells)
    }
}

/// Longest time of a run: its own limit of 30 minutes, the last rollout that began within it, the
/// final looks and the retries of what was under way.
const LONGEST_RUN: Duration = Duration::from_hours(1);
/// How long a slow answer takes in the sandbox.
const SLOW_ANSWER: Duration = Duration::from_hours(1);

/// A journey under way.
pub(crate) struct Journey<'a> {
    pub(crate) bench: &'a Bench,
    pub(crate) setting: &'a Setting,
    pub(crate) watch: Watch,
    pub(crate) broken: Vec<String>,
    twin: Option<&'a Twin>,
    terms: Terms,
    /// Faulted writes: each may have been carried out although its sender was not told so.
    lost: u64,
    /// Faults met.
    met: u64,
    /// Somebody else came after the last write: what the final look had read by then was true.
    pub(crate) raced: bool,
    /// No read of the last run told that something is still there.
    blind: bool,
    /// It ended with a refusal to delete what others use, which is right, and does nothing else.
    refused: bool,
}

/// Travels under these scripts, one a run; after them nothing goes wrong.
pub(crate) async fn travel(
    bench: &Bench,
    setting: &Setting,
    scripts: &[Script],
    twin: Option<&Twin>,
    terms: Terms,
) -> Result<Twin, Vec<String>> {
    let mut journey = Journey::begin(bench, setting, twin, terms);
    let mut ran = Ran::default();
    if scripts.is_empty() {
        ran = journey.run(&Script::default()).await;
    }
    for script in scripts {
        ran = journey.run(script).await;
    }
    journey.settle(ran).await;
    journey.finish()
}

impl<'a> Journey<'a> {
    /// Puts the account to the start and begins to watch it.
    pub(crate) fn begin(
        bench: &'a Bench,
        setting: &'a Setting,
        twin: Option<&'a Twin>,
        terms: Terms,
    ) -> Self {
        bench.drive.reset(&setting.start);
        Self {
            bench,
            setting,
            watch: Watch::over(&bench.drive, setting, terms.keeps_states),
            broken: Vec::new(),
            twin,
            terms,
            lost: 0,
            met: 0,
            raced: false,
            blind: false,
            refused: false,
        }
    }

    /// One run of `apply` under a script, judged. It is remembered: an outside actor needs `run_anew`.
    pub(crate) async fn run(&mut self, script: &Script) -> Ran {
        self.run_in(script, !self.terms.keeps_states).await
    }

    /// The same, whatever else happens on the way.
    pub(crate) async fn run_anew(&mut self, script: &Script) -> Ran {
        self.run_in(script, false).await
    }

    async fn run_in(&mut self, script: &Script, remembers: bool) -> Ran {
        let Bench { drive, memory, .. } = self.bench;
        let declared = &self.setting.declared;
        drive.sandbox.revive();
        drive.sandbox.play(script.clone());
        self.watch.next_run();
        let asked = self.watch.seen().asked.len();
        let apply = async || drive.apply(declared).await;
        let ran = if remembers {
            let watch = &self.watch;
            memory.run(drive, watch, declared, script, apply).await
        } else {
            apply().await
        };
        drop(drive.sandbox.take_trace());
        let of_run = self.watch.seen().asked.split_off(asked);
        let denial = self.terms.denial.filter(|_| asked == 0);
        self.blind = denial.is_some_and(|denial| denial.is_total(&of_run));
        let asked = of_run.len();
        self.watch.seen().asked.extend(of_run);
        self.judge(&ran, asked);
        ran
    }

    /// Runs on until a fresh plan is empty, as often as may be.
    pub(crate) async fn settle(&mut self, mut last: Ran) {
        let mut further = self.terms.further;
        while let Some(left) = self.left(&last).await {
            if self.terms.others && self.is_refused_rightly(&last) {
                self.count("promise", "1 settles");
                self.refused = true;
                return;
            }
            if further == 0 {
                let said = tail(&last.said);
                let exit = last.exit;
                self.broken.push(format!(
                    "1: it does not settle: {left}; the last run: exit {exit:?} {said}"
                ));
                break;
            }
            further -= 1;
            self.raced = false;
            last = self.run(&Script::default()).await;
        }
        self.count("promise", "1 settles");
        if self.terms.stays {
            self.stays().await;
        }
    }

    /// Whether the run said with exit code 3 that it does not delete what others use, by the records.
    fn is_refused_rightly(&self, last: &Ran) -> bool {
        let store = self.bench.drive.sandbox.snapshot();
        let told = |used: &Address| {
            ["deleted while others use it", "removed while roles outside"]
                .iter()
                .any(|why| last.said.contains(&format!("{used}: It is not {why}")))
        };
        let refused = last.exit == Some(3) && records::used_by_others(&store).iter().any(told);
        if refused {
            self.count("refused rightly", "what others use");
        }
        refused
    }

    /// What a fresh plan still holds, seen in another order and spelling (promise 10); after exit 0
    /// that is nothing (promise 8).
    async fn left(&mut self, last: &Ran) -> Option<String> {
        // Pages of one item each cost many requests, so that only some plans see them.
        const PAGED: u64 = 8;
        // Equal worlds are seen in so many orders and spellings; `view` sees each road in others.
        const VIEWS: u64 = 8;
        let seed = self.terms.seed % VIEWS;
        let script = Script {
            seed,
            shuffle: true,
            respell: true,
            page_size: seed.is_multiple_of(PAGED).then_some(1),
            ..Script::default()
        };
        let Bench { drive, memory, .. } = self.bench;
        let declared = &self.setting.declared;
        drive.sandbox.revive();
        drive.sandbox.play(script.clone());
        let plan = async || Left::of(drive.plan(declared).await);
        let left = memory.look(drive, declared, &script, plan).await;
        let unseen = self.blind && left.only_deletes;
        let left = left.words;
        self.count("promise", "8 honest exit");
        self.count("promise", "10 same in, same out");
        let claimed = last.exit == Some(0) && !self.raced && !unseen;
        if let Some(left) = left.as_ref().filter(|_| claimed) {
            self.broken
                .push(format!("8: exit 0, and a fresh plan holds {left}"));
        }
        left
    }

    /// Three more plans, some time apart, are empty, and an apply writes nothing.
    async fn stays(&mut self) {
        let drive = &self.bench.drive;
        drive.sandbox.play(Script::default());
        let before = drive.sandbox.snapshot();
        for _ in 0..3 {
            drive.time.sleep(Duration::from_mins(10)).await;
            let ran = drive.apply(&self.setting.declared).await;
            if ran.exit != Some(0) || ran.planned != Some(0) {
                let said = tail(&ran.said);
                let exit = ran.exit;
                self.broken.push(format!(
                    "1: it does not stay as declared: exit {exit:?} {said}"
                ));
            }
        }
        if records::end_state(&before) != records::end_state(&drive.sandbox.snapshot()) {
            self.broken
                .push("7: an apply without changes wrote".to_owned());
        }
    }

    /// The promises that are judged by what one run said and did.
    pub(crate) fn judge(&mut self, ran: &Ran, asked: usize) {
        let met = std::mem::take(&mut self.watch.seen().met);
        let store = self.bench.drive.sandbox.snapshot();
        self.count("promise", "9 no secret");
        let canaries = ["canary-", "AKIASANDBOXSANDBOX00"].map(str::to_owned);
        for secret in canaries.into_iter().chain(records::secrets(&store)) {
            if ran.said.contains(&secret) {
                self.broken.push(format!("9: {secret} was said"));
            }
        }
        if ran.said.contains("This is a bug in provision") {
            self.broken.push(format!("a bug: {}", tail(&ran.said)));
        }
        self.count("promise", "11 bounded");
        let slow = met.iter().filter(|met| met.kind == FaultKind::Slow).count();
        let slow = SLOW_ANSWER * u32::try_from(slow).unwrap_or(u32::MAX);
        if ran.took > LONGEST_RUN + slow {
            self.broken.push(format!("11: it took {:?}", ran.took));
        }
        if let Some(twin) = self.twin
            && asked > most_requests(twin)
        {
            self.broken.push(format!("11: {asked} requests in one run"));
        }
        for line in ran.said.lines() {
            // The line that `-vv` writes of a request that failed.
            if let Some((_, class)) = line.split_once(" class=") {
                self.count("error class", class.trim());
            }
        }
        self.met += met.len() as u64;
        for met in &met {
            self.judge_fault(met, ran);
        }
    }

    fn judge_fault(&mut self, met: &Met, ran: &Ran) {
        let Met {
            kind,
            asked,
            before_writes,
            shown,
        } = met;
        self.count("fault met", &format!("{kind:?}"));
        let operation = &asked.operation;
        self.count("request x fault", &format!("{operation} {kind:?}"));
        if asked.writes {
            self.lost += 1;
            if let Some(call) = &asked.call {
                self.count("call x fault", &format!("{call} {kind:?}"));
            }
            return;
        }
        self.count("promise", "12 fails closed");
        let is_final = matches!(
            kind,
            FaultKind::AccessDenied
                | FaultKind::TokenExpired
                | FaultKind::QuotaExceeded
                | FaultKind::UnknownError
        );
        if !(is_final && *before_writes) {
            return;
        }
        // A step that cannot look does not write; the others, which could, go on.
        let went_on = !shown && (ran.planned.is_some() || self.watch.seen().wrote_in_run);
        if ran.exit != Some(1) || went_on {
            let (exit, planned) = (ran.exit, ran.planned);
            self.broken.push(format!(
                "12: {kind:?} on {operation}, and then exit {exit:?}, {planned:?} steps"
            ));
        }
        // The tagging API signs as `tag` and is spoken of as `tagging`.
        let named = operation.replace("tag:", "tagging:");
        if !ran.said.contains(&named) {
            let said = tail(&ran.said);
            self.broken.push(format!(
                "12: {kind:?} on {operation} is not named in: {said}"
            ));
        }
    }

    /// How many faults were met so far.
    pub(crate) fn met_faults(&self) -> u64 {
        self.met
    }

    /// Counts in the ledger.
    pub(crate) fn count(&self, group: &str, cell: &str) {
        self.bench.ledger.count(group, cell);
    }

    /// Compares the end with the twin's, and gives what this journey came to.
    pub(crate) fn finish(mut self) -> Result<Twin, Vec<String>> {
        let last = self.bench.drive.sandbox.snapshot();
        self.bench.drive.sandbox.after_each(|_, _| {});
        self.bench.drive.sandbox.before_each(|_, _| {});
        let end = records::end_state(&last);
        let seen = std::mem::take(&mut *self.watch.seen());
        for (promise, number) in seen.checks {
            self.bench.ledger.add("promise", promise, number);
        }
        self.broken.extend(seen.broken);
        self.count("promise", "7 no more than needed");
        let most = 1 + usize::from(self.terms.two);
        self.broken
            .extend(doubled_revisions(&self.setting.start, &last, most));
        if let Some(twin) = self.twin.filter(|_| !self.refused) {
            self.count("promise", "2 same end");
            for (name, words) in records::differences(&twin.end, &end) {
                if !self.watch.is_excused(&name) {
                    self.broken.push(format!("2: another end: {name} {words}"));
                }
            }
            let most = twin.written + self.lost + self.terms.spare_writes;
            if seen.written > most {
                let written = seen.written;
                self.broken
                    .push(format!("7: {written} writes where {most} are needed"));
            }
        }
        if self.broken.is_empty() {
            Ok(Twin {
                end,
                asked: seen.asked,
                written: seen.written,
                states: seen.states,
                last,
            })
        } else {
            Err(self.broken)
        }
    }
}

/// Most requests of a run: its twin's, each sent eight times at most, with the looks of two minutes
/// of waiting and of steps that were unclear.
fn most_requests(twin: &Twin) -> usize {
    20 * twin.asked.len() + 500
}

/// Revisions of a task definition that were made although as many of equal content were there as
/// programs that make them.
fn doubled_revisions(start: &Store, end: &Store, most: usize) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut doubled = Vec::new();
    for (key, record) in end.rows(Table::TaskDefinition) {
        let family = key.split('\n').next().unwrap_or_default();
        let count = seen
            .entry(format!("{family} {}", records::scrubbed(record)))
            .or_default();
        *count += 1;
        if *count > most && !start.has(Table::TaskDefinition, key) {
            doubled.push(format!("7: {count} revisions of equal content: {family}"));
        }
    }
    doubled
}

/// The end of what was said, without the requests.
pub(crate) fn tail(said: &str) -> String {
    const SHOWN: usize = 900;
    let lines = said.lines().filter(|line| !line.starts_with("DEBUG "));
    let said = lines.collect::<Vec<_>>().join("\n");
    let characters: Vec<char> = said.chars().collect();
    let from = characters.len().saturating_sub(SHOWN);
    characters.into_iter().skip(from).collect()
}

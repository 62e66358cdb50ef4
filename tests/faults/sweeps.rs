//! The sweeps: which journeys, with which faults, and how many; run on all cores, each case by its
//! replay key. The push tier takes an even sample of the large sweeps, the full tier all of them.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use provision::sandbox::{Fault, FaultKind, Script, Shape, Stale, Store, Times};

use super::configs::{self, ACCOUNT, REGION, Size, Way};
use super::drive::Drive;
use super::journey::{Setting, Twin, travel};
use super::ledger::Ledger;
use super::{deployments, neighbours, oracle};

/// A transition between two ways of declaring a world.
type Transition = (Size, Way, Way);

/// How many of a large sweep's cases the push tier takes: one of this many, evenly. With it the push
/// tier stays within a few minutes on two cores; the full tier takes every case.
const PUSH_STRIDES: [(&str, usize); 3] = [("call", 251), ("double", 101), ("stale", 101)];
/// How often each promise has to have been judged before "passed" means anything.
const LEAST_JUDGEMENTS: u64 = 500;

/// A transition with what is needed to travel it.
struct Road {
    setting: Setting,
    twin: Twin,
}

/// One case of a sweep.
struct Case {
    key: String,
    transition: Transition,
    scripts: Vec<Script>,
    further: u32,
}

struct Regime {
    roads: BTreeMap<Transition, Road>,
    ledger: Ledger,
    failures: Mutex<Vec<(String, Vec<String>)>>,
    /// One case is looked at again: its ledger proves nothing.
    replaying: bool,
}

/// Runs the tier that was asked for, or the one case of a replay key.
pub(crate) fn run() -> ExitCode {
    let began = Instant::now();
    let replay = std::env::var("PROVISION_FAULTS_REPLAY").ok();
    let full = std::env::var_os("PROVISION_FAULTS_FULL").is_some();
    let mut regime = Regime {
        roads: BTreeMap::new(),
        ledger: Ledger::default(),
        failures: Mutex::default(),
        replaying: replay.is_some(),
    };
    let mut count = 0;
    if replay.as_deref().is_some_and(deployments::is_key) {
        // They need none of the worlds of the other sweeps.
        count += regime.deployments(full, replay.as_deref(), began);
        return regime.close(count, false);
    }
    for size in Size::ALL {
        count += regime.free_of_faults(size);
    }
    println!(
        "free of faults: {count} transitions, {:.1} s",
        began.elapsed().as_secs_f64()
    );
    if regime.has_failed() {
        // Without twins the other sweeps have nothing to compare with.
        return regime.close(count, false);
    }
    for (name, stride, cases) in regime.sweeps(full) {
        let all = cases.len();
        let chosen: Vec<Case> = match &replay {
            Some(key) => cases.into_iter().filter(|case| case.key == *key).collect(),
            None => cases.into_iter().step_by(stride).collect(),
        };
        count += chosen.len();
        regime.run_all(&chosen);
        println!(
            "{name}: {} of {all} cases, {:.1} s",
            chosen.len(),
            began.elapsed().as_secs_f64()
        );
    }
    count += regime.deployments(full, replay.as_deref(), began);
    regime.close(count, full && replay.is_none())
}

impl Regime {
    /// Deploy, promote and rollback, in a world of their own.
    fn deployments(&self, full: bool, replay: Option<&str>, began: Instant) -> usize {
        let swept = runtime().block_on(deployments::sweep(full, replay, &self.ledger));
        for (key, broken) in swept.failures {
            println!("FAILED {key}");
            self.fail(key, broken);
        }
        println!(
            "deployments: {} of {} cases, {:.1} s",
            swept.cases,
            swept.all,
            began.elapsed().as_secs_f64()
        );
        swept.cases
    }

    fn has_failed(&self) -> bool {
        !self
            .failures
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .is_empty()
    }

    /// Prints the failures, the ledger and the closing line.
    fn close(self, count: usize, complete: bool) -> ExitCode {
        let mut failures = self.failures.into_inner().unwrap_or_default();
        for (promise, number) in self.ledger.cells("promise") {
            if number < LEAST_JUDGEMENTS && !self.replaying {
                failures.push((
                    format!("ledger/{promise}"),
                    vec![format!("judged only {number} times")],
                ));
            }
        }
        let met = self.ledger.cells("fault met");
        for kind in FaultKind::ALL
            .into_iter()
            .filter(|kind| complete && is_swept(*kind))
        {
            if !met.contains_key(&format!("{kind:?}")) {
                failures.push((format!("ledger/{kind:?}"), vec!["never met".to_owned()]));
            }
        }
        for (key, broken) in failures.iter().take(20) {
            println!("FAILED {key}\n    replay with PROVISION_FAULTS_REPLAY='{key}'");
            for line in broken {
                println!("    {}", line.chars().take(600).collect::<String>());
            }
        }
        let text = self.ledger.text();
        println!(
            "{}",
            text.lines()
                .filter(|line| !line.contains(':') || !line.contains(" x "))
                .take(60)
                .collect::<Vec<_>>()
                .join("\n")
        );
        let file =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/faults-ledger.txt");
        if let Err(error) = std::fs::write(&file, text) {
            println!("the ledger was not kept: {error}");
        }
        println!(
            "{} passed, {} failed",
            count.saturating_sub(failures.len()),
            failures.len()
        );
        if failures.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    /// Every sweep with faults: its name, the stride of this tier, its cases.
    fn sweeps(&self, full: bool) -> Vec<(&'static str, usize, Vec<Case>)> {
        let stride = |name: &str| {
            let strides = PUSH_STRIDES.iter().find(|(sweep, _)| *sweep == name);
            if full {
                1
            } else {
                strides.map_or(1, |(_, stride)| *stride)
            }
        };
        vec![
            (
                "every call x every fault",
                stride("call"),
                self.every_call(),
            ),
            ("double crash", stride("double"), self.double_crash()),
            ("stale reads", stride("stale"), self.stale_reads()),
            (
                "lists shuffled, re-spelt, one a page",
                1,
                self.other_views(),
            ),
        ]
    }

    /// Every transition without a fault: the twins of all other journeys.
    fn free_of_faults(&mut self, size: Size) -> usize {
        let configs = configs::all(size);
        let runtime = runtime();
        let mut settled: BTreeMap<Way, Store> = BTreeMap::new();
        let bare = Drive::new(ACCOUNT, REGION);
        neighbours::seed(&bare.sandbox);
        for (way, config) in &configs {
            let setting = Setting {
                start: bare.sandbox.snapshot(),
                config: config.clone(),
                adopts: *way == Way::Adopting,
                goal: None,
            };
            let drive = Drive::new(ACCOUNT, REGION);
            match runtime.block_on(travel(&drive, &setting, &[], 0, None, &self.ledger)) {
                Ok(_) => {
                    settled.insert(*way, drive.sandbox.snapshot());
                }
                Err(broken) => self.fail(format!("settle/{size:?}/{way:?}"), broken),
            }
        }
        let mut count = settled.len();
        for (from, start) in &settled {
            for (to, config) in &configs {
                count += 1;
                let adopts = *to == Way::Adopting || *from == Way::Adopting;
                let setting = Setting {
                    start: start.clone(),
                    config: config.clone(),
                    adopts,
                    goal: None,
                };
                match runtime.block_on(self.road(setting)) {
                    Ok(road) => {
                        self.roads.insert((size, *from, *to), road);
                    }
                    Err(broken) => self.fail(format!("free/{size:?}/{from:?}>{to:?}"), broken),
                }
            }
        }
        count
    }

    /// Travels without faults, and once more with what the first journey showed to be the goal.
    async fn road(&self, mut setting: Setting) -> Result<Road, Vec<String>> {
        let drive = Drive::new(ACCOUNT, REGION);
        travel(&drive, &setting, &[], 0, None, &self.ledger).await?;
        setting.goal = Some(oracle::access(&drive.sandbox.snapshot()));
        let twin = travel(&drive, &setting, &[], 0, None, &self.ledger).await?;
        Ok(Road { setting, twin })
    }

    /// The transitions of the tiny world that do something.
    fn tiny(&self) -> impl Iterator<Item = (&Transition, &Road)> {
        self.roads
            .iter()
            .filter(|((size, from, to), _)| *size == Size::Tiny && from != to)
    }

    /// Every call of every transition of the tiny world, with every fault.
    fn every_call(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        for (transition, road) in self.tiny() {
            for (position, (operation, _)) in road.twin.requests.iter().enumerate() {
                for kind in FaultKind::ALL.into_iter().filter(|kind| is_swept(*kind)) {
                    let call = position as u64 + 1;
                    cases.push(Case {
                        key: key("call", *transition, &format!("{call}/{operation}/{kind:?}")),
                        transition: *transition,
                        scripts: vec![Script::of(vec![Fault::at(call, kind)])],
                        further: if is_crash(kind) { 1 } else { 2 },
                    });
                }
            }
        }
        cases
    }

    /// A crash around every write, then one around every write of the recovery.
    fn double_crash(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        for (transition, road) in self.tiny() {
            let writes = road
                .twin
                .requests
                .iter()
                .enumerate()
                .filter(|(_, (_, writes))| *writes);
            for (position, (operation, _)) in writes {
                let left = road
                    .twin
                    .requests
                    .iter()
                    .skip(position)
                    .filter(|(_, writes)| *writes)
                    .count() as u64;
                for (first, second) in [
                    (FaultKind::CrashBefore, FaultKind::CrashAfter),
                    (FaultKind::CrashAfter, FaultKind::CrashBefore),
                    (FaultKind::CrashAfter, FaultKind::CrashAfter),
                ] {
                    for nth in 1..=left {
                        let mut again = Fault::at(1, second);
                        again.call = None;
                        again.nth = READS_OF_A_LOOK + nth;
                        cases.push(Case {
                            key: key(
                                "double",
                                *transition,
                                &format!("{}/{operation}/{first:?}/{nth}/{second:?}", position + 1),
                            ),
                            transition: *transition,
                            scripts: vec![
                                Script::of(vec![Fault::at(position as u64 + 1, first)]),
                                Script::of(vec![again]),
                            ],
                            further: 1,
                        });
                    }
                }
            }
        }
        cases
    }

    /// Reads that lag behind each write, in each shape, for a while and for ever less one run.
    fn stale_reads(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        for (transition, road) in self.tiny() {
            let writes = road
                .twin
                .requests
                .iter()
                .filter(|(_, writes)| *writes)
                .count() as u64;
            for nth in 1..=writes {
                for shape in [
                    Shape::Missing,
                    Shape::Previous,
                    Shape::Phantom,
                    Shape::Principal,
                ] {
                    for reads in [1, 2, 3, 5] {
                        let stale = Stale {
                            operation: "*".to_owned(),
                            shape,
                            reads: Times::Count(reads),
                            nth: Some(nth),
                        };
                        cases.push(Case {
                            key: key("stale", *transition, &format!("{nth}/{shape:?}/{reads}")),
                            transition: *transition,
                            scripts: vec![Script {
                                stale: Some(stale),
                                ..Script::default()
                            }],
                            further: 2,
                        });
                    }
                }
            }
        }
        cases
    }

    /// The same world shown in another order, another spelling and in small pages.
    fn other_views(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        for (transition, _) in self.tiny() {
            let script = Script {
                seed: 7,
                page_size: Some(1),
                shuffle: true,
                respell: true,
                ..Script::default()
            };
            cases.push(Case {
                key: key("view", *transition, "shuffled"),
                transition: *transition,
                scripts: vec![script],
                further: 0,
            });
        }
        cases
    }

    /// Runs the cases on all cores.
    fn run_all(&self, cases: &[Case]) {
        let next = AtomicUsize::new(0);
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    let runtime = runtime();
                    let drive = Drive::new(ACCOUNT, REGION);
                    while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                        runtime.block_on(self.run_one(&drive, case));
                    }
                });
            }
        });
    }

    async fn run_one(&self, drive: &Drive, case: &Case) {
        let Some(road) = self.roads.get(&case.transition) else {
            return;
        };
        let traveled = travel(
            drive,
            &road.setting,
            &case.scripts,
            case.further,
            Some(&road.twin),
            &self.ledger,
        );
        if let Err(broken) = traveled.await {
            println!("FAILED {}", case.key);
            self.fail(case.key.clone(), broken);
        }
    }

    fn fail(&self, key: String, broken: Vec<String>) {
        let mut failures = self
            .failures
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        failures.push((key, broken));
    }
}

/// About how many requests the first look of a run on the tiny world makes: the second crash of a
/// double one comes after it.
const READS_OF_A_LOOK: u64 = 18;

fn key(sweep: &str, (size, from, to): Transition, rest: &str) -> String {
    format!("{sweep}/{size:?}/{from:?}>{to:?}/{rest}")
}

/// An endpoint that lacks an operation altogether is not a passing fault.
fn is_swept(kind: FaultKind) -> bool {
    kind != FaultKind::UnknownOperation
}

fn is_crash(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::CrashBefore | FaultKind::CrashAfter)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

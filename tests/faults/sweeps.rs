//! The sweeps: which journeys, with which faults, and how many; run on all cores, each case by its
//! replay key.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;
use std::time::Instant;

use provision::sandbox::{Fault, FaultKind, Script, Store};

use super::configs::{self, ACCOUNT, REGION, Size, Way};
use super::drive::Drive;
use super::journey::{Setting, Twin, travel};
use super::ledger::Ledger;
use super::{neighbours, oracle};

/// A transition between two ways of declaring a world.
type Transition = (Size, Way, Way);

/// A transition with what is needed to travel it.
struct Road {
    setting: Setting,
    twin: Twin,
}

/// One case of a sweep.
struct Case {
    key: String,
    transition: Transition,
    script: Script,
    further: u32,
}

struct Regime {
    roads: BTreeMap<Transition, Road>,
    ledger: Ledger,
    failures: Mutex<Vec<(String, Vec<String>)>>,
}

/// Runs everything that was asked for.
pub(crate) fn run() -> ExitCode {
    let began = Instant::now();
    let only = std::env::var("PROVISION_FAULTS_REPLAY").ok();
    let mut regime = Regime { roads: BTreeMap::new(), ledger: Ledger::default(), failures: Mutex::default() };
    let mut cases = 0;
    for size in Size::ALL {
        cases += regime.free_of_faults(size);
    }
    println!("fault-free: {cases} transitions, {:.1} s", began.elapsed().as_secs_f64());
    if regime.has_failed() {
        // Without twins the other sweeps have nothing to compare with.
        return regime.close(cases);
    }
    let fifth = std::env::var("PROVISION_FAULTS_FIFTH").ok().and_then(|text| text.parse::<usize>().ok());
    let all: Vec<Case> = regime
        .every_call()
        .into_iter()
        .enumerate()
        .filter(|(position, case)| match (&only, fifth) {
            (Some(key), _) => *key == case.key,
            (None, Some(fifth)) => position % 50 == fifth,
            (None, None) => true,
        })
        .map(|(_, case)| case)
        .collect();
    cases += all.len();
    regime.run_all(&all);
    println!("every call: {} cases, {:.1} s", all.len(), began.elapsed().as_secs_f64());
    regime.close(cases)
}

impl Regime {
    fn has_failed(&self) -> bool {
        !self.failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner).is_empty()
    }

    /// Prints the failures, the ledger and the closing line.
    fn close(self, cases: usize) -> ExitCode {
        let failures = self.failures.into_inner().unwrap_or_default();
        for (key, broken) in failures.iter().take(20) {
            println!("FAILED {key}");
            for line in broken {
                println!("    {line}");
            }
        }
        println!("{}", self.ledger.text());
        println!("{} passed, {} failed", cases.saturating_sub(failures.len()), failures.len());
        if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// Every transition without a fault: the twins of all other journeys.
    fn free_of_faults(&mut self, size: Size) -> usize {
        let configs = configs::all(size);
        let runtime = runtime();
        let mut settled: BTreeMap<Way, Store> = BTreeMap::new();
        let bare = Drive::new(ACCOUNT, REGION);
        neighbours::seed(&bare.sandbox);
        for (way, config) in &configs {
            let start = bare.sandbox.snapshot();
            let drive = Drive::new(ACCOUNT, REGION);
            let setting = Setting { start, config: config.clone(), adopts: *way == Way::Adopting, goal: None };
            match runtime.block_on(travel(&drive, &setting, Script::default(), 0, None, &self.ledger)) {
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
                let setting = Setting { start: start.clone(), config: config.clone(), adopts, goal: None };
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
        travel(&drive, &setting, Script::default(), 0, None, &self.ledger).await?;
        setting.goal = Some(oracle::access(&drive.sandbox.snapshot()));
        let twin = travel(&drive, &setting, Script::default(), 0, None, &self.ledger).await?;
        Ok(Road { setting, twin })
    }

    /// Every call of every transition of the tiny world, with every fault.
    fn every_call(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        for (transition, road) in &self.roads {
            let (size, from, to) = *transition;
            if size != Size::Tiny || from == to {
                continue;
            }
            for (position, (operation, _)) in road.twin.requests.iter().enumerate() {
                for kind in FaultKind::ALL {
                    if kind == FaultKind::UnknownOperation {
                        continue;
                    }
                    let call = position as u64 + 1;
                    cases.push(Case {
                        key: format!("call/{size:?}/{from:?}>{to:?}/{call}/{operation}/{kind:?}"),
                        transition: *transition,
                        script: Script::of(vec![Fault::at(call, kind)]),
                        further: if matches!(kind, FaultKind::CrashBefore | FaultKind::CrashAfter) { 1 } else { 2 },
                    });
                }
            }
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
        let Some(road) = self.roads.get(&case.transition) else { return };
        for fault in &case.script.fault {
            self.ledger.count("fault", &format!("{:?}", fault.kind));
        }
        let traveled = travel(drive, &road.setting, case.script.clone(), case.further, Some(&road.twin), &self.ledger);
        if let Err(broken) = traveled.await {
            self.fail(case.key.clone(), broken);
        }
    }

    fn fail(&self, key: String, broken: Vec<String>) {
        let mut failures = self.failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        failures.push((key, broken));
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}


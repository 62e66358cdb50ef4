//! The whole run: the roads, what once failed, every sweep on all cores, the ledger and the verdict.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::claims;
use super::drive::held;
use super::heard;
use super::journey::Bench;
use super::ledger::Ledger;
use super::roads::{Failure, Roads};
use super::sweeps::{Case, SWEEPS, Sweep};
use super::tier::Tier;

/// Cases of each sweep that are run twice, to see that they give the same ledger.
const RUN_TWICE: usize = 3;

/// After so many cases of a sweep a line says where it is, so that a run that is stopped can go on from there.
const CASES_A_LINE: usize = 5_000;

/// Runs the tier that was asked for, or the one case of a replay key.
pub(crate) fn run() -> ExitCode {
    heard::listen();
    let began = Instant::now();
    let tier = Tier::from_environment();
    println!("faults: {}", tier.words());
    let ledger = Arc::new(Ledger::default());
    let (roads, failures) = runtime().block_on(async {
        let bench = Bench::new(ledger.clone()).await;
        Roads::travel(&bench).await
    });
    println!(
        "{} roads without faults, {:.1} s",
        roads.len(),
        seconds(began)
    );
    let mut regime = Regime {
        count: roads.len(),
        ledger,
        failures: Mutex::new(failures),
        claimed: BTreeSet::new(),
        began,
    };
    let bites = tier.takes("teeth") && tier.is_unsharded();
    let mut sweeps: Vec<(&Sweep, Vec<Case>)> = SWEEPS
        .iter()
        .filter(|sweep| bites || tier.takes(sweep.name))
        .map(|sweep| (sweep, (sweep.cases)(&roads)))
        .collect();
    if bites {
        regime.teeth(&sweeps);
    }
    sweeps.retain(|(sweep, _)| tier.takes(sweep.name));
    if tier.is_whole() {
        regime.once_failed(&sweeps);
        regime.twice(&sweeps);
    }
    for (sweep, cases) in sweeps {
        regime.sweep(sweep, cases, &tier);
    }
    let mut failures = std::mem::take(&mut *held(&regime.failures));
    failures.sort();
    if tier.claims() {
        failures.extend(claims::unmet(&regime.ledger, &roads, &regime.claimed));
    }
    close(&regime.ledger, regime.count, &failures)
}

/// A run under way.
struct Regime {
    count: usize,
    ledger: Arc<Ledger>,
    failures: Mutex<Vec<Failure>>,
    /// The cells that the sweeps claim to fill.
    claimed: BTreeSet<String>,
    began: Instant,
}

impl Regime {
    /// Every planted bug is caught by the sweep that is named for it.
    #[cfg(debug_assertions)]
    fn teeth(&mut self, sweeps: &[(&Sweep, Vec<Case>)]) {
        let (count, missed) = super::teeth::bite(sweeps);
        println!(
            "teeth: {} of {count} planted bugs caught; {:.1} s so far",
            count - missed.len(),
            seconds(self.began)
        );
        self.count += count;
        self.ledger.add("sweep", "teeth", count as u64);
        held(&self.failures).extend(missed);
    }

    /// Nothing is planted in an optimised build.
    #[cfg(not(debug_assertions))]
    fn teeth(&self, _: &[(&Sweep, Vec<Case>)]) {
        println!("teeth: skipped, this build has no planted bugs");
    }

    /// Runs first what once failed: the patterns of tests/regressions.txt.
    fn once_failed(&mut self, sweeps: &[(&Sweep, Vec<Case>)]) {
        let patterns = include_str!("../regressions.txt").lines().map(str::trim);
        let patterns = patterns.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut chosen: Vec<&Case> = Vec::new();
        for pattern in patterns {
            let before = chosen.len();
            for (_, cases) in sweeps {
                chosen.extend(cases.iter().filter(|case| fits(pattern, &case.key)));
            }
            if chosen.len() == before {
                let broken = vec!["tests/regressions.txt: no case has this key".to_owned()];
                held(&self.failures).push((pattern.to_owned(), broken));
            }
        }
        self.run_all("regressions", &chosen);
        self.count += chosen.len();
        self.ledger.add("sweep", "regressions", chosen.len() as u64);
        println!(
            "regressions: what once failed: {} cases; {:.1} s so far",
            chosen.len(),
            seconds(self.began)
        );
    }

    /// The same cases give the same ledger a second time.
    fn twice(&mut self, sweeps: &[(&Sweep, Vec<Case>)]) {
        let mut chosen: Vec<&Case> = Vec::new();
        for (_, cases) in sweeps.iter().filter(|(sweep, _)| sweep.name != "plan") {
            let step = (cases.len() / RUN_TWICE).max(1);
            chosen.extend(cases.iter().step_by(step).take(RUN_TWICE));
        }
        let texts = [(); 2].map(|()| {
            let once = Self {
                count: 0,
                ledger: Arc::default(),
                failures: Mutex::default(),
                claimed: BTreeSet::new(),
                began: self.began,
            };
            once.run_all("twice", &chosen);
            let mut failures = std::mem::take(&mut *held(&once.failures));
            failures.sort();
            format!("{}{failures:?}", once.ledger.text())
        });
        if texts.first() != texts.last() {
            let broken = vec!["the same cases gave another ledger the second time".to_owned()];
            held(&self.failures).push(("ledger".to_owned(), broken));
        }
        self.ledger.add("sweep", "run twice", chosen.len() as u64);
        println!(
            "twice: the same ledger from {} cases: {}; {:.1} s so far",
            chosen.len(),
            texts.first() == texts.last(),
            seconds(self.began)
        );
    }

    fn sweep(&mut self, sweep: &Sweep, cases: Vec<Case>, tier: &Tier) {
        let all = cases.len();
        let cells = cases.iter().filter_map(|case| case.cell.clone());
        self.claimed
            .extend(cells.map(|cell| format!("{}: {cell}", sweep.name)));
        let chosen = tier.choose(cases, sweep.push);
        let cpu = cpu_seconds();
        self.run_all(sweep.name, &chosen.iter().collect::<Vec<_>>());
        self.count += chosen.len();
        self.ledger.add("sweep", sweep.name, chosen.len() as u64);
        let per_case = u32::try_from(chosen.len().max(1)).map_or(0.0, |number| {
            1000.0 * (cpu_seconds() - cpu) / f64::from(number)
        });
        println!(
            "{}: {}: {} of {all} cases; {:.1} s so far, {per_case:.1} ms of CPU a case",
            sweep.name,
            sweep.title,
            chosen.len(),
            seconds(self.began),
        );
    }

    /// Runs the cases on all cores.
    fn run_all(&self, sweep: &str, cases: &[&Case]) {
        let next = AtomicUsize::new(0);
        let memory = Arc::default();
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    runtime().block_on(async {
                        let memory = Arc::clone(&memory);
                        let bench = Bench::remembering(self.ledger.clone(), memory).await;
                        loop {
                            let number = next.fetch_add(1, Ordering::Relaxed);
                            let Some(case) = cases.get(number) else {
                                break;
                            };
                            if number > 0 && number.is_multiple_of(CASES_A_LINE) {
                                println!("{number} cases, at {}", case.key);
                            }
                            self.run_one(&bench, sweep, case).await;
                        }
                    });
                });
            }
        });
    }

    async fn run_one(&self, bench: &Bench, sweep: &str, case: &Case) {
        let broken = (case.play)(bench).await;
        if let Some(cell) = &case.cell {
            bench.ledger.count("cell", &format!("{sweep}: {cell}"));
        }
        if !broken.is_empty() {
            println!("FAILED {}", case.key);
            held(&self.failures).push((case.key.clone(), broken));
        }
    }
}

/// Whether a key fits a pattern in which `*` stands for any run of characters.
pub(crate) fn fits(pattern: &str, key: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == key,
        Some((head, tail)) => key.strip_prefix(head).is_some_and(|rest| {
            let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.into_iter().any(|at| fits(tail, &rest[at..]))
        }),
    }
}

fn seconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64()
}

/// The processor time of this process so far, where the system says it.
fn cpu_seconds() -> f64 {
    // Linux counts it in hundredths of a second, user and system, as the 14th and 15th field.
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = text.rsplit(')').next().unwrap_or_default();
    let ticks: u32 = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u32>().ok())
        .sum();
    f64::from(ticks) / 100.0
}

/// A runtime of one thread.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Prints the failures, the ledger and the closing line, and keeps the ledger.
fn close(ledger: &Ledger, count: usize, failures: &[Failure]) -> ExitCode {
    // What the ledger lacks has no case that could be run again.
    let (lacking, broken): (Vec<&Failure>, Vec<&Failure>) = failures
        .iter()
        .partition(|(key, _)| key.starts_with("ledger: "));
    for (key, _) in lacking {
        println!("EMPTY {key}");
    }
    for (key, broken) in broken.into_iter().take(20) {
        println!("FAILED {key}\n    replay with PROVISION_FAULTS_REPLAY='{key}'");
        for line in broken.iter().take(8) {
            println!("    {}", line.chars().take(1200).collect::<String>());
        }
    }
    println!("{}", ledger.short());
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/faults-ledger.txt");
    if let Err(error) = std::fs::write(&file, ledger.text()) {
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

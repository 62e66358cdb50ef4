//! One journey from one way to another: with faults, then on until all is as declared; each promise
//! is judged at every write and at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use provision::config::Config;
use provision::sandbox::{Script, Service, Store, TraceEntry};
use serde_json::Value;

use super::drive::{Drive, Ran};
use super::ledger::Ledger;
use super::oracle;

/// A world before the journey and what it is to become.
pub(crate) struct Setting {
    pub(crate) start: Store,
    pub(crate) config: Arc<Config>,
    /// What others left lying about is adopted by this configuration.
    pub(crate) adopts: bool,
    /// What each role may do at the end, once a journey without faults has shown it.
    pub(crate) goal: Option<oracle::Access>,
}

/// What a journey without faults came to.
#[derive(Clone)]
pub(crate) struct Twin {
    pub(crate) end: BTreeMap<String, Value>,
    pub(crate) requests: Vec<(String, bool)>,
}

/// What is watched while the sandbox is written to.
#[derive(Default)]
struct Watch {
    broken: Vec<String>,
    requests: Vec<(String, bool)>,
    checks: BTreeMap<&'static str, u64>,
}

/// A limit on requests: every run is bounded, permanent faults included (promise 11).
fn bound(twin: Option<&Twin>) -> u64 {
    twin.map_or(20_000, |twin| 40 * (twin.requests.len() as u64) + 2_000)
}

/// Runs until all is as declared. Returns what broke, empty where every promise was kept.
///
/// The scripts are played one a run, from the first run on; after them nothing goes wrong.
pub(crate) async fn travel(
    drive: &Drive,
    setting: &Setting,
    scripts: &[Script],
    mut further: u32,
    twin: Option<&Twin>,
    ledger: &Ledger,
) -> Result<Twin, Vec<String>> {
    let watch = watch(drive, setting);
    drive.sandbox.restore(&setting.start);
    let mut broken = Vec::new();
    let none = Script::default();
    let (first, later) = scripts.split_first().unwrap_or((&none, &[]));
    let mut ran = play(drive, setting, first, &mut broken, ledger).await;
    for script in later {
        ran = play(drive, setting, script, &mut broken, ledger).await;
    }
    drive.sandbox.play(Script::default());
    loop {
        drive.sandbox.revive();
        match drive.plan(&setting.config).await {
            Ok(plan) if plan.is_empty() => break,
            Ok(_) | Err(_) if further > 0 => further -= 1,
            Ok(plan) => {
                let left: Vec<String> = plan
                    .actions
                    .iter()
                    .map(|action| format!("{} {:?}", action.address, action.changes))
                    .collect();
                broken.push(format!(
                    "1: it does not settle: {left:?}; the last run: exit {} {}",
                    ran.exit,
                    tail(&ran.said)
                ));
                break;
            }
            Err(error) => {
                broken.push(format!("1: it does not settle: {error:?}"));
                break;
            }
        }
        ran = drive.apply(&setting.config).await;
        judge_run(&ran, &mut broken, ledger);
    }
    ledger.count("promise", "1 settles");
    let twin_of_this = finish(drive, &watch, twin, &mut broken, ledger);
    stays_empty(drive, setting, &mut broken, ledger).await;
    if broken.is_empty() {
        Ok(twin_of_this)
    } else {
        Err(broken)
    }
}

/// One run under a script.
async fn play(
    drive: &Drive,
    setting: &Setting,
    script: &Script,
    broken: &mut Vec<String>,
    ledger: &Ledger,
) -> Ran {
    drive.sandbox.revive();
    drive.sandbox.play(script.clone());
    let ran = drive.apply(&setting.config).await;
    for entry in drive.sandbox.take_trace() {
        if let Some(fault) = entry.fault {
            ledger.count("fault met", &format!("{fault:?}"));
            ledger.count(
                "call x fault",
                &format!("{}:{} {fault:?}", entry.service.name(), entry.operation),
            );
        }
    }
    judge_run(&ran, broken, ledger);
    honest(drive, setting, &ran, broken, ledger).await;
    ran
}

/// Exit 0 exactly when a fresh plan is empty (promise 8).
async fn honest(
    drive: &Drive,
    setting: &Setting,
    ran: &Ran,
    broken: &mut Vec<String>,
    ledger: &Ledger,
) {
    ledger.count("promise", "8 honest exit");
    if ran.exit != 0 {
        return;
    }
    drive.sandbox.revive();
    drive.sandbox.play(Script::default());
    match drive.plan(&setting.config).await {
        Ok(plan) if plan.is_empty() => {}
        Ok(plan) => {
            let left: Vec<String> = plan
                .steps
                .iter()
                .map(|step| format!("{} {:?}", step.address, step.call))
                .collect();
            broken.push(format!(
                "8: exit 0 although a fresh plan is not empty: {left:?}"
            ));
        }
        Err(error) => broken.push(format!("8: exit 0, but then: {error:?}")),
    }
}

fn judge_run(ran: &Ran, broken: &mut Vec<String>, ledger: &Ledger) {
    ledger.count("promise", "9 no secret");
    for canary in ["canary-", "AKIASANDBOXSANDBOX00"] {
        if ran.said.contains(canary) {
            broken.push(format!("9: {canary} was said"));
        }
    }
    if ran.said.contains("This is a bug in provision") {
        broken.push(format!("a bug: {}", tail(&ran.said)));
    }
}

fn tail(said: &str) -> String {
    let characters: Vec<char> = said.chars().collect();
    let from = characters.len().saturating_sub(900);
    characters.into_iter().skip(from).collect()
}

/// Three more plans are empty and one more apply writes nothing (promises 1 and 7).
async fn stays_empty(drive: &Drive, setting: &Setting, broken: &mut Vec<String>, ledger: &Ledger) {
    drive.sandbox.play(Script::default());
    let before = drive.sandbox.snapshot();
    let ran = drive.apply(&setting.config).await;
    ledger.count("promise", "7 no more than needed");
    if ran.exit != 0 || ran.planned != Some(0) {
        broken.push(format!(
            "1: it does not stay as declared: exit {} {}",
            ran.exit,
            tail(&ran.said)
        ));
    }
    if oracle::end_state(&before) != oracle::end_state(&drive.sandbox.snapshot()) {
        broken.push("7: an apply without changes wrote".to_owned());
    }
}

fn finish(
    drive: &Drive,
    watch: &Mutex<Watch>,
    twin: Option<&Twin>,
    broken: &mut Vec<String>,
    ledger: &Ledger,
) -> Twin {
    let end = oracle::end_state(&drive.sandbox.snapshot());
    drive.sandbox.after_each(|_, _| {});
    let watch = std::mem::take(
        &mut *watch
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner),
    );
    broken.extend(watch.broken);
    for (promise, number) in watch.checks {
        ledger.add("promise", promise, number);
    }
    if let Some(twin) = twin {
        ledger.count("promise", "2 same end");
        let differing: Vec<String> = differences(&twin.end, &end);
        if !differing.is_empty() {
            broken.push(format!("2: another end: {}", differing.join("; ")));
        }
        ledger.count("promise", "11 bounded");
        if watch.requests.len() as u64 > bound(Some(twin)) {
            broken.push(format!("11: {} requests", watch.requests.len()));
        }
    }
    Twin {
        end,
        requests: watch.requests,
    }
}

/// What differs between two end states, in short.
pub(crate) fn differences(
    expected: &BTreeMap<String, Value>,
    found: &BTreeMap<String, Value>,
) -> Vec<String> {
    let names: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    names
        .into_iter()
        .filter(|name| expected.get(*name) != found.get(*name))
        .map(|name| match (expected.get(name), found.get(name)) {
            (Some(expected), Some(found)) => {
                let changes = provision::diff::diff(expected, found, &BTreeSet::new());
                format!(
                    "{name}: {}",
                    serde_json::to_string(&changes).unwrap_or_default()
                )
            }
            (Some(_), None) => format!("{name} is missing"),
            _ => format!("{name} is too much"),
        })
        .collect()
}

/// Judges every write as it happens.
fn watch(drive: &Drive, setting: &Setting) -> Arc<Mutex<Watch>> {
    let watch = Arc::new(Mutex::new(Watch::default()));
    let shared = watch.clone();
    let others = oracle::others(&setting.start);
    let before = oracle::access(&setting.start);
    let goal = setting.goal.clone();
    let adopts = setting.adopts;
    drive
        .sandbox
        .after_each(move |entry: &TraceEntry, store: &Store| {
            let mut watch = shared
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            watch.requests.push((
                format!("{}:{}", entry.service.name(), entry.operation),
                !entry.reads,
            ));
            if !entry.wrote || entry.reads {
                return;
            }
            *watch.checks.entry("3 nobody else's").or_default() += 1;
            let now = oracle::others(store);
            for (name, record) in &others {
                let legacy = name.contains("legacy") && adopts;
                if !legacy && now.get(name) != Some(record) {
                    watch.broken.push(format!(
                        "3: {name} of others was touched by {}",
                        entry.operation
                    ));
                }
            }
            *watch.checks.entry("4 always owned").or_default() += 1;
            for name in now.keys().filter(|name| !others.contains_key(*name)) {
                watch.broken.push(format!(
                    "4: {name} carries no mark after {}",
                    entry.operation
                ));
            }
            if entry.service == Service::Iam {
                let access = oracle::access(store);
                judge_access(&before, &access, goal.as_ref(), entry, &mut watch);
            }
        });
    watch
}

fn judge_access(
    before: &oracle::Access,
    now: &oracle::Access,
    goal: Option<&oracle::Access>,
    entry: &TraceEntry,
    watch: &mut Watch,
) {
    let Some(goal) = goal else { return };
    let none = BTreeSet::new();
    for role in before.keys().chain(now.keys()).chain(goal.keys()) {
        let [was, is, will] = [before, now, goal].map(|world| world.get(role).unwrap_or(&none));
        *watch.checks.entry("5 never wider").or_default() += 1;
        *watch.checks.entry("6 never narrower").or_default() += 1;
        if let Some(pair) = is
            .iter()
            .find(|pair| !was.contains(*pair) && !will.contains(*pair))
        {
            watch
                .broken
                .push(format!("5: {role} may {pair} after {}", entry.operation));
        }
        if let Some(pair) = was.intersection(will).find(|pair| !is.contains(*pair)) {
            watch.broken.push(format!(
                "6: {role} may not {pair} after {}",
                entry.operation
            ));
        }
    }
}

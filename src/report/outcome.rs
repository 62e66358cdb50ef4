//! What a run came to: what was done, what failed and why, and how to go on.

use std::fmt::Write as _;

use super::error;
use super::shown::{About, symbol};
use crate::apply::Outcome;
use crate::plan::{Plan, Verb};

/// The summary of a run, for standard output; the last line counts what was done.
#[must_use]
pub fn summary(plan: &Plan, about: &About, outcome: &Outcome) -> String {
    let done = |verb: Verb| {
        plan.actions
            .iter()
            .filter(|action| action.verb() == verb && outcome.done.contains(&action.address))
            .count()
    };
    let replaced = done(Verb::Replace);
    let mut out = String::new();
    let word = if outcome.exit_code() == 0 {
        "complete"
    } else {
        "incomplete"
    };
    let _ = writeln!(
        out,
        "{} {word}: {} added, {} changed, {} destroyed.",
        if about.destroy { "Destroy" } else { "Apply" },
        done(Verb::Create) + replaced,
        done(Verb::Change),
        done(Verb::Delete) + replaced
    );
    out
}

/// What went wrong, for standard error; empty where nothing did.
#[must_use]
pub fn troubles(plan: &Plan, outcome: &Outcome, command: &str) -> String {
    let mut out = String::new();
    for (_, failure) in &outcome.failures {
        let _ = writeln!(out, "{}", error::text(failure));
    }
    if let Some(unverified) = &outcome.unverified {
        let _ = writeln!(out, "{}", error::text(unverified));
    }
    for (address, why) in &outcome.not_done {
        let verb = plan
            .actions
            .iter()
            .find(|action| action.address == *address);
        let symbol = verb.map_or("~", |action| symbol(action.verb()));
        let _ = writeln!(out, "not done: {symbol} {address}: {why}");
    }
    if !outcome.left.is_empty() {
        let left: Vec<String> = outcome.left.iter().map(ToString::to_string).collect();
        let _ = writeln!(out, "did not converge: {} still differ.", left.join(", "));
    }
    if outcome.stopped {
        let _ = writeln!(out, "Stopped after the calls in flight.");
    }
    if !out.is_empty() {
        let _ = writeln!(
            out,
            "  hint: `{command}` goes on from here; `provision plan` shows what is left."
        );
    }
    out.truncate(out.trim_end().len());
    out
}

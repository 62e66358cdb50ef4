//! Everything that somebody else may change behind our back, in the sandbox: `plan` shows it by its
//! field, `apply` mends it with no more writes than needed, and then nothing is left. What means the
//! same is no drift, and what is not ours is not touched. `PROVISION_BLESS=1` writes `drift.txt`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may end at once where something is not as it has to be"
)]

mod drift {
    pub(crate) mod iam;
    pub(crate) mod others;
    pub(crate) mod project;
    pub(crate) mod regional;
    pub(crate) mod requests;
    pub(crate) mod service;
}

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use provision::sandbox::Service;
use serde_json::Value;
use similar::TextDiff;

use drift::project::{NO_CHANGES, Project};

/// One thing that somebody else did.
pub(crate) struct Drift {
    /// What it is, in a few words; unique.
    pub(crate) name: &'static str,
    /// The requests of somebody else.
    pub(crate) outside: Vec<(Service, &'static str, Value)>,
    /// The hazards of mending it.
    pub(crate) allow: &'static [&'static str],
    /// The requests with which `apply` mends it, in alphabetical order.
    pub(crate) writes: &'static [&'static str],
}

/// One row of the table.
pub(crate) fn drift(
    name: &'static str,
    outside: impl IntoIterator<Item = (Service, &'static str, Value)>,
    allow: &'static [&'static str],
    writes: &'static [&'static str],
) -> Drift {
    Drift {
        name,
        outside: outside.into_iter().collect(),
        allow,
        writes,
    }
}

/// What `plan` says of one drift; the complaints about how it is shown and mended go to `wrong`.
fn seen_and_mended(project: &Project, drift: &Drift, wrong: &mut String) -> String {
    project.begin_anew();
    for (service, operation, input) in &drift.outside {
        project.ask(*service, operation, input.clone());
    }
    let plan = project.run(&["plan", "--detailed-exitcode"]);
    if plan.code != Some(2) {
        let _ = writeln!(
            wrong,
            "{}: plan ends with {:?}\n{}",
            drift.name, plan.code, plan.stderr
        );
    }
    let mut arguments = vec!["-vv", "apply", "--yes"];
    if !drift.allow.is_empty() {
        let refused = project.run(&arguments);
        if refused.code != Some(3) || !refused.writes().is_empty() {
            let _ = writeln!(wrong, "{}: {:?} is not asked for", drift.name, drift.allow);
        }
    }
    arguments.extend(drift.allow.iter().flat_map(|hazard| ["--allow", hazard]));
    let apply = project.run(&arguments);
    if apply.code != Some(0) {
        let _ = writeln!(
            wrong,
            "{}: apply ends with {:?}\n{}",
            drift.name, apply.code, apply.stderr
        );
    }
    let mut writes = apply.writes();
    writes.sort();
    if writes != drift.writes {
        let _ = writeln!(
            wrong,
            "{}: apply sends {writes:?}, not {:?}",
            drift.name, drift.writes
        );
    }
    let again = project.run(&["plan", "--detailed-exitcode"]);
    if again.code != Some(0) || again.stdout.trim_end() != NO_CHANGES {
        let _ = writeln!(wrong, "{}: left after apply:\n{}", drift.name, again.stdout);
    }
    format!("# {}\n{}\n", drift.name, plan.stdout)
}

#[test]
fn every_drift_is_seen_shown_and_mended() {
    let project = Project::applied();
    let mut drifts = drift::iam::drifts();
    drifts.extend(drift::regional::drifts());
    drifts.extend(drift::service::drifts());
    let names: BTreeSet<&str> = drifts.iter().map(|drift| drift.name).collect();
    assert_eq!(names.len(), drifts.len(), "two drifts have one name");
    let mut wrong = String::new();
    let found: String = drifts
        .iter()
        .map(|drift| seen_and_mended(&project, drift, &mut wrong))
        .collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drift.txt");
    if std::env::var_os("PROVISION_BLESS").is_some_and(|value| value == "1") {
        fs::write(&path, &found).unwrap();
    }
    let wanted = fs::read_to_string(&path).unwrap_or_default();
    let difference = TextDiff::from_lines(&wanted, &found);
    if wanted != found {
        let shown = difference
            .unified_diff()
            .context_radius(3)
            .header("wanted", "found")
            .to_string();
        let _ = writeln!(wrong, "{shown}\nPROVISION_BLESS=1 writes drift.txt anew.");
    }
    println!("{} drifts", drifts.len());
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_same_meaning_in_other_words_is_no_drift() {
    let project = Project::applied();
    for drift in drift::iam::same_meaning()
        .into_iter()
        .chain(drift::service::same_meaning())
    {
        project.begin_anew();
        for (service, operation, input) in &drift.outside {
            project.ask(*service, operation, input.clone());
        }
        let plan = project.run(&["-vv", "plan", "--detailed-exitcode"]);
        let last = plan.stdout.lines().last().unwrap_or_default();
        assert_eq!(
            (plan.code, last),
            (Some(0), NO_CHANGES),
            "{}:\n{}",
            drift.name,
            plan.stdout
        );
        let apply = project.run(&["-vv", "apply", "--yes"]);
        assert_eq!(apply.writes(), drift.writes, "{}", drift.name);
    }
}

#[test]
fn a_thumbprint_where_none_is_declared_is_no_drift() {
    drift::others::thumbprints_are_left_alone();
}

#[test]
fn what_is_not_ours_is_not_touched() {
    drift::others::look_alikes_stay_as_they_are();
}

#[test]
fn a_plan_costs_little_more_than_the_floor() {
    // The floor of the performance budget for W(1) and W(10), and four requests more.
    drift::requests::a_plan_sends_at_most(1, 15 + 4);
    drift::requests::a_plan_sends_at_most(10, 51 + 4);
}

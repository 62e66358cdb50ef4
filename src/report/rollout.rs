//! How rollouts ended, for a terminal and for the page of a job.

use std::fmt::Write as _;

use crate::rollout::{Ending, Outcome};

/// What became of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolloutReport {
    /// The address of the service.
    pub address: String,
    /// The digest that it was to run.
    pub digest: String,
    /// `FAMILY:REVISION`.
    pub revision: String,
    /// The ARN of the service deployment, or else the id of the deployment.
    pub deployment: Option<String>,
    /// In one word: `unchanged`, `started`, `unknown`, or an ending's name.
    pub result: &'static str,
    /// How it came out, where it was followed.
    pub outcome: Option<Outcome>,
}

/// A line for each service, and how the end is known.
#[must_use]
pub fn text(reports: &[RolloutReport]) -> String {
    let mut text = String::new();
    for report in reports {
        let (address, revision, digest) = (&report.address, &report.revision, &report.digest);
        let _ = match &report.outcome {
            None if report.result == "unchanged" => {
                writeln!(text, "{address}: runs {revision} already: {digest}")
            }
            None => writeln!(text, "{address}: {} {revision}: {digest}", report.result),
            Some(outcome) if outcome.ending == Ending::Succeeded => writeln!(
                text,
                "{address}: deployed {revision} after {} s: {} of {} tasks run {digest}",
                outcome.took.as_secs(),
                outcome.running,
                outcome.desired,
            ),
            Some(outcome) => writeln!(
                text,
                "{address}: {} {revision} after {} s",
                report.result,
                outcome.took.as_secs()
            ),
        };
        if let (Some(outcome), Some(deployment)) = (&report.outcome, &report.deployment) {
            let evidence = outcome.evidence.name();
            let _ = writeln!(text, "  evidence: {evidence} {deployment}");
        }
    }
    text
}

/// The same as a table of Markdown.
#[must_use]
pub fn markdown(command: &str, reports: &[RolloutReport]) -> String {
    let mut text = format!("### provision {command}\n\n");
    text.push_str("| service | result | revision | digest | deployment |\n|---|---|---|---|---|\n");
    for report in reports {
        let _ = writeln!(
            text,
            "| {} | {} | {} | `{}` | {} |",
            report.address,
            report.result,
            report.revision,
            report.digest,
            report.deployment.as_deref().unwrap_or("none")
        );
    }
    for outcome in reports.iter().filter_map(|report| report.outcome.as_ref()) {
        for cause in &outcome.causes {
            let _ = write!(text, "\n- {cause}");
        }
    }
    text
}

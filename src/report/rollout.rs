//! How rollouts ended, for a terminal, for the page of a job and for the outputs of its step.

use std::fmt::Write as _;

use super::markdown::{block, code, escape};
use crate::error::{Error, ErrorKind};
use crate::rollout::{Ending, Report};

/// A line for each service, and how the end is known.
#[must_use]
pub fn text(reports: &[Report]) -> String {
    let mut text = String::new();
    for report in reports {
        let (address, revision, digest) = (&report.address, &report.revision, &report.digest);
        let _ = match &report.outcome {
            None if report.result == "unchanged" => {
                writeln!(text, "{address}: runs {revision} already: {digest}")
            }
            None if revision.is_empty() => writeln!(text, "{address}: {}", report.result),
            None => writeln!(text, "{address}: {} {revision}: {digest}", report.result),
            Some(outcome) if outcome.ending == Ending::Succeeded => writeln!(
                text,
                "{address}: deployed {revision} after {} s: {} of {} tasks run {digest}",
                outcome.took.as_secs(),
                outcome.running,
                outcome.desired,
            ),
            // What was asked for: what ran before runs again.
            Some(outcome) if report.error.is_none() && outcome.ending == Ending::RolledBack => {
                writeln!(
                    text,
                    "{address}: rolled-back to {revision} after {} s: {} of {} tasks run {digest}",
                    outcome.took.as_secs(),
                    outcome.running,
                    outcome.desired,
                )
            }
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

/// The same as a table of Markdown, with the causes of what went wrong.
#[must_use]
pub fn markdown(command: &str, reports: &[Report]) -> String {
    let mut text = format!("### provision {}\n\n", escape(command));
    text.push_str("| service | result | revision | digest | deployment |\n|---|---|---|---|---|\n");
    let cell = |value: &str| match value {
        "" => "none".to_owned(),
        value => code(value),
    };
    for report in reports {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            cell(&report.address),
            report.result,
            cell(&report.revision),
            cell(&report.digest),
            cell(report.deployment.as_deref().unwrap_or_default())
        );
    }
    for error in reports.iter().filter_map(|report| report.error.as_ref()) {
        text.push_str(&error_markdown(error));
    }
    text
}

/// A run that touched nothing, and why.
#[must_use]
pub fn refusal_markdown(command: &str, error: &Error) -> String {
    format!(
        "### provision {}: {}\n{}",
        escape(command),
        refusal(error),
        error_markdown(error)
    )
}

fn error_markdown(error: &Error) -> String {
    let mut words = error.to_string();
    if let Some(hint) = &error.hint {
        let _ = write!(words, "\nhint: {hint}");
    }
    format!("\n{}", block("text", &words))
}

/// What the step gives to later ones: values of several services are separated by commas.
#[must_use]
pub fn outputs(reports: &[Report]) -> Vec<(&'static str, String)> {
    let joined = |value: fn(&Report) -> &str| {
        let values: Vec<&str> = reports.iter().map(value).collect();
        values.join(",")
    };
    vec![
        ("digest", joined(|report| &report.digest)),
        (
            "deployment",
            joined(|report| report.deployment.as_deref().unwrap_or_default()),
        ),
        ("result", joined(|report| report.result)),
    ]
}

/// The same of a run that touched nothing.
#[must_use]
pub fn refusal_outputs(error: &Error) -> Vec<(&'static str, String)> {
    vec![
        ("digest", String::new()),
        ("deployment", String::new()),
        ("result", refusal(error).to_owned()),
    ]
}

fn refusal(error: &Error) -> &'static str {
    match error.kind {
        ErrorKind::Refused => "refused",
        _ => "failed",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{markdown, outputs, refusal_markdown, refusal_outputs, text};
    use crate::error::{Error, ErrorKind};
    use crate::rollout::{Ending, Evidence, Outcome, Report};

    fn report(ending: Ending, error: Option<Error>) -> Report {
        Report {
            address: "service/web".to_owned(),
            digest: "sha256:d".to_owned(),
            revision: "web:7".to_owned(),
            deployment: Some("arn".to_owned()),
            result: ending.name(),
            outcome: Some(Outcome {
                ending,
                evidence: Evidence::Deployment,
                deployment: Some("arn".to_owned()),
                reason: None,
                causes: Vec::new(),
                running: 1,
                desired: 2,
                took: Duration::from_secs(9),
            }),
            error,
        }
    }

    #[test]
    fn each_result_says_what_runs_and_how_that_is_known() {
        let all = [report(Ending::Succeeded, None)];
        assert_eq!(
            text(&all),
            "service/web: deployed web:7 after 9 s: 1 of 2 tasks run sha256:d\n  \
             evidence: deployment in DescribeServices arn\n"
        );
        let back = [report(Ending::RolledBack, None)];
        assert!(text(&back).starts_with("service/web: rolled-back to web:7 after 9 s: 1 of 2"));
        let error = Error::new(ErrorKind::Rollout, "It was rolled back.");
        let failed = [report(Ending::RolledBack, Some(error))];
        assert!(text(&failed).starts_with("service/web: rolled-back web:7 after 9 s\n"));
    }

    #[test]
    fn outputs_of_several_services_keep_their_places() {
        let mut second = report(Ending::Failed, None);
        second.deployment = None;
        let all = [report(Ending::Succeeded, None), second];
        let outputs = outputs(&all);
        assert_eq!(outputs[0], ("digest", "sha256:d,sha256:d".to_owned()));
        assert_eq!(outputs[1], ("deployment", "arn,".to_owned()));
        assert_eq!(outputs[2], ("result", "succeeded,failed".to_owned()));
        let refused = refusal_outputs(&Error::refused("No."));
        assert_eq!(refused[2], ("result", "refused".to_owned()));
    }

    #[test]
    fn what_failed_tasks_wrote_does_not_break_out_of_the_page() {
        let words = "It failed.\n  | ``` <img src=x> | a |\n  | ::set-output name=x::y";
        let error = Error::new(ErrorKind::Rollout, words).hint("Mend it.");
        for page in [
            markdown(
                "deploy staging",
                &[report(Ending::Failed, Some(error.clone()))],
            ),
            refusal_markdown("deploy staging", &error),
        ] {
            let (_, after) = page.split_once("````text\n").unwrap();
            let (inside, rest) = after.split_once("\n````\n").unwrap();
            assert!(
                inside.contains("<img") && inside.contains("hint: Mend it."),
                "{page}"
            );
            assert!(!rest.contains("<img"), "{page}");
        }
    }
}

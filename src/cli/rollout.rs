//! What deploy, promote, rollback and wait share: their flags, how a rollout is followed, and what is
//! said of its end.

use std::time::Duration;

use clap::{Args, ValueEnum};
use futures::future::join_all;

use super::session::Session;
use crate::aws::Aws;
use crate::error::{Error, Result};
use crate::kind::RolloutHandle;
use crate::report::{RolloutReport, rollout_markdown, rollout_text};
use crate::rollout::{self, Ending, Started};

/// How far a rollout is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Until {
    /// Until the deployment succeeded.
    #[default]
    Deployed,
    /// The same, and until all tasks that are asked for run.
    Stable,
    /// Until a hook pauses it, or it succeeded.
    Paused,
    /// Not at all.
    None,
}

/// How a rollout is followed.
#[derive(Clone, Debug, Args)]
pub(super) struct Following {
    /// Only this service of the environment, by its key in infra.toml or its name.
    #[arg(long, value_name = "NAME")]
    pub(super) service: Option<String>,

    /// How long a rollout may take, such as 90s, 15m or 1h.
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = duration)]
    pub(super) timeout: Duration,

    /// How far the rollout is followed.
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub(super) wait_until: Until,
}

/// A time span such as `90s`, `15m` or `1h`; a bare number is seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.find(|letter: char| !letter.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => 0,
    };
    let number: u64 = number.parse().unwrap_or_default();
    match number.checked_mul(seconds) {
        Some(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds)),
        _ => Err("a time such as 90s, 15m or 1h is needed".to_owned()),
    }
}

/// What was sent to one service.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// The address of the service.
    pub(super) address: String,
    /// The digest that it is to run.
    pub(super) digest: String,
    /// What was started.
    pub(super) started: Started,
}

impl Following {
    /// Follows what was sent, all at once, and says how each ended; gives the exit code.
    ///
    /// # Errors
    /// What could not be read, or written.
    pub(super) async fn follow(
        &self,
        session: &Session<'_>,
        aws: &Aws,
        command: &str,
        sent: &[Sent],
    ) -> Result<u8> {
        let followed = sent.iter().map(|sent| self.follow_one(session, aws, sent));
        let mut reports = Vec::new();
        let mut errors = Vec::new();
        for (report, error) in join_all(followed).await {
            reports.push(report);
            errors.extend(error);
        }
        tell(session, command, &reports)?;
        match Error::all(errors) {
            Some(error) => Err(error),
            None => Ok(0),
        }
    }

    async fn follow_one(
        &self,
        session: &Session<'_>,
        aws: &Aws,
        sent: &Sent,
    ) -> (RolloutReport, Option<Error>) {
        let mut report = RolloutReport {
            address: sent.address.clone(),
            digest: sent.digest.clone(),
            revision: sent.started.revision.clone(),
            deployment: None,
            result: "unchanged",
            outcome: None,
        };
        let Some(handle) = &sent.started.rollout else {
            return (report, None);
        };
        report.deployment.clone_from(&handle.deployment);
        if self.wait_until == Until::None {
            report.result = "started";
            return (report, None);
        }
        match self.watch(session, aws, &sent.address, handle).await {
            Ok(outcome) => {
                let may_pause = self.wait_until == Until::Paused;
                let error = match outcome.ending {
                    Ending::Paused if may_pause => None,
                    _ => outcome.error(&handle.service),
                };
                report.deployment.clone_from(&outcome.deployment);
                report.result = outcome.ending.name();
                report.outcome = Some(outcome);
                (report, error.map(|error| error.at(&sent.address)))
            }
            Err(error) => {
                report.result = "unknown";
                (report, Some(error.at(&sent.address)))
            }
        }
    }

    async fn watch(
        &self,
        session: &Session<'_>,
        aws: &Aws,
        address: &str,
        handle: &RolloutHandle,
    ) -> Result<rollout::Outcome> {
        let begun = aws.clock().now();
        let tell = |progress: &str| {
            session
                .screen
                .say(&format!("  {address}: rollout {progress}"));
        };
        let outcome = rollout::watch(aws, handle, self.timeout, &tell).await?;
        if self.wait_until == Until::Stable && outcome.ending == Ending::Succeeded {
            let took = aws.clock().now().saturating_sub(begun);
            let rest = self.timeout.saturating_sub(took);
            rollout::stable(aws, handle, rest, &tell).await?;
        }
        Ok(outcome)
    }
}

/// Says how it ended: on the screen, on the job's page, and as outputs of the step.
fn tell(session: &Session<'_>, command: &str, reports: &[RolloutReport]) -> Result<()> {
    session.screen.result(&rollout_text(reports))?;
    let workflow = session.screen.workflow();
    workflow.summarize(&rollout_markdown(command, reports))?;
    let joined = |values: Vec<&str>| values.join(",");
    let digests = reports.iter().map(|report| report.digest.as_str());
    let deployments = reports
        .iter()
        .map(|report| report.deployment.as_deref().unwrap_or_default());
    let results = reports.iter().map(|report| report.result);
    workflow.set_output("digest", &joined(digests.collect()))?;
    workflow.set_output("deployment", &joined(deployments.collect()))?;
    workflow.set_output("result", &joined(results.collect()))
}

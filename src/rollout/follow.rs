//! What deploy, promote, rollback and wait share: how far a rollout is followed, and what is reported
//! of each service.

use std::time::Duration;

use super::event::{Event, Told};
use super::outcome::{Ending, Outcome};
use super::send::Started;
use super::standing::Watched;
use super::watch::{stable, watch};
use crate::aws::Aws;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::kind::RolloutHandle;

/// How far a rollout is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Until {
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Following {
    /// How far.
    pub until: Until,
    /// How long it may take.
    pub timeout: Duration,
}

/// What a run works with.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// The way to the account.
    pub aws: &'a Aws,
    /// What is declared.
    pub config: &'a Config,
    /// Is told what happens.
    pub on_event: &'a (dyn Fn(Event<'_>) + Sync),
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Run")
    }
}

/// What was sent to one service.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The address of the service.
    pub address: String,
    /// The digest that it is to run.
    pub digest: String,
    /// What was started.
    pub started: Started,
}

/// What became of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The address of the service.
    pub address: String,
    /// The digest that it was to run.
    pub digest: String,
    /// `FAMILY:REVISION`.
    pub revision: String,
    /// The ARN of the service deployment, or else the id of the deployment.
    pub deployment: Option<String>,
    /// In one word: `unchanged`, `started`, `unknown`, `failed`, or an ending's name.
    pub result: &'static str,
    /// How it came out, where it was followed.
    pub outcome: Option<Outcome>,
    /// Why this is not what was asked for.
    pub error: Option<Error>,
}

impl Report {
    /// Of a service for which nothing is known yet.
    pub(super) fn new(address: &str, digest: &str, revision: &str) -> Self {
        Self {
            address: address.to_owned(),
            digest: digest.to_owned(),
            revision: revision.to_owned(),
            deployment: None,
            result: "unchanged",
            outcome: None,
            error: None,
        }
    }

    /// Of a service to which nothing could be sent.
    pub(super) fn failed(address: &str, digest: &str, error: Error) -> Self {
        Self {
            result: "failed",
            error: Some(error.at(address)),
            ..Self::new(address, digest, "")
        }
    }
}

/// The error of a run with these reports; none where all is as it was asked for.
#[must_use]
pub fn error_of(reports: &[Report]) -> Option<Error> {
    let errors = reports.iter().filter_map(|report| report.error.clone());
    Error::all(errors.collect())
}

impl Run<'_> {
    /// Follows what was sent, as far as `following` says.
    pub async fn follow(&self, following: Following, sent: &Sent) -> Report {
        let report = Report::new(&sent.address, &sent.digest, &sent.started.revision);
        match &sent.started.rollout {
            Some(handle) => {
                let watched = Watched::new(handle);
                self.follow_watched(following, handle, watched, report)
                    .await
            }
            None => report,
        }
    }

    /// Follows a rollout, as far as `following` says, and reports it.
    pub(super) async fn follow_watched(
        &self,
        following: Following,
        handle: &RolloutHandle,
        watched: Watched<'_>,
        mut report: Report,
    ) -> Report {
        report.deployment.clone_from(&handle.deployment);
        if following.until == Until::None {
            report.result = "started";
            return report;
        }
        let outcome = self.watch(following, &report.address, watched).await;
        let may_pause = following.until == Until::Paused;
        let error_of = |outcome: &Outcome| match outcome.ending {
            Ending::Paused if may_pause => None,
            _ => outcome.error(&handle.service),
        };
        self.close(following, handle, report, outcome, error_of)
            .await
    }

    /// Watches a rollout, telling how it stands under this address.
    pub(super) async fn watch(
        &self,
        following: Following,
        address: &str,
        watched: Watched<'_>,
    ) -> Result<Outcome> {
        let tell = |told: Told<'_>| (self.on_event)(Event::Rollout { address, told });
        watch(self.aws, watched, following.timeout, &tell).await
    }

    /// What is reported of a rollout that was watched.
    pub(super) async fn close(
        &self,
        following: Following,
        handle: &RolloutHandle,
        mut report: Report,
        outcome: Result<Outcome>,
        error_of: impl Fn(&Outcome) -> Option<Error>,
    ) -> Report {
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                // How it goes on is not known; a service that is gone is.
                report.result = "unknown";
                report.error = Some(error.at(&report.address));
                return report;
            }
        };
        let mut error = error_of(&outcome);
        if following.until == Until::Stable && error.is_none() {
            (self.on_event)(Event::Stabilizing {
                address: &report.address,
            });
            let rest = following.timeout.saturating_sub(outcome.took);
            error = stable(self.aws, handle, rest).await.err();
        }
        report.deployment.clone_from(&outcome.deployment);
        report.result = outcome.ending.name();
        report.outcome = Some(outcome);
        report.error = error.map(|error| error.at(&report.address));
        report
    }
}

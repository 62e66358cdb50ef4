//! How rollouts end, each in its own words.

use std::fmt::Write as _;
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::planted::{Bug, planted};

/// How a rollout ended, or why it is no longer followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// The revision that was sent runs.
    Succeeded,
    /// Tasks failed or an alarm went off, and what ran before runs again.
    RolledBack,
    /// Tasks failed, and so did the way back.
    RollbackFailed,
    /// Tasks failed, and nothing was put back.
    Failed,
    /// Somebody stopped it.
    Stopped,
    /// Another deployment took its place.
    Superseded,
    /// It ended with no task to run, because somebody set the number of tasks to 0.
    ScaledToZero,
    /// A hook waits for somebody to continue it.
    Paused,
    /// It had not ended when the time was up.
    TimedOut,
}

impl Ending {
    /// In one word, for scripts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::RolledBack => "rolled-back",
            Self::RollbackFailed => "rollback-failed",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Superseded => "superseded",
            Self::ScaledToZero => "scaled-to-zero",
            Self::Paused => "paused",
            Self::TimedOut => "timed-out",
        }
    }
}

/// What an ending was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// The service deployment itself.
    ServiceDeployment,
    /// The deployment in `DescribeServices` whose task definition was sent: for older services, and
    /// for endpoints that have no service deployments.
    Deployment,
    /// The numbers of tasks: for endpoints that give deployments no rollout state.
    Counts,
}

impl Evidence {
    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ServiceDeployment => "service deployment",
            Self::Deployment => "deployment in DescribeServices",
            Self::Counts => "running tasks in DescribeServices",
        }
    }
}

/// How a rollout came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// What that was read from.
    pub evidence: Evidence,
    /// The ARN of the service deployment, or else the id of the deployment.
    pub deployment: Option<String>,
    /// ECS's own words on the ending.
    pub reason: Option<String>,
    /// Why tasks stopped and what they wrote last, else the service's last events, in lines; for
    /// endings that are not a success.
    pub causes: Vec<String>,
    /// Tasks that run: of the revision that was sent, while the service is on the way to it.
    pub running: i64,
    /// Tasks that are asked for.
    pub desired: i64,
    /// How long it was followed.
    pub took: Duration,
}

impl Outcome {
    /// The error of an ending that is not a success.
    #[must_use]
    pub fn error(&self, service: &str) -> Option<Error> {
        if planted(Bug::StableIsSuccess)
            && matches!(self.ending, Ending::RolledBack | Ending::Failed)
        {
            return None;
        }
        let (what, hint) = match self.ending {
            Ending::Succeeded => return None,
            Ending::RolledBack => (
                "was rolled back; what ran before runs again",
                "Mend the cause and run the same command again.",
            ),
            Ending::RollbackFailed => (
                "failed, and what ran before could not be put back",
                "Run provision status to see what runs, and provision rollback --to REVISION.",
            ),
            Ending::Failed => (
                "failed, and nothing was put back",
                "Run provision rollback, or mend the cause and run the same command again.",
            ),
            Ending::Stopped => (
                "was stopped by somebody",
                "Run provision status to see what runs.",
            ),
            Ending::Superseded => (
                "was superseded: another deployment took its place",
                "Run provision status to see what runs; then the same command again.",
            ),
            Ending::ScaledToZero => (
                "ran no task: the number of tasks was set to 0 meanwhile",
                "Run provision plan to see who is to decide the number of tasks.",
            ),
            Ending::Paused => (
                "is paused at a hook and waits for an answer",
                "Run provision continue to go on, or with --action rollback to go back.",
            ),
            Ending::TimedOut => (
                "had not ended when the time was up; it goes on without us",
                "Run provision wait to follow it further.",
            ),
        };
        let mut message = format!("The rollout of {service} {what}");
        if let Some(reason) = &self.reason {
            let _ = write!(message, ": {}", reason.trim_end_matches('.'));
        }
        let _ = write!(
            message,
            " ({} of {} tasks running).",
            self.running, self.desired
        );
        for cause in &self.causes {
            message.push_str("\n  ");
            message.push_str(cause);
        }
        Some(Error::new(ErrorKind::Rollout, message).hint(hint))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::{Ending, Evidence, Outcome};
    use crate::error::ErrorKind;

    const ALL: [Ending; 9] = [
        Ending::Succeeded,
        Ending::RolledBack,
        Ending::RollbackFailed,
        Ending::Failed,
        Ending::Stopped,
        Ending::Superseded,
        Ending::ScaledToZero,
        Ending::Paused,
        Ending::TimedOut,
    ];

    fn outcome(ending: Ending) -> Outcome {
        Outcome {
            ending,
            evidence: Evidence::ServiceDeployment,
            deployment: None,
            reason: Some("Because.".to_owned()),
            causes: vec!["1 task stopped: it broke".to_owned()],
            running: 0,
            desired: 2,
            took: Duration::from_secs(1),
        }
    }

    #[test]
    fn only_success_is_no_error_and_each_ending_has_words_of_its_own() {
        let mut names = BTreeSet::new();
        let mut messages = BTreeSet::new();
        for ending in ALL {
            assert!(names.insert(ending.name()), "{ending:?}");
            let error = outcome(ending).error("web");
            assert_eq!(error.is_none(), ending == Ending::Succeeded, "{ending:?}");
            let Some(error) = error else { continue };
            assert_eq!(error.kind, ErrorKind::Rollout);
            assert!(error.hint.is_some(), "{ending:?}");
            assert!(messages.insert(error.message.clone()));
            let (first, rest) = error.message.split_once('\n').unwrap();
            assert!(first.starts_with("The rollout of web "), "{first}");
            assert!(
                first.ends_with(": Because (0 of 2 tasks running)."),
                "{first}"
            );
            assert_eq!(rest, "  1 task stopped: it broke");
        }
    }
}

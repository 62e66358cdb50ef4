//! What a run says while it goes on, as values: `report` puts them into words, tests and sweeps look
//! at them.

use std::fmt;

use super::proof::Proof;
use super::wait::HookAction;

/// How a rollout stands while it goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// ECS's word for it, such as `IN_PROGRESS`.
    pub state: String,
    /// The step that it is at, such as `SCALE_UP` or `BAKE_TIME`; none where ECS names none.
    pub step: Option<String>,
    /// The share of the production traffic that the new revision has, in percent; none where no
    /// traffic is shifted.
    pub traffic: Option<i64>,
    /// Tasks of the new revision that run.
    pub running: i64,
    /// Tasks that are asked for.
    pub desired: i64,
    /// Tasks of the new revision that failed.
    pub failed: i64,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            state,
            step,
            traffic,
            running,
            desired,
            failed,
        } = self;
        f.write_str(state)?;
        if let Some(step) = step {
            write!(f, ", {step}")?;
        }
        write!(f, ": {running} of {desired} tasks running")?;
        if *failed > 0 {
            write!(f, ", {failed} failed")?;
        }
        match traffic {
            Some(percent) => write!(f, ", {percent} % of the traffic"),
            None => Ok(()),
        }
    }
}

/// What a rollout that is followed tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told<'a> {
    /// It stands otherwise than before.
    Progress(&'a Progress),
    /// ECS wrote this among the events of the service.
    Happened(&'a str),
}

/// What happens in a run that deploys, promotes or rolls back.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// Something could not be checked.
    Warning(&'a str),
    /// An image goes to an environment without proof, which was allowed; why it is unproved.
    Unproved(&'a [String]),
    /// What another environment has proved.
    Proved(&'a Proof),
    /// Which image a service is to run.
    Image {
        /// The service's address.
        address: &'a str,
        /// The repository.
        repository: &'a str,
        /// The tag by which the digest was found.
        tag: Option<&'a str>,
        /// The digest.
        digest: &'a str,
        /// The digest that it runs so far.
        running: Option<&'a str>,
    },
    /// A revision was sent, or need not be.
    Sent {
        /// The service's address.
        address: &'a str,
        /// `FAMILY:REVISION`.
        revision: &'a str,
        /// How it came to its service.
        how: How,
    },
    /// Where a service goes back to.
    Back {
        /// The service's address.
        address: &'a str,
        /// A revision or digests, in words.
        to: &'a str,
    },
    /// The service has gone back already.
    WentBack {
        /// The service's address.
        address: &'a str,
        /// `FAMILY:REVISION` that it went back to.
        revision: &'a str,
    },
    /// A service deployment was told to stop and go back.
    Stopped {
        /// The service's address.
        address: &'a str,
        /// The service deployment's ARN.
        deployment: &'a str,
    },
    /// A hook was answered.
    Answered {
        /// The service's address.
        address: &'a str,
        /// The hook's id.
        hook: &'a str,
        /// What it was told.
        action: HookAction,
    },
    /// How a rollout goes on.
    Rollout {
        /// The service's address.
        address: &'a str,
        /// What it tells.
        told: Told<'a>,
    },
    /// The rollout has succeeded and the service is waited for to be stable.
    Stabilizing {
        /// The service's address.
        address: &'a str,
    },
}

/// How a revision came to its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// This run sent it.
    Sent,
    /// Its rollout was under way before.
    UnderWay,
    /// The service runs it already.
    Already,
}

#[cfg(test)]
mod tests {
    use super::Progress;

    #[test]
    fn progress_is_said_in_one_line() {
        let mut progress = Progress {
            state: "IN_PROGRESS".to_owned(),
            running: 1,
            desired: 2,
            ..Progress::default()
        };
        assert_eq!(progress.to_string(), "IN_PROGRESS: 1 of 2 tasks running");
        progress.step = Some("BAKE_TIME".to_owned());
        progress.failed = 3;
        progress.traffic = Some(10);
        assert_eq!(
            progress.to_string(),
            "IN_PROGRESS, BAKE_TIME: 1 of 2 tasks running, 3 failed, 10 % of the traffic"
        );
    }
}

//! How a rollout goes: the endings that ECS knows, by name, for the fault script.

use serde::{Deserialize, Serialize};

/// How a rollout goes. In a script: `"slow"`, `{ fails = "out_of_memory" }`, `{ autoscaled = 3 }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// Every task runs after a few seconds.
    Quick,
    /// The same after some minutes.
    Slow,
    /// Tasks stop for this cause; what follows is up to the service's circuit breaker.
    Fails(Cause),
    /// Tasks stop, and the circuit breaker goes back to the last good revision.
    BreakerRollback,
    /// Tasks stop, and the circuit breaker gives up without going back.
    Breaker,
    /// Tasks stop, the circuit breaker goes back, and that fails too.
    RollbackFails,
    /// An alarm goes off: what follows is up to the service's `alarms`.
    Alarm,
    /// Somebody stops the rollout, without going back.
    Aborted,
    /// No task is ever placed.
    Stuck,
    /// Tasks run and stop, without end.
    Flapping,
    /// Somebody else deploys while this rollout is under way, and takes its place.
    Another,
    /// Autoscaling sets this desired count while the rollout is under way.
    Autoscaled(i64),
    /// A hook pauses the rollout until somebody continues it.
    Pause,
    /// The Lambda function of a hook returns `FAILED`, and ECS goes back.
    HookFails,
}

impl Behaviour {
    /// Every behaviour by its name on the command line.
    pub const NAMES: [(&'static str, Self); 20] = [
        ("quick", Self::Quick),
        ("slow", Self::Slow),
        ("breaker-rollback", Self::BreakerRollback),
        ("breaker", Self::Breaker),
        ("rollback-fails", Self::RollbackFails),
        ("alarm", Self::Alarm),
        ("aborted", Self::Aborted),
        ("stuck", Self::Stuck),
        ("flapping", Self::Flapping),
        ("another", Self::Another),
        ("scaled-to-zero", Self::Autoscaled(0)),
        ("autoscaled", Self::Autoscaled(3)),
        ("pause", Self::Pause),
        ("hook-fails", Self::HookFails),
        ("exit", Self::Fails(Cause::Exit)),
        ("out-of-memory", Self::Fails(Cause::OutOfMemory)),
        ("architecture", Self::Fails(Cause::Architecture)),
        ("pull", Self::Fails(Cause::Pull)),
        ("unhealthy", Self::Fails(Cause::Unhealthy)),
        ("role", Self::Fails(Cause::Role)),
    ];
}

/// Why a task stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The essential container exits with 1.
    Exit,
    /// The essential container is killed for its memory.
    OutOfMemory,
    /// The image is for another architecture.
    Architecture,
    /// The image cannot be pulled.
    Pull,
    /// The health check of the container fails.
    Unhealthy,
    /// The task's execution role cannot be assumed.
    Role,
}

impl Cause {
    /// Whether the task runs before it stops for this.
    pub(super) fn starts(self) -> bool {
        !matches!(self, Self::Architecture | Self::Pull | Self::Role)
    }

    /// The task's stop code, its stopped reason, the container's reason, and the exit code.
    pub(super) fn words(self, image: &str) -> (&'static str, String, String, Option<i64>) {
        let essential = "Essential container in task exited".to_owned();
        match self {
            Self::Exit => (
                "EssentialContainerExited",
                essential,
                String::new(),
                Some(1),
            ),
            Self::OutOfMemory => {
                let reason = "OutOfMemoryError: Container killed due to memory usage".to_owned();
                ("EssentialContainerExited", essential, reason, Some(137))
            }
            Self::Architecture => {
                let reason = format!(
                    "CannotPullContainerError: pull image manifest has been retried 7 time(s): image Manifest does not contain descriptor matching platform: {image}"
                );
                ("TaskFailedToStart", reason.clone(), reason, None)
            }
            Self::Pull => {
                let reason =
                    format!("CannotPullContainerError: failed to resolve ref {image}: not found");
                ("TaskFailedToStart", reason.clone(), reason, None)
            }
            Self::Unhealthy => (
                "EssentialContainerExited",
                "Task failed container health checks".to_owned(),
                String::new(),
                Some(137),
            ),
            Self::Role => {
                let reason = "ResourceInitializationError: unable to pull secrets or registry auth: ECS was unable to assume the role that was provided for this task".to_owned();
                ("TaskFailedToStart", reason.clone(), reason, None)
            }
        }
    }
}

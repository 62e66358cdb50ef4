//! What deploy, promote, rollback and wait share: their flags, how a rollout is followed, and what is
//! said of its end.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::session::Session;
use crate::error::Result;
use crate::report::{
    RolloutView, Workflow, rollout_markdown, rollout_outputs, rollout_refusal_markdown,
    rollout_refusal_outputs, rollout_text,
};
use crate::rollout::{self, Event, Report, Run};

/// How far a rollout is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Until {
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
    timeout: Duration,

    /// How far the rollout is followed.
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    wait_until: Until,
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

impl Following {
    /// The same for the library.
    pub(super) fn get(&self) -> rollout::Following {
        let until = match self.wait_until {
            Until::Deployed => rollout::Until::Deployed,
            Until::Stable => rollout::Until::Stable,
            Until::Paused => rollout::Until::Paused,
            Until::None => rollout::Until::None,
        };
        rollout::Following {
            until,
            timeout: self.timeout,
        }
    }
}

/// Connects and does `work`, showing what happens; then says how each service came out: on the
/// screen, on the job's page, and as outputs of the step. Gives the exit code.
pub(super) async fn play(
    session: &Session<'_>,
    command: &str,
    work: impl AsyncFnOnce(Run<'_>) -> Result<Vec<Report>>,
) -> Result<u8> {
    let view = RolloutView::new(session.screen);
    let on_event = |event: Event<'_>| view.event(&event);
    let done = async {
        let aws = session.connect().await?;
        let run = Run {
            aws: &aws,
            config: &session.config,
            on_event: &on_event,
        };
        work(run).await
    }
    .await;
    view.finish();
    let workflow = session.screen.workflow();
    match done {
        Ok(reports) => {
            session.screen.result(&rollout_text(&reports))?;
            workflow.summarize(&rollout_markdown(command, &reports))?;
            set_outputs(workflow, &rollout_outputs(&reports))?;
            rollout::error_of(&reports).map_or(Ok(0), Err)
        }
        Err(error) => {
            workflow.summarize(&rollout_refusal_markdown(command, &error))?;
            set_outputs(workflow, &rollout_refusal_outputs(&error))?;
            Err(error)
        }
    }
}

fn set_outputs(workflow: &Workflow, outputs: &[(&str, String)]) -> Result<()> {
    outputs
        .iter()
        .try_for_each(|(name, value)| workflow.set_output(name, value))
}

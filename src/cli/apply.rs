//! `provision apply`: does what the plan says.

use std::path::PathBuf;

use clap::Args;

use super::confirm::Grants;
use super::interrupt::Interrupt;
use super::lock;
use super::session::Session;
use super::walk::{Request, Walk};
use crate::apply::{self, Limits, Run};
use crate::aws::Aws;
use crate::error::{Error, ErrorKind, Result};
use crate::kind::Hazard;
use crate::kinds::KINDS;
use crate::report::{Progress, SavedPlan, plan_markdown, plan_text, summary, troubles};

/// Make the account what infra.toml declares.
///
/// Shows the plan, asks, and performs it; ends with exit code 0 only if a fresh plan is empty.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only these resources and what they refer to.
    #[arg(value_name = "ADDRESS", conflicts_with = "plan")]
    addresses: Vec<String>,

    /// Only if a new plan equals the one saved in FILE.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,

    #[command(flatten)]
    grants: Grants,
}

impl Arguments {
    /// The command as the user would type it to go on.
    fn command(&self) -> String {
        match &self.plan {
            Some(path) => format!("provision apply --plan {}", path.display()),
            None => command("apply", &self.addresses),
        }
    }
}

/// Plans, asks, performs.
pub(super) async fn run(arguments: &Arguments, session: &Session<'_>) -> Result<u8> {
    let saved = arguments.plan.as_deref().map(SavedPlan::read).transpose()?;
    let request = Request {
        addresses: saved
            .as_ref()
            .map_or_else(|| arguments.addresses.clone(), SavedPlan::addresses),
        destroy: false,
        interrupts: arguments.grants.allows(Hazard::Interrupts),
    };
    let aws = session.connect().await?;
    let walk = Walk::new(session, &aws, &request).await?;
    if let Some(saved) = &saved {
        saved.check(&walk.plan, &walk.about)?;
    }
    perform(
        session,
        &aws,
        &walk,
        &arguments.grants,
        &arguments.command(),
    )
    .await
}

/// Shows the plan, asks for a yes, and performs it; shared with `destroy`.
pub(super) async fn perform(
    session: &Session<'_>,
    aws: &Aws,
    walk: &Walk,
    grants: &Grants,
    command: &str,
) -> Result<u8> {
    let screen = session.screen;
    screen.result(&plan_text(&walk.plan, &walk.about))?;
    if walk.plan.is_empty() {
        return Ok(0);
    }
    let asked = grants.confirm(&walk.plan, screen, command)?;
    let interrupt = Interrupt::listen(screen);
    lock::under(session, aws, command, async {
        perform_granted(session, aws, walk, asked, &interrupt, command).await
    })
    .await
}

/// Performs the plan. Where somebody was asked, or another run may have ended just before this one
/// took the lock, the account is looked at anew first.
async fn perform_granted(
    session: &Session<'_>,
    aws: &Aws,
    walk: &Walk,
    asked: bool,
    interrupt: &Interrupt,
    command: &str,
) -> Result<u8> {
    let screen = session.screen;
    let progress = Progress::new(screen, &walk.plan);
    let on_event = |event: apply::Event<'_>| progress.event(&event);
    let run = Run {
        kinds: KINDS,
        law: &*walk.law,
        aws,
        scope: &walk.scope,
        desired: &walk.desired,
        live: &walk.live,
        mark: &walk.mark,
        runner: walk.runner.as_ref(),
        interrupts: walk.interrupts,
        limits: Limits::default(),
        stop: interrupt.flag(),
        on_event: &on_event,
    };
    if asked || session.config.project.lock.is_some() {
        unchanged_since(&run, walk).await?;
    }
    let outcome = apply::apply(&run, &walk.plan).await;
    progress.finish();
    let troubles = troubles(&walk.plan, &outcome, command);
    if !troubles.is_empty() {
        screen.complain(&troubles);
    }
    let summary = summary(&walk.plan, &walk.about, &outcome);
    screen.workflow().summarize(&format!(
        "{}\n{summary}",
        plan_markdown(&walk.plan, &walk.about)
    ))?;
    screen.result(&summary)?;
    Ok(outcome.exit_code())
}

/// Time has passed since the plan was made: it must still be the same.
async fn unchanged_since(run: &Run<'_>, walk: &Walk) -> Result<()> {
    let (_, fresh) = apply::fresh_plan(run).await?;
    if fresh.steps == walk.plan.steps && fresh.actions == walk.plan.actions {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Changed,
        "The account has changed since the plan was made. Nothing was done.",
    )
    .hint("Run it again and look at the new plan."))
}

/// The command as the user would type it to go on.
pub(super) fn command(name: &str, addresses: &[String]) -> String {
    let mut words = vec![format!("provision {name}")];
    words.extend(addresses.iter().cloned());
    words.join(" ")
}

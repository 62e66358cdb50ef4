//! `provision revisions` and `revisions prune`: what revisions there are, and the end of old ones.

use clap::{Args, Subcommand};

use super::lock;
use super::session::Session;
use crate::aws::Aws;
use crate::error::{Error, ErrorKind, Result};
use crate::report::{running_prunings, running_revisions};
use crate::rollout::{self, Pruning};

/// List the revisions of an environment's services: who uses them, and where a rollback leads.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,

    /// The environment.
    #[arg(required = true)]
    environment: Option<String>,

    /// Only this service, by its key in infra.toml or its name.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Action {
    Prune(Prune),
}

/// Deregister old revisions of an environment's services.
///
/// Never one that a service of any cluster runs, is rolled out to or may be rolled back to, that a task
/// runs, that carries another owner's mark or none, or that is among the newest. A schedule that names a
/// revision by its number is not seen: let it name the family, or raise --keep. Images stay, and ECS still
/// describes a deregistered revision; it cannot be deployed again.
#[derive(Debug, Args)]
struct Prune {
    /// The environment.
    environment: String,

    /// Only this service, by its key in infra.toml or its name.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// How many of the newest stay in any case.
    #[arg(long, value_name = "N", default_value_t = 10)]
    keep: usize,

    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

/// Lists or prunes.
pub(super) async fn run(arguments: &Arguments, session: &Session<'_>) -> Result<u8> {
    if let Some(Action::Prune(arguments)) = &arguments.action {
        return prune(arguments, session).await;
    }
    let environment = arguments.environment.as_deref().unwrap_or_default();
    let service = arguments.service.as_deref();
    let keys = rollout::keys(&session.config, environment, service)?;
    let aws = session.connect().await?;
    let mut found = Vec::new();
    for key in &keys {
        found.extend(rollout::revisions(&aws, &session.config, key).await?);
    }
    session.screen.result(&running_revisions(&found))?;
    Ok(0)
}

async fn prune(arguments: &Prune, session: &Session<'_>) -> Result<u8> {
    let service = arguments.service.as_deref();
    let keys = rollout::keys(&session.config, &arguments.environment, service)?;
    let aws = session.connect().await?;
    lock::ask(session, &aws).await?;
    let look = || rollout::plan_pruning(&aws, &session.config, &keys, arguments.keep);
    let prunings = look().await?;
    session.screen.result(&running_prunings(&prunings))?;
    if prunings.iter().all(|pruning| pruning.removed.is_empty()) {
        return Ok(0);
    }
    if confirm(arguments, session)? {
        // The world may have moved while somebody thought.
        aws.new_look();
        if look().await? != prunings {
            let message = "What uses the revisions has changed since the plan. Nothing was done.";
            return Err(Error::new(ErrorKind::Changed, message).hint("Run the same command again."));
        }
    }
    perform(session, &aws, &prunings).await
}

/// Whether somebody was asked, and said yes.
fn confirm(arguments: &Prune, session: &Session<'_>) -> Result<bool> {
    if arguments.yes {
        return Ok(false);
    }
    if !session.screen.is_interactive() {
        let message = "There is no terminal to ask on, and --yes was not given.\nNothing was done.";
        let environment = &arguments.environment;
        let service = arguments.service.as_ref();
        let service = service.map(|service| format!(" --service {service}"));
        let service = service.unwrap_or_default();
        let keep = arguments.keep;
        return Err(Error::refused(message).hint(format!(
            "`provision revisions prune {environment}{service} --keep {keep} --yes`"
        )));
    }
    if session
        .screen
        .confirm("Deregister them? Only `yes` is a yes:")
    {
        return Ok(true);
    }
    Err(Error::refused("Not confirmed. Nothing was done."))
}

async fn perform(session: &Session<'_>, aws: &Aws, prunings: &[Pruning]) -> Result<u8> {
    let mut count = 0;
    let mut done = |name: &str| {
        count += 1;
        session.screen.say(&format!("- {name}: deregistered"));
        Ok(())
    };
    for pruning in prunings {
        rollout::prune(aws, pruning, &mut done).await?;
    }
    session
        .screen
        .result(&format!("Pruned: {count} deregistered.\n"))?;
    Ok(0)
}

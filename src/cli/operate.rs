//! `provision wait`, `tasks`, `scale` and `continue`: the small operations on services.

use clap::{Args, ValueEnum};

use super::lock;
use super::rollout::{Following, play};
use super::session::Session;
use crate::error::Result;
use crate::report::running_tasks;
use crate::rollout;

/// Follow the rollouts of an environment to their end, whoever started them.
#[derive(Debug, Args)]
pub(super) struct Wait {
    /// The environment.
    environment: String,

    #[command(flatten)]
    following: Following,
}

/// List the tasks of an environment's services.
#[derive(Debug, Args)]
pub(super) struct Tasks {
    #[command(flatten)]
    services: Services,

    /// Those that stopped, with their reasons, as long as ECS remembers them.
    #[arg(long)]
    stopped: bool,
}

/// Set the number of tasks of an environment's services.
///
/// Where infra.toml declares `desired_count` without `ignore_desired_count`, the next apply sets that
/// one again.
#[derive(Debug, Args)]
pub(super) struct Scale {
    #[command(flatten)]
    services: Services,

    /// The number of tasks.
    #[arg(value_parser = clap::value_parser!(i32).range(0..))]
    tasks: i32,
}

/// Answer the hook at which a rollout waits, and follow it on.
///
/// Of several services, those whose rollouts wait at no hook are left alone.
#[derive(Debug, Args)]
pub(super) struct Continue {
    /// The environment.
    environment: String,

    /// Go on, or go back.
    #[arg(long, value_enum, default_value_t)]
    action: HookAction,

    #[command(flatten)]
    following: Following,
}

/// The services of an environment.
#[derive(Clone, Debug, Args)]
struct Services {
    /// The environment.
    environment: String,

    /// Only this service, by its key in infra.toml or its name.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
}

/// What a hook is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum HookAction {
    /// The rollout goes on.
    #[default]
    Continue,
    /// What ran before runs again.
    Rollback,
}

impl Services {
    fn keys(&self, session: &Session<'_>) -> Result<Vec<String>> {
        rollout::keys(&session.config, &self.environment, self.service.as_deref())
    }
}

/// Follows what is under way.
pub(super) async fn wait(arguments: &Wait, session: &Session<'_>) -> Result<u8> {
    let following = &arguments.following;
    let keys = rollout::keys(
        &session.config,
        &arguments.environment,
        following.service.as_deref(),
    )?;
    let command = format!("wait {}", arguments.environment);
    play(session, &command, async |run| {
        rollout::wait(run, &keys, following.get()).await
    })
    .await
}

/// Lists tasks.
pub(super) async fn tasks(arguments: &Tasks, session: &Session<'_>) -> Result<u8> {
    let keys = arguments.services.keys(session)?;
    let aws = session.connect().await?;
    let mut found = Vec::new();
    for key in &keys {
        found.extend(rollout::tasks(&aws, &session.config, key, arguments.stopped).await?);
    }
    session.screen.result(&running_tasks(&found))?;
    if found.is_empty() {
        let environment = &arguments.services.environment;
        let words = if arguments.stopped {
            "stopped lately; ECS remembers them for an hour"
        } else {
            "runs; --stopped shows those that stopped lately"
        };
        session
            .screen
            .say(&format!("No task of {environment} {words}."));
    }
    Ok(0)
}

/// Sets the number of tasks.
pub(super) async fn scale(arguments: &Scale, session: &Session<'_>) -> Result<u8> {
    let keys = arguments.services.keys(session)?;
    let aws = session.connect().await?;
    lock::ask(session, &aws).await?;
    for key in &keys {
        rollout::scale(&aws, &session.config, key, arguments.tasks)
            .await
            .map_err(|error| error.at(format!("service/{key}")))?;
        let line = match arguments.tasks {
            1 => format!("service/{key}: 1 task asked for\n"),
            tasks => format!("service/{key}: {tasks} tasks asked for\n"),
        };
        session.screen.result(&line)?;
        let declared = session.config.services.get(key);
        if declared.is_some_and(|service| !service.ignore_desired_count) {
            session.screen.say(&format!(
                "note: service/{key}: the next apply sets desired_count as infra.toml declares it"
            ));
        }
    }
    Ok(0)
}

/// Answers a hook and follows on.
pub(super) async fn proceed(arguments: &Continue, session: &Session<'_>) -> Result<u8> {
    let following = &arguments.following;
    let keys = rollout::keys(
        &session.config,
        &arguments.environment,
        following.service.as_deref(),
    )?;
    let action = match arguments.action {
        HookAction::Continue => rollout::HookAction::Continue,
        HookAction::Rollback => rollout::HookAction::Rollback,
    };
    let command = format!("continue {}", arguments.environment);
    play(session, &command, async |run| {
        rollout::proceed(run, &keys, action, following.get()).await
    })
    .await
}

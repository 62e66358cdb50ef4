//! `wait` and `continue`: the rollouts of an environment followed to their end, whoever started them,
//! and the answer to a hook at which one waits.

use futures::future::join_all;
use serde_json::{Value, json};

use super::deployment;
use super::event::Event;
use super::follow::{Following, Report, Run, Sent};
use super::send::{Started, current};
use super::standing::waits;
use super::target;
use crate::aws::ecs::text;
use crate::aws::{Attempts, EcsOperation};
use crate::error::{Error, Result};
use crate::kinds::service;

/// What a hook is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookAction {
    /// The rollout goes on.
    Continue,
    /// What ran before runs again.
    Rollback,
}

impl HookAction {
    /// As ECS spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Continue => "CONTINUE",
            Self::Rollback => "ROLLBACK",
        }
    }
}

/// Follows what is under way, or was last, in the services with these keys.
///
/// # Errors
/// A service is not there, or has no rollout; what could not be read.
pub async fn wait(run: Run<'_>, keys: &[String], following: Following) -> Result<Vec<Report>> {
    let mut sent = Vec::new();
    for key in keys {
        let live = target::live(run.aws, run.config, key).await?;
        let address = format!("service/{key}");
        let rollout = current(run.config, key, &live);
        let rollout = rollout.ok_or_else(|| Error::failed("It has no rollout.").at(&address))?;
        let digests = service::running(run.aws, run.config, &live).await?;
        let digests: Vec<String> = digests.into_values().collect();
        let revision = rollout.task_definition.rsplit('/').next();
        sent.push(Sent {
            address,
            digest: digests.join(", "),
            started: Started {
                revision: revision.unwrap_or_default().to_owned(),
                rollout: Some(rollout),
                resumed: true,
            },
        });
    }
    Ok(join_all(sent.iter().map(|sent| run.follow(following, sent))).await)
}

/// Answers the hooks at which the rollouts of these services wait, and follows them on.
///
/// # Errors
/// No hook waits; what AWS refuses; what could not be read.
pub async fn proceed(
    run: Run<'_>,
    keys: &[String],
    action: HookAction,
    following: Following,
) -> Result<Vec<Report>> {
    for key in keys {
        let address = format!("service/{key}");
        let hook = answer_hook(run, key, action)
            .await
            .map_err(|error| error.at(&address))?;
        (run.on_event)(Event::Answered {
            address: &address,
            hook: &hook,
            action,
        });
    }
    wait(run, keys, following).await
}

/// Answers the hook at which a service's rollout waits; gives the hook's id.
async fn answer_hook(run: Run<'_>, key: &str, action: HookAction) -> Result<String> {
    let live = target::live(run.aws, run.config, key).await?;
    let newest = deployment::newest(run.aws, &live).await?;
    let arn = newest
        .as_ref()
        .and_then(|newest| text(newest, "serviceDeploymentArn"));
    let described = match arn {
        Some(arn) => deployment::describe(run.aws, arn).await?,
        None => None,
    };
    let hooks = described
        .as_ref()
        .and_then(|one| one.get("lifecycleHookDetails")?.as_array());
    let hook = hooks.and_then(|hooks| hooks.iter().find(|hook: &&Value| waits(hook)));
    let Some(hook) = hook.and_then(|hook| text(hook, "hookId")) else {
        return Err(Error::failed("Its rollout waits at no hook.")
            .hint("Run provision status to see how it stands."));
    };
    let request = json!({"serviceDeploymentArn": arn, "hookId": hook, "action": action.name()});
    let operation = EcsOperation::ContinueServiceDeployment;
    run.aws
        .ecs(operation, Attempts::Idempotent, &request)
        .await?;
    Ok(hook.to_owned())
}

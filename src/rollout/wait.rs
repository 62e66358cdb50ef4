//! `wait` and `continue`: the rollouts of an environment followed to their end, whoever started them,
//! and the answer to a hook at which one waits.

use futures::future::join_all;
use serde_json::{Value, json};

use super::back::UnderWay;
use super::event::Event;
use super::follow::{Following, Report, Run};
use super::rollback::{digest, follow_back, handle_of, short};
use super::send::current;
use super::standing::{Watched, waits};
use super::target::every;
use super::{deployment, target};
use crate::aws::ecs::text;
use crate::aws::{Attempts, EcsOperation};
use crate::error::{Error, Result};

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

/// The last service deployment of a service of `DescribeServices`; none where the endpoint lists none.
async fn last(run: Run<'_>, live: &Value) -> Result<Option<UnderWay>> {
    let Some(newest) = deployment::newest(run.aws, live).await? else {
        return Ok(None);
    };
    let target = text(&newest, "targetServiceRevisionArn").unwrap_or_default();
    let definitions = deployment::task_definitions(run.aws, &[target]).await?;
    let arn = text(&newest, "serviceDeploymentArn");
    Ok(arn
        .zip(definitions.get(target))
        .map(|(arn, definition)| UnderWay {
            deployment: arn.to_owned(),
            task_definition: definition.clone(),
        }))
}

/// Follows what is under way, or was last, in the services with these keys.
///
/// # Errors
/// A service is not there, or has no rollout; what could not be read.
pub async fn wait(run: Run<'_>, keys: &[String], following: Following) -> Result<Vec<Report>> {
    let lives = keys.iter().map(|key| async move {
        let live = target::live(run.aws, run.config, key).await?;
        let under_way = last(run, &live).await?;
        Ok::<_, Error>((key, live, under_way))
    });
    let lives = every(lives).await?;
    let waited = lives
        .iter()
        .map(|(key, live, under_way)| wait_for(run, key, live, under_way.as_ref(), following));
    Ok(join_all(waited).await)
}

/// What becomes of one service; an error is its own, so that the others are told too.
async fn wait_for(
    run: Run<'_>,
    key: &str,
    live: &Value,
    under_way: Option<&UnderWay>,
    following: Following,
) -> Report {
    let address = format!("service/{key}");
    let waited = wait_at(run, &address, key, live, under_way, following).await;
    waited.unwrap_or_else(|error| Report::failed(&address, "", error))
}

async fn wait_at(
    run: Run<'_>,
    address: &str,
    key: &str,
    live: &Value,
    under_way: Option<&UnderWay>,
    following: Following,
) -> Result<Report> {
    let handle = match under_way {
        Some(under_way) => Some(handle_of(run.config, key, live, under_way)),
        None => current(run.config, key, live),
    };
    let handle = handle.ok_or_else(|| {
        Error::failed("It has no rollout.").hint("Run provision deploy to start one.")
    })?;
    let digest = digest(run, live).await?;
    let report = Report::new(address, &digest, short(&handle.task_definition));
    let watched = match under_way {
        Some(under_way) => Watched::known(&handle, under_way.deployment.clone()),
        None => Watched::new(&handle),
    };
    Ok(run
        .follow_watched(following, &handle, watched, report)
        .await)
}

/// Answers the hooks at which the rollouts of these services wait, and follows them on, or back. A
/// service whose rollout waits at none is left alone, unless that is all of them.
///
/// # Errors
/// No hook waits; what could not be read. What became of each service is in its report.
pub async fn proceed(
    run: Run<'_>,
    keys: &[String],
    action: HookAction,
    following: Following,
) -> Result<Vec<Report>> {
    let looks = keys.iter().map(|key| waiting(run, key));
    let waiting: Vec<Waiting<'_>> = every(looks).await?.into_iter().flatten().collect();
    if waiting.is_empty() {
        let message = match keys {
            [_] => "Its rollout waits at no hook.",
            _ => "The rollout of none of them waits at a hook.",
        };
        let services: Vec<String> = keys.iter().map(|key| format!("service/{key}")).collect();
        return Err(Error::failed(message)
            .at(services.join(", "))
            .hint("Run provision status to see how it stands."));
    }
    let gone_on = waiting.iter().map(|one| async move {
        let address = format!("service/{}", one.key);
        match answer(run, &address, one, action).await {
            Err(error) => Report::failed(&address, "", error),
            Ok(()) => match action {
                HookAction::Continue => {
                    wait_for(run, one.key, &one.live, Some(&one.under_way), following).await
                }
                HookAction::Rollback => {
                    follow_back(run, following, one.key, &one.live, &one.under_way).await
                }
            },
        }
    });
    Ok(join_all(gone_on).await)
}

/// A service whose rollout waits at a hook.
struct Waiting<'a> {
    key: &'a str,
    live: Value,
    under_way: UnderWay,
    /// The hook's id.
    hook: String,
}

/// The hook at which a service's rollout waits; none where it waits at none.
async fn waiting<'a>(run: Run<'_>, key: &'a str) -> Result<Option<Waiting<'a>>> {
    let live = target::live(run.aws, run.config, key).await?;
    let Some(under_way) = last(run, &live).await? else {
        return Ok(None);
    };
    let described = deployment::describe(run.aws, &under_way.deployment).await?;
    let hooks = described
        .as_ref()
        .and_then(|one| one.get("lifecycleHookDetails")?.as_array());
    let hook = hooks.and_then(|hooks| hooks.iter().find(|hook| waits(hook)));
    let hook = hook
        .and_then(|hook| text(hook, "hookId"))
        .map(str::to_owned);
    Ok(hook.map(|hook| Waiting {
        key,
        live,
        under_way,
        hook,
    }))
}

async fn answer(
    run: Run<'_>,
    address: &str,
    waiting: &Waiting<'_>,
    action: HookAction,
) -> Result<()> {
    let hook = waiting.hook.as_str();
    let request = json!({
        "serviceDeploymentArn": waiting.under_way.deployment,
        "hookId": hook,
        "action": action.name(),
    });
    let operation = EcsOperation::ContinueServiceDeployment;
    run.aws
        .ecs(operation, Attempts::Idempotent, &request)
        .await?;
    (run.on_event)(Event::Answered {
        address,
        hook,
        action,
    });
    Ok(())
}

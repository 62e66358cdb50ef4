//! `provision rollback`: what ran before runs again.

use clap::Args;
use futures::future::try_join_all;

use super::rollout::{Following, Sent, Until};
use super::session::Session;
use crate::aws::Aws;
use crate::error::{Error, Result};
use crate::kinds::service::Digests;
use crate::report::{RolloutReport, rollout_markdown, rollout_text};
use crate::rollout::{self, Back, Ending, Target};

/// Go back to what an environment ran before.
///
/// An active rollout is stopped and rolled back. Otherwise the revision of the last successful
/// deployment before the one that runs is deployed again. No revision is ever removed.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The environment.
    environment: String,

    /// Go back to this: a revision's number, FAMILY:NUMBER, or a digest.
    #[arg(long, value_name = "REVISION|DIGEST")]
    to: Option<String>,

    #[command(flatten)]
    following: Following,
}

/// Finds the way back for every service, then goes it.
pub(super) async fn run(arguments: &Arguments, session: &Session<'_>) -> Result<u8> {
    let config = &session.config;
    let service = arguments.following.service.as_deref();
    let keys = rollout::keys(config, &arguments.environment, service)?;
    let aws = session.connect().await?;
    let mut ways = Vec::new();
    for key in &keys {
        let live = rollout::live(&aws, config, key).await?;
        let back = rollout::find_back(&aws, config, key, &live, arguments.to.as_deref()).await?;
        let target = Target {
            key: key.clone(),
            live,
            running: Digests::new(),
            digests: Digests::new(),
            tags: Digests::new(),
        };
        ways.push((target, back));
    }
    let sent = try_join_all(
        ways.into_iter()
            .map(|(target, back)| go(session, &aws, arguments, target, back)),
    )
    .await?;
    let sent: Vec<Sent> = sent.into_iter().flatten().collect();
    if sent.is_empty() {
        return Ok(0);
    }
    let command = format!("rollback {}", arguments.environment);
    arguments
        .following
        .follow(session, &aws, &command, &sent)
        .await
}

async fn go(
    session: &Session<'_>,
    aws: &Aws,
    arguments: &Arguments,
    mut target: Target,
    back: Back,
) -> Result<Option<Sent>> {
    let config = &session.config;
    let address = target.address();
    let started = match back {
        Back::Stop(deployment) => {
            stop(session, aws, arguments, &target, &deployment).await?;
            return Ok(None);
        }
        Back::Revision(registration) => {
            target.digests = registration
                .digest
                .iter()
                .map(|digest| (String::new(), digest.clone()))
                .collect();
            let line = format!("  {address}: back to {}", registration.revision);
            session.screen.say(&line);
            rollout::send(aws, config, &target.key, &target.live, &registration, false).await
        }
        Back::Digests(digests) => {
            target.digests = digests;
            let line = format!("  {address}: back to {}", target.digest());
            session.screen.say(&line);
            rollout::deploy(aws, config, &target, None, false).await
        }
    };
    Ok(Some(Sent {
        digest: target.digest(),
        started: started.map_err(|error| error.at(&address))?,
        address,
    }))
}

/// Stops the rollout that is under way, and follows it back.
async fn stop(
    session: &Session<'_>,
    aws: &Aws,
    arguments: &Arguments,
    target: &Target,
    deployment: &str,
) -> Result<()> {
    let config = &session.config;
    let address = target.address();
    let handle = rollout::current(config, &target.key, &target.live);
    let handle = handle.ok_or_else(|| Error::failed("It has no rollout.").at(&address))?;
    rollout::stop(aws, deployment)
        .await
        .map_err(|error| error.at(&address))?;
    let line = format!("  {address}: stopped {deployment}");
    session.screen.say(&line);
    if arguments.following.wait_until == Until::None {
        return Ok(());
    }
    let tell = |progress: &str| {
        session
            .screen
            .say(&format!("  {address}: rollout {progress}"));
    };
    let outcome = rollout::watch(aws, &handle, arguments.following.timeout, &tell).await?;
    let error = match outcome.ending {
        Ending::RolledBack => None,
        Ending::Succeeded => Some(Error::new(
            crate::error::ErrorKind::Rollout,
            "The rollout had succeeded before it could be stopped.",
        )),
        _ => outcome.error(&handle.service),
    };
    let revision = handle.task_definition.rsplit('/').next();
    let report = RolloutReport {
        address: address.clone(),
        digest: "what ran before".to_owned(),
        revision: revision.unwrap_or_default().to_owned(),
        deployment: outcome.deployment.clone(),
        result: outcome.ending.name(),
        outcome: Some(outcome),
    };
    let reports = [report];
    session.screen.result(&rollout_text(&reports))?;
    let command = format!("rollback {}", arguments.environment);
    let workflow = session.screen.workflow();
    workflow.summarize(&rollout_markdown(&command, &reports))?;
    match error {
        Some(error) => Err(error.at(&address)),
        None => Ok(()),
    }
}

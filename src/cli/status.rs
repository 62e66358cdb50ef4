//! `provision status`: what every service runs, and what differs from infra.toml in one line.

use clap::Args;
use futures::future::try_join_all;

use super::session::Session;
use super::walk::{Request, Walk};
use crate::error::Result;
use crate::report::running_status;
use crate::rollout;

/// Say what every service runs.
///
/// For each: tasks, revision, how the last rollout stands, the digest with the tags that name it now,
/// and how many pushes its tag has moved on. The last line says what differs from infra.toml.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only this environment.
    environment: Option<String>,
}

/// Looks at the services, then plans.
pub(super) async fn run(arguments: &Arguments, session: &Session<'_>) -> Result<u8> {
    let config = &session.config;
    let keys = match &arguments.environment {
        Some(environment) => rollout::keys(config, environment, None)?,
        None => config.services.keys().cloned().collect(),
    };
    let aws = session.connect().await?;
    let looks = keys.iter().map(|key| rollout::status(&aws, config, key));
    let services = try_join_all(looks).await?;
    let walk = Walk::new(session, &aws, &Request::default()).await?;
    let drift = match walk.plan.actions.len() {
        0 => "Nothing else differs from infra.toml.".to_owned(),
        1 => format!(
            "1 resource differs from infra.toml: {}; run provision plan.",
            names(&walk)
        ),
        count => format!(
            "{count} resources differ from infra.toml: {}; run provision plan.",
            names(&walk)
        ),
    };
    session.screen.result(&running_status(&services, &drift))?;
    Ok(0)
}

fn names(walk: &Walk) -> String {
    let names = walk.plan.actions.iter();
    let names: Vec<String> = names.map(|action| action.address.to_string()).collect();
    names.join(", ")
}

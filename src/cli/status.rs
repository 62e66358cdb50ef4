//! `provision status`: what every service runs, and what of it differs from infra.toml.

use clap::Args;

use super::session::Session;
use crate::error::Result;
use crate::report::running_status;
use crate::rollout;

/// Say what every service runs.
///
/// For each: tasks, revision, how the last rollout stands, the digest with the tags that name it now, how
/// many pushes its tag has moved on, and in a line what of the service and its task definition differs from
/// infra.toml. What else is declared is not looked at: that is provision plan.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only this environment.
    environment: Option<String>,

    /// Only this service, by its key in infra.toml or its name.
    #[arg(long, value_name = "NAME", requires = "environment")]
    service: Option<String>,
}

/// Looks at the services.
pub(super) async fn run(arguments: &Arguments, session: &Session<'_>) -> Result<u8> {
    let config = &session.config;
    let keys = match &arguments.environment {
        Some(environment) => rollout::keys(config, environment, arguments.service.as_deref())?,
        None => config.services.keys().cloned().collect(),
    };
    let aws = session.connect().await?;
    let services = rollout::status(&aws, config, &keys).await?;
    session.screen.result(&running_status(&services))?;
    Ok(0)
}

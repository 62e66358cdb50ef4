//! `provision logs`: what the containers of an environment write.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;

use super::rollout::duration;
use super::session::Session;
use crate::error::{Error, Result};
use crate::report::log_line;
use crate::rollout::{self, Heard, Wanted};

/// Print what the containers of an environment write, oldest first.
///
/// Reads the log groups of the environment's services, or of all environments. Each line begins with the
/// time and the stream, which names container and task and has the task's colour; where there are several
/// log groups, the group stands before it. `--follow` opens a live tail, and asks every five seconds where
/// there is none or the role may not (-v says which).
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The environment; all of them where none is given.
    environment: Option<String>,

    /// Only this service of the environment, by its key in infra.toml or its name.
    #[arg(long, value_name = "NAME", requires = "environment")]
    service: Option<String>,

    /// How far back, such as 10m or 2h.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    since: Duration,

    /// Only events that match this pattern of CloudWatch Logs.
    #[arg(long, value_name = "PATTERN")]
    filter: Option<String>,

    /// Go on with what comes, until Ctrl-C.
    #[arg(short, long)]
    follow: bool,
}

/// Prints the events, and with `--follow` those that come.
pub(super) async fn run(arguments: &Arguments, session: &Session<'_>) -> Result<u8> {
    let groups = groups(arguments, session)?;
    let several = groups.len() > 1;
    let aws = if arguments.follow {
        session.connect_to_follow().await?
    } else {
        session.connect().await?
    };
    let wanted = Wanted {
        groups,
        since: aws.clock().now().saturating_sub(arguments.since),
        filter: arguments.filter.clone(),
    };
    let screen = session.screen;
    if arguments.follow {
        let mut tell = |heard: Heard<'_>| match heard {
            Heard::Event(event) => screen.result_while_read(&log_line(event, several)),
            Heard::Detail(words) => {
                if screen.is_verbose() {
                    screen.say(&format!("  {words}"));
                }
                Ok(true)
            }
            Heard::Warning(words) => {
                screen.say(&format!("warning: {words}"));
                Ok(true)
            }
        };
        rollout::follow_logs(&aws, &wanted, &mut tell).await?;
        return Ok(0);
    }
    let events = rollout::read_logs(&aws, &wanted).await?;
    if events.is_empty() {
        let seconds = arguments.since.as_secs();
        screen.say(&format!(
            "No event in the last {seconds} s; --since 2h looks further back."
        ));
    }
    for event in events {
        if !screen.result_while_read(&log_line(&event, several))? {
            break;
        }
    }
    Ok(0)
}

/// The log groups that are meant.
fn groups(arguments: &Arguments, session: &Session<'_>) -> Result<Vec<String>> {
    let config = &session.config;
    let service = arguments.service.as_deref();
    let keys = match &arguments.environment {
        Some(environment) => rollout::keys(config, environment, service)?,
        None => config.services.keys().cloned().collect(),
    };
    let services = keys.iter().filter_map(|key| config.services.get(key));
    let groups: BTreeSet<String> = services
        .flat_map(|service| service.task.container.values())
        .filter_map(|container| Some(container.log_group.as_ref()?.name.clone()))
        .collect();
    if groups.is_empty() {
        let whose = match &arguments.environment {
            Some(environment) => format!("No container of {environment} has a `log_group`."),
            None => "No container has a `log_group`.".to_owned(),
        };
        return Err(
            Error::failed(whose).hint("What other log drivers write is read where they send it.")
        );
    }
    Ok(groups.into_iter().collect())
}

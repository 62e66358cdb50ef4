//! `provision logs`: what the containers of an environment write.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clap::Args;

use super::rollout::duration;
use super::session::Session;
use crate::aws::log_events::{Event, events};
use crate::error::{Error, Result};
use crate::report::log_line;
use crate::rollout;

/// The time between two looks at what is new: CloudWatch shows an event within seconds.
const POLL: Duration = Duration::from_secs(5);

/// Print what the containers of an environment write, oldest first.
///
/// Reads the log groups of the environment's services. Each line begins with the time and the stream.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The environment.
    environment: String,

    /// Only this service of the environment, by its key in infra.toml or its name.
    #[arg(long, value_name = "NAME")]
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
    let service = arguments.service.as_deref();
    let keys = rollout::keys(&session.config, &arguments.environment, service)?;
    let services = keys
        .iter()
        .filter_map(|key| session.config.services.get(key));
    let groups: BTreeSet<String> = services
        .flat_map(|service| service.task.container.values())
        .filter_map(|container| Some(container.log_group.as_ref()?.name.clone()))
        .collect();
    if groups.is_empty() {
        return Err(Error::failed(format!(
            "No container of {} has a `log_group`.",
            arguments.environment
        ))
        .hint("What other log drivers write is read where they send it."));
    }
    let aws = session.connect().await?;
    let filter = arguments.filter.as_deref();
    let mut begin = aws.clock().now().saturating_sub(arguments.since);
    let mut seen: BTreeMap<String, Duration> = BTreeMap::new();
    loop {
        let mut all: Vec<Event> = Vec::new();
        for group in &groups {
            all.extend(events(&aws, group, begin, filter).await?);
        }
        all.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
        for event in all {
            if seen.insert(event.id.clone(), event.time).is_none() {
                let line = log_line(&event.stamp, &event.stream, &event.message);
                session.screen.result(&line)?;
            }
        }
        if !arguments.follow {
            return Ok(0);
        }
        // An event may come late: the last polls are asked for again.
        let now = aws.clock().now();
        begin = begin.max(now.saturating_sub(POLL * 12));
        seen.retain(|_, time| *time >= begin);
        aws.clock().sleep(POLL).await;
    }
}

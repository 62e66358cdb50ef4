//! Live tails of CloudWatch Logs: sessions that bring the events of log groups as they come.

use std::time::Duration;

use aws_sdk_cloudwatchlogs::operation::start_live_tail::StartLiveTailOutput;
use aws_sdk_cloudwatchlogs::types::error::StartLiveTailResponseStreamError;
use aws_sdk_cloudwatchlogs::types::{LiveTailSessionLogEvent, StartLiveTailResponseStream};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use aws_smithy_types::event_stream::RawMessage;

use super::log_events::{Event, time_of};
use super::{Aws, Error};

/// Most log groups of one session.
pub const MOST_GROUPS: usize = 10;

/// How long a session may be silent: AWS sends an update every second, with or without events.
const LONGEST_SILENCE: Duration = Duration::from_mins(1);

/// A session that is open.
#[derive(Debug)]
pub struct Session(StartLiveTailOutput);

/// What comes next in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// Events, in the order in which they came. `sampled` says that there were too many for all.
    Events {
        /// The events.
        events: Vec<Event>,
        /// Whether CloudWatch left some out.
        sampled: bool,
    },
    /// It ended after its three hours.
    TimedOut,
    /// It broke, in words.
    Broken(String),
}

/// Opens a session on log groups. It is tried once: whoever asks can read the events otherwise.
pub async fn start(aws: &Aws, groups: &[String], filter: Option<&str>) -> Result<Session, Error> {
    let (partition, region, account) = (&aws.partition, &aws.region, &aws.account_id);
    let arns: Vec<String> = groups
        .iter()
        .map(|name| format!("arn:{partition}:logs:{region}:{account}:log-group:{name}"))
        .collect();
    let opened = aws.read_once("logs:StartLiveTail", |clients| {
        clients
            .logs
            .start_live_tail()
            .set_log_group_identifiers(Some(arns.clone()))
            .set_log_event_filter_pattern(filter.map(str::to_owned))
            .send()
    });
    // The SDK's own timeouts end before the first message of the stream, for which it waits.
    match tokio::time::timeout(LONGEST_SILENCE, opened).await {
        Ok(opened) => opened.map(Session),
        Err(_) => Err(Error::late("logs:StartLiveTail")),
    }
}

impl Session {
    /// Waits for what comes next.
    pub async fn next(&mut self) -> Update {
        loop {
            let received = self.0.response_stream.recv();
            let message = match tokio::time::timeout(LONGEST_SILENCE, received).await {
                Err(_) => return Update::Broken("it has been silent for a minute".to_owned()),
                Ok(Err(error)) => return broken(&error),
                Ok(Ok(None)) => return Update::Broken("the connection was closed".to_owned()),
                Ok(Ok(Some(message))) => message,
            };
            if let StartLiveTailResponseStream::SessionUpdate(update) = message {
                let metadata = update.session_metadata.as_ref();
                let sampled = metadata.is_some_and(|metadata| metadata.sampled);
                let events = update.session_results.unwrap_or_default();
                return Update::Events {
                    events: events.into_iter().map(event).collect(),
                    sampled,
                };
            }
        }
    }
}

/// What an error in a session means. Its kind stands in a header: it has no code as other errors do.
fn broken(error: &SdkError<StartLiveTailResponseStreamError, RawMessage>) -> Update {
    match error.as_service_error() {
        Some(error) if error.is_session_timeout_exception() => Update::TimedOut,
        Some(error) => {
            let words = error.message().unwrap_or("CloudWatch gave it up");
            Update::Broken(words.trim_end_matches('.').to_owned())
        }
        None => Update::Broken("the connection broke".to_owned()),
    }
}

fn event(event: LiveTailSessionLogEvent) -> Event {
    let (time, stamp) = time_of(event.timestamp.unwrap_or_default());
    let group = event.log_group_identifier.unwrap_or_default();
    Event {
        id: String::new(),
        time,
        stamp,
        group: group_name(&group).to_owned(),
        stream: event.log_stream_name.unwrap_or_default(),
        message: event.message.unwrap_or_default(),
    }
}

/// The name in an identifier, which is an ARN, `ACCOUNT:NAME` or the name.
fn group_name(identifier: &str) -> &str {
    let name = identifier
        .split_once(":log-group:")
        .or_else(|| identifier.split_once(':'))
        .map_or(identifier, |(_, name)| name);
    super::logs::bare(name)
}

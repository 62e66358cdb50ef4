//! The events of a log group, oldest first.

use std::time::Duration;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use super::{Aws, Error, pages};

/// An event of a log stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// CloudWatch's own id of it; empty where a live tail brought it, or the end of a stream.
    pub id: String,
    /// When it was written, since the Unix epoch.
    pub time: Duration,
    /// The same as RFC 3339 has it.
    pub stamp: String,
    /// The log group.
    pub group: String,
    /// The stream.
    pub stream: String,
    /// What was written.
    pub message: String,
}

/// The events of a group since `begin`, those that match `filter` where one is given.
pub async fn events(
    aws: &Aws,
    group: &str,
    begin: Duration,
    filter: Option<&str>,
) -> Result<Vec<Event>, Error> {
    all(aws, group, None, begin, filter).await
}

/// The events of one stream of a group since `begin`.
pub async fn of_stream(
    aws: &Aws,
    group: &str,
    stream: &str,
    begin: Duration,
) -> Result<Vec<Event>, Error> {
    all(aws, group, Some(stream), begin, None).await
}

async fn all(
    aws: &Aws,
    group: &str,
    stream: Option<&str>,
    begin: Duration,
    filter: Option<&str>,
) -> Result<Vec<Event>, Error> {
    let begin = i64::try_from(begin.as_millis()).unwrap_or_default();
    pages::all("logs:FilterLogEvents", |token| {
        page(aws, group, stream, begin, filter, token)
    })
    .await
}

async fn page(
    aws: &Aws,
    group: &str,
    stream: Option<&str>,
    begin: i64,
    filter: Option<&str>,
    token: Option<String>,
) -> Result<(Vec<Event>, Option<String>), Error> {
    let answer = aws
        .read("logs:FilterLogEvents", |clients| {
            clients
                .logs
                .filter_log_events()
                .log_group_name(group)
                .set_log_stream_names(stream.map(|stream| vec![stream.to_owned()]))
                .start_time(begin)
                .set_filter_pattern(filter.map(str::to_owned))
                .set_next_token(token.clone())
                .send()
        })
        .await?;
    let events = answer.events.unwrap_or_default().into_iter();
    let events = events.map(|event| {
        let timestamp = event.timestamp.unwrap_or_default();
        let (time, stamp) = time_of(timestamp);
        Event {
            id: event.event_id.unwrap_or_default(),
            time,
            stamp,
            group: group.to_owned(),
            stream: event.log_stream_name.unwrap_or_default(),
            message: event.message.unwrap_or_default(),
        }
    });
    Ok((events.collect(), answer.next_token))
}

/// The last events of one stream, as many as `most`, oldest first; none where there is no such stream.
pub async fn last(aws: &Aws, group: &str, stream: &str, most: i32) -> Result<Vec<Event>, Error> {
    let answer = aws
        .read("logs:GetLogEvents", |clients| {
            clients
                .logs
                .get_log_events()
                .log_group_name(group)
                .log_stream_name(stream)
                .limit(most)
                .start_from_head(false)
                .send()
        })
        .await;
    let answer = match answer {
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        other => other?,
    };
    let events = answer.events.unwrap_or_default().into_iter();
    Ok(events
        .map(|event| {
            let (time, stamp) = time_of(event.timestamp.unwrap_or_default());
            Event {
                id: String::new(),
                time,
                stamp,
                group: group.to_owned(),
                stream: stream.to_owned(),
                message: event.message.unwrap_or_default(),
            }
        })
        .collect())
}

/// Milliseconds since the Unix epoch as a duration, and as RFC 3339 has it.
pub(super) fn time_of(milliseconds: i64) -> (Duration, String) {
    let stamp = DateTime::from_millis(milliseconds).fmt(Format::DateTime);
    let time = Duration::from_millis(u64::try_from(milliseconds).unwrap_or_default());
    (time, stamp.unwrap_or_default())
}

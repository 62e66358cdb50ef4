//! A live tail of CloudWatch Logs: an event stream of what comes into log groups while it lasts. Here
//! it lasts a few seconds of the account's time and then ends as AWS's do after three hours.

use std::time::Duration;

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use serde_json::{Value, json};

use super::error::{Answer, ServiceError};
use super::logs;
use super::protocol::{Call, respond};
use super::store::Table;
use super::world::{Members as _, World, set};

/// How long a session lasts. A request is answered as a whole, so that longer ones would show their
/// lines later.
pub(super) const SESSION: Duration = Duration::from_secs(5);

/// Most groups of one session.
const MOST_GROUPS: usize = 10;
/// Most events of one update: beyond them AWS leaves some out.
const MOST_EVENTS: usize = 500;

/// A session that is under way.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    groups: Vec<String>,
    pattern: String,
    /// When it began, in milliseconds since the epoch.
    since: i64,
    /// Whether the connection breaks before the session ends.
    cut: bool,
}

/// Whether a session may begin: what AWS says before the stream.
pub(super) fn check(call: &Call, world: &World<'_>) -> Answer {
    let groups = call.input.texts("logGroupIdentifiers");
    if groups.is_empty() || groups.len() > MOST_GROUPS {
        return Err(invalid("logGroupIdentifiers has between 1 and 10 members."));
    }
    for arn in groups {
        let Some((_, name)) = arn
            .split_once(":log-group:")
            .filter(|_| !arn.ends_with('*'))
        else {
            return Err(invalid("A log group is identified by its ARN here."));
        };
        let Some(group) = world.store.get(Table::LogGroup, name) else {
            let message = "The specified log group does not exist.";
            return Err(ServiceError::new("ResourceNotFoundException", message));
        };
        if group.str("logGroupClass") == "INFREQUENT_ACCESS" {
            let message = "Live tail is not available for this class of log group.";
            return Err(ServiceError::new("InvalidOperationException", message));
        }
    }
    Ok(json!({}))
}

fn invalid(message: &str) -> ServiceError {
    ServiceError::new("InvalidParameterException", message)
}

impl Tail {
    /// The session that a request begins at `now`, in milliseconds.
    pub(super) fn of(call: &Call, now: i64, cut: bool) -> Self {
        let groups = call.input.texts("logGroupIdentifiers").into_iter();
        let groups = groups.filter_map(|arn| arn.split_once(":log-group:"));
        Self {
            groups: groups.map(|(_, name)| name.to_owned()).collect(),
            pattern: call.input.str("logEventFilterPattern").to_owned(),
            since: now,
            cut,
        }
    }

    /// The whole stream: its start, what came, its end.
    pub(super) fn stream(&self, world: &World<'_>) -> HttpResponse {
        let mut events = Vec::new();
        for group in &self.groups {
            for mut event in logs::ingested(world, group, self.since, &self.pattern) {
                let name = format!("{}:{group}", world.account);
                set(&mut event, "logGroupIdentifier", name);
                events.push(event);
            }
        }
        events.sort_by_key(|event| event.number("ingestionTime"));
        let mut body = Vec::new();
        put(&mut body, "event", "initial-response", &json!({}));
        let start = json!({ "sessionId": "sandbox", "logGroupIdentifiers": self.groups });
        put(&mut body, "event", "sessionStart", &start);
        for events in events.chunks(MOST_EVENTS) {
            let update =
                json!({ "sessionMetadata": { "sampled": false }, "sessionResults": events });
            put(&mut body, "event", "sessionUpdate", &update);
        }
        if !self.cut {
            let end = json!({ "message": "The session has timed out." });
            put(&mut body, "exception", "SessionTimeoutException", &end);
        }
        respond(200, "application/vnd.amazon.eventstream", body, "sandbox")
    }
}

/// Adds a message to a stream.
fn put(body: &mut Vec<u8>, kind: &str, name: &str, payload: &Value) {
    let header = |name: &'static str, value: &str| {
        Header::new(name, HeaderValue::String(value.to_owned().into()))
    };
    let of_name = if kind == "event" {
        ":event-type"
    } else {
        ":exception-type"
    };
    let message = Message::new(payload.to_string())
        .add_header(header(":message-type", kind))
        .add_header(header(of_name, name))
        .add_header(header(":content-type", "application/json"));
    // Only a message beyond 16 MB is refused, and no sandbox writes such lines.
    let _ = write_message_to(&message, body);
}

//! What CloudTrail tells of a resource's changes in the last 90 days: who made them, when and from where.
//! Nothing rests on it: the caller notes what it does not answer.

use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use serde_json::Value;

use super::{Aws, Error};

/// Events of one lookup: the most that CloudTrail gives. A second page would take another of its two requests a second.
const PAGE: i32 = 50;

/// A request that changed something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The operation, such as `AttachRolePolicy`.
    pub name: String,
    /// When: seconds since the Unix epoch.
    pub time: i64,
    /// The ARN, or the name, of who asked for it.
    pub who: String,
    /// The address from which it came, or the service that made it.
    pub source: String,
}

/// The changes of one resource, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Those among its newest events.
    pub list: Vec<Change>,
    /// Whether there are older events that were not asked for.
    pub more: bool,
}

/// Asks once for the events of a resource, by the name under which CloudTrail files it. `service` is the name in front
/// of the colon of its actions; IAM's events are kept in IAM's home region.
pub async fn changes(aws: &Aws, service: &str, resource: &str) -> Result<Changes, Error> {
    let attribute = LookupAttribute::builder()
        .attribute_key(LookupAttributeKey::ResourceName)
        .attribute_value(resource)
        .build()
        .map_err(|error| Error::unreadable(error.to_string()))?;
    let answer = aws
        .read("cloudtrail:LookupEvents", |clients| {
            let client = if service == "iam" {
                &clients.trail_iam
            } else {
                &clients.trail
            };
            client
                .lookup_events()
                .lookup_attributes(attribute.clone())
                .max_results(PAGE)
                .send()
        })
        .await?;
    let more = answer.next_token.is_some();
    let events = answer.events.unwrap_or_default();
    let source = format!("{service}.amazonaws.com");
    let list = events
        .into_iter()
        .filter(|event| event.event_source.as_ref() == Some(&source))
        .filter_map(change)
        .collect();
    Ok(Changes { list, more })
}

/// The event as a change; `None` for a read, and for a request that was refused.
fn change(event: Event) -> Option<Change> {
    if event.read_only.as_deref() == Some("true") {
        return None;
    }
    let record: Value = event
        .cloud_trail_event
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let text = |pointer: &str| record.pointer(pointer)?.as_str().map(str::to_owned);
    if text("/errorCode").is_some() {
        return None;
    }
    let who = text("/userIdentity/arn")
        .or(event.username)
        .or_else(|| text("/userIdentity/principalId"))
        .or_else(|| text("/userIdentity/invokedBy"));
    Some(Change {
        name: event.event_name?,
        time: event.event_time?.secs(),
        who: who.unwrap_or_else(|| "somebody unnamed".to_owned()),
        source: text("/sourceIPAddress")
            .unwrap_or_else(|| "an address that is not told".to_owned()),
    })
}

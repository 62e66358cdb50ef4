//! CloudTrail: remembers the newest changes that the sandbox was asked for, and tells of them by the names of what was
//! changed. Of a request it keeps only the names, so that no value of a secret gets here.

use serde_json::{Map, Value, json};

use super::error::{Answer, ServiceError};
use super::protocol::{Call, lacking};
use super::store::Table;
use super::sts;
use super::world::{Members as _, World};

/// Events that are kept: more than one project's applies of a few days, and a small part of the state file.
const KEPT: usize = 500;

/// The members of requests and answers that name a resource.
const NAMES: &[&str] = &[
    "ARN",
    "Name",
    "OpenIDConnectProviderArn",
    "PolicyArn",
    "PolicyName",
    "RoleName",
    "SecretId",
    "Url",
    "clusterName",
    "cluster",
    "family",
    "logGroupName",
    "repositoryName",
    "resourceArn",
    "service",
    "serviceName",
];

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Answer {
    match call.operation.as_str() {
        "LookupEvents" => lookup(call, world),
        other => Err(lacking(&format!("cloudtrail:{other}"))),
    }
}

/// Remembers a request that changed something.
pub(super) fn record(call: &Call, answer: &Value, world: &mut World<'_>) {
    let caller = sts::caller(call, world);
    let who = caller.str("Arn");
    let names: Vec<&str> = [
        names(&call.input),
        answer.as_object().map(names).unwrap_or_default(),
    ]
    .concat();
    let resources: Vec<Value> = names
        .iter()
        .map(|name| json!({ "ResourceName": name }))
        .collect();
    let told = json!({
        "eventName": call.operation, "sourceIPAddress": "127.0.0.1", "userIdentity": { "arn": who },
    });
    let event = json!({
        "EventName": call.operation,
        "EventSource": format!("{}.amazonaws.com", call.service.name()),
        "EventTime": world.epoch(),
        "ReadOnly": "false",
        "Username": who.rsplit('/').next(),
        "Resources": resources,
        "CloudTrailEvent": told.to_string(),
    });
    let rows = world.store.rows(Table::TrailEvent);
    let last = rows.last().and_then(|(key, _)| key.parse::<u64>().ok());
    let number = last.map_or(0, |last| last + 1);
    world
        .store
        .put(Table::TrailEvent, &format!("{number:012}"), event);
    let oldest = world.store.rows(Table::TrailEvent).next();
    let oldest = oldest.map(|(key, _)| key.to_owned());
    if let Some(key) = oldest.filter(|_| world.store.rows(Table::TrailEvent).count() > KEPT) {
        world.store.remove(Table::TrailEvent, &key);
    }
}

fn names(members: &Map<String, Value>) -> Vec<&str> {
    let named = NAMES.iter().filter_map(|name| members.text(name));
    named
        .map(|name| name.strip_prefix("https://").unwrap_or(name))
        .collect()
}

/// The events of one resource, newest first: it is asked for by its name or by its ARN.
fn lookup(call: &Call, world: &World<'_>) -> Answer {
    let [attribute] = call.input.list("LookupAttributes") else {
        return Err(ServiceError::new(
            "InvalidLookupAttributesException",
            "The sandbox looks events up by one attribute.",
        ));
    };
    if attribute.str("AttributeKey") != "ResourceName" {
        return Err(lacking("a lookup by anything but ResourceName"));
    }
    let asked = attribute.str("AttributeValue");
    let meant = |name: &str| {
        let before = asked.strip_suffix(name);
        before.is_some_and(|before| before.is_empty() || before.ends_with(['/', ':']))
    };
    let rows: Vec<(&str, &Value)> = world.store.rows(Table::TrailEvent).collect();
    let fitting = rows.into_iter().rev().filter(|(_, event)| {
        event
            .list("Resources")
            .iter()
            .any(|resource| meant(resource.str("ResourceName")))
    });
    // Newest first, so that the keys fall: the page's order is that of their complements.
    let falling = fitting.map(|(key, event)| {
        let number = key.parse::<u64>().unwrap_or_default();
        (format!("{:020}", u64::MAX - number), event.clone())
    });
    let size = call.input.page_size("MaxResults", 50, 50);
    let (events, next) = world
        .page(falling, call.input.text("NextToken"), size)
        .map_err(|_| ServiceError::new("InvalidNextTokenException", "The token is not valid."))?;
    let mut out = json!({ "Events": events });
    if let (Some(next), Value::Object(members)) = (next, &mut out) {
        members.insert("NextToken".to_owned(), json!(next));
    }
    Ok(out)
}

//! CloudWatch Logs: groups with their retention and tags, streams, events.

use serde_json::{Map, Value, json};

use super::error::{Answer, ServiceError};
use super::live_tail;
use super::protocol::{Call, lacking};
use super::store::Table;
use super::world::{BadToken, Members as _, World, set, shown, unset};

/// The retentions that exist, in days (facts.md section 5).
const RETENTIONS: [i64; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Answer {
    match call.operation.as_str() {
        "CreateLogGroup" => create(call, world),
        "DescribeLogGroups" => describe(call, world),
        "DeleteLogGroup" => delete(call, world),
        "PutRetentionPolicy" => put_retention(call, world),
        "DeleteRetentionPolicy" => change(call, world, |group| unset(group, "retentionInDays")),
        "AssociateKmsKey" => change(call, world, |group| {
            set(group, "kmsKeyId", call.input.str("kmsKeyId"));
        }),
        "DisassociateKmsKey" => change(call, world, |group| unset(group, "kmsKeyId")),
        "PutLogGroupDeletionProtection" => {
            let enabled = call
                .input
                .flag("deletionProtectionEnabled")
                .unwrap_or(false);
            change(call, world, |group| {
                set(group, "deletionProtectionEnabled", enabled);
            })
        }
        "TagResource" | "TagLogGroup" => tag(call, world),
        "UntagResource" | "UntagLogGroup" => untag(call, world),
        "ListTagsForResource" | "ListTagsLogGroup" => list_tags(call, world),
        "CreateLogStream" => create_stream(call, world),
        "DeleteLogStream" => delete_stream(call, world),
        "DescribeLogStreams" => describe_streams(call, world),
        "PutLogEvents" => put_events(call, world),
        "FilterLogEvents" => filter_events(call, world),
        "GetLogEvents" => get_events(call, world),
        "StartLiveTail" => live_tail::check(call, world),
        other => Err(lacking(&format!("logs:{other}"))),
    }
}

fn refused(message: &str) -> ServiceError {
    ServiceError::new("InvalidParameterException", message)
}

fn absent(what: &str) -> ServiceError {
    ServiceError::new(
        "ResourceNotFoundException",
        format!("The specified {what} does not exist."),
    )
}

fn bad_token(_: BadToken) -> ServiceError {
    refused("The specified nextToken is invalid.")
}

/// The name of the group that a request names, by name or by ARN.
fn name(call: &Call) -> Result<&str, ServiceError> {
    const FIELDS: [&str; 4] = [
        "logGroupName",
        "logGroupIdentifier",
        "resourceArn",
        "resourceIdentifier",
    ];
    let text = FIELDS.iter().find_map(|field| call.input.text(field));
    let text = text.ok_or_else(|| refused("1 validation error detected: Value at 'logGroupName' failed to satisfy constraint: Member must not be null"))?;
    let name = text
        .split_once(":log-group:")
        .map_or(text, |(_, name)| name);
    Ok(name.strip_suffix(":*").unwrap_or(name))
}

fn find<'a>(call: &Call, world: &'a World<'_>) -> Result<(&'a str, &'a Value), ServiceError> {
    let name = name(call)?;
    let group = world
        .store
        .get(Table::LogGroup, name)
        .ok_or_else(|| absent("log group"))?;
    Ok((group.str("logGroupName"), group))
}

fn change(call: &Call, world: &mut World<'_>, change: impl FnOnce(&mut Value)) -> Answer {
    find(call, world)?;
    world.store.update(Table::LogGroup, name(call)?, change);
    Ok(json!({}))
}

fn create(call: &Call, world: &mut World<'_>) -> Answer {
    let name = name(call)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._/#-".contains(c);
    if name.len() > 512 || !name.chars().all(allowed) {
        return Err(refused(
            "1 validation error detected: Value at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+",
        ));
    }
    if world.store.has(Table::LogGroup, name) {
        return Err(ServiceError::new(
            "ResourceAlreadyExistsException",
            "The specified log group already exists",
        ));
    }
    let class = call.input.text("logGroupClass").unwrap_or("STANDARD");
    if !["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"].contains(&class) {
        return Err(refused(
            "1 validation error detected: Value at 'logGroupClass' failed to satisfy constraint",
        ));
    }
    let tags = call.input.get("tags").cloned().unwrap_or_else(|| json!({}));
    check_tags(&tags)?;
    let arn = world.arn("logs", &format!("log-group:{name}"));
    let mut group = json!({
        "logGroupName": name,
        "creationTime": world.milliseconds(),
        "metricFilterCount": 0,
        "arn": format!("{arn}:*"),
        "storedBytes": 0,
        "logGroupClass": class,
        "logGroupArn": arn,
        "deletionProtectionEnabled": call.input.flag("deletionProtectionEnabled").unwrap_or(false),
        "_tags": tags,
    });
    if let Some(key) = call.input.text("kmsKeyId") {
        set(&mut group, "kmsKeyId", key);
    }
    world.store.put(Table::LogGroup, name, group);
    Ok(json!({}))
}

fn describe(call: &Call, world: &World<'_>) -> Answer {
    let prefix = call.input.str("logGroupNamePrefix");
    let pattern = call.input.str("logGroupNamePattern").to_lowercase();
    if !prefix.is_empty() && !pattern.is_empty() {
        return Err(refused(
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
        ));
    }
    let wanted = call.input.texts("logGroupIdentifiers");
    let fits = |name: &str| {
        let identifier = |wanted: &&str| {
            wanted
                .split_once(":log-group:")
                .map_or(*wanted, |(_, name)| name)
                == name
        };
        let named = wanted.is_empty() || wanted.iter().any(identifier);
        named && name.starts_with(prefix) && name.to_lowercase().contains(&pattern)
    };
    let rows = world
        .store
        .rows(Table::LogGroup)
        .filter(|(name, _)| fits(name));
    let rows = rows.map(|(name, group)| (name.to_owned(), group));
    let size = call.input.page_size("limit", 50, 50);
    let (groups, next) = world
        .page(rows, call.input.text("nextToken"), size)
        .map_err(bad_token)?;
    let groups: Vec<Value> = groups.into_iter().map(shown).collect();
    Ok(with_token(json!({ "logGroups": groups }), next))
}

fn with_token(mut answer: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        set(&mut answer, "nextToken", next);
    }
    answer
}

fn delete(call: &Call, world: &mut World<'_>) -> Answer {
    let (_, group) = find(call, world)?;
    if group.flag("deletionProtectionEnabled") == Some(true) {
        let message = "The log group has deletion protection enabled.";
        return Err(ServiceError::new("ValidationException", message));
    }
    let name = name(call)?;
    let prefix = format!("{name}\n");
    for table in [Table::LogStream, Table::LogEvent] {
        let keys: Vec<String> = world
            .store
            .under(table, &prefix)
            .map(|(key, _)| key.to_owned())
            .collect();
        for key in keys {
            world.store.remove(table, &key);
        }
    }
    world.store.remove(Table::LogGroup, name);
    Ok(json!({}))
}

fn put_retention(call: &Call, world: &mut World<'_>) -> Answer {
    let days = call.input.number("retentionInDays").unwrap_or(0);
    if !RETENTIONS.contains(&days) {
        return Err(refused(&format!(
            "{days} is not a valid retention in days."
        )));
    }
    change(call, world, |group| set(group, "retentionInDays", days))
}

fn check_tags(tags: &Value) -> Result<(), ServiceError> {
    let tags: Vec<(&String, &Value)> = tags.as_object().into_iter().flatten().collect();
    if tags.len() > 50 {
        return Err(ServiceError::new(
            "TooManyTagsException",
            "A log group has at most 50 tags.",
        ));
    }
    let bad = |key: &str, value: &str| {
        let length = key.chars().count();
        !(1..=128).contains(&length)
            || value.chars().count() > 256
            || key.to_lowercase().starts_with("aws:")
    };
    if tags
        .iter()
        .any(|(key, value)| bad(key, value.as_str().unwrap_or_default()))
    {
        return Err(refused("A tag is not valid."));
    }
    Ok(())
}

fn tag(call: &Call, world: &mut World<'_>) -> Answer {
    let (_, group) = find(call, world)?;
    let mut tags: Map<String, Value> = group
        .get("_tags")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let added = call
        .input
        .get("tags")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    tags.extend(added);
    let tags = Value::Object(tags);
    check_tags(&tags)?;
    change(call, world, |group| set(group, "_tags", tags))
}

fn untag(call: &Call, world: &mut World<'_>) -> Answer {
    let mut keys = call.input.texts("tagKeys");
    keys.extend(call.input.texts("tags"));
    change(call, world, |group| {
        if let Some(tags) = group.get_mut("_tags") {
            for key in &keys {
                unset(tags, key);
            }
        }
    })
}

fn list_tags(call: &Call, world: &World<'_>) -> Answer {
    let (_, group) = find(call, world)?;
    Ok(json!({ "tags": group.get("_tags").cloned().unwrap_or_else(|| json!({})) }))
}

fn stream_key(call: &Call) -> Result<String, ServiceError> {
    let stream = call
        .input
        .text("logStreamName")
        .ok_or_else(|| refused("The log stream has no name."))?;
    Ok(format!("{}\n{stream}", name(call)?))
}

fn create_stream(call: &Call, world: &mut World<'_>) -> Answer {
    let (_, group) = find(call, world)?;
    let (arn, key) = (group.str("logGroupArn").to_owned(), stream_key(call)?);
    if world.store.has(Table::LogStream, &key) {
        return Err(ServiceError::new(
            "ResourceAlreadyExistsException",
            "The specified log stream already exists",
        ));
    }
    let stream = call.input.str("logStreamName");
    let record = json!({
        "logStreamName": stream,
        "creationTime": world.milliseconds(),
        "arn": format!("{arn}:log-stream:{stream}"),
        "storedBytes": 0,
    });
    world.store.put(Table::LogStream, &key, record);
    Ok(json!({}))
}

fn delete_stream(call: &Call, world: &mut World<'_>) -> Answer {
    find(call, world)?;
    let removed = world.store.remove(Table::LogStream, &stream_key(call)?);
    removed
        .map(|_| json!({}))
        .ok_or_else(|| absent("log stream"))
}

fn describe_streams(call: &Call, world: &World<'_>) -> Answer {
    let (name, _) = find(call, world)?;
    let prefix = format!("{name}\n{}", call.input.str("logStreamNamePrefix"));
    let rows = world.store.under(Table::LogStream, &prefix);
    let rows = rows.map(|(key, stream)| (key.to_owned(), shown(stream)));
    let size = call.input.page_size("limit", 50, 50);
    let (streams, next) = world
        .page(rows, call.input.text("nextToken"), size)
        .map_err(bad_token)?;
    Ok(with_token(json!({ "logStreams": streams }), next))
}

fn put_events(call: &Call, world: &mut World<'_>) -> Answer {
    find(call, world)?;
    let key = stream_key(call)?;
    if !world.store.has(Table::LogStream, &key) {
        return Err(absent("log stream"));
    }
    let now = world.milliseconds();
    for event in call.input.list("logEvents") {
        let number = world.store.next();
        let record = json!({
            "timestamp": event.number("timestamp").unwrap_or(now),
            "message": event.str("message"),
            "ingestionTime": now,
            "_id": format!("{number:020}"),
        });
        world
            .store
            .put(Table::LogEvent, &format!("{key}\n{number:020}"), record);
    }
    Ok(json!({ "nextSequenceToken": format!("{:056}", world.store.next()) }))
}

/// The events of a group, each with its stream, in the order of time.
fn events(call: &Call, world: &World<'_>, prefix: &str) -> Vec<(String, Value)> {
    let (from, to) = (call.input.number("startTime"), call.input.number("endTime"));
    let pattern = call.input.str("filterPattern");
    let streams = call.input.texts("logStreamNames");
    let mut found = Vec::new();
    for (key, event) in world.store.under(Table::LogEvent, prefix) {
        let stream = key.split('\n').nth(1).unwrap_or_default();
        let at = event.number("timestamp").unwrap_or(0);
        let within = from.is_none_or(|from| at >= from) && to.is_none_or(|to| at < to);
        let named = streams.is_empty() || streams.contains(&stream);
        let worded = fits(event.str("message"), pattern);
        if within && named && worded {
            let mut event = event.clone();
            set(&mut event, "logStreamName", stream);
            found.push((format!("{at:020}{key}"), event));
        }
    }
    found.sort_by(|left, right| left.0.cmp(&right.0));
    found
}

/// The events that came into a group since a time in milliseconds, and fit a pattern.
pub(super) fn ingested(world: &World<'_>, group: &str, since: i64, pattern: &str) -> Vec<Value> {
    let prefix = format!("{group}\n");
    let events = world.store.under(Table::LogEvent, &prefix);
    let new = events.filter(|(_, event)| {
        event.number("ingestionTime").unwrap_or(0) >= since && fits(event.str("message"), pattern)
    });
    new.map(|(key, event)| {
        let mut event = shown(event);
        set(
            &mut event,
            "logStreamName",
            key.split('\n').nth(1).unwrap_or_default(),
        );
        event
    })
    .collect()
}

/// Whether a message holds all words of a pattern.
fn fits(message: &str, pattern: &str) -> bool {
    let words = pattern.replace('"', "");
    words.split_whitespace().all(|word| message.contains(word))
}

fn filter_events(call: &Call, world: &World<'_>) -> Answer {
    let (name, _) = find(call, world)?;
    let rows = events(call, world, &format!("{name}\n")).into_iter();
    let size = call.input.page_size("limit", 10_000, 10_000);
    let (events, next) = world
        .page(rows, call.input.text("nextToken"), size)
        .map_err(bad_token)?;
    let events: Vec<Value> = events
        .into_iter()
        .map(|mut event| {
            let id = event.str("_id").to_owned();
            set(&mut event, "eventId", id);
            shown(&event)
        })
        .collect();
    Ok(with_token(
        json!({ "events": events, "searchedLogStreams": [] }),
        next,
    ))
}

/// The events of one stream. A token names the last event seen; at the end it stays the same.
fn get_events(call: &Call, world: &World<'_>) -> Answer {
    find(call, world)?;
    let key = stream_key(call)?;
    if !world.store.has(Table::LogStream, &key) {
        return Err(absent("log stream"));
    }
    let token = call.input.str("nextToken");
    let after = token.strip_prefix("f/").unwrap_or_default();
    let rows = events(call, world, &format!("{key}\n"));
    let rows: Vec<Value> = rows
        .into_iter()
        .map(|(_, event)| event)
        .filter(|event| event.str("_id") > after)
        .collect();
    let size = call.input.page_size("limit", 10_000, 10_000);
    let page: Vec<&Value> = rows.iter().take(size).collect();
    let last = page.last().map_or(after, |event| event.str("_id"));
    let events: Vec<Value> = page
        .iter()
        .map(|event| super::world::without(event, &["logStreamName"]))
        .collect();
    Ok(
        json!({ "events": events, "nextForwardToken": format!("f/{last}"), "nextBackwardToken": format!("b/{after}") }),
    )
}

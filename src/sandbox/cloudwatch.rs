//! CloudWatch: alarms, metric and composite ones, in the state that somebody gave them. No metric is
//! ever measured.

use serde_json::{Value, json};

use super::error::{Answer, ServiceError};
use super::protocol::{Call, lacking};
use super::store::Table;
use super::world::{BadToken, Members as _, World, set, shown, unset};

/// The states that an alarm may be in.
const STATES: [&str; 3] = ["OK", "ALARM", "INSUFFICIENT_DATA"];

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Answer {
    match call.operation.as_str() {
        "PutMetricAlarm" => put(call, world, "MetricAlarm"),
        "PutCompositeAlarm" => put(call, world, "CompositeAlarm"),
        "SetAlarmState" => set_state(call, world),
        "DescribeAlarms" => describe(call, world),
        "DeleteAlarms" => Ok(delete(call, world)),
        other => Err(lacking(&format!("cloudwatch:{other}"))),
    }
}

fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::new("ValidationError", message)
}

/// A new alarm has no data yet; one that is put again keeps its state.
fn put(call: &Call, world: &mut World<'_>, kind: &str) -> Answer {
    let name = call.input.text("AlarmName");
    let name = name.ok_or_else(|| invalid("AlarmName is required."))?;
    if kind == "CompositeAlarm" && call.input.text("AlarmRule").is_none() {
        return Err(invalid("AlarmRule is required."));
    }
    let mut record = Value::Object(call.input.clone());
    unset(&mut record, "Tags");
    set(
        &mut record,
        "AlarmArn",
        world.arn("cloudwatch", &format!("alarm:{name}")),
    );
    set(&mut record, "_kind", kind);
    let before = world.store.get(Table::Alarm, name);
    let kept = |field: &str, otherwise: Value| {
        before
            .and_then(|before| before.get(field).cloned())
            .unwrap_or(otherwise)
    };
    let state = kept("StateValue", json!("INSUFFICIENT_DATA"));
    let reason = kept("StateReason", json!("Unchecked: Initial alarm creation"));
    let since = kept("StateUpdatedTimestamp", world.epoch());
    set(&mut record, "StateValue", state);
    set(&mut record, "StateReason", reason);
    set(&mut record, "StateUpdatedTimestamp", since);
    let name = name.to_owned();
    world.store.put(Table::Alarm, &name, record);
    Ok(json!({}))
}

fn set_state(call: &Call, world: &mut World<'_>) -> Answer {
    let state = call.input.str("StateValue");
    if !STATES.contains(&state) {
        return Err(invalid(format!("{state} is no state of an alarm.")));
    }
    let (reason, now) = (call.input.str("StateReason"), world.epoch());
    let found = world
        .store
        .update(Table::Alarm, call.input.str("AlarmName"), |alarm| {
            set(alarm, "StateValue", state);
            set(alarm, "StateReason", reason);
            set(alarm, "StateUpdatedTimestamp", now);
        });
    if found {
        Ok(json!({}))
    } else {
        Err(ServiceError::with_status(
            404,
            "ResourceNotFound",
            "The alarm does not exist.",
        ))
    }
}

/// Without types only metric alarms are described, as with CloudWatch.
fn describe(call: &Call, world: &World<'_>) -> Answer {
    let names = call.input.texts("AlarmNames");
    if names.len() > 100 {
        return Err(invalid("At most 100 names of alarms can be given."));
    }
    let prefix = call.input.str("AlarmNamePrefix");
    let state = call.input.text("StateValue");
    let mut kinds = call.input.texts("AlarmTypes");
    if kinds.is_empty() {
        kinds.push("MetricAlarm");
    }
    let fits = |name: &str, alarm: &Value| {
        (names.is_empty() || names.contains(&name))
            && name.starts_with(prefix)
            && kinds.contains(&kind_of(alarm))
            && state.is_none_or(|state| alarm.str("StateValue") == state)
    };
    let rows = world.store.rows(Table::Alarm);
    let fitting = rows.filter(|(name, alarm)| fits(name, alarm));
    let fitting = fitting.map(|(name, alarm)| (name.to_owned(), alarm));
    let size = call.input.page_size("MaxRecords", 50, 100);
    let bad_token = |_: BadToken| ServiceError::new("InvalidNextToken", "The token is invalid.");
    let (page, next) = world
        .page(fitting, call.input.text("NextToken"), size)
        .map_err(bad_token)?;
    let of = |kind: &str| -> Vec<Value> {
        let alarms = page.iter().filter(|alarm| kind_of(alarm) == kind);
        alarms.map(|alarm| shown(alarm)).collect()
    };
    let mut answer =
        json!({ "MetricAlarms": of("MetricAlarm"), "CompositeAlarms": of("CompositeAlarm") });
    if let Some(next) = next {
        set(&mut answer, "NextToken", next);
    }
    Ok(answer)
}

/// A seeded alarm says nothing of its kind.
fn kind_of(alarm: &Value) -> &str {
    alarm.text("_kind").unwrap_or("MetricAlarm")
}

fn delete(call: &Call, world: &mut World<'_>) -> Value {
    for name in call.input.texts("AlarmNames") {
        world.store.remove(Table::Alarm, name);
    }
    json!({})
}

//! The services that have nothing to tell: CloudTrail has seen no event, CloudWatch has the alarms
//! that were seeded.

use serde_json::{Value, json};

use super::error::Answer;
use super::protocol::{Call, Service, lacking};
use super::store::Table;
use super::world::{Members as _, World, shown};

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Answer {
    match (call.service, call.operation.as_str()) {
        (Service::CloudTrail, "LookupEvents") => Ok(json!({ "Events": [] })),
        (Service::CloudWatch, "DescribeAlarms") => Ok(alarms(call, world)),
        (service, other) => Err(lacking(&format!("{}:{other}", service.name()))),
    }
}

fn alarms(call: &Call, world: &World<'_>) -> Value {
    let names = call.input.texts("AlarmNames");
    let prefix = call.input.str("AlarmNamePrefix");
    let rows = world.store.rows(Table::Alarm);
    let fitting = rows
        .filter(|(name, _)| (names.is_empty() || names.contains(name)) && name.starts_with(prefix));
    let alarms: Vec<Value> = fitting.map(|(_, alarm)| shown(alarm)).collect();
    json!({ "MetricAlarms": alarms, "CompositeAlarms": [] })
}

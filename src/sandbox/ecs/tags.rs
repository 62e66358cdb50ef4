//! Tags of anything in ECS, by ARN.

use serde_json::{Value, json};

use super::super::error::{Answer, ServiceError};
use super::super::protocol::Call;
use super::super::store::Table;
use super::super::world::{Members as _, World, add_tags, remove_tags};
use super::{TAGS, definitions, invalid};

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "TagResource" => change(call, world, |record, field| add_tags(record, field, call.input.list("tags"), &TAGS)),
        "UntagResource" => change(call, world, |record, field| {
            remove_tags(record, field, &call.input.texts("tagKeys"), &TAGS);
            Ok(())
        }),
        "ListTagsForResource" => find(call, world).map(|(table, key, field)| {
            json!({ "tags": world.store.get(table, &key).map(|record| record.list(field)) })
        }),
        _ => return None,
    })
}

/// Where the resource of an ARN is kept, and in which member its tags are.
fn find(call: &Call, world: &World<'_>) -> Result<(Table, String, &'static str), ServiceError> {
    let arn = call.input.str("resourceArn");
    let resource = arn.split(':').nth(5).unwrap_or_default();
    let parts: Vec<&str> = resource.split('/').collect();
    let (table, key, field, error) = match parts.as_slice() {
        ["cluster", name] => (
            Table::Cluster,
            (*name).to_owned(),
            "tags",
            "ClusterNotFoundException",
        ),
        ["service", cluster, name] => (
            Table::Service,
            format!("{cluster}\n{name}"),
            "tags",
            "ServiceNotFoundException",
        ),
        ["task", cluster, id] => (
            Table::Task,
            format!("{cluster}\n{id}"),
            "tags",
            "ResourceNotFoundException",
        ),
        ["task-definition", _] => {
            let key = definitions::resolve(arn, world).map(definitions::key);
            (
                Table::TaskDefinition,
                key.unwrap_or_default(),
                "_tags",
                "InvalidParameterException",
            )
        }
        _ => return Err(invalid("Invalid ARN.")),
    };
    let gone =
        |record: &Value| record.str("status") == "INACTIVE" && table != Table::TaskDefinition;
    match world.store.get(table, &key) {
        Some(record) if !gone(record) => Ok((table, key, field)),
        _ => Err(ServiceError::new(
            error,
            "The specified resource was not found.",
        )),
    }
}

fn change(
    call: &Call,
    world: &mut World<'_>,
    change: impl FnOnce(&mut Value, &str) -> Result<(), ServiceError>,
) -> Answer {
    let (table, key, field) = find(call, world)?;
    let mut record = world.store.get(table, &key).cloned().unwrap_or_default();
    change(&mut record, field)?;
    world.store.put(table, &key, record);
    Ok(json!({}))
}

//! The Resource Groups Tagging API: everything that carries tags, in one list. IAM's resources show
//! in IAM's home region only, and of those policies, providers and instance profiles, not roles.

use serde_json::{Value, json};

use super::error::{Answer, ServiceError};
use super::protocol::{Call, lacking};
use super::store::Table;
use super::world::{Members as _, World, set};

/// Where tags stand, by kind of resource: its table, its type as filters name it, the member with
/// its ARN, the member with its tags, and whether it is IAM's.
const SOURCES: [(Table, &str, &str, &str, bool); 10] = [
    (
        Table::Repository,
        "ecr:repository",
        "repositoryArn",
        "_tags",
        false,
    ),
    (Table::Cluster, "ecs:cluster", "clusterArn", "tags", false),
    (Table::Service, "ecs:service", "serviceArn", "tags", false),
    (Table::Task, "ecs:task", "taskArn", "tags", false),
    (
        Table::TaskDefinition,
        "ecs:task-definition",
        "taskDefinitionArn",
        "_tags",
        false,
    ),
    (
        Table::LogGroup,
        "logs:log-group",
        "logGroupArn",
        "_tags",
        false,
    ),
    (Table::Secret, "secretsmanager:secret", "ARN", "Tags", false),
    (Table::Parameter, "ssm:parameter", "ARN", "_tags", false),
    (
        Table::OidcProvider,
        "iam:oidc-provider",
        "Arn",
        "Tags",
        true,
    ),
    (Table::Policy, "iam:policy", "Arn", "Tags", true),
];

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Answer {
    match call.operation.as_str() {
        "GetResources" => get_resources(call, world),
        "GetTagKeys" => Ok(tag_keys(call, world)),
        other => Err(lacking(&format!("tag:{other}"))),
    }
}

/// Whether the region that was asked shows a source.
fn seen(call: &Call, world: &World<'_>, iam: bool) -> bool {
    let region = if call.region.is_empty() {
        world.region
    } else {
        &call.region
    };
    if iam {
        region == world.iam_home()
    } else {
        region == world.region
    }
}

/// The tags of a record as the tagging API writes them.
fn tags(record: &Value, field: &str) -> Vec<Value> {
    let pair = |key: &str, value: &str| json!({ "Key": key, "Value": value });
    match record.get(field) {
        Some(Value::Object(tags)) => tags
            .iter()
            .map(|(key, value)| pair(key, value.as_str().unwrap_or_default()))
            .collect(),
        Some(Value::Array(tags)) => tags
            .iter()
            .map(|tag| {
                let key = tag.text("Key").unwrap_or_else(|| tag.str("key"));
                let value = tag.text("Value").unwrap_or_else(|| tag.str("value"));
                pair(key, value)
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Whether a resource has, for every filter, the key and one of the values.
fn passes(tags: &[Value], filters: &[Value]) -> bool {
    filters.iter().all(|filter| {
        let values = filter.texts("Values");
        let fits = |tag: &Value| {
            tag.str("Key") == filter.str("Key")
                && (values.is_empty() || values.contains(&tag.str("Value")))
        };
        tags.iter().any(fits)
    })
}

fn get_resources(call: &Call, world: &World<'_>) -> Answer {
    let types = call.input.texts("ResourceTypeFilters");
    let arns = call.input.texts("ResourceARNList");
    let filters = call.input.list("TagFilters");
    if !arns.is_empty() && (!types.is_empty() || !filters.is_empty()) {
        let message = "ResourceARNList cannot be combined with other filters.";
        return Err(ServiceError::new("InvalidParameterException", message));
    }
    let wanted = |kind: &str| {
        let service = kind.split(':').next().unwrap_or(kind);
        types.is_empty()
            || types
                .iter()
                .any(|asked| *asked == kind || *asked == service)
    };
    let sources = SOURCES
        .iter()
        .filter(|source| seen(call, world, source.4) && wanted(source.1));
    let arns = &arns;
    let rows = sources.flat_map(move |(table, kind, arn, field, _)| {
        world.store.rows(*table).filter_map(move |(key, record)| {
            let tags = tags(record, field);
            let named = arns.is_empty() || arns.contains(&record.str(arn));
            let kept = named && !tags.is_empty() && passes(&tags, filters);
            kept.then(|| {
                (
                    format!("{kind} {key}"),
                    json!({ "ResourceARN": record.str(arn), "Tags": tags }),
                )
            })
        })
    });
    let size = call.input.page_size("ResourcesPerPage", 50, 100);
    let expired = |_| {
        ServiceError::new(
            "PaginationTokenExpiredException",
            "The pagination token is not valid.",
        )
    };
    let (found, next) = world
        .page(rows, call.input.text("PaginationToken"), size)
        .map_err(expired)?;
    let mut answer = json!({ "ResourceTagMappingList": found });
    set(&mut answer, "PaginationToken", next.unwrap_or_default());
    Ok(answer)
}

fn tag_keys(call: &Call, world: &World<'_>) -> Value {
    let mut keys: Vec<String> = Vec::new();
    for (table, _, _, field, iam) in &SOURCES {
        let records = world.store.rows(*table).filter(|_| seen(call, world, *iam));
        for (_, record) in records {
            keys.extend(
                tags(record, field)
                    .iter()
                    .map(|tag| tag.str("Key").to_owned()),
            );
        }
    }
    keys.sort();
    keys.dedup();
    json!({ "TagKeys": keys, "PaginationToken": "" })
}

//! IAM: roles, managed policies, OIDC providers, instance profiles, and the account as a whole.

mod account;
mod documents;
mod managed;
mod names;
mod policies;
mod profiles;
mod providers;
mod role_policies;
mod roles;
mod versions;

use serde_json::{Value, json};

use super::error::{Answer, ServiceError};
use super::protocol::{Call, lacking};
use super::world::{Members as _, TagStyle, World, add_tags, remove_tags};

/// The account's quotas, as `GetAccountSummary` names them: AWS's defaults (facts.md section 3).
const QUOTAS: [(&str, i64); 8] = [
    ("RolesQuota", 1000),
    ("PoliciesQuota", 1500),
    ("AttachedPoliciesPerRoleQuota", 10),
    ("PolicySizeQuota", 6144),
    ("VersionsPerPolicyQuota", 5),
    ("AssumeRolePolicySizeQuota", 2048),
    ("RolePolicySizeQuota", 10_240),
    ("InstanceProfilesQuota", 1000),
];

/// How IAM writes tags: at most 50 on a resource.
const TAGS: TagStyle = TagStyle {
    key: "Key",
    value: "Value",
    most: 50,
    invalid: "InvalidInput",
    too_many: "LimitExceeded",
};

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Answer {
    let family = [
        roles::answer,
        role_policies::answer,
        policies::answer,
        versions::answer,
        providers::answer,
    ];
    let more = [profiles::answer, account::answer];
    for operation in family.into_iter().chain(more) {
        if let Some(answer) = operation(call, world) {
            return answer;
        }
    }
    Err(lacking(&format!("iam:{}", call.operation)))
}

fn quota(name: &str) -> i64 {
    QUOTAS
        .iter()
        .find(|(quota, _)| *quota == name)
        .map_or(0, |(_, most)| *most)
}

fn no_such_entity(message: String) -> ServiceError {
    ServiceError::with_status(404, "NoSuchEntity", message)
}

fn exists(message: String) -> ServiceError {
    ServiceError::with_status(409, "EntityAlreadyExists", message)
}

fn delete_conflict(message: &str) -> ServiceError {
    ServiceError::with_status(409, "DeleteConflict", message)
}

fn limit_exceeded(message: String) -> ServiceError {
    ServiceError::with_status(409, "LimitExceeded", message)
}

fn invalid(message: String) -> ServiceError {
    ServiceError::new("ValidationError", message)
}

/// The member, or the error for a request that lacks it.
fn required<'a>(call: &'a Call, name: &str) -> Result<&'a str, ServiceError> {
    call.input.text(name).ok_or_else(|| {
        invalid(format!("1 validation error detected: Value at '{name}' failed to satisfy constraint: Member must not be null"))
    })
}

/// One page of a list in IAM's words. `items` are in the order of their keys.
fn page<'a>(
    call: &Call,
    world: &World<'_>,
    name: &str,
    items: impl Iterator<Item = (String, Value)> + 'a,
) -> Answer {
    let size = call.input.page_size("MaxItems", 100, 1000);
    let (items, next) = world
        .page(items, call.input.text("Marker"), size)
        .map_err(|_| invalid("Invalid Marker.".to_owned()))?;
    let mut answer = json!({ name: items, "IsTruncated": next.is_some() });
    if let Some(next) = next {
        super::world::set(&mut answer, "Marker", next);
    }
    Ok(answer)
}

/// Adds the tags of the request to a record.
fn tag(record: &mut Value, call: &Call) -> Result<(), ServiceError> {
    add_tags(record, "Tags", call.input.list("Tags"), &TAGS)
}

fn untag(record: &mut Value, call: &Call) {
    remove_tags(record, "Tags", &call.input.texts("TagKeys"), &TAGS);
}

/// One page of the tags of a record.
fn list_tags(call: &Call, world: &World<'_>, record: &Value) -> Answer {
    let tags = record
        .list("Tags")
        .iter()
        .map(|tag| (tag.str("Key").to_owned(), tag.clone()));
    let mut tags: Vec<(String, Value)> = tags.collect();
    tags.sort_by(|left, right| left.0.cmp(&right.0));
    page(call, world, "Tags", tags.into_iter())
}

/// The answer of an operation that says nothing.
fn nothing() -> Value {
    json!({})
}

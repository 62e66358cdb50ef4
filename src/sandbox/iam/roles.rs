//! Roles: their life, their trust policy, their tags.

use serde_json::{Value, json};

use super::super::error::{Answer, ServiceError};
use super::super::protocol::Call;
use super::super::store::Table;
use super::super::world::{Members as _, World, last_part, set, unset, without};
use super::{
    delete_conflict, documents, exists, invalid, limit_exceeded, list_tags, names, no_such_entity,
};
use super::{nothing, quota, required, role_policies, tag, untag};
use crate::policy::PolicyKind;

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "CreateRole" => create(call, world),
        "GetRole" => find(call, world).map(|role| json!({ "Role": show(role, world) })),
        "ListRoles" => list(call, world),
        "UpdateRole" => update(call, world),
        "UpdateRoleDescription" => describe(call, world),
        "UpdateAssumeRolePolicy" => update_trust(call, world),
        "DeleteRole" => delete(call, world),
        "TagRole" => change(call, world, |role| tag(role, call)),
        "UntagRole" => change(call, world, |role| {
            untag(role, call);
            Ok(())
        }),
        "ListRoleTags" => find(call, world).and_then(|role| list_tags(call, world, role)),
        "CreateServiceLinkedRole" => create_linked(call, world),
        _ => return None,
    })
}

/// The key of the role that the request names.
pub(super) fn key(call: &Call) -> Result<String, ServiceError> {
    Ok(required(call, "RoleName")?.to_lowercase())
}

/// The role that the request names.
pub(super) fn find<'a>(call: &Call, world: &'a World<'_>) -> Result<&'a Value, ServiceError> {
    let name = required(call, "RoleName")?;
    world
        .store
        .get(Table::Role, &name.to_lowercase())
        .ok_or_else(|| no_such_entity(format!("The role with name {name} cannot be found.")))
}

/// Changes the role that the request names, unless it is a service's own.
pub(super) fn change(
    call: &Call,
    world: &mut World<'_>,
    change: impl FnOnce(&mut Value) -> Result<(), ServiceError>,
) -> Answer {
    let role = find(call, world)?;
    if role.str("Path").starts_with("/aws-service-role/") {
        let name = role.str("RoleName");
        let message = format!(
            "Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
        );
        return Err(ServiceError::new("UnmodifiableEntity", message));
    }
    let mut changed = role.clone();
    change(&mut changed)?;
    if changed != *role {
        world.store.put(Table::Role, &key(call)?, changed);
    }
    Ok(nothing())
}

/// A role as `GetRole` and `CreateRole` show it.
fn show(role: &Value, world: &World<'_>) -> Value {
    let mut shown = without(role, &[]);
    set(
        &mut shown,
        "AssumeRolePolicyDocument",
        documents::show_trust(role, world),
    );
    if role.list("Tags").is_empty() {
        unset(&mut shown, "Tags");
    }
    shown
}

/// The fields that a list leaves out.
const NOT_LISTED: [&str; 3] = ["Tags", "PermissionsBoundary", "RoleLastUsed"];

fn list(call: &Call, world: &World<'_>) -> Answer {
    let prefix = call.input.text("PathPrefix").unwrap_or("/");
    let roles = world
        .store
        .rows(Table::Role)
        .filter(|(_, role)| role.str("Path").starts_with(prefix));
    let rows = roles.map(|(key, role)| (key.to_owned(), role));
    let size = call.input.page_size("MaxItems", 100, 1000);
    let (roles, next) = world
        .page(rows, call.input.text("Marker"), size)
        .map_err(|_| invalid("Invalid Marker.".to_owned()))?;
    let roles: Vec<Value> = roles
        .into_iter()
        .map(|role| without(&show(role, world), &NOT_LISTED))
        .collect();
    let mut answer = json!({ "Roles": roles, "IsTruncated": next.is_some() });
    if let Some(next) = next {
        set(&mut answer, "Marker", next);
    }
    Ok(answer)
}

fn create(call: &Call, world: &mut World<'_>) -> Answer {
    let name = required(call, "RoleName")?;
    names::check_name("roleName", name, 64)?;
    let path = call.input.text("Path").unwrap_or("/");
    names::check_path(path)?;
    if path.starts_with("/aws-service-role/") {
        return Err(invalid(
            "Path for a role may not begin with /aws-service-role/.".to_owned(),
        ));
    }
    names::check_description(call.input.str("Description"))?;
    let session = call.input.number("MaxSessionDuration").unwrap_or(3600);
    names::check_session(session)?;
    let trust = required(call, "AssumeRolePolicyDocument")?;
    if world.store.has(Table::Role, &name.to_lowercase()) {
        return Err(exists(format!("Role with name {name} already exists.")));
    }
    let principals = check_trust(trust, world)?;
    let id = world.unique_id("AROA");
    let mut role = json!({
        "Path": path,
        "RoleName": name,
        "RoleId": id,
        "Arn": world.global_arn("iam", &format!("role{path}{name}")),
        "CreateDate": world.iso(),
        "AssumeRolePolicyDocument": trust,
        "MaxSessionDuration": session,
        "RoleLastUsed": {},
        "_principals": principals,
    });
    if let Some(description) = call.input.text("Description") {
        set(&mut role, "Description", description);
    }
    tag(&mut role, call)?;
    let key = name.to_lowercase();
    world.store.put(Table::RoleId, &id, key.clone().into());
    world.store.put(Table::Role, &key, role);
    if let Some(boundary) = call.input.text("PermissionsBoundary") {
        role_policies::bound(&key, boundary, world)?;
    }
    let role = world
        .store
        .get(Table::Role, &key)
        .cloned()
        .unwrap_or_default();
    Ok(json!({ "Role": without(&show(&role, world), &["RoleLastUsed"]) }))
}

/// Checks a trust policy and resolves the roles that it names.
fn check_trust(
    text: &str,
    world: &World<'_>,
) -> Result<serde_json::Map<String, Value>, ServiceError> {
    documents::check(text, PolicyKind::Trust)?;
    let most = quota("AssumeRolePolicySizeQuota");
    if i64::try_from(documents::size(text)).is_ok_and(|size| size > most) {
        return Err(limit_exceeded(format!(
            "Cannot exceed quota for ACLSizePerRole: {most}"
        )));
    }
    documents::principals(text, world)
}

fn update(call: &Call, world: &mut World<'_>) -> Answer {
    names::check_description(call.input.str("Description"))?;
    let session = call.input.number("MaxSessionDuration");
    if let Some(seconds) = session {
        names::check_session(seconds)?;
    }
    change(call, world, |role| {
        // An empty description takes it away; one that is left out stays.
        match call.input.member("Description").and_then(Value::as_str) {
            Some("") => unset(role, "Description"),
            Some(text) => set(role, "Description", text),
            None => {}
        }
        if let Some(seconds) = session {
            set(role, "MaxSessionDuration", seconds);
        }
        Ok(())
    })
}

fn describe(call: &Call, world: &mut World<'_>) -> Answer {
    names::check_description(call.input.str("Description"))?;
    change(call, world, |role| {
        set(role, "Description", call.input.str("Description"));
        Ok(())
    })?;
    Ok(json!({ "Role": show(find(call, world)?, world) }))
}

fn update_trust(call: &Call, world: &mut World<'_>) -> Answer {
    let text = required(call, "PolicyDocument")?;
    find(call, world)?;
    let principals = check_trust(text, world)?;
    change(call, world, |role| {
        set(role, "AssumeRolePolicyDocument", text);
        set(role, "_principals", principals);
        Ok(())
    })
}

fn delete(call: &Call, world: &mut World<'_>) -> Answer {
    let role = find(call, world)?;
    let key = key(call)?;
    if !role.list("_attached").is_empty() {
        return Err(delete_conflict(
            "Cannot delete entity, must detach all policies first.",
        ));
    }
    if role
        .get("_inline")
        .and_then(Value::as_object)
        .is_some_and(|inline| !inline.is_empty())
    {
        return Err(delete_conflict(
            "Cannot delete entity, must delete policies first.",
        ));
    }
    let name = role.str("RoleName");
    let profiles = world.store.rows(Table::InstanceProfile);
    if profiles
        .into_iter()
        .any(|(_, profile)| profile.str("_role") == key && !name.is_empty())
    {
        return Err(delete_conflict(
            "Cannot delete entity, must remove roles from instance profile first.",
        ));
    }
    if role.str("Path").starts_with("/aws-service-role/") {
        return change(call, world, |_| Ok(()));
    }
    let (id, boundary) = (
        role.str("RoleId").to_owned(),
        role.get("PermissionsBoundary").cloned(),
    );
    if let Some(boundary) = boundary {
        let arn = boundary.str("PermissionsBoundaryArn");
        world
            .store
            .remove(Table::Boundary, &format!("{arn}\n{key}"));
    }
    world.store.remove(Table::RoleId, &id);
    world.store.remove(Table::Role, &key);
    Ok(nothing())
}

/// The role of ECS itself, and of other services by the same pattern.
fn create_linked(call: &Call, world: &mut World<'_>) -> Answer {
    let service = required(call, "AWSServiceName")?;
    let short = match service {
        "ecs.amazonaws.com" => "ECS".to_owned(),
        other => other.split('.').next().unwrap_or(other).to_owned(),
    };
    let name = format!("AWSServiceRoleFor{short}");
    let key = name.to_lowercase();
    if world.store.has(Table::Role, &key) {
        let message = format!(
            "Service role name {name} has been taken in this account, please try a different suffix."
        );
        return Err(ServiceError::new("InvalidInput", message));
    }
    let role = linked(&name, service, world);
    world
        .store
        .put(Table::RoleId, role.str("RoleId"), key.clone().into());
    world.store.put(Table::Role, &key, role.clone());
    Ok(json!({ "Role": show(&role, world) }))
}

fn linked(name: &str, service: &str, world: &mut World<'_>) -> Value {
    let path = format!("/aws-service-role/{service}/");
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" }],
    });
    json!({
        "Path": path,
        "RoleName": name,
        "RoleId": world.unique_id("AROA"),
        "Arn": world.global_arn("iam", &format!("role{path}{}", last_part(name))),
        "CreateDate": world.iso(),
        "AssumeRolePolicyDocument": trust.to_string(),
        "MaxSessionDuration": 3600,
        "RoleLastUsed": {},
    })
}

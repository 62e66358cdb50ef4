//! Instance profiles: we make none, and must see those that hold a role.

use serde_json::{Value, json};

use super::super::error::{Answer, ServiceError};
use super::super::protocol::Call;
use super::super::store::Table;
use super::super::world::{Members as _, World, set, shown, unset};
use super::{
    delete_conflict, exists, limit_exceeded, names, no_such_entity, nothing, page, required, roles,
};

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "CreateInstanceProfile" => create(call, world),
        "GetInstanceProfile" => {
            find(call, world).map(|profile| json!({ "InstanceProfile": show(&profile, world) }))
        }
        "AddRoleToInstanceProfile" => add_role(call, world),
        "RemoveRoleFromInstanceProfile" => remove_role(call, world),
        "DeleteInstanceProfile" => delete(call, world),
        "ListInstanceProfilesForRole" => of_role(call, world),
        _ => return None,
    })
}

fn key(call: &Call) -> Result<String, ServiceError> {
    Ok(required(call, "InstanceProfileName")?.to_lowercase())
}

fn find(call: &Call, world: &World<'_>) -> Result<Value, ServiceError> {
    let name = required(call, "InstanceProfileName")?;
    let profile = world.store.get(Table::InstanceProfile, &key(call)?);
    profile
        .cloned()
        .ok_or_else(|| no_such_entity(format!("Instance Profile {name} cannot be found.")))
}

/// A profile with the role that it holds.
pub(super) fn show(profile: &Value, world: &World<'_>) -> Value {
    let mut answer = shown(profile);
    let role = profile
        .text("_role")
        .and_then(|key| world.store.get(Table::Role, key));
    let roles: Vec<Value> = role.map(shown).into_iter().collect();
    set(&mut answer, "Roles", roles);
    answer
}

fn create(call: &Call, world: &mut World<'_>) -> Answer {
    let name = required(call, "InstanceProfileName")?;
    names::check_name("instanceProfileName", name, 128)?;
    let path = call.input.text("Path").unwrap_or("/");
    names::check_path(path)?;
    if world.store.has(Table::InstanceProfile, &key(call)?) {
        return Err(exists(format!("Instance Profile {name} already exists.")));
    }
    let profile = json!({
        "Path": path,
        "InstanceProfileName": name,
        "InstanceProfileId": world.unique_id("AIPA"),
        "Arn": world.global_arn("iam", &format!("instance-profile{path}{name}")),
        "CreateDate": world.iso(),
    });
    world
        .store
        .put(Table::InstanceProfile, &key(call)?, profile.clone());
    Ok(json!({ "InstanceProfile": show(&profile, world) }))
}

fn add_role(call: &Call, world: &mut World<'_>) -> Answer {
    let mut profile = find(call, world)?;
    roles::find(call, world)?;
    if profile.text("_role").is_some() {
        return Err(limit_exceeded(
            "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1".to_owned(),
        ));
    }
    set(&mut profile, "_role", roles::key(call)?);
    world
        .store
        .put(Table::InstanceProfile, &key(call)?, profile);
    Ok(nothing())
}

fn remove_role(call: &Call, world: &mut World<'_>) -> Answer {
    let mut profile = find(call, world)?;
    if profile.str("_role") != roles::key(call)? {
        return Err(no_such_entity(format!(
            "The role {} is not in it.",
            call.input.str("RoleName")
        )));
    }
    unset(&mut profile, "_role");
    world
        .store
        .put(Table::InstanceProfile, &key(call)?, profile);
    Ok(nothing())
}

fn delete(call: &Call, world: &mut World<'_>) -> Answer {
    if find(call, world)?.text("_role").is_some() {
        return Err(delete_conflict(
            "Cannot delete entity, must remove roles from instance profile first.",
        ));
    }
    world.store.remove(Table::InstanceProfile, &key(call)?);
    Ok(nothing())
}

fn of_role(call: &Call, world: &World<'_>) -> Answer {
    roles::find(call, world)?;
    let role = roles::key(call)?;
    let held = world
        .store
        .rows(Table::InstanceProfile)
        .filter(|(_, profile)| profile.str("_role") == role);
    page(
        call,
        world,
        "InstanceProfiles",
        held.map(|(key, profile)| (key.to_owned(), show(profile, world))),
    )
}

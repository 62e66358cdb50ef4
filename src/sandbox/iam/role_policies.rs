//! What a role may do: its inline policies, its managed policies, its boundary.

use serde_json::{Value, json};

use super::super::error::{Answer, ServiceError};
use super::super::protocol::Call;
use super::super::store::Table;
use super::super::world::{Members as _, World, last_part, set, unset};
use super::roles::{change, find, key};
use super::{
    documents, invalid, limit_exceeded, managed, names, no_such_entity, page, quota, required,
};
use crate::policy::PolicyKind;

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "PutRolePolicy" => put_inline(call, world),
        "GetRolePolicy" => get_inline(call, world),
        "DeleteRolePolicy" => delete_inline(call, world),
        "ListRolePolicies" => list_inline(call, world),
        "AttachRolePolicy" => attach(call, world),
        "DetachRolePolicy" => detach(call, world),
        "ListAttachedRolePolicies" => list_attached(call, world),
        "PutRolePermissionsBoundary" => put_boundary(call, world),
        "DeleteRolePermissionsBoundary" => delete_boundary(call, world),
        _ => return None,
    })
}

fn put_inline(call: &Call, world: &mut World<'_>) -> Answer {
    let (name, text) = (
        required(call, "PolicyName")?,
        required(call, "PolicyDocument")?,
    );
    names::check_name("policyName", name, 128)?;
    let role = find(call, world)?;
    documents::check(text, PolicyKind::Identity)?;
    let mut inline = role
        .get("_inline")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    inline.insert(name.to_owned(), text.into());
    let total: usize = inline
        .values()
        .map(|text| documents::size(text.as_str().unwrap_or_default()))
        .sum();
    let most = quota("RolePolicySizeQuota");
    if i64::try_from(total).is_ok_and(|total| total > most) {
        let name = role.str("RoleName");
        return Err(limit_exceeded(format!(
            "Maximum policy size of {most} bytes exceeded for role {name}"
        )));
    }
    change(call, world, |role| {
        set(role, "_inline", inline);
        Ok(())
    })
}

/// The inline policy that the request names.
fn inline<'a>(call: &Call, role: &'a Value) -> Result<&'a str, ServiceError> {
    let name = required(call, "PolicyName")?;
    role.get("_inline")
        .and_then(|inline| inline.get(name))
        .and_then(Value::as_str)
        .ok_or_else(|| no_such_entity(format!("The role policy with name {name} cannot be found.")))
}

fn get_inline(call: &Call, world: &World<'_>) -> Answer {
    let role = find(call, world)?;
    let text = inline(call, role)?;
    Ok(json!({
        "RoleName": role.str("RoleName"),
        "PolicyName": required(call, "PolicyName")?,
        "PolicyDocument": documents::show(text, world),
    }))
}

fn delete_inline(call: &Call, world: &mut World<'_>) -> Answer {
    inline(call, find(call, world)?)?;
    let name = required(call, "PolicyName")?;
    change(call, world, |role| {
        if let Some(inline) = role.get_mut("_inline") {
            unset(inline, name);
        }
        Ok(())
    })
}

fn list_inline(call: &Call, world: &World<'_>) -> Answer {
    let role = find(call, world)?;
    let inline = role.get("_inline").and_then(Value::as_object);
    let mut names: Vec<&String> = inline
        .into_iter()
        .flat_map(|inline| inline.keys())
        .collect();
    names.sort();
    page(
        call,
        world,
        "PolicyNames",
        names.into_iter().map(|name| (name.clone(), json!(name))),
    )
}

fn attach(call: &Call, world: &mut World<'_>) -> Answer {
    let arn = required(call, "PolicyArn")?;
    let role = find(call, world)?;
    if !managed::exists(arn, world) {
        return Err(no_such_entity(format!(
            "Policy {arn} does not exist or is not attachable."
        )));
    }
    let mut attached = role.list("_attached").to_vec();
    if attached.iter().any(|other| other == arn) {
        return change(call, world, |_| Ok(()));
    }
    attached.push(arn.into());
    let most = quota("AttachedPoliciesPerRoleQuota");
    if i64::try_from(attached.len()).is_ok_and(|count| count > most) {
        return Err(limit_exceeded(format!(
            "Cannot exceed quota for PoliciesPerRole: {most}"
        )));
    }
    let answer = change(call, world, |role| {
        set(role, "_attached", attached);
        Ok(())
    })?;
    world.store.put(
        Table::Attachment,
        &format!("{arn}\n{}", key(call)?),
        json!({}),
    );
    Ok(answer)
}

fn detach(call: &Call, world: &mut World<'_>) -> Answer {
    let arn = required(call, "PolicyArn")?;
    let role = find(call, world)?;
    let mut attached = role.list("_attached").to_vec();
    if !attached.iter().any(|other| other == arn) {
        return Err(no_such_entity(format!("Policy {arn} was not found.")));
    }
    attached.retain(|other| other != arn);
    let answer = change(call, world, |role| {
        set(role, "_attached", attached);
        Ok(())
    })?;
    world
        .store
        .remove(Table::Attachment, &format!("{arn}\n{}", key(call)?));
    Ok(answer)
}

/// The managed policies of a role, as lists show them.
pub(super) fn attached(role: &Value) -> Vec<(String, Value)> {
    let mut arns = role.texts("_attached");
    arns.sort_unstable();
    arns.into_iter()
        .map(|arn| {
            (
                arn.to_owned(),
                json!({ "PolicyName": last_part(arn), "PolicyArn": arn }),
            )
        })
        .collect()
}

fn list_attached(call: &Call, world: &World<'_>) -> Answer {
    let role = find(call, world)?;
    page(call, world, "AttachedPolicies", attached(role).into_iter())
}

/// Puts a boundary on a role.
pub(super) fn bound(key: &str, arn: &str, world: &mut World<'_>) -> Result<(), ServiceError> {
    if !arn.starts_with("arn:") {
        return Err(invalid(format!("ARN {arn} is not valid.")));
    }
    if !managed::exists(arn, world) {
        return Err(no_such_entity(format!(
            "Policy {arn} does not exist or is not attachable."
        )));
    }
    unbound(key, world);
    world.store.update(Table::Role, key, |role| {
        let boundary =
            json!({ "PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn });
        set(role, "PermissionsBoundary", boundary);
    });
    world
        .store
        .put(Table::Boundary, &format!("{arn}\n{key}"), json!({}));
    Ok(())
}

fn unbound(key: &str, world: &mut World<'_>) {
    let before = world
        .store
        .get(Table::Role, key)
        .and_then(|role| role.get("PermissionsBoundary"))
        .cloned();
    if let Some(boundary) = before {
        let arn = boundary.str("PermissionsBoundaryArn");
        world
            .store
            .remove(Table::Boundary, &format!("{arn}\n{key}"));
        world
            .store
            .update(Table::Role, key, |role| unset(role, "PermissionsBoundary"));
    }
}

fn put_boundary(call: &Call, world: &mut World<'_>) -> Answer {
    let arn = required(call, "PermissionsBoundary")?;
    let answer = change(call, world, |_| Ok(()))?;
    bound(&key(call)?, arn, world)?;
    Ok(answer)
}

fn delete_boundary(call: &Call, world: &mut World<'_>) -> Answer {
    let role = find(call, world)?;
    if role.get("PermissionsBoundary").is_none() {
        let name = role.str("RoleName");
        return Err(no_such_entity(format!(
            "Role {name} has no permissions boundary."
        )));
    }
    let answer = change(call, world, |_| Ok(()))?;
    unbound(&key(call)?, world);
    Ok(answer)
}

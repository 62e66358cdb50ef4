//! The versions of a managed policy: at most five, one of them the default.

use serde_json::{Value, json};

use super::super::error::{Answer, ServiceError};
use super::super::protocol::Call;
use super::super::world::{Members as _, World, set};
use super::policies::{change, check_document, find};
use super::{
    delete_conflict, documents, limit_exceeded, managed, no_such_entity, page, quota, required,
};

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "CreatePolicyVersion" => create(call, world),
        "GetPolicyVersion" => get(call, world),
        "ListPolicyVersions" => list(call, world),
        "DeletePolicyVersion" => delete(call, world),
        "SetDefaultPolicyVersion" => set_default(call, world),
        _ => return None,
    })
}

/// The number in `v12`.
fn number(version: &Value) -> i64 {
    version
        .str("VersionId")
        .trim_start_matches('v')
        .parse()
        .unwrap_or(0)
}

/// A version with its document, or as lists show it.
pub(super) fn show(version: &Value, with_document: bool, world: &World<'_>) -> Value {
    let mut shown = json!({
        "VersionId": version.str("VersionId"),
        "IsDefaultVersion": version.flag("IsDefaultVersion").unwrap_or(false),
        "CreateDate": version.str("CreateDate"),
    });
    if with_document {
        set(
            &mut shown,
            "Document",
            documents::show(version.str("Document"), world),
        );
    }
    shown
}

/// Makes one version the default.
fn choose(policy: &mut Value, id: &str) {
    let mut versions = policy.list("_versions").to_vec();
    for version in &mut versions {
        let chosen = version.str("VersionId") == id;
        set(version, "IsDefaultVersion", chosen);
    }
    set(policy, "_versions", versions);
    set(policy, "DefaultVersionId", id);
}

fn create(call: &Call, world: &mut World<'_>) -> Answer {
    let text = required(call, "PolicyDocument")?;
    let policy = find(call, world)?;
    check_document(text)?;
    let most = quota("VersionsPerPolicyQuota");
    if i64::try_from(policy.list("_versions").len()).is_ok_and(|count| count >= most) {
        return Err(limit_exceeded(format!(
            "A managed policy can have up to {most} versions. Before you create a new version, you must delete an existing version."
        )));
    }
    let next = policy.number("_made").unwrap_or(1) + 1;
    let (id, now) = (format!("v{next}"), world.iso());
    let version =
        json!({ "VersionId": id, "IsDefaultVersion": false, "CreateDate": now, "Document": text });
    let default = call.input.flag("SetAsDefault").unwrap_or(false);
    change(call, world, |policy| {
        let mut versions = policy.list("_versions").to_vec();
        versions.push(version.clone());
        set(policy, "_versions", versions);
        set(policy, "_made", next);
        set(policy, "UpdateDate", now);
        if default {
            choose(policy, &id);
        }
        Ok(())
    })?;
    let mut shown = show(&version, false, world);
    set(&mut shown, "IsDefaultVersion", default);
    Ok(json!({ "PolicyVersion": shown }))
}

/// The version that the request names.
fn version(call: &Call, policy: &Value) -> Result<Value, ServiceError> {
    let id = required(call, "VersionId")?;
    let found = policy
        .list("_versions")
        .iter()
        .find(|version| version.str("VersionId") == id);
    found.cloned().ok_or_else(|| {
        let arn = policy.str("Arn");
        no_such_entity(format!(
            "Policy {arn} version {id} does not exist or is not attachable."
        ))
    })
}

fn get(call: &Call, world: &World<'_>) -> Answer {
    let policy = find(call, world)?;
    let version = version(call, &policy)?;
    let arn = policy.str("Arn");
    if managed::is_aws(arn) && !managed::is_known(arn) {
        // To make one up would say what the policy does not.
        let message = format!("The sandbox does not know the document of {arn}.");
        return Err(ServiceError::with_status(404, "NoSuchEntity", message));
    }
    Ok(json!({ "PolicyVersion": show(&version, true, world) }))
}

fn list(call: &Call, world: &World<'_>) -> Answer {
    let policy = find(call, world)?;
    let mut versions = policy.list("_versions").to_vec();
    versions.sort_by_key(|version| -number(version));
    // The newest first: the key counts down.
    let rows = versions.iter().map(|version| {
        (
            format!("{:09}", 999_999_999 - number(version)),
            show(version, false, world),
        )
    });
    page(call, world, "Versions", rows)
}

fn delete(call: &Call, world: &mut World<'_>) -> Answer {
    let policy = find(call, world)?;
    let gone = version(call, &policy)?;
    if gone.flag("IsDefaultVersion") == Some(true) {
        return Err(delete_conflict(
            "Cannot delete the default version of a policy.",
        ));
    }
    change(call, world, |policy| {
        let mut versions = policy.list("_versions").to_vec();
        versions.retain(|version| version.str("VersionId") != gone.str("VersionId"));
        set(policy, "_versions", versions);
        Ok(())
    })
}

fn set_default(call: &Call, world: &mut World<'_>) -> Answer {
    let policy = find(call, world)?;
    let chosen = version(call, &policy)?;
    change(call, world, |policy| {
        choose(policy, chosen.str("VersionId"));
        Ok(())
    })
}

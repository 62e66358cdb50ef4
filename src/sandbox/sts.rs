//! Who is asking, and becoming somebody else.

use serde_json::json;

use super::error::{Answer, ServiceError};
use super::protocol::{Call, lacking};
use super::store::Table;
use super::world::{Members as _, World, last_part};

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Answer {
    match call.operation.as_str() {
        "GetCallerIdentity" => Ok(caller(call, world)),
        "AssumeRole" => assume(call, world),
        other => Err(lacking(&format!("sts:{other}"))),
    }
}

/// The role whose session signed the request, else a user that may do everything.
pub(super) fn caller(call: &Call, world: &World<'_>) -> serde_json::Value {
    match world.store.get(Table::Session, &call.access_key) {
        Some(session) => json!({
            "UserId": session.str("UserId"), "Account": world.account, "Arn": session.str("Arn"),
        }),
        None => json!({
            "UserId": "AIDASANDBOXSANDBOX777", "Account": world.account,
            "Arn": world.global_arn("iam", "user/sandbox"),
        }),
    }
}

fn assume(call: &Call, world: &mut World<'_>) -> Answer {
    let (arn, session) = (call.input.str("RoleArn"), call.input.str("RoleSessionName"));
    let name = last_part(arn).to_owned();
    let role = world
        .store
        .get(Table::Role, &name.to_lowercase())
        .filter(|role| role.str("Arn") == arn);
    let Some(id) = role.map(|role| role.str("RoleId").to_owned()) else {
        let message =
            format!("User is not authorized to perform: sts:AssumeRole on resource: {arn}");
        return Err(ServiceError::with_status(403, "AccessDenied", message));
    };
    let identity = world.global_arn("sts", &format!("assumed-role/{name}/{session}"));
    let user_id = format!("{id}:{session}");
    let access_key = world.unique_id("ASIA");
    let (secret, token) = (world.hex(40), world.hex(64));
    world.store.put(
        Table::Session,
        &access_key,
        json!({ "UserId": user_id, "Arn": identity }),
    );
    let seconds = call.input.number("DurationSeconds").unwrap_or(3600);
    let later = u32::try_from(seconds).map_or(3600.0, f64::from);
    let expires = World {
        store: &mut *world.store,
        now: world.now + later,
        ..*world
    }
    .iso();
    Ok(json!({
        "Credentials": {
            "AccessKeyId": access_key, "SecretAccessKey": secret, "SessionToken": token, "Expiration": expires,
        },
        "AssumedRoleUser": { "AssumedRoleId": user_id, "Arn": identity },
        "PackedPolicySize": 0,
    }))
}

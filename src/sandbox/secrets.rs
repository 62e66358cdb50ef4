//! Secrets Manager: secrets with their versions, their stages, and the days between deletion and
//! the end.

use serde_json::{Map, Value, json};

use super::error::{Answer, ServiceError};
use super::protocol::{Call, lacking};
use super::store::Table;
use super::world::{Members as _, TagStyle, World, add_tags, remove_tags, set, unset, without};

const TAGS: TagStyle = TagStyle {
    key: "Key",
    value: "Value",
    most: 50,
    invalid: "InvalidParameterException",
    too_many: "LimitExceededException",
};

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Answer {
    match call.operation.as_str() {
        "CreateSecret" => create(call, world),
        "DescribeSecret" => describe(call, world),
        "ListSecrets" => list(call, world),
        "GetSecretValue" => get_value(call, world),
        "PutSecretValue" => put_value(call, world),
        "UpdateSecret" => update(call, world),
        "DeleteSecret" => delete(call, world),
        "RestoreSecret" => restore(call, world),
        "TagResource" => change(call, world, false, |secret| {
            add_tags(secret, "Tags", call.input.list("Tags"), &TAGS)
        }),
        "UntagResource" => change(call, world, false, |secret| {
            remove_tags(secret, "Tags", &call.input.texts("TagKeys"), &TAGS);
            Ok(())
        }),
        "ListSecretVersionIds" => list_versions(call, world),
        "RotateSecret" => rotate(call, world),
        "GetResourcePolicy" => {
            let (_, secret) = find(call, world)?;
            Ok(json!({ "ARN": secret.str("ARN"), "Name": secret.str("Name") }))
        }
        other => Err(lacking(&format!("secretsmanager:{other}"))),
    }
}

fn absent() -> ServiceError {
    ServiceError::new(
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret.",
    )
}

fn refused(message: &str) -> ServiceError {
    ServiceError::new("InvalidRequestException", message)
}

/// A secret by name, by ARN, or by ARN without its random end. One whose days are over is gone.
fn find<'a>(call: &Call, world: &'a World<'_>) -> Result<(String, &'a Value), ServiceError> {
    let id = call.input.text("SecretId").ok_or_else(absent)?;
    let key = match id.split_once(":secret:") {
        Some((_, rest)) if world.store.has(Table::Secret, rest) => rest,
        Some((_, rest)) => rest.rsplit_once('-').map_or(rest, |(name, _)| name),
        None => id,
    };
    let secret = world
        .store
        .get(Table::Secret, key)
        .filter(|secret| !over(secret, world.now));
    let fits = |secret: &&Value| !id.starts_with("arn:") || secret.str("ARN").starts_with(id);
    Ok((key.to_owned(), secret.filter(fits).ok_or_else(absent)?))
}

/// Whether the recovery window of a deleted secret has passed.
fn over(secret: &Value, now: f64) -> bool {
    secret
        .get("_gone_at")
        .and_then(Value::as_f64)
        .is_some_and(|at| at <= now)
}

fn scheduled(secret: &Value) -> bool {
    secret.get("DeletedDate").is_some()
}

/// Changes the secret that the request names. One that is scheduled for deletion takes only tags.
fn change(
    call: &Call,
    world: &mut World<'_>,
    value: bool,
    change: impl FnOnce(&mut Value) -> Result<(), ServiceError>,
) -> Answer {
    let (key, secret) = find(call, world)?;
    if value && scheduled(secret) {
        return Err(refused(
            "You can't perform this operation on the secret because it was marked for deletion.",
        ));
    }
    let mut changed = secret.clone();
    change(&mut changed)?;
    let answer = json!({ "ARN": changed.str("ARN"), "Name": changed.str("Name") });
    world.store.put(Table::Secret, &key, changed);
    Ok(answer)
}

fn create(call: &Call, world: &mut World<'_>) -> Answer {
    let name = call.input.str("Name");
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
    if name.is_empty() || name.len() > 512 || !name.chars().all(allowed) {
        return Err(ServiceError::new(
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        ));
    }
    let token = call.input.text("ClientRequestToken").map(str::to_owned);
    match world
        .store
        .get(Table::Secret, name)
        .filter(|secret| !over(secret, world.now))
    {
        Some(secret) if scheduled(secret) => {
            return Err(refused(
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
            ));
        }
        Some(secret) if !same_request(secret, token.as_deref(), call) => {
            let message = format!("The operation failed because the secret {name} already exists.");
            return Err(ServiceError::new("ResourceExistsException", message));
        }
        // The same request once more: what it made is answered again.
        Some(secret) => {
            return Ok(json!({ "ARN": secret.str("ARN"), "Name": name, "VersionId": token }));
        }
        None => {}
    }
    let end = world.letters(
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        6,
    );
    let mut secret = json!({
        "ARN": world.arn("secretsmanager", &format!("secret:{name}-{end}")),
        "Name": name,
        "CreatedDate": world.epoch(),
        "LastChangedDate": world.epoch(),
        "Tags": [],
        "_values": {},
        "VersionIdsToStages": {},
    });
    for field in ["Description", "KmsKeyId"] {
        if let Some(text) = call.input.text(field) {
            set(&mut secret, field, text);
        }
    }
    add_tags(&mut secret, "Tags", call.input.list("Tags"), &TAGS)?;
    let mut answer = json!({ "ARN": secret.str("ARN"), "Name": name });
    if let Some(value) = value_of(call) {
        let version = token.unwrap_or_else(|| world.uuid());
        add_version(&mut secret, &version, value, world);
        set(&mut answer, "VersionId", version);
    }
    world.store.put(Table::Secret, name, secret);
    Ok(answer)
}

/// The value that a request carries.
fn value_of(call: &Call) -> Option<Value> {
    let field = |name: &str| call.input.member(name).map(|value| json!({ name: value }));
    field("SecretString").or_else(|| field("SecretBinary"))
}

/// Whether the request with this token was carried out already.
fn same_request(secret: &Value, token: Option<&str>, call: &Call) -> bool {
    let stored = token.and_then(|token| secret.get("_values")?.get(token));
    stored.is_some() && stored == value_of(call).as_ref()
}

/// Makes a value the current one; the one before it becomes the previous one.
fn add_version(secret: &mut Value, version: &str, value: Value, world: &World<'_>) {
    let stages = secret
        .get("VersionIdsToStages")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let holder = |stage: &str| {
        let holds = |stages: &Value| {
            stages
                .as_array()
                .is_some_and(|stages| stages.iter().any(|other| other == stage))
        };
        stages
            .iter()
            .find(|(_, stages)| holds(stages))
            .map(|(id, _)| id.clone())
    };
    let mut next = Map::new();
    if let Some(current) = holder("AWSCURRENT") {
        next.insert(current, json!(["AWSPREVIOUS"]));
    }
    next.insert(version.to_owned(), json!(["AWSCURRENT"]));
    let mut values = secret
        .get("_values")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    values.retain(|id, _| next.contains_key(id));
    values.insert(version.to_owned(), value);
    set(secret, "_values", values);
    set(secret, "VersionIdsToStages", next);
    set(secret, "LastChangedDate", world.epoch());
}

/// The version that a request asks for: by id, by stage, or the current one.
fn version(call: &Call, secret: &Value) -> Option<String> {
    let stages = secret.get("VersionIdsToStages")?.as_object()?;
    let stage = call.input.text("VersionStage").unwrap_or("AWSCURRENT");
    if let Some(id) = call.input.text("VersionId") {
        return stages.contains_key(id).then(|| id.to_owned());
    }
    let holds = |stages: &Value| {
        stages
            .as_array()
            .is_some_and(|stages| stages.iter().any(|other| other == stage))
    };
    stages
        .iter()
        .find(|(_, stages)| holds(stages))
        .map(|(id, _)| id.clone())
}

fn get_value(call: &Call, world: &World<'_>) -> Answer {
    let (_, secret) = find(call, world)?;
    if scheduled(secret) {
        return Err(refused(
            "You can't perform this operation on the secret because it was marked for deletion.",
        ));
    }
    let missing = || {
        let stage = call.input.text("VersionStage").unwrap_or("AWSCURRENT");
        let message = format!(
            "Secrets Manager can't find the specified secret value for staging label: {stage}"
        );
        ServiceError::new("ResourceNotFoundException", message)
    };
    let id = version(call, secret).ok_or_else(missing)?;
    let value = secret
        .get("_values")
        .and_then(|values| values.get(&id))
        .ok_or_else(missing)?;
    let mut answer = json!({
        "ARN": secret.str("ARN"),
        "Name": secret.str("Name"),
        "VersionId": id,
        "VersionStages": secret.get("VersionIdsToStages").and_then(|stages| stages.get(&id)),
        "CreatedDate": secret.get("LastChangedDate"),
    });
    for field in ["SecretString", "SecretBinary"] {
        if let Some(value) = value.get(field) {
            set(&mut answer, field, value.clone());
        }
    }
    Ok(answer)
}

fn put_value(call: &Call, world: &mut World<'_>) -> Answer {
    let Some(value) = value_of(call) else {
        return Err(ServiceError::new(
            "InvalidParameterException",
            "You must provide either SecretString or SecretBinary.",
        ));
    };
    let (_, secret) = find(call, world)?;
    let token = call.input.text("ClientRequestToken").map(str::to_owned);
    let stored = token
        .as_ref()
        .and_then(|token| secret.get("_values")?.get(token))
        .cloned();
    if stored.as_ref().is_some_and(|stored| *stored != value) {
        let message = "You can't use ClientRequestToken because that value is already in use for a different version.";
        return Err(ServiceError::new("ResourceExistsException", message));
    }
    let id = token.unwrap_or_else(|| world.uuid());
    let shown = World {
        store: &mut *world.store,
        ..*world
    };
    let mut changed = find(call, &shown)?.1.clone();
    if stored.is_none() {
        add_version(&mut changed, &id, value, &shown);
    }
    let mut answer = change(call, world, true, |secret| {
        *secret = changed;
        Ok(())
    })?;
    set(&mut answer, "VersionId", id);
    set(&mut answer, "VersionStages", json!(["AWSCURRENT"]));
    Ok(answer)
}

fn update(call: &Call, world: &mut World<'_>) -> Answer {
    let mut answer = change(call, world, true, |secret| {
        for field in ["Description", "KmsKeyId"] {
            match call.input.member(field).and_then(Value::as_str) {
                Some("") => unset(secret, field),
                Some(text) => set(secret, field, text),
                None => {}
            }
        }
        Ok(())
    })?;
    if value_of(call).is_some() {
        let put = put_value(call, world)?;
        set(&mut answer, "VersionId", put.get("VersionId").cloned());
    }
    Ok(answer)
}

/// A secret as it is described; its values are told by `GetSecretValue` only.
fn show(secret: &Value, versions: &'static str) -> Value {
    let mut shown = without(secret, &["VersionIdsToStages"]);
    let stages = secret
        .get("VersionIdsToStages")
        .cloned()
        .filter(|stages| stages.as_object().is_some_and(|map| !map.is_empty()));
    if let Some(stages) = stages {
        set(&mut shown, versions, stages);
    }
    shown
}

fn describe(call: &Call, world: &World<'_>) -> Answer {
    let (_, secret) = find(call, world)?;
    Ok(show(secret, "VersionIdsToStages"))
}

fn list(call: &Call, world: &World<'_>) -> Answer {
    let all = call.input.flag("IncludePlannedDeletion").unwrap_or(false);
    let filters = call.input.list("Filters");
    let rows = world.store.rows(Table::Secret).filter(|(_, secret)| {
        !over(secret, world.now)
            && (all || !scheduled(secret))
            && filters.iter().all(|filter| passes(filter, secret))
    });
    let rows = rows.map(|(key, secret)| (key.to_owned(), show(secret, "SecretVersionsToStages")));
    let size = call.input.page_size("MaxResults", 100, 100);
    let invalid = |_| {
        ServiceError::new(
            "InvalidNextTokenException",
            "The NextToken value is invalid.",
        )
    };
    let (secrets, next) = world
        .page(rows, call.input.text("NextToken"), size)
        .map_err(invalid)?;
    let mut answer = json!({ "SecretList": secrets });
    if let Some(next) = next {
        set(&mut answer, "NextToken", next);
    }
    Ok(answer)
}

/// A filter passes where one of its values begins the text that it looks at; `!` turns it round.
fn passes(filter: &Value, secret: &Value) -> bool {
    let texts: Vec<&str> = match filter.str("Key") {
        "name" => vec![secret.str("Name")],
        "description" => vec![secret.str("Description")],
        "tag-key" => secret
            .list("Tags")
            .iter()
            .map(|tag| tag.str("Key"))
            .collect(),
        "tag-value" => secret
            .list("Tags")
            .iter()
            .map(|tag| tag.str("Value"))
            .collect(),
        _ => return true,
    };
    filter
        .texts("Values")
        .iter()
        .any(|value| match value.strip_prefix('!') {
            Some(value) => !texts.iter().any(|text| text.starts_with(value)),
            None => texts.iter().any(|text| text.starts_with(value)),
        })
}

fn delete(call: &Call, world: &mut World<'_>) -> Answer {
    let (key, secret) = find(call, world)?;
    let force = call
        .input
        .flag("ForceDeleteWithoutRecovery")
        .unwrap_or(false);
    let days = call.input.number("RecoveryWindowInDays");
    if force && days.is_some() {
        return Err(ServiceError::new(
            "InvalidParameterException",
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        ));
    }
    let days = days.unwrap_or(30);
    if !(7..=30).contains(&days) {
        return Err(ServiceError::new(
            "InvalidParameterException",
            "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
        ));
    }
    if !force && scheduled(secret) {
        return Err(refused(
            "You tried to perform the operation on a secret that's currently marked deleted.",
        ));
    }
    let window = if force {
        0.0
    } else {
        u32::try_from(days).map_or(30.0, f64::from) * 86_400.0
    };
    let end = world.now + window;
    let mut answer =
        json!({ "ARN": secret.str("ARN"), "Name": secret.str("Name"), "DeletionDate": end });
    if force {
        world.store.remove(Table::Secret, &key);
        return Ok(answer);
    }
    let now = world.epoch();
    world.store.update(Table::Secret, &key, |secret| {
        set(secret, "DeletedDate", now);
        set(secret, "_gone_at", end);
    });
    set(&mut answer, "DeletionDate", end);
    Ok(answer)
}

fn restore(call: &Call, world: &mut World<'_>) -> Answer {
    change(call, world, false, |secret| {
        unset(secret, "DeletedDate");
        unset(secret, "_gone_at");
        Ok(())
    })
}

fn list_versions(call: &Call, world: &World<'_>) -> Answer {
    let (_, secret) = find(call, world)?;
    let stages = secret.get("VersionIdsToStages").and_then(Value::as_object);
    let versions: Vec<Value> = stages
        .into_iter()
        .flatten()
        .map(|(id, stages)| json!({ "VersionId": id, "VersionStages": stages, "CreatedDate": secret.get("LastChangedDate") }))
        .collect();
    Ok(json!({ "ARN": secret.str("ARN"), "Name": secret.str("Name"), "Versions": versions }))
}

/// Rotation needs a function that makes the new value; no account here has one.
fn rotate(call: &Call, world: &World<'_>) -> Answer {
    find(call, world)?;
    match call.input.text("RotationLambdaARN") {
        Some(_) => Err(ServiceError::new(
            "InvalidRequestException",
            "The sandbox has no function that rotates secrets.",
        )),
        None => Err(refused(
            "No Lambda rotation function ARN is associated with this secret.",
        )),
    }
}

//! Systems Manager's parameters: as much of them as locks and container secrets need.

use serde_json::{Value, json};

use super::error::{Answer, ServiceError};
use super::protocol::{Call, lacking};
use super::store::Table;
use super::world::{Members as _, TagStyle, World, add_tags, remove_tags, set, without};

const TAGS: TagStyle = TagStyle {
    key: "Key",
    value: "Value",
    most: 50,
    invalid: "ValidationException",
    too_many: "TooManyTagsError",
};

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Answer {
    match call.operation.as_str() {
        "PutParameter" => put(call, world),
        "GetParameter" => get(call, world),
        "GetParameters" => Ok(get_many(call, world)),
        "DescribeParameters" => describe(call, world),
        "DeleteParameter" => delete(call, world),
        "AddTagsToResource" => change(call, world, |parameter| {
            add_tags(parameter, "_tags", call.input.list("Tags"), &TAGS)
        }),
        "RemoveTagsFromResource" => change(call, world, |parameter| {
            remove_tags(parameter, "_tags", &call.input.texts("TagKeys"), &TAGS);
            Ok(())
        }),
        "ListTagsForResource" => {
            let (_, parameter) = find(call.input.str("ResourceId"), world)?;
            Ok(json!({ "TagList": parameter.list("_tags") }))
        }
        other => Err(lacking(&format!("ssm:{other}"))),
    }
}

/// A parameter by name, by ARN, or as `NAME:VERSION`.
fn find<'a>(name: &str, world: &'a World<'_>) -> Result<(String, &'a Value), ServiceError> {
    let plain = name.split_once(":parameter").map_or(name, |(_, rest)| rest);
    let plain = plain.split(':').next().unwrap_or(plain);
    let bare = plain.strip_prefix('/').unwrap_or(plain);
    let found = [plain, bare]
        .into_iter()
        .find_map(|key| Some((key.to_owned(), world.store.get(Table::Parameter, key)?)));
    found.ok_or_else(|| {
        ServiceError::new("ParameterNotFound", format!("Parameter {plain} not found."))
    })
}

fn change(
    call: &Call,
    world: &mut World<'_>,
    change: impl FnOnce(&mut Value) -> Result<(), ServiceError>,
) -> Answer {
    let (key, parameter) = find(call.input.str("ResourceId"), world)?;
    let mut changed = parameter.clone();
    change(&mut changed)?;
    world.store.put(Table::Parameter, &key, changed);
    Ok(json!({}))
}

fn put(call: &Call, world: &mut World<'_>) -> Answer {
    let (name, value) = (call.input.str("Name"), call.input.str("Value"));
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    let reserved = ["aws", "ssm"].iter().any(|word| {
        name.trim_start_matches('/')
            .to_lowercase()
            .starts_with(word)
    });
    if name.is_empty()
        || value.is_empty()
        || name.len() > 1011
        || !name.chars().all(allowed)
        || reserved
    {
        return Err(ServiceError::new(
            "ValidationException",
            "The parameter's name or value is not valid.",
        ));
    }
    if value.len() > 4096 {
        return Err(ServiceError::new(
            "ValidationException",
            "Standard tier parameters support a maximum parameter value of 4096 characters.",
        ));
    }
    let before = world.store.get(Table::Parameter, name).cloned();
    let overwrite = call.input.flag("Overwrite").unwrap_or(false);
    if before.is_some() && !overwrite {
        let message = "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.";
        return Err(ServiceError::new("ParameterAlreadyExists", message));
    }
    if before.is_some() && !call.input.list("Tags").is_empty() {
        let message = "Invalid request: tags and overwrite can't be used together.";
        return Err(ServiceError::new("ValidationException", message));
    }
    let version = before
        .as_ref()
        .and_then(|before| before.number("Version"))
        .unwrap_or(0)
        + 1;
    let mut parameter = before.unwrap_or_else(|| json!({ "Name": name }));
    let kind = call
        .input
        .text("Type")
        .or_else(|| parameter.text("Type"))
        .unwrap_or("String")
        .to_owned();
    let slash = if name.starts_with('/') { "" } else { "/" };
    set(&mut parameter, "Type", kind);
    set(&mut parameter, "Value", value);
    set(&mut parameter, "Version", version);
    set(&mut parameter, "LastModifiedDate", world.epoch());
    set(
        &mut parameter,
        "ARN",
        world.arn("ssm", &format!("parameter{slash}{name}")),
    );
    set(
        &mut parameter,
        "DataType",
        call.input.text("DataType").unwrap_or("text"),
    );
    if let Some(description) = call.input.text("Description") {
        set(&mut parameter, "_description", description);
    }
    add_tags(&mut parameter, "_tags", call.input.list("Tags"), &TAGS)?;
    world.store.put(Table::Parameter, name, parameter);
    Ok(json!({ "Version": version, "Tier": "Standard" }))
}

fn get(call: &Call, world: &World<'_>) -> Answer {
    let name = call.input.str("Name");
    let (_, parameter) = find(name, world)?;
    if let Some(version) = name
        .rsplit(':')
        .next()
        .and_then(|text| text.parse::<i64>().ok())
        && parameter.number("Version") != Some(version)
    {
        let message = format!("Systems Manager could not find version {version} of the parameter.");
        return Err(ServiceError::new("ParameterVersionNotFound", message));
    }
    Ok(json!({ "Parameter": show(parameter, call) }))
}

/// A `SecureString` is shown in the clear only where that is asked for.
fn show(parameter: &Value, call: &Call) -> Value {
    let mut parameter = without(parameter, &[]);
    let secure = parameter.str("Type") == "SecureString";
    if secure && call.input.flag("WithDecryption") != Some(true) {
        set(&mut parameter, "Value", "AQICAHencrypted");
    }
    parameter
}

fn get_many(call: &Call, world: &World<'_>) -> Value {
    let (mut found, mut invalid) = (Vec::new(), Vec::new());
    for name in call.input.texts("Names") {
        match find(name, world) {
            Ok((_, parameter)) => found.push(show(parameter, call)),
            Err(_) => invalid.push(name),
        }
    }
    json!({ "Parameters": found, "InvalidParameters": invalid })
}

fn describe(call: &Call, world: &World<'_>) -> Answer {
    let rows = world.store.rows(Table::Parameter);
    let rows = rows.map(|(key, parameter)| (key.to_owned(), without(parameter, &["Value"])));
    let size = call.input.page_size("MaxResults", 50, 50);
    let token = call.input.text("NextToken");
    let invalid = |_| ServiceError::new("InvalidNextToken", "The specified token isn't valid.");
    let (parameters, next) = world.page(rows, token, size).map_err(invalid)?;
    let mut answer = json!({ "Parameters": parameters });
    if let Some(next) = next {
        set(&mut answer, "NextToken", next);
    }
    Ok(answer)
}

fn delete(call: &Call, world: &mut World<'_>) -> Answer {
    let (key, _) = find(call.input.str("Name"), world)?;
    world.store.remove(Table::Parameter, &key);
    Ok(json!({}))
}

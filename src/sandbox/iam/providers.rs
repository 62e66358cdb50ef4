//! OpenID Connect providers: one per URL.

use serde_json::{Value, json};

use super::super::error::{Answer, ServiceError};
use super::super::protocol::Call;
use super::super::store::Table;
use super::super::world::{Members as _, World, set};
use super::{exists, limit_exceeded, list_tags, no_such_entity, nothing, required, tag, untag};

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "CreateOpenIDConnectProvider" => create(call, world),
        "GetOpenIDConnectProvider" => find(call, world).map(show),
        "ListOpenIDConnectProviders" => Ok(list(world)),
        "AddClientIDToOpenIDConnectProvider" => add_client(call, world),
        "RemoveClientIDFromOpenIDConnectProvider" => remove_client(call, world),
        "UpdateOpenIDConnectProviderThumbprint" => update_thumbprints(call, world),
        "DeleteOpenIDConnectProvider" => delete(call, world),
        "TagOpenIDConnectProvider" => change(call, world, |provider| tag(provider, call)),
        "UntagOpenIDConnectProvider" => change(call, world, |provider| {
            untag(provider, call);
            Ok(())
        }),
        "ListOpenIDConnectProviderTags" => {
            find(call, world).and_then(|provider| list_tags(call, world, provider))
        }
        _ => return None,
    })
}

/// The key of the provider that the request names: its URL without the scheme.
fn key<'a>(call: &'a Call, world: &World<'_>) -> Result<&'a str, ServiceError> {
    let arn = required(call, "OpenIDConnectProviderArn")?;
    let prefix = world.global_arn("iam", "oidc-provider/");
    arn.strip_prefix(&prefix)
        .ok_or_else(|| ServiceError::new("ValidationError", format!("Invalid ARN: {arn}")))
}

fn find<'a>(call: &Call, world: &'a World<'_>) -> Result<&'a Value, ServiceError> {
    let url = key(call, world)?;
    world.store.get(Table::OidcProvider, url).ok_or_else(|| {
        let arn = call.input.str("OpenIDConnectProviderArn");
        no_such_entity(format!("OpenIDConnect Provider not found for arn {arn}"))
    })
}

fn change(
    call: &Call,
    world: &mut World<'_>,
    change: impl FnOnce(&mut Value) -> Result<(), ServiceError>,
) -> Answer {
    let before = find(call, world)?;
    let mut provider = before.clone();
    change(&mut provider)?;
    if provider != *before {
        let key = key(call, world)?;
        world.store.put(Table::OidcProvider, key, provider);
    }
    Ok(nothing())
}

fn show(provider: &Value) -> Value {
    let mut shown = super::super::world::shown(provider);
    super::super::world::unset(&mut shown, "Arn");
    shown
}

fn list(world: &World<'_>) -> Value {
    let arns = world.store.rows(Table::OidcProvider);
    let arns: Vec<Value> = arns
        .map(|(_, provider)| json!({ "Arn": provider.str("Arn") }))
        .collect();
    json!({ "OpenIDConnectProviderList": arns })
}

fn check_client(client: &str) -> Result<(), ServiceError> {
    if (1..=255).contains(&client.chars().count()) {
        return Ok(());
    }
    Err(ServiceError::new(
        "ValidationError",
        "A client ID has between 1 and 255 characters.",
    ))
}

fn check_thumbprints(thumbprints: &[&str]) -> Result<(), ServiceError> {
    if thumbprints.len() > 5 {
        return Err(ServiceError::new(
            "InvalidInput",
            "Thumbprint list must contain fewer than 5 entries.",
        ));
    }
    let valid = |text: &&str| text.len() == 40 && text.chars().all(|c| c.is_ascii_hexdigit());
    if thumbprints.iter().all(valid) {
        return Ok(());
    }
    Err(ServiceError::new(
        "ValidationError",
        "A thumbprint has 40 hexadecimal digits.",
    ))
}

fn create(call: &Call, world: &mut World<'_>) -> Answer {
    let url = required(call, "Url")?;
    let Some(host) = url.strip_prefix("https://") else {
        return Err(ServiceError::new(
            "ValidationError",
            "Invalid Open ID Connect Provider URL",
        ));
    };
    let host = host.trim_end_matches('/');
    let clients = call.input.texts("ClientIDList");
    clients.iter().try_for_each(|client| check_client(client))?;
    let mut thumbprints: Vec<Value> = call.input.list("ThumbprintList").to_vec();
    check_thumbprints(&call.input.texts("ThumbprintList"))?;
    if world.store.has(Table::OidcProvider, host) {
        return Err(exists(format!("Provider with url {url} already exists.")));
    }
    if thumbprints.is_empty() {
        // IAM fetches the certificate of the issuer and takes its thumbprint.
        thumbprints.push(super::super::random::letters(1, b"0123456789abcdef", 40).into());
    }
    let arn = world.global_arn("iam", &format!("oidc-provider/{host}"));
    let mut provider = json!({
        "Url": host,
        "ClientIDList": clients,
        "ThumbprintList": thumbprints,
        "CreateDate": world.iso(),
        "Arn": arn,
        "Tags": [],
    });
    tag(&mut provider, call)?;
    let tags = provider.list("Tags").to_vec();
    world.store.put(Table::OidcProvider, host, provider);
    Ok(json!({ "OpenIDConnectProviderArn": arn, "Tags": tags }))
}

fn add_client(call: &Call, world: &mut World<'_>) -> Answer {
    let client = required(call, "ClientID")?;
    check_client(client)?;
    change(call, world, |provider| {
        let mut clients = provider.list("ClientIDList").to_vec();
        if !clients.iter().any(|other| other == client) {
            clients.push(client.into());
        }
        if clients.len() > 100 {
            return Err(limit_exceeded(
                "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100".to_owned(),
            ));
        }
        set(provider, "ClientIDList", clients);
        Ok(())
    })
}

fn remove_client(call: &Call, world: &mut World<'_>) -> Answer {
    let client = required(call, "ClientID")?;
    // To remove one that is not there is no error.
    change(call, world, |provider| {
        let mut clients = provider.list("ClientIDList").to_vec();
        clients.retain(|other| other != client);
        set(provider, "ClientIDList", clients);
        Ok(())
    })
}

fn update_thumbprints(call: &Call, world: &mut World<'_>) -> Answer {
    check_thumbprints(&call.input.texts("ThumbprintList"))?;
    change(call, world, |provider| {
        set(
            provider,
            "ThumbprintList",
            call.input.list("ThumbprintList").to_vec(),
        );
        Ok(())
    })
}

fn delete(call: &Call, world: &mut World<'_>) -> Answer {
    // To delete one that is not there is NoSuchEntity in the model; AWS itself answers so.
    find(call, world)?;
    let key = key(call, world)?;
    world.store.remove(Table::OidcProvider, key);
    Ok(nothing())
}

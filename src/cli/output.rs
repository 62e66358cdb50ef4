//! `provision output`: one value, for scripts.

use clap::Args;
use serde_json::Value;

use super::session::Session;
use super::walk::unknown_address;
use crate::aws::{Aws, secrets};
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::kind::{Address, Scope, Snapshot};
use crate::kinds::KINDS;
use crate::redact;

/// Print one value, such as `role/GitHubActions-ECR-Push.arn`, for scripts.
///
/// `arn`, `name` and the `url` of a repository follow from infra.toml and ask nothing of AWS, but for
/// the `arn` of a secret. Every other field is read from the account.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The resource and its field.
    #[arg(value_name = "ADDRESS.FIELD")]
    output: String,
}

/// Prints the value.
pub(super) async fn run(arguments: &Arguments, session: &Session<'_>) -> Result<u8> {
    let config = &session.config;
    let declared = Snapshot::declare(KINDS, &Scope::everything(config.clone()));
    let (address, field) = split(&arguments.output, &declared)?;
    let value = match from_config(config, &address, field) {
        Some(value) => value,
        None => live_value(session, &address, field).await?,
    };
    session.screen.result(&format!("{value}\n"))?;
    Ok(0)
}

/// The declared address that the text begins with, and the field behind it. Names hold dots too, so
/// the longest address wins.
fn split<'a>(text: &'a str, declared: &Snapshot) -> Result<(Address, &'a str)> {
    let found = declared
        .addresses()
        .filter_map(|address| {
            let field = text.strip_prefix(&address.to_string())?.strip_prefix('.')?;
            (!field.is_empty()).then_some((address.clone(), field))
        })
        .min_by_key(|(_, field)| field.len());
    if let Some(found) = found {
        return Ok(found);
    }
    let Some((address, _)) = text
        .rsplit_once('.')
        .filter(|(address, _)| address.contains('/'))
    else {
        return Err(
            Error::new(ErrorKind::Usage, format!("{text} is not ADDRESS.FIELD."))
                .hint("Such as `role/GitHubActions-ECR-Push.arn`."),
        );
    };
    Err(match Address::parse(address) {
        Some(address) => unknown_address(&address, declared),
        None => Error::new(ErrorKind::Usage, format!("{address} is not an address.")),
    })
}

/// What follows from infra.toml alone.
fn from_config(config: &Config, address: &Address, field: &str) -> Option<String> {
    let (kind, name) = (address.kind.as_str(), address.name.as_str());
    match (kind, field) {
        ("secret", "arn") => None,
        (_, "arn") => config.arn(kind, name),
        ("service", "name") => config
            .services
            .get(name)
            .map(|service| service.name.clone()),
        (_, "name") => Some(name.to_owned()),
        ("repository", "url") => Some(config.repository_url(name)),
        ("oidc_provider", "url") => Some(format!("https://{name}")),
        _ => None,
    }
}

/// A field of the resource as it is.
async fn live_value(session: &Session<'_>, address: &Address, field: &str) -> Result<String> {
    let aws = session.connect().await?;
    if address.kind == "secret" && field == "arn" {
        return secret_arn(&aws, address).await;
    }
    let scope = Scope::everything(session.config.clone()).about([address.clone()].into());
    let live = Snapshot::observe(KINDS, &aws, &scope).await?;
    let Some(spec) = live.get(address) else {
        return Err(missing(address));
    };
    let spec = redact::hide("", &spec.json());
    let value = field
        .split('.')
        .try_fold(&spec, |value, key| value.get(key));
    match value {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(value) => Ok(value.to_string()),
        None => Err(no_field(address, field, &spec)),
    }
}

/// A secret's ARN has a random end, so that it is looked up.
async fn secret_arn(aws: &Aws, address: &Address) -> Result<String> {
    let secret = secrets::secret(aws, &address.name).await?;
    match &*secret {
        Some(secret) if !secret.scheduled_for_deletion => Ok(secret.arn.clone()),
        _ => Err(missing(address)),
    }
}

fn missing(address: &Address) -> Error {
    Error::failed("It is declared, but not there.")
        .at(address)
        .hint("`provision apply` makes it.")
}

fn no_field(address: &Address, field: &str, spec: &Value) -> Error {
    let mut fields: Vec<&str> = vec!["arn", "name"];
    fields.extend(
        spec.as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key.as_str()),
    );
    Error::new(ErrorKind::Usage, format!("It has no field {field}."))
        .at(address)
        .hint(format!("It has {}.", fields.join(", ")))
}

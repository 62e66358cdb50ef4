//! What things are called here and in the API: roles and secrets by name where infra.toml declares
//! them, by ARN otherwise; images of declared repositories by repository.

use std::collections::BTreeMap;

use serde_json::Value;

use super::spec::Image;
use crate::config::{Config, Image as DeclaredImage, SecretReference};
use crate::error::{Error, Result};

/// The random end of a secret's ARN: a hyphen and six letters or digits.
const RANDOM_END: usize = 7;

/// The ARNs of the secrets that were read, by name; none where there is no such secret.
pub(super) type Secrets = BTreeMap<String, Option<String>>;

/// Names and ARNs of what infra.toml declares.
pub(super) struct Names<'a> {
    pub(super) config: &'a Config,
    secrets: Secrets,
    /// The names of the declared roles by ARN.
    roles: BTreeMap<String, &'a str>,
}

impl<'a> Names<'a> {
    pub(super) fn new(config: &'a Config, secrets: Secrets) -> Self {
        let roles = config
            .roles
            .keys()
            .filter_map(|name| Some((config.arn("role", name)?, name.as_str())))
            .collect();
        Self {
            config,
            secrets,
            roles,
        }
    }

    /// The name of a declared role, else its ARN.
    pub(super) fn role_text(&self, arn: &str) -> String {
        self.roles
            .get(arn)
            .map_or_else(|| arn.to_owned(), |name| (*name).to_owned())
    }

    /// The ARN of a role given by name or ARN.
    pub(super) fn role_arn(&self, text: &str) -> String {
        if text.starts_with("arn:") {
            return text.to_owned();
        }
        let project = &self.config.project;
        self.config
            .arn("role", text)
            .unwrap_or_else(|| project.iam_arn(&format!("role/{text}")))
    }

    /// How a spec names what a `valueFrom` names: `NAME` and what follows the ARN, for a declared
    /// secret; `ssm:NAME` for a parameter's name; otherwise the ARN itself.
    pub(super) fn secret_text(&self, value_from: &str) -> String {
        if !value_from.starts_with("arn:") {
            return format!("ssm:{value_from}");
        }
        let prefix = self
            .config
            .project
            .regional_arn("secretsmanager", "secret:");
        let Some(rest) = value_from.strip_prefix(&prefix) else {
            return value_from.to_owned();
        };
        let (full_name, suffix) = rest.split_at(rest.find(':').unwrap_or(rest.len()));
        match self.declared_secret(&format!("{prefix}{full_name}"), full_name) {
            Some(name) => format!("{name}{suffix}"),
            None => value_from.to_owned(),
        }
    }

    /// The declared secret of this ARN: the live one's where it was read, else by the form of names.
    fn declared_secret(&self, arn: &str, full_name: &str) -> Option<&str> {
        let end = full_name.len().checked_sub(RANDOM_END)?;
        let (name, random) = (full_name.get(..end)?, full_name.get(end..)?);
        let (name, _) = self.config.secrets.get_key_value(name)?;
        let is_random = random
            .strip_prefix('-')
            .is_some_and(|letters| letters.chars().all(|letter| letter.is_ascii_alphanumeric()));
        match self.secrets.get(name) {
            Some(live) => (live.as_deref() == Some(arn)).then_some(name.as_str()),
            None => is_random.then_some(name.as_str()),
        }
    }

    /// The `valueFrom` of what a spec names.
    pub(super) fn value_from(&self, text: &str) -> Result<String> {
        if text.starts_with("arn:") {
            return Ok(text.to_owned());
        }
        if let Some(parameter) = text.strip_prefix("ssm:") {
            return Ok(parameter.to_owned());
        }
        let (name, suffix) = split_secret(text);
        let arn = self.secrets.get(name).and_then(Option::as_ref);
        let arn = arn.ok_or_else(|| {
            Error::failed(format!("The secret {name} is not there."))
                .hint(format!("Run provision apply secret/{name}."))
        })?;
        Ok(format!("{arn}{suffix}"))
    }

    /// The image of a container: of a declared repository, unless infra.toml writes this container's
    /// image as a text.
    pub(super) fn image(&self, text: &str, declared: Option<&DeclaredImage>) -> Image {
        if let Some(DeclaredImage::Fixed(_)) = declared {
            return Image::Fixed(text.to_owned());
        }
        match self.repository_of(text) {
            Some(repository) => Image::Managed {
                repository: repository.to_owned(),
            },
            None => Image::Fixed(text.to_owned()),
        }
    }

    /// The declared repository that an image is of.
    pub(super) fn repository_of(&self, image: &str) -> Option<&str> {
        let path = image
            .strip_prefix(&self.config.registry())?
            .strip_prefix('/')?;
        let (path, _) = path.split_once('@').unwrap_or((path, ""));
        let (name, _) = path.split_once(':').unwrap_or((path, ""));
        let (name, _) = self.config.repositories.get_key_value(name)?;
        Some(name)
    }
}

/// A declared secret's name, and what follows it with its first colon. Names of secrets hold none.
pub(super) fn split_secret(text: &str) -> (&str, &str) {
    text.split_at(text.find(':').unwrap_or(text.len()))
}

/// How a spec names a secret of infra.toml.
pub(super) fn secret_text(reference: &SecretReference) -> String {
    match reference {
        SecretReference::Declared { name, suffix } => format!("{name}{suffix}"),
        SecretReference::Arn(arn) => arn.clone(),
        SecretReference::Parameter(name) => format!("ssm:{name}"),
    }
}

/// The same of a reference that was serialized with the table it stands in.
pub(super) fn secret_text_of_config(value: &Value) -> Value {
    let text = |field: &str| value.get(field).and_then(Value::as_str);
    if let Some(declared) = value.get("Declared") {
        let part = |field: &str| declared.get(field).and_then(Value::as_str);
        let name = part("name").unwrap_or_default();
        return format!("{name}{}", part("suffix").unwrap_or_default()).into();
    }
    match (text("Arn"), text("Parameter")) {
        (Some(arn), _) => arn.into(),
        (None, Some(name)) => format!("ssm:{name}").into(),
        (None, None) => Value::Null,
    }
}

//! A request to decide: who, which action, on which resource, in which context.
//! It is what `evaluate` decides and what a witness is.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::context::Context;
use super::shape::{self, Misshapen};
use super::statement::{Principal, is_account_id, root_account};

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Request {
    /// Who asks.
    pub principal: RequestPrincipal,
    /// `service:Name`; letter case does not count.
    pub action: String,
    /// An ARN, or `*` for an action that takes no resource.
    pub resource: String,
    /// Its condition keys.
    pub context: Context,
}

impl Request {
    /// Whether the action and the resource have the shapes that those of a request have.
    pub fn check(&self) -> Result<(), Misshapen> {
        shape::action(&self.action)?;
        shape::resource(&self.resource)
    }
}

/// Who asks, by kind ("AWS JSON policy elements: Principal").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestPrincipal {
    /// Nobody known: an unsigned request.
    Anonymous,
    /// An ARN of a role, user, session or root, an account id, or a unique id.
    Aws(String),
    /// A SAML or OIDC provider's ARN, or a web identity provider's host.
    Federated(String),
    /// A service's host.
    Service(String),
    /// An S3 canonical user id.
    CanonicalUser(String),
}

/// Hosts that are identity providers although they look like anything else ("Principal: OIDC federated principals").
const PROVIDER_HOSTS: &[&str] = &[
    "cognito-identity.amazonaws.com",
    "www.amazon.com",
    "graph.facebook.com",
    "accounts.google.com",
];

impl RequestPrincipal {
    /// Reads a principal by its shape.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let owned = text.to_owned();
        if matches!(text, "" | "*" | "anonymous") {
            return Self::Anonymous;
        }
        if text.starts_with("arn:") {
            let provider = text.contains(":oidc-provider/") || text.contains(":saml-provider/");
            return if provider {
                Self::Federated(owned)
            } else {
                Self::Aws(owned)
            };
        }
        if PROVIDER_HOSTS.contains(&text) {
            return Self::Federated(owned);
        }
        if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Self::CanonicalUser(owned);
        }
        if text.contains('.') {
            Self::Service(owned)
        } else {
            Self::Aws(owned)
        }
    }

    /// The principal's text without its kind; `*` where it is anonymous.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Anonymous => "*",
            Self::Aws(text)
            | Self::Federated(text)
            | Self::Service(text)
            | Self::CanonicalUser(text) => text,
        }
    }

    /// The account that an AWS principal belongs to.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Aws(text) if is_account_id(text) => Some(text),
            Self::Aws(text) => text.split(':').nth(4).filter(|account| !account.is_empty()),
            _ => None,
        }
    }

    /// Whether an entry of a `Principal` element names this principal.
    #[must_use]
    pub fn named_by(&self, entry: &Principal) -> bool {
        self.known().named_by(entry)
    }

    /// The principal with what its ARN says, to be asked about many entries.
    pub(super) fn known(&self) -> Known<'_> {
        let (root, parent) = match self {
            Self::Aws(text) => (root_account(text), session_parent(text)),
            _ => (None, None),
        };
        Known {
            principal: self,
            account: self.account(),
            root,
            parent,
        }
    }
}

/// A principal, and what its ARN says of it.
pub(super) struct Known<'a> {
    principal: &'a RequestPrincipal,
    account: Option<&'a str>,
    /// The account whose root it is.
    root: Option<&'a str>,
    parent: Option<SessionParent<'a>>,
}

impl Known<'_> {
    /// Whether an entry of a `Principal` element names the principal. An account names all AWS principals of it, a
    /// role its sessions, a user its federated sessions; `*` everyone ("AWS JSON policy elements: Principal").
    pub(super) fn named_by(&self, entry: &Principal) -> bool {
        use RequestPrincipal as Asks;
        match (entry, self.principal) {
            (Principal::Everyone, _) => true,
            (Principal::Account(account), Asks::Aws(_)) => self.account == Some(account),
            (Principal::Aws(arn), Asks::Aws(text)) => {
                arn == text
                    || self.root.is_some_and(|account| arn == account)
                    || self
                        .parent
                        .as_ref()
                        .is_some_and(|parent| parent.is_session_of(arn))
            }
            (Principal::Federated(wanted), Asks::Federated(text))
            | (Principal::Service(wanted), Asks::Service(text)) => wanted == "*" || wanted == text,
            (Principal::CanonicalUser(wanted), Asks::CanonicalUser(text)) => wanted == text,
            _ => false,
        }
    }
}

/// What a session's ARN says of the role or user behind it ("AWS JSON policy elements: Principal": "IAM role
/// principals", "AWS STS federated user session principals").
struct SessionParent<'a> {
    partition: &'a str,
    account: &'a str,
    kind: &'static str,
    name: &'a str,
}

impl SessionParent<'_> {
    /// A role's ARN may hold a path, its sessions' ARNs do not.
    fn is_session_of(&self, arn: &str) -> bool {
        // Most of many entries are told apart by their names.
        if !arn.ends_with(self.name) {
            return false;
        }
        let mut fields = arn.splitn(6, ':');
        let (Some("arn"), Some(partition), Some("iam"), Some(""), Some(account), Some(resource)) = (
            fields.next(),
            fields.next(),
            fields.next(),
            fields.next(),
            fields.next(),
            fields.next(),
        ) else {
            return false;
        };
        let kind = resource.split('/').next();
        let name = resource.rsplit('/').next();
        partition == self.partition
            && account == self.account
            && kind == Some(self.kind)
            && name == Some(self.name)
    }
}

fn session_parent(text: &str) -> Option<SessionParent<'_>> {
    let mut fields = text.splitn(6, ':');
    let (Some("arn"), Some(partition), Some("sts"), Some(""), Some(account), Some(resource)) = (
        fields.next(),
        fields.next(),
        fields.next(),
        fields.next(),
        fields.next(),
        fields.next(),
    ) else {
        return None;
    };
    let (kind, rest) = resource.split_once('/')?;
    let kind = match kind {
        "assumed-role" => "role",
        "federated-user" => "user",
        _ => return None,
    };
    Some(SessionParent {
        partition,
        account,
        kind,
        name: rest.split('/').next()?,
    })
}

impl Serialize for RequestPrincipal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Raw::deserialize(deserializer)?;
        let Raw {
            principal,
            action,
            resource,
            context,
        } = raw;
        let context = match context {
            None => Context::new(),
            Some(map) => map
                .into_iter()
                .map(|(key, value)| Ok((key, texts(value)?)))
                .collect::<Result<Context, String>>()
                .map_err(D::Error::custom)?,
        };
        let principal = match principal {
            None => RequestPrincipal::Anonymous,
            Some(value) => principal_value(value).map_err(D::Error::custom)?,
        };
        Ok(Self {
            principal,
            action,
            resource: resource.unwrap_or_else(|| "*".to_owned()),
            context,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    principal: Option<serde_json::Value>,
    action: String,
    resource: Option<String>,
    context: Option<BTreeMap<String, serde_json::Value>>,
}

/// `"..."`, or `{"Service": "..."}` where the shape alone would not tell the kind.
fn principal_value(value: serde_json::Value) -> Result<RequestPrincipal, String> {
    match value {
        serde_json::Value::String(text) => Ok(RequestPrincipal::parse(&text)),
        serde_json::Value::Object(map) => {
            let mut entries = map.into_iter();
            match (entries.next(), entries.next()) {
                (Some((kind, serde_json::Value::String(text))), None) => match kind.as_str() {
                    "AWS" if text == "*" => Ok(RequestPrincipal::Anonymous),
                    "AWS" => Ok(RequestPrincipal::Aws(text)),
                    "Federated" => Ok(RequestPrincipal::Federated(text)),
                    "Service" => Ok(RequestPrincipal::Service(text)),
                    "CanonicalUser" => Ok(RequestPrincipal::CanonicalUser(text)),
                    _ => Err(format!("`{kind}` is not a kind of principal.")),
                },
                _ => Err(
                    "A principal is one string, or an object with one kind and one string."
                        .to_owned(),
                ),
            }
        }
        serde_json::Value::Null => Ok(RequestPrincipal::Anonymous),
        _ => Err("A principal is a string.".to_owned()),
    }
}

fn texts(value: serde_json::Value) -> Result<Vec<String>, String> {
    match value {
        serde_json::Value::Array(items) => items.into_iter().map(text).collect(),
        serde_json::Value::Null => Ok(Vec::new()),
        other => Ok(vec![text(other)?]),
    }
}

fn text(value: serde_json::Value) -> Result<String, String> {
    match value {
        serde_json::Value::String(text) => Ok(text),
        serde_json::Value::Bool(value) => Ok(value.to_string()),
        serde_json::Value::Number(number) => Ok(number.to_string()),
        _ => Err("A context value is a string, a number or a boolean.".to_owned()),
    }
}

//! The parts of one statement, as the other modules of `policy` ask for them.
//! Source: IAM User Guide, "IAM JSON policy elements reference".

use serde::Serialize;

use super::glob::{self, Reading, Token};
use super::operator::Operator;

/// Whether a statement grants or refuses ("Effect").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Effect {
    /// The statement grants.
    Allow,
    /// The statement refuses, whatever else grants.
    Deny,
}

/// `Action`/`NotAction` or `Resource`/`NotResource`: patterns, or all but them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Patterns {
    /// `NotAction`, `NotResource`: everything that no pattern matches.
    pub negated: bool,
    /// The patterns as written, at least one.
    pub list: Vec<String>,
    /// Read over whole strings, where `*` crosses the fields of an ARN (see `readings`); as parsed, it does not.
    pub over_fields: bool,
}

impl Patterns {
    /// A resource pattern of this element in tokens.
    pub(super) fn resource_tokens(&self, text: &str, variables: bool) -> Vec<Token> {
        if self.over_fields {
            let reading = Reading {
                wildcards: true,
                variables,
            };
            return glob::parse(text, reading);
        }
        glob::parse_resource(text, variables)
    }
}

/// `Principal`/`NotPrincipal`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principals {
    /// `NotPrincipal`: everyone who is not named.
    pub negated: bool,
    /// Who is named; empty names nobody.
    pub list: Vec<Principal>,
}

/// One entry of a `Principal` element ("AWS JSON policy elements: Principal").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// `"*"` or `{"AWS": "*"}`: everyone, anonymous requests too.
    Everyone,
    /// An account id or its `:root`: every principal of that account.
    Account(String),
    /// Any other `AWS` value: the ARN of a role, user or session, or a unique id.
    Aws(String),
    /// A SAML or OIDC provider's ARN, or a web identity provider's host.
    Federated(String),
    /// A service's host, such as `ecs-tasks.amazonaws.com`.
    Service(String),
    /// An S3 canonical user id.
    CanonicalUser(String),
}

/// One operator applied to one key; a statement's conditions must all hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Condition {
    /// The operator with its prefix and suffix.
    pub operator: Operator,
    /// The key as written; letter case does not count.
    pub key: String,
    /// The policy's values as text; one of them must match, for negated operators none may ("Conditions with multiple
    /// context keys or values").
    pub values: Vec<String>,
}

/// One statement of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// 1-based place in the document.
    pub index: usize,
    /// Line of its opening brace, 1-based.
    pub line: usize,
    /// The `Sid`, where it is not empty.
    pub sid: Option<String>,
    /// Allow or Deny.
    pub effect: Effect,
    /// `None` in an identity policy, where the principal is whom the policy is attached to.
    pub principals: Option<Principals>,
    /// The actions.
    pub actions: Patterns,
    /// `None` where the element is absent: a trust policy, or a resource policy on its own resource.
    pub resources: Option<Patterns>,
    /// All of them must hold.
    pub conditions: Vec<Condition>,
}

impl Principal {
    /// Reads one value under the key `AWS`: `*`, an account id, an account's `:root`, or anything else ("AWS JSON policy
    /// elements: Principal": "All principals", "AWS account principals").
    #[must_use]
    pub fn from_aws(text: &str) -> Self {
        if text == "*" {
            return Self::Everyone;
        }
        if is_account_id(text) {
            return Self::Account(text.to_owned());
        }
        match root_account(text) {
            Some(account) => Self::Account(account.to_owned()),
            None => Self::Aws(text.to_owned()),
        }
    }

    /// The key under which the entry stands, and its canonical value.
    #[must_use]
    pub fn tagged(&self) -> (&'static str, &str) {
        match self {
            Self::Everyone => ("AWS", "*"),
            Self::Account(account) => ("AWS", account),
            Self::Aws(text) => ("AWS", text),
            Self::Federated(text) => ("Federated", text),
            Self::Service(text) => ("Service", text),
            Self::CanonicalUser(text) => ("CanonicalUser", text),
        }
    }
}

/// Whether the text is a 12-digit account id.
pub(super) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The account of `arn:PARTITION:iam::ACCOUNT:root`.
pub(super) fn root_account(text: &str) -> Option<&str> {
    let mut fields = text.splitn(6, ':');
    let shape = (
        fields.next(),
        fields.next(),
        fields.next(),
        fields.next(),
        fields.next(),
        fields.next(),
    );
    match shape {
        (Some("arn"), Some(_), Some("iam"), Some(""), Some(account), Some("root"))
            if is_account_id(account) =>
        {
            Some(account)
        }
        _ => None,
    }
}

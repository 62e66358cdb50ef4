//! OIDC providers, policies and roles, and the references to policies and roles.

use std::collections::BTreeMap;

use super::{Seconds, Tags};
use crate::policy::Document;

/// A document of the policy language and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceDocument {
    /// The file that infra.toml names, relative to infra.toml; infra.toml itself for a `trust` short form.
    pub path: String,
    /// The document with every placeholder resolved.
    pub document: Document,
}

/// A `[oidc_provider.*]` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcProvider {
    /// Host and path of the issuer, without `https://`: the key.
    pub url: String,
    /// The audiences, sorted.
    pub client_ids: Vec<String>,
    /// Left alone unless given; lower-case hexadecimal, sorted.
    pub thumbprints: Option<Vec<String>>,
    /// The project's tags and its own.
    pub tags: Tags,
}

/// A `[policy.*]` table: a customer managed policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// The document.
    pub document: SourceDocument,
    /// Fixed at creation.
    pub description: Option<String>,
    /// Begins and ends with `/`; fixed at creation.
    pub path: String,
    /// The project's tags and its own.
    pub tags: Tags,
}

/// A `[role.*]` table.
#[derive(Clone, Debug, PartialEq)]
pub struct Role {
    /// Who may assume the role.
    pub trust: SourceDocument,
    /// Free text.
    pub description: Option<String>,
    /// Begins and ends with `/`; fixed at creation.
    pub path: String,
    /// 3600 s to 43,200 s.
    pub max_session_duration: Seconds,
    /// The managed policy that bounds the role.
    pub permissions_boundary: Option<PolicyReference>,
    /// The attached managed policies, sorted by ARN, all of them.
    pub managed_policies: Vec<PolicyReference>,
    /// The inline policies by name, all of them.
    pub inline_policies: BTreeMap<String, SourceDocument>,
    /// The project's tags and its own.
    pub tags: Tags,
}

/// A managed policy that something refers to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct PolicyReference {
    /// The full ARN, path included.
    pub arn: String,
    /// The name of the `[policy.*]` table, if it is declared here.
    pub declared: Option<String>,
}

/// A role that something refers to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct RoleReference {
    /// The full ARN, path included.
    pub arn: String,
    /// The name of the `[role.*]` table, if it is declared here.
    pub declared: Option<String>,
}

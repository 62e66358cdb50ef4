//! What concerns the whole file: the project, the GitHub repository, environments, acceptances,
//! and [`Config`], which holds them together with the resources.

use std::collections::BTreeMap;

use super::{
    Cluster, LogGroup, OidcProvider, Policy, Repository, Role, Seconds, Secret, Service, Tags,
};
use crate::config::Position;
use crate::config::table::choice;

/// infra.toml, parsed and checked. Maps are keyed by the name part of the address.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The path of infra.toml as it was given, for messages and SARIF.
    pub path: String,
    /// The `[project]` table.
    pub project: Project,
    /// The `[github]` table.
    pub github: Option<Github>,
    /// The `[environment.*]` tables in the order in which they are declared.
    pub environments: Vec<Environment>,
    /// `[oidc_provider.*]` by host and path of the issuer, without `https://`.
    pub oidc_providers: BTreeMap<String, OidcProvider>,
    /// `[policy.*]` by name.
    pub policies: BTreeMap<String, Policy>,
    /// `[role.*]` by name.
    pub roles: BTreeMap<String, Role>,
    /// `[repository.*]` by name.
    pub repositories: BTreeMap<String, Repository>,
    /// `[log_group.*]` by name.
    pub log_groups: BTreeMap<String, LogGroup>,
    /// `[secret.*]` by name.
    pub secrets: BTreeMap<String, Secret>,
    /// `[cluster.*]` by name.
    pub clusters: BTreeMap<String, Cluster>,
    /// `[service.*]` by table key; the name in AWS is [`Service::name`].
    pub services: BTreeMap<String, Service>,
    /// `[audit] accept`: the findings that the owner has accepted.
    pub acceptances: Vec<Acceptance>,
    /// Where each declared resource stands, by address (`role/NAME`).
    pub declarations: BTreeMap<String, Declaration>,
}

/// Where a resource is declared, and for which environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// The position of the resource's table.
    pub position: Position,
    /// The environment it was expanded for, if its table has `environments`.
    pub environment: Option<String>,
    /// The table's key as it is written, placeholders and all.
    pub key: String,
}

/// The `[project]` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// With the region, the owner mark.
    pub name: String,
    /// The twelve digits of the only account that may be touched.
    pub account_id: String,
    /// The region of everything that is regional.
    pub region: String,
    /// Derived from the region.
    pub partition: Partition,
    /// Put on every resource.
    pub tags: Tags,
    /// Patterns (`*` and `?`) of tag keys that are left alone.
    pub ignore_tags: Vec<String>,
    /// The lock, if one is used: `ssm:/provision/NAME` names an SSM parameter.
    pub lock: Option<Lock>,
    /// Where the table stands, for findings on what is not declared.
    pub position: Position,
}

/// The lock that runs take by courtesy: the name of an SSM parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The parameter's name, such as `/provision/back-end`.
    pub parameter: String,
}

choice! {
    /// A partition of AWS.
    pub enum Partition {
        /// The commercial regions.
        Commercial = "aws",
        /// The regions in China.
        China = "aws-cn",
        /// The regions of AWS GovCloud (US).
        GovCloud = "aws-us-gov",
        /// The regions of the European Sovereign Cloud.
        EuropeanSovereign = "aws-eusc",
        /// The AWS Secret and Top Secret regions of the US, `us-iso-*`.
        Iso = "aws-iso",
        /// `us-isob-*`.
        IsoB = "aws-iso-b",
        /// `eu-isoe-*`.
        IsoE = "aws-iso-e",
        /// `us-isof-*`.
        IsoF = "aws-iso-f",
    }
}

/// The `[github]` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Github {
    /// The organisation or user, in GitHub's letter case.
    pub owner: String,
    /// The repository, in GitHub's letter case.
    pub name: String,
    /// The repository's number, for the immutable form of the subject.
    pub repository_id: Option<u64>,
    /// The owner's number, for the immutable form of the subject.
    pub owner_id: Option<u64>,
}

/// One `[environment.*]` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// The table's key.
    pub name: String,
    /// The environment that has to prove an image before this one takes it.
    pub after: Option<String>,
    /// Values of the placeholders of this environment.
    pub vars: BTreeMap<String, String>,
    /// How long an image must have run before it is promoted from here.
    pub soak: Seconds,
    /// What must hold before an image is promoted from here, in order.
    pub validate: Vec<Check>,
    /// Where the table stands.
    pub position: Position,
}

/// One check of `validate`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// A GET of the URL answers with this status.
    Http {
        /// `http://` or `https://`.
        url: String,
        /// The expected status, 200 unless given.
        status: u16,
        /// How long it may take.
        timeout: Seconds,
    },
    /// A program ends with exit code 0.
    Command {
        /// The program and its arguments.
        words: Vec<String>,
        /// How long it may take.
        timeout: Seconds,
    },
    /// The CloudWatch alarm of this name is there and OK.
    Alarm(String),
}

/// A finding that the owner has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// The audit rule's id.
    pub rule: String,
    /// The address that the finding names.
    pub address: String,
    /// The last day of the acceptance, `YYYY-MM-DD`.
    pub until: Option<String>,
    /// Why.
    pub reason: String,
    /// Where it stands.
    pub position: Position,
}

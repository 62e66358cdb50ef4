//! An account as the audit sees it: plain data, without secrets, that a file can hold and give back.
//! `provision snapshot` writes it, `provision audit --snapshot` reads it instead of AWS.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::Config;
use crate::policy::{Request, StatementRef};

/// The format of the file; a file of another one is refused.
pub const ACCOUNT_FORMAT_VERSION: u32 = 1;

/// Everything that the audit looks at, as it was at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// [`ACCOUNT_FORMAT_VERSION`].
    pub format_version: u32,
    /// The twelve digits.
    pub account_id: String,
    /// The project's region.
    pub region: String,
    /// `aws`, `aws-cn`, ...
    pub partition: String,
    /// When it was read: seconds since the Unix epoch.
    pub taken: u64,
    /// The OIDC providers by ARN.
    pub providers: BTreeMap<String, OidcProvider>,
    /// The roles by ARN.
    pub roles: BTreeMap<String, Role>,
    /// The users by ARN.
    pub users: BTreeMap<String, User>,
    /// The groups by name.
    pub groups: BTreeMap<String, Group>,
    /// The managed policies that are the account's own or in use, by ARN.
    pub policies: BTreeMap<String, ManagedPolicy>,
    /// The declared repositories that are there, by name.
    pub repositories: BTreeMap<String, Repository>,
    /// The declared services that are there, by address name.
    pub services: BTreeMap<String, Service>,
    /// The task definitions that services run, and older ACTIVE revisions of their families, by ARN.
    pub task_definitions: BTreeMap<String, TaskDefinition>,
    /// The declared log groups that are there, by name.
    pub log_groups: BTreeMap<String, LogGroup>,
    /// The secrets that are declared or referred to, by name.
    pub secrets: BTreeMap<String, Secret>,
    /// The declared clusters that are there.
    pub clusters: Vec<String>,
    /// IAM's quotas and counts by its own names, such as `AttachedPoliciesPerRoleQuota`.
    pub quotas: BTreeMap<String, i64>,
    /// What differs from infra.toml as it was when this was read: the actions of a plan.
    pub drift: Vec<Drift>,
    /// Who changed what, as far as CloudTrail says.
    pub events: Vec<Event>,
    /// What GitHub says of the repository, where it was asked.
    pub github: Option<GithubFacts>,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// What was not asked for or could not be said, and does not count as unread.
    pub notes: Vec<String>,
}

/// An OIDC provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OidcProvider {
    /// The audiences.
    pub client_ids: Vec<String>,
    /// The thumbprints.
    pub thumbprints: Vec<String>,
    /// All tags.
    pub tags: BTreeMap<String, String>,
}

/// A role. Documents are JSON text, not URL-encoded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// The name.
    pub name: String,
    /// The unique id, `AROA...`.
    pub id: String,
    /// Begins and ends with `/`.
    pub path: String,
    /// The trust policy.
    pub trust: String,
    /// Free text.
    pub description: Option<String>,
    /// Seconds.
    pub max_session_duration: Option<i64>,
    /// All tags.
    pub tags: BTreeMap<String, String>,
    /// What it may do.
    pub permissions: Permissions,
}

/// The policies of a role, user or group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permissions {
    /// The ARNs of the attached managed policies.
    pub managed_policies: Vec<String>,
    /// The inline policies by name.
    pub inline_policies: BTreeMap<String, String>,
    /// The ARN of the boundary.
    pub boundary: Option<String>,
}

/// A user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The name.
    pub name: String,
    /// The unique id, `AIDA...`.
    pub id: String,
    /// The names of its groups.
    pub groups: Vec<String>,
    /// What it may do by itself.
    pub permissions: Permissions,
}

/// A group of users.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// What its members may do.
    pub permissions: Permissions,
}

/// A managed policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagedPolicy {
    /// The default version's document.
    pub document: String,
    /// How many versions there are; 0 where that is not known.
    pub versions: u32,
    /// How many users, groups and roles it is attached to.
    pub attachments: i64,
}

/// A repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// `MUTABLE`, `IMMUTABLE`, `IMMUTABLE_WITH_EXCLUSION`, `MUTABLE_WITH_EXCLUSION`.
    pub mutability: String,
    /// Tag patterns that are excepted.
    pub exclusions: Vec<String>,
    /// The lifecycle policy.
    pub lifecycle: Option<String>,
    /// The repository policy.
    pub policy: Option<String>,
    /// The images; `None` where they were not read.
    pub images: Option<Vec<Image>>,
}

/// An image of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// `sha256:...`.
    pub digest: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// When it was pushed: seconds since the Unix epoch.
    pub pushed: i64,
    /// `X86_64`, `ARM64`, as a task definition names them; empty where it is not known.
    pub architectures: Vec<String>,
}

/// An ECS service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// The ARN.
    pub arn: String,
    /// The ARN of the task definition that runs.
    pub task_definition: String,
}

/// A revision of a task definition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskDefinition {
    /// The family.
    pub family: String,
    /// The processor, `X86_64` where it says nothing.
    pub architecture: String,
    /// The ARN of the execution role.
    pub execution_role: Option<String>,
    /// The ARN of the task role.
    pub task_role: Option<String>,
    /// The containers.
    pub containers: Vec<ContainerDefinition>,
}

/// A container of a task definition, without values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ContainerDefinition {
    /// The name.
    pub name: String,
    /// The image.
    pub image: String,
    /// The names of the environment variables whose plain values look like credentials.
    pub credentials: Vec<String>,
    /// The names of all plain environment variables.
    pub environment: Vec<String>,
    /// The secrets by variable: `valueFrom`.
    pub secrets: BTreeMap<String, String>,
    /// Whether it is root on the instance.
    pub privileged: bool,
    /// Whether the root file system is read-only.
    pub readonly_root: bool,
    /// The log driver and its options, as AWS has them.
    pub log_configuration: Option<Value>,
}

/// A log group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogGroup {
    /// Days; none: never expires.
    pub retention_in_days: Option<i64>,
}

/// A secret, without its value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// The ARN, with its random end.
    pub arn: String,
    /// When it was made: seconds since the Unix epoch.
    pub created: Option<i64>,
    /// When its value changed last.
    pub changed: Option<i64>,
    /// When it is to be deleted; a secret on its way out counts as absent.
    pub deleted: Option<i64>,
    /// Whether Secrets Manager rotates it.
    pub rotates: bool,
}

/// One resource that a plan would touch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// The resource.
    pub address: String,
    /// `create`, `change`, `delete`, `replace`.
    pub verb: String,
    /// The fields that differ, without credentials.
    pub fields: Vec<Field>,
    /// What AWS grants and infra.toml does not, and the reverse.
    pub meaning: Vec<Meaning>,
    /// Why the meaning could not be decided.
    pub undecided: Option<String>,
    /// The lines of infra.toml that would declare what is there.
    pub accept: Option<String>,
}

/// One permission in which AWS and infra.toml differ, with the request that shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Meaning {
    /// The sentence.
    pub text: String,
    /// Whether AWS grants it and infra.toml does not; else the reverse.
    pub gained: bool,
    /// The statement that grants it, of the document that does.
    pub statement: StatementRef,
    /// The request.
    pub request: Request,
}

/// A field that differs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Its path.
    pub path: String,
    /// What is there.
    pub live: Value,
    /// What infra.toml says.
    pub declared: Value,
}

/// An event of CloudTrail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The address of the resource.
    pub resource: String,
    /// Such as `AttachRolePolicy`.
    pub name: String,
    /// Seconds since the Unix epoch.
    pub time: i64,
    /// The ARN, or the name, of who did it.
    pub who: String,
    /// The address from which it came.
    pub source: String,
}

/// What GitHub says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GithubFacts {
    /// `OWNER/NAME` in GitHub's letter case.
    pub repository: String,
    /// The default branch.
    pub default_branch: Option<String>,
    /// The repository's number.
    pub repository_id: Option<u64>,
    /// The owner's number.
    pub owner_id: Option<u64>,
    /// The start of every subject, such as `repo:OWNER/NAME` or the form with ids.
    pub subject_prefix: Option<String>,
    /// The claims of a customised subject; empty for the default.
    pub claims: Vec<String>,
    /// Whether something keeps any branch from using each environment; none where GitHub did not say.
    pub environments: Option<BTreeMap<String, bool>>,
}

/// What could not be read, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// The resource or the list.
    pub what: String,
    /// AWS's answer.
    pub reason: String,
}

impl Account {
    /// An account in which nothing is, for documents that are looked at alone.
    #[must_use]
    pub fn empty(account_id: &str, region: &str, partition: &str) -> Self {
        Self {
            format_version: ACCOUNT_FORMAT_VERSION,
            account_id: account_id.to_owned(),
            region: region.to_owned(),
            partition: partition.to_owned(),
            ..Self::default()
        }
    }

    /// The role of this name; letter case does not distinguish two roles.
    #[must_use]
    pub fn role(&self, name: &str) -> Option<(&String, &Role)> {
        self.roles
            .iter()
            .find(|(_, role)| role.name.eq_ignore_ascii_case(name))
    }

    /// The ARN of a resource: the one that it has, else the one that it is declared to have.
    #[must_use]
    pub fn arn(&self, config: &Config, kind: &str, name: &str) -> Option<String> {
        let own = |arn: &&String| arn.split(':').nth(4) == Some(&self.account_id);
        let live = match kind {
            "role" => self.role(name).map(|(arn, _)| arn),
            "user" => {
                let mut users = self.users.iter();
                users
                    .find(|(_, user)| user.name.eq_ignore_ascii_case(name))
                    .map(|(arn, _)| arn)
            }
            "policy" => {
                let mut policies = self.policies.keys().filter(own);
                policies.find(|arn| arn.rsplit('/').next() == Some(name))
            }
            "oidc_provider" => {
                let named = |arn: &&String| {
                    let host = arn.split_once(":oidc-provider/");
                    host.is_some_and(|(_, host)| host == name)
                };
                self.providers.keys().find(named)
            }
            "secret" => self.secrets.get(name).map(|secret| &secret.arn),
            "service" => self.services.get(name).map(|service| &service.arn),
            _ => None,
        };
        live.cloned().or_else(|| config.arn(kind, name))
    }
}

//! The tables of infra.toml whose checked form differs from how they are written.

use std::collections::BTreeMap;

use super::model::{Encryption, EncryptionType, PolicyReference, Seconds, TagMutability, Tags};
use super::node::{Node, Value};
use super::placeholders::plain;
use super::reader::{Decode, Reader};
use super::table::table;

table! {
    /// The project: required, once.
    pub(super) struct ProjectTable {
        /// With the region, the owner mark: `NAME@REGION`.
        name: String,
        /// The twelve digits of the account; no other is touched.
        account_id: String,
        /// The region of everything that is regional; `AWS_REGION` is ignored.
        region: String,
        /// Tags on everything.
        tags: Tags = Tags::new(),
        /// Patterns (`*`, `?`) of tag keys that are left alone.
        ignore_tags: Vec<String> = Vec::new(),
        /// `ssm:/provision/NAME`: a parameter that `apply` and `destroy` hold while they write, as a courtesy between runs.
        lock: Option<String>,
    }
}

table! {
    /// The GitHub repository whose workflows deploy.
    pub(super) struct GithubTable {
        /// `OWNER/NAME`, in GitHub's letter case.
        repository: String,
        /// The repository's number; with `owner_id`, the immutable form of the subject is trusted too.
        repository_id: Option<u64>,
        /// The owner's number.
        owner_id: Option<u64>,
    }
}

table! {
    /// An environment. Tables such as `[environment.production.service.NAME]` are merged over `[service.NAME]`.
    pub(super) struct EnvironmentTable {
        /// The environment that has to prove an image before this one takes it.
        after: Option<String>,
        /// Values of placeholders: `{{KEY}}`.
        vars: BTreeMap<String, Variable> = BTreeMap::new(),
        /// How long an image must have run here before it is promoted.
        soak: Seconds = Seconds(0),
        /// What must hold before an image is promoted from here, in order.
        validate: Vec<CheckTable> = Vec::new(),
    }
}

table! {
    /// One check: exactly one of `http`, `command` and `alarm`.
    pub(super) struct CheckTable {
        /// A URL that is fetched. A redirect is not followed: it is the answer.
        http: Option<String>,
        /// The status that the URL answers with; 200 unless given.
        status: Option<u16>,
        /// A program and its arguments, which end with exit code 0. It runs where infra.toml stands.
        command: Option<Vec<String>>,
        /// The name of a CloudWatch alarm, metric or composite, which is there and OK. Without data it is not
        /// OK: where no data is as good, give the alarm `treat_missing_data = "notBreaching"`.
        alarm: Option<String>,
        /// How long `http` or `command` may take: 20 seconds and 10 minutes unless given.
        timeout: Option<Seconds>,
    }
}

table! {
    /// What the audit is to leave out.
    pub(super) struct AuditTable {
        /// The findings that are accepted.
        accept: Vec<AcceptanceTable> = Vec::new(),
    }
}

table! {
    /// A finding that is accepted.
    pub(super) struct AcceptanceTable {
        /// The rule's id.
        rule: String,
        /// The address that the finding names, such as `role/NAME`.
        address: String,
        /// The last day of the acceptance, `2026-12-31`; left out: for ever.
        until: Option<Day>,
        /// Why it is accepted.
        reason: String,
    }
}

table! {
    /// An OIDC provider of IAM; the key is the issuer's host and path, without `https://`.
    pub(super) struct OidcProviderTable {
        /// The audiences, such as `sts.amazonaws.com`.
        client_ids: Vec<String> = Vec::new(),
        /// Left alone unless given; AWS has not used them for GitHub since July 2023.
        thumbprints: Option<Vec<String>>,
        /// Tags, over those of the project.
        tags: Tags = Tags::new(),
    }
}

table! {
    /// A customer managed policy of IAM; the key is its name.
    pub(super) struct PolicyTable {
        /// The file of the policy document, relative to infra.toml.
        document: String,
        /// Free text; fixed at creation.
        description: Option<String>,
        /// The path in IAM; fixed at creation.
        path: String = "/".to_owned(),
        /// Tags, over those of the project.
        tags: Tags = Tags::new(),
    }
}

table! {
    /// A role of IAM; the key is its name. Its policies are managed exclusively.
    pub(super) struct RoleTable {
        /// The file of the trust policy, relative to infra.toml; or `trust`.
        trust_policy: Option<String>,
        /// The trust policy in short; or `trust_policy`.
        trust: Option<TrustTable>,
        /// Free text.
        description: Option<String>,
        /// The path in IAM; fixed at creation.
        path: String = "/".to_owned(),
        /// How long a session may last: 1 to 12 hours.
        max_session_duration: Seconds = Seconds(3600),
        /// The policy that bounds the role: a declared policy, an ARN, or the name of an AWS managed policy.
        permissions_boundary: Option<PolicyReference>,
        /// The attached policies: declared policies, ARNs, or names of AWS managed policies.
        managed_policies: Vec<PolicyReference> = Vec::new(),
        /// The files of the inline policies by name, relative to infra.toml.
        inline_policies: BTreeMap<String, String> = BTreeMap::new(),
        /// Tags, over those of the project.
        tags: Tags = Tags::new(),
    }
}

table! {
    /// A trust policy in short: exactly one of `service` and `github`.
    pub(super) struct TrustTable {
        /// The AWS service that may assume the role, such as `ecs-tasks.amazonaws.com`.
        service: Option<String>,
        /// The GitHub workflows that may assume the role.
        github: Option<GithubTrustTable>,
    }
}

table! {
    /// Which workflows of the repository in [github] may assume a role. At least one key.
    pub(super) struct GithubTrustTable {
        /// Branches; `*` and `?` match any text and any letter.
        branches: Vec<String> = Vec::new(),
        /// Tags; `*` and `?` match any text and any letter.
        tags: Vec<String> = Vec::new(),
        /// Environments of GitHub.
        environments: Vec<String> = Vec::new(),
        /// Pull requests from within the repository.
        pull_requests: bool = false,
    }
}

table! {
    /// A repository of ECR; the key is its name.
    pub(super) struct RepositoryTable {
        /// Whether a tag may be moved.
        image_tag_mutability: TagMutability = TagMutability::Mutable,
        /// Tag patterns (`*`) that are excepted; only with `*_WITH_EXCLUSION`.
        mutability_exclusions: Vec<String> = Vec::new(),
        /// The file of the lifecycle policy, relative to infra.toml.
        lifecycle_policy: Option<String>,
        /// The file of the repository policy, relative to infra.toml.
        policy: Option<String>,
        /// Encryption at rest; fixed at creation.
        encryption: Encryption = Encryption { r#type: EncryptionType::Aes256, key: None },
        /// Whether a delete takes the images with it.
        force_delete: bool = false,
        /// Tags, over those of the project.
        tags: Tags = Tags::new(),
    }
}

/// A value of `vars`, as text.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Variable(pub(super) String);

impl Decode for Variable {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match node.value {
            Value::List(_) | Value::Table(_) => {
                reader.expected(node, "a string, a number or a boolean", None)
            }
            _ => Some(Self(plain(&node.value))),
        }
    }
}

/// A calendar day, `YYYY-MM-DD`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Day(pub(super) String);

impl Decode for Day {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Text(text) | Value::Datetime(text) if is_day(text) => Some(Self(text.clone())),
            Value::Text(text) | Value::Datetime(text) => {
                let message = format!("{} is no day: `{text}`.", reader.key());
                reader.error(&node.at, message, "Write it as 2026-12-31.".to_owned());
                None
            }
            _ => reader.expected(node, "a day", Some("Write it as 2026-12-31.".to_owned())),
        }
    }
}

fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return false;
    };
    let number = |part: &str, digits: usize| {
        (part.len() == digits)
            .then(|| part.parse::<u32>().ok())
            .flatten()
    };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2))
    else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

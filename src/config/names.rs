//! The names that follow from the project: the owner mark, partitions, ARNs, the registry.

use super::model::{Config, Partition, Project};
use crate::policy::Home;

impl Partition {
    /// The partition of a region, by the prefix of the region's name.
    #[must_use]
    pub fn of_region(region: &str) -> Self {
        const PREFIXES: &[(&str, Partition)] = &[
            ("cn-", Partition::China),
            ("us-gov-", Partition::GovCloud),
            ("eusc-", Partition::EuropeanSovereign),
            ("us-iso-", Partition::Iso),
            ("us-isob-", Partition::IsoB),
            ("eu-isoe-", Partition::IsoE),
            ("us-isof-", Partition::IsoF),
        ];
        PREFIXES
            .iter()
            .find(|(prefix, _)| region.starts_with(prefix))
            .map_or(Self::Commercial, |(_, partition)| *partition)
    }

    /// The end of the host names of the partition's services.
    #[must_use]
    pub fn dns_suffix(self) -> &'static str {
        match self {
            Self::Commercial | Self::GovCloud => "amazonaws.com",
            Self::China => "amazonaws.com.cn",
            Self::EuropeanSovereign => "amazonaws.eu",
            Self::Iso => "c2s.ic.gov",
            Self::IsoB => "sc2s.sgov.gov",
            Self::IsoE => "cloud.adc-e.uk",
            Self::IsoF => "csp.hci.ic.gov",
        }
    }

    /// The audience of GitHub's tokens for STS of this partition.
    #[must_use]
    pub fn audience(self) -> &'static str {
        match self {
            Self::China => "sts.amazonaws.com.cn",
            _ => "sts.amazonaws.com",
        }
    }

    /// The region in which IAM of this partition signs and stores.
    #[must_use]
    pub fn home_region(self) -> &'static str {
        match self {
            Self::Commercial => "us-east-1",
            Self::China => "cn-north-1",
            Self::GovCloud => "us-gov-west-1",
            Self::EuropeanSovereign => "eusc-de-east-1",
            Self::Iso => "us-iso-east-1",
            Self::IsoB => "us-isob-east-1",
            Self::IsoE => "eu-isoe-west-1",
            Self::IsoF => "us-isof-south-1",
        }
    }
}

impl Project {
    /// The account and region that examples speak of.
    #[must_use]
    pub fn home(&self) -> Home {
        Home {
            partition: self.partition.as_str().to_owned(),
            region: self.region.clone(),
            account: self.account_id.clone(),
        }
    }

    /// The ARN of something of this account in a service of this region.
    #[must_use]
    pub fn regional_arn(&self, service: &str, resource: &str) -> String {
        let partition = self.partition.as_str();
        format!(
            "arn:{partition}:{service}:{}:{}:{resource}",
            self.region, self.account_id
        )
    }

    /// The ARN of something of this account in IAM.
    #[must_use]
    pub fn iam_arn(&self, resource: &str) -> String {
        format!(
            "arn:{}:iam::{}:{resource}",
            self.partition.as_str(),
            self.account_id
        )
    }

    /// The host of the account's ECR registry.
    #[must_use]
    pub fn registry(&self) -> String {
        let suffix = self.partition.dns_suffix();
        format!("{}.dkr.ecr.{}.{suffix}", self.account_id, self.region)
    }
}

impl Config {
    /// The value of the tag `provision:owner`: `NAME@REGION`.
    #[must_use]
    pub fn owner_mark(&self) -> String {
        format!("{}@{}", self.project.name, self.project.region)
    }

    /// The host of the account's ECR registry.
    #[must_use]
    pub fn registry(&self) -> String {
        self.project.registry()
    }

    /// The URL of a repository, without a tag.
    #[must_use]
    pub fn repository_url(&self, name: &str) -> String {
        format!("{}/{name}", self.registry())
    }

    /// The ARN of a declared resource, or none if it is not declared. A secret's has a random end,
    /// here `-??????`; a log group's has no `:*`.
    #[must_use]
    pub fn arn(&self, kind: &str, name: &str) -> Option<String> {
        let project = &self.project;
        match kind {
            "oidc_provider" => self
                .oidc_providers
                .contains_key(name)
                .then(|| project.iam_arn(&format!("oidc-provider/{name}"))),
            "policy" => {
                let policy = self.policies.get(name)?;
                Some(project.iam_arn(&format!("policy{}{name}", policy.path)))
            }
            "role" => {
                let role = self.roles.get(name)?;
                Some(project.iam_arn(&format!("role{}{name}", role.path)))
            }
            "repository" => self
                .repositories
                .contains_key(name)
                .then(|| project.regional_arn("ecr", &format!("repository/{name}"))),
            "log_group" => self
                .log_groups
                .contains_key(name)
                .then(|| project.regional_arn("logs", &format!("log-group:{name}"))),
            "secret" => self
                .secrets
                .contains_key(name)
                .then(|| project.regional_arn("secretsmanager", &format!("secret:{name}-??????"))),
            "cluster" => self
                .clusters
                .contains_key(name)
                .then(|| project.regional_arn("ecs", &format!("cluster/{name}"))),
            "service" => {
                let service = self.services.get(name)?;
                let path = format!("service/{}/{}", service.cluster.name, service.name);
                Some(project.regional_arn("ecs", &path))
            }
            _ => None,
        }
    }

    /// The names in `services` of the services that were expanded for an environment, in order.
    pub fn services_of<'a>(&'a self, environment: &'a str) -> impl Iterator<Item = &'a str> {
        self.services
            .keys()
            .map(String::as_str)
            .filter(move |name| {
                self.declarations
                    .get(&format!("service/{name}"))
                    .is_some_and(|declaration| {
                        declaration.environment.as_deref() == Some(environment)
                    })
            })
    }
}

/// A message and a hint.
pub(super) type Fault = (String, String);

/// What AWS would refuse about the name of a resource.
pub(super) fn fault_of_name(kind: &str, name: &str) -> Option<Fault> {
    if name.is_empty() {
        return Some((
            format!("A {kind} has an empty name."),
            "Give it a name.".to_owned(),
        ));
    }
    match kind {
        "oidc_provider" => fault_of_issuer(name),
        // The pattern and the lengths of IAM's RoleName and PolicyName.
        "role" => fault(
            kind,
            name,
            64,
            is_iam_letter,
            "letters, digits and `_+=,.@-`",
        ),
        "policy" => fault(
            kind,
            name,
            128,
            is_iam_letter,
            "letters, digits and `_+=,.@-`",
        ),
        "repository" => fault_of_repository(name),
        "log_group" => fault_of_log_group(name),
        // Secrets Manager's limits.
        "secret" => fault(
            kind,
            name,
            512,
            is_secret_letter,
            "letters, digits and `/_+=.@-`",
        ),
        // ECS's limits of clusters, services, families and containers alike.
        _ => fault(
            kind,
            name,
            255,
            is_ecs_letter,
            "letters, digits, `_` and `-`",
        ),
    }
}

/// What is wrong with a name of at most `most` characters of one set.
pub(super) fn fault(
    kind: &str,
    name: &str,
    most: usize,
    allowed: fn(char) -> bool,
    letters: &str,
) -> Option<Fault> {
    let hint = || format!("A {kind}'s name has 1 to {most} {letters}.");
    if let Some(letter) = name.chars().find(|letter| !allowed(*letter)) {
        return Some((
            format!("`{letter}` cannot stand in the name of a {kind}."),
            hint(),
        ));
    }
    let length = name.chars().count();
    (length > most || length == 0).then(|| {
        (
            format!("The name of this {kind} has {length} characters; {most} are allowed."),
            hint(),
        )
    })
}

fn is_iam_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter)
}

fn is_secret_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "/_+=.@-".contains(letter)
}

/// The letters of the names of ECS.
pub(super) fn is_ecs_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || letter == '-'
}

fn fault_of_issuer(name: &str) -> Option<Fault> {
    if let Some(rest) = name
        .strip_prefix("https://")
        .or_else(|| name.strip_prefix("http://"))
    {
        let message = "An OIDC provider is named without `https://`.".to_owned();
        return Some((message, format!("Write [oidc_provider.\"{rest}\"].")));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "./-_~".contains(c);
    // IAM takes a URL of at most 255 characters, of which `https://` are 8.
    if name.len() > 247 || !name.chars().all(allowed) || !name.contains('.') || name.ends_with('/')
    {
        let hint = "Write the issuer's host and path, such as token.actions.githubusercontent.com.";
        return Some((
            format!("`{name}` is no issuer of an OIDC provider."),
            hint.to_owned(),
        ));
    }
    None
}

fn fault_of_repository(name: &str) -> Option<Fault> {
    let hint = || {
        "A repository's name has 2 to 256 lower-case letters and digits, with single `-`, `_`, `.` or `/` between them.".to_owned()
    };
    if let Some(letter) = name.chars().find(char::is_ascii_uppercase) {
        let lower = name.to_lowercase();
        let message = format!("`{letter}` cannot stand in the name of a repository.");
        return Some((message, format!("ECR takes lower case only: `{lower}`.")));
    }
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_./".contains(c);
    if let Some(letter) = name.chars().find(|letter| !allowed(*letter)) {
        return Some((
            format!("`{letter}` cannot stand in the name of a repository."),
            hint(),
        ));
    }
    let inner = |part: &str| {
        let edge =
            |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
        let doubled =
            |pair: (char, char)| !pair.0.is_ascii_alphanumeric() && !pair.1.is_ascii_alphanumeric();
        edge(part.chars().next())
            && edge(part.chars().last())
            && !part.chars().zip(part.chars().skip(1)).any(doubled)
    };
    if !(2..=256).contains(&name.len()) || !name.split('/').all(inner) {
        return Some((format!("`{name}` is no name of a repository."), hint()));
    }
    None
}

fn fault_of_log_group(name: &str) -> Option<Fault> {
    let letters = "letters, digits and `._/#-`";
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._/#-".contains(c);
    if name.starts_with("aws/") {
        let hint = "Names that begin with `aws/` are AWS's own; `/aws/...` is allowed.".to_owned();
        return Some((format!("`{name}` is no name of a log group."), hint));
    }
    fault("log group", name, 512, allowed, letters)
}

//! What infra.toml declares, by kind and name, before the tables themselves are read: the index
//! against which names and `{{KIND.NAME.arn}}` are resolved.

use std::collections::BTreeMap;

use super::diagnostic::nearest;
use super::model::{Github, Partition};
use crate::policy::Home;

/// The kinds of resources, in the order of KINDS.
pub(super) const KINDS: [&str; 8] = [
    "oidc_provider",
    "policy",
    "role",
    "repository",
    "log_group",
    "secret",
    "cluster",
    "service",
];

/// What a declared resource is called elsewhere.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) arn: String,
    pub(super) url: Option<String>,
}

/// The facts of the project that names are built from, and the names.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) project_name: String,
    pub(super) account_id: String,
    pub(super) region: String,
    pub(super) github: Option<Github>,
    names: BTreeMap<(&'static str, String), Named>,
}

impl Default for Declared {
    /// Stands in for a project that could not be read, so that the rest can be checked all the same.
    fn default() -> Self {
        Self {
            project_name: "project".to_owned(),
            account_id: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            github: None,
            names: BTreeMap::new(),
        }
    }
}

impl Declared {
    /// A project that is nobody's, with the account that AWS's documentation uses.
    pub(super) fn example() -> Self {
        Self {
            account_id: "123456789012".to_owned(),
            ..Self::default()
        }
    }

    /// The names by which others refer to a resource. `path` is IAM's; `service` is `CLUSTER/NAME` of a service.
    pub(super) fn named(&self, kind: &str, name: &str, path: &str, service: &str) -> Named {
        let arn = match kind {
            "oidc_provider" => self.iam_arn(&format!("oidc-provider/{name}")),
            "policy" => self.iam_arn(&format!("policy{path}{name}")),
            "role" => self.iam_arn(&format!("role{path}{name}")),
            "repository" => self.regional_arn("ecr", &format!("repository/{name}")),
            "log_group" => self.regional_arn("logs", &format!("log-group:{name}")),
            "secret" => self.regional_arn("secretsmanager", &format!("secret:{name}-??????")),
            "cluster" => self.regional_arn("ecs", &format!("cluster/{name}")),
            _ => self.regional_arn("ecs", &format!("service/{service}")),
        };
        let url = (kind == "repository").then(|| format!("{}/{name}", self.registry()));
        Named { arn, url }
    }

    /// The account and region that examples speak of.
    pub(super) fn home(&self) -> Home {
        Home {
            partition: self.partition().as_str().to_owned(),
            region: self.region.clone(),
            account: self.account_id.clone(),
        }
    }

    fn iam_arn(&self, resource: &str) -> String {
        let (partition, account) = (self.partition().as_str(), &self.account_id);
        format!("arn:{partition}:iam::{account}:{resource}")
    }

    pub(super) fn regional_arn(&self, service: &str, resource: &str) -> String {
        let (partition, account) = (self.partition().as_str(), &self.account_id);
        format!(
            "arn:{partition}:{service}:{}:{account}:{resource}",
            self.region
        )
    }

    fn registry(&self) -> String {
        let suffix = self.partition().dns_suffix();
        format!("{}.dkr.ecr.{}.{suffix}", self.account_id, self.region)
    }

    pub(super) fn partition(&self) -> Partition {
        Partition::of_region(&self.region)
    }

    pub(super) fn insert(&mut self, kind: &'static str, name: &str, named: Named) {
        self.names.insert((kind, name.to_owned()), named);
    }

    pub(super) fn get(&self, kind: &str, name: &str) -> Option<&Named> {
        let kind = KINDS.into_iter().find(|known| *known == kind)?;
        self.names.get(&(kind, name.to_owned()))
    }

    pub(super) fn names_of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a str> {
        self.names
            .keys()
            .filter(move |(other, _)| *other == kind)
            .map(|(_, name)| name.as_str())
    }

    /// What to do about a name that is not declared.
    pub(super) fn hint(&self, kind: &str, name: &str) -> String {
        match nearest(name, self.names_of(kind)) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("Declare it: [{kind}.{}].", table_key(name)),
        }
    }
}

/// A key as TOML writes it in a header.
pub(super) fn table_key(name: &str) -> String {
    let bare = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        format!("\"{name}\"")
    }
}

//! From a git ref to what runs: which subjects assume which roles, what these may do to declared resources, and which
//! services run from those. Each edge carries the statement that decides it and a request that shows it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::config::{Config, Image, TagMutability};
use crate::policy::{Document, Grants, Request, StatementRef, Witness};

use super::facts::Facts;
use super::github::{Family, GithubRepository, federated};
use super::holder::{Holder, State};
use super::requests::Requests;

/// What a holder could do to a declared resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    /// Put an image under any tag of a repository.
    Push,
    /// Change what a service runs.
    Update,
    /// Give a role to something that runs.
    Pass,
    /// Change what a role may do or who may assume it.
    EditRole,
    /// Change what a policy says.
    EditPolicy,
}

impl Power {
    /// Every power.
    pub const ALL: [Self; 5] = [
        Self::Push,
        Self::Update,
        Self::Pass,
        Self::EditRole,
        Self::EditPolicy,
    ];

    /// Any of these actions gives it.
    #[must_use]
    pub fn actions(self) -> &'static [&'static str] {
        match self {
            Self::Push => &["ecr:PutImage"],
            Self::Update => &[
                "ecs:UpdateService",
                "ecs:CreateTaskSet",
                "ecs:UpdateServicePrimaryTaskSet",
            ],
            Self::Pass => &["iam:PassRole"],
            Self::EditRole => &[
                "iam:AttachRolePolicy",
                "iam:PutRolePolicy",
                "iam:UpdateAssumeRolePolicy",
                "iam:DetachRolePolicy",
                "iam:DeleteRolePolicy",
                "iam:DeleteRolePermissionsBoundary",
                "iam:PutRolePermissionsBoundary",
            ],
            Self::EditPolicy => &["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"],
        }
    }

    /// The power in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Push => "push images to",
            Self::Update => "update",
            Self::Pass => "pass",
            Self::EditRole => "change the permissions or the trust of",
            Self::EditPolicy => "edit",
        }
    }
}

/// A declared resource that somebody may have power over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Its address.
    pub address: String,
    /// Its ARN.
    pub arn: String,
    /// The power.
    pub power: Power,
}

/// A power that somebody has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Grant {
    /// The power.
    pub power: Power,
    /// The address of the resource.
    pub resource: String,
    /// The policy that gives it.
    pub policy: String,
    /// The statement.
    pub statement: StatementRef,
    /// A request that shows it.
    pub request: Request,
}

/// A way from a git ref to a role.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Edge {
    /// `OWNER/NAME`.
    pub repository: String,
    /// The subjects, in words.
    pub subjects: String,
    /// Whether anybody who may push can be such a subject.
    #[serde(skip)]
    pub anybody: bool,
    /// The role's address.
    pub role: String,
    /// The statement of its trust policy.
    pub statement: StatementRef,
    /// The subject of a sample token.
    pub token: String,
    /// Whether this holds only once the letter case of the trust policy is mended.
    pub mended: bool,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Graph {
    /// Subjects → roles.
    pub edges: Vec<Edge>,
    /// Role → what it may do.
    pub grants: BTreeMap<String, Vec<Grant>>,
    /// Repository → the services that run from it.
    pub services: BTreeMap<String, Vec<String>>,
    /// The services of production.
    pub production: BTreeSet<String>,
    /// The repositories in which some tag can be moved.
    pub movable: BTreeSet<String>,
    /// Repository → the tags that the services of production wait for.
    pub production_tags: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    /// Whether a role could change what runs in production, and by which grant.
    #[must_use]
    pub fn reaches_production(&self, role: &str) -> Option<&Grant> {
        self.to_production(role).next()
    }

    /// Every grant by which a role could.
    pub fn to_production(&self, role: &str) -> impl Iterator<Item = &Grant> {
        let grants = self.grants.get(role).into_iter().flatten();
        grants.filter(|grant| match grant.power {
            Power::Update => self.production.contains(&grant.resource),
            Power::Push => self.services.get(&grant.resource).is_some_and(|services| {
                services
                    .iter()
                    .any(|service| self.production.contains(service))
            }),
            Power::Pass | Power::EditRole | Power::EditPolicy => false,
        })
    }
}

impl Facts<'_> {
    /// Every declared resource that matters, with the power over it.
    #[must_use]
    pub fn targets(&self) -> Vec<Target> {
        let config = self.config;
        let mut out = Vec::new();
        let mut add = |kind: &str, name: &String, power| {
            out.extend(config.arn(kind, name).map(|arn| Target {
                address: format!("{kind}/{name}"),
                arn,
                power,
            }));
        };
        for name in config.repositories.keys() {
            add("repository", name, Power::Push);
        }
        for name in config.services.keys() {
            add("service", name, Power::Update);
        }
        for name in config.roles.keys() {
            add("role", name, Power::Pass);
            add("role", name, Power::EditRole);
        }
        for name in config.policies.keys() {
            add("policy", name, Power::EditPolicy);
        }
        out
    }

    /// What one state of a holder may do to these resources.
    #[must_use]
    pub fn grants(&self, state: &State, targets: &[Target]) -> Vec<Grant> {
        let mut out = Vec::new();
        for power in Power::ALL {
            let wanted: Vec<&Target> = targets
                .iter()
                .filter(|target| {
                    target.power == power && state.mentions(power.actions(), &[&target.arn])
                })
                .collect();
            for target in wanted {
                for witness in state
                    .may(power.actions(), &[&target.arn])
                    .into_iter()
                    .take(1)
                {
                    let policy = state
                        .held(&witness)
                        .map(|held| held.name.clone())
                        .unwrap_or_default();
                    let Witness {
                        request, statement, ..
                    } = witness;
                    out.push(Grant {
                        power,
                        resource: target.address.clone(),
                        policy,
                        statement,
                        request,
                    });
                }
            }
        }
        out
    }

    /// The graph of all roles that some GitHub token may assume.
    #[must_use]
    pub fn graph(&self, trusts: &[TrustText<'_>]) -> Graph {
        let mut graph = Graph {
            edges: Vec::new(),
            grants: BTreeMap::new(),
            services: services(self.config),
            production: production(self.config),
            movable: movable(self.config),
            production_tags: production_tags(self.config),
        };
        let targets = self.targets();
        for trust in trusts {
            let edges = self.edges(trust);
            let address = &trust.role.address;
            if !edges.is_empty() && !graph.grants.contains_key(address) {
                let grants = trust
                    .role
                    .now()
                    .map(|state| self.grants(state, &targets))
                    .unwrap_or_default();
                graph.grants.insert(address.clone(), grants);
            }
            for edge in edges {
                let known = graph.edges.iter().any(|one| {
                    (&one.role, &one.repository, &one.subjects)
                        == (&edge.role, &edge.repository, &edge.subjects)
                });
                if !known {
                    graph.edges.push(edge);
                }
            }
        }
        graph
    }

    fn edges(&self, trust: &TrustText<'_>) -> Vec<Edge> {
        let providers: Vec<String> = trust
            .document
            .statements()
            .iter()
            .flat_map(federated)
            .collect();
        let mut out = Vec::new();
        for repository in &trust.repositories {
            for (family, witness) in self.families(trust.document, &providers, repository) {
                out.push(Edge {
                    repository: repository.full_name(),
                    subjects: family.words(),
                    anybody: family.is_anybodys(),
                    role: trust.role.address.clone(),
                    token: subject(&witness.request).unwrap_or_default(),
                    statement: witness.statement,
                    mended: trust.mended,
                });
            }
        }
        out
    }

    /// The families of a repository's own tokens that a trust policy lets in, each with a token of it.
    pub(super) fn families(
        &self,
        trust: &Document,
        providers: &[String],
        repository: &GithubRepository,
    ) -> Vec<(Family, Witness)> {
        let environments = self.config.environments.iter();
        let environments: Vec<String> = environments.map(|one| one.name.clone()).collect();
        let grants = Grants::of(trust);
        let passing = |tokens: &Requests| {
            let found = Requests::witnesses(&grants, &[tokens], &[]);
            found.into_iter().next()
        };
        let families = Family::all(self.default_branch(), &environments).into_iter();
        families
            .filter_map(|family| {
                let one = passing(&family.any(providers, repository));
                let found = one.or_else(|| passing(&family.tokens(providers, repository)))?;
                Some((family, found))
            })
            .collect()
    }

    /// GitHub's default branch: as GitHub says, else `main`.
    #[must_use]
    pub fn default_branch(&self) -> &str {
        let github = self.account.github.as_ref();
        github
            .and_then(|facts| facts.default_branch.as_deref())
            .unwrap_or("main")
    }
}

/// A trust policy to follow.
#[derive(Clone, Debug)]
pub struct TrustText<'a> {
    /// The role.
    pub role: &'a Holder,
    /// The policy.
    pub document: &'a crate::policy::Document,
    /// Whether its letter case was mended.
    pub mended: bool,
    /// The repositories that it names.
    pub repositories: Vec<GithubRepository>,
}

/// The subject of a request's token.
#[must_use]
pub fn subject(request: &Request) -> Option<String> {
    request
        .context
        .get(&super::github::key("sub"))
        .and_then(|values| values.first())
        .cloned()
}

/// The addresses of the declared repositories whose tags are not all immutable.
fn movable(config: &Config) -> BTreeSet<String> {
    let all = config.repositories.iter();
    all.filter(|(_, repository)| repository.image_tag_mutability != TagMutability::Immutable)
        .map(|(name, _)| format!("repository/{name}"))
        .collect()
}

/// Repository addresses → the tags that the containers of production's services name.
fn production_tags(config: &Config) -> BTreeMap<String, BTreeSet<String>> {
    let mut out: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for address in production(config) {
        let key = address.strip_prefix("service/").unwrap_or_default();
        let Some(service) = config.services.get(key) else {
            continue;
        };
        for container in service.task.container.values() {
            if let Image::Repository { name, tag } = &container.image {
                let tags = out.entry(format!("repository/{name}")).or_default();
                tags.insert(tag.clone());
            }
        }
    }
    out
}

/// Repository addresses → the addresses of the declared services whose images come from them.
fn services(config: &Config) -> BTreeMap<String, Vec<String>> {
    let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, service) in &config.services {
        let mut repositories: BTreeSet<String> = BTreeSet::new();
        for container in service.task.container.values() {
            match &container.image {
                Image::Repository { name, .. } => {
                    repositories.insert(name.clone());
                }
                Image::Fixed(text) => {
                    let name = text
                        .split_once('/')
                        .map_or("", |(_, rest)| rest.split([':', '@']).next().unwrap_or(""));
                    if config.repositories.contains_key(name) {
                        repositories.insert(name.to_owned());
                    }
                }
            }
        }
        for name in repositories {
            out.entry(format!("repository/{name}"))
                .or_default()
                .push(format!("service/{key}"));
        }
    }
    out
}

/// The environments at the end of a promotion; without any promotion, those that are called production; without those,
/// all of them.
#[must_use]
pub fn production_environments(config: &Config) -> BTreeSet<&str> {
    let before: BTreeSet<&str> = config
        .environments
        .iter()
        .filter_map(|one| one.after.as_deref())
        .collect();
    let last = config
        .environments
        .iter()
        .filter(|one| one.after.is_some() && !before.contains(one.name.as_str()));
    let last: BTreeSet<&str> = last.map(|one| one.name.as_str()).collect();
    if !last.is_empty() {
        return last;
    }
    let named = |name: &str| {
        matches!(
            name.to_ascii_lowercase().as_str(),
            "production" | "prod" | "live"
        )
    };
    let all: BTreeSet<&str> = config
        .environments
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    let called: BTreeSet<&str> = all.iter().copied().filter(|name| named(name)).collect();
    if called.is_empty() { all } else { called }
}

/// The addresses of the services of production; every service where nothing is said of environments.
#[must_use]
pub fn production(config: &Config) -> BTreeSet<String> {
    let environments = production_environments(config);
    let of = |key: &str| -> Option<&str> {
        config
            .declarations
            .get(&format!("service/{key}"))?
            .environment
            .as_deref()
    };
    config
        .services
        .keys()
        .filter(|key| of(key).is_none_or(|environment| environments.contains(environment)))
        .map(|key| format!("service/{key}"))
        .collect()
}

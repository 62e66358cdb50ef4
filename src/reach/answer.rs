//! `can` and `who-can`: the holders that may make a request, and the git refs that become them.

use serde_json::json;

use crate::policy::{
    Decision, Document, Grants, PolicyKind, Request, RequestPrincipal, StatementRef, Witness,
    evaluate,
};

use super::facts::Facts;
use super::github::{AUDIENCE, Family, GithubRepository, federated, key};
use super::graph::subject;
use super::holder::{Holder, State};
use super::requests::Requests;

/// A way in for a git ref.
#[derive(Clone, Debug, PartialEq)]
pub struct Door {
    /// The repository and the subjects, in words.
    pub subjects: String,
    /// The statement of the trust policy.
    pub statement: StatementRef,
    /// The subject of a sample token.
    pub token: String,
}

/// Somebody who may, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Permit {
    /// The holder's address.
    pub who: String,
    /// The git refs that become the holder.
    pub door: Vec<Door>,
    /// The policy that allows it.
    pub policy: String,
    /// The statement.
    pub statement: StatementRef,
    /// A request that is allowed.
    pub request: Request,
}

impl Facts<'_> {
    /// A resource as an ARN: what is one, `*` and patterns are left; an address or the name of something that is
    /// declared or there is resolved, the name by the service of the action. `None` of anything else.
    #[must_use]
    pub fn resource(&self, action: &str, text: &str) -> Option<String> {
        if text == "*" || text.starts_with("arn:") {
            return Some(text.to_owned());
        }
        let service = action.split(':').next().unwrap_or_default();
        let (kind, name) = match text.split_once('/') {
            Some((kind, name)) if self.config.declarations.contains_key(text) || is_kind(kind) => {
                (kind, name)
            }
            _ => (self.kind_of(service, text), text),
        };
        self.knows(kind, name).then(|| self.arn_of(kind, name))
    }

    /// Whether a resource is declared, or there.
    fn knows(&self, kind: &str, name: &str) -> bool {
        let account = self.account;
        self.config
            .declarations
            .contains_key(&format!("{kind}/{name}"))
            || match kind {
                "repository" => account.repositories.contains_key(name),
                "role" => account.roles.values().any(|role| role.name == name),
                "policy" => account.policies.contains_key(&self.arn_of(kind, name)),
                "oidc_provider" => account.providers.contains_key(&self.arn_of(kind, name)),
                "log_group" => account.log_groups.contains_key(name),
                "secret" => account.secrets.contains_key(name),
                "cluster" => account.clusters.iter().any(|cluster| cluster == name),
                "service" => account.services.contains_key(name),
                _ => false,
            }
    }

    fn arn_of(&self, kind: &str, name: &str) -> String {
        match kind {
            "repository" => self.arn("ecr", &format!("repository/{name}")),
            "role" => {
                let path = self
                    .config
                    .roles
                    .get(name)
                    .map_or("/", |role| role.path.as_str());
                self.arn("iam", &format!("role{path}{name}"))
            }
            "policy" => {
                let path = self
                    .config
                    .policies
                    .get(name)
                    .map_or("/", |policy| policy.path.as_str());
                self.arn("iam", &format!("policy{path}{name}"))
            }
            "oidc_provider" => self.arn("iam", &format!("oidc-provider/{name}")),
            "log_group" => self.arn("logs", &format!("log-group:{name}:*")),
            "secret" => self.arn("secretsmanager", &format!("secret:{name}-??????")),
            "cluster" => self.arn("ecs", &format!("cluster/{name}")),
            "service" => match self.config.services.get(name) {
                Some(service) => self.arn(
                    "ecs",
                    &format!("service/{}/{}", service.cluster.name, service.name),
                ),
                None => self.arn("ecs", &format!("service/{name}")),
            },
            _ => String::new(),
        }
    }

    fn kind_of(&self, service: &str, name: &str) -> &'static str {
        match service {
            "ecr" => "repository",
            "iam" if self.config.policies.contains_key(name) => "policy",
            "iam" | "sts" => "role",
            "ecs" if self.config.clusters.contains_key(name) => "cluster",
            "ecs" => "service",
            "logs" => "log_group",
            "secretsmanager" => "secret",
            _ => "",
        }
    }

    /// How a subject may make a request; nothing where it may not.
    ///
    /// # Errors
    /// The subject is nobody that is known: a sentence.
    pub fn can(&self, subject: &str, action: &str, resource: &str) -> Result<Vec<Permit>, String> {
        if subject.starts_with("repo:") || subject.starts_with("repository") {
            return Ok(self.token_can(subject, action, resource));
        }
        let named = |holder: &&Holder| {
            [&holder.address, &holder.arn, &holder.name].contains(&&subject.to_owned())
        };
        let Some(holder) = self.holders.iter().find(named) else {
            return Err(format!(
                "There is no role or user {subject} in the account or in infra.toml."
            ));
        };
        Ok(self.permits(holder, action, resource))
    }

    fn token_can(&self, subject: &str, action: &str, resource: &str) -> Vec<Permit> {
        let mut out = Vec::new();
        for role in self.roles() {
            let Some(state) = role.now() else { continue };
            let Some(witness) = lets_in(state, subject) else {
                continue;
            };
            for mut permit in self.permits(role, action, resource) {
                let token = subject.to_owned();
                permit.door = vec![Door {
                    subjects: token.clone(),
                    statement: witness.statement.clone(),
                    token,
                }];
                out.push(permit);
            }
        }
        out
    }

    fn permits(&self, holder: &Holder, action: &str, resource: &str) -> Vec<Permit> {
        let Some(state) = holder.now() else {
            return Vec::new();
        };
        let request = Request {
            principal: RequestPrincipal::Aws(holder.arn.clone()),
            action: action.to_owned(),
            resource: resource.to_owned(),
            context: crate::policy::Context::new(),
        };
        let mut out = Vec::new();
        let policy = self.repository_policy(resource);
        match policy.as_ref().map(|policy| evaluate(policy, &request)) {
            Some(Decision::Denied(_)) => return Vec::new(),
            Some(Decision::Allowed(statements)) => {
                let statement = statements.into_iter().next();
                out.extend(statement.map(|statement| Permit {
                    who: holder.address.clone(),
                    door: Vec::new(),
                    policy: "the repository policy".to_owned(),
                    statement,
                    request: request.clone(),
                }));
            }
            Some(Decision::NotAllowed) | None => {}
        }
        out.extend(
            state
                .may(&[action], &[resource])
                .into_iter()
                .map(|witness| {
                    let policy = state
                        .held(&witness)
                        .map(|held| held.name.clone())
                        .unwrap_or_default();
                    let Witness {
                        request, statement, ..
                    } = witness;
                    Permit {
                        who: holder.address.clone(),
                        door: Vec::new(),
                        policy,
                        statement,
                        request,
                    }
                }),
        );
        out
    }

    /// The policy of the repository that a resource is: the live one, else the declared one.
    fn repository_policy(&self, resource: &str) -> Option<Document> {
        let (_, name) = resource.split_once(":repository/")?;
        let live = self
            .account
            .repositories
            .get(name)
            .and_then(|repository| repository.policy.as_ref());
        if let Some(text) = live {
            return Document::read(text, PolicyKind::Resource).ok();
        }
        let declared = self.config.repositories.get(name)?.policy.as_ref()?;
        Some(declared.document.clone())
    }

    /// Everyone who may make such a request, with the git refs behind each role.
    #[must_use]
    pub fn who_can(&self, action: &str, resource: &str) -> Vec<Permit> {
        let mut out = Vec::new();
        for holder in &self.holders {
            for mut permit in self.permits(holder, action, resource) {
                permit.door = self.doors(holder);
                out.push(permit);
            }
        }
        out
    }

    fn doors(&self, holder: &Holder) -> Vec<Door> {
        let Some(trust) = holder.now().and_then(|state| state.trust.as_ref()) else {
            return Vec::new();
        };
        let providers: Vec<String> = trust
            .document
            .statements()
            .iter()
            .flat_map(federated)
            .collect();
        let Some(repository) =
            GithubRepository::declared(self.config).filter(|_| !providers.is_empty())
        else {
            return Vec::new();
        };
        let environments: Vec<String> = self
            .config
            .environments
            .iter()
            .map(|one| one.name.clone())
            .collect();
        let grants = Grants::of(&trust.document);
        let mut out = Vec::new();
        for family in Family::all(self.default_branch(), &environments) {
            let tokens = family.tokens(&providers, &repository);
            let found = Requests::witnesses(&grants, &[&tokens], &[]);
            out.extend(found.into_iter().next().map(|witness| Door {
                subjects: format!("{} of {}", family.words(), repository.full_name()),
                token: subject(&witness.request).unwrap_or_default(),
                statement: witness.statement,
            }));
        }
        let elsewhere = Requests::tokens(
            &providers,
            &[json!({ "StringLike": { key("sub"): "repo:*" } })],
        );
        let ours = Requests::tokens(
            &providers,
            &[json!({ "StringLike": { key("sub"): repository.subjects() } })],
        );
        let others = Requests::witnesses(&grants, &[&elsewhere], &[&ours]);
        out.extend(others.into_iter().next().map(|witness| Door {
            subjects: "other repositories".to_owned(),
            token: subject(&witness.request).unwrap_or_default(),
            statement: witness.statement,
        }));
        out
    }
}

/// A token of this subject that the role's trust policy lets in.
fn lets_in(state: &State, subject: &str) -> Option<Witness> {
    let trust = state.trust.as_ref()?;
    let providers: Vec<String> = trust
        .document
        .statements()
        .iter()
        .flat_map(federated)
        .collect();
    if providers.is_empty() {
        return None;
    }
    let tokens = Requests::tokens(
        &providers,
        &[json!({ "StringEquals": { key("sub"): subject, key("aud"): AUDIENCE } })],
    );
    Requests::witnesses(&Grants::of(&trust.document), &[&tokens], &[])
        .into_iter()
        .next()
}

fn is_kind(text: &str) -> bool {
    const KINDS: &[&str] = &[
        "oidc_provider",
        "policy",
        "role",
        "repository",
        "log_group",
        "secret",
        "cluster",
        "service",
    ];
    KINDS.contains(&text)
}

//! `can` and `who-can`: the holders that may make a request, and the git refs that become them.

use serde_json::{Value, json};

use crate::policy::{
    Decision, Document, Grants, PolicyKind, Request, RequestPrincipal, Statement, StatementRef,
    Witness, evaluate,
};

use super::facts::Facts;
use super::github::{AUDIENCE, GithubRepository, federated, key, mend};
use super::graph::subject;
use super::holder::Holder;
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
    /// Whether this holds only once the letter case of the trust policy is mended.
    pub mended: bool,
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
        let arn = self.account.arn(self.config, kind, name)?;
        // What is done with a group is done with what is in it.
        Some(if kind == "log_group" { arn + ":*" } else { arn })
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
            let Some((witness, mended)) = self.lets_in(role, subject) else {
                continue;
            };
            for mut permit in self.permits(role, action, resource) {
                let token = subject.to_owned();
                permit.door = vec![Door {
                    subjects: token.clone(),
                    statement: witness.statement.clone(),
                    token,
                    mended,
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
        let Some((trust, providers)) = trusted(holder) else {
            return Vec::new();
        };
        let Some(repository) = self.repository() else {
            return Vec::new();
        };
        let mut out = self.own_doors(trust, &providers, &repository);
        if let Some(mended) = self.mended(trust) {
            let mended = self.own_doors(&mended, &providers, &repository).into_iter();
            let new: Vec<Door> = mended
                .filter(|door| out.iter().all(|known| known.subjects != door.subjects))
                .map(|door| Door {
                    mended: true,
                    ..door
                })
                .collect();
            out.extend(new);
        }
        out.extend(other_door(trust, &providers, &repository));
        out
    }

    /// The families of the repository's own tokens that a trust policy lets in.
    fn own_doors(
        &self,
        trust: &Document,
        providers: &[String],
        repository: &GithubRepository,
    ) -> Vec<Door> {
        let families = self.families(trust, providers, repository).into_iter();
        families
            .map(|(family, witness)| Door {
                subjects: format!("{} of {}", family.words(), repository.full_name()),
                token: subject(&witness.request).unwrap_or_default(),
                statement: witness.statement,
                mended: false,
            })
            .collect()
    }

    /// A token of this subject that the role's trust policy lets in, as it is or with its letter case mended.
    fn lets_in(&self, role: &Holder, subject: &str) -> Option<(Witness, bool)> {
        let (trust, providers) = trusted(role)?;
        let condition = json!({ "StringEquals": { key("sub"): subject, key("aud"): AUDIENCE } });
        let tokens = Requests::tokens(&providers, &[condition]);
        let passing = |document: &Document| {
            let found = Requests::witnesses(&Grants::of(document), &[&tokens], &[]);
            found.into_iter().next()
        };
        if let Some(witness) = passing(trust) {
            return Some((witness, false));
        }
        let mended = self.mended(trust)?;
        passing(&mended).map(|witness| (witness, true))
    }

    /// The trust policy with its letter case mended, where that is another one.
    fn mended(&self, trust: &Document) -> Option<Document> {
        mend(trust, &self.repository()?)
    }
}

/// The trust policy that holds now, where it names GitHub's provider.
fn trusted(holder: &Holder) -> Option<(&Document, Vec<String>)> {
    let trust = &*holder.now()?.trust.as_ref()?.document;
    let providers: Vec<String> = trust.statements().iter().flat_map(federated).collect();
    (!providers.is_empty()).then_some((trust, providers))
}

/// The tokens of other repositories that a trust policy lets in.
fn other_door(
    trust: &Document,
    providers: &[String],
    repository: &GithubRepository,
) -> Option<Door> {
    let like = |patterns: &Value| {
        let condition = json!({ "StringLike": { key("sub"): patterns } });
        Requests::tokens(providers, &[condition])
    };
    // GitHub's names do not differ by letter case: another spelling of the repository is no other one, and no token
    // has it.
    let mut ours = repository.subjects();
    ours.extend(
        trust
            .statements()
            .iter()
            .flat_map(|statement| spellings(statement, repository)),
    );
    let found = Requests::witnesses(
        &Grants::of(trust),
        &[&like(&json!("repo:*"))],
        &[&like(&json!(ours))],
    );
    found.into_iter().next().map(|witness| Door {
        subjects: "other repositories".to_owned(),
        token: subject(&witness.request).unwrap_or_default(),
        statement: witness.statement,
        mended: false,
    })
}

/// The subjects of the repository in other letter cases, as a statement writes them.
fn spellings(statement: &Statement, repository: &GithubRepository) -> Vec<String> {
    let meant = format!("repo:{}:", repository.full_name());
    let values = statement
        .conditions
        .iter()
        .flat_map(|condition| &condition.values);
    let starts = values.filter_map(|value| value.get(..meant.len()));
    starts
        .filter(|start| start.eq_ignore_ascii_case(&meant))
        .map(|start| format!("{start}*"))
        .collect()
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

#[cfg(test)]
mod tests {
    use crate::config;
    use crate::reach::{Account, Role, Service};

    use super::*;

    #[test]
    fn a_resource_is_the_one_that_is_there_wherever_its_path_leads() {
        let text = r#"
            [project]
            name = "p"
            account_id = "123456789012"
            region = "eu-west-1"
            [role.declared]
            path = "/ci/"
            trust = { service = "ecs-tasks.amazonaws.com" }
            [log_group."/app"]
        "#;
        let config = config::parse("infra.toml", text, &mut |_| Ok(String::new())).unwrap();
        let mut account = Account::empty("123456789012", "eu-west-1", "aws");
        let ask = |account: &Account, action: &str, text: &str| {
            Facts::new(&config, account).resource(action, text)
        };
        let iam = |path: &str| Some(format!("arn:aws:iam::123456789012:role{path}"));
        let pass = "iam:PassRole";
        assert_eq!(ask(&account, pass, "role/declared"), iam("/ci/declared"));
        assert_eq!(ask(&account, pass, "legacy"), None);
        assert_eq!(
            ask(&account, "logs:PutLogEvents", "/app").as_deref(),
            Some("arn:aws:logs:eu-west-1:123456789012:log-group:/app:*")
        );
        for name in ["declared", "legacy"] {
            let role = Role {
                name: name.to_owned(),
                trust: r#"{"Statement": []}"#.to_owned(),
                ..Role::default()
            };
            let arn = iam(&format!("/elsewhere/deep/{name}")).unwrap();
            account.roles.insert(arn, role);
        }
        let service = Service {
            arn: "arn:aws:ecs:eu-west-1:123456789012:service/main/web".to_owned(),
            task_definition: String::new(),
        };
        account.services.insert("web".to_owned(), service);
        assert_eq!(ask(&account, pass, "legacy"), iam("/elsewhere/deep/legacy"));
        assert_eq!(
            ask(&account, pass, "role/declared"),
            iam("/elsewhere/deep/declared")
        );
        let service = ask(&account, "ecs:UpdateService", "web");
        assert!(service.unwrap().ends_with(":service/main/web"));
    }
}

//! Everything that the audit and `can` look at, parsed once: infra.toml, the account, and every holder's documents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::config::{Config, Role as DeclaredRole, SourceDocument};
use crate::policy::{Document, PolicyKind};

use super::account::{Account, Permissions, Role};
use super::github::GithubRepository;
use super::holder::{Held, Holder, HolderKind, Origin, State};

/// What is known.
#[derive(Debug)]
pub struct Facts<'a> {
    /// What is declared.
    pub config: &'a Config,
    /// What is there.
    pub account: &'a Account,
    /// Roles, then users, each by name.
    pub holders: Vec<Holder>,
    /// Documents that cannot be read: whose, and why.
    pub unreadable: Vec<(String, String)>,
}

impl<'a> Facts<'a> {
    /// Reads every document of the account and of infra.toml.
    #[must_use]
    pub fn new(config: &'a Config, account: &'a Account) -> Self {
        let mut reader = Reader {
            config,
            account,
            managed: BTreeMap::new(),
            trusts: BTreeMap::new(),
            unreadable: Vec::new(),
        };
        reader.read_managed();
        let mut holders = reader.roles();
        holders.extend(reader.users());
        Self {
            config,
            account,
            holders,
            unreadable: reader.unreadable,
        }
    }

    /// The repository of `[github]`, in GitHub's letter case and with GitHub's ids where it was asked.
    #[must_use]
    pub fn repository(&self) -> Option<GithubRepository> {
        let declared = self.config.github.clone()?;
        let github = self.account.github.as_ref();
        let Some((github, (owner, name))) = github
            .filter(|github| {
                github
                    .repository
                    .eq_ignore_ascii_case(&declared.full_name())
            })
            .and_then(|github| Some((github, github.repository.split_once('/')?)))
        else {
            return Some(declared);
        };
        Some(GithubRepository {
            owner: owner.to_owned(),
            name: name.to_owned(),
            owner_id: github.owner_id.or(declared.owner_id),
            repository_id: github.repository_id.or(declared.repository_id),
        })
    }

    /// The roles.
    pub fn roles(&self) -> impl Iterator<Item = &Holder> {
        self.holders
            .iter()
            .filter(|holder| holder.kind == HolderKind::Role)
    }

    /// The holder with this address or ARN.
    #[must_use]
    pub fn holder(&self, name: &str) -> Option<&Holder> {
        self.holders
            .iter()
            .find(|holder| holder.address == name || holder.arn == name)
    }

    /// Every declared and every live trust policy, with its role.
    pub fn trusts(&self) -> impl Iterator<Item = (&Holder, &State, &Held)> {
        self.roles().flat_map(|role| {
            role.states
                .iter()
                .filter_map(move |state| state.trust.as_ref().map(|trust| (role, state, trust)))
        })
    }
}

struct Reader<'a> {
    config: &'a Config,
    account: &'a Account,
    managed: BTreeMap<&'a str, Arc<Document>>,
    /// Trust policies by their texts: most of an account's roles are made from a few.
    trusts: BTreeMap<&'a str, Arc<Document>>,
    unreadable: Vec<(String, String)>,
}

impl<'a> Reader<'a> {
    fn read_managed(&mut self) {
        let account = self.account;
        for (arn, policy) in &account.policies {
            if let Some(document) = self.parse(arn, &policy.document, PolicyKind::Identity) {
                self.managed.insert(arn, Arc::new(document));
            }
        }
    }

    fn parse(&mut self, whose: &str, text: &str, kind: PolicyKind) -> Option<Document> {
        match Document::read(text, kind) {
            Ok(document) => Some(document.at_home(&self.config.project.home())),
            Err(errors) => {
                let reason = errors
                    .into_iter()
                    .next()
                    .map(|error| error.message)
                    .unwrap_or_default();
                self.unreadable.push((whose.to_owned(), reason));
                None
            }
        }
    }

    fn roles(&mut self) -> Vec<Holder> {
        let (config, account) = (self.config, self.account);
        let mut live: BTreeMap<String, (&String, &Role)> = BTreeMap::new();
        for (arn, role) in &account.roles {
            live.insert(role.name.to_ascii_lowercase(), (arn, role));
        }
        let mut names: BTreeSet<&str> = config.roles.keys().map(String::as_str).collect();
        names.extend(account.roles.values().map(|role| role.name.as_str()));
        let mut out: Vec<Holder> = Vec::new();
        for name in names {
            let declared = config.roles.get(name);
            let there = live.get(&name.to_ascii_lowercase()).copied();
            let shadow = config
                .roles
                .keys()
                .any(|other| other != name && other.eq_ignore_ascii_case(name));
            if declared.is_none() && shadow {
                continue;
            }
            out.push(self.role(name, declared, there));
        }
        out
    }

    fn role(
        &mut self,
        name: &str,
        declared: Option<&'a DeclaredRole>,
        live: Option<(&String, &'a Role)>,
    ) -> Holder {
        let address = format!("role/{name}");
        let mut states = Vec::new();
        if let Some(role) = declared {
            states.push(self.declared_state(role));
        }
        if let Some((arn, role)) = live {
            let state = self.live_role(arn, role);
            if !states.first().is_some_and(|declared| declared.same(&state)) {
                states.push(state);
            }
        }
        let arn = live.map(|(arn, _)| arn.clone());
        let arn = arn.or_else(|| self.config.arn("role", name));
        Holder {
            address,
            arn: arn.unwrap_or_default(),
            name: name.to_owned(),
            kind: HolderKind::Role,
            declared: declared.is_some(),
            states,
        }
    }

    fn declared_state(&self, role: &'a DeclaredRole) -> State {
        let held = |name: String, source: &SourceDocument| Held {
            name,
            path: Some(source.path.clone()),
            document: Arc::new(source.document.clone()),
        };
        let mut unknown = Vec::new();
        let mut managed = |reference: &crate::config::PolicyReference| {
            let declared = reference
                .declared
                .as_ref()
                .and_then(|name| Some((name, self.config.policies.get(name)?)));
            let found = match declared {
                Some((name, policy)) => Some(held(format!("policy/{name}"), &policy.document)),
                None => self.managed(&reference.arn),
            };
            if found.is_none() {
                unknown.push(reference.arn.clone());
            }
            found
        };
        let mut policies: Vec<Held> = role
            .managed_policies
            .iter()
            .filter_map(&mut managed)
            .collect();
        let boundary = role.permissions_boundary.as_ref().map(&mut managed);
        for (name, source) in &role.inline_policies {
            policies.push(held(format!("inline policy {name}"), source));
        }
        let trust = Some(held("trust policy".to_owned(), &role.trust));
        State {
            origin: Origin::Declared,
            trust,
            policies,
            boundary,
            unknown,
        }
    }

    fn managed(&self, arn: &str) -> Option<Held> {
        let document = self.managed.get(arn)?.clone();
        Some(Held {
            name: self.policy_name(arn),
            path: None,
            document,
        })
    }

    fn policy_name(&self, arn: &str) -> String {
        let name = arn.rsplit('/').next().unwrap_or(arn);
        if self.config.policies.contains_key(name) {
            format!("policy/{name}")
        } else {
            arn.to_owned()
        }
    }

    fn live_role(&mut self, arn: &str, role: &'a Role) -> State {
        let mut state = self.permissions(arn, &[&role.permissions]);
        let known = self.trusts.get(role.trust.as_str()).cloned();
        let trust = known.or_else(|| {
            let document = Arc::new(self.parse(arn, &role.trust, PolicyKind::Trust)?);
            self.trusts.insert(&role.trust, document.clone());
            Some(document)
        });
        state.trust = trust.map(|document| Held {
            name: "trust policy".to_owned(),
            path: None,
            document,
        });
        state
    }

    /// The first of the permissions is the holder's own, with the boundary; the others are those of its groups.
    fn permissions(&mut self, whose: &str, all: &[&'a Permissions]) -> State {
        let mut policies = Vec::new();
        let mut unknown = Vec::new();
        for permissions in all {
            for arn in &permissions.managed_policies {
                match self.managed(arn) {
                    Some(held) => policies.push(held),
                    None => unknown.push(arn.clone()),
                }
            }
            for (name, text) in &permissions.inline_policies {
                if let Some(document) = self.parse(whose, text, PolicyKind::Identity) {
                    let name = format!("inline policy {name}");
                    policies.push(Held {
                        name,
                        path: None,
                        document: Arc::new(document),
                    });
                }
            }
        }
        let boundary = all
            .first()
            .and_then(|own| own.boundary.as_ref())
            .map(|arn| {
                let held = self.managed(arn);
                if held.is_none() {
                    unknown.push(arn.clone());
                }
                held
            });
        State {
            origin: Origin::Live,
            trust: None,
            policies,
            boundary,
            unknown,
        }
    }

    fn users(&mut self) -> Vec<Holder> {
        let account = self.account;
        let mut out = Vec::new();
        for (arn, user) in &account.users {
            let groups = user
                .groups
                .iter()
                .filter_map(|group| account.groups.get(group));
            let mut all = vec![&user.permissions];
            all.extend(groups.map(|group| &group.permissions));
            let state = self.permissions(arn, &all);
            let address = format!("user/{}", user.name);
            let (arn, name) = (arn.clone(), user.name.clone());
            out.push(Holder {
                address,
                arn,
                name,
                kind: HolderKind::User,
                declared: false,
                states: vec![state],
            });
        }
        out
    }
}

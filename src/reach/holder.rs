//! Those who hold permissions: roles and users, as infra.toml declares them and as they are.
//! The documents of managed policies are shared, so that an account of thousands of roles stays small.

use std::sync::Arc;

use crate::policy::{Document, Effect, Grants, Patterns, Statement, Witness, same_spelling};

use super::requests::Requests;

/// Whether something is as infra.toml says or as AWS says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// infra.toml.
    Declared,
    /// AWS.
    Live,
}

/// A policy document that somebody holds.
#[derive(Clone, Debug)]
pub struct Held {
    /// The policy in words: its address, its ARN, or `inline policy NAME`.
    pub name: String,
    /// The file that holds it, if it is declared.
    pub path: Option<String>,
    /// The document.
    pub document: Arc<Document>,
}

/// What kind of principal holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HolderKind {
    /// A role.
    Role,
    /// A user.
    User,
}

/// A role or user.
#[derive(Clone, Debug)]
pub struct Holder {
    /// `role/NAME` or `user/NAME`.
    pub address: String,
    /// The ARN.
    pub arn: String,
    /// The name.
    pub name: String,
    /// What it is.
    pub kind: HolderKind,
    /// Whether infra.toml declares it.
    pub declared: bool,
    /// As declared, and as it is where that is another thing; at least one.
    pub states: Vec<State>,
}

/// What a holder has, by one account of it.
#[derive(Clone, Debug)]
pub struct State {
    /// By which account.
    pub origin: Origin,
    /// Who may assume it; `None` for a user, or where the document cannot be read.
    pub trust: Option<Held>,
    /// The policies: managed, inline, and those of its groups.
    pub policies: Vec<Held>,
    /// The boundary's document; the inner `None` where it is not known.
    pub boundary: Option<Option<Held>>,
    /// The ARNs of policies whose documents are not known.
    pub unknown: Vec<String>,
}

impl Holder {
    /// What it may do now: the live state where there is one, else the declared one.
    #[must_use]
    pub fn now(&self) -> Option<&State> {
        self.states.last()
    }
}

impl State {
    /// What the holder may do. A boundary whose document is not known is left out: it can only narrow.
    #[must_use]
    pub fn grants(&self) -> Grants<'_> {
        let mut layers = vec![self.policies.iter().map(|held| &*held.document).collect()];
        if let Some(Some(boundary)) = &self.boundary {
            layers.push(vec![&*boundary.document]);
        }
        Grants { layers }
    }

    /// The policy that a witness comes from.
    #[must_use]
    pub fn held(&self, witness: &Witness) -> Option<&Held> {
        self.policies.get(witness.document)
    }

    /// Requests of one of these actions on one of these resources that the holder may make: one for each statement.
    #[must_use]
    pub fn may(&self, actions: &[&str], resources: &[&str]) -> Vec<Witness> {
        if !self.mentions(actions, resources) {
            return Vec::new();
        }
        Requests::witnesses(&self.grants(), &[&Requests::of(actions, resources)], &[])
    }

    /// Whether some Allow statement could speak of one of these actions on one of these resources: a quick look that
    /// leaves out conditions, denials and boundaries.
    #[must_use]
    pub fn mentions(&self, actions: &[&str], resources: &[&str]) -> bool {
        let allows = self
            .policies
            .iter()
            .flat_map(|held| held.document.statements());
        allows
            .filter(|statement| statement.effect == Effect::Allow)
            .any(|statement| {
                actions
                    .iter()
                    .any(|action| could_match(&statement.actions, action, true))
                    && resources.iter().any(|resource| names(statement, resource))
            })
    }

    /// Whether two states say the same in the same words.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        let one = |a: &Held, b: &Held| {
            Arc::ptr_eq(&a.document, &b.document) || same_spelling(&a.document, &b.document)
        };
        let optional = |a: Option<&Held>, b: Option<&Held>| match (a, b) {
            (Some(a), Some(b)) => one(a, b),
            (None, None) => true,
            _ => false,
        };
        let boundary = |state: &Self| state.boundary.clone().flatten();
        optional(self.trust.as_ref(), other.trust.as_ref())
            && optional(boundary(self).as_ref(), boundary(other).as_ref())
            && self.policies.len() == other.policies.len()
            && self
                .policies
                .iter()
                .all(|a| other.policies.iter().any(|b| one(a, b)))
    }
}

fn names(statement: &Statement, resource: &str) -> bool {
    statement
        .resources
        .as_ref()
        .is_none_or(|resources| could_match(resources, resource, false))
}

/// Whether a pattern list may have something in common with a text, which may hold wildcards itself. Errs towards yes.
fn could_match(patterns: &Patterns, text: &str, fold: bool) -> bool {
    patterns.negated
        || patterns
            .list
            .iter()
            .any(|pattern| overlap(pattern, text, fold))
}

/// Whether two texts agree up to the first wildcard of either, from the start and from the end.
fn overlap(a: &str, b: &str, fold: bool) -> bool {
    let wild = |letter: u8| matches!(letter, b'*' | b'?' | b'$');
    let same = |a: u8, b: u8| {
        if fold {
            a.eq_ignore_ascii_case(&b)
        } else {
            a == b
        }
    };
    let forward = a
        .bytes()
        .zip(b.bytes())
        .take_while(|(a, b)| !wild(*a) && !wild(*b))
        .all(|(a, b)| same(a, b));
    // A variable (`${...}`) ends in a brace: going backwards, that is where the unknown begins.
    let end = |letter: u8| wild(letter) || letter == b'}';
    let backward = a
        .bytes()
        .rev()
        .zip(b.bytes().rev())
        .take_while(|(a, b)| !end(*a) && !end(*b))
        .all(|(a, b)| same(a, b));
    let plain = |text: &str| !text.bytes().any(wild);
    forward && backward && (!(plain(a) && plain(b)) || a.len() == b.len())
}

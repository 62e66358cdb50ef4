//! A trust policy read as what it lets in: which GitHub tokens of whom, from the widest down.
//! The rules O1 to O28 ask it; every answer is a request that the engine has confirmed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::policy::operator::Comparison;
use crate::policy::{
    Condition, Context, Document, Effect, Grants, Request, RequestPrincipal, Statement, Witness,
};
use crate::reach::{GithubRepository, Held, Holder, Requests, federated, is_github, key, mend};

/// What a token's subject calls a repository that is nobody's.
const STRANGER: &str = "stranger/stranger";

/// How far a statement opens the door to repositories that it does not name, from the widest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Openness {
    /// To every owner.
    AnyOwner,
    /// To every owner whose name begins like the one meant.
    OwnerPrefix,
    /// To every repository of the owner.
    Organisation,
    /// To every repository whose name begins like the one meant.
    NamePrefix,
    /// To whoever takes over the names: the ids are wildcards.
    Ids,
}

/// A trust policy of a role that some GitHub token is meant to pass.
#[derive(Clone, Debug)]
pub(super) struct Trust<'a> {
    /// The role.
    pub role: &'a Holder,
    /// The policy as it is.
    pub held: &'a Held,
    /// The policy that is judged.
    pub document: Arc<Document>,
    /// Whether that is the policy with the letter case of the repository mended.
    pub mended: bool,
    /// The ARNs of GitHub's provider that it names.
    pub providers: Vec<String>,
    /// The repository of `[github]`, where the role is declared or names it in another letter case.
    pub declared: Option<GithubRepository>,
    /// Owners that it names, with the names of their repositories.
    pub named: BTreeMap<String, BTreeSet<String>>,
    /// Whether its text alone says that it takes tokens of repositories that it names in full, and no others.
    pub closed: bool,
    /// What it opens to repositories that it does not name, one for each statement.
    pub strangers: Vec<(Openness, Witness)>,
}

impl<'a> Trust<'a> {
    /// The policy, and the same with its letter case mended where that lets in more.
    pub(super) fn read(
        role: &'a Holder,
        held: &'a Held,
        declared: Option<&GithubRepository>,
    ) -> Vec<Self> {
        let mut providers: Vec<String> = held
            .document
            .statements()
            .iter()
            .flat_map(federated)
            .collect();
        providers.sort();
        providers.dedup();
        if providers.is_empty() {
            return Vec::new();
        }
        // GitHub's names do not differ by letter case: what names ours in another one can mean no other.
        let names = |repository: &&GithubRepository| mend(&held.document, repository).is_some();
        let declared = declared.filter(|one| role.declared || names(one)).cloned();
        let one = |document: Arc<Document>, mended| {
            let mut trust = Self {
                role,
                held,
                document,
                mended,
                providers: providers.clone(),
                declared: declared.clone(),
                named: BTreeMap::new(),
                closed: false,
                strangers: Vec::new(),
            };
            trust.named = trust.names();
            let statements = trust.document.statements();
            trust.closed = statements.iter().all(names_one_repository);
            if !trust.closed {
                trust.strangers = trust.judge();
            }
            trust
        };
        let mut out = vec![one(held.document.clone(), false)];
        if let Some(document) = declared
            .as_ref()
            .and_then(|repository| mend(&held.document, repository))
        {
            out.push(one(Arc::new(document), true));
        }
        out
    }

    /// The Allow statements that name GitHub's provider.
    pub(super) fn statements(&self) -> impl Iterator<Item = &Statement> {
        let all = self.document.statements().iter();
        all.filter(|statement| {
            statement.effect == Effect::Allow && !federated(statement).is_empty()
        })
    }

    /// The statement of a witness.
    pub(super) fn statement(&self, witness: &Witness) -> Option<&Statement> {
        self.document
            .statements()
            .iter()
            .find(|statement| statement.index == witness.statement.index)
    }

    /// Tokens that pass and that satisfy these conditions.
    pub(super) fn tokens(&self, conditions: &Value) -> Vec<Witness> {
        self.passing(
            &[&Requests::tokens(
                &self.providers,
                std::slice::from_ref(conditions),
            )],
            &[],
        )
    }

    /// Requests that pass, are in all of `within` and in none of `without`.
    pub(super) fn passing(&self, within: &[&Requests], without: &[&Requests]) -> Vec<Witness> {
        Requests::witnesses(&Grants::of(&self.document), within, without)
    }

    /// The repositories that it names, the declared one first.
    pub(super) fn repositories(&self) -> Vec<GithubRepository> {
        let mut out: Vec<GithubRepository> = Vec::new();
        for (owner, names) in &self.named {
            out.extend(
                names
                    .iter()
                    .map(|name| GithubRepository::named(owner, name)),
            );
        }
        if let Some(declared) = &self.declared {
            // Names that differ in letter case only are one repository's, and GitHub's spelling is the declared one.
            out.retain(|one| !one.full_name().eq_ignore_ascii_case(&declared.full_name()));
            out.insert(0, declared.clone());
        }
        out
    }

    /// The values of the conditions that a claim must match, under whatever operator.
    pub(super) fn wanted<'b>(
        &'b self,
        claim: &'b str,
    ) -> impl Iterator<Item = (&'b Statement, &'b Condition, &'b String)> {
        self.statements().flat_map(move |statement| {
            let conditions = statement
                .conditions
                .iter()
                .filter(move |condition| is_claim(condition, claim));
            let positive =
                conditions.filter(|condition| !condition.operator.negated && is_text(condition));
            positive.flat_map(move |condition| {
                condition
                    .values
                    .iter()
                    .map(move |value| (statement, condition, value))
            })
        })
    }

    fn names(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut out: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (_, _, value) in self.wanted("sub").chain(self.wanted("repository")) {
            let Some((owner, name)) = named(value) else {
                continue;
            };
            let names = out.entry(owner).or_default();
            names.extend(name);
        }
        if let Some(declared) = &self.declared {
            out.entry(declared.owner.clone())
                .or_default()
                .insert(declared.name.clone());
        }
        out
    }

    /// Subject patterns for each owner, or for each repository named.
    fn patterns(
        &self,
        owner: impl Fn(&str) -> Vec<String>,
        name: impl Fn(&str, &str) -> Vec<String>,
    ) -> Requests {
        let mut list: Vec<String> = vec!["repo:/".to_owned()];
        for (one, names) in &self.named {
            list.extend(owner(one));
            list.extend(names.iter().flat_map(|other| name(one, other)));
        }
        self.subjects(&list)
    }

    /// Tokens with one of these subject patterns.
    pub(super) fn subjects(&self, patterns: &[String]) -> Requests {
        Requests::tokens(
            &self.providers,
            &[json!({ "StringLike": { key("sub"): patterns } })],
        )
    }

    fn judge(&self) -> Vec<(Openness, Witness)> {
        let none = |_: &str, _: &str| Vec::new();
        let prefix = self.patterns(|owner| vec![format!("repo:{owner}*")], none);
        let owners = self.patterns(
            |owner| vec![format!("repo:{owner}/*"), format!("repo:{owner}@*")],
            none,
        );
        let repositories = |owner: &str, name: &str| {
            vec![
                format!("repo:{owner}/{name}*"),
                format!("repo:{owner}@*/{name}*"),
            ]
        };
        let begins = self.patterns(|_| Vec::new(), repositories);
        let exactly = |owner: &str, name: &str| {
            let forms = [("", ""), ("@*", "@*"), ("@*", ""), ("", "@*")];
            forms
                .map(|(a, b)| format!("repo:{owner}{a}/{name}{b}:*"))
                .to_vec()
        };
        let exact = self.patterns(|_| Vec::new(), exactly);
        // Ids that no owner and no repository has: GitHub counts from one and is far from them.
        let ids = |owner: &str, name: &str| {
            let id = 99_000_000_001_u64;
            vec![
                format!("repo:{owner}@{id}/{name}@*:*"),
                format!("repo:{owner}@*/{name}@{id}:*"),
            ]
        };
        let foreign_ids = self.patterns(|_| Vec::new(), ids);
        let shaped = self.strangers_claims();
        let any = self.subjects(&["repo:*/*:*".to_owned()]);
        let questions: [(Openness, Vec<&Requests>, Vec<&Requests>); 5] = [
            (Openness::AnyOwner, vec![&any, &shaped], vec![&prefix]),
            (
                Openness::OwnerPrefix,
                vec![&any, &prefix, &shaped],
                vec![&owners],
            ),
            (
                Openness::Organisation,
                vec![&any, &owners, &shaped],
                vec![&begins],
            ),
            (
                Openness::NamePrefix,
                vec![&any, &begins, &shaped],
                vec![&exact],
            ),
            (Openness::Ids, vec![&foreign_ids], vec![]),
        ];
        let mut out: Vec<(Openness, Witness)> = Vec::new();
        for (openness, within, without) in questions {
            for witness in self.passing(&within, &without) {
                let known = out
                    .iter()
                    .any(|(_, known)| known.statement == witness.statement);
                if !known && (openness != Openness::Ids || self.writes_ids(&witness)) {
                    out.push((openness, witness));
                }
            }
        }
        out
    }

    /// Whether the statement of a witness speaks of the form with ids.
    fn writes_ids(&self, witness: &Witness) -> bool {
        self.wanted("sub").any(|(statement, _, value)| {
            statement.index == witness.statement.index && value.contains('@')
        })
    }

    /// Tokens whose claims beside the subject are a stranger's.
    fn strangers_claims(&self) -> Requests {
        let claims = stranger_claims(&[]);
        Requests::tokens(
            &self.providers,
            &[json!({ "StringEquals": claims.0, "StringEqualsIfExists": claims.1 })],
        )
    }

    /// A stranger's tokens, with some claims free: those that the stranger may choose or that are looked into.
    pub(super) fn stranger(&self, free: &[&str]) -> Requests {
        let (always, optional) = stranger_claims(free);
        let mut conditions = json!({ "StringEquals": always, "StringEqualsIfExists": optional });
        if let Some(Value::Object(equals)) = conditions.get_mut("StringEquals") {
            equals.insert(
                key("sub"),
                json!(format!("repo:{STRANGER}:ref:refs/heads/main")),
            );
        }
        Requests::tokens(&self.providers, &[conditions])
    }

    /// A stranger's tokens by their subject, without the claims of these keys.
    pub(super) fn bare_stranger(&self, absent: &serde_json::Map<String, Value>) -> Requests {
        let subject = format!("repo:{STRANGER}:ref:refs/heads/main");
        let conditions = json!({ "StringEquals": { key("sub"): subject }, "Null": absent });
        Requests::tokens(&self.providers, &[conditions])
    }

    /// Whether a statement is open to strangers anyway.
    pub(super) fn open(&self, witness: &Witness) -> bool {
        self.strangers
            .iter()
            .any(|(_, known)| known.statement == witness.statement)
    }
}

/// The claims of a stranger's token beside its subject, but for the free ones: those that every token has, and those
/// that a token may lack.
fn stranger_claims(
    free: &[&str],
) -> (
    serde_json::Map<String, Value>,
    serde_json::Map<String, Value>,
) {
    let claims = [
        ("repository", STRANGER),
        ("repository_id", "99000000001"),
        (
            "job_workflow_ref",
            "stranger/stranger/.github/workflows/main.yml@refs/heads/main",
        ),
        ("actor", "stranger"),
        ("actor_id", "99000000001"),
        ("workflow", "stranger"),
        ("ref", "refs/heads/stranger"),
    ];
    let mut always = serde_json::Map::new();
    for (claim, value) in claims.iter().filter(|(claim, _)| !free.contains(claim)) {
        always.insert(key(claim), json!(value));
    }
    let mut optional = serde_json::Map::new();
    for claim in ["environment", "enterprise_id"]
        .into_iter()
        .filter(|claim| !free.contains(claim))
    {
        optional.insert(key(claim), json!("stranger"));
    }
    (always, optional)
}

/// Whether a condition is about a claim of GitHub's.
pub(super) fn is_claim(condition: &Condition, claim: &str) -> bool {
    condition.key.eq_ignore_ascii_case(&key(claim))
}

fn is_text(condition: &Condition) -> bool {
    matches!(
        condition.operator.comparison,
        Comparison::StringEquals | Comparison::StringLike | Comparison::StringEqualsIgnoreCase
    )
}

/// The owner, and the repository, that a subject pattern or `OWNER/NAME` names or begins to name.
fn named(value: &str) -> Option<(String, Option<String>)> {
    let start = value
        .strip_prefix("repo:")
        .or_else(|| value.split_once(":repo:").map(|(_, rest)| rest));
    let start = start.or_else(|| value.strip_prefix("repository:"));
    let start = start.or_else(|| value.split_once(":repository:").map(|(_, rest)| rest));
    let start = start.or_else(|| (!value.contains(':')).then_some(value))?;
    let place = start.split(':').next()?;
    let (owner, name) = match place.split_once('/') {
        Some((owner, name)) => (literal(owner), Some(literal(name))),
        None => (literal(place), None),
    };
    let whole = place
        .split('/')
        .next()
        .is_some_and(|first| literal(first) == first.split('@').next().unwrap_or(first));
    if owner.is_empty() {
        return None;
    }
    Some((owner, name.filter(|name| whole && !name.is_empty())))
}

/// The text before the first wildcard or id.
fn literal(text: &str) -> String {
    text.split(['*', '?', '@'])
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// Whether a statement, by its text alone, lets in no token but those of repositories that it names in full: what the
/// solver need not be asked in an account of thousands of roles.
fn names_one_repository(statement: &Statement) -> bool {
    if statement.effect == Effect::Deny {
        return true;
    }
    let only_github = statement
        .principals
        .as_ref()
        .is_some_and(|principals| !principals.negated && principals.list.iter().all(is_github));
    only_github
        && statement.conditions.iter().any(|condition| {
            let operator = &condition.operator;
            let plain = !operator.negated && !operator.if_exists && operator.quantifier.is_none();
            let exact = matches!(
                operator.comparison,
                Comparison::StringEquals | Comparison::StringLike
            );
            plain
                && exact
                && is_claim(condition, "sub")
                && condition
                    .values
                    .iter()
                    .all(|value| is_one_repository(value))
        })
}

/// Whether a subject begins with a whole `repo:OWNER/NAME:`, in which nothing stands for anything else.
fn is_one_repository(subject: &str) -> bool {
    let place = subject
        .strip_prefix("repo:")
        .and_then(|rest| rest.split_once(':'));
    place.is_some_and(|(place, _)| {
        let plain = !place.contains(['*', '?', '$', '@', '%']);
        plain
            && place.split_once('/').is_some_and(|(owner, name)| {
                !owner.is_empty() && !name.is_empty() && !name.contains('/')
            })
    })
}

/// The claims that say whose token it is.
pub(super) const IDENTITY: &[&str] = &["sub", "repository", "repository_id", "job_workflow_ref"];

/// Whether a statement says anything about whose token it takes.
pub(super) fn constrained(statement: &Statement) -> bool {
    statement
        .conditions
        .iter()
        .any(|condition| IDENTITY.iter().any(|claim| is_claim(condition, claim)))
}

/// A token that has this value where the condition looks, and what such a token has elsewhere.
pub(super) fn concrete(trust: &Trust<'_>, condition: &Condition, value: &str) -> Request {
    let subject = "repo:OWNER/NAME:ref:refs/heads/main".to_owned();
    let mut context = Context::from([
        (key("sub"), vec![subject]),
        (key("aud"), vec![crate::reach::AUDIENCE.to_owned()]),
    ]);
    context.insert(condition.key.clone(), vec![value.to_owned()]);
    Request {
        principal: RequestPrincipal::Federated(
            trust.providers.first().cloned().unwrap_or_default(),
        ),
        action: "sts:AssumeRoleWithWebIdentity".to_owned(),
        resource: trust.role.arn.clone(),
        context,
    }
}

//! The walk that plan, apply and destroy share: what is declared and what is there become a plan.
//! A run with addresses is about those, what they refer to, and for the law whom they concern.

use std::collections::BTreeSet;

use super::session::Session;
use crate::aws::Aws;
use crate::error::{Error, ErrorKind, Result};
use crate::kind::{Address, Law, Scope, Snapshot};
use crate::kinds::{KINDS, law};
use crate::plan::{Input, Plan, kind_of, plan};
use crate::report::About;

/// What a run is asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    /// Addresses as they were typed; empty for everything.
    pub(super) addresses: Vec<String>,
    /// Whether what is there is to be removed.
    pub(super) destroy: bool,
    /// Whether an order with a gap is acceptable.
    pub(super) interrupts: bool,
}

/// What is declared, what is there, and the plan between the two.
pub(super) struct Walk {
    pub(super) scope: Scope,
    pub(super) desired: Snapshot,
    pub(super) live: Snapshot,
    pub(super) mark: String,
    pub(super) runner: Option<Address>,
    pub(super) interrupts: bool,
    pub(super) law: Box<dyn Law>,
    pub(super) plan: Plan,
    pub(super) about: About,
    /// What `destroy ADDRESS` takes along, since it depends on what was named.
    pub(super) dependents: BTreeSet<Address>,
}

impl Walk {
    /// Looks at the account and plans.
    pub(super) async fn new(session: &Session<'_>, aws: &Aws, request: &Request) -> Result<Self> {
        let config = &session.config;
        let asked = parse(&request.addresses)?;
        let declared = Snapshot::declare(KINDS, &Scope::everything(config.clone()));
        let identity = aws.identity().await?;
        let runner = identity.role_name().map(|name| Address::new("role", name));
        let scope = scope(session, &declared, &asked, request.destroy)?;
        let live = Snapshot::observe(KINDS, aws, &scope).await?;
        known(&asked, &declared, &live)?;
        let law = law::observe(aws, &scope).await?;
        let (desired, dependents) = if request.destroy {
            let taken = dependents(&asked, &live)?;
            (without(&live, &asked, &taken), taken)
        } else {
            (wanted(&declared, &live, &asked)?, BTreeSet::new())
        };
        let mark = config.owner_mark();
        let plan = plan(&Input {
            kinds: KINDS,
            law: &*law,
            desired: &desired,
            live: &live,
            mark: &mark,
            runner: runner.as_ref(),
            interrupts: request.interrupts,
        })?;
        Ok(Self {
            scope,
            desired,
            live,
            mark,
            runner,
            interrupts: request.interrupts,
            law,
            plan,
            about: about(session, &asked, request.destroy),
            dependents,
        })
    }
}

fn about(session: &Session<'_>, asked: &BTreeSet<Address>, destroy: bool) -> About {
    let project = &session.config.project;
    About {
        project: project.name.clone(),
        account_id: project.account_id.clone(),
        region: project.region.clone(),
        addresses: asked.iter().map(ToString::to_string).collect(),
        destroy,
    }
}

/// The addresses that were typed; a word that is none is a usage error.
pub(super) fn parse(addresses: &[String]) -> Result<BTreeSet<Address>> {
    addresses.iter().map(|text| parse_one(text)).collect()
}

fn parse_one(text: &str) -> Result<Address> {
    let kinds = || KINDS.iter().map(|kind| kind.name());
    let Some(address) = Address::parse(text) else {
        return Err(
            Error::new(ErrorKind::Usage, format!("{text} is not an address."))
                .hint("An address is KIND/NAME, such as `role/GitHubActions-ECR-Push`."),
        );
    };
    if kinds().any(|kind| kind == address.kind) {
        return Ok(address);
    }
    let hint = nearest(&address.kind, kinds()).map_or_else(
        || format!("The kinds are {}.", kinds().collect::<Vec<_>>().join(", ")),
        |kind| format!("Did you mean `{kind}/{}`?", address.name),
    );
    Err(Error::new(
        ErrorKind::Usage,
        format!("There is no kind {}.", address.kind),
    )
    .hint(hint))
}

/// What is to be looked at: everything, or what was asked for with all it refers to, and the
/// subjects whose access that may move with all they refer to, so that the law can judge them.
fn scope(
    session: &Session<'_>,
    declared: &Snapshot,
    asked: &BTreeSet<Address>,
    destroy: bool,
) -> Result<Scope> {
    let mut scope = Scope::everything(session.config.clone());
    scope.destroy = destroy;
    // What depends on a resource may be undeclared: only a look at everything finds it.
    if !asked.is_empty() && !destroy {
        let mut only = closure(asked, declared)?;
        let mut subjects = BTreeSet::new();
        for address in &only {
            subjects.extend(law::subjects(declared, address));
        }
        only.extend(closure(&subjects, declared)?);
        scope.only = Some(only);
    }
    Ok(scope)
}

/// These addresses and all that their specs refer to, near and far.
fn closure(addresses: &BTreeSet<Address>, specs: &Snapshot) -> Result<BTreeSet<Address>> {
    let mut found = addresses.clone();
    let mut next: Vec<Address> = addresses.iter().cloned().collect();
    while let Some(address) = next.pop() {
        let Some(spec) = specs.get(&address) else {
            continue;
        };
        for referred in kind_of(KINDS, &address.kind)?.refers(spec) {
            if specs.contains(&referred) && found.insert(referred.clone()) {
                next.push(referred);
            }
        }
    }
    Ok(found)
}

/// What is declared, as far as it was asked for; the rest of what was looked at stays as it is.
fn wanted(declared: &Snapshot, live: &Snapshot, asked: &BTreeSet<Address>) -> Result<Snapshot> {
    if asked.is_empty() {
        return Ok(declared.clone());
    }
    let asked = closure(asked, declared)?;
    let kept = live.iter().filter(|(address, _)| !asked.contains(address));
    let made = declared
        .iter()
        .filter(|(address, _)| asked.contains(address));
    Ok(kept
        .chain(made)
        .map(|(address, spec)| (address.clone(), spec.clone()))
        .collect())
}

/// What depends on these addresses, near and far, without themselves.
fn dependents(addresses: &BTreeSet<Address>, live: &Snapshot) -> Result<BTreeSet<Address>> {
    let mut found = BTreeSet::new();
    loop {
        let before = found.len();
        for (address, spec) in live.iter() {
            let refers = kind_of(KINDS, &address.kind)?.refers(spec);
            let depends = refers
                .iter()
                .any(|to| addresses.contains(to) || found.contains(to));
            if depends && !addresses.contains(address) {
                found.insert(address.clone());
            }
        }
        if found.len() == before {
            return Ok(found);
        }
    }
}

/// What is left after a destroy: nothing, or all but what was asked for and what depends on it.
fn without(live: &Snapshot, asked: &BTreeSet<Address>, dependents: &BTreeSet<Address>) -> Snapshot {
    if asked.is_empty() {
        return Snapshot::new();
    }
    let mut left = live.clone();
    left.retain(|address| !asked.contains(address) && !dependents.contains(address));
    left
}

/// An address that is neither declared nor there is a mistake on the command line.
fn known(asked: &BTreeSet<Address>, declared: &Snapshot, live: &Snapshot) -> Result<()> {
    let Some(unknown) = asked
        .iter()
        .find(|address| !declared.contains(address) && !live.contains(address))
    else {
        return Ok(());
    };
    Err(unknown_address(unknown, declared))
}

/// The usage error for an address that nothing has.
pub(super) fn unknown_address(unknown: &Address, declared: &Snapshot) -> Error {
    let names: Vec<String> = declared.addresses().map(ToString::to_string).collect();
    let hint = nearest(&unknown.to_string(), names.iter().map(String::as_str)).map_or_else(
        || "`provision plan` lists the addresses.".to_owned(),
        |name| format!("Did you mean `{name}`?"),
    );
    let message = format!("{unknown} is neither declared nor there.");
    Error::new(ErrorKind::Usage, message).hint(hint)
}

/// The known word that a mistyped one most resembles, if one does.
fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Below this similarity a suggestion misleads more often than it helps.
    const LEAST: f64 = 0.7;
    known
        .map(|candidate| {
            (
                strsim::normalized_damerau_levenshtein(word, candidate),
                candidate,
            )
        })
        .filter(|(score, _)| *score >= LEAST)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

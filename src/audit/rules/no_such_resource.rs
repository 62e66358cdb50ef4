//! An action in a statement whose resources it does not take.

use crate::audit::statements::{Declared, identity_policies, part};
use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};
use crate::policy::{Document, Effect, Grants, Statement, StatementRef, actions};
use crate::reach::Requests;

const ABOUT: About = About {
    id: "no-such-resource",
    title: "An action that takes no such resource",
    severity: Severity::Medium,
    confidence: Confidence::High,
    remedy: "Move the action to a statement with the resource that it takes; for most of these that is the resource *.",
};

/// The action is not granted by this statement, whatever it reads like.
pub(super) struct NoSuchResource;

impl Rule for NoSuchResource {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for Declared { address, held } in identity_policies(case.facts) {
            for statement in held.document.statements() {
                for name in statement
                    .actions
                    .list
                    .iter()
                    .filter(|_| !statement.actions.negated)
                {
                    let Some(wanted) = missed(&held.document, statement, name) else {
                        continue;
                    };
                    let elsewhere = granted(&held.document, name, &wanted);
                    let message = match &elsewhere {
                        Some(other) => format!(
                            "{name} has no effect in statement {}: {}. Statement {} grants it.",
                            statement.index,
                            takes(&wanted),
                            other.index
                        ),
                        None => format!(
                            "{name} has no effect in statement {}: {}. Nothing else in the policy grants it.",
                            statement.index,
                            takes(&wanted)
                        ),
                    };
                    let mut finding = case.finding(&ABOUT, &address, message);
                    finding.location = case.place(&address, &held, Some(statement));
                    if elsewhere.is_some() {
                        finding = finding
                            .severity(Severity::Low)
                            .remedy("Remove it from this statement.");
                    }
                    let resources = statement
                        .resources
                        .as_ref()
                        .map(|resources| resources.list.join(", "))
                        .unwrap_or_default();
                    out.push(finding.evidence(Evidence::Statement {
                        policy: held.name.clone(),
                        statement: StatementRef::of(statement),
                        what: format!("{name} on {resources}"),
                    }));
                }
            }
        }
        out
    }
}

/// The resource of an action that takes none: a star, and not whatever a star matches.
const NOTHING: &str = "${*}";

/// The resources that an action takes, as patterns, where the statement names none of them.
fn missed(document: &Document, statement: &Statement, name: &str) -> Option<Vec<String>> {
    let action = actions::find(name)?;
    let mut wanted: Vec<String> = action
        .resources
        .iter()
        .map(actions::ResourceType::pattern)
        .collect();
    if wanted.is_empty() {
        wanted.push(NOTHING.to_owned());
    }
    let alone = part(document, statement.index, true)?;
    let alone = if statement.effect == Effect::Deny {
        alone.denied()
    } else {
        alone
    };
    let resources: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let found = Requests::find(
        &Grants::of(&alone),
        &[&Requests::of(&[name], &resources)],
        &[],
    );
    (found == crate::policy::Answer::None).then_some(wanted)
}

fn granted(document: &Document, name: &str, wanted: &[String]) -> Option<StatementRef> {
    let resources: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let found = Requests::witnesses(
        &Grants::of(document),
        &[&Requests::of(&[name], &resources)],
        &[],
    );
    found.into_iter().next().map(|witness| witness.statement)
}

fn takes(wanted: &[String]) -> String {
    match wanted {
        [one] if one == NOTHING => "it takes no resource, only *".to_owned(),
        many => format!("it takes {}", many.join(", ")),
    }
}

//! O25: another statement that lets in far more than GitHub's tokens.

use crate::audit::Evidence;
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};
use crate::policy::{Effect, Grants, Principal, Statement, Witness};
use crate::reach::Requests;

const ABOUT: About = About {
    id: "O25",
    title: "A second door beside the OIDC statement",
    severity: Severity::Critical,
    confidence: Confidence::High,
    remedy: "Name the principals that are meant, or remove the statement.",
};

/// The OIDC statement is not the only way in.
pub(super) struct SecondDoor;

impl Rule for SecondDoor {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for (role, _, held) in case.facts.trusts() {
            let doors: Vec<&Statement> = held
                .document
                .statements()
                .iter()
                .filter(|statement| is_door(statement))
                .collect();
            let github = case
                .trusts
                .iter()
                .any(|trust| trust.role.address == role.address)
                || doors.iter().any(|statement| names_github(statement));
            if doors.is_empty() || !github {
                continue;
            }
            let witnesses: Vec<Witness> =
                Requests::witnesses(&Grants::of(&held.document), &[], &[]);
            for statement in doors {
                let Some(witness) = witnesses
                    .iter()
                    .find(|one| one.statement.index == statement.index)
                else {
                    continue;
                };
                let who = witness.request.principal.text();
                let message = format!(
                    "statement {} lets in whoever it likes, such as {who}.",
                    statement.index
                );
                let mut finding = case.finding(&ABOUT, &role.address, message);
                finding.location = case.place(&role.address, held, Some(statement));
                if !statement.conditions.is_empty() {
                    finding = finding.confidence(Confidence::Medium);
                }
                out.push(finding.evidence(Evidence::allowed(
                    format!("{who} is let in"),
                    held.name.clone(),
                    witness,
                )));
            }
        }
        out
    }
}

/// Whether an Allow statement names everybody, a whole account, or every provider.
fn is_door(statement: &Statement) -> bool {
    let wide = |principal: &Principal| match principal {
        Principal::Everyone | Principal::Account(_) => true,
        Principal::Federated(provider) => provider == "*",
        Principal::Aws(_) | Principal::Service(_) | Principal::CanonicalUser(_) => false,
    };
    statement.effect == Effect::Allow
        && statement
            .principals
            .as_ref()
            .is_some_and(|principals| principals.negated || principals.list.iter().any(wide))
}

/// Whether a condition speaks of GitHub, which makes it a statement for its tokens.
fn names_github(statement: &Statement) -> bool {
    statement.conditions.iter().any(|condition| {
        condition
            .key
            .to_ascii_lowercase()
            .starts_with(crate::reach::ISSUER)
    })
}

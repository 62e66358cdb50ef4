//! An action pattern that no action of AWS matches.

use crate::audit::statements::{Declared, identity_policies, repository_policies};
use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};
use crate::policy::{Statement, StatementRef, actions};

const ABOUT: About = About {
    id: "unknown-action",
    title: "An action that does not exist",
    severity: Severity::Medium,
    confidence: Confidence::High,
    remedy: "Correct the name; the service authorization reference lists the actions of each service.",
};

/// A misspelt action grants, or denies, nothing.
pub(super) struct UnknownAction;

impl Rule for UnknownAction {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for Declared { address, held } in identity_policies(case.facts)
            .into_iter()
            .chain(repository_policies(case.facts))
        {
            for statement in held.document.statements() {
                for pattern in unknown(statement) {
                    let message = format!(
                        "{pattern} matches no action of AWS, so the statement does nothing for it."
                    );
                    let mut finding = case.finding(&ABOUT, &address, message);
                    finding.location = case.place(&address, &held, Some(statement));
                    finding.evidence.push(Evidence::Statement {
                        policy: held.name.clone(),
                        statement: StatementRef::of(statement),
                        what: format!("names {pattern}"),
                    });
                    if let Some(near) = nearest(pattern) {
                        finding = finding.remedy(format!(
                            "Did you mean {near}? Correct the name or remove it."
                        ));
                    }
                    out.push(finding);
                }
            }
        }
        out
    }
}

fn unknown(statement: &Statement) -> Vec<&String> {
    statement
        .actions
        .list
        .iter()
        .filter(|pattern| !known(pattern))
        .collect()
}

/// Whether some action matches; a wildcard in the service's part can match anything.
fn known(pattern: &str) -> bool {
    let Some((service, name)) = pattern.split_once(':') else {
        return true;
    };
    service.contains(['*', '?']) || actions::names_of(service).any(|action| glob(name, action))
}

/// Whether an action's name matches a pattern; letter case does not count.
fn glob(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = begins(text, first) else {
        return false;
    };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else {
        return rest.is_empty();
    };
    for piece in middle {
        let Some(found) = (0..=rest.len()).find_map(|at| begins(rest.get(at..)?, piece)) else {
            return false;
        };
        rest = found;
    }
    rest.len() >= last.len()
        && rest
            .get(rest.len() - last.len()..)
            .is_some_and(|end| begins(end, last) == Some(""))
}

/// The text after a beginning, in which `?` is any letter.
fn begins<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let head = text.get(..start.len())?;
    let same = head
        .bytes()
        .zip(start.bytes())
        .all(|(a, b)| b == b'?' || a.eq_ignore_ascii_case(&b));
    same.then(|| text.get(start.len()..)).flatten()
}

fn nearest(pattern: &str) -> Option<String> {
    // Below this similarity a suggestion misleads more often than it helps.
    const LEAST: f64 = 0.7;
    let (service, name) = pattern.split_once(':')?;
    let scored = actions::names_of(service)
        .map(|action| (strsim::normalized_damerau_levenshtein(name, action), action));
    let (_, best) = scored
        .filter(|(score, _)| *score >= LEAST)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    Some(format!("{service}:{best}"))
}

//! The baseline in git: findings that infra.toml accepts, until a day, for a reason.

use serde::Serialize;

use super::case::Case;
use super::date::Day;
use super::finding::Finding;

/// A finding that is accepted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Accepted {
    /// The finding.
    pub finding: Finding,
    /// Why it is accepted.
    pub reason: String,
    /// The last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// Parts the findings into those that stand and those that are accepted today.
pub fn accept(case: &Case<'_>, findings: Vec<Finding>) -> (Vec<Finding>, Vec<Accepted>) {
    let mut standing = Vec::new();
    let mut accepted = Vec::new();
    for finding in findings {
        let found = case.facts.config.acceptances.iter().find(|acceptance| {
            acceptance.rule == finding.rule
                && acceptance.address == finding.address
                && !expired(acceptance.until.as_deref(), case.today)
        });
        match found {
            Some(acceptance) => accepted.push(Accepted {
                finding,
                reason: acceptance.reason.clone(),
                until: acceptance.until.clone(),
            }),
            None => standing.push(finding),
        }
    }
    (standing, accepted)
}

/// Whether the last day is past. One that cannot be read has passed.
pub(super) fn expired(until: Option<&str>, today: Day) -> bool {
    until.is_some_and(|text| Day::parse(text).is_none_or(|until| until < today))
}

//! The audit: what has drifted, who can do more than infra.toml says, and what is dangerous about what is declared.
//! A rule is one file under `rules` and one line in [`RULES`]; it only judges what was read before.

mod accept;
mod case;
mod date;
mod drift;
mod escalation;
mod events;
mod execution;
mod finding;
mod forms;
mod images;
mod lifecycle;
mod quotas;
mod read;
mod remedies;
mod rules;
mod statements;
mod trust;
mod writes;

pub use accept::{Accepted, accept};
pub use case::Case;
pub use date::Day;
pub use finding::{Confidence, Evidence, Finding, Severity};
pub use read::read;
pub use remedies::remedies;
pub use rules::RULES;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::aws::Aws;
use crate::config::Config;
use crate::reach::{Account, Facts, Graph};

/// What a rule is; its section in docs/audit-rules.md is called by its id.
#[derive(Debug)]
pub struct About {
    /// Stable; in SARIF the rule's id.
    pub id: &'static str,
    /// One line.
    pub title: &'static str,
    /// The severity unless the case says otherwise.
    pub severity: Severity,
    /// The confidence unless the case says otherwise.
    pub confidence: Confidence,
    /// What to do about it.
    pub remedy: &'static str,
}

/// A rule.
pub trait Rule: Sync {
    /// What it is.
    fn about(&self) -> &'static About;
    /// What it finds. Every finding carries evidence.
    fn check(&self, case: &Case<'_>) -> Vec<Finding>;
    /// Whether it judges what somebody changed, so that `CloudTrail` is asked who.
    fn asks_who(&self) -> bool {
        false
    }
}

/// The outcome of an audit.
#[derive(Debug)]
pub struct Audit {
    /// The findings that stand, the gravest first.
    pub findings: Vec<Finding>,
    /// Those that infra.toml accepts.
    pub accepted: Vec<Accepted>,
    /// Who can reach what.
    pub graph: Graph,
    /// What could not be read: with any of these the exit code is 1.
    pub unread: Vec<String>,
    /// What was left out and why.
    pub notes: Vec<String>,
}

impl Audit {
    /// The exit code: 1 where something was not read, 2 where a finding is as grave as `fail_on`, else 0.
    #[must_use]
    pub fn exit_code(&self, fail_on: Severity) -> u8 {
        if !self.unread.is_empty() {
            return 1;
        }
        if self
            .findings
            .iter()
            .any(|finding| finding.severity >= fail_on)
        {
            2
        } else {
            0
        }
    }
}

/// Judges an account that was just read, and asks `CloudTrail` who changed what was found. The account then holds all
/// that was answered: judged again, it gives the same audit.
pub async fn examine(aws: &Aws, config: &Arc<Config>, account: &mut Account) -> Audit {
    let mut audit = judge(config, account);
    let before = account.notes.len();
    events::ask(aws, config, account, &audit).await;
    events::tell(account, &mut audit);
    audit
        .notes
        .extend(account.notes.iter().skip(before).cloned());
    audit
}

/// Judges an account that was read.
#[must_use]
pub fn judge(config: &Config, account: &Account) -> Audit {
    let taken = i64::try_from(account.taken).unwrap_or(i64::MAX);
    run(&Facts::new(config, account), taken)
}

/// Runs every rule; `now` is seconds since the Unix epoch.
#[must_use]
pub fn run(facts: &Facts<'_>, now: i64) -> Audit {
    let case = Case::new(facts, now);
    let mut findings: Vec<Finding> = Vec::new();
    let mut seen: BTreeSet<(&str, String, String)> = BTreeSet::new();
    for rule in RULES {
        for mut finding in rule.check(&case) {
            if rule.asks_who() {
                complete(&mut finding);
            }
            // Without evidence it is an opinion.
            let proved = !finding.evidence.is_empty();
            if proved
                && seen.insert((
                    finding.rule,
                    finding.address.clone(),
                    finding.message.clone(),
                ))
            {
                findings.push(finding);
            }
        }
    }
    let (mut findings, accepted) = accept(&case, findings);
    findings.sort_by(|a, b| {
        let key = |one: &Finding| {
            (
                std::cmp::Reverse(one.severity),
                one.address.clone(),
                place(one.rule),
            )
        };
        key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
    });
    let mut audit = Audit {
        findings,
        accepted,
        graph: case.graph().clone(),
        unread: unread(facts),
        notes: notes(facts),
    };
    events::tell(facts.account, &mut audit);
    audit
}

/// Says of what somebody changed how it is undone and how it is accepted, where the rule has nothing better to say.
fn complete(finding: &mut Finding) {
    finding
        .revert
        .get_or_insert_with(|| "provision apply leaves it as it is: it is not declared".to_owned());
    let (rule, address) = (finding.rule, &finding.address);
    finding.accept.get_or_insert_with(|| {
        format!(
            "[[audit.accept]]\nrule = \"{rule}\"\naddress = {}\nreason = \"...\"",
            serde_json::json!(address)
        )
    });
}

/// A rule's place in [`RULES`].
fn place(id: &str) -> usize {
    RULES
        .iter()
        .position(|rule| rule.about().id == id)
        .unwrap_or(RULES.len())
}

fn unread(facts: &Facts<'_>) -> Vec<String> {
    let account = facts
        .account
        .unread
        .iter()
        .map(|unread| format!("{}: {}", unread.what, unread.reason));
    let documents = facts
        .unreadable
        .iter()
        .map(|(whose, why)| format!("{whose}: its policy cannot be read: {why}"));
    account.chain(documents).collect()
}

fn notes(facts: &Facts<'_>) -> Vec<String> {
    let unknown: BTreeSet<&String> = facts
        .holders
        .iter()
        .flat_map(|holder| &holder.states)
        .flat_map(|state| &state.unknown)
        .collect();
    let unknown = unknown
        .into_iter()
        .map(|arn| format!("{arn} is attached to nothing yet, so what it says is not known."));
    unknown.chain(facts.account.notes.iter().cloned()).collect()
}

#[cfg(test)]
mod tests;

//! Every rule on a case where it fires and on the nearest harmless one; every request shown is evaluated anew.

mod documents;
mod trust;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::audit::{Audit, Case, Evidence, Finding, RULES, Severity, run};
use crate::config::{self, Config};
use crate::policy::{Document, PolicyKind, evaluate};
use crate::reach::{Account, Facts};

const DOCUMENTATION: &str = include_str!("../../../docs/audit-rules.md");

/// The infra.toml of a text and of the documents that it names.
fn config(text: &str, files: &[(&str, &str)]) -> Config {
    let mut read = |path: &Path| {
        let found = files.iter().find(|(name, _)| Path::new(name) == path);
        found
            .map(|(_, text)| (*text).to_owned())
            .ok_or_else(|| std::io::Error::other("there is no such file"))
    };
    let parsed = config::parse("infra.toml", text, &mut read);
    parsed.unwrap_or_else(|errors| {
        panic!(
            "{}",
            errors
                .iter()
                .map(|error| error.render(false))
                .collect::<String>()
        )
    })
}

fn account() -> Account {
    Account::empty("123456789012", "eu-west-1", "aws")
}

/// 2026-11-24.
const NOW: i64 = 1_795_500_000;

fn audit(config: &Config, account: &Account) -> Audit {
    let facts = Facts::new(config, account);
    let audit = run(&facts, NOW);
    let accepted = audit.accepted.iter().map(|accepted| &accepted.finding);
    for finding in audit.findings.iter().chain(accepted) {
        assert!(!finding.evidence.is_empty(), "{finding:?}");
        prove(&facts, finding);
    }
    audit
}

thread_local! {
    /// The rules that the tests of this thread asked about, and whether they had fired.
    static ASKED: RefCell<BTreeMap<String, BTreeSet<bool>>> = const { RefCell::new(BTreeMap::new()) };
}

/// The findings of a rule; that it was asked for is remembered.
fn of<'a>(audit: &'a Audit, rule: &str) -> Vec<&'a Finding> {
    let found: Vec<&Finding> = audit
        .findings
        .iter()
        .filter(|finding| finding.rule == rule)
        .collect();
    ASKED.with_borrow_mut(|asked| {
        asked
            .entry(rule.to_owned())
            .or_default()
            .insert(!found.is_empty());
    });
    found
}

/// Evaluates every request of a finding anew, on a document that the finding's resource has under the name that the
/// evidence gives: as it is, or with its letter case mended.
fn prove(facts: &Facts<'_>, finding: &Finding) {
    let case = Case::new(facts, NOW);
    let mended = case.trusts.iter().filter(|trust| trust.mended);
    let mended = mended.map(|trust| (trust.held.name.clone(), (*trust.document).clone()));
    let held = facts
        .holders
        .iter()
        .flat_map(|holder| &holder.states)
        .flat_map(|state| {
            let boundary = state.boundary.iter().flatten();
            state.policies.iter().chain(&state.trust).chain(boundary)
        });
    let held = held.map(|held| (held.name.clone(), (*held.document).clone()));
    let declared = facts
        .config
        .repositories
        .values()
        .filter_map(|one| one.policy.as_ref());
    let declared = declared.map(|policy| policy.document.clone());
    let live = facts
        .account
        .repositories
        .values()
        .filter_map(|one| one.policy.as_ref());
    let live = live.filter_map(|text| Document::read(text, PolicyKind::Resource).ok());
    let repositories = declared
        .chain(live)
        .map(|document| ("repository policy".to_owned(), document));
    let documents: Vec<(String, Document)> = held.chain(mended).chain(repositories).collect();
    for evidence in &finding.evidence {
        let Evidence::Request {
            allowed,
            request,
            policy,
            ..
        } = evidence
        else {
            continue;
        };
        let named = documents
            .iter()
            .filter(|(name, _)| name == policy || policy.ends_with(name.as_str()));
        let mut answers = named.map(|(_, document)| evaluate(document, request).is_allowed());
        assert!(answers.any(|answer| answer == *allowed), "{finding:#?}");
    }
}

#[test]
fn every_rule_has_a_case_on_which_it_fires_and_one_on_which_it_is_silent() {
    for case in documents::CASES.iter().chain(trust::CASES) {
        case();
    }
    let asked = ASKED.take();
    for rule in RULES {
        let id = rule.about().id;
        let answers = asked.get(id).cloned().unwrap_or_default();
        assert_eq!(
            answers,
            BTreeSet::from([false, true]),
            "{id} has no pair of cases"
        );
    }
}

/// Evaluates every request of a finding again.
fn confirm(finding: &Finding, document: &Document) {
    for evidence in &finding.evidence {
        if let Evidence::Request {
            allowed, request, ..
        } = evidence
        {
            assert_eq!(
                evaluate(document, request).is_allowed(),
                *allowed,
                "{finding:?}"
            );
        }
    }
}

fn trust(text: &str) -> Document {
    Document::read(text, PolicyKind::Trust).unwrap()
}

#[test]
fn every_rule_has_its_section_and_no_section_is_without_its_rule() {
    let ids: Vec<&str> = RULES.iter().map(|rule| rule.about().id).collect();
    let sections: Vec<&str> = DOCUMENTATION
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    let named: Vec<&str> = sections
        .iter()
        .map(|line| line.split(" · ").next().unwrap())
        .collect();
    assert_eq!(named, ids);
    for (rule, section) in RULES.iter().zip(&sections) {
        assert_eq!(section.split(" · ").nth(1), Some(rule.about().title));
    }
}

#[test]
fn ids_are_unique_and_texts_are_sentences() {
    let mut ids: Vec<&str> = RULES.iter().map(|rule| rule.about().id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), RULES.len());
    for rule in RULES {
        let about = rule.about();
        assert!(!about.title.ends_with('.'), "{}", about.id);
        assert!(about.remedy.ends_with('.'), "{}", about.id);
    }
}

#[test]
fn severities_are_ordered_and_named() {
    assert!(Severity::Critical > Severity::High && Severity::Low > Severity::Info);
    for severity in Severity::ALL {
        assert_eq!(Severity::parse(severity.name()), Some(severity));
    }
}

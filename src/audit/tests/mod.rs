//! Every rule on a case where it fires and on the nearest harmless one; every request shown is evaluated anew.

mod documents;
mod trust;

use std::path::Path;

use crate::audit::{Audit, Evidence, Finding, RULES, Severity, run};
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
    run(&Facts::new(config, account), NOW)
}

fn of<'a>(audit: &'a Audit, rule: &str) -> Vec<&'a Finding> {
    audit
        .findings
        .iter()
        .filter(|finding| finding.rule == rule)
        .collect()
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

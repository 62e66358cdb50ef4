//! The rules of `policy check`: those on the language, and on a trust policy those of the audit (O1 to O28), judged as if
//! a role of infra.toml had it. So both say the same of one document.

use crate::audit::{self, Case, Evidence, RULES};
use crate::config::{self, Config, SourceDocument};
use crate::policy::lint::{Finding, Severity, findings as lint};
use crate::policy::{Document, PolicyKind};
use crate::reach::{Account, Facts};

/// The role that has the document where no declared one does.
const ROLE: &str = "ROLE";

/// A project with this role and nothing else.
const PROJECT: &str = r#"
[project]
name = "policy-check"
account_id = "123456789012"
region = "us-east-1"

[role.ROLE]
trust = { service = "ecs-tasks.amazonaws.com" }
"#;

/// All findings of a document, the first lines first; in the light of an infra.toml, where there is one.
pub(super) fn findings(document: &Document, declared: Option<&Config>) -> Vec<Finding> {
    let mut out = lint(document);
    if document.kind() == PolicyKind::Trust {
        out.extend(trust(document, declared));
    }
    out.sort_by(|a, b| (a.line, a.severity, a.rule).cmp(&(b.line, b.severity, b.rule)));
    out
}

fn trust(document: &Document, declared: Option<&Config>) -> Vec<Finding> {
    let Some((config, role)) = with_role(document, declared) else {
        return Vec::new();
    };
    let account = Account::default();
    let facts = Facts::new(&config, &account);
    let case = Case::new(&facts, 0);
    let address = format!("role/{role}");
    // What needs an account or GitHub has no evidence here, and says nothing.
    RULES
        .iter()
        .filter(|rule| rule.about().id.starts_with('O'))
        .flat_map(|rule| rule.check(&case))
        .filter(|finding| finding.address == address && !finding.evidence.is_empty())
        .map(finding)
        .collect()
}

/// The configuration with a role that has the document, and the role's name.
fn with_role(document: &Document, declared: Option<&Config>) -> Option<(Config, String)> {
    let mut none = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
    let example = config::parse("infra.toml", PROJECT, &mut none).ok()?;
    let mut role = example.roles.get(ROLE)?.clone();
    let mut config = declared.cloned().unwrap_or(example);
    let holder = config
        .roles
        .iter()
        .find(|(_, role)| role.trust.document == *document);
    if let Some((name, _)) = holder {
        let name = name.clone();
        return Some((config, name));
    }
    role.trust = SourceDocument {
        path: "policy.json".to_owned(),
        document: document.clone(),
    };
    config.roles.insert(ROLE.to_owned(), role);
    Some((config, ROLE.to_owned()))
}

/// A finding of the audit in the words of a check: its message, what proves it, and where.
fn finding(found: audit::Finding) -> Finding {
    let proof = found.evidence.iter().find_map(|evidence| match evidence {
        Evidence::Request { what, .. } => Some(what.as_str()),
        Evidence::Statement { .. }
        | Evidence::Access { .. }
        | Evidence::Value { .. }
        | Evidence::Event { .. } => None,
    });
    let mut message = found.message.trim_end_matches('.').to_owned();
    if let Some(proof) = proof {
        message = format!("{message}: {proof}");
    }
    message.push('.');
    Finding {
        rule: found.rule,
        severity: severity(found.rule, found.severity),
        line: found.location.line,
        message,
        hint: Some(found.remedy),
    }
}

/// What IAM refuses is an error here: the document cannot be written.
fn severity(rule: &str, of_audit: audit::Severity) -> Severity {
    if rule == "O27" {
        return Severity::Error;
    }
    match of_audit {
        audit::Severity::Critical => Severity::Critical,
        audit::Severity::High => Severity::High,
        audit::Severity::Medium => Severity::Medium,
        audit::Severity::Low => Severity::Low,
        audit::Severity::Info => Severity::Info,
    }
}

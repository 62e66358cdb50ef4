//! An audit as SARIF 2.1.0, as GitHub's code scanning takes it.
//! Source: OASIS, "Static Analysis Results Interchange Format 2.1.0"; docs.github.com, "SARIF support for code scanning".

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::audit::{About, Audit, Confidence, Finding, RULES, Severity};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
const DOCUMENTATION: &str = "docs/audit-rules.md";

/// The audit as a SARIF log; `root` is the directory from which its paths are to be read, the checkout's.
#[must_use]
pub fn sarif(audit: &Audit, root: &Path) -> Value {
    let standing = audit
        .findings
        .iter()
        .map(|finding| result(finding, None, root));
    let accepted = audit
        .accepted
        .iter()
        .map(|accepted| result(&accepted.finding, Some(&accepted.reason), root));
    let results: Vec<Value> = standing.chain(accepted).collect();
    let rules: Vec<Value> = RULES.iter().map(|one| rule(one.about())).collect();
    let notifications: Vec<Value> = audit
        .unread
        .iter()
        .map(|unread| json!({ "level": "error", "message": { "text": format!("Not read: {unread}") } }))
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "provision",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": audit.unread.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    })
}

fn rule(about: &About) -> Value {
    let About {
        id,
        title,
        severity,
        confidence,
        remedy,
    } = about;
    json!({
        "id": id,
        "shortDescription": { "text": title },
        "fullDescription": { "text": format!("{title}. {remedy}") },
        "help": {
            "text": format!("{remedy} See {DOCUMENTATION}."),
            "markdown": format!("{remedy}\n\nSee the section {id} of `{DOCUMENTATION}`."),
        },
        "defaultConfiguration": { "level": level(*severity) },
        "properties": {
            "precision": precision(*confidence),
            "security-severity": score(*severity),
            "tags": ["security"],
        },
    })
}

fn result(finding: &Finding, accepted: Option<&String>, root: &Path) -> Value {
    let place = RULES
        .iter()
        .position(|rule| rule.about().id == finding.rule);
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": place,
        "level": level(finding.severity),
        "message": { "text": format!("{}: {}", finding.address, finding.message) },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&finding.location.path, root) },
            "region": { "startLine": finding.location.line.max(1), "startColumn": finding.location.column.max(1) },
        } }],
        "partialFingerprints": { "provision/v1": fingerprint(finding) },
        "properties": {
            "severity": finding.severity.name(),
            "address": finding.address,
            "remedy": finding.remedy,
            "evidence": finding.evidence,
        },
    });
    if let (Some(reason), Value::Object(fields)) = (accepted, &mut result) {
        fields.insert(
            "suppressions".to_owned(),
            json!([{ "kind": "external", "justification": reason }]),
        );
    }
    result
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// Within the ranges that GitHub reads as its own words for severities.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.5",
        Severity::Info => "0.0",
    }
}

fn precision(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "very-high",
        Confidence::Medium => "high",
        Confidence::Low => "medium",
    }
}

/// The same for one finding from run to run, wherever its lines move.
fn fingerprint(finding: &Finding) -> String {
    let mut hash = Sha256::new();
    for part in [finding.rule, &finding.address, &finding.message] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    // Sixteen bytes tell all findings of a project apart.
    let digest = hash.finalize();
    digest.iter().take(16).fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The path below the root, as a relative reference.
fn uri(path: &str, root: &Path) -> String {
    let path = Path::new(path);
    let path = path.strip_prefix(root).unwrap_or(path);
    let path = path.strip_prefix(".").unwrap_or(path);
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b'~');
    let text = path.to_string_lossy().replace('\\', "/");
    text.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

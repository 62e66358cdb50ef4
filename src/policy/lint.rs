//! What `policy check` says of a document beyond its grammar that the language itself decides: limits and names.
//! The rules on who may assume a role are the audit's (`src/audit/rules`), which knows the account.

use serde::Serialize;

use super::actions;
use super::document::Document;
use super::kind::PolicyKind;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// IAM refuses the document.
    Error,
    /// Anyone on GitHub may assume the role.
    Critical,
    /// Somebody else may.
    High,
    /// More than is usually meant.
    Medium,
    /// Worth a look.
    Low,
    /// Good to know.
    Info,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Info => "info",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Line of the statement, 1-based; 1 where it is about the whole document.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// All findings of a document that need nothing but itself.
#[must_use]
pub fn findings(document: &Document) -> Vec<Finding> {
    let mut out = limits(document);
    match document.kind() {
        PolicyKind::Identity | PolicyKind::Resource => out.extend(unknown_actions(document)),
        // Which actions there are is a rule of its own there (O28).
        PolicyKind::Trust => {}
    }
    out.sort_by_key(|finding| (finding.line, finding.severity, finding.rule));
    out
}

/// "IAM and AWS STS quotas": the defaults; an account's own come from `GetAccountSummary`.
fn limits(document: &Document) -> Vec<Finding> {
    let size = document.size();
    let (limit, what, hint) = match document.kind() {
        // Raised on request, up to 8,192; inline policies share 10,240 per role.
        PolicyKind::Trust => (
            2_048,
            "a trust policy",
            "Ask for a higher quota, or name fewer subjects.",
        ),
        PolicyKind::Identity => (
            6_144,
            "a managed policy",
            "Split the policy, or use wildcards.",
        ),
        PolicyKind::Resource => return Vec::new(),
    };
    if size <= limit {
        return Vec::new();
    }
    let message =
        format!("The document has {size} characters without whitespace; {what} may have {limit}.");
    vec![Finding {
        rule: "size",
        severity: Severity::Error,
        line: 1,
        message,
        hint: Some(hint.to_owned()),
    }]
}

/// Unknown actions of a document that are given a hint: whoever has more of them has another dialect, and the nearest
/// of thousands of names takes its time.
const HINTS: usize = 100;

/// Patterns of actions that match no action that exists.
fn unknown_actions(document: &Document) -> Vec<Finding> {
    let mut out = Vec::new();
    for statement in document.statements() {
        for pattern in &statement.actions.list {
            if actions::exists(pattern) {
                continue;
            }
            let near = (out.len() < HINTS).then(|| actions::nearest(pattern));
            out.push(Finding {
                rule: "unknown-action",
                severity: Severity::Low,
                line: statement.line,
                message: format!("No action is known as `{pattern}`."),
                hint: near.flatten().map(|near| format!("Did you mean `{near}`?")),
            });
        }
    }
    out
}

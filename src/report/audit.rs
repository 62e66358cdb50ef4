//! An audit as text for a terminal, as Markdown for a job's page, as JSON, and as GitHub's annotations.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use super::escape_command;
use crate::audit::{Audit, Evidence, Finding, Severity};
use crate::config::Position;

const GRAVE: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default();
const PLAIN: Style = Style::new().dimmed();
const STRONG: Style = Style::new().bold();

/// Beginning of the JSON's `format_version`; its first number changes when a reader of the old one would break.
const FORMAT_VERSION: &str = "1.0";

/// The whole audit as text; the last line is the summary.
#[must_use]
pub fn text(audit: &Audit) -> String {
    let mut out = String::new();
    for finding in &audit.findings {
        write_finding(&mut out, finding);
    }
    for accepted in &audit.accepted {
        let Finding { rule, address, .. } = &accepted.finding;
        let until = accepted
            .until
            .as_ref()
            .map(|until| format!(" until {until}"))
            .unwrap_or_default();
        let _ = writeln!(
            out,
            "accepted{until}: {rule} {address}: {}",
            accepted.reason
        );
    }
    for note in &audit.notes {
        let _ = writeln!(out, "note: {note}");
    }
    for unread in &audit.unread {
        let _ = writeln!(out, "{GRAVE}not read{GRAVE:#}: {unread}");
    }
    let _ = writeln!(out, "{STRONG}{}{STRONG:#}", summary(audit));
    out
}

fn write_finding(out: &mut String, finding: &Finding) {
    let Finding {
        rule,
        severity,
        confidence: _,
        address,
        message,
        evidence,
        location,
        remedy,
        revert,
        accept,
    } = finding;
    let style = style(*severity);
    let _ = writeln!(
        out,
        "{style}{}{style:#} {rule} {STRONG}{address}{STRONG:#}  {}",
        severity.name(),
        place(location)
    );
    let _ = writeln!(out, "    {message}");
    for piece in evidence {
        let _ = writeln!(out, "    - {}", evidence_words(piece));
    }
    let _ = writeln!(out, "    remedy: {}", indented(remedy));
    if let Some(revert) = revert {
        let _ = writeln!(out, "    revert: {}", indented(revert));
    }
    if let Some(accept) = accept {
        let _ = writeln!(out, "    accept: {}", indented(accept));
    }
    out.push('\n');
}

fn indented(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    match lines.as_slice() {
        [one] => (*one).to_owned(),
        many => many.iter().fold(String::new(), |mut out, line| {
            let _ = write!(out, "\n        {line}");
            out
        }),
    }
}

fn style(severity: Severity) -> Style {
    match severity {
        Severity::Critical | Severity::High => GRAVE,
        Severity::Medium => WARNING,
        Severity::Low | Severity::Info => PLAIN,
    }
}

/// `PATH:LINE:COLUMN`.
fn place(position: &Position) -> String {
    format!("{}:{}:{}", position.path, position.line, position.column)
}

/// A piece of evidence on one line.
fn evidence_words(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Request {
            what,
            policy,
            statement,
            ..
        } => match statement {
            Some(statement) => format!("{what} by {} of {policy}", statement_words(statement)),
            None => format!("{what} by {policy}"),
        },
        Evidence::Statement {
            policy,
            statement,
            what,
        } => format!("{} of {policy} {what}", statement_words(statement)),
        Evidence::Access { what, gained, .. } => {
            let side = if *gained {
                "not declared"
            } else {
                "declared and not there"
            };
            format!("{side}: {what}")
        }
        Evidence::Value { name, value } => format!("{name}: {value}"),
        Evidence::Event {
            name,
            time,
            who,
            source,
        } => format!("{name} by {who} from {source} at {time}"),
    }
}

fn statement_words(statement: &crate::policy::StatementRef) -> String {
    match &statement.sid {
        Some(sid) => format!("statement {} ({sid})", statement.index),
        None => format!("statement {}", statement.index),
    }
}

fn counts(audit: &Audit) -> BTreeMap<Severity, usize> {
    let mut counts = BTreeMap::new();
    for finding in &audit.findings {
        *counts.entry(finding.severity).or_default() += 1;
    }
    counts
}

/// `4 findings: 1 high, 2 medium, 1 info.`, with what was accepted and not read.
#[must_use]
pub fn summary(audit: &Audit) -> String {
    let words: Vec<String> = counts(audit)
        .into_iter()
        .rev()
        .map(|(severity, count)| format!("{count} {}", severity.name()))
        .collect();
    let plural = if audit.findings.len() == 1 { "" } else { "s" };
    let mut out = if words.is_empty() {
        "No findings.".to_owned()
    } else {
        let count = audit.findings.len();
        format!("{count} finding{plural}: {}.", words.join(", "))
    };
    if !audit.accepted.is_empty() {
        let _ = write!(out, " {} accepted.", audit.accepted.len());
    }
    if !audit.unread.is_empty() {
        let _ = write!(
            out,
            " {} not read: this is not the whole account.",
            audit.unread.len()
        );
    }
    out
}

/// The audit as JSON.
#[must_use]
pub fn json(audit: &Audit) -> Value {
    let counts: BTreeMap<&str, usize> = counts(audit)
        .into_iter()
        .map(|(severity, count)| (severity.name(), count))
        .collect();
    json!({
        "format_version": FORMAT_VERSION,
        "summary": { "findings": audit.findings.len(), "by_severity": counts, "accepted": audit.accepted.len() },
        "findings": audit.findings,
        "accepted": audit.accepted,
        "unread": audit.unread,
        "notes": audit.notes,
        "reach": audit.graph,
    })
}

/// The audit as Markdown.
#[must_use]
pub fn markdown(audit: &Audit) -> String {
    let mut out = format!("### provision audit\n\n{}\n", summary(audit));
    if !audit.findings.is_empty() {
        out.push_str("\n| severity | rule | resource | finding | where |\n|---|---|---|---|---|\n");
    }
    for finding in &audit.findings {
        let Finding {
            rule,
            severity,
            address,
            message,
            location,
            ..
        } = finding;
        let _ = writeln!(
            out,
            "| {} | {rule} | `{}` | {} | {} |",
            severity.name(),
            cell(address),
            cell(message),
            cell(&place(location))
        );
    }
    for finding in &audit.findings {
        let Finding {
            rule,
            address,
            evidence,
            remedy,
            accept,
            ..
        } = finding;
        let _ = writeln!(
            out,
            "\n<details><summary>{rule} {}</summary>\n",
            cell(address)
        );
        for piece in evidence {
            let _ = writeln!(out, "- {}", cell(&evidence_words(piece)));
        }
        let _ = writeln!(out, "\nRemedy:\n\n```\n{remedy}\n```");
        if let Some(accept) = accept {
            let _ = writeln!(out, "\nOr declare it:\n\n```toml\n{accept}\n```");
        }
        out.push_str("\n</details>\n");
    }
    for unread in &audit.unread {
        let _ = writeln!(out, "\n**Not read**: {}", cell(unread));
    }
    out
}

/// Text that stands in a table without meaning anything there.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\n' | '\r' => out.push(' '),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' => {
                out.push('\\');
                out.push(letter);
            }
            other => out.push(other),
        }
    }
    out
}

/// One workflow command for each finding, which GitHub shows beside the line.
#[must_use]
pub fn annotations(audit: &Audit) -> String {
    let mut out = String::new();
    for finding in &audit.findings {
        let Finding {
            rule,
            severity,
            address,
            message,
            location,
            ..
        } = finding;
        let level = match severity {
            Severity::Critical | Severity::High => "error",
            Severity::Medium | Severity::Low => "warning",
            Severity::Info => "notice",
        };
        let property = |text: &str| escape_command(text).replace(':', "%3A").replace(',', "%2C");
        let _ = writeln!(
            out,
            "::{level} file={},line={},col={},title={}::{}",
            property(&location.path),
            location.line,
            location.column,
            property(&format!("{rule} {address}")),
            escape_command(message)
        );
    }
    out
}

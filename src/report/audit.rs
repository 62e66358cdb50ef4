//! An audit as text for a terminal, as Markdown for a job's page, as JSON, and as GitHub's annotations.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use super::escape_command;
use super::markdown::{block, code, escape};
use crate::audit::{Accepted, Audit, Evidence, Finding, Severity};
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
        let _ = writeln!(out, "{}", accepted_words(accepted));
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

/// What is accepted, until when and why.
fn accepted_words(accepted: &Accepted) -> String {
    let Accepted {
        finding,
        until,
        reason,
    } = accepted;
    let Finding { rule, address, .. } = finding;
    let until = until.as_ref().map(|until| format!(" until {until}"));
    let until = until.unwrap_or_default();
    format!("accepted{until}: {rule} {address}: {reason}")
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
    let _ = writeln!(out, "    remedy:{}", indented(remedy));
    if let Some(revert) = revert {
        let _ = writeln!(out, "    revert:{}", indented(revert));
    }
    if let Some(accept) = accept {
        let _ = writeln!(out, "    accept:{}", indented(accept));
    }
    out.push('\n');
}

/// One line beside its heading, several below it.
fn indented(text: &str) -> String {
    if !text.contains('\n') {
        return format!(" {text}");
    }
    let lines = text.lines().map(|line| match line {
        "" => "\n".to_owned(),
        line => format!("\n        {line}"),
    });
    lines.collect()
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
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            finding.severity.name(),
            finding.rule,
            code(&finding.address),
            line(&finding.message),
            line(&place(&finding.location))
        );
    }
    for finding in &audit.findings {
        write_details(&mut out, finding);
    }
    for accepted in &audit.accepted {
        let _ = writeln!(out, "\n{}", line(&accepted_words(accepted)));
    }
    for note in &audit.notes {
        let _ = writeln!(out, "\nNote: {}", line(note));
    }
    for unread in &audit.unread {
        let _ = writeln!(out, "\n**Not read**: {}", line(unread));
    }
    out
}

fn write_details(out: &mut String, finding: &Finding) {
    let Finding {
        rule,
        severity: _,
        confidence: _,
        address,
        message: _,
        evidence,
        location: _,
        remedy,
        revert,
        accept,
    } = finding;
    let _ = writeln!(
        out,
        "\n<details><summary>{rule} {}</summary>\n",
        line(address)
    );
    for piece in evidence {
        let _ = writeln!(out, "- {}", line(&evidence_words(piece)));
    }
    if remedy.contains('\n') {
        let _ = write!(out, "\nRemedy:\n\n{}", block("toml", remedy));
    } else {
        let _ = writeln!(out, "\nRemedy: {}", line(remedy));
    }
    if let Some(revert) = revert {
        let _ = writeln!(out, "\nRevert: {}", line(revert));
    }
    if let Some(accept) = accept {
        let _ = write!(out, "\nAccept:\n\n{}", block("toml", accept));
    }
    out.push_str("\n</details>\n");
}

/// Text on one line that means nothing in Markdown.
fn line(text: &str) -> String {
    escape(&text.replace(['\r', '\n'], " "))
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

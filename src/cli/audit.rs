//! `provision audit`: drift, undeclared access, findings.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::session::Session;
use super::snapshot;
use crate::audit::{self, Audit, Severity};
use crate::error::Result;
use crate::reach::{Account, Facts};
use crate::report::{
    audit_annotations, audit_json, audit_markdown, audit_summary, audit_text, reach_mermaid,
    reach_text, sarif,
};

/// Say what has drifted, who can do more than infra.toml says, and what is dangerous.
///
/// Reads infra.toml and the account, and writes nothing. The exit code is 2 where a finding is as grave as --fail-on, and
/// 1 where something could not be read.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// How to print the findings.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: Format,

    /// The least severity that makes the exit code 2.
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t)]
    fail_on: FailOn,

    /// Print instead which git refs reach which roles, repositories and services: a table and a Mermaid graph.
    #[arg(long)]
    reach: bool,

    /// Read this file, which `provision snapshot` wrote, instead of the account. Needs no credentials.
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
}

/// The formats of an audit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For a job's page or a comment.
    Markdown,
    /// For code scanning, version 2.1.0.
    Sarif,
}

/// The severities that can make the exit code 2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Any finding.
    Info,
    /// Low or graver.
    Low,
    /// Medium or graver.
    Medium,
    /// High or critical.
    #[default]
    High,
    /// Critical only.
    Critical,
}

impl FailOn {
    fn severity(self) -> Severity {
        match self {
            Self::Info => Severity::Info,
            Self::Low => Severity::Low,
            Self::Medium => Severity::Medium,
            Self::High => Severity::High,
            Self::Critical => Severity::Critical,
        }
    }
}

/// Reads, judges and prints.
pub(super) async fn run(arguments: &Arguments, session: &Session<'_>) -> Result<u8> {
    let account = account(session, arguments.snapshot.as_ref()).await?;
    let facts = Facts::new(&session.config, &account);
    let audit = audit::run(&facts, i64::try_from(account.taken).unwrap_or(i64::MAX));
    let text = if arguments.reach {
        reach(&audit, arguments.format)
    } else {
        print(&audit, arguments.format)
    };
    session.screen.result(&text)?;
    tell_workflow(&audit, session)?;
    if arguments.reach {
        return Ok(u8::from(!audit.unread.is_empty()));
    }
    Ok(audit.exit_code(arguments.fail_on.severity()))
}

/// The account of a file, or as it is now.
pub(super) async fn account(session: &Session<'_>, file: Option<&PathBuf>) -> Result<Account> {
    if let Some(file) = file {
        return snapshot::read(file, &session.config);
    }
    let aws = session.connect().await?;
    Ok(audit::read(&aws, &session.config).await)
}

fn print(audit: &Audit, format: Format) -> String {
    match format {
        Format::Text => audit_text(audit),
        Format::Json => format!("{:#}\n", audit_json(audit)),
        Format::Markdown => audit_markdown(audit),
        Format::Sarif => {
            let root = std::env::current_dir().unwrap_or_default();
            format!("{:#}\n", sarif(audit, &root))
        }
    }
}

fn reach(audit: &Audit, format: Format) -> String {
    let graph = &audit.graph;
    match format {
        Format::Json | Format::Sarif => format!(
            "{:#}\n",
            serde_json::json!({ "reach": graph, "unread": audit.unread })
        ),
        Format::Text => format!("{}\n{}", reach_text(graph), reach_mermaid(graph)),
        Format::Markdown => format!(
            "```text\n{}```\n\n```mermaid\n{}```\n",
            reach_text(graph),
            reach_mermaid(graph)
        ),
    }
}

/// Puts the findings beside the lines that they are about, and on the job's page.
fn tell_workflow(audit: &Audit, session: &Session<'_>) -> Result<()> {
    let workflow = session.screen.workflow();
    if workflow.is_on() {
        let annotations = audit_annotations(audit);
        if !annotations.is_empty() {
            session.screen.complain(annotations.trim_end());
        }
    }
    workflow.summarize(&audit_markdown(audit))?;
    workflow.set_output("findings", &audit.findings.len().to_string())?;
    workflow.set_output("summary", &audit_summary(audit))
}

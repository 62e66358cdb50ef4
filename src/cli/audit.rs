//! `provision audit`: drift, undeclared access, findings.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::session::Session;
use super::snapshot;
use crate::audit::{self, Audit, Severity};
use crate::aws::Aws;
use crate::config::Config;
use crate::error::Result;
use crate::github;
use crate::reach::Account;
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
    let audit = match &arguments.snapshot {
        Some(file) => audit::judge(&session.config, &snapshot::read(file, &session.config)?),
        None => examine(session).await?.1,
    };
    let text = if arguments.reach {
        reach(&audit, &session.config, arguments.format)
    } else {
        print(&audit, arguments.format)
    };
    session.screen.result(&text)?;
    tell_workflow(&audit, session)?;
    if arguments.reach {
        for unread in &audit.unread {
            session.screen.complain(&format!("not read: {unread}"));
        }
        return Ok(u8::from(!audit.unread.is_empty()));
    }
    Ok(audit.exit_code(arguments.fail_on.severity()))
}

/// The account as it is now, judged, with who changed what.
pub(super) async fn examine(session: &Session<'_>) -> Result<(Account, Audit)> {
    let aws = session.connect().await?;
    let mut account = look(session, &aws).await;
    let audit = audit::examine(&aws, &session.config, &mut account).await;
    Ok((account, audit))
}

/// The account of a file, or as it is now.
pub(super) async fn account(session: &Session<'_>, file: Option<&PathBuf>) -> Result<Account> {
    match file {
        Some(file) => snapshot::read(file, &session.config),
        None => Ok(look(session, &session.connect().await?).await),
    }
}

/// AWS and GitHub as they are now.
async fn look(session: &Session<'_>, aws: &Aws) -> Account {
    let read = audit::read(aws, &session.config);
    let (mut account, github) = futures::join!(read, ask_github(session));
    account.github = github.facts;
    account.notes.extend(github.notes);
    account
}

/// What GitHub says, where it is declared and may be asked.
async fn ask_github(session: &Session<'_>) -> github::Answer {
    let Some(declared) = &session.config.github else {
        return github::Answer::default();
    };
    let unasked = |why: &str| github::Answer {
        facts: None,
        notes: vec![format!(
            "GitHub was not asked, as {why}: main is taken for the default branch, and how environments are protected is not known."
        )],
    };
    if session.global.sandbox().is_some() {
        return unasked("the sandbox has none");
    }
    match github::Access::of(|name| std::env::var(name).ok()) {
        Some(access) => access.read(&declared.owner, &declared.name).await,
        None => unasked("neither GITHUB_TOKEN nor GH_TOKEN is set"),
    }
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

fn reach(audit: &Audit, config: &Config, format: Format) -> String {
    let graph = &audit.graph;
    let remedies = audit::remedies(config, graph);
    let lines = remedies.as_deref().unwrap_or_default();
    match format {
        Format::Json | Format::Sarif => format!(
            "{:#}\n",
            serde_json::json!({ "reach": graph, "remedies": remedies, "unread": audit.unread })
        ),
        Format::Text => {
            let lines = remedies
                .as_ref()
                .map(|lines| format!("\n{lines}\n"))
                .unwrap_or_default();
            format!("{}{lines}\n{}", reach_text(graph), reach_mermaid(graph))
        }
        Format::Markdown => format!(
            "```text\n{}```\n\n```mermaid\n{}```\n\n```toml\n{lines}\n```\n",
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

//! `provision policy check`: grammar, limits and rules of one document, or of many.

use std::path::PathBuf;

use clap::Args;

use super::file::PolicyFile;
use super::{Format, Kind, batch, rules};
use crate::cli::global::Global;
use crate::config;
use crate::error::{Error, ErrorKind, Result};
use crate::policy::PolicyKind;
use crate::policy::batch::{Checked, check, check_text};
use crate::policy::lint::Finding;
use crate::report::Screen;

/// Check a policy document: grammar, limits, and rules on who may assume a role.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The document (`-` for standard input).
    #[arg(required_unless_present = "batch")]
    file: Option<PathBuf>,
    /// What the document is for; by default what its elements say.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Read cases from FILE (`-` for standard input), a JSON line each, and print one line each.
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    batch: Option<PathBuf>,
}

/// Prints what is wrong; 1 where IAM would refuse a document.
pub(super) fn run(arguments: &Check, global: &Global, screen: &Screen) -> Result<u8> {
    let Check {
        file,
        kind,
        format,
        batch,
    } = arguments;
    let kind = kind.map(PolicyKind::from);
    if let Some(path) = batch {
        let seen = batch::run(path, kind, screen, |line| {
            check(line, &|document| rules::findings(document, None))
        })?;
        return Ok(seen.exit_code(false));
    }
    let Some(path) = file else {
        return Err(Error::new(ErrorKind::Usage, "A policy file is needed."));
    };
    let file = PolicyFile::read(path, global, screen)?;
    let checked = check_file(&file, kind, global);
    match format {
        Format::Json => screen.result(&format!(
            "{}\n",
            serde_json::to_string_pretty(&checked).unwrap_or_default()
        ))?,
        Format::Text => screen.result(&lines(&path.display().to_string(), &checked))?,
    }
    Ok(if checked.valid {
        0
    } else {
        ErrorKind::Failed.exit_code()
    })
}

/// What is wrong with the document in any environment, at its place in the file.
fn check_file(file: &PolicyFile, kind: Option<PolicyKind>, global: &Global) -> Checked {
    let mut whole = Checked {
        valid: true,
        errors: Vec::new(),
        findings: Vec::new(),
        notes: file.notes(),
    };
    let declared = config::load(&global.config).ok();
    for written in &file.written {
        let kind = kind.or_else(|| PolicyKind::of(written.text()));
        let judge = |document: &_| rules::findings(document, declared.as_ref());
        let checked = check_text(written.text(), kind.unwrap_or(PolicyKind::Identity), &judge);
        whole.valid &= checked.valid;
        for mut error in checked.errors {
            let position = written.position(error.line, error.column);
            (error.line, error.column) = (position.line, position.column);
            if !whole.errors.contains(&error) {
                whole.errors.push(error);
            }
        }
        for finding in checked.findings {
            if !whole.findings.contains(&finding) {
                whole.findings.push(finding);
            }
        }
    }
    whole
}

fn lines(path: &str, checked: &Checked) -> String {
    let Checked {
        valid,
        errors,
        findings,
        notes,
    } = checked;
    let mut out = String::new();
    let mut line = |at: String, message: &str, hint: Option<&String>| {
        out.extend([format!("{path}:{at}: {message}\n")]);
        if let Some(hint) = hint {
            out.extend([format!("  hint: {}\n", hint.replace('\n', "\n  "))]);
        }
    };
    for error in errors {
        line(
            format!("{}:{}", error.line, error.column),
            &format!("error: {}", error.message),
            error.hint.as_ref(),
        );
    }
    for finding in findings {
        let Finding {
            rule,
            severity,
            line: at,
            message,
            hint,
        } = finding;
        let message = format!("{}: {rule}: {message}", severity.name());
        line(format!("{at}:1"), &message, hint.as_ref());
    }
    if *valid && findings.is_empty() {
        out.extend([format!("{path} is valid.\n")]);
    }
    out.extend(notes.iter().map(|note| format!("note: {note}\n")));
    out
}

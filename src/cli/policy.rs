//! `provision policy`: the IAM language on its own, offline.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, stdin};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use crate::error::{Error, ErrorKind, Result};
use crate::policy::batch::{self, Answer, Checked};
use crate::policy::{Document, PolicyKind, SyntaxError, describe, relate};
use crate::report::Screen;

/// Compare, evaluate and check IAM policy documents, offline.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Diff(Diff),
    Eval(Eval),
    Check(Check),
}

/// Say how the meaning of policy B relates to that of A, with requests that prove it.
#[derive(Debug, Args)]
struct Diff {
    /// The policy before.
    #[arg(required_unless_present = "batch")]
    a: Option<PathBuf>,
    /// The policy after.
    #[arg(required_unless_present = "batch")]
    b: Option<PathBuf>,
    /// What the documents are for; by default what their elements say.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Exit with 3 where B is wider, incomparable or unknown.
    #[arg(long)]
    deny_broadening: bool,
    /// Read cases from FILE (`-` for standard input), a JSON line each, and print one line each.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["a", "b"])]
    batch: Option<PathBuf>,
}

/// Say whether policies allow requests.
#[derive(Debug, Args)]
struct Eval {
    /// Read cases from FILE (`-` for standard input), a JSON line each, and print one line each.
    #[arg(long, value_name = "FILE")]
    batch: PathBuf,
    /// What documents are for whose case does not say.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
}

/// Check a policy document: grammar, limits, and rules on who may assume a role.
#[derive(Debug, Args)]
struct Check {
    /// The document.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    Identity,
    Trust,
    Resource,
}

impl From<Kind> for PolicyKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Identity => Self::Identity,
            Kind::Trust => Self::Trust,
            Kind::Resource => Self::Resource,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
}

/// Runs a subcommand.
pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<u8> {
    match &arguments.command {
        Command::Diff(arguments) => diff(arguments, screen),
        Command::Eval(Eval { batch, kind }) => {
            let kind = kind.map(PolicyKind::from);
            run_batch(batch, screen, |line| batch::eval(line, kind)).map(|_| 0)
        }
        Command::Check(arguments) => check(arguments, screen),
    }
}

fn diff(arguments: &Diff, screen: &Screen) -> Result<u8> {
    let Diff {
        a,
        b,
        kind,
        format,
        deny_broadening,
        batch,
    } = arguments;
    let kind = kind.map(PolicyKind::from);
    if let Some(batch) = batch {
        let seen = run_batch(batch, screen, |line| batch::diff(line, kind))?;
        return Ok(match (deny_broadening, seen) {
            (true, Seen { failed: true, .. }) => ErrorKind::Failed.exit_code(),
            (true, Seen { broadens: true, .. }) => ErrorKind::Refused.exit_code(),
            _ => 0,
        });
    }
    let (Some(a), Some(b)) = (a, b) else {
        return Err(Error::new(ErrorKind::Usage, "Two policy files are needed."));
    };
    let (a_text, b_text) = (read(a)?, read(b)?);
    let kind = kind.unwrap_or_else(|| batch::kind_of(&a_text).max(batch::kind_of(&b_text)));
    let parse =
        |path: &Path, text: &str| Document::read(text, kind).map_err(|errors| wrong(path, &errors));
    let (a, b) = (parse(a, &a_text)?, parse(b, &b_text)?);
    let comparison = relate(&a, &b);
    match format {
        Format::Json => screen.result(&format!(
            "{}\n",
            batch::comparison_json(&a, &b, &comparison)
        ))?,
        Format::Text => screen.result(&describe::text(&a, &b, &comparison))?,
    }
    let refused = *deny_broadening && comparison.broadens();
    Ok(if refused {
        ErrorKind::Refused.exit_code()
    } else {
        0
    })
}

fn check(arguments: &Check, screen: &Screen) -> Result<u8> {
    let Check {
        file,
        kind,
        format,
        batch,
    } = arguments;
    let kind = kind.map(PolicyKind::from);
    if let Some(batch) = batch {
        return run_batch(batch, screen, |line| batch::check(line, kind)).map(|_| 0);
    }
    let Some(file) = file else {
        return Err(Error::new(ErrorKind::Usage, "A policy file is needed."));
    };
    let text = read(file)?;
    let checked = batch::check_text(&text, kind.unwrap_or_else(|| batch::kind_of(&text)));
    match format {
        Format::Json => screen.result(&format!(
            "{}\n",
            serde_json::to_string_pretty(&checked).unwrap_or_default()
        ))?,
        Format::Text => screen.result(&check_lines(file, &checked))?,
    }
    Ok(if checked.valid {
        0
    } else {
        ErrorKind::Failed.exit_code()
    })
}

fn check_lines(file: &Path, checked: &Checked) -> String {
    let Checked {
        valid,
        errors,
        findings,
    } = checked;
    let mut out = String::new();
    let mut line = |at: String, message: &str, hint: Option<&String>| {
        out.extend([format!("{}:{at}: {message}\n", file.display())]);
        if let Some(hint) = hint {
            out.extend([format!("  hint: {hint}\n")]);
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
        let message = format!(
            "{}: {}: {}",
            finding.severity.name(),
            finding.rule,
            finding.message
        );
        line(
            format!("{}:1", finding.line),
            &message,
            finding.hint.as_ref(),
        );
    }
    if *valid && findings.is_empty() {
        out.extend([format!("{} is valid.\n", file.display())]);
    }
    out
}

/// What the lines of a batch held.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    broadens: bool,
    failed: bool,
}

fn run_batch(path: &Path, screen: &Screen, answer: impl Fn(&str) -> Answer) -> Result<Seen> {
    let input: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(BufReader::new(stdin()))
    } else {
        Box::new(BufReader::new(
            File::open(path).map_err(|error| unreadable(path, &error))?,
        ))
    };
    let mut seen = Seen::default();
    for line in input.split(b'\n') {
        let line = line.map_err(|error| unreadable(path, &error))?;
        let answer = answer(String::from_utf8_lossy(&line).trim_end_matches('\r'));
        seen.broadens |= answer.broadens;
        seen.failed |= answer.failed;
        screen.result(&format!("{}\n", answer.line))?;
    }
    Ok(seen)
}

/// Reads a document; `-` is standard input.
pub(super) fn read(path: &Path) -> Result<String> {
    let mut text = String::new();
    if path == Path::new("-") {
        stdin()
            .read_to_string(&mut text)
            .map_err(|error| unreadable(path, &error))?;
        return Ok(text);
    }
    std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::failed(format!("{} cannot be read: {error}.", path.display()))
}

/// The grammar errors of a document as one error.
pub(super) fn wrong(path: &Path, errors: &[SyntaxError]) -> Error {
    let lines: Vec<String> = errors
        .iter()
        .map(|error| {
            format!(
                "{}:{}:{}: {}",
                path.display(),
                error.line,
                error.column,
                error.message
            )
        })
        .collect();
    let mut out = Error::new(ErrorKind::Config, lines.join("\n"));
    out.hint = errors.iter().find_map(|error| error.hint.clone());
    out
}

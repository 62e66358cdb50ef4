//! `provision policy`: the IAM language on its own, offline.

mod batch;
mod check;
mod file;
mod rules;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::global::Global;
use crate::error::{Error, ErrorKind, Result};
use crate::policy::batch::{comparison_json, diff as diff_line, eval as eval_line};
use crate::policy::{PolicyKind, describe, relate};
use crate::report::Screen;
pub(super) use file::PolicyFile;

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
    Check(check::Check),
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
    /// What the documents are for; by default what their elements say, if they agree.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Exit with 3 where B is wider, incomparable or unknown.
    #[arg(long)]
    deny_broadening: bool,
    /// Read cases from FILE (`-` for standard input), a JSON line each, and print one line each.
    ///
    /// A case is {"id", "kind", "a", "b"}; an answer has the id and what `--format json` prints. A line without an
    /// answer gets one with `error` and `line`, stops nothing, and makes the exit code 1.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["a", "b"])]
    batch: Option<PathBuf>,
}

/// Say whether policies allow requests.
///
/// A case is {"id", "kind", "policy", "request": {"principal", "action", "resource", "context"}}; in place of `policy`
/// there may be several `policies`, with a `boundary`, a `resource_policy` or a `trust` policy, which are combined as IAM
/// does. An answer is {"id", "allowed", "statements"}. A line without an answer gets one with `error` and `line`, stops
/// nothing, and makes the exit code 1.
#[derive(Debug, Args)]
struct Eval {
    /// Read cases from FILE (`-` for standard input), a JSON line each, and print one line each.
    #[arg(long, value_name = "FILE")]
    batch: PathBuf,
    /// What documents are for whose case does not say.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
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
pub(super) fn run(arguments: &Arguments, global: &Global, screen: &Screen) -> Result<u8> {
    match &arguments.command {
        Command::Diff(arguments) => diff(arguments, global, screen),
        Command::Eval(Eval { batch, kind }) => {
            let seen = batch::run(batch, kind.map(PolicyKind::from), screen, eval_line)?;
            Ok(seen.exit_code(false))
        }
        Command::Check(arguments) => check::run(arguments, global, screen),
    }
}

fn diff(arguments: &Diff, global: &Global, screen: &Screen) -> Result<u8> {
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
        let seen = batch::run(batch, kind, screen, diff_line)?;
        return Ok(seen.exit_code(*deny_broadening));
    }
    let (Some(a), Some(b)) = (a, b) else {
        return Err(Error::new(ErrorKind::Usage, "Two policy files are needed."));
    };
    let read = |path: &PathBuf| PolicyFile::read(path, global, screen);
    let (a, b) = (read(a)?, read(b)?);
    let kind = match kind {
        Some(kind) => kind,
        None => PolicyKind::of_both(a.text(), b.text()).map_err(|message| {
            Error::new(ErrorKind::Config, message)
                .hint("Say which: --kind identity, --kind trust or --kind resource.")
        })?,
    };
    for file in [&a, &b] {
        let notes = file.notes().into_iter().chain(file.environment_note());
        notes.for_each(|note| screen.say(&format!("note: {note}")));
    }
    let (a, b) = (a.document(kind)?, b.document(kind)?);
    let comparison = relate(&a, &b);
    match format {
        Format::Json => screen.result(&format!("{}\n", comparison_json(&a, &b, &comparison)))?,
        Format::Text => screen.result(&describe::text(&a, &b, &comparison))?,
    }
    let refused = *deny_broadening && comparison.broadens();
    Ok(if refused {
        ErrorKind::Refused.exit_code()
    } else {
        0
    })
}

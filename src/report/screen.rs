//! The two streams of the run, their colours, and the questions on a terminal. A reader that went
//! away is no error: what it wanted it has.

use std::io::{self, IsTerminal as _, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;

use super::Workflow;
use crate::error::{Error, Result};

pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(super) const HINT: Style = AnsiColor::Cyan.on_default();

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, as `NO_COLOR` and `CLICOLOR_FORCE` say.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Where a run prints.
#[derive(Clone, Debug)]
pub struct Screen {
    choice: ColorChoice,
    quiet: bool,
    verbosity: u8,
    workflow: Workflow,
}

impl Screen {
    /// A screen with these settings. `quiet` silences all on standard error but errors and questions.
    #[must_use]
    pub fn new(color: Color, quiet: bool, verbosity: u8, workflow: Workflow) -> Self {
        let choice = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self {
            choice,
            quiet,
            verbosity,
            workflow,
        }
    }

    /// What GitHub Actions is told, where the run is one of its.
    #[must_use]
    pub fn workflow(&self) -> &Workflow {
        &self.workflow
    }

    /// Whether more than the usual is to be said.
    #[must_use]
    pub fn is_verbose(&self) -> bool {
        self.verbosity > 0
    }

    /// Whether nothing but errors is to be said on standard error.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether somebody is there to answer: standard input and standard error are terminals, and no CI
    /// runs this.
    #[must_use]
    pub fn is_interactive(&self) -> bool {
        let ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
        !ci && !self.workflow.is_on() && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Whether lines on standard error may be rewritten.
    #[must_use]
    pub fn is_animated(&self) -> bool {
        !self.quiet && self.is_interactive()
    }

    /// Whether text on standard error is coloured, for what is rendered elsewhere.
    #[must_use]
    pub fn colors_errors(&self) -> bool {
        AutoStream::new(io::stderr(), self.choice).current_choice() != ColorChoice::Never
    }

    /// Prints a result on standard output.
    ///
    /// # Errors
    /// What could not be written, unless nobody reads any more.
    pub fn result(&self, text: &str) -> Result<()> {
        let mut stream = AutoStream::new(io::stdout().lock(), self.choice);
        forgive(
            stream
                .write_all(text.as_bytes())
                .and_then(|()| stream.flush()),
        )
    }

    /// The same, for what goes on and on: whether somebody still reads.
    ///
    /// # Errors
    /// What could not be written.
    pub fn result_while_read(&self, text: &str) -> Result<bool> {
        let mut stream = AutoStream::new(io::stdout().lock(), self.choice);
        let written = stream
            .write_all(text.as_bytes())
            .and_then(|()| stream.flush());
        let is_read = !matches!(&written, Err(error) if error.kind() == io::ErrorKind::BrokenPipe);
        forgive(written).map(|()| is_read)
    }

    /// Says something on standard error, with a line feed, unless the run is quiet.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            self.complain(text);
        }
    }

    /// Prints an error and its hint.
    pub fn error(&self, error: &Error) {
        self.workflow.annotate(error);
        self.complain(&super::error::text(error));
    }

    /// Prints text on standard error, quiet or not.
    pub fn complain(&self, text: &str) {
        let mut stream = AutoStream::new(io::stderr().lock(), self.choice);
        // Nothing is left to tell a failure to.
        let _ = writeln!(stream, "{text}").and_then(|()| stream.flush());
    }

    /// Asks for a `yes`; anything else, and the end of input, is a no.
    #[must_use]
    pub fn confirm(&self, question: &str) -> bool {
        self.ask(question).is_some_and(|answer| answer == "yes")
    }

    /// Asks for a line; none where there is no more input.
    #[must_use]
    pub fn ask(&self, question: &str) -> Option<String> {
        let mut stream = AutoStream::new(io::stderr().lock(), self.choice);
        write!(stream, "{question} ")
            .and_then(|()| stream.flush())
            .ok()?;
        let mut answer = String::new();
        io::stdin()
            .read_line(&mut answer)
            .ok()
            .filter(|read| *read > 0)?;
        Some(answer.trim().to_owned())
    }
}

fn forgive(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::failed(format!(
            "Standard output cannot be written: {error}."
        ))),
        _ => Ok(()),
    }
}

//! GitHub Actions as the reader: annotations, the step summary and the step's outputs. Outside of it
//! nothing here does anything.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::PathBuf;

use crate::config::{Diagnostic, Position};
use crate::error::{Error, ErrorKind, Result};

/// What the runner gave: `GITHUB_ACTIONS`, `GITHUB_STEP_SUMMARY` and `GITHUB_OUTPUT`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workflow {
    /// Whether GitHub Actions runs this.
    pub active: bool,
    /// The file that the job's page shows.
    pub summary: Option<PathBuf>,
    /// The file of the step's outputs.
    pub output: Option<PathBuf>,
}

impl Workflow {
    /// As the environment says.
    #[must_use]
    pub fn from_environment() -> Self {
        let file = |name| {
            std::env::var_os(name)
                .filter(|path| !path.is_empty())
                .map(PathBuf::from)
        };
        Self {
            active: std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true"),
            summary: file("GITHUB_STEP_SUMMARY"),
            output: file("GITHUB_OUTPUT"),
        }
    }

    /// Whether GitHub Actions runs this.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.active
    }

    /// Adds Markdown to the job's page.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn summarize(&self, markdown: &str) -> Result<()> {
        self.append(
            self.summary.as_ref(),
            "GITHUB_STEP_SUMMARY",
            &format!("{markdown}\n"),
        )
    }

    /// Sets an output of the step, whatever the value holds.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn set_output(&self, name: &str, value: &str) -> Result<()> {
        self.append(self.output.as_ref(), "GITHUB_OUTPUT", &output(name, value))
    }

    /// Marks an error where the job's page shows it; those in files are marked there.
    pub(super) fn annotate(&self, error: &Error) {
        if error.kind != ErrorKind::Config {
            self.command("::error::", &error.to_string());
        }
    }

    /// Marks errors at their lines.
    pub fn annotate_diagnostics(&self, diagnostics: &[Diagnostic]) {
        for diagnostic in diagnostics {
            let Position { path, line, column } = &diagnostic.position;
            let path = escape_property(path);
            let start = format!("::error file={path},line={line},col={column}::");
            self.command(&start, &diagnostic.message);
        }
    }

    fn command(&self, start: &str, text: &str) {
        if self.active {
            let line = format!("{start}{}\n", escape_command(text));
            // Nothing is left to tell a failure to.
            let _ = io::stderr().lock().write_all(line.as_bytes());
        }
    }

    fn append(&self, file: Option<&PathBuf>, name: &str, text: &str) -> Result<()> {
        let Some(path) = file.filter(|_| self.active) else {
            return Ok(());
        };
        OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| {
                Error::failed(format!("The file of {name} cannot be written: {error}."))
            })
    }
}

/// An output as the runner reads it: a value of several lines ends where a line says so that is not in
/// the value, so that no value can set another output.
fn output(name: &str, value: &str) -> String {
    if !value.contains(['\r', '\n']) {
        return format!("{name}={value}\n");
    }
    let mut end = String::from("END");
    while value.contains(&end) {
        end.push_str("_END");
    }
    format!("{name}<<{end}\n{value}\n{end}\n")
}

/// The data of a workflow command: one line, and no sign that begins another one.
#[must_use]
pub fn escape_command(text: &str) -> String {
    let plain = anstream::adapter::strip_str(text).to_string();
    plain
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property of a workflow command, such as a path.
fn escape_property(text: &str) -> String {
    escape_command(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::output;

    #[test]
    fn an_output_of_one_line_is_a_pair() {
        assert_eq!(output("digest", "sha256:a"), "digest=sha256:a\n");
    }

    #[test]
    fn no_value_sets_another_output() {
        let sly = "a\nEND\nresult=succeeded";
        assert_eq!(
            output("digest", sly),
            "digest<<END_END\na\nEND\nresult=succeeded\nEND_END\n"
        );
        assert!(output("digest", "a\rb").starts_with("digest<<"));
    }
}

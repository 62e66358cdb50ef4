//! A policy document that the command line names: read, its placeholders resolved, its errors at their places.

use std::io::{Read as _, stdin};
use std::path::Path;

use crate::cli::global::Global;
use crate::config::{self, Placeholders, Position, Written};
use crate::error::{Error, ErrorKind, Result};
use crate::policy::{Document, Home, PolicyKind, SyntaxError};
use crate::report::Screen;

/// A document's file, with its placeholders resolved.
pub(in crate::cli) struct PolicyFile {
    path: String,
    /// One, or one for each environment where the document takes values of one.
    pub(super) written: Vec<Written>,
    /// The account and region of the infra.toml beside it, if there is one.
    home: Option<Home>,
}

impl PolicyFile {
    /// Reads a file; `-` is standard input. Placeholders are resolved as plan does where there is an infra.toml, and
    /// are else texts of the form that their names promise, which is said. An infra.toml that cannot be read matters only
    /// where there are placeholders.
    pub(in crate::cli) fn read(path: &Path, global: &Global, screen: &Screen) -> Result<Self> {
        let text = read(path)?;
        let path = path.display().to_string();
        let placeholders = Placeholders::load(&global.config);
        let home = placeholders.as_ref().ok().and_then(Placeholders::home);
        let written = if !text.contains("{{") || has_no_config(global) {
            vec![config::stand_in(&path, &text)]
        } else {
            placeholders
                .and_then(|placeholders| placeholders.resolve(&path, &text))
                .map_err(|diagnostics| {
                    let rendered: Vec<String> = diagnostics
                        .iter()
                        .map(|one| one.render(screen.colors_errors()))
                        .collect();
                    Error::new(ErrorKind::Config, rendered.join("\n\n"))
                })?
        };
        Ok(Self {
            path,
            written,
            home,
        })
    }

    /// The first text; that of the first environment where it takes values of one.
    pub(in crate::cli) fn text(&self) -> &str {
        self.written.first().map_or("", Written::text)
    }

    /// The document of this kind, for what it says; its examples speak of the account of infra.toml.
    pub(in crate::cli) fn document(&self, kind: PolicyKind) -> Result<Document> {
        let document =
            Document::read_as(self.text(), kind).map_err(|errors| self.wrong(&errors))?;
        Ok(match &self.home {
            Some(home) => document.at_home(home),
            None => document,
        })
    }

    /// What to know about how the placeholders were read.
    pub(in crate::cli) fn notes(&self) -> Vec<String> {
        let Some(first) = self.written.first() else {
            return Vec::new();
        };
        let mut notes = Vec::new();
        if !first.stand_ins.is_empty() {
            let pairs: Vec<String> = first
                .stand_ins
                .iter()
                .map(|(placeholder, text)| format!("`{placeholder}` as `{text}`"))
                .collect();
            notes.push(format!(
                "There is no infra.toml to resolve the placeholders of {}, so each is read as an opaque text: {}.",
                self.path,
                pairs.join(", ")
            ));
        }
        notes
    }

    /// Which environment's values were taken, where there are several.
    pub(in crate::cli) fn environment_note(&self) -> Option<String> {
        let first = self.written.first()?.environment.as_ref()?;
        (self.written.len() > 1).then(|| {
            format!(
                "{} takes values of an environment: here those of {first}.",
                self.path
            )
        })
    }

    /// The grammar errors of the document as one error.
    fn wrong(&self, errors: &[SyntaxError]) -> Error {
        let place = |error: &SyntaxError| -> Option<Position> {
            Some(self.written.first()?.position(error.line, error.column))
        };
        let lines: Vec<String> = errors
            .iter()
            .filter_map(|error| {
                let Position { path, line, column } = place(error)?;
                Some(format!("{path}:{line}:{column}: {}", error.message))
            })
            .collect();
        let mut out = Error::new(ErrorKind::Config, lines.join("\n"));
        out.hint = errors.iter().find_map(|error| error.hint.clone());
        out
    }
}

/// Whether no infra.toml was named and none stands where it is looked for.
fn has_no_config(global: &Global) -> bool {
    global.config == Path::new("infra.toml") && !global.config.exists()
}

fn read(path: &Path) -> Result<String> {
    let mut text = String::new();
    if path == Path::new("-") {
        stdin()
            .read_to_string(&mut text)
            .map_err(|error| unreadable(path, &error))?;
        return Ok(text);
    }
    std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

/// That a file cannot be read, and why.
pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::failed(format!("{} cannot be read: {error}.", path.display()))
}

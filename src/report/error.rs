//! An error as text: kind, message, hint. The lines of a hint stand under it, so that a command in
//! it can be copied.

use std::fmt::Write as _;

use super::screen::{ERROR, HINT};
use crate::error::{Error, ErrorKind};

/// The text, without a line feed at its end.
pub(super) fn text(error: &Error) -> String {
    let word = match error.kind {
        ErrorKind::Refused => "refused",
        ErrorKind::Bug => "bug",
        _ => "error",
    };
    let shown = error.to_string();
    let mut out = if is_rendered(&shown) {
        shown
    } else {
        format!("{ERROR}{word}{ERROR:#}: {}", shown.trim_end())
    };
    if let Some(hint) = &error.hint {
        let _ = write!(
            out,
            "\n  {HINT}hint{HINT:#}: {}",
            hint.replace('\n', "\n        ")
        );
    }
    out
}

/// Whether the message is a list of diagnostics, each with its own heading.
fn is_rendered(message: &str) -> bool {
    message.starts_with("error") || message.starts_with('\u{1b}')
}

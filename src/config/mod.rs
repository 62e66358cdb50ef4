//! Reads `infra.toml` and the documents that it names into a checked [`Config`]. Every error is
//! a diagnostic with its line, column and hint, and as many as possible are found in one run.

mod advice;
mod build;
mod check;
mod declared;
mod decode;
mod diagnostic;
mod documents;
mod expand;
mod lifecycle;
mod model;
mod names;
mod node;
mod parse;
mod placeholders;
mod private;
mod reader;
mod reference;
mod references;
mod schema;
mod table;
mod tables;
mod trust;
mod written;

#[cfg(test)]
mod tests;

pub use diagnostic::Diagnostic;
pub use model::*;
pub use parse::{load, parse};
pub use reader::ReadFile;
pub use reference::reference;
pub use schema::schema;
pub use written::{Placeholders, Written, stand_in};

/// A place in a file that the user wrote. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Position {
    /// The file's path as messages print it.
    pub path: String,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

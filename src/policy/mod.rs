//! The IAM policy language: documents, what they allow, how two of them relate.
//! Pure: no AWS, no input or output; shared by plan, audit, reach and the `policy` commands.

pub mod atoms;
mod canonical;
pub mod document;
mod grammar;
mod json;
pub mod operator;
pub mod statement;
mod values;

pub use atoms::Atom;
pub use document::{Document, PolicyKind, SyntaxError, same_spelling, same_spelling_with};
pub use statement::{Condition, Effect, Patterns, Principal, Principals, Statement};

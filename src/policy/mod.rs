//! The IAM policy language: documents, what they allow, how two of them relate.
//! Pure: no AWS, no input or output; shared by plan, audit, reach and the `policy` commands.
//!
//! # Use
//! - [`Document::parse`] reads a document as IAM accepts it, [`Document::parse_encoded`] what IAM returns,
//!   [`Document::read`] whatever has a meaning. Documents are equal when they differ only in spelling.
//! - [`evaluate`] decides one request by one document; [`Grants`] combines documents.
//! - [`relate`] compares two documents, [`relate_grants`] two sets of them, each with witnesses.
//!   [`Comparison::broadens`] is what `--deny-broadening` and the hazard `broadens` ask.
//! - [`law`] answers the law of the plan. For each subject that a call may move, build an [`Access`] of the world
//!   before the call, after it, and of the goal: `identity` holds every inline document and every attached managed one,
//!   `boundary` the document of the boundary, `trust` the trust policy (`None` where the role does not exist). Then
//!   `law::gains(&before, &after, &goal)` and `law::losses(&before, &after, &goal)` return `Finding::Nothing` where the
//!   law holds, `Finding::Pair` with a proof (who assumes, what they then may do), or `Finding::Unknown`, which counts
//!   as a breach. A document that is not known cannot be given: the caller counts it as broadening where it changes.
//!   Where the texts alone decide (the same statements, or more of them) no search is made; most steps are such.
//!   `law::gains(&before, &after, &before)` asks whether the step `broadens` at all.

pub mod actions;
pub mod batch;
mod canonical;
pub mod context;
pub mod describe;
pub mod document;
pub mod evaluate;
pub mod find;
mod glob;
mod grammar;
mod home;
mod json;
pub mod kind;
pub mod law;
pub mod lint;
pub mod operator;
pub mod readings;
pub mod relate;
mod remember;
pub mod request;
pub mod shape;
pub mod statement;
pub mod together;
mod values;

pub use context::Context;
pub use document::{Document, SyntaxError, same_spelling, same_spelling_with};
pub use evaluate::{Decision, StatementRef, evaluate};
pub use find::{Query, find};
pub use home::Home;
pub use kind::PolicyKind;
pub use law::Access;
pub use relate::{Answer, Comparison, Grants, Relation, Witness, outside, relate, relate_grants};
pub use request::{Request, RequestPrincipal};
pub use statement::{Condition, Effect, Patterns, Principal, Principals, Statement};
pub use together::{Policies, evaluate_together};

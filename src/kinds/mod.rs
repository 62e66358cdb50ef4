//! The kinds of resources: one file each, and `KINDS`, the list of them all.
//! `law.rs` is the one file here that may name several kinds; kinds never import one another.

mod aside;
mod documents;
mod identity;
pub mod law;
pub mod oidc_provider;
pub mod policy;
pub mod role;
pub mod service;
mod tags;

pub use aside::Aside;

use crate::kind::AnyKind;

/// Every kind, in the order in which they are made; deletes come after all else, in reverse.
pub const KINDS: &[&dyn AnyKind] = &[
    &oidc_provider::OidcProvider,
    &policy::Policy,
    &role::Role,
    &service::Service,
];

#[cfg(test)]
mod tests;

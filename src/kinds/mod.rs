//! The kinds of resources: one file each, and `KINDS`, the list of them all.
//! `law.rs` is the one file here that may name several kinds; kinds never import one another.

mod aside;
pub mod cluster;
mod documents;
mod identity;
pub mod law;
pub mod log_group;
pub mod oidc_provider;
pub mod policy;
mod regional;
pub mod repository;
pub mod role;
pub mod secret;
pub mod service;
mod tags;

pub use aside::Aside;

use crate::kind::AnyKind;

/// Every kind, in the order in which they are made; deletes come after all else, in reverse.
pub const KINDS: &[&dyn AnyKind] = &[
    &oidc_provider::OidcProvider,
    &policy::Policy,
    &role::Role,
    &repository::Repository,
    &log_group::LogGroup,
    &secret::Secret,
    &cluster::Cluster,
    &service::Service,
];

#[cfg(test)]
mod tests;

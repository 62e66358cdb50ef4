//! The checked configuration: environments expanded, tables merged, every placeholder and name
//! resolved. Kinds, rollouts and the audit read this and nothing else of infra.toml.

mod container;
mod deployment;
mod iam;
mod network;
mod project;
mod resources;
mod service;
mod task;
mod volume;

pub use container::*;
pub use deployment::*;
pub use iam::*;
pub use network::*;
pub use project::*;
pub use resources::*;
pub use service::*;
pub use task::*;
pub use volume::*;

use std::collections::BTreeMap;

/// Tags by key; a resource's own are merged over the project's.
pub type Tags = BTreeMap<String, String>;

/// A time span in whole seconds; infra.toml writes `"10m"`, `"30s"` or a bare number of seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Seconds(pub u64);

impl Seconds {
    /// The whole minutes, for the fields that AWS counts in minutes.
    #[must_use]
    pub fn minutes(self) -> u64 {
        self.0 / 60
    }
}

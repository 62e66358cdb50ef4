//! Who can do what: subjects → roles → actions → repositories → services, over an account as it was read.
//! Pure; every answer carries the statements that decide it, and a request that shows it.

mod account;
mod answer;
mod facts;
mod github;
mod graph;
mod holder;
mod requests;

pub use account::*;
pub use answer::{Door, Permit};
pub use facts::Facts;
pub use github::{AUDIENCE, Family, GithubRepository, ISSUER, federated, is_github, key, mend};
pub use graph::{
    Edge, Grant, Graph, Power, Target, TrustText, production, production_environments, subject,
};
pub use holder::{Held, Holder, HolderKind, Origin, State};
pub use requests::Requests;

//! The AWS simulator behind `--sandbox`: an HTTP client that answers the SDK's requests in this
//! process, from records that it keeps in memory or in one JSON file. It refuses what AWS refuses,
//! has a clock of its own, and plays the faults of a [`Script`].

mod account;
mod carry;
mod cbor;
mod cloudwatch;
mod ecr;
mod ecs;
mod error;
mod faults;
mod file;
mod iam;
mod live_tail;
mod logs;
mod player;
mod protocol;
mod push;
mod random;
mod respell;
mod secrets;
mod ssm;
mod stale;
mod store;
mod sts;
mod tagging;
#[cfg(test)]
mod tests;
mod trace;
mod trail;
mod world;
mod xml;

pub use account::{Crash, Outside, Sandbox};
pub use ecs::{Behaviour, Cause};
pub use error::ServiceError;
pub use faults::{
    Fault, FaultKind, Forever, HttpScript, RolloutScript, Script, Shape, Stale, TaskScript, Times,
};
pub use protocol::{Call, Service};
pub use store::{Store, Table};
pub use trace::{Outcome, TraceEntry};

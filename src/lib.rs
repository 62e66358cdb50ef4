//! `provision` reads `infra.toml`, looks at the AWS account, says what differs and makes it so.
//!
//! The walk: `infra.toml` text → `config` → for each kind `declare` → desired; AWS → for each
//! kind `observe` → live; `plan(desired, live)` → plan; `report` → text or JSON; `apply` →
//! outcomes → `report`.

pub mod apply;
pub mod audit;
pub mod aws;
pub mod cli;
pub mod clock;
pub mod config;
pub mod diff;
pub mod error;
pub mod github;
pub mod kind;
pub mod kinds;
pub mod lock;
pub mod permissions;
pub mod plan;
pub mod planted;
pub mod policy;
pub mod reach;
pub mod redact;
pub mod report;
pub mod rollout;
pub mod sandbox;

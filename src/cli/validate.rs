//! `provision validate`: all that can be checked without AWS.

use clap::Args;

use super::session::Session;
use crate::error::Result;
use crate::kind::{Scope, Snapshot};
use crate::kinds::KINDS;

/// Check infra.toml and the documents that it names, without AWS.
#[derive(Debug, Args)]
pub(super) struct Arguments {}

/// Says how much was checked; the errors were found when infra.toml was loaded.
pub(super) fn run(_: &Arguments, session: &Session<'_>) -> Result<u8> {
    let declared = Snapshot::declare(KINDS, &Scope::everything(session.config.clone()));
    let path = session.global.config.display();
    let resources = if declared.len() == 1 {
        "resource"
    } else {
        "resources"
    };
    session.screen.result(&format!(
        "{path} is valid: {} {resources}.\n",
        declared.len()
    ))?;
    Ok(0)
}

//! `provision schema`: the JSON Schema of infra.toml, for editors.

use clap::Args;

use super::stubs::config;
use crate::error::Result;
use crate::report::Screen;

/// Print the JSON Schema of infra.toml.
#[derive(Debug, Args)]
pub(super) struct Arguments {}

/// Prints it.
pub(super) fn run(_: &Arguments, screen: &Screen) -> Result<u8> {
    screen.result(&config::schema())?;
    Ok(0)
}

//! `provision schema`: the JSON Schema of infra.toml, for editors.

use clap::Args;

use crate::config;
use crate::error::Result;
use crate::report::Screen;

/// Print the JSON Schema of infra.toml.
#[derive(Debug, Args)]
pub(super) struct Arguments {}

/// Prints it.
pub(super) fn run(_: &Arguments, screen: &Screen) -> Result<u8> {
    screen.result(&format!("{:#}\n", config::schema()))?;
    Ok(0)
}

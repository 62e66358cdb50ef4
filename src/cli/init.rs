//! `provision init`: a first infra.toml and its policies.

use clap::Args;

use super::global::Global;
use crate::error::Result;
use crate::report::Screen;

/// Write infra.toml and policies/ for a new project.
#[derive(Debug, Args)]
pub(super) struct Arguments {}

/// Writes them.
pub(super) fn run(_: &Arguments, _: &Global, _: &Screen) -> Result<u8> {
    Ok(0)
}

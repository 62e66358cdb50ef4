//! `provision completions`: the completion script of a shell.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::error::Result;
use crate::report::Screen;

/// Print the completion script of a shell.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints it.
pub(super) fn run(arguments: &Arguments, mut command: Command, screen: &Screen) -> Result<u8> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, name, &mut script);
    screen.result(&String::from_utf8_lossy(&script))?;
    Ok(0)
}

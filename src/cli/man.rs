//! `provision man`: the manual pages, in roff.

use clap::Args;

use crate::error::{Error, ErrorKind, Result};
use crate::report::Screen;

/// Print the manual page of provision, or of one of its commands.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The command.
    command: Option<String>,
}

/// Prints it.
pub(super) fn run(arguments: &Arguments, mut root: clap::Command, screen: &Screen) -> Result<u8> {
    // Global flags reach the commands only when the whole is built.
    root.build();
    let page = match &arguments.command {
        None => root,
        Some(name) => {
            let unknown = || {
                Error::new(ErrorKind::Usage, format!("There is no command {name}."))
                    .hint("`provision help` lists the commands.")
            };
            root.find_subcommand(name).ok_or_else(unknown)?.clone()
        }
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page)
        .render(&mut text)
        .map_err(|error| Error::failed(format!("The page cannot be made: {error}.")))?;
    screen.result(&String::from_utf8_lossy(&text))?;
    Ok(0)
}

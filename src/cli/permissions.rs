//! `provision permissions`: the least IAM policy for some commands.

use clap::Args;

use super::session::Session;
use crate::error::{Error, ErrorKind, Result};
use crate::permissions;

/// Print the least IAM policy under which these commands run on this infra.toml.
///
/// It is made from the calls that the code can make, and scoped to what infra.toml declares.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The commands, such as plan, apply, audit or deploy; by default plan and apply.
    #[arg(value_name = "COMMAND")]
    commands: Vec<String>,
}

/// Prints the policy.
pub(super) fn run(arguments: &Arguments, session: &Session<'_>) -> Result<u8> {
    let mut commands: Vec<&str> = arguments.commands.iter().map(String::as_str).collect();
    if commands.is_empty() {
        commands = vec!["plan", "apply"];
    }
    let policy = permissions::policy(&session.config, &commands).ok_or_else(|| {
        let known: Vec<&str> = permissions::commands().collect();
        Error::new(
            ErrorKind::Usage,
            format!("There is no policy for `{}`.", commands.join(" ")),
        )
        .hint(format!("The commands are {}.", known.join(", ")))
    })?;
    session.screen.result(&format!("{policy:#}\n"))?;
    Ok(0)
}

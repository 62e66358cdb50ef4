//! `provision rollback`: what ran before runs again.

use clap::Args;

use super::deploy::digest;
use super::rollout::{Following, play};
use super::session::Session;
use crate::error::Result;
use crate::rollout::{self, Return, is_digest};

/// Go back to what an environment ran before.
///
/// An active rollout is stopped and rolled back. Otherwise the revision of the last successful
/// deployment before the one that runs is deployed again. A service that has gone back stays there:
/// `--to` goes further. No revision is ever changed or removed.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The environment.
    environment: String,

    /// Go back to this: a revision's number, FAMILY:NUMBER, or a digest.
    #[arg(long, value_name = "REVISION|DIGEST", value_parser = revision_or_digest)]
    to: Option<String>,

    #[command(flatten)]
    following: Following,
}

fn revision_or_digest(text: &str) -> Result<String, String> {
    if is_digest(text) {
        digest(text)
    } else {
        Ok(text.to_owned())
    }
}

/// Finds the way back for every service, then goes it.
pub(super) async fn run(arguments: &Arguments, session: &Session<'_>) -> Result<u8> {
    let order = Return {
        environment: &arguments.environment,
        service: arguments.following.service.as_deref(),
        to: arguments.to.as_deref(),
        following: arguments.following.get(),
    };
    let command = format!("rollback {}", arguments.environment);
    play(session, &command, async |run| {
        rollout::rollback(run, &order).await
    })
    .await
}

//! `provision promote`: what one environment has proved becomes what the next one runs.

use clap::Args;

use super::deploy::Allowed;
use super::lock;
use super::rollout::{Following, play};
use super::session::Session;
use crate::error::Result;
use crate::rollout::{self, Promotion};

/// Deploy to one environment the digest that another one has proved.
///
/// It is proved when the other environment's service has rolled it out with success, runs it now, has
/// run it for the `soak` of that environment, and every check of `validate` passes. The evidence is
/// read from ECS, printed, and written as tags on the revision.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The environment that has proved the image.
    #[arg(value_name = "FROM")]
    from: String,

    /// The environment that is to run it.
    #[arg(value_name = "TO")]
    to: String,

    #[command(flatten)]
    following: Following,

    #[command(flatten)]
    allowed: Allowed,
}

/// Reads the proof, checks, sends, follows.
pub(super) async fn run(arguments: &Arguments, session: &Session<'_>) -> Result<u8> {
    let promotion = Promotion {
        from: &arguments.from,
        to: &arguments.to,
        service: arguments.following.service.as_deref(),
        unproved: arguments.allowed.unproved(),
        following: arguments.following.get(),
    };
    let command = format!("promote {} {}", arguments.from, arguments.to);
    play(session, &command, async |run| {
        lock::ask(session, run.aws).await?;
        rollout::promote(run, &promotion).await
    })
    .await
}

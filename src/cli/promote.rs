//! `provision promote`: what one environment has proved becomes what the next one runs.

use std::fmt::Write as _;

use clap::Args;

use super::deploy::{Allowed, proved, send};
use super::lock;
use super::rollout::Following;
use super::session::Session;
use crate::aws::Aws;
use crate::error::{Error, ErrorKind, Result};
use crate::kinds::service::{self, twin};
use crate::rollout::{self, Proof, Target};

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
    let config = &session.config;
    let from = rollout::environment(config, &arguments.from)?;
    let to = rollout::environment(config, &arguments.to)?;
    if from.name == to.name {
        let message = "FROM and TO are the same environment.";
        return Err(Error::new(ErrorKind::Usage, message));
    }
    if let Some(after) = to.after.as_deref().filter(|after| *after != from.name)
        && !arguments.allowed.unproved()
    {
        let message = format!("{} takes only what {after} has proved.", to.name);
        return Err(Error::refused(message).hint(format!(
            "Run provision promote {after} {}, or override with --allow unproved.",
            to.name
        )));
    }
    let service = arguments.following.service.as_deref();
    let keys = rollout::keys(config, &to.name, service)?;
    let aws = session.connect().await?;
    lock::ask(session, &aws).await?;
    let mut targets = Vec::new();
    for key in &keys {
        targets.push(target(session, &aws, key, &from.name).await?);
    }
    let proofs = proved(session, &aws, from, &targets, &arguments.allowed).await?;
    for proof in proofs.iter().flatten() {
        session.screen.say(&evidence(proof));
    }
    let sent = send(session, &aws, &targets, &proofs, false).await?;
    let command = format!("promote {} {}", from.name, to.name);
    arguments
        .following
        .follow(session, &aws, &command, &sent)
        .await
}

/// What a service is to run: what its counterpart runs.
async fn target(session: &Session<'_>, aws: &Aws, key: &str, from: &str) -> Result<Target> {
    let config = &session.config;
    let address = format!("service/{key}");
    let twin = twin(config, key, from).ok_or_else(|| {
        Error::failed(format!("The same table makes no service in {from}.")).at(&address)
    })?;
    let source = rollout::live(aws, config, twin).await?;
    let live = rollout::live(aws, config, key).await?;
    let digests = service::running(aws, config, &source).await?;
    if digests.is_empty() {
        return Err(
            Error::refused(format!("{from} runs no image that it could be given."))
                .at(&address)
                .hint(format!("Run provision deploy {from} first.")),
        );
    }
    Ok(Target {
        key: key.to_owned(),
        running: service::running(aws, config, &live).await?,
        live,
        digests,
        tags: service::Digests::new(),
    })
}

/// The evidence in words.
fn evidence(proof: &Proof) -> String {
    let mut text = format!(
        "  proved by service/{}: {} tasks have run it for {} s\n    deployment {}",
        proof.key,
        proof.tasks,
        proof.ran.as_secs(),
        proof.deployment
    );
    for (repository, digest) in &proof.digests {
        let _ = write!(text, "\n    image {repository}@{digest}");
    }
    for check in &proof.checks {
        let _ = write!(text, "\n    check {check}");
    }
    text
}

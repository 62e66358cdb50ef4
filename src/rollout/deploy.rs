//! `deploy`: an image becomes what the services of an environment run. All services are checked before
//! the first is touched; then each is sent its revision and followed, side by side.

use futures::future::join_all;

use super::event::{Event, How};
use super::follow::{Following, Report, Run, Sent};
use super::promote::proved;
use super::proof::{self, Proof};
use super::target::{self, Selection, Target};
use super::{send, verify};
use crate::error::{Error, Result};

/// What is to be deployed, where.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// The environment.
    pub environment: &'a str,
    /// Only this service, by its key or its name.
    pub service: Option<&'a str>,
    /// The image.
    pub selection: &'a Selection,
    /// Whether a deployment starts even where the service runs this already.
    pub force: bool,
    /// Whether an image may go there that the environment before has not proved.
    pub unproved: bool,
    /// How the rollouts are followed.
    pub following: Following,
}

/// Resolves, checks, sends, follows.
///
/// # Errors
/// Whatever kept the run from touching anything. What became of each service afterwards is in its
/// report.
pub async fn deploy(run: Run<'_>, order: &Order<'_>) -> Result<Vec<Report>> {
    let Run { aws, config, .. } = run;
    let keys = target::keys(config, order.environment, order.service)?;
    let targets = target::resolve(aws, config, &keys, order.selection).await?;
    let environments = &config.environments;
    let environment = environments
        .iter()
        .find(|one| one.name == order.environment);
    let proofs = match environment.and_then(|environment| environment.after.as_deref()) {
        Some(after) => {
            let from = proof::environment(config, after)?;
            proved(run, from, &targets, order.unproved).await?
        }
        None => vec![None; targets.len()],
    };
    roll(run, &targets, &proofs, order.force, order.following).await
}

/// Checks all targets before the first is touched, then sends to each what it is to run, and follows
/// it.
pub(super) async fn roll(
    run: Run<'_>,
    targets: &[Target],
    proofs: &[Option<Proof>],
    force: bool,
    following: Following,
) -> Result<Vec<Report>> {
    let checks = targets
        .iter()
        .map(|target| verify::verify(run.aws, run.config, target));
    let mut errors = Vec::new();
    for checked in join_all(checks).await {
        match checked {
            Ok(warnings) => {
                for warning in &warnings {
                    (run.on_event)(Event::Warning(warning));
                }
            }
            Err(error) => errors.push(error),
        }
    }
    if let Some(error) = Error::all(errors) {
        return Err(error);
    }
    let rolls = targets
        .iter()
        .zip(proofs)
        .map(|(target, proof)| async move {
            match send_one(run, target, proof.as_ref(), force).await {
                Ok(sent) => run.follow(following, &sent).await,
                Err(error) => Report::failed(&target.address(), &target.digest(), error),
            }
        });
    Ok(join_all(rolls).await)
}

async fn send_one(
    run: Run<'_>,
    target: &Target,
    proof: Option<&Proof>,
    force: bool,
) -> Result<Sent> {
    let address = target.address();
    for (repository, digest) in &target.digests {
        (run.on_event)(Event::Image {
            address: &address,
            repository,
            tag: target.tags.get(repository).map(String::as_str),
            digest,
            running: target.running.get(repository).map(String::as_str),
        });
    }
    let started = send::register_and_send(run.aws, run.config, target, proof, force).await?;
    tell_sent(run, &address, &started);
    Ok(Sent {
        digest: target.digest(),
        address,
        started,
    })
}

/// Says how a revision came to its service.
pub(super) fn tell_sent(run: Run<'_>, address: &str, started: &send::Started) {
    let how = match (&started.rollout, started.resumed) {
        (None, _) => How::Already,
        (Some(_), true) => How::UnderWay,
        (Some(_), false) => How::Sent,
    };
    (run.on_event)(Event::Sent {
        address,
        revision: &started.revision,
        how,
    });
}

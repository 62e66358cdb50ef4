//! `provision deploy`: an image becomes what the services of an environment run.

use clap::Args;
use clap::builder::PossibleValuesParser;
use futures::future::{join_all, try_join_all};

use super::lock;
use super::rollout::{Following, Sent};
use super::session::Session;
use crate::aws::Aws;
use crate::config::Environment;
use crate::error::{Error, Result};
use crate::kind::Hazard;
use crate::kinds::service::twin;
use crate::rollout::{self, Proof, Selection, Target};

/// Deploy an image to an environment.
///
/// Resolves the tag to a digest, checks all that would make the rollout fail, registers the task
/// definition with that digest or takes a revision that says the same, sends it with one
/// `UpdateService`, and follows that deployment to its end. Exit code 4 if it does not succeed.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The environment.
    environment: String,

    /// The tag of the image; by default the one of infra.toml.
    #[arg(long, value_name = "TAG", conflicts_with = "digest")]
    tag: Option<String>,

    /// The digest of the image, such as sha256:...
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    digest: Option<String>,

    /// Start a deployment even where the service runs this already, so that tasks read their secrets anew.
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    following: Following,

    #[command(flatten)]
    allowed: Allowed,
}

/// The hazards of a deployment that need a word.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Allowed {
    /// Allow a hazard: unproved deploys what the environment before has not proved.
    #[arg(long, value_name = "HAZARD", value_delimiter = ',')]
    #[arg(value_parser = PossibleValuesParser::new([Hazard::Unproved.name()]))]
    allow: Vec<String>,
}

impl Allowed {
    /// Whether an image may go to an environment without proof.
    pub(super) fn unproved(&self) -> bool {
        !self.allow.is_empty()
    }
}

pub(super) fn digest(text: &str) -> Result<String, String> {
    let hexadecimal = text.strip_prefix("sha256:").unwrap_or_default();
    if hexadecimal.len() == 64 && hexadecimal.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(text.to_owned())
    } else {
        Err("a digest is sha256: and 64 hexadecimal digits".to_owned())
    }
}

/// Resolves, checks, sends, follows.
pub(super) async fn run(arguments: &Arguments, session: &Session<'_>) -> Result<u8> {
    let config = &session.config;
    let selection = match (&arguments.tag, &arguments.digest) {
        (Some(tag), _) => Selection::Tag(tag.clone()),
        (None, Some(digest)) => Selection::Digest(digest.clone()),
        (None, None) => Selection::Declared,
    };
    let service = arguments.following.service.as_deref();
    let keys = rollout::keys(config, &arguments.environment, service)?;
    let aws = session.connect().await?;
    lock::ask(session, &aws).await?;
    let targets = rollout::resolve(&aws, config, &keys, &selection).await?;
    let mut proofs: Vec<Option<Proof>> = vec![None; targets.len()];
    let environment = config
        .environments
        .iter()
        .find(|one| one.name == arguments.environment);
    if let Some(after) = environment.and_then(|environment| environment.after.as_deref()) {
        let from = rollout::environment(config, after)?;
        proofs = proved(session, &aws, from, &targets, &arguments.allowed).await?;
    }
    let sent = send(session, &aws, &targets, &proofs, arguments.force).await?;
    let command = format!("deploy {}", arguments.environment);
    arguments
        .following
        .follow(session, &aws, &command, &sent)
        .await
}

/// What `from` has proved of these targets; refused where that is not all, unless it is allowed.
pub(super) async fn proved(
    session: &Session<'_>,
    aws: &Aws,
    from: &Environment,
    targets: &[Target],
    allowed: &Allowed,
) -> Result<Vec<Option<Proof>>> {
    let mut proofs = Vec::new();
    let mut objections = Vec::new();
    for target in targets {
        let Some(key) = twin(&session.config, &target.key, &from.name) else {
            let name = &from.name;
            objections.push(format!("{} has no counterpart in {name}", target.address()));
            proofs.push(None);
            continue;
        };
        let proof = rollout::prove(aws, &session.config, from, key).await;
        let (proof, lacking) = match proof {
            Ok(proof) => {
                let lacking = proof.objections(&target.digests);
                (Some(proof), lacking)
            }
            Err(error) if allowed.unproved() => (None, vec![error.to_string()]),
            Err(error) => return Err(error),
        };
        proofs.push(proof.filter(|_| lacking.is_empty()));
        objections.extend(lacking);
    }
    if objections.is_empty() {
        return Ok(proofs);
    }
    let list = objections.join("\n  ");
    if allowed.unproved() {
        let warning = format!("! unproved, and allowed:\n  {list}");
        session.screen.complain(&warning);
        return Ok(proofs);
    }
    let message = format!(
        "{} has not proved this image:\n  {list}\nNothing was done.",
        from.name
    );
    Err(Error::refused(message).hint("Deploy it there first, or override with --allow unproved."))
}

/// Checks all targets before the first is touched, then sends to each what it is to run.
pub(super) async fn send(
    session: &Session<'_>,
    aws: &Aws,
    targets: &[Target],
    proofs: &[Option<Proof>],
    force: bool,
) -> Result<Vec<Sent>> {
    let config = &session.config;
    let mut errors = Vec::new();
    for checked in join_all(
        targets
            .iter()
            .map(|target| rollout::verify(aws, config, target)),
    )
    .await
    {
        match checked {
            Ok(warnings) => {
                for warning in warnings {
                    session.screen.say(&format!("warning: {warning}"));
                }
            }
            Err(error) => errors.push(error),
        }
    }
    if let Some(error) = Error::all(errors) {
        return Err(error);
    }
    try_join_all(
        targets
            .iter()
            .zip(proofs)
            .map(|(target, proof)| send_one(session, aws, target, proof.as_ref(), force)),
    )
    .await
}

async fn send_one(
    session: &Session<'_>,
    aws: &Aws,
    target: &Target,
    proof: Option<&Proof>,
    force: bool,
) -> Result<Sent> {
    let address = target.address();
    for (repository, digest) in &target.digests {
        let tag = target.tags.get(repository);
        let tag = tag.map(|tag| format!(":{tag} is")).unwrap_or_default();
        let running = target.running.get(repository);
        let now = match running {
            Some(running) if running == digest => " (runs already)".to_owned(),
            Some(running) => format!(" (runs {running})"),
            None => String::new(),
        };
        let line = format!("  {address}: {repository}{tag} {digest}{now}");
        session.screen.say(&line);
    }
    let started = rollout::deploy(aws, &session.config, target, proof, force)
        .await
        .map_err(|error| error.at(&address))?;
    let word = match (&started.rollout, started.resumed) {
        (None, _) => "runs already",
        (Some(_), true) => "is under way already",
        (Some(_), false) => "is sent",
    };
    let line = format!("  {address}: revision {} {word}", started.revision);
    session.screen.say(&line);
    Ok(Sent {
        address,
        digest: target.digest(),
        started,
    })
}

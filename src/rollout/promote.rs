//! `promote`: what one environment has proved becomes what the next one runs, by digest.

use futures::future::{join, try_join};

use super::deploy::roll;
use super::event::Event;
use super::follow::{Following, Report, Run};
use super::proof::{self, Proof, Prover};
use super::target::{self, Selection, Target};
use crate::config::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::kinds::service::{self, twin};

/// What is to be promoted, from where to where.
#[derive(Clone, Debug)]
pub struct Promotion<'a> {
    /// The environment that has proved the image.
    pub from: &'a str,
    /// The environment that is to run it.
    pub to: &'a str,
    /// Only this service of `to`, by its key or its name.
    pub service: Option<&'a str>,
    /// Whether an image may go there that `from` has not proved.
    pub unproved: bool,
    /// How the rollouts are followed.
    pub following: Following,
}

/// Reads the proof, checks, sends, follows.
///
/// # Errors
/// Whatever kept the run from touching anything. What became of each service afterwards is in its
/// report.
pub async fn promote(run: Run<'_>, promotion: &Promotion<'_>) -> Result<Vec<Report>> {
    let from = order(run, promotion)?;
    let keys = target::keys(run.config, promotion.to, promotion.service)?;
    let counterparts = keys.iter().map(|key| counterpart(run, key, &from.name));
    let targets = target::every(counterparts).await?;
    let proofs = proved(run, from, &targets, promotion.unproved).await?;
    roll(run, &targets, &proofs, false, promotion.following).await
}

/// The environment to promote from, where infra.toml lets it prove images for the other one.
fn order<'a>(run: Run<'a>, promotion: &Promotion<'_>) -> Result<&'a Environment> {
    let from = proof::environment(run.config, promotion.from)?;
    let to = proof::environment(run.config, promotion.to)?;
    if from.name == to.name {
        let names = run.config.environments.iter().map(|one| one.name.as_str());
        let others: Vec<&str> = names.filter(|name| *name != from.name).collect();
        let message = "FROM and TO are the same environment.";
        let error = Error::new(ErrorKind::Usage, message);
        return Err(match others.as_slice() {
            [] => error.hint("Declare another one: [environment.NAME]."),
            others => error.hint(format!("There is also {}.", others.join(", "))),
        });
    }
    match to.after.as_deref().filter(|after| *after != from.name) {
        Some(after) if !promotion.unproved => {
            let message = format!("{} takes only what {after} has proved.", to.name);
            Err(Error::refused(message).hint(format!(
                "Run provision promote {after} {}, or override with --allow unproved.",
                to.name
            )))
        }
        _ => Ok(from),
    }
}

/// What a service is to run: what its counterpart runs.
async fn counterpart(run: Run<'_>, key: &str, from: &str) -> Result<Target> {
    let Run { aws, config, .. } = run;
    let address = format!("service/{key}");
    let twin = twin(config, key, from).ok_or_else(|| {
        Error::failed(format!("The same table makes no service in {from}."))
            .at(&address)
            .hint("List that environment in its table, or name the other services with --service.")
    })?;
    let (source, live) = join(
        target::live(aws, config, twin),
        target::live(aws, config, key),
    )
    .await;
    let (source, live) = (source?, live?);
    let (digests, running) = try_join(
        service::running(aws, config, &source),
        service::running(aws, config, &live),
    )
    .await?;
    if digests.is_empty() {
        return Err(
            Error::refused(format!("{from} runs no image that it could be given."))
                .at(&address)
                .hint(format!("Run provision deploy {from} first.")),
        );
    }
    Ok(Target {
        key: key.to_owned(),
        running,
        live,
        digests,
        tags: service::Digests::new(),
    })
}

/// What one service is to run, where the environment before its own has proved it; what it runs
/// already has been proved, or somebody answered for it.
///
/// # Errors
/// No image has the tag or the digest; it is not proved; what could not be read.
pub async fn resolve_proved(
    run: Run<'_>,
    environment: &str,
    key: &str,
    selection: &Selection,
    unproved: bool,
) -> Result<Target> {
    let Run { aws, config, .. } = run;
    let targets = target::resolve(aws, config, &[key.to_owned()], selection).await?;
    let after = proof::environment(config, environment)?.after.as_deref();
    let is_new = targets
        .iter()
        .any(|target| target.running != target.digests);
    if let Some(after) = after.filter(|_| is_new) {
        let from = proof::environment(config, after)?;
        proved(run, from, &targets, unproved).await?;
    }
    let target = targets.into_iter().next();
    target.ok_or_else(|| Error::bug("No target was resolved."))
}

/// What `from` has proved of these targets; refused where that is not all, unless it is allowed.
pub(super) async fn proved(
    run: Run<'_>,
    from: &Environment,
    targets: &[Target],
    unproved: bool,
) -> Result<Vec<Option<Proof>>> {
    let prover = Prover::new(from);
    let looks = targets
        .iter()
        .map(|target| proof_of(run, &prover, target, unproved));
    let mut proofs = Vec::new();
    let mut objections = Vec::new();
    for (proof, lacking) in target::every(looks).await? {
        if let Some(proof) = &proof {
            (run.on_event)(Event::Proved(proof));
        }
        proofs.push(proof);
        objections.extend(lacking);
    }
    if objections.is_empty() {
        return Ok(proofs);
    }
    if unproved {
        (run.on_event)(Event::Unproved(&objections));
        return Ok(proofs);
    }
    let list = objections.join("\n  ");
    let message = format!(
        "{} has not proved this image:\n  {list}\nNothing was done.",
        from.name
    );
    Err(Error::refused(message).hint(format!(
        "Let {0} prove it, by provision deploy {0}, its soak and its checks; or override with --allow unproved.",
        from.name
    )))
}

/// The proof of one target, or what is lacking of it.
async fn proof_of(
    run: Run<'_>,
    prover: &Prover<'_>,
    target: &Target,
    unproved: bool,
) -> Result<(Option<Proof>, Vec<String>)> {
    let from = prover.environment();
    let Some(key) = twin(run.config, &target.key, &from.name) else {
        let lacking = format!("{} has no counterpart in {}", target.address(), from.name);
        return Ok((None, vec![lacking]));
    };
    match proof::prove(run.aws, run.config, prover, key).await {
        Ok(proof) => {
            let lacking = proof.objections(&target.digests);
            Ok((Some(proof).filter(|_| lacking.is_empty()), lacking))
        }
        Err(error) if unproved => Ok((None, vec![error.to_string()])),
        Err(error) => Err(error),
    }
}

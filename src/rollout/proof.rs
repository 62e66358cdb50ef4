//! What an environment has proved: the digests that its service has rolled out with success, runs
//! now and has run long enough, with every check of `validate` passed. All of it read live.

use std::time::Duration;

use serde_json::Value;

use super::deploy::primary;
use super::target;
use super::{checks, count, deployment};
use crate::aws::Aws;
use crate::aws::ecs::text;
use crate::config::{Config, Environment};
use crate::error::{Error, ErrorKind, Result};
use crate::kinds::service::{self, Digests};

/// What a service has proved, or what it lacks.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    /// The environment.
    pub environment: String,
    /// The service's key.
    pub key: String,
    /// The digests that run, by repository.
    pub digests: Digests,
    /// The ARN of the service deployment, or else the id of the deployment.
    pub deployment: String,
    /// When the deployment was done: seconds since the Unix epoch.
    pub since: f64,
    /// How long it has run since.
    pub ran: Duration,
    /// How many tasks run.
    pub tasks: i64,
    /// The checks that passed, in words.
    pub checks: Vec<String>,
    /// What is lacking, in words; none where all is proved.
    pub lacking: Vec<String>,
}

impl Proof {
    /// What keeps these digests from being proved, in words.
    #[must_use]
    pub fn objections(&self, digests: &Digests) -> Vec<String> {
        let mut objections = self.lacking.clone();
        for (repository, digest) in digests {
            if self.digests.get(repository) != Some(digest) {
                let running = self.digests.get(repository).map_or("nothing", |one| one);
                objections.push(format!(
                    "{} runs {running} of {repository}, not {digest}",
                    self.environment
                ));
            }
        }
        objections
    }
}

/// Reads what the service with this key has proved.
///
/// # Errors
/// The service is not there; what could not be read.
pub async fn prove(
    aws: &Aws,
    config: &Config,
    environment: &Environment,
    key: &str,
) -> Result<Proof> {
    let live = target::live(aws, config, key).await?;
    let mut proof = Proof {
        environment: environment.name.clone(),
        key: key.to_owned(),
        digests: service::running(aws, config, &live).await?,
        deployment: String::new(),
        since: 0.0,
        ran: Duration::ZERO,
        tasks: count(&live, "runningCount"),
        checks: Vec::new(),
        lacking: Vec::new(),
    };
    let desired = count(&live, "desiredCount");
    if proof.digests.is_empty() {
        let lacking = format!("{key} runs no image of a declared repository by digest");
        proof.lacking.push(lacking);
    }
    if proof.tasks < desired || proof.tasks == 0 {
        let lacking = format!("{key} runs {} of {desired} tasks", proof.tasks);
        proof.lacking.push(lacking);
    }
    succeeded(aws, &live, &mut proof).await?;
    let now = aws.clock().now();
    proof.ran = now.saturating_sub(Duration::try_from_secs_f64(proof.since).unwrap_or(now));
    let soak = Duration::from_secs(environment.soak.0);
    if proof.ran < soak {
        proof.lacking.push(format!(
            "{key} has run it for {} s, and soak asks for {} s",
            proof.ran.as_secs(),
            soak.as_secs()
        ));
    }
    if proof.lacking.is_empty() {
        for check in &environment.validate {
            match checks::passes(aws, environment, check).await {
                Ok(words) => proof.checks.push(words),
                Err(words) => proof.lacking.push(words),
            }
        }
    }
    Ok(proof)
}

/// Whether the newest deployment of the service ended with success, and with what it runs.
async fn succeeded(aws: &Aws, live: &Value, proof: &mut Proof) -> Result<()> {
    let key = &proof.key;
    let Some(primary) = primary(live) else {
        let lacking = format!("{key} has no deployment");
        proof.lacking.push(lacking);
        return Ok(());
    };
    let newest = deployment::newest(aws, live).await?;
    let (state, done, id, wanted) = match &newest {
        Some(newest) => (
            text(newest, "status"),
            newest.get("finishedAt"),
            text(newest, "serviceDeploymentArn"),
            "SUCCESSFUL",
        ),
        None => (
            text(primary, "rolloutState"),
            primary
                .get("updatedAt")
                .or_else(|| primary.get("createdAt")),
            text(primary, "id"),
            "COMPLETED",
        ),
    };
    id.unwrap_or("unknown").clone_into(&mut proof.deployment);
    proof.since = done.and_then(Value::as_f64).unwrap_or_default();
    if state != Some(wanted) {
        let state = state.unwrap_or("without a state");
        let lacking = format!("the last rollout of {key} is {state}, not {wanted}");
        proof.lacking.push(lacking);
    }
    Ok(())
}

/// The environment of this name.
///
/// # Errors
/// There is none.
pub fn environment<'a>(config: &'a Config, name: &str) -> Result<&'a Environment> {
    let found = config.environments.iter().find(|one| one.name == name);
    found.ok_or_else(|| {
        Error::new(
            ErrorKind::Usage,
            format!("infra.toml has no environment {name}."),
        )
    })
}

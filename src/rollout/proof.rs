//! What an environment has proved: the digests that its service has rolled out with success, runs
//! now and has run long enough, with every check of `validate` passed. All of it read live.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::OnceCell;

use super::send::primary;
use super::{checks, count, deployment, target};
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

/// The environment that proves, and the answers of its checks: they are of the environment, so that
/// each is made once for all its services.
#[derive(Debug)]
pub(super) struct Prover<'a> {
    environment: &'a Environment,
    answers: OnceCell<Vec<Result<String, String>>>,
}

impl<'a> Prover<'a> {
    /// Nothing is asked yet.
    pub(super) fn new(environment: &'a Environment) -> Self {
        Self {
            environment,
            answers: OnceCell::new(),
        }
    }

    /// The environment.
    pub(super) fn environment(&self) -> &'a Environment {
        self.environment
    }

    /// What the checks of `validate` say, in their order.
    async fn answers(&self, aws: &Aws) -> &[Result<String, String>] {
        let ask = || async {
            let mut answers = Vec::new();
            // One after the other: a later one may count on what an earlier one has warmed up.
            for check in &self.environment.validate {
                answers.push(checks::passes(aws, self.environment, check).await);
            }
            answers
        };
        self.answers.get_or_init(ask).await
    }
}

/// Reads what the service with this key has proved.
///
/// # Errors
/// The service is not there; what could not be read.
pub(super) async fn prove(
    aws: &Aws,
    config: &Config,
    prover: &Prover<'_>,
    key: &str,
) -> Result<Proof> {
    let environment = prover.environment();
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
        for answer in prover.answers(aws).await {
            match answer {
                Ok(words) => proof.checks.push(words.clone()),
                Err(words) => proof.lacking.push(words.clone()),
            }
        }
    }
    Ok(proof)
}

/// Whether a deployment of what the service runs ended with success, and nothing is under way since.
async fn succeeded(aws: &Aws, live: &Value, proof: &mut Proof) -> Result<()> {
    let key = proof.key.clone();
    let Some(primary) = primary(live) else {
        proof.lacking.push(format!("{key} has no deployment"));
        return Ok(());
    };
    let list = deployment::list(aws, live).await?;
    let Some(newest) = list.first() else {
        by_primary(primary, proof);
        return Ok(());
    };
    let state = text(newest, "status").unwrap_or("without a state");
    text(newest, "serviceDeploymentArn")
        .unwrap_or("unknown")
        .clone_into(&mut proof.deployment);
    proof.since = finished(newest);
    // After a rollback an earlier one is what runs.
    if !matches!(state, "SUCCESSFUL" | "ROLLBACK_SUCCESSFUL") {
        let lacking = format!("the last rollout of {key} is {state}, not SUCCESSFUL");
        proof.lacking.push(lacking);
        return Ok(());
    }
    let runs = service::revision(live).unwrap_or_default();
    let targets = list
        .iter()
        .filter(|one| text(one, "status") == Some("SUCCESSFUL"))
        .filter_map(|one| Some((one, text(one, "targetServiceRevisionArn")?)));
    let targets: Vec<(&Value, &str)> = targets.collect();
    let arns: Vec<&str> = targets.iter().map(|(_, arn)| *arn).collect();
    let definitions = deployment::task_definitions(aws, &arns).await?;
    let brought = |arn: &str| definitions.get(arn).map(String::as_str) == Some(runs);
    match targets.iter().find(|(_, arn)| brought(arn)) {
        Some((one, _)) if state != "SUCCESSFUL" || std::ptr::eq(*one, newest) => {
            let arn = text(one, "serviceDeploymentArn");
            arn.unwrap_or("unknown").clone_into(&mut proof.deployment);
        }
        _ => {
            let runs = runs.rsplit('/').next().unwrap_or(runs);
            let lacking = format!("no successful rollout of {key} is known to have brought {runs}");
            proof.lacking.push(lacking);
        }
    }
    Ok(())
}

/// The same where the endpoint has no service deployments.
fn by_primary(primary: &Value, proof: &mut Proof) {
    let key = &proof.key;
    text(primary, "id")
        .unwrap_or("unknown")
        .clone_into(&mut proof.deployment);
    let done = primary
        .get("updatedAt")
        .or_else(|| primary.get("createdAt"));
    proof.since = done.and_then(Value::as_f64).unwrap_or_default();
    let state = text(primary, "rolloutState").unwrap_or("without a state");
    if state != "COMPLETED" {
        let lacking = format!("the last rollout of {key} is {state}, not COMPLETED");
        proof.lacking.push(lacking);
    }
}

/// When a service deployment ended: seconds since the Unix epoch.
fn finished(deployment: &Value) -> f64 {
    let finished = deployment.get("finishedAt").and_then(Value::as_f64);
    finished.unwrap_or_default()
}

/// The environment of this name.
///
/// # Errors
/// There is none.
pub(super) fn environment<'a>(config: &'a Config, name: &str) -> Result<&'a Environment> {
    let found = config.environments.iter().find(|one| one.name == name);
    found.ok_or_else(|| {
        let names = config.environments.iter().map(|one| one.name.as_str());
        let names: Vec<&str> = names.collect();
        let message = format!("infra.toml has no environment {name}.");
        Error::new(ErrorKind::Usage, message).hint(match names.as_slice() {
            [] => "Declare it: [environment.NAME].".to_owned(),
            names => format!("There is {}.", names.join(", ")),
        })
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::{Proof, by_primary};

    fn proof() -> Proof {
        Proof {
            environment: "staging".to_owned(),
            key: "web-staging".to_owned(),
            digests: [("web".to_owned(), "sha256:a".to_owned())].into(),
            deployment: String::new(),
            since: 0.0,
            ran: Duration::ZERO,
            tasks: 1,
            checks: Vec::new(),
            lacking: Vec::new(),
        }
    }

    #[test]
    fn another_digest_or_repository_is_not_proved() {
        let digests =
            |repository: &str, digest: &str| [(repository.to_owned(), digest.to_owned())].into();
        let proof = proof();
        assert!(proof.objections(&digests("web", "sha256:a")).is_empty());
        let other = proof.objections(&digests("web", "sha256:b"));
        assert_eq!(other, ["staging runs sha256:a of web, not sha256:b"]);
        let other = proof.objections(&digests("worker", "sha256:a"));
        assert_eq!(other, ["staging runs nothing of worker, not sha256:a"]);
    }

    #[test]
    fn without_service_deployments_the_primary_one_has_to_be_complete() {
        let mut found = proof();
        by_primary(
            &json!({"id": "ecs-svc/1", "rolloutState": "COMPLETED", "updatedAt": 7.0}),
            &mut found,
        );
        assert_eq!((found.deployment.as_str(), found.since), ("ecs-svc/1", 7.0));
        assert!(found.lacking.is_empty());
        for state in [json!("IN_PROGRESS"), json!("FAILED"), json!(null)] {
            let mut found = proof();
            by_primary(
                &json!({"id": "ecs-svc/1", "rolloutState": state}),
                &mut found,
            );
            assert_eq!(found.lacking.len(), 1, "{state}");
        }
    }
}

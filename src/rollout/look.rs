//! What runs, for those who look: services in a line each, tasks, revisions.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::{join3, try_join_all};
use serde_json::{Value, json};

use super::send::primary;
use super::{count, deployment, target, uses};
use crate::aws::ecs::{self, text};
use crate::aws::{Attempts, Aws, EcsOperation, ecr_images};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::kinds::service::{self, Digests};

/// Revisions of a family that are listed: the newest of what rollbacks go back to.
const MOST_REVISIONS: u32 = 20;

/// How a service stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The service's key.
    pub key: String,
    /// What it runs; none where it is not there.
    pub running: Option<Running>,
}

/// What a service runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// `FAMILY:REVISION`.
    pub revision: String,
    /// The images.
    pub images: Vec<RunningImage>,
    /// How the last rollout stands, in ECS's word.
    pub rollout: String,
    /// Tasks that run.
    pub tasks: i64,
    /// Tasks that are asked for.
    pub desired: i64,
    /// The fields that differ from infra.toml.
    pub drift: Vec<String>,
}

/// One image that runs, and what its repository says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningImage {
    /// The repository.
    pub repository: String,
    /// The digest.
    pub digest: String,
    /// The tags that name it now.
    pub tags: Vec<String>,
    /// The tag that infra.toml gives it.
    pub wanted: String,
    /// How many images were pushed after it, up to the one that the wanted tag names; none where the
    /// tag names what runs, or nothing.
    pub behind: Option<usize>,
}

/// How the services with these keys stand: one `DescribeServices` for ten of a cluster, and for each
/// its task definition, its newest deployment, its secrets and the images of its repositories.
///
/// # Errors
/// What could not be read.
pub async fn status(aws: &Aws, config: &Arc<Config>, keys: &[String]) -> Result<Vec<Status>> {
    let standings = service::standings(aws, config, keys).await?;
    let looks = keys.iter().map(|key| async {
        Ok::<_, Error>(Status {
            key: key.clone(),
            running: match standings.get(key) {
                Some(standing) => Some(status_of(aws, config, key, standing).await?),
                None => None,
            },
        })
    });
    target::every(looks).await
}

async fn status_of(
    aws: &Aws,
    config: &Config,
    key: &str,
    standing: &service::Standing,
) -> Result<Running> {
    let live = &standing.live;
    let (newest, digests) = futures::try_join!(
        async { Ok(deployment::newest(aws, live).await?) },
        service::running(aws, config, live)
    )?;
    let rollout = newest.as_ref().and_then(|newest| text(newest, "status"));
    let rollout = rollout.or_else(|| text(primary(live)?, "rolloutState"));
    let revision = service::revision(live).unwrap_or_default();
    Ok(Running {
        revision: revision.rsplit('/').next().unwrap_or_default().to_owned(),
        images: images(aws, config, key, digests).await?,
        rollout: rollout.unwrap_or("unknown").to_owned(),
        tasks: count(live, "runningCount"),
        desired: count(live, "desiredCount"),
        drift: standing.drift.clone(),
    })
}

async fn images(
    aws: &Aws,
    config: &Config,
    key: &str,
    digests: Digests,
) -> Result<Vec<RunningImage>> {
    let wanted = target::repositories(config, key);
    let pushed = digests
        .keys()
        .map(|repository| ecr_images::images(aws, repository));
    let pushed = try_join_all(pushed).await?;
    let mut images = Vec::new();
    for ((repository, digest), all) in digests.into_iter().zip(pushed) {
        let mine = all.iter().find(|image| image.digest == digest);
        let wanted = wanted.get(&repository).cloned().unwrap_or_default();
        let named = all.iter().find(|image| image.tags.contains(&wanted));
        let behind = named.filter(|named| named.digest != digest).map(|named| {
            let since = mine.map_or(0, |mine| mine.pushed);
            let between = |image: &&ecr_images::Image| {
                image.digest != digest && image.pushed > since && image.pushed <= named.pushed
            };
            all.iter().filter(between).count()
        });
        images.push(RunningImage {
            tags: mine.map(|mine| mine.tags.clone()).unwrap_or_default(),
            repository,
            digest,
            wanted,
            behind,
        });
    }
    Ok(images)
}

/// A task of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// `FAMILY:REVISION`.
    pub revision: String,
    /// ECS's word for how it stands.
    pub status: String,
    /// Whether its containers are healthy, in ECS's word.
    pub health: String,
    /// Why it stopped, where it did.
    pub stopped: Option<String>,
}

/// The tasks of a service that run, or those that stopped within the last hour or so.
///
/// # Errors
/// What could not be read.
pub async fn tasks(aws: &Aws, config: &Config, key: &str, stopped: bool) -> Result<Vec<Task>> {
    let live = target::live(aws, config, key).await?;
    let found = ecs::service_tasks(aws, &live, stopped).await?;
    let mut tasks: Vec<Task> = found.iter().map(task).collect();
    tasks.sort_by(|a, b| (&a.revision, &a.id).cmp(&(&b.revision, &b.id)));
    Ok(tasks)
}

fn task(task: &Value) -> Task {
    let last = |field: &str| {
        let arn = text(task, field).unwrap_or_default();
        arn.rsplit('/').next().unwrap_or_default().to_owned()
    };
    Task {
        id: last("taskArn"),
        revision: last("taskDefinitionArn"),
        status: text(task, "lastStatus").unwrap_or("UNKNOWN").to_owned(),
        health: text(task, "healthStatus").unwrap_or("UNKNOWN").to_owned(),
        stopped: text(task, "stoppedReason").map(|_| super::cause::reason(task)),
    }
}

/// A revision of a service's family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// `FAMILY:REVISION`.
    pub name: String,
    /// The images of its containers: the digest, or else the text.
    pub images: Vec<String>,
    /// Who uses it: services and tasks.
    pub uses: Option<String>,
    /// Whether a rollback would go back to it.
    pub target: bool,
    /// What proved its image.
    pub proved_by: Option<String>,
}

/// The newest ACTIVE revisions of a service's family.
///
/// # Errors
/// What could not be read.
pub async fn revisions(aws: &Aws, config: &Config, key: &str) -> Result<Vec<Revision>> {
    let live = target::live(aws, config, key).await?;
    let family = config.services.get(key).map(|one| one.task.family.as_str());
    let family = family.unwrap_or_default();
    let clusters = [text(&live, "clusterArn").unwrap_or_default().to_owned()];
    let families = BTreeSet::from([family]);
    let (back, uses, arns) = join3(
        super::find_back(aws, config, key, &live, None),
        uses::find(aws, &clusters, &families),
        ecs::active_revisions(aws, family, MOST_REVISIONS),
    )
    .await;
    let (uses, arns) = (uses?, arns?);
    let described = arns
        .iter()
        .map(|arn| ecs::task_definition_with_tags(aws, arn));
    let described = try_join_all(described).await?;
    let mut revisions = Vec::new();
    for (arn, (definition, tags)) in arns.into_iter().zip(described) {
        let images = ecs::containers(&definition)
            .filter_map(|container| text(container, "image"))
            .map(|image| image.rsplit('/').next().unwrap_or(image).to_owned());
        let is_target = matches!(&back, Ok(super::Back::Revision(to)) if to.revision == arn);
        revisions.push(Revision {
            name: arn.rsplit('/').next().unwrap_or_default().to_owned(),
            images: images.collect(),
            uses: uses.of(&arn),
            target: is_target,
            proved_by: tags
                .get(super::send::PROVED_BY)
                .and_then(Value::as_str)
                .map(str::to_owned),
        });
    }
    Ok(revisions)
}

/// Asks for another number of tasks. It starts no deployment.
///
/// # Errors
/// What AWS refuses.
pub async fn scale(aws: &Aws, config: &Config, key: &str, tasks: i32) -> Result<()> {
    let live = target::live(aws, config, key).await?;
    let revision = service::revision(&live).unwrap_or_default();
    let request = json!({
        "cluster": text(&live, "clusterArn"),
        "service": text(&live, "serviceName"),
        // Without it AWS would judge the call by the family's latest (facts.md section 4).
        "taskDefinition": revision.rsplit('/').next(),
        "desiredCount": tasks,
    });
    let operation = EcsOperation::UpdateService;
    aws.ecs(operation, Attempts::Idempotent, &request).await?;
    Ok(())
}

//! Old revisions of a service's task definition: which are in use or may be needed, and how the rest is
//! deregistered. Nothing else is touched: images stay, and ECS still describes a deregistered revision.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::uses::{self, Uses};
use super::{back, deployment, target};
use crate::aws::ecs;
use crate::aws::{Attempts, Aws, EcsOperation, ecs_clusters};
use crate::config::Config;
use crate::error::Result;
use crate::kind::OWNER_TAG;

/// Rollbacks, one after the other, whose revisions stay.
const ROLLBACKS: usize = 2;

/// What is to become of the revisions of one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pruning {
    /// The family.
    pub family: String,
    /// Revisions that stay, newest first, each with the reason.
    pub kept: Vec<(String, String)>,
    /// The ARNs of the revisions that go, newest first.
    pub removed: Vec<String>,
}

/// Finds what can go of the families of these services: all but what is in use anywhere in the
/// account, what a rollback may want, what is not ours, and the newest `keep`.
///
/// # Errors
/// What could not be read: without it nothing is known to be unused.
pub async fn plan_pruning(
    aws: &Aws,
    config: &Config,
    keys: &[String],
    keep: usize,
) -> Result<Vec<Pruning>> {
    let services = keys.iter().filter_map(|key| config.services.get(key));
    let families: BTreeSet<&str> = services.map(|one| one.task.family.as_str()).collect();
    let clusters = ecs_clusters::all(aws).await?;
    let uses = uses::find(aws, &clusters, &families).await?;
    let prunings = families
        .into_iter()
        .map(|family| plan_family(aws, config, family, &uses, keep));
    target::every(prunings).await
}

async fn plan_family(
    aws: &Aws,
    config: &Config,
    family: &str,
    uses: &Uses,
    keep: usize,
) -> Result<Pruning> {
    let mut arns = ecs::all_active_revisions(aws, family).await?;
    arns.sort_by_key(|arn| std::cmp::Reverse(ecs::revision_of(arn).map(|(_, number)| number)));
    // Services of other environments may share the family: theirs are rollback targets too.
    let sharing = config.services.iter();
    let sharing = sharing.filter(|(_, service)| service.task.family == family);
    let targets = sharing.map(|(key, _)| rollback_targets(aws, config, key, &arns));
    let mut needed = uses.clone();
    for arn in target::every(targets).await?.into_iter().flatten() {
        needed.note(&arn, "a rollback may go here");
    }
    let mark = config.owner_mark();
    let reasons = arns.iter().enumerate().map(|(index, arn)| {
        let reason = needed
            .of(arn)
            .or_else(|| (index < keep).then(|| format!("one of the newest {keep}")));
        reason_to_stay(aws, arn, reason, &mark)
    });
    let reasons = target::every(reasons).await?;
    let mut pruning = Pruning {
        family: family.to_owned(),
        kept: Vec::new(),
        removed: Vec::new(),
    };
    for (arn, reason) in arns.into_iter().zip(reasons) {
        let name = arn.rsplit('/').next().unwrap_or_default().to_owned();
        match reason {
            Some(reason) => pruning.kept.push((name, reason)),
            None => pruning.removed.push(arn),
        }
    }
    Ok(pruning)
}

/// Why a revision stays: the reason that is known, or that it is not ours.
async fn reason_to_stay(
    aws: &Aws,
    arn: &str,
    known: Option<String>,
    mark: &str,
) -> Result<Option<String>> {
    if known.is_some() {
        return Ok(known);
    }
    let (_, tags) = ecs::task_definition_with_tags(aws, arn).await?;
    Ok(not_ours(tags.get(OWNER_TAG).and_then(Value::as_str), mark))
}

fn not_ours(owner: Option<&str>, mark: &str) -> Option<String> {
    match owner {
        Some(owner) if owner == mark => None,
        Some(owner) => Some(format!("is {owner}'s")),
        None => Some("carries no owner mark".to_owned()),
    }
}

/// Where rollbacks of this service may lead.
async fn rollback_targets(
    aws: &Aws,
    config: &Config,
    key: &str,
    active: &[String],
) -> Result<Vec<String>> {
    // A service that is not there, or not ours, is in `uses` where it matters.
    let Some(live) = target::live_if_there(aws, config, key).await? else {
        return Ok(Vec::new());
    };
    let list = deployment::list(aws, &live).await?;
    let mut targets = back::candidates(aws, config, key, &live, &list).await?;
    targets.retain(|arn| active.contains(arn));
    targets.truncate(ROLLBACKS);
    Ok(targets)
}

/// Deregisters what a pruning removes; `done` hears of each.
///
/// # Errors
/// What AWS refuses.
pub async fn prune(
    aws: &Aws,
    pruning: &Pruning,
    done: &mut dyn FnMut(&str) -> Result<()>,
) -> Result<()> {
    for arn in &pruning.removed {
        let request = json!({"taskDefinition": arn});
        let operation = EcsOperation::DeregisterTaskDefinition;
        aws.ecs(operation, Attempts::Idempotent, &request).await?;
        done(arn.rsplit('/').next().unwrap_or_default())?;
    }
    Ok(())
}

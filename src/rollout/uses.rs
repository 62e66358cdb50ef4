//! Who uses which revision of a task definition: services with all their deployments and task sets, and
//! tasks that run.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;
use serde_json::Value;

use crate::aws::Aws;
use crate::aws::ecs::{self, text};
use crate::error::Result;

/// Reasons by the revision's ARN.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Uses(BTreeMap<String, BTreeSet<String>>);

impl Uses {
    /// Notes a reason.
    pub(super) fn note(&mut self, arn: &str, reason: impl Into<String>) {
        let reasons = self.0.entry(arn.to_owned()).or_default();
        reasons.insert(reason.into());
    }

    /// The reasons of a revision in one text; none where there is none.
    pub(super) fn of(&self, arn: &str) -> Option<String> {
        let reasons = self.0.get(arn)?;
        let reasons: Vec<&str> = reasons.iter().map(String::as_str).collect();
        Some(reasons.join("; "))
    }
}

/// What uses revisions of these families in these clusters.
pub(super) async fn find(
    aws: &Aws,
    clusters: &[String],
    families: &BTreeSet<&str>,
) -> Result<Uses> {
    let found = clusters.iter().map(|cluster| async move {
        let mut uses = Uses::default();
        services(aws, cluster, families, &mut uses).await?;
        for family in families {
            tasks(aws, cluster, family, &mut uses).await?;
        }
        Ok::<_, crate::error::Error>(uses)
    });
    let mut all = Uses::default();
    for uses in try_join_all(found).await? {
        for (arn, reasons) in uses.0 {
            all.0.entry(arn).or_default().extend(reasons);
        }
    }
    Ok(all)
}

async fn services(
    aws: &Aws,
    cluster: &str,
    families: &BTreeSet<&str>,
    uses: &mut Uses,
) -> Result<()> {
    let arns = ecs::list_services(aws, cluster).await?;
    let names: Vec<String> = arns
        .iter()
        .map(|arn| arn.rsplit('/').next().unwrap_or(arn).to_owned())
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    for service in ecs::services(aws, cluster, &names).await? {
        if text(&service, "status") == Some("INACTIVE") {
            continue;
        }
        let name = text(&service, "serviceName").unwrap_or_default();
        let lists = ["deployments", "taskSets"].iter();
        let parts = lists.flat_map(|list| {
            let list = service.get(*list).and_then(Value::as_array);
            list.into_iter().flatten()
        });
        for part in parts.chain([&service]) {
            let Some(arn) = text(part, "taskDefinition") else {
                continue;
            };
            if ecs::revision_of(arn).is_some_and(|(family, _)| families.contains(family)) {
                uses.note(arn, format!("service {name} uses it"));
            }
        }
    }
    Ok(())
}

async fn tasks(aws: &Aws, cluster: &str, family: &str, uses: &mut Uses) -> Result<()> {
    let arns = ecs::family_tasks(aws, cluster, family).await?;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for task in ecs::tasks(aws, cluster, &arns).await? {
        if let Some(arn) = text(&task, "taskDefinitionArn") {
            *counts.entry(arn.to_owned()).or_default() += 1;
        }
    }
    for (arn, count) in counts {
        let tasks = if count == 1 { "task runs" } else { "tasks run" };
        uses.note(&arn, format!("{count} {tasks} it"));
    }
    Ok(())
}

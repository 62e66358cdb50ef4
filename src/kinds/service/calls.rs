//! What can be done to a service: the calls between two specs, and what each of them leads to.

use std::collections::BTreeSet;

use serde::Serialize;

use super::service_fields::{DEPLOYING, IMMUTABLE, SERVICE, WITHOUT_CONTROLLER};
use super::shape::{apply, changes, keep_unknown};
use super::spec::{Settings, Spec, Task};
use super::task_fields::{CONTAINER, TASK};
use crate::config::Tags;
use crate::kind::{Hazard, Refusal};
use crate::kinds::tags as ownership;

/// One mutation of a service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Call {
    /// Registers the task definition, or takes a revision that says the same, and makes the service.
    Create {
        /// All of it.
        spec: Box<Spec>,
    },
    /// Adds or overwrites tags, the owner mark among them.
    Tag {
        /// The cluster's name.
        cluster: String,
        /// The service's name.
        service: String,
        /// The tags.
        tags: Tags,
    },
    /// One `UpdateService` with all that differs.
    Update {
        /// The cluster's name.
        cluster: String,
        /// The service's name.
        service: String,
        /// The number of tasks, if it differs.
        #[serde(skip_serializing_if = "Option::is_none")]
        desired_count: Option<i32>,
        /// The fields that differ; null takes one back to AWS's default.
        #[serde(skip_serializing_if = "Settings::is_empty")]
        settings: Settings,
        /// The task definition, if it differs.
        #[serde(skip_serializing_if = "Option::is_none")]
        task: Option<Box<Task>>,
    },
    /// Removes tags; never the owner mark.
    Untag {
        /// The cluster's name.
        cluster: String,
        /// The service's name.
        service: String,
        /// The keys.
        keys: BTreeSet<String>,
    },
    /// Registers the task definition, deletes the service, waits until it is gone, makes the new one.
    Replace {
        /// The cluster's name of what is deleted.
        cluster: String,
        /// The name of the service that is deleted.
        service: String,
        /// All of the new one.
        spec: Box<Spec>,
    },
    /// Stops the tasks and deletes the service.
    Delete {
        /// The cluster's name.
        cluster: String,
        /// The service's name.
        service: String,
        /// The family of its task definition.
        family: String,
    },
}

/// What infra.toml leaves to AWS or to others is taken from live.
pub(super) fn keep(mut desired: Spec, live: Option<&Spec>) -> Spec {
    let Some(live) = live else { return desired };
    if desired.ignore_desired_count && desired.desired_count.is_some() {
        desired.desired_count = live.desired_count.or(desired.desired_count);
    }
    // ECS may report LATEST as the version that it stands for.
    let latest = |version: Option<&str>| matches!(version, Some("LATEST" | "1.4.0"));
    let version = "platform_version";
    if latest(desired.text(version))
        && latest(live.text(version))
        && let Some(reported) = live.settings.get(version)
    {
        desired
            .settings
            .insert(version.to_owned(), reported.clone());
    }
    keep_unknown(SERVICE, &mut desired.settings, &live.settings);
    keep_unknown(TASK, &mut desired.task.settings, &live.task.settings);
    for (name, container) in &mut desired.task.container {
        if let Some(live) = live.task.container.get(name) {
            keep_unknown(CONTAINER, &mut container.settings, &live.settings);
        }
    }
    desired
}

/// The calls from one spec to the other.
pub(super) fn calls(before: Option<&Spec>, after: Option<&Spec>) -> Vec<Call> {
    match (before, after) {
        (None, None) => Vec::new(),
        (None, Some(after)) => vec![Call::Create {
            spec: Box::new(after.clone()),
        }],
        (Some(before), None) => vec![Call::Delete {
            cluster: before.cluster.clone(),
            service: before.name.clone(),
            family: before.task.family.clone(),
        }],
        (Some(before), Some(after)) if must_replace(before, after) => vec![Call::Replace {
            cluster: before.cluster.clone(),
            service: before.name.clone(),
            spec: Box::new(after.clone()),
        }],
        (Some(before), Some(after)) => updates(before, after),
    }
}

fn updates(before: &Spec, after: &Spec) -> Vec<Call> {
    let (cluster, service) = (&after.cluster, &after.name);
    let tags = ownership::change(
        (&before.tags, before.owner.as_deref()),
        (&after.tags, after.owner.as_deref()),
    );
    let mut calls = Vec::new();
    if !tags.add.is_empty() {
        calls.push(Call::Tag {
            cluster: cluster.clone(),
            service: service.clone(),
            tags: tags.add,
        });
    }
    let desired_count = after
        .desired_count
        .filter(|_| before.desired_count != after.desired_count);
    let settings = changes(SERVICE, &before.settings, &after.settings);
    let task = (before.task != after.task).then(|| Box::new(after.task.clone()));
    if desired_count.is_some() || !settings.is_empty() || task.is_some() {
        calls.push(Call::Update {
            cluster: cluster.clone(),
            service: service.clone(),
            desired_count,
            settings,
            task,
        });
    }
    if !tags.remove.is_empty() {
        calls.push(Call::Untag {
            cluster: cluster.clone(),
            service: service.clone(),
            keys: tags.remove,
        });
    }
    calls
}

/// Whether only another service can be like this.
fn must_replace(before: &Spec, after: &Spec) -> bool {
    // Between a launch type and capacity providers UpdateService leads both ways.
    let launch = |spec: &Spec| spec.text("launch_type").map(str::to_owned);
    let relaunched = launch(before).is_some() && launch(after).is_some();
    before.name != after.name
        || before.cluster != after.cluster
        || IMMUTABLE
            .iter()
            .filter(|field| **field != "launch_type" || relaunched)
            .any(|field| before.settings.get(*field) != after.settings.get(*field))
}

/// What the call itself endangers.
pub(super) fn hazards(call: &Call) -> Vec<Hazard> {
    match call {
        Call::Create { .. } => vec![Hazard::Deploys],
        Call::Replace { .. } => vec![Hazard::Replaces, Hazard::Deploys],
        Call::Update { settings, task, .. } if starts_deployment(settings, task.is_some()) => {
            vec![Hazard::Deploys]
        }
        Call::Update { .. } | Call::Tag { .. } | Call::Untag { .. } | Call::Delete { .. } => {
            Vec::new()
        }
    }
}

/// Whether `UpdateService` starts a deployment for these changes.
pub(super) fn starts_deployment(settings: &Settings, task: bool) -> bool {
    task || DEPLOYING.iter().any(|field| settings.contains_key(*field))
}

/// What the call leads to; refuses what AWS refuses.
pub(super) fn effect(spec: Option<Spec>, call: &Call) -> Result<Option<Spec>, Refusal> {
    let Some(mut spec) = spec else {
        return match call {
            Call::Create { spec } => Ok(Some(Spec::clone(spec))),
            Call::Delete { .. } => Ok(None),
            _ => Err(Refusal::not_yet("The service is not there yet.")),
        };
    };
    match call {
        Call::Create { .. } => return Err(Refusal::not_yet("The service is there already.")),
        Call::Replace { spec, .. } => return Ok(Some(Spec::clone(spec))),
        Call::Delete { .. } => return Ok(None),
        Call::Tag { tags, .. } => ownership::add(&mut spec.tags, &mut spec.owner, tags),
        Call::Untag { keys, .. } => ownership::remove(&mut spec.tags, keys),
        Call::Update {
            cluster: _,
            service: _,
            desired_count,
            settings,
            task,
        } => {
            refuse(&spec, settings, task.is_some())?;
            spec.desired_count = desired_count.or(spec.desired_count);
            apply(&mut spec.settings, settings);
            if let Some(task) = task {
                spec.task = Task::clone(task);
            }
        }
    }
    Ok(Some(spec))
}

/// What `UpdateService` does not take.
fn refuse(spec: &Spec, settings: &Settings, task: bool) -> Result<(), Refusal> {
    for (key, value) in settings {
        let field = SERVICE.iter().find(|field| field.name == key);
        let can_go =
            IMMUTABLE.contains(&key.as_str()) || field.is_none_or(|field| field.removal.is_some());
        if value.is_null() && !can_go {
            return Err(
                Refusal::immutable(format!("ECS cannot take {key} away from a service."))
                    .hint("Remove the service from infra.toml, apply, and declare it again."),
            );
        }
    }
    let controller = spec.text("deployment_controller");
    let Some(controller) = controller.filter(|_| !settings.contains_key("deployment_controller"))
    else {
        return Ok(());
    };
    let refused = settings
        .keys()
        .find(|key| !WITHOUT_CONTROLLER.contains(&key.as_str()))
        .map(String::as_str)
        .or(task.then_some("task"));
    match refused {
        None => Ok(()),
        Some(field) => Err(Refusal::immutable(format!(
            "Under the deployment controller {controller} ECS does not change {field}."
        ))
        .hint("Change it through that controller, or set deployment_controller = \"ECS\".")),
    }
}

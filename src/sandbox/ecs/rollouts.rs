//! Service deployments: how one begins, ends, fails and goes back. When each of these happens is
//! decided in `play`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::store::Table;
use super::super::world::{Members as _, World, last_part, set};
use super::behaviour::Behaviour;
use super::{causes, definitions, running};

/// Where a rollout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Phase {
    /// Tasks are being started.
    Running,
    /// A hook waits for somebody.
    Paused,
    /// Somebody continued it.
    Continued,
    /// It goes back to the last good revision.
    RollingBack,
    /// The service is being deleted.
    Draining,
}

/// A rollout that is under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Rollout {
    /// Where its service deployment is kept.
    pub(super) record: String,
    /// The id of its deployment in `DescribeServices`.
    pub(super) id: String,
    pub(super) behaviour: Behaviour,
    /// Whether the behaviour comes from the account's own state, and may change with it.
    pub(super) natural: bool,
    pub(super) phase: Phase,
    pub(super) started: f64,
    /// When the phase began.
    pub(super) since: f64,
    /// How many tasks have failed.
    pub(super) failed: i64,
}

impl Rollout {
    pub(super) fn load(world: &World<'_>, key: &str) -> Option<Self> {
        serde_json::from_value(world.store.get(Table::Rollout, key)?.clone()).ok()
    }

    pub(super) fn save(&self, world: &mut World<'_>, key: &str) {
        world.store.put(
            Table::Rollout,
            key,
            serde_json::to_value(self).unwrap_or_default(),
        );
    }
}

/// Why a rollout fails, in ECS's words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure<'a> {
    /// On the service deployment.
    pub(super) reason: &'a str,
    /// In the event of the service.
    pub(super) event: &'a str,
}

impl Failure<'static> {
    /// Too many tasks failed.
    pub(super) const BREAKER: Self = Self {
        reason: "ECS deployment circuit breaker: tasks failed to start.",
        event: "tasks failed to start.",
    };
    /// Somebody stopped it, without going back.
    pub(super) const STOPPED: Self = Self::said("Service deployment stopped by a request.");

    /// The same words in both places.
    pub(super) const fn said(words: &'static str) -> Self {
        Self {
            reason: words,
            event: words,
        }
    }
}

/// The most events that a service keeps, as with ECS.
const EVENTS: usize = 100;

/// Adds an event to a service, newest first.
pub(super) fn event(world: &mut World<'_>, key: &str, message: &str) {
    let (id, now) = (world.uuid(), world.epoch());
    world.store.update(Table::Service, key, |service| {
        let mut events = service.list("events").to_vec();
        events.insert(0, json!({ "id": id, "createdAt": now, "message": message }));
        events.truncate(EVENTS);
        set(service, "events", events);
    });
}

/// Changes one deployment of a service.
pub(super) fn change_deployment(
    world: &mut World<'_>,
    key: &str,
    id: &str,
    change: impl Fn(&mut Value),
) {
    world.store.update(Table::Service, key, |service| {
        let mut deployments = service.list("deployments").to_vec();
        deployments
            .iter_mut()
            .filter(|deployment| deployment.str("id") == id)
            .for_each(change);
        set(service, "deployments", deployments);
    });
}

/// One deployment of a service.
pub(super) fn deployment(world: &World<'_>, key: &str, id: &str) -> Option<Value> {
    let service = world.store.get(Table::Service, key)?;
    service
        .list("deployments")
        .iter()
        .find(|deployment| deployment.str("id") == id)
        .cloned()
}

/// Changes the record of a service deployment.
pub(super) fn change_record(world: &mut World<'_>, record: &str, change: impl FnOnce(&mut Value)) {
    let now = world.epoch();
    world
        .store
        .update(Table::ServiceDeployment, record, |record| {
            change(record);
            set(record, "updatedAt", now);
        });
}

/// Ends the record of a service deployment.
pub(super) fn end_record(world: &mut World<'_>, record: &str, status: &str, reason: &str) {
    let now = world.epoch();
    change_record(world, record, |record| {
        set(record, "status", status);
        set(record, "finishedAt", now.clone());
        if status == "STOPPED" {
            set(record, "stoppedAt", now);
        }
        if !reason.is_empty() {
            set(record, "statusReason", reason);
        }
    });
}

/// Begins a rollout of the service as its record stands now; one that is under way is superseded.
pub(super) fn start(world: &mut World<'_>, key: &str, behaviour: Behaviour) {
    if let Some(standing) = Rollout::load(world, key) {
        end_record(
            world,
            &standing.record,
            "STOPPED",
            "The service deployment was superseded by a newer one.",
        );
    }
    let Some(service) = world.store.get(Table::Service, key).cloned() else {
        return;
    };
    let source = service.get("_revisions").and_then(|revisions| {
        let primary = service.list("deployments").first()?;
        revisions.text(primary.str("id")).map(str::to_owned)
    });
    let (id, revision) = insert_primary(world, key, &service);
    let record = record(world, key, &service, source.as_deref(), &revision);
    let definition = service.str("taskDefinition");
    let natural = match (&behaviour, causes::natural(definition, world)) {
        (Behaviour::Quick, Some(cause)) => Some(Behaviour::Fails(cause)),
        _ => None,
    };
    let now = world.now;
    let rollout = Rollout {
        record,
        id: id.clone(),
        natural: natural.is_some(),
        behaviour: natural.unwrap_or(behaviour),
        phase: Phase::Running,
        started: now,
        since: now,
        failed: 0,
    };
    rollout.save(world, key);
    let name = service.str("serviceName");
    let desired = service.number("desiredCount").unwrap_or(0);
    event(
        world,
        key,
        &format!("(service {name}) has started {desired} tasks: (deployment {id})."),
    );
}

/// Puts a new deployment in front of the others; gives its id and its service revision.
fn insert_primary(world: &mut World<'_>, key: &str, service: &Value) -> (String, String) {
    let number = world.letters(b"0123456789", 19);
    let (cluster, name) = key.split_once('\n').unwrap_or_default();
    let id = format!("ecs-svc/{number}");
    let arn = world.arn(
        "ecs",
        &format!("service-revision/{cluster}/{name}/{number}"),
    );
    let revision = revision(world, &arn, service);
    world.store.put(Table::ServiceRevision, &arn, revision);
    let mut made = json!({
        "id": id,
        "status": "PRIMARY",
        "taskDefinition": service.str("taskDefinition"),
        "desiredCount": service.number("desiredCount").unwrap_or(0),
        "pendingCount": 0,
        "runningCount": 0,
        "failedTasks": 0,
        "createdAt": world.epoch(),
        "updatedAt": world.epoch(),
        "rolloutState": "IN_PROGRESS",
        "rolloutStateReason": format!("ECS deployment {id} in progress."),
    });
    copy(
        service,
        &mut made,
        &[
            "launchType",
            "capacityProviderStrategy",
            "platformVersion",
            "platformFamily",
            "networkConfiguration",
        ],
    );
    world.store.update(Table::Service, key, |service| {
        let mut deployments = service.list("deployments").to_vec();
        for deployment in &mut deployments {
            set(deployment, "status", "ACTIVE");
        }
        deployments.insert(0, made);
        set(service, "deployments", deployments);
        let mut revisions: Map<String, Value> = service
            .get("_revisions")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        revisions.insert(id.clone(), json!(arn));
        set(service, "_revisions", revisions);
    });
    (id, arn)
}

fn copy(from: &Value, to: &mut Value, fields: &[&str]) {
    for field in fields {
        if let Some(value) = from.member(field) {
            set(to, field, value.clone());
        }
    }
}

/// What the service is at this moment, with the digests that its tags name now.
fn revision(world: &World<'_>, arn: &str, service: &Value) -> Value {
    let definition = definitions::resolve(service.str("taskDefinition"), world)
        .cloned()
        .unwrap_or_default();
    let images = definition
        .list("containerDefinitions")
        .iter()
        .map(|container| {
            let image = container.str("image");
            let mut shown = json!({ "containerName": container.str("name"), "image": image });
            if container.str("versionConsistency") == "enabled"
                && let Some(digest) = causes::digest(image, world)
            {
                set(&mut shown, "imageDigest", digest);
            }
            shown
        });
    let images: Vec<Value> = images.collect();
    let mut revision = json!({
        "serviceRevisionArn": arn,
        "serviceArn": service.str("serviceArn"),
        "clusterArn": service.str("clusterArn"),
        "taskDefinition": service.str("taskDefinition"),
        "containerImages": images,
        "guardDutyEnabled": false,
        "createdAt": world.epoch(),
    });
    let fields = [
        "launchType",
        "capacityProviderStrategy",
        "platformVersion",
        "platformFamily",
        "networkConfiguration",
        "loadBalancers",
        "serviceRegistries",
        "serviceConnectConfiguration",
        "volumeConfigurations",
        "vpcLatticeConfigurations",
    ];
    copy(service, &mut revision, &fields);
    revision
}

/// Makes the record of a service deployment and says where it is kept.
fn record(
    world: &mut World<'_>,
    key: &str,
    service: &Value,
    source: Option<&str>,
    revision: &str,
) -> String {
    let (cluster, name) = key.split_once('\n').unwrap_or_default();
    let id = world.letters(
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        21,
    );
    let arn = world.arn("ecs", &format!("service-deployment/{cluster}/{name}/{id}"));
    let desired = service.number("desiredCount").unwrap_or(0);
    let running = service.number("runningCount").unwrap_or(0);
    let summary = |arn: &str, requested: i64, running: i64| json!({ "arn": arn, "requestedTaskCount": requested, "runningTaskCount": running, "pendingTaskCount": 0 });
    let breaker = service
        .get("deploymentConfiguration")
        .and_then(|all| all.get("deploymentCircuitBreaker"));
    let enabled = breaker
        .and_then(|breaker| breaker.flag("enable"))
        .unwrap_or(false);
    let sources: Vec<Value> = source
        .map(|arn| summary(arn, running, running))
        .into_iter()
        .collect();
    let mut record = json!({
        "serviceDeploymentArn": arn,
        "serviceArn": service.str("serviceArn"),
        "clusterArn": service.str("clusterArn"),
        "createdAt": world.epoch(),
        "startedAt": world.epoch(),
        "updatedAt": world.epoch(),
        "sourceServiceRevisions": sources,
        "targetServiceRevision": summary(revision, desired, 0),
        "status": "PENDING",
        "deploymentCircuitBreaker": {
            "status": if enabled { "MONITORING" } else { "DISABLED" }, "failureCount": 0,
            "threshold": super::play::threshold(service),
        },
        "alarms": { "status": "DISABLED" },
    });
    copy(service, &mut record, &["deploymentConfiguration"]);
    let number = world.store.next();
    let place = format!("{key}\n{number:012}");
    world.store.put(Table::ServiceDeployment, &place, record);
    world.store.update(Table::Service, key, |service| {
        set(service, "currentServiceDeployment", arn);
    });
    place
}

/// Only the primary deployment is left, and all its tasks run.
pub(super) fn settle(world: &mut World<'_>, key: &str, reason: &str) {
    let Some(service) = world.store.get(Table::Service, key).cloned() else {
        return;
    };
    let desired = service.number("desiredCount").unwrap_or(0);
    for (index, deployment) in service.list("deployments").iter().enumerate() {
        running::scale(world, key, deployment, if index == 0 { desired } else { 0 });
    }
    let Some(mut primary) = service.list("deployments").first().cloned() else {
        return;
    };
    let id = primary.str("id").to_owned();
    let now = world.epoch();
    let revision = service
        .get("_revisions")
        .map(|revisions| revisions.str(&id).to_owned())
        .unwrap_or_default();
    for (field, count) in [
        ("desiredCount", desired),
        ("runningCount", desired),
        ("pendingCount", 0),
    ] {
        set(&mut primary, field, count);
    }
    set(&mut primary, "rolloutState", "COMPLETED");
    set(&mut primary, "rolloutStateReason", reason);
    set(&mut primary, "updatedAt", now);
    world.store.update(Table::Service, key, |service| {
        set(service, "deployments", vec![primary]);
        set(service, "_revisions", json!({ id: revision }));
        set(service, "runningCount", desired);
        set(service, "pendingCount", 0);
        let good = json!({ "taskDefinition": service.str("taskDefinition"), "revision": revision });
        set(service, "_good", good);
        let current = json!([{
            "arn": revision, "requestedTaskCount": desired, "runningTaskCount": desired, "pendingTaskCount": 0,
        }]);
        set(service, "currentServiceRevisions", current);
    });
    let name = last_part(service.str("serviceArn"));
    event(
        world,
        key,
        &format!("(service {name}) has reached a steady state."),
    );
    running::forget(world, key);
}

/// Ends a rollout in success.
pub(super) fn complete(world: &mut World<'_>, key: &str, rollout: &Rollout) {
    settle(
        world,
        key,
        &format!("ECS deployment {} completed.", rollout.id),
    );
    let desired = world
        .store
        .get(Table::Service, key)
        .and_then(|service| service.number("desiredCount"))
        .unwrap_or(0);
    change_record(world, &rollout.record, |record| {
        if let Some(target) = record.get_mut("targetServiceRevision") {
            set(target, "runningTaskCount", desired);
        }
        if let Some(breaker) = record
            .get_mut("deploymentCircuitBreaker")
            .filter(|breaker| breaker.str("status") == "MONITORING")
        {
            set(breaker, "status", "MONITORING_COMPLETE");
        }
    });
    end_record(world, &rollout.record, "SUCCESSFUL", "");
    world.store.remove(Table::Rollout, key);
    let name = key.split('\n').nth(1).unwrap_or_default();
    event(
        world,
        key,
        &format!(
            "(service {name}) (deployment {}) deployment completed.",
            rollout.id
        ),
    );
}

/// Ends a rollout in failure, going back nowhere.
pub(super) fn give_up(
    world: &mut World<'_>,
    key: &str,
    rollout: &Rollout,
    status: &str,
    why: Failure<'_>,
) {
    let Failure {
        reason,
        event: said,
    } = why;
    change_deployment(world, key, &rollout.id, |deployment| {
        set(deployment, "rolloutState", "FAILED");
        set(deployment, "rolloutStateReason", reason);
        set(deployment, "pendingCount", 0);
    });
    end_record(world, &rollout.record, status, reason);
    world.store.remove(Table::Rollout, key);
    let name = key.split('\n').nth(1).unwrap_or_default();
    event(
        world,
        key,
        &format!(
            "(service {name}) (deployment {}) deployment failed: {said}",
            rollout.id
        ),
    );
}

/// Begins the way back to the last good revision; gives up where there is none.
pub(super) fn go_back(world: &mut World<'_>, key: &str, rollout: &Rollout, why: Failure<'_>) {
    let Failure {
        reason,
        event: said,
    } = why;
    let Some(service) = world.store.get(Table::Service, key).cloned() else {
        return;
    };
    let Some(good) = service.get("_good").cloned() else {
        let none = Failure {
            reason: "No rollback candidate was found to run the rollback.",
            event: said,
        };
        return give_up(world, key, rollout, "ROLLBACK_FAILED", none);
    };
    change_deployment(world, key, &rollout.id, |deployment| {
        set(deployment, "rolloutState", "FAILED");
        set(deployment, "rolloutStateReason", reason);
    });
    let definition = good.str("taskDefinition").to_owned();
    world.store.update(Table::Service, key, |service| {
        set(service, "taskDefinition", definition);
    });
    let service = world
        .store
        .get(Table::Service, key)
        .cloned()
        .unwrap_or_default();
    let (id, _) = insert_primary(world, key, &service);
    let back = format!("ECS deployment circuit breaker: rolling back to deploymentId {id}.");
    change_deployment(world, key, &id, |deployment| {
        set(deployment, "rolloutStateReason", back.as_str());
    });
    let now = world.epoch();
    change_record(world, &rollout.record, |record| {
        set(record, "status", "ROLLBACK_IN_PROGRESS");
        set(record, "statusReason", reason);
        let rollback = json!({ "reason": reason, "startedAt": now, "serviceRevisionArn": good.str("revision") });
        set(record, "rollback", rollback);
    });
    let since = world.now;
    Rollout {
        phase: Phase::RollingBack,
        since,
        ..rollout.clone()
    }
    .save(world, key);
    let name = key.split('\n').nth(1).unwrap_or_default();
    event(
        world,
        key,
        &format!(
            "(service {name}) (deployment {}) deployment failed: {said}",
            rollout.id
        ),
    );
    event(
        world,
        key,
        &format!("(service {name}) rolling back to (deployment {id})."),
    );
}

/// The way back is done.
pub(super) fn came_back(world: &mut World<'_>, key: &str, rollout: &Rollout) {
    settle(world, key, "ECS deployment circuit breaker: rolled back.");
    end_record(world, &rollout.record, "ROLLBACK_SUCCESSFUL", "");
    world.store.remove(Table::Rollout, key);
}

/// The way back failed as well.
pub(super) fn stayed_away(world: &mut World<'_>, key: &str, rollout: &Rollout) {
    let reason = "Service deployment rollback failed because of a circuit breaker.";
    let primary = world.store.get(Table::Service, key).and_then(|service| {
        let primary = service.list("deployments").first()?;
        Some(primary.str("id").to_owned())
    });
    change_deployment(world, key, &primary.unwrap_or_default(), |deployment| {
        set(deployment, "rolloutState", "FAILED");
        set(deployment, "rolloutStateReason", reason);
        set(deployment, "pendingCount", 0);
    });
    end_record(world, &rollout.record, "ROLLBACK_FAILED", reason);
    world.store.remove(Table::Rollout, key);
}

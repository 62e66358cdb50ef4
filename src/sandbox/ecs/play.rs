//! Time passing in ECS: every rollout that is under way takes the steps that are due by the clock.

use serde_json::{Value, json};

use super::super::player::Player;
use super::super::store::Table;
use super::super::world::{Members as _, World, set};
use super::behaviour::{Behaviour, Cause};
use super::hooks::{self, pause, time_out};
use super::rollouts::{self, Failure, Phase, Rollout};
use super::{causes, running, traffic};

/// When the record of a rollout says `IN_PROGRESS`, in seconds after its start.
const BEGINS: f64 = 1.0;
/// When the tasks of a quick rollout run.
const QUICK: f64 = 3.0;
/// When the tasks of a slow one do.
const SLOW: f64 = 240.0;
/// How long a task takes to fail.
const FAILURE: f64 = 5.0;
/// How long going back takes.
const BACK: f64 = 5.0;
/// When somebody else deploys.
const OTHER: f64 = 5.0;
/// How long a service drains.
const DRAINS: f64 = 3.0;

/// Lets every rollout, and every task that was run, take the steps that are due.
pub(in super::super) fn advance(world: &mut World<'_>, _player: &mut Player) {
    super::run::advance(world);
    let keys: Vec<String> = world
        .store
        .rows(Table::Rollout)
        .map(|(key, _)| key.to_owned())
        .collect();
    for key in keys {
        // A rollout may begin another one, and that may have steps due; few do.
        for _ in 0..4 {
            let Some(rollout) = Rollout::load(world, &key) else {
                break;
            };
            if !step(world, &key, rollout) {
                break;
            }
        }
    }
}

/// Takes one step; true where something of consequence happened.
fn step(world: &mut World<'_>, key: &str, rollout: Rollout) -> bool {
    let waited = world.now - rollout.since;
    match rollout.phase {
        Phase::Running => run(world, key, rollout),
        Phase::Continued if waited >= QUICK => {
            rollouts::complete(world, key, &rollout);
            true
        }
        Phase::RollingBack if waited >= BACK => {
            if rollout.behaviour == Behaviour::RollbackFails {
                rollouts::stayed_away(world, key, &rollout);
            } else {
                rollouts::came_back(world, key, &rollout);
            }
            true
        }
        Phase::Paused => time_out(world, key, &rollout),
        Phase::Draining if waited >= DRAINS => {
            world.store.update(Table::Service, key, |service| {
                set(service, "status", "INACTIVE");
                set(service, "deployments", json!([]));
            });
            world.store.remove(Table::Rollout, key);
            true
        }
        Phase::Continued | Phase::RollingBack | Phase::Draining => false,
    }
}

/// The phase in which tasks are started.
fn run(world: &mut World<'_>, key: &str, mut rollout: Rollout) -> bool {
    let elapsed = world.now - rollout.started;
    if elapsed >= BEGINS {
        begin_record(world, &rollout.record);
    }
    let Some(service) = world.store.get(Table::Service, key).cloned() else {
        return false;
    };
    if rollout.natural && causes::natural(service.str("taskDefinition"), world).is_none() {
        // What was missing is there now: the next tasks start.
        rollout.natural = false;
        rollout.behaviour = Behaviour::Quick;
        rollout.started = world.now;
        rollout.save(world, key);
        return true;
    }
    match rollout.behaviour.clone() {
        Behaviour::Quick => arrive(world, key, &service, &rollout, QUICK),
        Behaviour::Slow => {
            place(world, key, &service, &rollout, partly(&service, elapsed));
            arrive(world, key, &service, &rollout, SLOW)
        }
        Behaviour::Fails(cause) => fail(world, key, &service, rollout, cause, breaker(&service)),
        Behaviour::BreakerRollback | Behaviour::RollbackFails => {
            fail(world, key, &service, rollout, Cause::Exit, Some(true))
        }
        Behaviour::Breaker => fail(world, key, &service, rollout, Cause::Exit, Some(false)),
        Behaviour::Stuck => stuck(world, key, &service, rollout, elapsed),
        Behaviour::Flapping => flap(world, key, &service, rollout, elapsed),
        Behaviour::Alarm if elapsed >= OTHER => {
            alarm(world, key, &service, &rollout);
            true
        }
        Behaviour::Aborted if elapsed >= OTHER => {
            rollouts::give_up(world, key, &rollout, "STOPPED", Failure::STOPPED);
            true
        }
        Behaviour::Another if elapsed >= OTHER => {
            another(world, key, &service);
            true
        }
        Behaviour::Autoscaled(count) if elapsed >= BEGINS => {
            autoscale(world, key, count);
            rollout.behaviour = Behaviour::Quick;
            rollout.save(world, key);
            true
        }
        Behaviour::Pause if elapsed >= BEGINS => {
            pause(world, key, rollout, "POST_SCALE_UP", None);
            true
        }
        Behaviour::HookFails if elapsed >= BEGINS => {
            hooks::fail(world, key, &service, &rollout);
            true
        }
        Behaviour::Alarm
        | Behaviour::Aborted
        | Behaviour::Another
        | Behaviour::Autoscaled(_)
        | Behaviour::Pause
        | Behaviour::HookFails => false,
    }
}

fn begin_record(world: &mut World<'_>, record: &str) {
    let pending = world
        .store
        .get(Table::ServiceDeployment, record)
        .is_some_and(|record| record.str("status") == "PENDING");
    if pending {
        rollouts::change_record(world, record, |record| {
            set(record, "status", "IN_PROGRESS");
            set(record, "lifecycleStage", "SCALE_UP");
        });
    }
}

/// The tasks that a slow rollout has running by now.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "counts of tasks are small"
)]
fn partly(service: &Value, elapsed: f64) -> i64 {
    let desired = service.number("desiredCount").unwrap_or(0);
    (desired as f64 * (elapsed / SLOW).min(1.0)).floor() as i64
}

/// Shows how many tasks of the new deployment run.
fn place(world: &mut World<'_>, key: &str, service: &Value, rollout: &Rollout, count: i64) {
    let Some(deployment) = rollouts::deployment(world, key, &rollout.id) else {
        return;
    };
    let desired = service.number("desiredCount").unwrap_or(0);
    let pending = (desired - count).max(0);
    if deployment.number("runningCount") == Some(count)
        && deployment.number("pendingCount") == Some(pending)
    {
        return;
    }
    running::scale(world, key, &deployment, count);
    rollouts::change_deployment(world, key, &rollout.id, |deployment| {
        set(deployment, "runningCount", count);
        set(deployment, "pendingCount", pending);
    });
    world.store.update(Table::Service, key, |service| {
        let total: i64 = service
            .list("deployments")
            .iter()
            .filter_map(|one| one.number("runningCount"))
            .sum();
        set(service, "runningCount", total);
        set(service, "pendingCount", pending);
    });
    rollouts::change_record(world, &rollout.record, |record| {
        if let Some(target) = record.get_mut("targetServiceRevision") {
            set(target, "runningTaskCount", count);
            set(target, "pendingTaskCount", pending);
        }
    });
}

/// The rollout is through after `due` seconds and the bake time, unless a hook pauses it.
fn arrive(world: &mut World<'_>, key: &str, service: &Value, rollout: &Rollout, due: f64) -> bool {
    let elapsed = world.now - rollout.started;
    let configuration = service
        .get("deploymentConfiguration")
        .cloned()
        .unwrap_or_default();
    let hooks = configuration.list("lifecycleHooks").iter();
    let hook = hooks
        .filter(|hook| hook.str("targetType") == "PAUSE")
        .find(|hook| !hook.texts("lifecycleStages").is_empty());
    if let Some(hook) = hook.filter(|_| elapsed >= BEGINS) {
        let stage = hook
            .texts("lifecycleStages")
            .first()
            .copied()
            .unwrap_or("POST_SCALE_UP")
            .to_owned();
        pause(
            world,
            key,
            rollout.clone(),
            &stage,
            hook.get("timeoutConfiguration"),
        );
        return true;
    }
    if elapsed < due {
        return false;
    }
    place(
        world,
        key,
        service,
        rollout,
        service.number("desiredCount").unwrap_or(0),
    );
    if let Some((stage, share)) = traffic::stage(&configuration, elapsed - due) {
        rollouts::change_record(world, &rollout.record, |record| {
            set(record, "lifecycleStage", stage);
            if let (Some(share), Some(target)) = (share, record.get_mut("targetServiceRevision")) {
                set(target, "requestedProductionTrafficWeight", share);
            }
        });
        return false;
    }
    rollouts::complete(world, key, rollout);
    true
}

/// Whether the service's circuit breaker is on, and whether it goes back.
fn breaker(service: &Value) -> Option<bool> {
    let breaker = service
        .get("deploymentConfiguration")?
        .get("deploymentCircuitBreaker")?;
    breaker
        .flag("enable")?
        .then(|| breaker.flag("rollback").unwrap_or(false))
}

/// How many failed tasks trip the circuit breaker: half of the desired count within 3 and 200, or
/// what its threshold says.
pub(super) fn threshold(service: &Value) -> i64 {
    let desired = service.number("desiredCount").unwrap_or(1);
    let breaker = service
        .get("deploymentConfiguration")
        .and_then(|all| all.get("deploymentCircuitBreaker"));
    let configured = breaker.and_then(|breaker| breaker.get("thresholdConfiguration"));
    let value = configured
        .and_then(|configured| configured.number("value"))
        .unwrap_or(50);
    let share = (desired.saturating_mul(value) + 99) / 100;
    match configured.map(|configured| configured.str("type")) {
        Some("COUNT") => value.max(1),
        Some("UNBOUNDED_PERCENT") => share.max(1),
        _ => share.clamp(3, 200),
    }
}

/// One more task fails whenever its time has come; at the threshold the breaker acts, where it is on.
fn fail(
    world: &mut World<'_>,
    key: &str,
    service: &Value,
    mut rollout: Rollout,
    cause: Cause,
    breaker: Option<bool>,
) -> bool {
    let mut tripped = false;
    // However long nobody looked, no more than a few failures are caught up with.
    for _ in 0..threshold(service).min(20) {
        let count = u32::try_from(rollout.failed + 1).unwrap_or(u32::MAX);
        if world.now - rollout.started < FAILURE * f64::from(count) {
            break;
        }
        rollout.failed += 1;
        if let Some(deployment) = rollouts::deployment(world, key, &rollout.id) {
            running::fail(world, key, &deployment, cause);
        }
        tripped = rollout.failed >= threshold(service);
        if tripped && breaker.is_some() {
            break;
        }
    }
    count_failures(world, key, &rollout);
    rollout.save(world, key);
    match breaker.filter(|_| tripped) {
        Some(true) => rollouts::go_back(world, key, &rollout, Failure::BREAKER),
        Some(false) => rollouts::give_up(world, key, &rollout, "STOPPED", Failure::BREAKER),
        None => return false,
    }
    true
}

fn count_failures(world: &mut World<'_>, key: &str, rollout: &Rollout) {
    let failed = rollout.failed;
    rollouts::change_deployment(world, key, &rollout.id, |deployment| {
        set(deployment, "failedTasks", failed);
    });
    let standing = world.store.get(Table::ServiceDeployment, &rollout.record);
    let shown = standing.and_then(|record| {
        record
            .get("deploymentCircuitBreaker")?
            .number("failureCount")
    });
    if shown != Some(failed) {
        rollouts::change_record(world, &rollout.record, |record| {
            if let Some(breaker) = record.get_mut("deploymentCircuitBreaker") {
                set(breaker, "failureCount", failed);
            }
        });
    }
}

fn stuck(
    world: &mut World<'_>,
    key: &str,
    service: &Value,
    mut rollout: Rollout,
    elapsed: f64,
) -> bool {
    place(world, key, service, &rollout, 0);
    // `failed` counts here how often ECS said so: once a minute.
    let minutes = u32::try_from(rollout.failed).unwrap_or(u32::MAX);
    if elapsed >= f64::from(minutes) * 60.0 {
        rollout.failed += 1;
        rollout.save(world, key);
        let name = service.str("serviceName");
        let message = format!(
            "(service {name}) was unable to place a task because no container instance met all of its requirements."
        );
        rollouts::event(world, key, &message);
    }
    false
}

fn flap(
    world: &mut World<'_>,
    key: &str,
    service: &Value,
    mut rollout: Rollout,
    elapsed: f64,
) -> bool {
    // Fifteen seconds up, fifteen seconds down.
    let up = (elapsed / 15.0).floor() % 2.0 >= 1.0;
    let desired = service.number("desiredCount").unwrap_or(0);
    place(world, key, service, &rollout, if up { desired } else { 0 });
    let cycles = u32::try_from(rollout.failed + 1).unwrap_or(u32::MAX);
    if elapsed >= f64::from(cycles) * 30.0 {
        rollout.failed += 1;
        if let Some(deployment) = rollouts::deployment(world, key, &rollout.id) {
            running::fail(world, key, &deployment, Cause::Unhealthy);
        }
        rollout.save(world, key);
        count_failures(world, key, &rollout);
    }
    false
}

/// An alarm goes off: the rollout goes back where the service's `alarms` say so, else it stops.
fn alarm(world: &mut World<'_>, key: &str, service: &Value, rollout: &Rollout) {
    let configured = service
        .get("deploymentConfiguration")
        .and_then(|all| all.get("alarms"))
        .cloned()
        .unwrap_or_default();
    let names = configured.list("alarmNames").to_vec();
    let shown = json!({
        "status": "TRIGGERED", "alarmNames": names, "triggeredAlarmNames": names,
    });
    rollouts::change_record(world, &rollout.record, |record| {
        set(record, "alarms", shown);
    });
    let detected = |reason| Failure {
        reason,
        event: "alarm detected.",
    };
    if configured.flag("rollback").unwrap_or(false) {
        let why = detected("Service deployment rolled back because of a CloudWatch alarm.");
        rollouts::go_back(world, key, rollout, why);
    } else {
        let why = detected("Service deployment stopped because of a CloudWatch alarm.");
        rollouts::give_up(world, key, rollout, "STOPPED", why);
    }
}

/// Somebody else deploys what ran before, or the same once more.
fn another(world: &mut World<'_>, key: &str, service: &Value) {
    if let Some(good) = service.get("_good") {
        let definition = good.str("taskDefinition").to_owned();
        world.store.update(Table::Service, key, |service| {
            set(service, "taskDefinition", definition);
        });
    }
    rollouts::start(world, key, Behaviour::Quick);
}

fn autoscale(world: &mut World<'_>, key: &str, count: i64) {
    world.store.update(Table::Service, key, |service| {
        set(service, "desiredCount", count);
        let mut deployments = service.list("deployments").to_vec();
        if let Some(primary) = deployments.first_mut() {
            set(primary, "desiredCount", count);
        }
        set(service, "deployments", deployments);
    });
    let name = key.split('\n').nth(1).unwrap_or_default();
    rollouts::event(
        world,
        key,
        &format!("(service {name}) desired count was set to {count} by application autoscaling."),
    );
}

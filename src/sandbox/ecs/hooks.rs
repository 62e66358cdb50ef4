//! Lifecycle hooks: a rollout that waits for somebody, and what becomes of it; a Lambda function that
//! fails.

use serde_json::{Value, json};

use super::super::store::Table;
use super::super::world::{Members as _, World, set};
use super::rollouts::{self, Failure, Phase, Rollout};

/// A hook holds the rollout; by default it waits a day and then goes back (facts.md section 4).
pub(super) fn pause(
    world: &mut World<'_>,
    key: &str,
    mut rollout: Rollout,
    stage: &str,
    timeout: Option<&Value>,
) {
    rollout.phase = Phase::Paused;
    rollout.since = world.now;
    rollout.save(world, key);
    let minutes = timeout
        .and_then(|timeout| timeout.number("timeoutInMinutes"))
        .unwrap_or(1440);
    let expires =
        world.now + u32::try_from(minutes).map_or(86_400.0, |minutes| f64::from(minutes) * 60.0);
    let detail = json!({
        "hookId": world.hex(12),
        "targetType": "PAUSE",
        "status": "AWAITING_ACTION",
        "expiresAt": expires,
        "timeoutAction": timeout.and_then(|timeout| timeout.text("action")).unwrap_or("ROLLBACK"),
    });
    rollouts::change_record(world, &rollout.record, |record| {
        set(record, "lifecycleStage", stage);
        set(record, "lifecycleHookDetails", json!([detail]));
    });
}

/// Nobody came in time: the hook's timeout action is taken.
pub(super) fn time_out(world: &mut World<'_>, key: &str, rollout: &Rollout) -> bool {
    let record = world.store.get(Table::ServiceDeployment, &rollout.record);
    let detail = record
        .and_then(|record| record.list("lifecycleHookDetails").first())
        .cloned()
        .unwrap_or_default();
    let due = detail
        .get("expiresAt")
        .and_then(Value::as_f64)
        .is_some_and(|at| at <= world.now);
    if due {
        decide(
            world,
            key,
            rollout,
            detail.str("timeoutAction"),
            "TIMED_OUT",
        );
    }
    due
}

/// A paused rollout continues or goes back.
pub(super) fn decide(
    world: &mut World<'_>,
    key: &str,
    rollout: &Rollout,
    action: &str,
    status: &str,
) {
    rollouts::change_record(world, &rollout.record, |record| {
        let mut details = record.list("lifecycleHookDetails").to_vec();
        for detail in &mut details {
            set(detail, "status", status);
        }
        set(record, "lifecycleHookDetails", details);
    });
    if action == "CONTINUE" {
        let since = world.now;
        Rollout {
            phase: Phase::Continued,
            since,
            ..rollout.clone()
        }
        .save(world, key);
    } else {
        rollouts::go_back(
            world,
            key,
            rollout,
            Failure::said("The deployment was rolled back at a pause hook."),
        );
    }
}

/// The Lambda function of the service's first hook returns `FAILED`; that of a made-up one, where the
/// service has none.
pub(super) fn fail(world: &mut World<'_>, key: &str, service: &Value, rollout: &Rollout) {
    let configuration = service.get("deploymentConfiguration");
    let hooks = configuration.map_or(&[][..], |all| all.list("lifecycleHooks"));
    let hook = hooks.iter().find(|hook| {
        hook.text("targetType").unwrap_or("AWS_LAMBDA") == "AWS_LAMBDA"
            && !hook.texts("lifecycleStages").is_empty()
    });
    let stages = hook.map(|hook| hook.texts("lifecycleStages"));
    let stage = stages.and_then(|stages| stages.first().copied());
    let stage = stage.unwrap_or("POST_SCALE_UP");
    let target = hook.and_then(|hook| hook.text("hookTargetArn"));
    let target = target.map_or_else(
        || world.arn("lambda", "function:lifecycle-hook"),
        str::to_owned,
    );
    let detail = json!({
        "hookId": world.hex(12),
        "targetType": "AWS_LAMBDA",
        "targetArn": target,
        "status": "FAILED",
    });
    rollouts::change_record(world, &rollout.record, |record| {
        set(record, "lifecycleStage", stage);
        set(record, "lifecycleHookDetails", json!([detail]));
    });
    let words = format!(
        "Service deployment rolled back because {stage} lifecycle hook(s) failed. Lifecycle hook target {target} returned FAILED status."
    );
    let why = Failure {
        reason: &words,
        event: &words,
    };
    rollouts::go_back(world, key, rollout, why);
}

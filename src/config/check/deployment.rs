//! Checks of how a service's deployments proceed.

use super::super::model::{
    CircuitBreaker, Deployment, DeploymentController, DeploymentStrategy, EarlySuccess,
    HookTargetType, LifecycleHook, LifecycleStage, SchedulingStrategy, Service, ThresholdType,
};
use super::super::node::Node;
use super::super::reader::Reader;

/// The longest bake time in minutes: ECS's limit.
const BAKE_MINUTES: u64 = 1440;
/// The longest that a hook waits for an answer, in minutes: 14 days, ECS's limit.
const HOOK_MINUTES: u64 = 14 * 24 * 60;

/// Checks `deployment`.
pub(super) fn deployment(service: &Service, node: &Node, reader: &mut Reader<'_>) {
    let Some(deployment) = &service.deployment else {
        return;
    };
    let node = node.follow(&["deployment"]);
    let Deployment {
        strategy,
        minimum_healthy_percent: _,
        maximum_percent: _,
        circuit_breaker,
        alarms,
        bake_time,
        lifecycle_hooks,
        linear_configuration: _,
        canary_configuration: _,
        early_success_criteria,
    } = deployment;
    check_percentages(service, deployment, node, reader);
    check_strategy(service, deployment, node, reader);
    check_steps(deployment, node, reader);
    if let Some(breaker) = circuit_breaker {
        check_breaker(breaker, node, reader);
    }
    let named = alarms
        .as_ref()
        .is_none_or(|it| !it.alarm_names.is_empty() || !it.enable);
    let message = "`alarms` names no alarm.";
    let hint = "Name one, or leave `alarms` out.";
    reader.demand(named, node, &["alarms", "alarm_names"], message, hint);
    reader.minutes(node, &["bake_time"], *bake_time, BAKE_MINUTES);
    for (index, hook) in lifecycle_hooks.iter().enumerate() {
        let at = node.follow(&["lifecycle_hooks", &index.to_string()]);
        check_hook(hook, *strategy, at, reader);
    }
    if let Some(early) = early_success_criteria {
        check_early_success(early, deployment, node, reader);
    }
}

fn check_percentages(
    service: &Service,
    deployment: &Deployment,
    node: &Node,
    reader: &mut Reader<'_>,
) {
    let Deployment {
        minimum_healthy_percent,
        maximum_percent,
        ..
    } = deployment;
    let daemon = service.scheduling_strategy == SchedulingStrategy::Daemon;
    reader.range(
        node,
        &["minimum_healthy_percent"],
        *minimum_healthy_percent,
        0..=100,
    );
    let most = if daemon { 100 } else { 200 };
    reader.range(node, &["maximum_percent"], *maximum_percent, 100..=most);
    let least = minimum_healthy_percent.unwrap_or(if daemon { 0 } else { 100 });
    let stuck = least == 100 && *maximum_percent == Some(100) && !daemon;
    let message = "No task can be replaced: all have to stay, and none may be added.";
    let hint = "Write maximum_percent = 200, or a lower minimum_healthy_percent.";
    reader.demand(!stuck, node, &["maximum_percent"], message, hint);
}

fn check_strategy(
    service: &Service,
    deployment: &Deployment,
    node: &Node,
    reader: &mut Reader<'_>,
) {
    let Deployment {
        strategy,
        linear_configuration: linear,
        canary_configuration: canary,
        ..
    } = deployment;
    let word = strategy.as_str();
    for (key, used, only) in [
        (
            "linear_configuration",
            linear.is_some(),
            DeploymentStrategy::Linear,
        ),
        (
            "canary_configuration",
            canary.is_some(),
            DeploymentStrategy::Canary,
        ),
    ] {
        let only_word = only.as_str();
        let message = format!("`{key}` goes with the strategy {only_word}, and this is {word}.");
        let hint = format!("Write strategy = \"{only_word}\", or leave `{key}` out.");
        reader.demand(!used || *strategy == only, node, &[key], &message, &hint);
    }
    if *strategy == DeploymentStrategy::Rolling {
        return;
    }
    let native = service.deployment_controller == DeploymentController::Ecs;
    let message = format!("The strategy {word} needs the deployment controller ECS.");
    let hint = "Leave `deployment_controller` out.";
    reader.demand(native, node, &["strategy"], &message, hint);
    let daemon = service.scheduling_strategy == SchedulingStrategy::Daemon;
    let message = format!("A DAEMON service cannot be deployed with the strategy {word}.");
    reader.demand(
        !daemon,
        node,
        &["strategy"],
        &message,
        "Write strategy = \"ROLLING\".",
    );
}

/// Checks the steps of the strategies LINEAR and CANARY.
fn check_steps(deployment: &Deployment, node: &Node, reader: &mut Reader<'_>) {
    let Deployment {
        linear_configuration,
        canary_configuration,
        ..
    } = deployment;
    if let Some(linear) = linear_configuration {
        // ECS's limits of a step.
        reader.range(
            node,
            &["linear_configuration", "step_percent"],
            linear.step_percent,
            3.0..=100.0,
        );
        reader.minutes(
            node,
            &["linear_configuration", "step_bake_time"],
            linear.step_bake_time,
            BAKE_MINUTES,
        );
    }
    if let Some(canary) = canary_configuration {
        reader.range(
            node,
            &["canary_configuration", "canary_percent"],
            canary.canary_percent,
            0.1..=100.0,
        );
        reader.minutes(
            node,
            &["canary_configuration", "canary_bake_time"],
            canary.canary_bake_time,
            BAKE_MINUTES,
        );
    }
}

fn check_breaker(breaker: &CircuitBreaker, node: &Node, reader: &mut Reader<'_>) {
    let CircuitBreaker {
        enable: _,
        rollback: _,
        reset_on_healthy_task: _,
        threshold_configuration: threshold,
    } = breaker;
    let Some(threshold) = threshold else { return };
    let most = match threshold.r#type {
        ThresholdType::BoundedPercent | ThresholdType::UnboundedPercent => 100,
        ThresholdType::Count => i32::MAX,
    };
    reader.range(
        node,
        &["circuit_breaker", "threshold_configuration", "value"],
        threshold.value,
        1..=most,
    );
}

fn check_hook(
    hook: &LifecycleHook,
    strategy: DeploymentStrategy,
    node: &Node,
    reader: &mut Reader<'_>,
) {
    let LifecycleHook {
        target_type,
        hook_target_arn,
        role,
        lifecycle_stages,
        hook_details,
        timeout_configuration,
    } = hook;
    let stages = ["lifecycle_stages"];
    let message = "This hook has no stage.";
    let hint = "Add lifecycle_stages = [\"POST_TEST_TRAFFIC_SHIFT\"].";
    reader.demand(!lifecycle_stages.is_empty(), node, &stages, message, hint);
    let pause = *target_type == HookTargetType::Pause;
    for (index, stage) in lifecycle_stages.iter().enumerate() {
        let moving = matches!(
            stage,
            LifecycleStage::TestTrafficShift | LifecycleStage::ProductionTrafficShift
        );
        let message = format!("A PAUSE hook cannot stand at {}.", stage.as_str());
        let hint = format!(
            "Use PRE_PRODUCTION_TRAFFIC_SHIFT or POST_{}.",
            stage.as_str()
        );
        let path = ["lifecycle_stages", &index.to_string()];
        reader.demand(!(pause && moving), node, &path, &message, &hint);
        let traffic = stage.as_str().contains("TRAFFIC_SHIFT");
        let rolling = strategy == DeploymentStrategy::Rolling && traffic && !pause;
        let message = format!(
            "A ROLLING deployment shifts no traffic: it never reaches {}.",
            stage.as_str()
        );
        let hint = "Use POST_SCALE_UP, or another strategy.";
        reader.demand(!rolling, node, &path, &message, hint);
    }
    if pause {
        for (key, used) in [
            ("hook_target_arn", hook_target_arn.is_some()),
            ("role", role.is_some()),
            ("hook_details", hook_details.is_some()),
        ] {
            let message = format!("A PAUSE hook takes no `{key}`.");
            reader.demand(!used, node, &[key], &message, "Leave it out.");
        }
    } else {
        let complete = hook_target_arn.is_some() && role.is_some();
        let message = "An AWS_LAMBDA hook needs `hook_target_arn` and `role`.";
        let hint = "Add both, or write target_type = \"PAUSE\".";
        reader.demand(complete, node, &[], message, hint);
    }
    let timeout = timeout_configuration.as_ref().and_then(|it| it.timeout);
    reader.minutes(
        node,
        &["timeout_configuration", "timeout"],
        timeout,
        HOOK_MINUTES,
    );
}

fn check_early_success(
    early: &EarlySuccess,
    deployment: &Deployment,
    node: &Node,
    reader: &mut Reader<'_>,
) {
    let EarlySuccess {
        enable,
        healthy_percent,
        source_service_revision_cleanup,
    } = early;
    let rolling = deployment.strategy == DeploymentStrategy::Rolling;
    let message = "`early_success_criteria` goes with the strategy ROLLING only.";
    reader.demand(
        rolling,
        node,
        &["early_success_criteria"],
        message,
        "Leave it out.",
    );
    let complete = healthy_percent.is_some() && source_service_revision_cleanup.is_some();
    let message =
        "`early_success_criteria` needs `healthy_percent` and `source_service_revision_cleanup`.";
    reader.demand(
        !enable || complete,
        node,
        &["early_success_criteria"],
        message,
        "Add both.",
    );
    let least = deployment
        .minimum_healthy_percent
        .unwrap_or(100)
        .clamp(0, 100);
    reader.range(
        node,
        &["early_success_criteria", "healthy_percent"],
        *healthy_percent,
        least..=100,
    );
}

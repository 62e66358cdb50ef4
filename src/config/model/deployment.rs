//! How a service's deployments proceed.

use super::{RoleReference, Seconds};
use crate::config::table::{choice, table};

table! {
    /// How deployments of a service proceed. Percentages are of the desired count.
    pub struct Deployment {
        /// How tasks and traffic move to the new revision.
        strategy: DeploymentStrategy = DeploymentStrategy::Rolling,
        /// The least share of tasks that stay healthy; none: 100, for a DAEMON service 0.
        minimum_healthy_percent: Option<i32>,
        /// The largest share of tasks that run; none: 200, for a DAEMON service 100.
        maximum_percent: Option<i32>,
        /// Stops a deployment whose tasks fail.
        circuit_breaker: Option<CircuitBreaker>,
        /// Stops a deployment during which an alarm goes off.
        alarms: Option<DeploymentAlarms>,
        /// How long both revisions run after the traffic has shifted; whole minutes.
        bake_time: Option<Seconds>,
        /// Lambda functions and pauses at stages of a deployment.
        lifecycle_hooks: Vec<LifecycleHook> = Vec::new(),
        /// The steps of the LINEAR strategy.
        linear_configuration: Option<LinearConfiguration>,
        /// The steps of the CANARY strategy.
        canary_configuration: Option<CanaryConfiguration>,
        /// When a ROLLING deployment counts as done before the last task is there.
        early_success_criteria: Option<EarlySuccess>,
    }
}

choice! {
    /// How tasks and traffic move to a new revision.
    pub enum DeploymentStrategy {
        /// Tasks are replaced step by step.
        Rolling = "ROLLING",
        /// A second set of tasks takes all traffic at once.
        BlueGreen = "BLUE_GREEN",
        /// A second set of tasks takes the traffic in equal steps.
        Linear = "LINEAR",
        /// A second set of tasks takes a small share first, then the rest.
        Canary = "CANARY",
    }
}

table! {
    /// Stops a deployment whose tasks fail.
    pub struct CircuitBreaker {
        /// Whether it is on.
        enable: bool,
        /// Whether a stopped deployment is rolled back.
        rollback: bool = false,
        /// Whether a healthy task sets the count of failures to zero.
        reset_on_healthy_task: bool = true,
        /// How many failures stop the deployment; none: 50 percent, bounded.
        threshold_configuration: Option<Threshold>,
    }
}

table! {
    /// How many failed tasks stop a deployment.
    pub struct Threshold {
        /// How the value counts.
        r#type: ThresholdType,
        /// A percentage of the desired count, or a number of tasks.
        value: i32,
    }
}

choice! {
    /// How a threshold counts.
    pub enum ThresholdType {
        /// A percentage of the desired count, at least 3 and at most 200 tasks.
        BoundedPercent = "BOUNDED_PERCENT",
        /// A percentage of the desired count.
        UnboundedPercent = "UNBOUNDED_PERCENT",
        /// A number of tasks.
        Count = "COUNT",
    }
}

table! {
    /// The alarms during which a deployment stops.
    pub struct DeploymentAlarms {
        /// The names of CloudWatch alarms.
        alarm_names: Vec<String>,
        /// Whether they are heeded.
        enable: bool = true,
        /// Whether a stopped deployment is rolled back.
        rollback: bool = false,
    }
}

table! {
    /// A Lambda function or a pause at stages of a deployment.
    pub struct LifecycleHook {
        /// What happens.
        target_type: HookTargetType = HookTargetType::AwsLambda,
        /// The function's ARN; only with `AWS_LAMBDA`.
        hook_target_arn: Option<String>,
        /// The role that calls the function: a declared role, or an ARN; only with `AWS_LAMBDA`.
        role: Option<RoleReference>,
        /// When it happens.
        lifecycle_stages: Vec<LifecycleStage>,
        /// What is passed to the function, a table; only with `AWS_LAMBDA`.
        hook_details: Option<serde_json::Value>,
        /// What happens when nobody answers.
        timeout_configuration: Option<HookTimeout>,
    }
}

choice! {
    /// What a lifecycle hook does.
    pub enum HookTargetType {
        /// Calls a Lambda function.
        AwsLambda = "AWS_LAMBDA",
        /// Waits for `provision continue`.
        Pause = "PAUSE",
    }
}

choice! {
    /// A stage of a deployment.
    pub enum LifecycleStage {
        /// A deployment begins while more than one revision is active.
        ReconcileService = "RECONCILE_SERVICE",
        /// Before the new tasks start.
        PreScaleUp = "PRE_SCALE_UP",
        /// The new tasks run.
        PostScaleUp = "POST_SCALE_UP",
        /// Test traffic shifts; not for a pause.
        TestTrafficShift = "TEST_TRAFFIC_SHIFT",
        /// Test traffic has shifted.
        PostTestTrafficShift = "POST_TEST_TRAFFIC_SHIFT",
        /// Before production traffic shifts.
        PreProductionTrafficShift = "PRE_PRODUCTION_TRAFFIC_SHIFT",
        /// Production traffic shifts; not for a pause.
        ProductionTrafficShift = "PRODUCTION_TRAFFIC_SHIFT",
        /// Production traffic has shifted.
        PostProductionTrafficShift = "POST_PRODUCTION_TRAFFIC_SHIFT",
    }
}

table! {
    /// What happens when a lifecycle hook gets no answer.
    pub struct HookTimeout {
        /// How long to wait; whole minutes, at most 14 days.
        timeout: Option<Seconds>,
        /// What happens then.
        action: Option<HookAction>,
    }
}

choice! {
    /// What happens when a lifecycle hook gets no answer.
    pub enum HookAction {
        /// The deployment goes on.
        Continue = "CONTINUE",
        /// The deployment is rolled back.
        Rollback = "ROLLBACK",
    }
}

table! {
    /// The steps of the LINEAR strategy.
    pub struct LinearConfiguration {
        /// The share of traffic that each step moves.
        step_percent: Option<f64>,
        /// The time between steps; whole minutes.
        step_bake_time: Option<Seconds>,
    }
}

table! {
    /// The steps of the CANARY strategy.
    pub struct CanaryConfiguration {
        /// The share of traffic that moves first.
        canary_percent: Option<f64>,
        /// The time until the rest moves; whole minutes.
        canary_bake_time: Option<Seconds>,
    }
}

table! {
    /// When a ROLLING deployment counts as done early.
    pub struct EarlySuccess {
        /// Whether it is used.
        enable: bool,
        /// The share of the desired count that has to be healthy.
        healthy_percent: Option<i32>,
        /// Whether the old tasks have to be gone.
        source_service_revision_cleanup: Option<RevisionCleanup>,
    }
}

choice! {
    /// When the tasks of the old revision are removed.
    pub enum RevisionCleanup {
        /// Before the deployment is done.
        Blocking = "BLOCKING",
        /// After it is done.
        Deferred = "DEFERRED",
    }
}

//! The service: everything that an ECS service is created with.

use super::{
    Deployment, LoadBalancer, Network, RoleReference, Seconds, ServiceConnect, ServiceRegistry,
    ServiceVolume, Tags, Task, VpcLattice,
};
use crate::config::table::{choice, table};

table! {
    /// An ECS service and its task definition.
    pub struct Service {
        /// The name in AWS; by default the table's key. Unique in its cluster.
        name: String = String::new(),
        /// The cluster: a declared cluster, or an ARN.
        cluster: ClusterReference,
        /// The number of tasks; 1 unless given. Not for a DAEMON service.
        desired_count: Option<i32>,
        /// Leaves the number of tasks to autoscaling once the service exists.
        ignore_desired_count: bool = false,
        /// What the tasks run on; not with `capacity_provider_strategy`.
        launch_type: Option<LaunchType>,
        /// The capacity providers that share the tasks; not with `launch_type`.
        capacity_provider_strategy: Vec<CapacityProviderStrategyItem> = Vec::new(),
        /// The Fargate platform; none: `LATEST`.
        platform_version: Option<String>,
        /// How tasks are spread: a number of them, or one on each instance.
        scheduling_strategy: SchedulingStrategy = SchedulingStrategy::Replica,
        /// Who carries out deployments.
        deployment_controller: DeploymentController = DeploymentController::Ecs,
        /// How deployments proceed.
        deployment: Option<Deployment>,
        /// Where the tasks stand; needed with the network mode `awsvpc`.
        network: Option<Network>,
        /// Whether tasks are moved so that the zones stay even.
        availability_zone_rebalancing: AvailabilityZoneRebalancing = AvailabilityZoneRebalancing::Enabled,
        /// The target groups.
        load_balancers: Vec<LoadBalancer> = Vec::new(),
        /// How long failing load balancer checks are ignored after a task has started.
        health_check_grace_period: Option<Seconds>,
        /// The Cloud Map registries.
        service_registries: Vec<ServiceRegistry> = Vec::new(),
        /// Service Connect.
        service_connect: Option<ServiceConnect>,
        /// The target groups of VPC Lattice.
        vpc_lattice_configurations: Vec<VpcLattice> = Vec::new(),
        /// The volumes that are made for each task.
        volume_configurations: Vec<ServiceVolume> = Vec::new(),
        /// Which instances may take tasks.
        placement_constraints: Vec<PlacementConstraint> = Vec::new(),
        /// Which instances are preferred, in order.
        placement_strategy: Vec<PlacementStrategy> = Vec::new(),
        /// The role with which ECS registers tasks at a Classic Load Balancer: a declared role, or an ARN.
        role: Option<RoleReference>,
        /// Whether `provision exec` works.
        enable_execute_command: bool = false,
        /// Whether ECS tags the tasks with the names of cluster and service.
        enable_ecs_managed_tags: bool = false,
        /// From where the tasks take their tags.
        propagate_tags: PropagateTags = PropagateTags::None,
        /// The resolution of the service's metrics.
        monitoring: Option<Monitoring>,
        /// Tags, over those of the project.
        tags: Tags = Tags::new(),
        /// The task definition.
        task: Task,
    }
}

/// A cluster that a service runs in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct ClusterReference {
    /// The cluster's name.
    pub name: String,
    /// Its full ARN.
    pub arn: String,
    /// Whether it is a `[cluster.*]` of this file.
    pub declared: bool,
}

choice! {
    /// What tasks run on.
    pub enum LaunchType {
        /// AWS Fargate.
        Fargate = "FARGATE",
        /// Instances of EC2.
        Ec2 = "EC2",
        /// Registered machines outside AWS.
        External = "EXTERNAL",
        /// ECS Managed Instances.
        ManagedInstances = "MANAGED_INSTANCES",
    }
}

choice! {
    /// How tasks are spread.
    pub enum SchedulingStrategy {
        /// A number of tasks.
        Replica = "REPLICA",
        /// One task on each instance.
        Daemon = "DAEMON",
    }
}

choice! {
    /// Who carries out deployments.
    pub enum DeploymentController {
        /// ECS itself.
        Ecs = "ECS",
        /// CodeDeploy.
        CodeDeploy = "CODE_DEPLOY",
        /// Somebody else.
        External = "EXTERNAL",
    }
}

choice! {
    /// Whether ECS keeps the availability zones even.
    pub enum AvailabilityZoneRebalancing {
        /// It does.
        Enabled = "ENABLED",
        /// It does not.
        Disabled = "DISABLED",
    }
}

choice! {
    /// From where tasks take their tags.
    pub enum PropagateTags {
        /// From nowhere.
        None = "NONE",
        /// From the service.
        Service = "SERVICE",
        /// From the task definition.
        TaskDefinition = "TASK_DEFINITION",
    }
}

table! {
    /// One capacity provider's share of the tasks.
    pub struct CapacityProviderStrategyItem {
        /// `FARGATE`, `FARGATE_SPOT`, or a provider's name.
        capacity_provider: String,
        /// Its share of the tasks beyond `base`, 0 to 1000.
        weight: i32 = 0,
        /// The number of tasks that it takes first, 0 to 100,000.
        base: i32 = 0,
    }
}

table! {
    /// Which instances may take tasks.
    pub struct PlacementConstraint {
        /// The kind of constraint.
        r#type: PlacementConstraintType,
        /// An expression of the cluster query language; only with `memberOf`.
        expression: Option<String>,
    }
}

choice! {
    /// The kind of a placement constraint.
    pub enum PlacementConstraintType {
        /// Each task on another instance.
        DistinctInstance = "distinctInstance",
        /// Instances for which an expression holds.
        MemberOf = "memberOf",
    }
}

table! {
    /// Which instances are preferred.
    pub struct PlacementStrategy {
        /// The kind of preference.
        r#type: PlacementStrategyType,
        /// What it looks at, such as `attribute:ecs.availability-zone` or `memory`.
        field: Option<String>,
    }
}

choice! {
    /// The kind of a placement strategy.
    pub enum PlacementStrategyType {
        /// Any instance.
        Random = "random",
        /// Evenly by a field.
        Spread = "spread",
        /// On as few instances as possible.
        Binpack = "binpack",
    }
}

table! {
    /// The resolution of a service's metrics.
    pub struct Monitoring {
        /// Metrics that are collected more often.
        metric_configurations: Vec<MetricConfiguration>,
    }
}

table! {
    /// How often some metrics are collected.
    pub struct MetricConfiguration {
        /// `CPUUtilization`, `MemoryUtilization`.
        metric_names: Vec<String>,
        /// The time between two values: 20 or 60 seconds.
        resolution: Seconds,
    }
}

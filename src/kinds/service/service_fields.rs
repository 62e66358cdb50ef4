//! The fields of a service, in infra.toml's words and the API's, with AWS's defaults (facts.md
//! section 4). Not here: name, cluster, count, tags and task definition, which the spec has itself.

use super::shape::Literal::{Bool, Number, Text};
use super::shape::Shape::{List, Minutes, Pairs, Plain, Role, Secret, Set, Switch, Table};
use super::shape::{Field, field};

/// Fields of a service. A removal is what `UpdateService` takes for "no longer" (an empty list, or
/// the default: null leaves a field as it is).
pub(super) const SERVICE: &[Field] = &[
    field("launch_type", "launchType"),
    field("capacity_provider_strategy", "capacityProviderStrategy")
        .shape(Set(&Table(PROVIDER)))
        .removal("[]"),
    field("platform_version", "platformVersion").removal("\"LATEST\""),
    field("scheduling_strategy", "schedulingStrategy").hidden(Text("REPLICA")),
    field("deployment_controller", "deploymentController.type")
        .hidden(Text("ECS"))
        .removal("\"ECS\""),
    field("deployment", "deploymentConfiguration").shape(Table(DEPLOYMENT)),
    field("network", "networkConfiguration.awsvpcConfiguration").shape(Table(NETWORK)),
    field(
        "availability_zone_rebalancing",
        "availabilityZoneRebalancing",
    )
    .shown(Text("ENABLED")),
    field("load_balancers", "loadBalancers")
        .shape(Set(&Table(LOAD_BALANCER)))
        .removal("[]"),
    field("health_check_grace_period", "healthCheckGracePeriodSeconds")
        .hidden(Number(0))
        .removal("0"),
    field("service_registries", "serviceRegistries")
        .shape(Set(&Table(REGISTRY)))
        .removal("[]"),
    field("service_connect", "serviceConnectConfiguration")
        .shape(Table(SERVICE_CONNECT))
        .removal("{\"enabled\":false}"),
    field("vpc_lattice_configurations", "vpcLatticeConfigurations")
        .shape(Set(&Table(VPC_LATTICE)))
        .removal("[]"),
    field("volume_configurations", "volumeConfigurations")
        .shape(Set(&Table(VOLUME)))
        .removal("[]"),
    field("placement_constraints", "placementConstraints")
        .shape(Set(&Table(PLACEMENT_CONSTRAINT)))
        .removal("[]"),
    field("placement_strategy", "placementStrategy")
        .shape(List(&Table(PLACEMENT_STRATEGY)))
        .removal("[]"),
    field("role", "role").shape(Role),
    field("enable_execute_command", "enableExecuteCommand")
        .hidden(Bool(false))
        .removal("false"),
    field("enable_ecs_managed_tags", "enableECSManagedTags")
        .hidden(Bool(false))
        .removal("false"),
    field("propagate_tags", "propagateTags")
        .hidden(Text("NONE"))
        .removal("\"NONE\""),
    field("monitoring", "monitoring")
        .shape(Table(MONITORING))
        .removal("{\"metricConfigurations\":[]}"),
];

/// Fields that only `CreateService` takes: another value means another service.
pub(super) const IMMUTABLE: &[&str] = &["launch_type", "scheduling_strategy", "role"];

/// Fields whose change starts a deployment, as a change of the task definition does.
pub(super) const DEPLOYING: &[&str] = &[
    "network",
    "platform_version",
    "load_balancers",
    "service_registries",
    "service_connect",
    "volume_configurations",
    "vpc_lattice_configurations",
];

/// Fields that `UpdateService` takes whoever carries out the deployments; under `CODE_DEPLOY` and
/// EXTERNAL no others.
pub(super) const WITHOUT_CONTROLLER: &[&str] = &[
    "deployment",
    "health_check_grace_period",
    "enable_ecs_managed_tags",
    "enable_execute_command",
    "propagate_tags",
    "placement_constraints",
    "placement_strategy",
    "availability_zone_rebalancing",
];

const PROVIDER: &[Field] = &[
    field("capacity_provider", "capacityProvider"),
    field("weight", "weight").hidden(Number(0)),
    field("base", "base").hidden(Number(0)),
];

const DEPLOYMENT: &[Field] = &[
    field("strategy", "strategy")
        .hidden(Text("ROLLING"))
        .removal("\"ROLLING\""),
    field("minimum_healthy_percent", "minimumHealthyPercent"),
    field("maximum_percent", "maximumPercent"),
    field("circuit_breaker", "deploymentCircuitBreaker")
        .shape(Table(CIRCUIT_BREAKER))
        .removal("{\"enable\":false,\"rollback\":false}"),
    field("alarms", "alarms")
        .shape(Table(ALARMS))
        .removal("{\"alarmNames\":[],\"enable\":false,\"rollback\":false}"),
    field("bake_time", "bakeTimeInMinutes")
        .shape(Minutes)
        .hidden(Number(0))
        .removal("0"),
    field("lifecycle_hooks", "lifecycleHooks")
        .shape(Set(&Table(HOOK)))
        .removal("[]"),
    field("linear_configuration", "linearConfiguration").shape(Table(LINEAR)),
    field("canary_configuration", "canaryConfiguration").shape(Table(CANARY)),
    field("early_success_criteria", "earlySuccessCriteria")
        .shape(Table(EARLY_SUCCESS))
        .removal("{\"enable\":false}"),
];

const CIRCUIT_BREAKER: &[Field] = &[
    // The API requires both.
    field("enable", "enable").shown(Bool(false)),
    field("rollback", "rollback").shown(Bool(false)),
    field("reset_on_healthy_task", "resetOnHealthyTask").hidden(Bool(true)),
    field("threshold_configuration", "thresholdConfiguration").shape(Table(THRESHOLD)),
];

const THRESHOLD: &[Field] = &[field("type", "type"), field("value", "value")];

const ALARMS: &[Field] = &[
    field("alarm_names", "alarmNames").shape(Set(&Plain)),
    field("enable", "enable").shown(Bool(false)),
    field("rollback", "rollback").shown(Bool(false)),
];

const HOOK: &[Field] = &[
    field("target_type", "targetType").hidden(Text("AWS_LAMBDA")),
    field("hook_target_arn", "hookTargetArn"),
    field("role", "roleArn").shape(Role),
    field("lifecycle_stages", "lifecycleStages").shape(Set(&Plain)),
    field("hook_details", "hookDetails"),
    field("timeout_configuration", "timeoutConfiguration").shape(Table(HOOK_TIMEOUT)),
];

const HOOK_TIMEOUT: &[Field] = &[
    field("timeout", "timeoutInMinutes").shape(Minutes),
    field("action", "action"),
];

const LINEAR: &[Field] = &[
    field("step_percent", "stepPercent"),
    field("step_bake_time", "stepBakeTimeInMinutes").shape(Minutes),
];

const CANARY: &[Field] = &[
    field("canary_percent", "canaryPercent"),
    field("canary_bake_time", "canaryBakeTimeInMinutes").shape(Minutes),
];

const EARLY_SUCCESS: &[Field] = &[
    field("enable", "enable"),
    field("healthy_percent", "healthyPercent"),
    field(
        "source_service_revision_cleanup",
        "sourceServiceRevisionCleanup",
    ),
];

const NETWORK: &[Field] = &[
    field("subnets", "subnets").shape(Set(&Plain)),
    field("security_groups", "securityGroups").shape(Set(&Plain)),
    field("assign_public_ip", "assignPublicIp")
        .shape(Switch)
        .shown(Bool(false)),
];

const LOAD_BALANCER: &[Field] = &[
    field("target_group_arn", "targetGroupArn"),
    field("load_balancer_name", "loadBalancerName"),
    field("container_name", "containerName"),
    field("container_port", "containerPort"),
    field("advanced_configuration", "advancedConfiguration").shape(Table(ADVANCED)),
];

const ADVANCED: &[Field] = &[
    field("alternate_target_group_arn", "alternateTargetGroupArn"),
    field("production_listener_rule", "productionListenerRule"),
    field("test_listener_rule", "testListenerRule"),
    field("role", "roleArn").shape(Role),
];

const REGISTRY: &[Field] = &[
    field("registry_arn", "registryArn"),
    field("port", "port"),
    field("container_name", "containerName"),
    field("container_port", "containerPort"),
];

const SERVICE_CONNECT: &[Field] = &[
    field("enabled", "enabled"),
    field("namespace", "namespace"),
    field("services", "services").shape(List(&Table(SERVICE_CONNECT_SERVICE))),
    field("log_configuration", "logConfiguration").shape(Table(LOG_CONFIGURATION)),
    field("access_log_configuration", "accessLogConfiguration").shape(Table(ACCESS_LOG)),
];

/// Where and how a container logs.
pub(super) const LOG_CONFIGURATION: &[Field] = &[
    field("log_driver", "logDriver"),
    field("options", "options"),
    field("secret_options", "secretOptions").shape(Pairs("name", "valueFrom", &Secret)),
];

const ACCESS_LOG: &[Field] = &[
    field("format", "format"),
    field("include_query_parameters", "includeQueryParameters")
        .shape(Switch)
        .hidden(Bool(false)),
];

const SERVICE_CONNECT_SERVICE: &[Field] = &[
    field("port_name", "portName"),
    field("discovery_name", "discoveryName"),
    field("client_aliases", "clientAliases").shape(List(&Table(CLIENT_ALIAS))),
    field("ingress_port_override", "ingressPortOverride"),
    field("timeout", "timeout").shape(Table(TIMEOUT)),
    field("tls", "tls").shape(Table(TLS)),
];

const CLIENT_ALIAS: &[Field] = &[
    field("port", "port"),
    field("dns_name", "dnsName"),
    field("test_traffic_rules", "testTrafficRules"),
];

const TIMEOUT: &[Field] = &[
    field("idle_timeout", "idleTimeoutSeconds"),
    field("per_request_timeout", "perRequestTimeoutSeconds"),
];

const TLS: &[Field] = &[
    field("issuer_certificate_authority", "issuerCertificateAuthority").shape(Table(AUTHORITY)),
    field("kms_key", "kmsKey"),
    field("role", "roleArn").shape(Role),
];

const AUTHORITY: &[Field] = &[field("aws_pca_authority_arn", "awsPcaAuthorityArn")];

const VPC_LATTICE: &[Field] = &[
    field("role", "roleArn").shape(Role),
    field("target_group_arn", "targetGroupArn"),
    field("port_name", "portName"),
    field("advanced_configuration", "advancedConfiguration").shape(Table(ADVANCED)),
];

const VOLUME: &[Field] = &[
    field("name", "name"),
    field("managed_ebs_volume", "managedEBSVolume").shape(Table(EBS_VOLUME)),
];

const EBS_VOLUME: &[Field] = &[
    field("role", "roleArn").shape(Role),
    field("encrypted", "encrypted"),
    field("kms_key_id", "kmsKeyId"),
    field("volume_type", "volumeType"),
    field("size_in_gib", "sizeInGiB"),
    field("snapshot_id", "snapshotId"),
    field("volume_initialization_rate", "volumeInitializationRate"),
    field("iops", "iops"),
    field("throughput", "throughput"),
    field("tag_specifications", "tagSpecifications").shape(List(&Table(TAG_SPECIFICATION))),
    field("filesystem_type", "filesystemType"),
];

const TAG_SPECIFICATION: &[Field] = &[
    field("resource_type", "resourceType"),
    field("tags", "tags").shape(Pairs("key", "value", &Plain)),
    field("propagate_tags", "propagateTags").hidden(Text("NONE")),
];

const PLACEMENT_CONSTRAINT: &[Field] = &[field("type", "type"), field("expression", "expression")];

const PLACEMENT_STRATEGY: &[Field] = &[field("type", "type"), field("field", "field")];

const MONITORING: &[Field] =
    &[field("metric_configurations", "metricConfigurations").shape(Set(&Table(METRIC)))];

const METRIC: &[Field] = &[
    field("metric_names", "metricNames").shape(Set(&Plain)),
    field("resolution", "resolutionSeconds"),
];

//! The fields of a task definition and its containers, in infra.toml's words and the API's, with
//! AWS's defaults (facts.md section 4). Not here: what the spec has itself, such as images.

use super::service_fields::LOG_CONFIGURATION;
use super::shape::Literal::{Bool, Number, Text};
use super::shape::Shape::{Digits, List, Pairs, Plain, Set, Table};
use super::shape::{Field, field};

/// Fields of a task definition.
pub(super) const TASK: &[Field] = &[
    field("cpu", "cpu").shape(Digits),
    field("memory", "memory").shape(Digits),
    field("architecture", "runtimePlatform.cpuArchitecture").shown(Text("X86_64")),
    field(
        "operating_system_family",
        "runtimePlatform.operatingSystemFamily",
    )
    .shown(Text("LINUX")),
    field("network_mode", "networkMode"),
    field("requires_compatibilities", "requiresCompatibilities").shape(Set(&Plain)),
    field("pid_mode", "pidMode"),
    field("ipc_mode", "ipcMode"),
    field("ephemeral_storage", "ephemeralStorage").shape(Table(EPHEMERAL_STORAGE)),
    field("volumes", "volumes").shape(Set(&Table(VOLUME))),
    field("placement_constraints", "placementConstraints").shape(Set(&Table(CONSTRAINT))),
    field("proxy_configuration", "proxyConfiguration").shape(Table(PROXY)),
    field("enable_fault_injection", "enableFaultInjection").hidden(Bool(false)),
];

/// What only an answer has (facts.md section 4).
pub(super) const READ_ONLY: &[&str] = &[
    "taskDefinitionArn",
    "revision",
    "status",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
    "compatibilities",
    "requiresAttributes",
    "tags",
];

/// Fields of a container.
pub(super) const CONTAINER: &[Field] = &[
    field("repository_credentials", "repositoryCredentials").shape(Table(CREDENTIALS)),
    field("cpu", "cpu").hidden(Number(0)),
    field("memory", "memory"),
    field("memory_reservation", "memoryReservation"),
    field("links", "links").shape(Set(&Plain)),
    field("port_mappings", "portMappings").shape(Set(&Table(PORT))),
    field("essential", "essential").shown(Bool(true)),
    field("restart_policy", "restartPolicy").shape(Table(RESTART)),
    field("entry_point", "entryPoint"),
    field("command", "command"),
    field("environment_files", "environmentFiles").shape(List(&Table(ENVIRONMENT_FILE))),
    field("mount_points", "mountPoints").shape(Set(&Table(MOUNT))),
    field("volumes_from", "volumesFrom").shape(Set(&Table(VOLUMES_FROM))),
    field("linux_parameters", "linuxParameters").shape(Table(LINUX)),
    field("depends_on", "dependsOn").shape(Set(&Table(DEPENDENCY))),
    field("start_timeout", "startTimeout"),
    field("stop_timeout", "stopTimeout"),
    field("version_consistency", "versionConsistency").hidden(Text("enabled")),
    field("hostname", "hostname"),
    field("user", "user"),
    field("working_directory", "workingDirectory"),
    field("disable_networking", "disableNetworking").hidden(Bool(false)),
    field("privileged", "privileged").hidden(Bool(false)),
    field("readonly_root_filesystem", "readonlyRootFilesystem").hidden(Bool(false)),
    field("dns_servers", "dnsServers"),
    field("dns_search_domains", "dnsSearchDomains"),
    field("extra_hosts", "extraHosts").shape(Set(&Table(HOST))),
    field("docker_security_options", "dockerSecurityOptions").shape(Set(&Plain)),
    field("interactive", "interactive").hidden(Bool(false)),
    field("pseudo_terminal", "pseudoTerminal").hidden(Bool(false)),
    field("docker_labels", "dockerLabels"),
    field("ulimits", "ulimits").shape(Set(&Table(ULIMIT))),
    field("log_configuration", "logConfiguration").shape(Table(LOG_CONFIGURATION)),
    field("health_check", "healthCheck").shape(Table(HEALTH_CHECK)),
    field("system_controls", "systemControls").shape(Set(&Table(SYSTEM_CONTROL))),
    field("resource_requirements", "resourceRequirements").shape(Set(&Table(REQUIREMENT))),
    field("firelens_configuration", "firelensConfiguration").shape(Table(FIRELENS)),
    field("credential_specs", "credentialSpecs"),
];

const EPHEMERAL_STORAGE: &[Field] = &[field("size_in_gib", "sizeInGiB")];

const VOLUME: &[Field] = &[
    field("name", "name"),
    field("host", "host").shape(Table(HOST_VOLUME)),
    field("docker_volume_configuration", "dockerVolumeConfiguration").shape(Table(DOCKER_VOLUME)),
    field("efs_volume_configuration", "efsVolumeConfiguration").shape(Table(EFS_VOLUME)),
    field("s3files_volume_configuration", "s3filesVolumeConfiguration")
        .shape(Table(S3_FILES_VOLUME)),
    field(
        "fsx_windows_file_server_volume_configuration",
        "fsxWindowsFileServerVolumeConfiguration",
    )
    .shape(Table(FSX_VOLUME)),
    field("configured_at_launch", "configuredAtLaunch").hidden(Bool(false)),
];

const HOST_VOLUME: &[Field] = &[field("source_path", "sourcePath")];

const DOCKER_VOLUME: &[Field] = &[
    field("scope", "scope"),
    field("autoprovision", "autoprovision").hidden(Bool(false)),
    field("driver", "driver"),
    field("driver_opts", "driverOpts"),
    field("labels", "labels"),
];

const EFS_VOLUME: &[Field] = &[
    field("file_system_id", "fileSystemId"),
    field("root_directory", "rootDirectory").hidden(Text("/")),
    field("transit_encryption", "transitEncryption").hidden(Text("DISABLED")),
    field("transit_encryption_port", "transitEncryptionPort"),
    field("authorization_config", "authorizationConfig").shape(Table(EFS_AUTHORIZATION)),
];

const EFS_AUTHORIZATION: &[Field] = &[
    field("access_point_id", "accessPointId"),
    field("iam", "iam").hidden(Text("DISABLED")),
];

const S3_FILES_VOLUME: &[Field] = &[
    field("file_system_arn", "fileSystemArn"),
    field("root_directory", "rootDirectory").hidden(Text("/")),
    field("transit_encryption_port", "transitEncryptionPort"),
    field("access_point_arn", "accessPointArn"),
];

const FSX_VOLUME: &[Field] = &[
    field("file_system_id", "fileSystemId"),
    field("root_directory", "rootDirectory"),
    field("authorization_config", "authorizationConfig").shape(Table(FSX_AUTHORIZATION)),
];

const FSX_AUTHORIZATION: &[Field] = &[
    field("credentials_parameter", "credentialsParameter"),
    field("domain", "domain"),
];

const CONSTRAINT: &[Field] = &[field("type", "type"), field("expression", "expression")];

const PROXY: &[Field] = &[
    field("type", "type").shown(Text("APPMESH")),
    field("container_name", "containerName"),
    field("properties", "properties").shape(Pairs("name", "value", &Plain)),
];

const CREDENTIALS: &[Field] = &[field("credentials_parameter", "credentialsParameter")];

const PORT: &[Field] = &[
    field("container_port", "containerPort"),
    field("host_port", "hostPort"),
    field("protocol", "protocol").hidden(Text("tcp")),
    field("name", "name"),
    field("app_protocol", "appProtocol"),
    field("container_port_range", "containerPortRange"),
];

const RESTART: &[Field] = &[
    field("enabled", "enabled"),
    field("ignored_exit_codes", "ignoredExitCodes").shape(Set(&Plain)),
    field("restart_attempt_period", "restartAttemptPeriod").hidden(Number(300)),
];

const ENVIRONMENT_FILE: &[Field] = &[
    field("value", "value"),
    field("type", "type").shown(Text("s3")),
];

const MOUNT: &[Field] = &[
    field("source_volume", "sourceVolume"),
    field("container_path", "containerPath"),
    field("read_only", "readOnly").hidden(Bool(false)),
];

const VOLUMES_FROM: &[Field] = &[
    field("source_container", "sourceContainer"),
    field("read_only", "readOnly").hidden(Bool(false)),
];

const LINUX: &[Field] = &[
    field("capabilities", "capabilities").shape(Table(CAPABILITIES)),
    field("devices", "devices").shape(Set(&Table(DEVICE))),
    field("init_process_enabled", "initProcessEnabled").hidden(Bool(false)),
    field("shared_memory_size", "sharedMemorySize"),
    field("tmpfs", "tmpfs").shape(Set(&Table(TMPFS))),
    field("max_swap", "maxSwap"),
    field("swappiness", "swappiness"),
];

const CAPABILITIES: &[Field] = &[
    field("add", "add").shape(Set(&Plain)),
    field("drop", "drop").shape(Set(&Plain)),
];

const DEVICE: &[Field] = &[
    field("host_path", "hostPath"),
    field("container_path", "containerPath"),
    field("permissions", "permissions").shape(Set(&Plain)),
];

const TMPFS: &[Field] = &[
    field("container_path", "containerPath"),
    field("size", "size"),
    field("mount_options", "mountOptions").shape(Set(&Plain)),
];

const DEPENDENCY: &[Field] = &[
    field("container_name", "containerName"),
    field("condition", "condition"),
];

const HOST: &[Field] = &[
    field("hostname", "hostname"),
    field("ip_address", "ipAddress"),
];

const ULIMIT: &[Field] = &[
    field("name", "name"),
    field("soft_limit", "softLimit"),
    field("hard_limit", "hardLimit"),
];

const HEALTH_CHECK: &[Field] = &[
    field("command", "command"),
    field("interval", "interval").shown(Number(30)),
    field("timeout", "timeout").shown(Number(5)),
    field("retries", "retries").shown(Number(3)),
    field("start_period", "startPeriod").hidden(Number(0)),
];

const SYSTEM_CONTROL: &[Field] = &[field("namespace", "namespace"), field("value", "value")];

const REQUIREMENT: &[Field] = &[field("type", "type"), field("value", "value")];

const FIRELENS: &[Field] = &[field("type", "type"), field("options", "options")];

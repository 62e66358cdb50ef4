//! The containers of a task: every field of an ECS container definition.

use std::collections::BTreeMap;

use super::{LogConfiguration, LogGroupReference, MemoryMegabytes, Seconds, SecretReference};
use crate::config::table::{choice, table};

table! {
    /// A container.
    pub struct Container {
        /// `{ repository = NAME, tag = TAG }` of a declared repository, or an image reference.
        image: Image,
        /// Credentials of a registry outside ECR.
        repository_credentials: Option<RepositoryCredentials>,
        /// CPU units of the task that are reserved for this container.
        cpu: Option<i32>,
        /// The memory in MiB beyond which the container is killed.
        memory: Option<MemoryMegabytes>,
        /// The memory in MiB that is reserved.
        memory_reservation: Option<MemoryMegabytes>,
        /// Containers of the bridge network that are reached by name.
        links: Vec<String> = Vec::new(),
        /// The ports: numbers, or tables.
        port_mappings: Vec<PortMapping> = Vec::new(),
        /// Whether the task ends when this container does.
        essential: bool = true,
        /// Whether the container is restarted in its task.
        restart_policy: Option<RestartPolicy>,
        /// Replaces the image's entry point.
        entry_point: Vec<String> = Vec::new(),
        /// Replaces the image's command.
        command: Vec<String> = Vec::new(),
        /// Environment variables; never secrets.
        environment: BTreeMap<String, String> = BTreeMap::new(),
        /// Files of environment variables: ARNs of S3 objects.
        environment_files: Vec<EnvironmentFile> = Vec::new(),
        /// Environment variables whose values are secrets: a declared secret, an ARN, or `ssm:NAME`.
        secrets: BTreeMap<String, SecretReference> = BTreeMap::new(),
        /// Volumes of the task that are mounted.
        mount_points: Vec<MountPoint> = Vec::new(),
        /// Containers whose volumes are mounted.
        volumes_from: Vec<VolumeFrom> = Vec::new(),
        /// Settings of Linux.
        linux_parameters: Option<LinuxParameters>,
        /// What other containers must have reached first.
        depends_on: Vec<ContainerDependency> = Vec::new(),
        /// How long the start may take.
        start_timeout: Option<Seconds>,
        /// How long the container has between SIGTERM and SIGKILL.
        stop_timeout: Option<Seconds>,
        /// Whether ECS pins the tag to one digest for the whole deployment.
        version_consistency: VersionConsistency = VersionConsistency::Enabled,
        /// The host name; not with `awsvpc`.
        hostname: Option<String>,
        /// The user, such as `1000:1000`.
        user: Option<String>,
        /// The directory in which the command runs.
        working_directory: Option<String>,
        /// Whether the container has no network.
        disable_networking: bool = false,
        /// Whether the container is root on the instance; not on Fargate.
        privileged: bool = false,
        /// Whether the root file system is read-only.
        readonly_root_filesystem: bool = false,
        /// DNS servers; not with `awsvpc`.
        dns_servers: Vec<String> = Vec::new(),
        /// DNS search domains; not with `awsvpc`.
        dns_search_domains: Vec<String> = Vec::new(),
        /// Lines of `/etc/hosts`; not with `awsvpc`.
        extra_hosts: Vec<HostEntry> = Vec::new(),
        /// SELinux and AppArmor labels, `no-new-privileges`; not on Fargate.
        docker_security_options: Vec<String> = Vec::new(),
        /// Whether standard input stays open.
        interactive: bool = false,
        /// Whether there is a terminal.
        pseudo_terminal: bool = false,
        /// Labels of the container.
        docker_labels: BTreeMap<String, String> = BTreeMap::new(),
        /// Limits of the container's processes.
        ulimits: Vec<Ulimit> = Vec::new(),
        /// The log group of the `awslogs` driver: a declared one, or `{ name = NAME }`; not with `log_configuration`.
        log_group: Option<LogGroupReference>,
        /// Where and how the container logs; not with `log_group`.
        log_configuration: Option<LogConfiguration>,
        /// When the container counts as healthy.
        health_check: Option<HealthCheck>,
        /// Kernel parameters.
        system_controls: Vec<SystemControl> = Vec::new(),
        /// GPUs and accelerators.
        resource_requirements: Vec<ResourceRequirement> = Vec::new(),
        /// Makes this container the log router of the task.
        firelens_configuration: Option<FirelensConfiguration>,
        /// Credential specs of Active Directory, as ARNs.
        credential_specs: Vec<String> = Vec::new(),
    }
}

/// The image of a container.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Image {
    /// An image of a declared repository: its digest belongs to deployments.
    Repository {
        /// The name of the `[repository.*]`.
        name: String,
        /// The tag that deployments look at.
        tag: String,
    },
    /// An image reference that is used as it is written.
    Fixed(String),
}

table! {
    /// Credentials of a registry.
    pub struct RepositoryCredentials {
        /// The ARN of the secret with the user's name and password.
        credentials_parameter: String,
    }
}

/// A port of a container.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct PortMapping {
    /// The port in the container; none only with a range.
    pub container_port: Option<i32>,
    /// The port of the instance; with `awsvpc` the container's.
    pub host_port: Option<i32>,
    /// The transport protocol.
    pub protocol: TransportProtocol,
    /// The name that Service Connect and VPC Lattice use.
    pub name: Option<String>,
    /// What is spoken, for Service Connect.
    pub app_protocol: Option<ApplicationProtocol>,
    /// A range of ports in the container, `FIRST-LAST`.
    pub container_port_range: Option<String>,
}

choice! {
    /// A transport protocol.
    pub enum TransportProtocol {
        /// TCP.
        Tcp = "tcp",
        /// UDP.
        Udp = "udp",
    }
}

choice! {
    /// What is spoken on a port.
    pub enum ApplicationProtocol {
        /// HTTP/1.1.
        Http = "http",
        /// HTTP/2.
        Http2 = "http2",
        /// gRPC.
        Grpc = "grpc",
    }
}

table! {
    /// Whether a container is restarted in its task.
    pub struct RestartPolicy {
        /// Whether it is.
        enabled: bool,
        /// Exit codes after which it is not.
        ignored_exit_codes: Vec<i32> = Vec::new(),
        /// How long it must have run before it is restarted, 60 to 1800 seconds; none: 300.
        restart_attempt_period: Option<Seconds>,
    }
}

table! {
    /// A file of environment variables.
    pub struct EnvironmentFile {
        /// The ARN of an S3 object with the ending `.env`.
        value: String,
        /// Where it is.
        r#type: EnvironmentFileType = EnvironmentFileType::S3,
    }
}

choice! {
    /// Where a file of environment variables is.
    pub enum EnvironmentFileType {
        /// S3.
        S3 = "s3",
    }
}

table! {
    /// A volume that is mounted.
    pub struct MountPoint {
        /// The name of a volume of the task.
        source_volume: String,
        /// The path in the container.
        container_path: String,
        /// Whether it is read-only.
        read_only: bool = false,
    }
}

table! {
    /// A container whose volumes are mounted.
    pub struct VolumeFrom {
        /// The container's name.
        source_container: String,
        /// Whether they are read-only.
        read_only: bool = false,
    }
}

table! {
    /// Settings of Linux.
    pub struct LinuxParameters {
        /// Capabilities of the kernel.
        capabilities: Option<KernelCapabilities>,
        /// Devices of the instance; not on Fargate.
        devices: Vec<Device> = Vec::new(),
        /// Whether an init process reaps children.
        init_process_enabled: Option<bool>,
        /// The size of `/dev/shm` in MiB; not on Fargate.
        shared_memory_size: Option<i32>,
        /// File systems in memory.
        tmpfs: Vec<Tmpfs> = Vec::new(),
        /// The swap in MiB; not on Fargate.
        max_swap: Option<i32>,
        /// 0 to 100; not on Fargate.
        swappiness: Option<i32>,
    }
}

table! {
    /// Capabilities of the kernel.
    pub struct KernelCapabilities {
        /// Those that are added, such as `SYS_PTRACE`.
        add: Vec<String> = Vec::new(),
        /// Those that are taken away, such as `ALL`.
        drop: Vec<String> = Vec::new(),
    }
}

table! {
    /// A device of the instance.
    pub struct Device {
        /// Its path on the instance.
        host_path: String,
        /// Its path in the container; none: the same.
        container_path: Option<String>,
        /// What the container may do with it; none: all.
        permissions: Vec<DevicePermission> = Vec::new(),
    }
}

choice! {
    /// What a container may do with a device.
    pub enum DevicePermission {
        /// Read.
        Read = "read",
        /// Write.
        Write = "write",
        /// Make device nodes.
        Mknod = "mknod",
    }
}

table! {
    /// A file system in memory.
    pub struct Tmpfs {
        /// The path in the container.
        container_path: String,
        /// The size in MiB.
        size: i32,
        /// Mount options.
        mount_options: Vec<String> = Vec::new(),
    }
}

table! {
    /// What another container must have reached before this one starts.
    pub struct ContainerDependency {
        /// The other container.
        container_name: String,
        /// What it must have reached.
        condition: ContainerCondition,
    }
}

choice! {
    /// What a container must have reached.
    pub enum ContainerCondition {
        /// It has started.
        Start = "START",
        /// It has ended.
        Complete = "COMPLETE",
        /// It has ended with exit code 0.
        Success = "SUCCESS",
        /// Its health check has passed.
        Healthy = "HEALTHY",
    }
}

choice! {
    /// Whether ECS pins a tag to one digest for the whole deployment.
    pub enum VersionConsistency {
        /// It does.
        Enabled = "enabled",
        /// It does not.
        Disabled = "disabled",
    }
}

table! {
    /// A line of `/etc/hosts`.
    pub struct HostEntry {
        /// The name.
        hostname: String,
        /// The address.
        ip_address: String,
    }
}

table! {
    /// A limit of the container's processes.
    pub struct Ulimit {
        /// What is limited.
        name: UlimitName,
        /// The limit that processes may raise.
        soft_limit: i32,
        /// The limit of the limit.
        hard_limit: i32,
    }
}

choice! {
    /// What a ulimit limits.
    pub enum UlimitName {
        /// The size of core files.
        Core = "core",
        /// Processor time.
        Cpu = "cpu",
        /// The data segment.
        Data = "data",
        /// The size of files.
        Fsize = "fsize",
        /// File locks.
        Locks = "locks",
        /// Locked memory.
        Memlock = "memlock",
        /// Message queues.
        Msgqueue = "msgqueue",
        /// Niceness.
        Nice = "nice",
        /// Open files; the only one on Fargate.
        Nofile = "nofile",
        /// Processes.
        Nproc = "nproc",
        /// Resident memory.
        Rss = "rss",
        /// Real-time priority.
        Rtprio = "rtprio",
        /// Real-time processor time.
        Rttime = "rttime",
        /// Pending signals.
        Sigpending = "sigpending",
        /// The stack.
        Stack = "stack",
    }
}

choice! {
    /// A log driver.
    pub enum LogDriver {
        /// CloudWatch Logs.
        Awslogs = "awslogs",
        /// The log router of the task.
        Awsfirelens = "awsfirelens",
        /// Splunk.
        Splunk = "splunk",
        /// Fluentd; not on Fargate.
        Fluentd = "fluentd",
        /// Graylog; not on Fargate.
        Gelf = "gelf",
        /// The journal of the instance; not on Fargate.
        Journald = "journald",
        /// A file of the instance; not on Fargate.
        JsonFile = "json-file",
        /// Syslog; not on Fargate.
        Syslog = "syslog",
    }
}

table! {
    /// When a container counts as healthy.
    pub struct HealthCheck {
        /// `["CMD", ...]` or `["CMD-SHELL", "..."]`; exit code 0 is healthy.
        command: Vec<String>,
        /// The time between two checks, 5 to 300 seconds.
        interval: Seconds = Seconds(30),
        /// How long a check may take, 2 to 60 seconds.
        timeout: Seconds = Seconds(5),
        /// How many checks in a row have to fail, 1 to 10.
        retries: i32 = 3,
        /// How long failures do not count after the start, 0 to 300 seconds; none: off.
        start_period: Option<Seconds>,
    }
}

table! {
    /// A kernel parameter.
    pub struct SystemControl {
        /// Its name, such as `net.core.somaxconn`.
        namespace: String,
        /// Its value.
        value: String,
    }
}

table! {
    /// GPUs or accelerators of a container.
    pub struct ResourceRequirement {
        /// What is needed.
        r#type: ResourceType,
        /// How many, or the accelerator's name.
        value: String,
    }
}

choice! {
    /// What a container can be given.
    pub enum ResourceType {
        /// GPUs.
        Gpu = "GPU",
        /// An Elastic Inference accelerator.
        InferenceAccelerator = "InferenceAccelerator",
        /// AWS Neuron devices.
        NeuronDevice = "NeuronDevice",
    }
}

table! {
    /// The log router of a task.
    pub struct FirelensConfiguration {
        /// Which router the image is.
        r#type: FirelensType,
        /// Its options.
        options: BTreeMap<String, String> = BTreeMap::new(),
    }
}

choice! {
    /// A log router.
    pub enum FirelensType {
        /// Fluent Bit.
        Fluentbit = "fluentbit",
        /// Fluentd.
        Fluentd = "fluentd",
    }
}

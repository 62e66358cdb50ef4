//! The task definition of a service.

use std::collections::BTreeMap;

use super::{Container, RoleReference, Tags, Volume};
use crate::config::table::{choice, table};

table! {
    /// A task definition.
    pub struct Task {
        /// The family; by default the service's name.
        family: String = String::new(),
        /// CPU units (1024 is one vCPU), or `"1 vCPU"`; required on Fargate.
        cpu: Option<CpuUnits>,
        /// MiB, or `"2 GB"`; required on Fargate.
        memory: Option<MemoryMegabytes>,
        /// The processor that the images are built for.
        architecture: Architecture = Architecture::X86_64,
        /// The operating system that the images are built for.
        operating_system_family: OperatingSystemFamily = OperatingSystemFamily::Linux,
        /// The role with which ECS pulls images, reads secrets and writes logs: a declared role, or an ARN.
        execution_role: Option<RoleReference>,
        /// The role that the containers have: a declared role, or an ARN.
        task_role: Option<RoleReference>,
        /// The network mode; none: `awsvpc` on Fargate, else ECS's own default, `bridge`.
        network_mode: Option<NetworkMode>,
        /// What the definition is checked against; none: `FARGATE` for a Fargate service, else nothing.
        requires_compatibilities: Option<Vec<Compatibility>>,
        /// Whose processes the containers see.
        pid_mode: Option<PidMode>,
        /// Whose memory segments the containers share.
        ipc_mode: Option<IpcMode>,
        /// The disk of a Fargate task.
        ephemeral_storage: Option<EphemeralStorage>,
        /// The volumes that containers mount.
        volumes: Vec<Volume> = Vec::new(),
        /// Which instances may take tasks.
        placement_constraints: Vec<TaskPlacementConstraint> = Vec::new(),
        /// The App Mesh proxy.
        proxy_configuration: Option<ProxyConfiguration>,
        /// Whether AWS FIS may inject faults.
        enable_fault_injection: bool = false,
        /// Tags of the revision, over those of the project; not compared.
        tags: Tags = Tags::new(),
        /// The containers by name.
        container: BTreeMap<String, Container>,
    }
}

/// CPU units: 1024 is one vCPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct CpuUnits(pub i32);

/// Memory in MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct MemoryMegabytes(pub i32);

choice! {
    /// The processor that images are built for.
    pub enum Architecture {
        /// 64-bit x86: ECS's default.
        X86_64 = "X86_64",
        /// 64-bit Arm.
        Arm64 = "ARM64",
    }
}

choice! {
    /// The operating system that images are built for.
    pub enum OperatingSystemFamily {
        /// Linux.
        Linux = "LINUX",
        /// Windows Server 2019 Core.
        WindowsServer2019Core = "WINDOWS_SERVER_2019_CORE",
        /// Windows Server 2019 Full.
        WindowsServer2019Full = "WINDOWS_SERVER_2019_FULL",
        /// Windows Server 2022 Core.
        WindowsServer2022Core = "WINDOWS_SERVER_2022_CORE",
        /// Windows Server 2022 Full.
        WindowsServer2022Full = "WINDOWS_SERVER_2022_FULL",
        /// Windows Server 2025 Core.
        WindowsServer2025Core = "WINDOWS_SERVER_2025_CORE",
        /// Windows Server 2025 Full.
        WindowsServer2025Full = "WINDOWS_SERVER_2025_FULL",
        /// Windows Server 2016 Full.
        WindowsServer2016Full = "WINDOWS_SERVER_2016_FULL",
        /// Windows Server, version 2004, Core.
        WindowsServer2004Core = "WINDOWS_SERVER_2004_CORE",
        /// Windows Server, version 20H2, Core.
        WindowsServer20H2Core = "WINDOWS_SERVER_20H2_CORE",
    }
}

choice! {
    /// A network mode of tasks.
    pub enum NetworkMode {
        /// Each task has a network interface of its own.
        Awsvpc = "awsvpc",
        /// Docker's bridge of the instance.
        Bridge = "bridge",
        /// The instance's own network.
        Host = "host",
        /// No network.
        None = "none",
    }
}

choice! {
    /// What a task definition is checked against.
    pub enum Compatibility {
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
    /// Whose processes the containers see.
    pub enum PidMode {
        /// The instance's.
        Host = "host",
        /// The task's.
        Task = "task",
    }
}

choice! {
    /// Whose memory segments the containers share.
    pub enum IpcMode {
        /// The instance's.
        Host = "host",
        /// The task's.
        Task = "task",
        /// Nobody's.
        None = "none",
    }
}

table! {
    /// The disk of a Fargate task.
    pub struct EphemeralStorage {
        /// Its size, 21 to 200 GiB.
        size_in_gib: i32,
    }
}

table! {
    /// Which instances may take tasks of a definition.
    pub struct TaskPlacementConstraint {
        /// The kind of constraint.
        r#type: TaskPlacementConstraintType,
        /// An expression of the cluster query language.
        expression: Option<String>,
    }
}

choice! {
    /// The kind of a task definition's placement constraint.
    pub enum TaskPlacementConstraintType {
        /// Instances for which an expression holds.
        MemberOf = "memberOf",
    }
}

table! {
    /// The App Mesh proxy of a task.
    pub struct ProxyConfiguration {
        /// The kind of proxy.
        r#type: ProxyConfigurationType = ProxyConfigurationType::AppMesh,
        /// The container that is the proxy.
        container_name: String,
        /// Its settings, such as `AppPorts`.
        properties: BTreeMap<String, String> = BTreeMap::new(),
    }
}

choice! {
    /// The kind of a proxy.
    pub enum ProxyConfigurationType {
        /// AWS App Mesh.
        AppMesh = "APPMESH",
    }
}

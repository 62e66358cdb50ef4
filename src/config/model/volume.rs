//! The volumes of a task, and the EBS volumes that a service makes for each task.

use std::collections::BTreeMap;

use super::{PropagateTags, RoleReference, Tags};
use crate::config::table::{choice, table};

table! {
    /// A volume that containers of the task mount.
    pub struct Volume {
        /// The name that mount points use.
        name: String,
        /// A directory of the instance.
        host: Option<HostVolume>,
        /// A Docker volume.
        docker_volume_configuration: Option<DockerVolume>,
        /// A file system of EFS.
        efs_volume_configuration: Option<EfsVolume>,
        /// A file system of S3 Files.
        s3files_volume_configuration: Option<S3FilesVolume>,
        /// A file system of FSx for Windows File Server.
        fsx_windows_file_server_volume_configuration: Option<FsxWindowsVolume>,
        /// Whether the service says what the volume is (`volume_configurations`).
        configured_at_launch: bool = false,
    }
}

table! {
    /// A directory of the instance.
    pub struct HostVolume {
        /// Its path; none: one that Docker makes.
        source_path: Option<String>,
    }
}

table! {
    /// A Docker volume.
    pub struct DockerVolume {
        /// How long it lives.
        scope: Option<VolumeScope>,
        /// Whether it is made where it is missing; only with the scope `shared`.
        autoprovision: Option<bool>,
        /// The volume driver.
        driver: Option<String>,
        /// The driver's options.
        driver_opts: BTreeMap<String, String> = BTreeMap::new(),
        /// Labels of the volume.
        labels: BTreeMap<String, String> = BTreeMap::new(),
    }
}

choice! {
    /// How long a Docker volume lives.
    pub enum VolumeScope {
        /// As long as the task.
        Task = "task",
        /// Until it is removed.
        Shared = "shared",
    }
}

table! {
    /// A file system of EFS.
    pub struct EfsVolume {
        /// Its id.
        file_system_id: String,
        /// The directory that is mounted; none: `/`.
        root_directory: Option<String>,
        /// Whether the traffic is encrypted.
        transit_encryption: Option<Switch>,
        /// The port of encrypted traffic.
        transit_encryption_port: Option<i32>,
        /// How access is granted.
        authorization_config: Option<EfsAuthorization>,
    }
}

table! {
    /// How access to an EFS file system is granted.
    pub struct EfsAuthorization {
        /// The access point's id.
        access_point_id: Option<String>,
        /// Whether the task role is used.
        iam: Option<Switch>,
    }
}

choice! {
    /// On or off, as some parts of ECS's API spell it.
    pub enum Switch {
        /// On.
        Enabled = "ENABLED",
        /// Off.
        Disabled = "DISABLED",
    }
}

table! {
    /// A file system of S3 Files.
    pub struct S3FilesVolume {
        /// Its ARN.
        file_system_arn: String,
        /// The directory that is mounted; none: `/`.
        root_directory: Option<String>,
        /// The port of encrypted traffic.
        transit_encryption_port: Option<i32>,
        /// The access point's ARN.
        access_point_arn: Option<String>,
    }
}

table! {
    /// A file system of FSx for Windows File Server.
    pub struct FsxWindowsVolume {
        /// Its id.
        file_system_id: String,
        /// The directory that is mounted.
        root_directory: String,
        /// How access is granted.
        authorization_config: FsxWindowsAuthorization,
    }
}

table! {
    /// How access to an FSx file system is granted.
    pub struct FsxWindowsAuthorization {
        /// The ARN of a secret or parameter with the user's name and password.
        credentials_parameter: String,
        /// The Active Directory domain.
        domain: String,
    }
}

table! {
    /// A volume that is made for each task of a service.
    pub struct ServiceVolume {
        /// The name of a volume of the task with `configured_at_launch`.
        name: String,
        /// The EBS volume.
        managed_ebs_volume: Option<EbsVolume>,
    }
}

table! {
    /// An EBS volume that is made for each task.
    pub struct EbsVolume {
        /// The role with which ECS makes volumes: a declared role, or an ARN.
        role: RoleReference,
        /// Whether it is encrypted.
        encrypted: Option<bool>,
        /// The KMS key.
        kms_key_id: Option<String>,
        /// Such as `gp3`.
        volume_type: Option<String>,
        /// The size; required unless there is a snapshot.
        size_in_gib: Option<i32>,
        /// The snapshot that it is made from.
        snapshot_id: Option<String>,
        /// How fast a snapshot is read, in MiB per second.
        volume_initialization_rate: Option<i32>,
        /// Operations per second.
        iops: Option<i32>,
        /// MiB per second.
        throughput: Option<i32>,
        /// The tags of the volumes.
        tag_specifications: Vec<EbsTagSpecification> = Vec::new(),
        /// The file system; none: `xfs`, on Windows `ntfs`.
        filesystem_type: Option<FilesystemType>,
    }
}

table! {
    /// The tags of EBS volumes.
    pub struct EbsTagSpecification {
        /// What is tagged.
        resource_type: EbsResourceType = EbsResourceType::Volume,
        /// The tags.
        tags: Tags = Tags::new(),
        /// From where further tags are taken.
        propagate_tags: PropagateTags = PropagateTags::None,
    }
}

choice! {
    /// What a tag specification tags.
    pub enum EbsResourceType {
        /// The volume.
        Volume = "volume",
    }
}

choice! {
    /// The file system of an EBS volume.
    pub enum FilesystemType {
        /// ext3.
        Ext3 = "ext3",
        /// ext4.
        Ext4 = "ext4",
        /// XFS.
        Xfs = "xfs",
        /// NTFS, for Windows.
        Ntfs = "ntfs",
    }
}

//! Repositories, log groups, secrets and clusters, and the references to them.

use super::{CapacityProviderStrategyItem, SourceDocument, Tags};
use crate::config::table::{choice, table};

/// A JSON document that is not of the policy language, such as a lifecycle policy.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonDocument {
    /// The file that infra.toml names, relative to infra.toml.
    pub path: String,
    /// The text of the file with every placeholder resolved.
    pub text: String,
}

/// A `[repository.*]` table: an ECR repository.
#[derive(Clone, Debug, PartialEq)]
pub struct Repository {
    /// Whether a tag may be moved.
    pub image_tag_mutability: TagMutability,
    /// Tag patterns (`*`) that are excepted, sorted; only with a `*_WITH_EXCLUSION` mutability.
    pub mutability_exclusions: Vec<String>,
    /// ECR's lifecycle policy.
    pub lifecycle_policy: Option<JsonDocument>,
    /// The repository policy.
    pub policy: Option<SourceDocument>,
    /// Fixed at creation.
    pub encryption: Encryption,
    /// Whether a delete takes the images with it.
    pub force_delete: bool,
    /// The project's tags and its own.
    pub tags: Tags,
}

choice! {
    /// Whether an image tag may be moved.
    pub enum TagMutability {
        /// Every tag may be moved: ECR's default.
        Mutable = "MUTABLE",
        /// No tag may be moved.
        Immutable = "IMMUTABLE",
        /// No tag may be moved but those that match `mutability_exclusions`.
        ImmutableWithExclusion = "IMMUTABLE_WITH_EXCLUSION",
        /// Every tag may be moved but those that match `mutability_exclusions`.
        MutableWithExclusion = "MUTABLE_WITH_EXCLUSION",
    }
}

choice! {
    /// How a repository is encrypted at rest.
    pub enum EncryptionType {
        /// With a key of S3: ECR's default.
        Aes256 = "AES256",
        /// With a KMS key.
        Kms = "KMS",
        /// With a KMS key, twice.
        KmsDsse = "KMS_DSSE",
    }
}

table! {
    /// The encryption of a repository; fixed when it is created.
    pub struct Encryption {
        /// The kind of encryption.
        r#type: EncryptionType = EncryptionType::Aes256,
        /// The ARN of the KMS key; only with `KMS` and `KMS_DSSE`, where AWS's own key is the default.
        key: Option<String>,
    }
}

table! {
    /// A CloudWatch log group; the key is its name.
    pub struct LogGroup {
        /// One of the numbers of days that CloudWatch knows; none: never expires.
        retention_in_days: Option<i32>,
        /// The ARN of the KMS key that encrypts it.
        kms_key_id: Option<String>,
        /// The class; fixed at creation.
        log_group_class: LogGroupClass = LogGroupClass::Standard,
        /// Whether AWS refuses to delete the group.
        deletion_protection_enabled: bool = false,
        /// Tags, over those of the project.
        tags: Tags = Tags::new(),
    }
}

choice! {
    /// The class of a log group.
    pub enum LogGroupClass {
        /// Every feature: the default.
        Standard = "STANDARD",
        /// Cheaper, without metric filters, alarms and live tail.
        InfrequentAccess = "INFREQUENT_ACCESS",
        /// Stored only, for delivery to S3.
        Delivery = "DELIVERY",
    }
}

table! {
    /// A secret of Secrets Manager; the key is its name. Its value is never here.
    pub struct Secret {
        /// Free text.
        description: Option<String>,
        /// How the first value is made; left out: it is set by hand.
        generate: Option<Generate>,
        /// How long a deleted secret can be restored: 7 to 30 days, or 0 to delete at once.
        recovery_window_in_days: i32 = 30,
        /// The KMS key that encrypts it; none: `aws/secretsmanager`.
        kms_key_id: Option<String>,
        /// Tags, over those of the project.
        tags: Tags = Tags::new(),
    }
}

table! {
    /// How a secret's first value is made: once, in memory, never shown.
    pub struct Generate {
        /// The number of random bytes, 16 to 4096.
        bytes: u32 = 32,
        /// How the bytes are written.
        encoding: Encoding = Encoding::Base64,
    }
}

choice! {
    /// How random bytes are written as text.
    pub enum Encoding {
        /// Base64 with `+`, `/` and padding.
        Base64 = "base64",
        /// Base64 with `-` and `_`, without padding.
        Base64Url = "base64url",
        /// Lower-case hexadecimal.
        Hex = "hex",
    }
}

table! {
    /// An ECS cluster; the key is its name.
    pub struct Cluster {
        /// CloudWatch Container Insights; left to AWS unless given.
        container_insights: Option<ContainerInsights>,
        /// The capacity providers; left to AWS unless given.
        capacity_providers: Option<Vec<String>>,
        /// The strategy of services without one; left to AWS unless given.
        default_capacity_provider_strategy: Option<Vec<CapacityProviderStrategyItem>>,
        /// Tags, over those of the project.
        tags: Tags = Tags::new(),
    }
}

choice! {
    /// CloudWatch Container Insights of a cluster.
    pub enum ContainerInsights {
        /// With metrics of containers and tasks.
        Enhanced = "enhanced",
        /// With metrics of clusters and services.
        Enabled = "enabled",
        /// Off.
        Disabled = "disabled",
    }
}

/// A secret value that a container is given.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub enum SecretReference {
    /// A `[secret.*]` of this file; its ARN is looked up when it is used.
    Declared {
        /// The secret's name.
        name: String,
        /// What follows the ARN, with its first colon: `:KEY:STAGE:VERSION`; empty for the whole value.
        suffix: String,
    },
    /// The ARN of a secret or of a parameter, used as it is written.
    Arn(String),
    /// The name of an SSM parameter of this account and region (`ssm:NAME`).
    Parameter(String),
}

/// A log group that something refers to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct LogGroupReference {
    /// The log group's name.
    pub name: String,
    /// Whether it is a `[log_group.*]` of this file.
    pub declared: bool,
}

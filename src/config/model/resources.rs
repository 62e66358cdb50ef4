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

/// A `[log_group.*]` table: a CloudWatch log group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogGroup {
    /// One of the numbers of days that CloudWatch knows; none: never expires.
    pub retention_in_days: Option<i32>,
    /// The ARN of the KMS key.
    pub kms_key_id: Option<String>,
    /// Fixed at creation.
    pub class: LogGroupClass,
    /// Whether AWS refuses to delete the group.
    pub deletion_protection: bool,
    /// The project's tags and its own.
    pub tags: Tags,
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

/// A `[secret.*]` table: a secret of Secrets Manager. Its value is never here.
#[derive(Clone, Debug, PartialEq)]
pub struct Secret {
    /// Free text.
    pub description: Option<String>,
    /// How the first value is made; none: it is set by hand.
    pub generate: Option<Generate>,
    /// 7 to 30 days, or 0 to delete at once.
    pub recovery_window_in_days: i32,
    /// The KMS key; none: `aws/secretsmanager`.
    pub kms_key_id: Option<String>,
    /// The project's tags and its own.
    pub tags: Tags,
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

/// A `[cluster.*]` table: an ECS cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    /// Left to AWS unless given.
    pub container_insights: Option<ContainerInsights>,
    /// Left to AWS unless given; sorted.
    pub capacity_providers: Option<Vec<String>>,
    /// Left to AWS unless given.
    pub default_capacity_provider_strategy: Option<Vec<CapacityProviderStrategyItem>>,
    /// The project's tags and its own.
    pub tags: Tags,
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

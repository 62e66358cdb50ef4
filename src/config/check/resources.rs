//! Checks of repositories, log groups, secrets and clusters.

use super::super::model::{
    CapacityProviderStrategyItem, Cluster, Encryption, EncryptionType, Generate, LogGroup,
    Repository, Secret, TagMutability,
};
use super::super::node::Node;
use super::super::reader::Reader;

/// The retentions that CloudWatch Logs knows, in days.
const RETENTIONS: &[i32] = &[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

/// Characters of a repository policy: ECR's limit.
const REPOSITORY_POLICY_SIZE: usize = 10_240;
/// Characters of a lifecycle policy: ECR's limit.
const LIFECYCLE_POLICY_SIZE: usize = 30_720;
/// Filters of tag mutability: ECR's limit.
const MUTABILITY_EXCLUSIONS: usize = 5;

/// Checks a repository.
pub(in super::super) fn repository(repository: &Repository, node: &Node, reader: &mut Reader<'_>) {
    let Repository {
        image_tag_mutability,
        mutability_exclusions,
        lifecycle_policy,
        policy,
        encryption,
        force_delete: _,
        tags,
    } = repository;
    check_exclusions(*image_tag_mutability, mutability_exclusions, node, reader);
    if let Some(lifecycle) = lifecycle_policy {
        let length = lifecycle.text.chars().count();
        let message = format!(
            "A lifecycle policy may have {LIFECYCLE_POLICY_SIZE} characters, not {length}."
        );
        let fits = length <= LIFECYCLE_POLICY_SIZE;
        reader.demand(fits, node, &["lifecycle_policy"], &message, "Shorten it.");
    }
    if let Some(policy) = policy {
        let at = node.follow(&["policy"]);
        super::super::documents::check_size(
            policy,
            at,
            REPOSITORY_POLICY_SIZE,
            "a repository policy",
            reader,
        );
    }
    let Encryption { r#type, key } = encryption;
    let bare = *r#type != EncryptionType::Aes256 || key.is_none();
    let hint = "Write { type = \"KMS\", key = \"...\" }.";
    reader.demand(
        bare,
        node,
        &["encryption", "key"],
        "AES256 takes no key.",
        hint,
    );
    super::tags(node, &["tags"], tags, reader);
}

fn check_exclusions(
    mutability: TagMutability,
    exclusions: &[String],
    node: &Node,
    reader: &mut Reader<'_>,
) {
    let word = mutability.as_str();
    let excluding = matches!(
        mutability,
        TagMutability::ImmutableWithExclusion | TagMutability::MutableWithExclusion
    );
    if excluding && exclusions.is_empty() {
        let message = format!("`{word}` needs `mutability_exclusions`.");
        let hint = "Add `mutability_exclusions = [\"staging\"]`.";
        reader.demand(false, node, &["image_tag_mutability"], &message, hint);
    }
    if !excluding && !exclusions.is_empty() {
        let message = format!("`mutability_exclusions` has no effect with `{word}`.");
        let hint = format!("Write image_tag_mutability = \"{word}_WITH_EXCLUSION\".");
        reader.demand(false, node, &["mutability_exclusions"], &message, &hint);
    }
    reader.once(node, &["mutability_exclusions"], exclusions);
    let message = format!("At most {MUTABILITY_EXCLUSIONS} exclusions are allowed.");
    let few = exclusions.len() <= MUTABILITY_EXCLUSIONS;
    reader.demand(
        few,
        node,
        &["mutability_exclusions"],
        &message,
        "Use `*` in a pattern.",
    );
    for (index, pattern) in exclusions.iter().enumerate() {
        let letter = |c: char| c.is_ascii_alphanumeric() || "._*-".contains(c);
        let fits = (1..=128).contains(&pattern.len()) && pattern.chars().all(letter);
        let message = format!("`{pattern}` is no pattern of tags.");
        let hint = "It has 1 to 128 letters, digits and `._-`, and `*` for any text.";
        let path = ["mutability_exclusions", &index.to_string()];
        reader.demand(fits, node, &path, &message, hint);
    }
}

/// Checks a log group.
pub(in super::super) fn log_group(log_group: &LogGroup, node: &Node, reader: &mut Reader<'_>) {
    let LogGroup {
        retention_in_days,
        kms_key_id,
        log_group_class: _,
        deletion_protection_enabled: _,
        tags,
    } = log_group;
    if let Some(days) = *retention_in_days
        && !RETENTIONS.contains(&days)
    {
        let longer = RETENTIONS.iter().find(|known| **known >= days);
        let hint = match (longer, days > 0) {
            (Some(longer), true) => {
                format!("The next that it knows is {longer}. Left out: never expires.")
            }
            _ => "Leave the key out for logs that never expire.".to_owned(),
        };
        let message = format!("CloudWatch Logs keeps no logs for {days} days.");
        reader.error_at(node, &["retention_in_days"], message, hint);
    }
    if let Some(key) = kms_key_id {
        let arn = key.starts_with("arn:") && key.contains(":kms:");
        let message = format!("`{key}` is no ARN of a KMS key.");
        let hint = "Write arn:aws:kms:REGION:ACCOUNT:key/ID: a log group takes no alias.";
        reader.demand(arn, node, &["kms_key_id"], &message, hint);
    }
    super::tags(node, &["tags"], tags, reader);
}

/// Checks a secret.
pub(in super::super) fn secret(secret: &Secret, node: &Node, reader: &mut Reader<'_>) {
    let Secret {
        description,
        generate,
        recovery_window_in_days,
        kms_key_id: _,
        tags,
    } = secret;
    let days = *recovery_window_in_days;
    let message = format!("A secret cannot be restored for {days} days.");
    let hint = "Write 7 to 30, or 0 to delete it at once.";
    let path = ["recovery_window_in_days"];
    reader.demand(
        days == 0 || (7..=30).contains(&days),
        node,
        &path,
        &message,
        hint,
    );
    if let Some(Generate { bytes, encoding: _ }) = generate {
        // Fewer can be guessed; more than these do not fit into an environment variable comfortably.
        reader.range(node, &["generate", "bytes"], *bytes, 16..=4096);
    }
    let long = description
        .as_ref()
        .is_some_and(|text| text.chars().count() > 2048);
    let message = "The description has more than 2048 characters.";
    reader.demand(!long, node, &["description"], message, "Shorten it.");
    super::tags(node, &["tags"], tags, reader);
}

/// Checks a cluster.
pub(in super::super) fn cluster(cluster: &Cluster, node: &Node, reader: &mut Reader<'_>) {
    let Cluster {
        container_insights: _,
        capacity_providers,
        default_capacity_provider_strategy,
        tags,
    } = cluster;
    let key = "default_capacity_provider_strategy";
    if let Some(providers) = capacity_providers {
        reader.once(node, &["capacity_providers"], providers);
        for (index, item) in default_capacity_provider_strategy
            .iter()
            .flatten()
            .enumerate()
        {
            let name = &item.capacity_provider;
            let message = format!("`{name}` is none of the `capacity_providers` of this cluster.");
            let hint = "Add it there.";
            let path = [key, &index.to_string(), "capacity_provider"];
            reader.demand(providers.contains(name), node, &path, &message, hint);
        }
    }
    let items = default_capacity_provider_strategy
        .as_deref()
        .unwrap_or_default();
    strategy(items, node, key, reader);
    super::tags(node, &["tags"], tags, reader);
}

/// Checks a capacity provider strategy.
pub(super) fn strategy(
    items: &[CapacityProviderStrategyItem],
    node: &Node,
    key: &str,
    reader: &mut Reader<'_>,
) {
    for (index, item) in items.iter().enumerate() {
        let CapacityProviderStrategyItem {
            capacity_provider,
            weight,
            base,
        } = item;
        let number = index.to_string();
        // ECS's limits of weight and base.
        reader.range(node, &[key, &number, "weight"], *weight, 0..=1000);
        reader.range(node, &[key, &number, "base"], *base, 0..=100_000);
        let before = || items.iter().take(index);
        let twice = before().any(|other| other.capacity_provider == *capacity_provider);
        let message = format!("`{capacity_provider}` is listed twice.");
        reader.demand(!twice, node, &[key, &number], &message, "Leave one out.");
        let second = *base > 0 && before().any(|other| other.base > 0);
        let message = "Only one capacity provider can have a `base`.";
        reader.demand(
            !second,
            node,
            &[key, &number, "base"],
            message,
            "Leave one out.",
        );
    }
    let fargate =
        |item: &&CapacityProviderStrategyItem| item.capacity_provider.starts_with("FARGATE");
    let count = items.iter().filter(fargate).count();
    let mixed = count > 0 && count < items.len();
    let message = "A strategy cannot mix Fargate with other capacity providers.";
    reader.demand(!mixed, node, &[key], message, "Make two services.");
    let idle = !items.is_empty() && items.iter().all(|item| item.weight == 0);
    let message = "At least one capacity provider needs a `weight` above 0.";
    reader.demand(!idle, node, &[key], message, "Add `weight = 1`.");
}

//! What to say about keys that other tools have, or that stand here under another name.

use super::declared::table_key;
use super::diagnostic::{alternatives, nearest};

/// A list of known keys longer than this is not read by anybody.
const MOST_KEYS: usize = 14;

/// Keys of AWS's API, of Terraform and of plain habit, and what to write instead.
const KEYS: &[(&str, &str)] = &[
    (
        "assume_role_policy",
        "Write `trust_policy = \"FILE\"`, or `trust`.",
    ),
    (
        "container_definitions",
        "Write [service.NAME.task.container.NAME].",
    ),
    (
        "deployment_circuit_breaker",
        "Write `circuit_breaker` in `deployment`.",
    ),
    ("deployment_configuration", "Write `deployment = { ... }`."),
    (
        "force_new_deployment",
        "That is `provision deploy ENVIRONMENT`.",
    ),
    (
        "image_scanning_configuration",
        "ECR scans by registry; it is not managed by repository.",
    ),
    (
        "network_configuration",
        "Write `network = { subnets = [...] }`.",
    ),
    (
        "runtime_platform",
        "Write `architecture` and `operating_system_family`.",
    ),
    (
        "scan_on_push",
        "ECR scans by registry; it is not managed by repository.",
    ),
    ("service_connect_configuration", "Write `service_connect`."),
    ("task_definition", "Write [service.NAME.task]."),
    (
        "thumbprint_list",
        "Write `thumbprints`, or leave them out: AWS does not use them for GitHub.",
    ),
    ("client_id_list", "Write `client_ids`."),
];

/// What to do about an unknown key, given those that are known in its place.
pub(super) fn on_key(key: &str, known: &[&str], address: Option<&str>) -> String {
    if is_secret_value(key, address) {
        let name = address
            .and_then(|it| it.split_once('/'))
            .map_or("NAME", |(_, name)| name);
        let name = table_key(name);
        return format!(
            "A secret's value never stands here: use `generate`, or provision secret set {name}."
        );
    }
    if let Some((_, advice)) = KEYS.iter().find(|(other, _)| *other == key) {
        return (*advice).to_owned();
    }
    match nearest(key, known.iter().copied()) {
        Some(near) => format!("Did you mean `{near}`?"),
        None if known.len() > MOST_KEYS => "docs/configuration.md lists every key.".to_owned(),
        None => format!("Known here: {}.", alternatives(known.iter().copied())),
    }
}

/// Whether what stands beside a key may be a secret.
pub(super) fn is_secret_value(key: &str, address: Option<&str>) -> bool {
    let key = key.to_lowercase();
    address.is_some_and(|it| it.starts_with("secret/"))
        && ["value", "secret", "password", "string", "key"]
            .iter()
            .any(|it| key.ends_with(it))
}

//! What an image's manifest says of the platforms it runs on.

use serde_json::Value;

use super::super::store::{Store, Table};
use super::super::world::Members as _;

/// The architectures of an image as ECS spells them, `ARM64` and `X86_64`: from an index its
/// platforms, from a plain manifest its configuration. None where it cannot be told.
pub(in super::super) fn architectures(
    store: &Store,
    repository: &str,
    digest: &str,
) -> Vec<String> {
    let image = store.get(Table::Image, &format!("{repository}\n{digest}"));
    let manifest: Value = image
        .and_then(|image| serde_json::from_str(image.str("imageManifest")).ok())
        .unwrap_or_default();
    let mut found: Vec<String> = manifest
        .list("manifests")
        .iter()
        .filter_map(|entry| entry.get("platform")?.text("architecture").map(spell))
        .filter(|architecture| architecture != "UNKNOWN")
        .collect();
    if let Some(config) = manifest
        .get("config")
        .and_then(|config| config.text("digest"))
    {
        let blob = super::layers::read(store, repository, config);
        let config: Value = blob
            .and_then(|blob| serde_json::from_slice(&blob).ok())
            .unwrap_or_default();
        found.extend(config.text("architecture").map(spell));
    }
    found
}

fn spell(architecture: &str) -> String {
    match architecture {
        "arm64" => "ARM64".to_owned(),
        "amd64" => "X86_64".to_owned(),
        other => other.to_uppercase(),
    }
}

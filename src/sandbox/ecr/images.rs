//! Images: pushed with their manifest, found by tag or digest.

use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::error::{Answer, ServiceError};
use super::super::faults::fits;
use super::super::protocol::Call;
use super::super::store::{Store, Table};
use super::super::world::{Members as _, World, set, without};
use super::{bad_token, find, invalid};

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "PutImage" => put(call, world),
        "BatchGetImage" => get(call, world),
        "DescribeImages" => describe(call, world),
        "ListImages" => list(call, world),
        "BatchDeleteImage" => delete(call, world),
        _ => return None,
    })
}

/// `sha256:` and the digest of some bytes.
pub(super) fn digest(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The digest of a tag or of itself, where there is such an image.
pub(in super::super) fn resolve(
    store: &Store,
    repository: &str,
    reference: &str,
) -> Option<String> {
    if reference.starts_with("sha256:") {
        return store
            .has(Table::Image, &format!("{repository}\n{reference}"))
            .then(|| reference.to_owned());
    }
    store
        .get(Table::ImageTag, &format!("{repository}\n{reference}"))?
        .as_str()
        .map(str::to_owned)
}

/// The image that an id names, by digest, by tag, or by both.
fn named<'a>(store: &'a Store, repository: &str, id: &Value) -> Option<(String, &'a Value)> {
    let by_tag = id
        .text("imageTag")
        .map(|tag| resolve(store, repository, tag));
    let by_digest = id
        .text("imageDigest")
        .map(|digest| resolve(store, repository, digest));
    let digest = match (by_tag, by_digest) {
        (Some(one), Some(other)) if one != other => return None,
        (Some(digest), _) | (None, Some(digest)) => digest?,
        (None, None) => return None,
    };
    let image = store.get(Table::Image, &format!("{repository}\n{digest}"))?;
    Some((digest, image))
}

/// The tags of each digest of a repository.
fn tags(store: &Store, repository: &str, digest: &str) -> Vec<String> {
    let prefix = format!("{repository}\n");
    let rows = store
        .under(Table::ImageTag, &prefix)
        .filter(|(_, held)| held.as_str() == Some(digest));
    rows.filter_map(|(key, _)| key.strip_prefix(prefix.as_str()))
        .map(str::to_owned)
        .collect()
}

/// Whether a tag may not move.
fn immutable(repository: &Value, tag: &str) -> bool {
    let filters = repository.list("imageTagMutabilityExclusionFilters");
    let excluded = filters.iter().any(|filter| fits(filter.str("filter"), tag));
    match repository.str("imageTagMutability") {
        "IMMUTABLE" => true,
        "IMMUTABLE_WITH_EXCLUSION" => !excluded,
        "MUTABLE_WITH_EXCLUSION" => excluded,
        _ => false,
    }
}

fn put(call: &Call, world: &mut World<'_>) -> Answer {
    let (name, repository) = find(call, world)?;
    let manifest = call.input.str("imageManifest");
    let parsed: Value = serde_json::from_str(manifest)
        .map_err(|_| invalid("Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'"))?;
    let digest = digest(manifest.as_bytes());
    if call
        .input
        .text("imageDigest")
        .is_some_and(|asked| asked != digest)
    {
        let message = "The specified image digest does not match the digest that Amazon ECR calculated for the image.";
        return Err(ServiceError::new(
            "ImageDigestDoesNotMatchException",
            message,
        ));
    }
    let missing = |entry: &&Value| resolve(world.store, name, entry.str("digest")).is_none();
    if let Some(entry) = parsed.list("manifests").iter().find(missing) {
        let message = format!(
            "Images with digests '[{}]' required for pushing image into repository with name '{name}' do not exist.",
            entry.str("digest")
        );
        return Err(ServiceError::new(
            "ReferencedImagesNotFoundException",
            message,
        ));
    }
    let tag = call.input.text("imageTag");
    let key = format!("{name}\n{digest}");
    let held = tag.and_then(|tag| resolve(world.store, name, tag));
    if held.as_ref() == Some(&digest) || (tag.is_none() && world.store.has(Table::Image, &key)) {
        let message = format!(
            "Image with digest '{digest}' and tag '{}' already exists in the repository with name '{name}'",
            tag.unwrap_or("null")
        );
        return Err(ServiceError::new("ImageAlreadyExistsException", message));
    }
    if let Some(tag) = tag.filter(|tag| held.is_some() && immutable(repository, tag)) {
        let message = format!(
            "The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten because the tag is immutable."
        );
        return Err(ServiceError::new("ImageTagAlreadyExistsException", message));
    }
    let media_type = call
        .input
        .text("imageManifestMediaType")
        .or_else(|| parsed.text("mediaType"));
    let media_type = media_type.unwrap_or("application/vnd.docker.distribution.manifest.v2+json");
    if !world.store.has(Table::Image, &key) {
        let image = record(world, name, &digest, manifest, media_type, &parsed);
        world.store.put(Table::Image, &key, image);
    }
    if let Some(tag) = tag {
        world
            .store
            .put(Table::ImageTag, &format!("{name}\n{tag}"), json!(digest));
    }
    let mut id = json!({ "imageDigest": digest });
    if let Some(tag) = tag {
        set(&mut id, "imageTag", tag);
    }
    Ok(json!({ "image": {
        "registryId": world.account, "repositoryName": name, "imageId": id, "imageManifest": manifest,
        "imageManifestMediaType": media_type,
    } }))
}

fn record(
    world: &World<'_>,
    name: &str,
    digest: &str,
    manifest: &str,
    media_type: &str,
    parsed: &Value,
) -> Value {
    let layers: i64 = parsed
        .list("layers")
        .iter()
        .filter_map(|layer| layer.number("size"))
        .sum();
    let mut image = json!({
        "registryId": world.account,
        "repositoryName": name,
        "imageDigest": digest,
        "imageSizeInBytes": layers,
        "imagePushedAt": world.epoch(),
        "imageManifestMediaType": media_type,
        "imageManifest": manifest,
    });
    if let Some(config) = parsed
        .get("config")
        .and_then(|config| config.text("mediaType"))
    {
        set(&mut image, "artifactMediaType", config);
    }
    image
}

fn get(call: &Call, world: &World<'_>) -> Answer {
    let (name, _) = find(call, world)?;
    let (mut images, mut failures) = (Vec::new(), Vec::new());
    for id in call.input.list("imageIds") {
        match named(world.store, name, id) {
            Some((digest, image)) => {
                let mut id = id.clone();
                set(&mut id, "imageDigest", digest);
                images.push(json!({
                    "registryId": world.account, "repositoryName": name, "imageId": id,
                    "imageManifest": image.str("imageManifest"),
                    "imageManifestMediaType": image.str("imageManifestMediaType"),
                }));
            }
            None => failures.push(failure(id)),
        }
    }
    Ok(json!({ "images": images, "failures": failures }))
}

fn failure(id: &Value) -> Value {
    json!({ "imageId": id, "failureCode": "ImageNotFound", "failureReason": "Requested image not found" })
}

fn describe(call: &Call, world: &World<'_>) -> Answer {
    let (name, _) = find(call, world)?;
    let detail = |image: &Value| {
        let mut detail = without(image, &["imageManifest"]);
        let tags = tags(world.store, name, image.str("imageDigest"));
        if !tags.is_empty() {
            set(&mut detail, "imageTags", tags);
        }
        detail
    };
    let ids = call.input.list("imageIds");
    if !ids.is_empty() {
        let mut details = Vec::new();
        for id in ids {
            let Some((_, image)) = named(world.store, name, id) else {
                let message = format!(
                    "The image with imageId {{imageDigest:'{}', imageTag:'{}'}} does not exist within the repository with name '{name}' in the registry with id '{}'",
                    or_null(id, "imageDigest"),
                    or_null(id, "imageTag"),
                    world.account
                );
                return Err(ServiceError::new("ImageNotFoundException", message));
            };
            details.push(detail(image));
        }
        return Ok(json!({ "imageDetails": details }));
    }
    let status = call
        .input
        .get("filter")
        .map(|filter| filter.str("tagStatus").to_owned())
        .unwrap_or_default();
    let prefix = format!("{name}\n");
    let rows = world
        .store
        .under(Table::Image, &prefix)
        .map(|(key, image)| (key.to_owned(), detail(image)));
    let rows = rows.filter(|(_, detail)| fits_status(&status, detail.get("imageTags").is_some()));
    let size = call.input.page_size("maxResults", 100, 1000);
    let (details, next) = world
        .page(rows, call.input.text("nextToken"), size)
        .map_err(bad_token)?;
    let mut answer = json!({ "imageDetails": details });
    if let Some(next) = next {
        set(&mut answer, "nextToken", next);
    }
    Ok(answer)
}

fn or_null<'a>(id: &'a Value, field: &str) -> &'a str {
    id.text(field).unwrap_or("null")
}

fn fits_status(status: &str, tagged: bool) -> bool {
    match status {
        "TAGGED" => tagged,
        "UNTAGGED" => !tagged,
        _ => true,
    }
}

/// Every digest with each of its tags.
fn list(call: &Call, world: &World<'_>) -> Answer {
    let (name, _) = find(call, world)?;
    let prefix = format!("{name}\n");
    let status = call
        .input
        .get("filter")
        .map(|filter| filter.str("tagStatus").to_owned())
        .unwrap_or_default();
    let mut rows: Vec<(String, Value)> = Vec::new();
    for (key, image) in world.store.under(Table::Image, &prefix) {
        let digest = image.str("imageDigest");
        let tags = tags(world.store, name, digest);
        if !fits_status(&status, !tags.is_empty()) {
            continue;
        }
        if tags.is_empty() {
            rows.push((key.to_owned(), json!({ "imageDigest": digest })));
        }
        rows.extend(tags.into_iter().map(|tag| {
            (
                format!("{key}\n{tag}"),
                json!({ "imageDigest": digest, "imageTag": tag }),
            )
        }));
    }
    let size = call.input.page_size("maxResults", 100, 1000);
    let (ids, next) = world
        .page(rows.into_iter(), call.input.text("nextToken"), size)
        .map_err(bad_token)?;
    let mut answer = json!({ "imageIds": ids });
    if let Some(next) = next {
        set(&mut answer, "nextToken", next);
    }
    Ok(answer)
}

/// A tag goes alone while the image has others; a digest goes with all its tags.
fn delete(call: &Call, world: &mut World<'_>) -> Answer {
    let name = find(call, world)?.0;
    let (mut gone, mut failures) = (Vec::new(), Vec::new());
    for id in call.input.list("imageIds") {
        let Some(digest) = named(world.store, name, id).map(|(digest, _)| digest) else {
            failures.push(failure(id));
            continue;
        };
        let all = tags(world.store, name, &digest);
        let named: Vec<String> = match id.text("imageTag") {
            Some(tag) => vec![tag.to_owned()],
            None => all.clone(),
        };
        for tag in &named {
            world
                .store
                .remove(Table::ImageTag, &format!("{name}\n{tag}"));
        }
        if named.len() == all.len() {
            world
                .store
                .remove(Table::Image, &format!("{name}\n{digest}"));
        }
        let mut id = id.clone();
        set(&mut id, "imageDigest", digest);
        gone.push(id);
    }
    Ok(json!({ "imageIds": gone, "failures": failures }))
}

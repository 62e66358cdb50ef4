//! The images of ECR repositories, with their digests, tags and dates; each repository once in a look.

use std::sync::Arc;

use aws_sdk_ecr::types::ImageIdentifier;
use serde_json::Value;

use super::{Aws, Error, download, pages};

/// Images a page: the most that ECR gives.
const PAGE: i32 = 1000;

/// An image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// `sha256:...`.
    pub digest: String,
    /// Its tags; none for an untagged one.
    pub tags: Vec<String>,
    /// When it was pushed: seconds since the Unix epoch.
    pub pushed: i64,
}

/// Every image of a repository.
pub async fn images(aws: &Aws, repository: &str) -> Result<Arc<Vec<Image>>, Error> {
    aws.look()
        .once(format!("ecr:DescribeImages:{repository}"), || {
            pages::all("ecr:DescribeImages", |token| page(aws, repository, token))
        })
        .await
}

async fn page(
    aws: &Aws,
    repository: &str,
    token: Option<String>,
) -> Result<(Vec<Image>, Option<String>), Error> {
    let answer = aws
        .read("ecr:DescribeImages", |clients| {
            clients
                .ecr
                .describe_images()
                .repository_name(repository)
                .max_results(PAGE)
                .set_next_token(token.clone())
                .send()
        })
        .await?;
    let images = answer.image_details.unwrap_or_default().into_iter();
    let images = images.filter_map(|image| {
        Some(Image {
            digest: image.image_digest?,
            tags: image.image_tags.unwrap_or_default(),
            pushed: image.image_pushed_at.map_or(0, |date| date.secs()),
        })
    });
    Ok((images.collect(), answer.next_token))
}

/// The processors that an image is for, as a task definition names them: those of an image list, else the one in the
/// configuration of a plain image. None where they cannot be told.
pub async fn architectures(
    aws: &Aws,
    repository: &str,
    digest: &str,
) -> Result<Vec<String>, Error> {
    let manifest = manifest(aws, repository, digest).await?;
    let listed = in_list(&manifest);
    let config = manifest.get("config");
    let config = config.and_then(|config| config.get("digest")?.as_str());
    let (true, Some(config)) = (listed.is_empty(), config) else {
        return Ok(listed);
    };
    let answer = aws
        .read("ecr:GetDownloadUrlForLayer", |clients| {
            clients
                .ecr
                .get_download_url_for_layer()
                .repository_name(repository)
                .layer_digest(config)
                .send()
        })
        .await?;
    let Some(url) = answer.download_url else {
        return Ok(Vec::new());
    };
    let config = download::get(aws, &url).await?;
    let config: Value = serde_json::from_slice(&config.body).unwrap_or_default();
    let name = config.get("architecture").and_then(Value::as_str);
    Ok(name.map(spelled).into_iter().collect())
}

/// An architecture of a manifest as ECS spells it.
fn spelled(name: &str) -> String {
    match name {
        "amd64" => "X86_64".to_owned(),
        "arm64" => "ARM64".to_owned(),
        other => other.to_ascii_uppercase(),
    }
}

async fn manifest(aws: &Aws, repository: &str, digest: &str) -> Result<Value, Error> {
    let answer = aws
        .read("ecr:BatchGetImage", |clients| {
            let image = ImageIdentifier::builder().image_digest(digest).build();
            clients
                .ecr
                .batch_get_image()
                .repository_name(repository)
                .image_ids(image)
                .send()
        })
        .await?;
    let image = answer.images.unwrap_or_default().into_iter().next();
    let manifest = image
        .and_then(|image| image.image_manifest)
        .unwrap_or_default();
    Ok(serde_json::from_str(&manifest).unwrap_or_default())
}

fn in_list(manifest: &Value) -> Vec<String> {
    let entries = manifest.get("manifests").and_then(Value::as_array);
    let names = entries.into_iter().flatten().filter_map(|entry| {
        let name = entry.get("platform")?.get("architecture")?.as_str()?;
        // A build's attestations are entries of no platform.
        (name != "unknown").then(|| spelled(name))
    });
    names.collect()
}

//! The images of ECR repositories, with their digests, tags and dates; each repository once in a look.

use std::sync::Arc;

use aws_sdk_ecr::types::ImageIdentifier;
use serde_json::Value;

use super::{Aws, Error, pages};

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

/// The processors that an image list is for, as its manifest names them; none for an image of one processor, whose
/// manifest does not say which.
pub async fn architectures(
    aws: &Aws,
    repository: &str,
    digest: &str,
) -> Result<Vec<String>, Error> {
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
    let manifest: Value = serde_json::from_str(&manifest).unwrap_or_default();
    let entries = manifest.get("manifests").and_then(Value::as_array);
    let names = entries.into_iter().flatten().filter_map(|entry| {
        let name = entry.get("platform")?.get("architecture")?.as_str()?;
        // A build's attestations are entries of no platform.
        (name != "unknown").then(|| name.to_owned())
    });
    Ok(names.collect())
}

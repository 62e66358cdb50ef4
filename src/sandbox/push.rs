//! Pushing an image as a build would: an image of no layers, whose config says what it is for. For
//! trying things out, and for the tests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::account::Sandbox;
use super::error::ServiceError;
use super::protocol::Service;

impl Sandbox {
    /// Pushes an image with this config under a tag; gives its digest. ECR's error where the
    /// repository is not there, or does not take the tag.
    pub fn push(&self, repository: &str, tag: &str, config: &str) -> Result<String, ServiceError> {
        let ask = |operation: &str, input| self.ask(Service::Ecr, operation, input);
        let upload = ask("InitiateLayerUpload", json!({"repositoryName": repository}))?;
        let upload = upload.get("uploadId").cloned().unwrap_or_default();
        ask(
            "UploadLayerPart",
            json!({
                "repositoryName": repository,
                "uploadId": upload,
                "partFirstByte": 0,
                "partLastByte": config.len().saturating_sub(1),
                "layerPartBlob": STANDARD.encode(config),
            }),
        )?;
        let digest = Self::digest(config.as_bytes());
        ask(
            "CompleteLayerUpload",
            json!({"repositoryName": repository, "uploadId": upload, "layerDigests": [digest]}),
        )?;
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": digest,
                "size": config.len(),
            },
            "layers": [],
        });
        let answer = ask(
            "PutImage",
            json!({
                "repositoryName": repository,
                "imageManifest": manifest.to_string(),
                "imageManifestMediaType": "application/vnd.oci.image.manifest.v1+json",
                "imageTag": tag,
            }),
        )?;
        let digest = answer
            .get("image")
            .and_then(|image| image.get("imageId")?.get("imageDigest")?.as_str());
        Ok(digest.unwrap_or_default().to_owned())
    }
}

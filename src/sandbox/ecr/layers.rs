//! Layers and image configurations: uploaded in parts, downloaded from a URL that the sandbox
//! answers itself.

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::error::{Answer, ServiceError};
use super::super::protocol::{Call, respond};
use super::super::store::{Store, Table};
use super::super::world::{Members as _, World};
use super::find;

/// Where layers are downloaded from: a name that never resolves, since the sandbox answers it.
const HOST: &str = "https://layers.sandbox.invalid/";

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "GetAuthorizationToken" => Ok(authorization(world)),
        "InitiateLayerUpload" => initiate(call, world),
        "UploadLayerPart" => upload(call, world),
        "CompleteLayerUpload" => complete(call, world),
        "BatchCheckLayerAvailability" => check(call, world),
        "GetDownloadUrlForLayer" => url(call, world),
        _ => return None,
    })
}

fn authorization(world: &World<'_>) -> Value {
    let (account, region) = (world.account, world.region);
    // Twelve hours, as facts.md section 5 has it.
    let expires = world.now + 43_200.0;
    let data = json!({
        "authorizationToken": STANDARD.encode("AWS:sandbox"),
        "expiresAt": expires,
        "proxyEndpoint": format!("https://{account}.dkr.ecr.{region}.amazonaws.com"),
    });
    json!({ "authorizationData": [data] })
}

fn initiate(call: &Call, world: &mut World<'_>) -> Answer {
    let name = find(call, world)?.0;
    let upload = world.uuid();
    world.store.put(
        Table::Layer,
        &format!("{name}\nupload {upload}"),
        json!({ "blob": "" }),
    );
    Ok(json!({ "uploadId": upload, "partSize": 20_971_520 }))
}

/// The bytes of a part or a whole, from their base64 form.
fn bytes(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap_or_default()
}

fn upload_key(call: &Call, world: &World<'_>) -> Result<String, ServiceError> {
    let (name, _) = find(call, world)?;
    let key = format!("{name}\nupload {}", call.input.str("uploadId"));
    if world.store.has(Table::Layer, &key) {
        return Ok(key);
    }
    Err(ServiceError::new(
        "UploadNotFoundException",
        "The upload could not be found.",
    ))
}

fn upload(call: &Call, world: &mut World<'_>) -> Answer {
    let key = upload_key(call, world)?;
    let mut whole = world
        .store
        .get(Table::Layer, &key)
        .map(|layer| bytes(layer.str("blob")))
        .unwrap_or_default();
    whole.extend(bytes(call.input.str("layerPartBlob")));
    let last = whole.len().saturating_sub(1);
    world.store.put(
        Table::Layer,
        &key,
        json!({ "blob": STANDARD.encode(whole) }),
    );
    let (name, _) = find(call, world)?;
    let upload = call.input.str("uploadId");
    Ok(
        json!({ "registryId": world.account, "repositoryName": name, "uploadId": upload, "lastByteReceived": last }),
    )
}

fn complete(call: &Call, world: &mut World<'_>) -> Answer {
    let key = upload_key(call, world)?;
    let blob = world
        .store
        .get(Table::Layer, &key)
        .map(|layer| bytes(layer.str("blob")))
        .unwrap_or_default();
    let digest = super::images::digest(&blob);
    if !call.input.texts("layerDigests").contains(&digest.as_str()) {
        let message = "The layer digest calculation performed by Amazon ECR did not match the digest specified.";
        return Err(ServiceError::new("InvalidLayerException", message));
    }
    let (name, _) = find(call, world)?;
    world.store.remove(Table::Layer, &key);
    world.store.put(
        Table::Layer,
        &format!("{name}\n{digest}"),
        json!({ "blob": STANDARD.encode(blob) }),
    );
    let upload = call.input.str("uploadId");
    Ok(
        json!({ "registryId": world.account, "repositoryName": name, "uploadId": upload, "layerDigest": digest }),
    )
}

fn check(call: &Call, world: &World<'_>) -> Answer {
    let (name, _) = find(call, world)?;
    let (mut layers, mut failures) = (Vec::new(), Vec::new());
    for digest in call.input.texts("layerDigests") {
        match read(world.store, name, digest) {
            Some(blob) => layers.push(json!({
                "layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": blob.len(),
            })),
            None => failures.push(json!({
                "layerDigest": digest, "failureCode": "MissingLayerDigest", "failureReason": "Layer not found",
            })),
        }
    }
    Ok(json!({ "layers": layers, "failures": failures }))
}

fn url(call: &Call, world: &World<'_>) -> Answer {
    let (name, _) = find(call, world)?;
    let digest = call.input.str("layerDigest");
    if read(world.store, name, digest).is_none() {
        let message = format!(
            "The layer with digest '{digest}' does not exist in the repository with name '{name}'"
        );
        return Err(ServiceError::new("LayersNotFoundException", message));
    }
    Ok(json!({ "downloadUrl": format!("{HOST}{name}/{digest}"), "layerDigest": digest }))
}

/// The bytes of a layer.
pub(in super::super) fn read(store: &Store, repository: &str, digest: &str) -> Option<Vec<u8>> {
    store
        .get(Table::Layer, &format!("{repository}\n{digest}"))
        .map(|layer| bytes(layer.str("blob")))
}

/// Answers a download; none where the request is for no layer.
pub(in super::super) fn download(store: &Store, request: &HttpRequest) -> Option<HttpResponse> {
    let (repository, digest) = request.uri().strip_prefix(HOST)?.rsplit_once('/')?;
    Some(match read(store, repository, digest) {
        Some(blob) => respond(200, "application/octet-stream", blob, ""),
        None => respond(404, "text/plain", "no such layer", ""),
    })
}

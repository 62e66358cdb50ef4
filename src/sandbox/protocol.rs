//! The languages that the services speak: awsQuery (form in, XML out), awsJson (JSON both ways) and
//! rpcv2Cbor (CBOR both ways). Everything above sees only a [`Call`] and a JSON answer.

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::{Map, Value};

use super::error::ServiceError;
use super::{cbor, xml};

/// A service that the sandbox plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Identity and Access Management.
    Iam,
    /// Security Token Service.
    Sts,
    /// Elastic Container Service.
    Ecs,
    /// Elastic Container Registry.
    Ecr,
    /// CloudWatch Logs.
    Logs,
    /// Secrets Manager.
    SecretsManager,
    /// Systems Manager, its parameters only.
    Ssm,
    /// The Resource Groups Tagging API.
    Tagging,
    /// CloudTrail, which tells of the changes that the sandbox was asked for.
    CloudTrail,
    /// CloudWatch alarms.
    CloudWatch,
}

/// Every service with the name of its IAM actions, the prefix of its targets, and the version that
/// its form bodies give (empty where it does not speak that protocol).
const SERVICES: [(Service, &str, &str, &str); 10] = [
    (Service::Iam, "iam", "", "2010-05-08"),
    (Service::Sts, "sts", "", "2011-06-15"),
    (
        Service::Ecs,
        "ecs",
        "AmazonEC2ContainerServiceV20141113",
        "",
    ),
    (
        Service::Ecr,
        "ecr",
        "AmazonEC2ContainerRegistry_V20150921",
        "",
    ),
    (Service::Logs, "logs", "Logs_20140328", ""),
    (
        Service::SecretsManager,
        "secretsmanager",
        "secretsmanager",
        "",
    ),
    (Service::Ssm, "ssm", "AmazonSSM", ""),
    (
        Service::Tagging,
        "tag",
        "ResourceGroupsTaggingAPI_20170126",
        "",
    ),
    (Service::CloudTrail, "cloudtrail", "CloudTrail_20131101", ""),
    (
        Service::CloudWatch,
        "cloudwatch",
        "GraniteServiceVersion20100801",
        "2010-08-01",
    ),
];

impl Service {
    /// The name in front of the colon in the service's IAM actions.
    #[must_use]
    pub fn name(self) -> &'static str {
        SERVICES
            .iter()
            .find(|row| row.0 == self)
            .map_or("", |row| row.1)
    }

    /// The service of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        SERVICES.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    fn version(self) -> &'static str {
        SERVICES
            .iter()
            .find(|row| row.0 == self)
            .map_or("", |row| row.3)
    }

    /// The protocol of a request that did not come over HTTP.
    fn protocol(self) -> Protocol {
        if self.version().is_empty() {
            Protocol::Json
        } else {
            Protocol::Query
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Json,
    Query,
    Cbor,
}

/// One request, whatever its protocol.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who is asked.
    pub service: Service,
    /// What is asked.
    pub operation: String,
    /// The members of the request; in a form body every scalar is a string.
    pub input: Map<String, Value>,
    pub(super) protocol: Protocol,
    /// The region that the request was signed for; empty where it was not signed.
    pub(super) region: String,
    pub(super) access_key: String,
}

impl Call {
    /// A request that did not come over HTTP.
    pub(super) fn direct(service: Service, operation: &str, input: Map<String, Value>) -> Self {
        let protocol = service.protocol();
        let operation = operation.to_owned();
        Self {
            service,
            operation,
            input,
            protocol,
            region: String::new(),
            access_key: String::new(),
        }
    }

    /// Whether the operation only reads.
    #[must_use]
    pub fn reads(&self) -> bool {
        const READS: [&str; 8] = [
            "Get",
            "List",
            "Describe",
            "BatchGet",
            "BatchCheck",
            "Lookup",
            "Filter",
            "Discover",
        ];
        READS
            .iter()
            .any(|prefix| self.operation.starts_with(prefix))
            || self.service == Service::Sts
            || self.operation == "StartLiveTail"
    }
}

/// Reads a request. The error is an answer already, since without a service there is no protocol.
pub(super) fn parse(request: &HttpRequest) -> Result<Call, Box<HttpResponse>> {
    let (access_key, region) =
        credential(request.headers().get("authorization").unwrap_or_default());
    let (service, operation, input, protocol) = parts(request)?;
    Ok(Call {
        service,
        operation,
        input,
        protocol,
        region,
        access_key,
    })
}

type Parts = (Service, String, Map<String, Value>, Protocol);

/// Who is asked what, and in which language.
fn parts(request: &HttpRequest) -> Result<Parts, Box<HttpResponse>> {
    let body = request.body().bytes().unwrap_or_default();
    if let Some(target) = request.headers().get("x-amz-target") {
        return json_parts(target, body);
    }
    if let Some((service, operation)) = rpc(request) {
        let Some(Value::Object(input)) = cbor::decode(body) else {
            return Err(no_document(Protocol::Cbor, service));
        };
        return Ok((service, operation, input, Protocol::Cbor));
    }
    let form = xml::form(&String::from_utf8_lossy(body));
    let member = |name: &str| {
        form.get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let (operation, version) = (member("Action"), member("Version"));
    let spoken = |row: &&(Service, &str, &str, &str)| row.3 == version && !version.is_empty();
    let Some(row) = SERVICES.iter().find(spoken) else {
        let what = format!("{} {}", request.method(), request.uri());
        return Err(Box::new(unknown_operation(Protocol::Query, &what)));
    };
    Ok((row.0, operation, form, Protocol::Query))
}

fn json_parts(target: &str, body: &[u8]) -> Result<Parts, Box<HttpResponse>> {
    let (prefix, operation) = target.rsplit_once('.').unwrap_or(("", target));
    // CloudTrail's target carries its Java package.
    let prefix = prefix.rsplit('.').next().unwrap_or(prefix);
    let Some(row) = SERVICES
        .iter()
        .find(|row| row.2 == prefix && !prefix.is_empty())
    else {
        return Err(Box::new(unknown_operation(Protocol::Json, target)));
    };
    let input = match serde_json::from_slice(body) {
        Ok(Value::Object(input)) => input,
        _ if body.is_empty() => Map::new(),
        _ => return Err(no_document(Protocol::Json, row.0)),
    };
    Ok((row.0, operation.to_owned(), input, Protocol::Json))
}

fn no_document(protocol: Protocol, service: Service) -> Box<HttpResponse> {
    let error = ServiceError::new("SerializationException", "The body is no such document.");
    Box::new(refuse(protocol, service, &error, ""))
}

/// Service and operation of rpcv2Cbor's path, `/service/NAME/operation/NAME`.
fn rpc(request: &HttpRequest) -> Option<(Service, String)> {
    if request.headers().get("smithy-protocol") != Some("rpc-v2-cbor") {
        return None;
    }
    let (_, path) = request.uri().rsplit_once("/service/")?;
    let (name, operation) = path.split_once("/operation/")?;
    let row = SERVICES
        .iter()
        .find(|row| row.2 == name && !name.is_empty())?;
    Some((row.0, operation.to_owned()))
}

/// The access key and the region of `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/...`.
fn credential(authorization: &str) -> (String, String) {
    let scope = authorization
        .split("Credential=")
        .nth(1)
        .unwrap_or_default();
    let mut parts = scope.split('/');
    let key = parts.next().unwrap_or_default().to_owned();
    (key, parts.nth(1).unwrap_or_default().to_owned())
}

fn unknown_operation(protocol: Protocol, what: &str) -> HttpResponse {
    refuse(protocol, Service::Sts, &lacking(what), "")
}

/// The error for what the sandbox does not play.
pub(super) fn lacking(what: &str) -> ServiceError {
    ServiceError::new(
        "UnknownOperationException",
        format!("The sandbox does not play {what}."),
    )
}

/// The HTTP answer that says yes.
pub(super) fn accept(call: &Call, answer: &Value, request_id: &str) -> HttpResponse {
    match call.protocol {
        Protocol::Json => respond(
            200,
            "application/x-amz-json-1.1",
            answer.to_string(),
            request_id,
        ),
        Protocol::Cbor => in_cbor(200, answer, request_id),
        Protocol::Query => {
            let body = xml::answer(
                &call.operation,
                call.service.version(),
                answer,
                request_id,
                namespace(call.service),
            );
            respond(200, "text/xml", body, request_id)
        }
    }
}

/// The HTTP answer that says no.
pub(super) fn refuse(
    protocol: Protocol,
    service: Service,
    error: &ServiceError,
    request_id: &str,
) -> HttpResponse {
    match protocol {
        Protocol::Json => {
            // Secrets Manager alone writes its message with a capital; the SDK reads both.
            let body =
                serde_json::json!({ "__type": error.code, "message": error.message }).to_string();
            respond(error.status, "application/x-amz-json-1.1", body, request_id)
        }
        Protocol::Cbor => {
            let body = serde_json::json!({ "__type": error.code, "message": error.message });
            in_cbor(error.status, &body, request_id)
        }
        Protocol::Query => {
            let body = xml::error(error, service.version(), request_id, namespace(service));
            respond(error.status, "text/xml", body, request_id)
        }
    }
}

fn in_cbor(status: u16, body: &Value, request_id: &str) -> HttpResponse {
    let mut response = respond(status, "application/cbor", cbor::encode(body), request_id);
    response
        .headers_mut()
        .insert("smithy-protocol", "rpc-v2-cbor");
    response
}

fn namespace(service: Service) -> &'static str {
    match service {
        Service::Iam => "https://iam.amazonaws.com/doc/",
        Service::Sts => "https://sts.amazonaws.com/doc/",
        _ => "http://monitoring.amazonaws.com/doc/",
    }
}

/// Builds a response; a status that is none becomes 500.
pub(super) fn respond(
    status: u16,
    content_type: &'static str,
    body: impl Into<SdkBody>,
    request_id: &str,
) -> HttpResponse {
    let status = StatusCode::try_from(status).or_else(|_| StatusCode::try_from(500));
    let mut response = match status {
        Ok(status) => HttpResponse::new(status, body.into()),
        Err(_) => HttpResponse::new(http::StatusCode::INTERNAL_SERVER_ERROR.into(), body.into()),
    };
    response.headers_mut().insert("content-type", content_type);
    if !request_id.is_empty() {
        response
            .headers_mut()
            .insert("x-amzn-requestid", request_id.to_owned());
    }
    response
}

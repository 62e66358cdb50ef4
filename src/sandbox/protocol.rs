//! The two languages that the services speak: awsQuery (form in, XML out) and awsJson (JSON both
//! ways). Everything above sees only a [`Call`] and a JSON answer.

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::{Map, Value};

use super::error::ServiceError;
use super::xml;

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
    /// CloudTrail, which has seen nothing.
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
    }
}

/// Reads a request. The error is an answer already, since without a service there is no protocol.
pub(super) fn parse(request: &HttpRequest) -> Result<Call, Box<HttpResponse>> {
    let body = request.body().bytes().unwrap_or_default();
    let (access_key, region) =
        credential(request.headers().get("authorization").unwrap_or_default());
    if let Some(target) = request.headers().get("x-amz-target") {
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
            _ => {
                let error =
                    ServiceError::new("SerializationException", "The body is not a JSON object.");
                return Err(Box::new(refuse(Protocol::Json, row.0, &error, "")));
            }
        };
        let operation = operation.to_owned();
        return Ok(Call {
            service: row.0,
            operation,
            input,
            protocol: Protocol::Json,
            region,
            access_key,
        });
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
    Ok(Call {
        service: row.0,
        operation,
        input: form,
        protocol: Protocol::Query,
        region,
        access_key,
    })
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
        Protocol::Query => {
            let body = xml::error(error, service.version(), request_id, namespace(service));
            respond(error.status, "text/xml", body, request_id)
        }
    }
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

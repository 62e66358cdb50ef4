//! Plays the fault script: counts requests, picks the fault of each, and makes its errors in the
//! protocol of the service.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use serde_json::{Value, json};

use super::account::Crash;
use super::carry::Delivery;
use super::ecs::Behaviour;
use super::error::{Answer, ServiceError};
use super::faults::{FaultKind, Script, TaskScript, View, fits};
use super::protocol::{self, Call, Service};
use super::stale::{self, Unseen};
use super::store::{Store, Touched};

/// Where a script stands.
#[derive(Debug, Default)]
pub(super) struct Player {
    pub(super) script: Script,
    /// How many requests came in so far.
    pub(super) requests: u64,
    /// The process is dead: nothing is answered.
    pub(super) crashed: bool,
    expired: bool,
    /// Matches so far, by fault.
    matches: Vec<u64>,
    writes: u64,
    unseen: Vec<Unseen>,
    last_journal: Vec<Touched>,
    /// Rollouts so far, by line of the script.
    rollouts: Vec<u64>,
}

impl Player {
    pub(super) fn of(script: Script) -> Self {
        let matches = vec![0; script.fault.len()];
        let rollouts = vec![0; script.rollout.len()];
        Self {
            script,
            matches,
            rollouts,
            ..Self::default()
        }
    }

    /// A new process, with new credentials.
    pub(super) fn revive(&mut self) {
        self.crashed = false;
        self.expired = false;
    }

    /// The records were replaced, so that no write is unseen.
    pub(super) fn forget_writes(&mut self) {
        self.unseen.clear();
    }

    pub(super) fn view(&self) -> View {
        let Script {
            page_size,
            shuffle,
            respell,
            ..
        } = self.script;
        View {
            page_size,
            shuffle,
            respell,
            principals_as_ids: false,
        }
    }

    /// Counts a request and says what goes wrong with it: the first line of the script that fits.
    pub(super) fn pick(&mut self, call: &Call) -> Option<FaultKind> {
        self.requests += 1;
        let name = format!("{}:{}", call.service.name(), call.operation);
        let as_write = format!("write:{}", call.operation);
        let mut picked = None;
        for (fault, seen) in self.script.fault.iter().zip(&mut self.matches) {
            let named = fits(&fault.operation, &name)
                || (!call.reads() && fits(&fault.operation, &as_write));
            let fitting = named
                && fault.call.is_none_or(|number| number <= self.requests)
                && fault
                    .resource
                    .as_ref()
                    .is_none_or(|name| call.input.values().any(|value| holds(value, name)));
            if !fitting {
                continue;
            }
            *seen += 1;
            let first = if fault.call.is_some() {
                1
            } else {
                fault.nth.max(1)
            };
            // A fault by number hits that very request, not the next one that fits.
            let exact = fault
                .call
                .is_none_or(|number| number == self.requests || *seen > 1);
            let due = *seen >= first && *seen - first < fault.times.count();
            if due && exact && picked.is_none() {
                picked = Some(fault.kind);
            }
        }
        if picked == Some(FaultKind::TokenExpired) {
            self.expired = true;
        }
        if self.expired {
            Some(FaultKind::TokenExpired)
        } else {
            picked
        }
    }

    /// What happens before the request is carried out, where the fault keeps it from being so.
    pub(super) fn before(
        &mut self,
        call: &Call,
        fault: Option<FaultKind>,
        request_id: &str,
        account: &str,
    ) -> Option<Delivery> {
        let kind = fault?;
        if kind == FaultKind::CrashBefore {
            self.crashed = true;
        }
        let broken = match kind {
            FaultKind::CrashBefore => Some(crash()),
            FaultKind::LostRequest => Some(timeout()),
            FaultKind::ResetBefore => Some(reset()),
            _ => None,
        };
        if let Some(error) = broken {
            return Some(Delivery::Broken(error));
        }
        let error = refusal(kind, call, account)?;
        Some(Delivery::Reply(protocol::refuse(
            call.protocol,
            call.service,
            &error,
            request_id,
        )))
    }

    /// What becomes of the answer on its way back.
    pub(super) fn after(
        &mut self,
        call: &Call,
        fault: Option<FaultKind>,
        answer: Answer,
        request_id: &str,
    ) -> Delivery {
        match fault {
            Some(FaultKind::CrashAfter) => {
                self.crashed = true;
                return Delivery::Broken(crash());
            }
            Some(FaultKind::LostReply) => return Delivery::Broken(timeout()),
            Some(FaultKind::ResetAfter) => return Delivery::Broken(reset()),
            Some(FaultKind::UnavailableAfter) => {
                let error = ServiceError::with_status(
                    503,
                    "ServiceUnavailable",
                    "The service is unavailable.",
                );
                return Delivery::Reply(protocol::refuse(
                    call.protocol,
                    call.service,
                    &error,
                    request_id,
                ));
            }
            _ => {}
        }
        let response = match answer {
            Ok(answer) => match fault {
                Some(FaultKind::UnknownValues) => {
                    protocol::accept(call, &strange(answer), request_id)
                }
                _ => protocol::accept(call, &answer, request_id),
            },
            Err(error) => protocol::refuse(call.protocol, call.service, &error, request_id),
        };
        match fault {
            Some(FaultKind::TruncatedBody) => {
                Delivery::Reply(truncated(response.body().bytes(), request_id, call))
            }
            Some(FaultKind::Slow) => Delivery::Late(response),
            _ => Delivery::Reply(response),
        }
    }

    /// The records as a lagging reader sees them, where this request is one.
    pub(super) fn stale_look(&mut self, call: &Call, store: &Store) -> Option<(Store, bool)> {
        if !call.reads() || self.unseen.is_empty() {
            return None;
        }
        // The tagging API lags behind all the others.
        let concerns =
            |write: &Unseen| call.service == Service::Tagging || write.service == call.service;
        let mine: Vec<&Unseen> = self.unseen.iter().filter(|write| concerns(write)).collect();
        let look = (!mine.is_empty()).then(|| stale::look(store, &mine));
        for write in self
            .unseen
            .iter_mut()
            .filter(|write| write.service == call.service)
        {
            write.left = write.left.saturating_sub(1);
        }
        self.unseen.retain(|write| write.left > 0);
        look
    }

    /// Remembers a write that reads are not to see yet.
    pub(super) fn remember(&mut self, call: &Call, touched: Vec<Touched>) {
        let Some(stale) = &self.script.stale else {
            return;
        };
        if call.reads()
            || !fits(
                &stale.operation,
                &format!("{}:{}", call.service.name(), call.operation),
            )
        {
            return;
        }
        self.writes += 1;
        if stale.nth.is_none_or(|nth| nth == self.writes) && stale.reads.count() > 0 {
            let (shape, left) = (stale.shape, stale.reads.count());
            self.unseen.push(Unseen {
                service: call.service,
                shape,
                left,
                touched,
            });
        }
    }

    pub(super) fn set_last_journal(&mut self, journal: Vec<Touched>) {
        self.last_journal = journal;
    }

    pub(super) fn take_last_journal(&mut self) -> Vec<Touched> {
        std::mem::take(&mut self.last_journal)
    }

    /// What a page answers that is not AWS's: 200 unless the script says otherwise.
    pub(super) fn page(&self, url: &str) -> HttpResponse {
        let line = self.script.http.iter().find(|line| fits(&line.url, url));
        let status = line.map_or(200, |line| line.status);
        let mut response = protocol::respond(status, "text/plain", "the sandbox answers", "");
        if let Some(to) = line.and_then(|line| line.location.clone()) {
            response.headers_mut().insert("location", to);
        }
        response
    }

    /// What becomes of a task that is run with this command.
    pub(super) fn task(&self, command: &str) -> TaskScript {
        let line = self
            .script
            .task
            .iter()
            .find(|line| fits(&line.command, command));
        line.cloned().unwrap_or_default()
    }

    /// How the next rollout of a service goes.
    pub(super) fn behaviour(&mut self, service: &str) -> Behaviour {
        for (line, seen) in self.script.rollout.iter().zip(&mut self.rollouts) {
            if fits(&line.service, service) {
                *seen += 1;
                return if *seen <= line.times.count() {
                    line.behaviour.clone()
                } else {
                    Behaviour::Quick
                };
            }
        }
        Behaviour::Quick
    }
}

fn holds(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => text == name || text.rsplit('/').next() == Some(name),
        Value::Array(items) => items.iter().any(|item| holds(item, name)),
        Value::Object(members) => members.values().any(|member| holds(member, name)),
        _ => false,
    }
}

pub(super) fn crash() -> ConnectorError {
    ConnectorError::other(Box::new(Crash), None)
}

fn timeout() -> ConnectorError {
    ConnectorError::timeout("the reply did not come in time".into())
}

fn reset() -> ConnectorError {
    ConnectorError::io(Box::new(std::io::Error::from(
        std::io::ErrorKind::ConnectionReset,
    )))
}

fn truncated(
    body: Option<&[u8]>,
    request_id: &str,
    call: &Call,
) -> aws_smithy_runtime_api::http::Response {
    let body = body.unwrap_or_default();
    // Half of the body, and never all of it: an empty answer ends before its last character.
    let half = body.get(..body.len() / 2).unwrap_or_default().to_vec();
    let content_type = match call.protocol {
        protocol::Protocol::Json => "application/x-amz-json-1.1",
        protocol::Protocol::Query => "text/xml",
        protocol::Protocol::Cbor => "application/cbor",
    };
    protocol::respond(200, content_type, half, request_id)
}

/// The refusal of a fault, in the words of the service; none where the fault is no refusal.
fn refusal(kind: FaultKind, call: &Call, account: &str) -> Option<ServiceError> {
    let query = call.protocol == protocol::Protocol::Query;
    let action = format!("{}:{}", call.service.name(), call.operation);
    let pick = |in_xml: &'static str, in_json: &'static str| if query { in_xml } else { in_json };
    Some(match kind {
        FaultKind::Throttled => {
            ServiceError::new(pick("Throttling", "ThrottlingException"), "Rate exceeded")
        }
        FaultKind::InternalBefore => ServiceError::with_status(
            500,
            pick("ServiceFailure", internal(call.service)),
            "An internal error occurred.",
        ),
        FaultKind::AccessDenied => {
            let status = if query { 403 } else { 400 };
            let message = format!(
                "User: arn:aws:iam::{account}:user/sandbox is not authorized to perform: {action} on resource: * because no identity-based policy allows the {action} action"
            );
            ServiceError::with_status(
                status,
                pick("AccessDenied", "AccessDeniedException"),
                message,
            )
        }
        FaultKind::TokenExpired => {
            let status = if query { 403 } else { 400 };
            let message = "The security token included in the request is expired";
            ServiceError::with_status(
                status,
                pick("ExpiredToken", "ExpiredTokenException"),
                message,
            )
        }
        FaultKind::ConcurrentModification => concurrent(call.service),
        FaultKind::DeleteConflict => hanging(call.service),
        FaultKind::QuotaExceeded => ServiceError::new(
            pick("LimitExceeded", "LimitExceededException"),
            "Cannot exceed the quota of the account.",
        ),
        FaultKind::Unsettled => unsettled(call.service),
        FaultKind::UnknownError => {
            // A write is answered with a status that is no error's either.
            let status = if call.reads() { 400 } else { 300 };
            ServiceError::with_status(status, "SandboxStrangeness", "Nobody knows this error.")
        }
        FaultKind::UnknownOperation => ServiceError::new(
            pick("InvalidAction", "UnknownOperationException"),
            format!("Unknown operation {action}."),
        ),
        _ => return None,
    })
}

fn internal(service: Service) -> &'static str {
    match service {
        Service::SecretsManager => "InternalServiceError",
        Service::Ssm => "InternalServerError",
        Service::Tagging => "InternalServiceException",
        Service::Logs => "ServiceUnavailableException",
        _ => "ServerException",
    }
}

/// Somebody else writes the same resource.
fn concurrent(service: Service) -> ServiceError {
    let message = "The request was rejected because multiple requests to change this resource were submitted simultaneously. Wait a few minutes and submit your request again.";
    match service {
        Service::Iam => ServiceError::with_status(409, "ConcurrentModification", message),
        Service::Ecs => ServiceError::new("UpdateInProgressException", message),
        Service::Logs => ServiceError::new("OperationAbortedException", message),
        Service::SecretsManager => ServiceError::new("InvalidRequestException", message),
        _ => ServiceError::new("ServerException", message),
    }
}

/// A role that was made a moment ago has not arrived where it is asked for.
fn unsettled(service: Service) -> ServiceError {
    if service == Service::Iam {
        let message = "Invalid principal in policy: \"AWS\":\"arn:aws:iam::111122223333:role/new\"";
        return ServiceError::new("MalformedPolicyDocument", message);
    }
    let message = "Unable to assume the service linked role. Please verify that the ECS service linked role exists.";
    ServiceError::new("InvalidParameterException", message)
}

/// Something still hangs on the resource.
fn hanging(service: Service) -> ServiceError {
    let message = "Cannot delete entity, something is still attached to it.";
    match service {
        Service::Iam => ServiceError::with_status(409, "DeleteConflict", message),
        Service::Ecs => ServiceError::new("ClusterContainsServicesException", message),
        Service::Ecr => ServiceError::new("RepositoryNotEmptyException", message),
        Service::Logs => ServiceError::new("OperationAbortedException", message),
        _ => ServiceError::new("InvalidRequestException", message),
    }
}

/// An answer from the future: enum values and members that nobody knows yet.
fn strange(mut answer: Value) -> Value {
    const ENUMS: [&str; 10] = [
        "status",
        "rolloutState",
        "launchType",
        "imageTagMutability",
        "schedulingStrategy",
        "networkMode",
        "logGroupClass",
        "encryptionType",
        "PermissionsBoundaryType",
        "Type",
    ];
    match &mut answer {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                let known = ENUMS.contains(&name.as_str()) && member.is_string();
                *member = if known {
                    json!("SANDBOX_STRANGE")
                } else {
                    strange(member.take())
                };
            }
            members.insert("sandboxStrange".to_owned(), json!({ "strange": ["value"] }));
        }
        Value::Array(items) => {
            for item in items {
                *item = strange(item.take());
            }
        }
        _ => {}
    }
    answer
}

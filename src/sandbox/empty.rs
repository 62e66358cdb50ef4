//! The service that has nothing to tell: CloudTrail has seen no event.

use serde_json::json;

use super::error::Answer;
use super::protocol::{Call, Service, lacking};

pub(super) fn answer(call: &Call) -> Answer {
    match (call.service, call.operation.as_str()) {
        (Service::CloudTrail, "LookupEvents") => Ok(json!({ "Events": [] })),
        (service, other) => Err(lacking(&format!("{}:{other}", service.name()))),
    }
}

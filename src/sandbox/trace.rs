//! What was asked of the sandbox and what came of it, request by request. Values of secrets are left
//! out, so that a trace may be printed.

use std::fmt;

use serde_json::{Map, Value};

use super::faults::FaultKind;
use super::protocol::{Call, Service};

/// How a request ended at the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was carried out.
    Done,
    /// It was refused with this error code.
    Refused(String),
    /// It never came to the service.
    NotSent,
}

/// One request.
#[derive(Clone, PartialEq)]
pub struct TraceEntry {
    /// Its number in the run, from 1.
    pub number: u64,
    /// Who was asked.
    pub service: Service,
    /// What was asked.
    pub operation: String,
    /// The members of the request, without values of secrets.
    pub parameters: Map<String, Value>,
    /// Whether the operation only reads.
    pub reads: bool,
    /// Whether any record changed.
    pub wrote: bool,
    /// What the service made of it.
    pub outcome: Outcome,
    /// The fault that the script put in the way.
    pub fault: Option<FaultKind>,
    /// Seconds since the epoch.
    pub at: f64,
}

impl fmt::Debug for TraceEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, operation) = (self.service.name(), &self.operation);
        write!(
            formatter,
            "{} {name}:{operation} {:?}",
            self.number, self.outcome
        )?;
        self.fault
            .map_or(Ok(()), |fault| write!(formatter, " ({fault:?})"))
    }
}

/// The members of a request without values of secrets.
pub(super) fn parameters(call: &Call) -> Map<String, Value> {
    const HIDDEN: [&str; 4] = [
        "SecretString",
        "SecretBinary",
        "Value",
        "ClientRequestToken",
    ];
    let hides = matches!(call.service, Service::SecretsManager | Service::Ssm);
    let mut parameters = call.input.clone();
    if hides {
        for name in HIDDEN {
            if let Some(value) = parameters.get_mut(name) {
                *value = Value::String("(hidden)".to_owned());
            }
        }
    }
    parameters
}

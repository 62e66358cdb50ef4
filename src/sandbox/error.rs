//! A refusal as AWS words it: an HTTP status, the service's error code, a message.

use std::fmt;

/// What a service answers instead of doing what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceError {
    /// The HTTP status.
    pub status: u16,
    /// The error code, as the service spells it on the wire.
    pub code: String,
    /// The service's explanation.
    pub message: String,
}

impl ServiceError {
    /// The caller's mistake: HTTP 400.
    #[must_use]
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self::with_status(400, code, message)
    }

    /// An error with a status of its own (IAM answers 404 and 409).
    #[must_use]
    pub fn with_status(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
        }
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for ServiceError {}

/// What a request leads to: the members of the answer, or a refusal.
pub(super) type Answer = Result<serde_json::Value, ServiceError>;

//! AWS's errors, classified by what the caller should do, with the words for the user.
//! The classifier is ours: the SDK's counts a quota as throttling and re-sends creates.

use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::Attempts;
use crate::error;

/// What an error means for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// It is not there.
    NotFound,
    /// It is there already; after our own create: look again.
    Exists,
    /// The caller may not do this.
    AccessDenied,
    /// The credentials have expired or are invalid.
    Credentials,
    /// Too many requests: later.
    Throttled,
    /// A quota is reached: final.
    Quota,
    /// Something else is being changed at the same time: once more.
    Conflict,
    /// It is in use: what uses it must go first.
    InUse,
    /// Timeout, reset, 5xx: it may or may not have been done.
    Passing,
    /// The endpoint does not know the operation.
    Unsupported,
    /// The request is not valid.
    Invalid,
    /// The answer could not be read.
    Unreadable,
    /// Anything else.
    Other,
}

/// An error of AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What it means.
    pub class: Class,
    /// `service:Operation`, such as `iam:CreateRole`.
    pub operation: String,
    /// AWS's code, such as `NoSuchEntity`; empty where there was no answer.
    pub code: String,
    /// AWS's words.
    pub message: String,
}

/// Longest wait between two attempts: ECS's slowest bucket gives one request a second.
const LONGEST_BACKOFF: Duration = Duration::from_secs(20);
/// Attempts of one request: with the back-offs below they spread over about two minutes, longer than
/// any passing fault that facts.md section 3 names.
const MOST_ATTEMPTS: u32 = 8;

impl Error {
    /// An answer that could not be understood.
    #[must_use]
    pub fn unreadable(what: impl Into<String>) -> Self {
        Self {
            class: Class::Unreadable,
            operation: String::new(),
            code: String::new(),
            message: what.into(),
        }
    }

    pub(super) fn from_sdk<E>(operation: &str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let status = error
            .raw_response()
            .map(|response| response.status().as_u16());
        let code = error.code().unwrap_or_default().to_owned();
        let message = error.message().map_or_else(
            || aws_smithy_types::error::display::DisplayErrorContext(&error).to_string(),
            str::to_owned,
        );
        let class = classify(&code, status, &message);
        Self {
            class,
            operation: operation.to_owned(),
            code,
            message,
        }
    }

    pub(super) fn may_retry(&self, attempts: Attempts, attempt: u32) -> bool {
        let again = match self.class {
            Class::Throttled | Class::Conflict => true,
            Class::Passing => attempts == Attempts::Idempotent,
            _ => false,
        };
        again && attempt < MOST_ATTEMPTS
    }

    #[expect(
        clippy::unused_self,
        reason = "throttling may ask for a longer pause than a reset"
    )]
    pub(super) fn backoff(&self, attempt: u32) -> Duration {
        Duration::from_millis(200)
            .saturating_mul(1 << attempt.min(10))
            .min(LONGEST_BACKOFF)
    }

    /// Whether it says that the thing is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.class == Class::NotFound
    }
}

fn classify(code: &str, status: Option<u16>, _message: &str) -> Class {
    match code {
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => Class::AccessDenied,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException" => Class::Credentials,
        "LimitExceeded" | "LimitExceededException" => Class::Quota,
        "ConcurrentModification"
        | "ConcurrentModificationException"
        | "OperationAbortedException" => Class::Conflict,
        "DeleteConflict" | "RepositoryNotEmptyException" => Class::InUse,
        code if code.starts_with("Throttl")
            || code == "TooManyRequestsException"
            || code == "RequestLimitExceeded" =>
        {
            Class::Throttled
        }
        code if code.contains("NotFound") || code == "NoSuchEntity" => Class::NotFound,
        code if code.contains("AlreadyExists") => Class::Exists,
        "UnknownOperationException" | "InvalidAction" => Class::Unsupported,
        _ => match status {
            None => Class::Passing,
            Some(500..) => Class::Passing,
            Some(400..=499) => Class::Invalid,
            Some(_) => Class::Unreadable,
        },
    }
}

impl Error {
    /// Whether the request may have been done all the same.
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        matches!(
            self.class,
            Class::Exists | Class::Passing | Class::Conflict | Class::Throttled
        )
    }
}

impl From<Error> for error::Error {
    fn from(error: Error) -> Self {
        let uncertain = error.is_uncertain();
        Self::failed(format!(
            "{} failed: {} {}",
            error.operation, error.code, error.message
        ))
        .uncertain(uncertain)
    }
}

//! AWS's errors, classified by what the caller should do, with the words for the user.
//! The classifier is ours: the SDK's counts a quota as throttling and re-sends creates.

use std::error::Error as StandardError;
use std::io;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::classify::{Answer, classify};
use super::hint;
use super::whole::BrokenOff;
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
    /// What it needs was made just now and is not seen yet (IAM's delay): again, up to a deadline,
    /// since a real misconfiguration says the same.
    Unsettled,
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
    /// AWS's code, such as `NoSuchEntity`; `HTTP 502` where the answer had none; one of the words
    /// below where there was no answer.
    pub code: String,
    /// AWS's words.
    pub message: String,
}

/// The code of a request that took too long.
pub(super) const TIMEOUT: &str = "timeout";
/// The code of a request that found nobody at the endpoint.
pub(super) const REFUSED: &str = "connection refused";
/// The code of a request whose connection failed or broke.
pub(super) const BROKEN: &str = "connection failed";
/// The code of a request that could not be signed.
pub(super) const CREDENTIALS: &str = "credentials";
/// The code of a request that the SDK would not send.
pub(super) const UNSENT: &str = "not sent";

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

    /// An answer that came after the request had been given up.
    pub(super) fn late(operation: &str) -> Self {
        Self {
            class: Class::Passing,
            operation: operation.to_owned(),
            code: TIMEOUT.to_owned(),
            message: "The answer came too late.".to_owned(),
        }
    }

    pub(super) fn from_sdk<E>(operation: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + StandardError + Send + Sync + 'static,
    {
        let answer = answer(error);
        let message = error.message().map_or_else(|| causes(error), str::to_owned);
        let class = classify(operation, &answer, &message);
        let code = match answer {
            Answer::Code { code, status: _ } => code,
            Answer::Bare(status) => format!("HTTP {status}"),
            Answer::Garbled(_) => "garbled answer".to_owned(),
            Answer::None(word) => word.to_owned(),
        };
        Self {
            class,
            operation: operation.to_owned(),
            code,
            message,
        }
    }

    /// Whether it says that the thing is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.class == Class::NotFound
    }

    /// Whether the request may have been done all the same.
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        matches!(
            self.class,
            Class::Exists | Class::Passing | Class::Conflict | Class::Throttled | Class::Unreadable
        )
    }
}

fn answer<E>(error: &SdkError<E, HttpResponse>) -> Answer
where
    E: ProvideErrorMetadata + StandardError + Send + Sync + 'static,
{
    if causes_of(error).any(|cause| cause.downcast_ref::<CredentialsError>().is_some()) {
        return Answer::None(CREDENTIALS);
    }
    let status = error
        .raw_response()
        .map(|response| response.status().as_u16());
    match (error, error.code(), status) {
        (_, Some(code), Some(status)) => Answer::Code {
            code: code.to_owned(),
            status,
        },
        (SdkError::TimeoutError(_), ..) => Answer::None(TIMEOUT),
        (SdkError::DispatchFailure(failure), ..) if failure.is_timeout() => Answer::None(TIMEOUT),
        (SdkError::DispatchFailure(failure), ..) if failure.is_user() => Answer::None(UNSENT),
        (SdkError::DispatchFailure(_), ..) if refused(error) => Answer::None(REFUSED),
        (SdkError::ConstructionFailure(_), ..) => Answer::None(UNSENT),
        (_, _, Some(status)) if status < 300 => Answer::Garbled(status),
        (_, _, Some(status)) => Answer::Bare(status),
        (_, _, None) => Answer::None(BROKEN),
    }
}

fn refused(error: &(dyn StandardError + 'static)) -> bool {
    causes_of(error).any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|cause| cause.kind() == io::ErrorKind::ConnectionRefused)
    })
}

fn causes_of<'a>(
    error: &'a (dyn StandardError + 'static),
) -> impl Iterator<Item = &'a (dyn StandardError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The words of an error and of its causes; never the answer's body, which may hold anything.
fn causes(error: &(dyn StandardError + 'static)) -> String {
    if let Some(broken) = causes_of(error).find_map(|cause| cause.downcast_ref::<BrokenOff>()) {
        return broken.to_string();
    }
    let words: Vec<String> = causes_of(error).map(ToString::to_string).collect();
    // The SDK's own word for the kind of failure comes first and says the least.
    match words.as_slice() {
        [_, causes @ ..] if !causes.is_empty() => causes.join(": "),
        _ => words.join(": "),
    }
}

impl From<Error> for error::Error {
    fn from(error: Error) -> Self {
        let uncertain = error.is_uncertain();
        let hint = hint::of(&error);
        let Error {
            class: _,
            operation,
            code,
            message,
        } = error;
        let words = [code, message];
        let words: Vec<&str> = words
            .iter()
            .map(|word| word.trim())
            .filter(|word| !word.is_empty())
            .collect();
        let words = words.join(": ");
        let mut message = if operation.is_empty() {
            format!("AWS's answer could not be read: {words}")
        } else {
            format!("{operation} failed: {words}")
        };
        if !message.ends_with(['.', '!', '?']) {
            message.push('.');
        }
        let error = Self::failed(message).uncertain(uncertain);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

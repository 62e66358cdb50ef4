//! What was seen of an endpoint, check by check, and what AWS shows there.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};

/// Every check with what was seen and what AWS shows.
#[derive(Default)]
pub(crate) struct Checks(BTreeMap<String, (String, String)>);

impl Checks {
    /// Notes what an endpoint shows under `check` and what AWS does.
    pub(crate) fn see(&mut self, check: &str, seen: impl Into<String>, aws: &str) {
        let before = self
            .0
            .insert(check.to_owned(), (seen.into(), aws.to_owned()));
        assert!(before.is_none(), "two checks are called {check}");
    }

    /// The checks that do not show what AWS shows.
    pub(crate) fn deviations(&self) -> impl Iterator<Item = (&str, String)> {
        let differs = self.0.iter().filter(|(_, (seen, aws))| seen != aws);
        differs
            .map(|(check, (seen, aws))| (check.as_str(), format!("AWS shows {aws}, this {seen}")))
    }

    /// Whether a check holds; none where there is no such check.
    pub(crate) fn holds(&self, check: &str) -> Option<bool> {
        self.0.get(check).map(|(seen, aws)| seen == aws)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}

/// `ok`, or the error code of a refusal, or what went wrong on the way.
pub(crate) fn end<T, E, R: Debug>(result: &Result<T, SdkError<E, R>>) -> String
where
    E: ProvideErrorMetadata,
{
    show(result, |_| "ok".to_owned())
}

/// A part of an answer, or the error code of a refusal.
pub(crate) fn show<T, E, R: Debug>(
    result: &Result<T, SdkError<E, R>>,
    part: impl FnOnce(&T) -> String,
) -> String
where
    E: ProvideErrorMetadata,
{
    match result {
        // A part that an answer lacks is a deviation like any other, not the end of the suite.
        Ok(answer) => catch_unwind(AssertUnwindSafe(|| part(answer)))
            .unwrap_or_else(|_| "an answer without it".to_owned()),
        Err(SdkError::ServiceError(error)) => error
            .err()
            .code()
            .map_or_else(|| "no error code".to_owned(), str::to_owned),
        Err(SdkError::ResponseError(_)) => "an answer that is none".to_owned(),
        Err(_) => "no answer".to_owned(),
    }
}

//! When a failed request is sent again, and after how long. The same failures in the same order are
//! followed by the same waits: the jitter comes from the request's number, not from chance.

use std::time::Duration;

use super::error::{REFUSED, TIMEOUT};
use super::{Attempts, Class, Error};

/// Attempts of one request. With the waits below they spread over 30 to 50 s, and over twenty more
/// each where the attempts time out: longer than a passing fault, and bounded.
const MOST_ATTEMPTS: u32 = 8;
/// Attempts where nobody is at the endpoint: it is rather mistyped than restarting.
const MOST_REFUSED: u32 = 3;
/// Attempts that time out: each has taken its full 20 s already.
const MOST_TIMEOUTS: u32 = 4;
/// The wait after the first failure; doubled after each further one.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// Longest wait between two attempts: the slowest of ECS's buckets gives one token a second, and 16
/// requests in flight may want it.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// How long IAM's delay is waited out. New roles were seen to take 10 to 30 s (facts.md section 3);
/// the same words also mean a real misconfiguration, so not for ever.
const SETTLING: Duration = Duration::from_mins(2);

/// One request's attempts so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retry {
    attempts: Attempts,
    count: u32,
    unsettled_since: Option<Duration>,
}

impl Retry {
    pub(super) fn new(attempts: Attempts) -> Self {
        Self {
            attempts,
            count: 0,
            unsettled_since: None,
        }
    }

    /// Begins an attempt; gives its number, from 1.
    pub(super) fn begin(&mut self) -> u32 {
        self.count += 1;
        self.count
    }

    /// How long to wait before the next attempt; `None` where there is to be none. `number` is the
    /// failed request's number in the run, `now` the time of the failure.
    pub(super) fn after(&mut self, error: &Error, number: u64, now: Duration) -> Option<Duration> {
        let again = match error.class {
            Class::Throttled | Class::Conflict => self.count < MOST_ATTEMPTS,
            Class::Passing | Class::Unreadable => {
                self.attempts == Attempts::Idempotent && self.count < most(&error.code)
            }
            Class::Unsettled => {
                let since = *self.unsettled_since.get_or_insert(now);
                now.saturating_sub(since) < SETTLING
            }
            _ => false,
        };
        again.then(|| self.wait(&error.operation, number))
    }

    /// Between half of the doubled wait and all of it.
    fn wait(&self, operation: &str, number: u64) -> Duration {
        let doublings = self.count.saturating_sub(1).min(16);
        let whole = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
        whole / 2 + (whole / 2).mul_f64(fraction(operation, number))
    }
}

fn most(code: &str) -> u32 {
    match code {
        REFUSED => MOST_REFUSED,
        TIMEOUT => MOST_TIMEOUTS,
        _ => MOST_ATTEMPTS,
    }
}

/// A number from 0 to 1 that looks like chance (FNV-1a), so that requests which failed together are
/// not sent again together.
fn fraction(operation: &str, number: u64) -> f64 {
    let bytes = operation.bytes().chain(number.to_le_bytes());
    let hash = bytes.fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    f64::from(hash) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(class: Class, code: &str) -> Error {
        Error {
            class,
            operation: "ecs:CreateService".to_owned(),
            code: code.to_owned(),
            message: String::new(),
        }
    }

    /// Fails for ever; the number of attempts and the time that they took.
    fn attempts(attempts: Attempts, error: &Error) -> (u32, Duration) {
        let (mut retry, mut now) = (Retry::new(attempts), Duration::ZERO);
        loop {
            let attempt = retry.begin();
            match retry.after(error, u64::from(attempt), now) {
                Some(wait) => now += wait,
                None => return (attempt, now),
            }
        }
    }

    #[test]
    fn every_failure_ends() {
        for class in [
            Class::Throttled,
            Class::Conflict,
            Class::Passing,
            Class::Unreadable,
            Class::Unsettled,
            Class::Quota,
            Class::Credentials,
        ] {
            let (count, took) = attempts(Attempts::Idempotent, &error(class, ""));
            assert!(count < 20 && took < Duration::from_secs(150), "{class:?}");
        }
    }

    #[test]
    fn a_create_is_not_sent_again_where_it_may_have_been_done() {
        assert_eq!(
            attempts(Attempts::Once, &error(Class::Passing, TIMEOUT)).0,
            1
        );
        assert_eq!(attempts(Attempts::Once, &error(Class::Exists, "")).0, 1);
        assert_eq!(attempts(Attempts::Once, &error(Class::Throttled, "")).0, 8);
    }

    #[test]
    fn a_quota_is_final() {
        let quota = error(Class::Quota, "LimitExceededException");
        assert_eq!(attempts(Attempts::Idempotent, &quota).0, 1);
    }

    #[test]
    fn the_delay_of_iam_is_waited_out_for_two_minutes() {
        let (_, took) = attempts(Attempts::Once, &error(Class::Unsettled, ""));
        assert!(took >= SETTLING && took < SETTLING + LONGEST_WAIT);
    }

    #[test]
    fn the_same_failures_are_followed_by_the_same_waits() {
        let passing = error(Class::Passing, "HTTP 503");
        let first = attempts(Attempts::Idempotent, &passing);
        assert_eq!(first, attempts(Attempts::Idempotent, &passing));
        let (one, two) = (fraction("iam:CreateRole", 1), fraction("iam:CreateRole", 2));
        assert!(one.to_bits() != two.to_bits());
    }
}

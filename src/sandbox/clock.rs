//! The time that the sandbox lives by: injected, so that a rollout of ten minutes plays in an
//! instant and the same run gives the same bytes.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A source of time. Whoever runs the sandbox gives it the clock that the rest of the program
/// waits by, so that both agree on how long a rollout takes.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time since the Unix epoch.
    fn now(&self) -> Duration;
    /// Ends after `duration` of this clock's time.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// A clock that moves only when it is told to, or when somebody sleeps: a sleep ends at once.
#[derive(Debug)]
pub struct VirtualClock(Mutex<Duration>);

impl VirtualClock {
    /// A clock that stands at `now` since the Unix epoch.
    #[must_use]
    pub fn at(now: Duration) -> Self {
        Self(Mutex::new(now))
    }

    /// Moves the clock on by `duration`.
    pub fn advance(&self, duration: Duration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.saturating_add(duration);
    }
}

impl Default for VirtualClock {
    /// Stands at 2026-11-01T00:00:00Z, so that every run begins at the same moment.
    fn default() -> Self {
        Self::at(Duration::from_hours(498_192))
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Duration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.advance(duration);
        Box::pin(std::future::ready(()))
    }
}

//! Time, injected: the system's clock in the binary, one that nobody waits by in the sandbox. A run
//! and its sandbox share one clock, so that both agree on how long a rollout takes.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Tells the time and waits.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The time since the Unix epoch.
    fn now(&self) -> Duration;

    /// Waits this long, by this clock.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where time is injected from"
    )]
    fn now(&self) -> Duration {
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is where time is injected from"
    )]
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(duration))
    }
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

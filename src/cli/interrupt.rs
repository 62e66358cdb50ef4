//! Ctrl-C and SIGTERM while a plan is performed: the calls in flight end, no more begin. A second one
//! ends the process at once, as it would have without this.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::report::Screen;

/// The exit code of a process that Ctrl-C ended: 128 and the signal's number.
const INTERRUPTED: i32 = 130;

/// Listens until it is dropped.
pub(super) struct Interrupt {
    stop: Arc<AtomicBool>,
    listener: tokio::task::JoinHandle<()>,
}

impl Interrupt {
    /// Begins to listen; what is said about it goes to this screen.
    pub(super) fn listen(screen: &Screen) -> Self {
        Self::listen_for(
            screen,
            "Stopping after the calls in flight; once more to stop at once.",
        )
    }

    /// The same, saying this at the first signal.
    pub(super) fn listen_for(screen: &Screen, words: &'static str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (flag, screen) = (stop.clone(), screen.clone());
        // Registered here and not in the task: a signal that comes before its first turn counts too.
        let mut signals = Signals::register();
        let listener = tokio::spawn(async move {
            signals.next().await;
            flag.store(true, Ordering::Relaxed);
            screen.complain(words);
            signals.next().await;
            stop_at_once();
        });
        Self { stop, listener }
    }

    /// Set when the run is to stop.
    pub(super) fn flag(&self) -> &AtomicBool {
        &self.stop
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// The signals that ask to stop; one that cannot be registered is never heard.
#[cfg(unix)]
struct Signals {
    interrupt: Option<tokio::signal::unix::Signal>,
    terminate: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn register() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self {
            interrupt: signal(SignalKind::interrupt()).ok(),
            terminate: signal(SignalKind::terminate()).ok(),
        }
    }

    async fn next(&mut self) {
        tokio::select! {
            () = heard(self.interrupt.as_mut()) => {}
            () = heard(self.terminate.as_mut()) => {}
        }
    }
}

#[cfg(unix)]
async fn heard(signal: Option<&mut tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Ctrl-C, the only signal there is here.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn register() -> Self {
        Self
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

#[expect(
    clippy::exit,
    reason = "the user asked twice: what is in flight is not waited for"
)]
fn stop_at_once() {
    std::process::exit(INTERRUPTED);
}

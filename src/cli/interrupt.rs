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
        let stop = Arc::new(AtomicBool::new(false));
        let (flag, screen) = (stop.clone(), screen.clone());
        let listener = tokio::spawn(async move {
            signalled().await;
            flag.store(true, Ordering::Relaxed);
            screen.complain("Stopping after the calls in flight; once more to stop at once.");
            signalled().await;
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

#[cfg(unix)]
async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupt = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = interrupt.await;
        }
    }
}

#[cfg(not(unix))]
async fn signalled() {
    let _ = tokio::signal::ctrl_c().await;
}

#[expect(
    clippy::exit,
    reason = "the user asked twice: what is in flight is not waited for"
)]
fn stop_at_once() {
    std::process::exit(INTERRUPTED);
}

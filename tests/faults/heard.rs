//! What `-vv` says: the program's own events, kept for each core until they are asked for.

use std::cell::RefCell;
use std::io;

thread_local! {
    static HEARD: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes into this core's memory.
struct Ear;

impl io::Write for Ear {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        HEARD.with_borrow_mut(|heard| heard.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Listens from here on, to what `-vv` would write and in the form in which it would.
pub(crate) fn listen() {
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new("provision=debug"))
        .with_writer(|| Ear)
        .without_time()
        .with_ansi(false)
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("nobody else listens");
}

/// Drops what was heard so far.
pub(crate) fn forget() {
    HEARD.with_borrow_mut(Vec::clear);
}

/// Moves what was heard to the end of `into`.
pub(crate) fn take(into: &mut String) {
    HEARD.with_borrow_mut(|heard| {
        into.push_str(&String::from_utf8_lossy(heard));
        heard.clear();
    });
}

//! Runs that were made before from the very same world at the same moment, under the same script. A
//! run is a function of these, so that what it came to is taken from memory the next time.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use provision::clock::Clock;
use provision::sandbox::{Script, Store};

use super::drive::{Declared, Drive, Ran};
use super::watch::{Bounds, Seen, Watch};

/// Runs that are remembered. The cases of a sweep go transition by transition, and few worlds lie on
/// the way of one.
const MOST: usize = 256;

/// From what a run, or a look, began.
#[derive(Clone)]
struct From {
    declared: Arc<Declared>,
    script: Script,
    now: Duration,
    world: Store,
}

impl From {
    fn here(drive: &Drive, declared: &Arc<Declared>, script: &Script) -> Self {
        Self {
            declared: declared.clone(),
            script: script.clone(),
            now: drive.time.now(),
            world: drive.sandbox.snapshot(),
        }
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.declared, &other.declared)
            && self.now == other.now
            && self.script == other.script
            && self.world == other.world
    }
}

/// Where it ended.
#[derive(Clone)]
struct End {
    now: Duration,
    world: Store,
}

impl End {
    fn here(drive: &Drive) -> Self {
        Self {
            now: drive.time.now(),
            world: drive.sandbox.snapshot(),
        }
    }

    fn go(&self, drive: &Drive) {
        drive.time.set(self.now);
        drive.sandbox.restore(&self.world);
    }
}

struct Run {
    from: From,
    bounds: Bounds,
    end: End,
    bounds_then: Bounds,
    seen: Seen,
    ran: Ran,
}

struct Look<T> {
    from: From,
    end: End,
    found: T,
}

/// What this core remembers.
pub(crate) struct Memory<T> {
    runs: RefCell<VecDeque<Arc<Run>>>,
    looks: RefCell<VecDeque<Arc<Look<T>>>>,
}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Self {
            runs: RefCell::default(),
            looks: RefCell::default(),
        }
    }
}

impl<T: Clone> Memory<T> {
    /// Runs a command of this configuration under this script, or says what it came to when it did.
    pub(crate) async fn run(
        &self,
        drive: &Drive,
        watch: &Watch,
        declared: &Arc<Declared>,
        script: &Script,
        command: impl AsyncFnOnce() -> Ran,
    ) -> Ran {
        let from = From::here(drive, declared, script);
        let bounds = watch.bounds().clone();
        let known = |run: &&Arc<Run>| run.from.is(&from) && run.bounds == bounds;
        let known = self.runs.borrow().iter().rev().find(known).cloned();
        if let Some(run) = known {
            run.end.go(drive);
            *watch.bounds() = run.bounds_then.clone();
            watch.seen().add(&run.seen);
            return run.ran.clone();
        }
        // What this run adds is gathered apart.
        let before = std::mem::take(&mut *watch.seen());
        let ran = command().await;
        let seen = std::mem::replace(&mut *watch.seen(), before);
        watch.seen().add(&seen);
        keep(
            &self.runs,
            Run {
                from,
                bounds,
                end: End::here(drive),
                bounds_then: watch.bounds().clone(),
                seen,
                ran: ran.clone(),
            },
        );
        ran
    }

    /// The same for a command that only looks.
    pub(crate) async fn look(
        &self,
        drive: &Drive,
        declared: &Arc<Declared>,
        script: &Script,
        command: impl AsyncFnOnce() -> T,
    ) -> T {
        let from = From::here(drive, declared, script);
        let known = |look: &&Arc<Look<T>>| look.from.is(&from);
        let known = self.looks.borrow().iter().rev().find(known).cloned();
        if let Some(look) = known {
            look.end.go(drive);
            return look.found.clone();
        }
        let found = command().await;
        let end = End::here(drive);
        keep(
            &self.looks,
            Look {
                from,
                end,
                found: found.clone(),
            },
        );
        found
    }
}

fn keep<T>(all: &RefCell<VecDeque<Arc<T>>>, one: T) {
    let mut all = all.borrow_mut();
    if all.len() >= MOST {
        all.pop_front();
    }
    all.push_back(Arc::new(one));
}

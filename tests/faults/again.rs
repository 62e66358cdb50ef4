//! Runs that were made before from the very same world at the same moment, under the same script. A
//! run is a function of these, so that what it came to is taken from memory the next time.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use provision::clock::Clock;
use provision::sandbox::{Script, Store};
use serde_json::Value;

use super::drive::{Declared, Drive, Ran, held};
use super::records;
use super::watch::{Bounds, Seen, Watch};

/// Runs that are remembered, each with what it said, some 50 kB. The cases of a sweep go transition by
/// transition, so that all is forgotten at once when there are so many.
const MOST: usize = 1_000;

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

    /// A number that other beginnings have too, but not many.
    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.now.hash(&mut hasher);
        self.script.fault.len().hash(&mut hasher);
        for fault in &self.script.fault {
            (fault.call, fault.nth).hash(&mut hasher);
        }
        self.script.seed.hash(&mut hasher);
        for (_, key, record) in records::all(&self.world) {
            key.hash(&mut hasher);
            for value in record
                .as_object()
                .into_iter()
                .flat_map(|fields| fields.values())
            {
                size(value).hash(&mut hasher);
            }
        }
        hasher.finish()
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.declared, &other.declared)
            && self.now == other.now
            && self.script == other.script
            && self.world == other.world
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        Value::Bool(yes) => usize::from(*yes),
        Value::Null | Value::Number(_) => 0,
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

/// What was remembered, by the digest of its beginning.
struct Shelf<T>(Mutex<HashMap<u64, Vec<Arc<T>>>>);

impl<T> Shelf<T> {
    fn find(&self, digest: u64, known: impl Fn(&T) -> bool) -> Option<Arc<T>> {
        let alike = held(&self.0).get(&digest)?.clone();
        alike.into_iter().find(|one| known(one))
    }

    fn keep(&self, digest: u64, one: T) {
        let mut all = held(&self.0);
        if all.len() >= MOST {
            all.clear();
        }
        all.entry(digest).or_default().push(Arc::new(one));
    }
}

/// What the cores remember of a sweep.
pub(crate) struct Memory<T> {
    runs: Shelf<Run>,
    looks: Shelf<Look<T>>,
}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Self {
            runs: Shelf(Mutex::default()),
            looks: Shelf(Mutex::default()),
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
        let digest = from.digest();
        let known = |run: &Run| run.from.is(&from) && run.bounds == bounds;
        if let Some(run) = self.runs.find(digest, known) {
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
        self.runs.keep(
            digest,
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
        let digest = from.digest();
        if let Some(look) = self.looks.find(digest, |look| look.from.is(&from)) {
            look.end.go(drive);
            return look.found.clone();
        }
        let found = command().await;
        let end = End::here(drive);
        self.looks.keep(
            digest,
            Look {
                from,
                end,
                found: found.clone(),
            },
        );
        found
    }
}

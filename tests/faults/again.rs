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
struct Start {
    declared: Arc<Declared>,
    script: Script,
    now: Duration,
    world: Store,
}

impl Start {
    fn here(drive: &Drive, declared: &Arc<Declared>, script: &Script) -> Self {
        Self {
            declared: declared.clone(),
            script: script.clone(),
            now: drive.time.now(),
            world: drive.sandbox.snapshot(),
        }
    }

    /// A number that other starts have too, but not many.
    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.now.hash(&mut hasher);
        self.script.seed.hash(&mut hasher);
        for fault in &self.script.fault {
            (fault.call, fault.nth).hash(&mut hasher);
        }
        for (_, key, record) in records::all(&self.world) {
            key.hash(&mut hasher);
            let fields = record.as_object().into_iter().flatten();
            for (_, value) in fields {
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

/// What began there and with what else it depends on, where it ended, and what it came to.
struct Memo<K, V> {
    start: Start,
    given: K,
    now: Duration,
    world: Store,
    found: V,
}

/// Memos whose starts have one digest.
type Alike<K, V> = Vec<Arc<Memo<K, V>>>;

/// Memos by the digest of their start.
struct Shelf<K, V>(Mutex<HashMap<u64, Alike<K, V>>>);

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: PartialEq, V> Shelf<K, V> {
    /// Does the work, or goes where it ended when it was done from here before.
    async fn recall(
        &self,
        drive: &Drive,
        start: Start,
        given: K,
        work: impl AsyncFnOnce() -> V,
    ) -> Arc<Memo<K, V>> {
        let digest = start.digest();
        let alike = held(&self.0).get(&digest).cloned().unwrap_or_default();
        let same = |memo: &Arc<Memo<K, V>>| memo.start.is(&start) && memo.given == given;
        if let Some(memo) = alike.into_iter().find(same) {
            drive.time.set(memo.now);
            drive.sandbox.restore(&memo.world);
            return memo;
        }
        let found = work().await;
        let memo = Arc::new(Memo {
            start,
            given,
            now: drive.time.now(),
            world: drive.sandbox.snapshot(),
            found,
        });
        let mut all = held(&self.0);
        if all.len() >= MOST {
            all.clear();
        }
        all.entry(digest).or_default().push(memo.clone());
        memo
    }
}

/// What a run came to: by itself, in what was seen of it, and in what the watch goes by then.
struct Run {
    ran: Ran,
    seen: Seen,
    bounds: Bounds,
}

/// What the cores remember of a sweep.
pub(crate) struct Memory<T> {
    runs: Shelf<Bounds, Run>,
    looks: Shelf<(), T>,
}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Self {
            runs: Shelf::default(),
            looks: Shelf::default(),
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
        let start = Start::here(drive, declared, script);
        let bounds = watch.bounds().clone();
        // What this run adds is gathered apart.
        let before = std::mem::take(&mut *watch.seen());
        let work = async || Run {
            ran: command().await,
            seen: std::mem::take(&mut *watch.seen()),
            bounds: watch.bounds().clone(),
        };
        let memo = self.runs.recall(drive, start, bounds, work).await;
        *watch.bounds() = memo.found.bounds.clone();
        *watch.seen() = before;
        watch.seen().add(&memo.found.seen);
        memo.found.ran.clone()
    }

    /// The same for a command that only looks.
    pub(crate) async fn look(
        &self,
        drive: &Drive,
        declared: &Arc<Declared>,
        script: &Script,
        command: impl AsyncFnOnce() -> T,
    ) -> T {
        let start = Start::here(drive, declared, script);
        let memo = self.looks.recall(drive, start, (), command).await;
        memo.found.clone()
    }
}

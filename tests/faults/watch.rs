//! Watches the account while programs write to it: what must hold at every moment is judged at every
//! write, and only on what that write changed. It also keeps what was asked and which faults were met.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use provision::sandbox::{FaultKind, Service, Store, Table, TraceEntry};
use serde_json::Value;

use super::access::{self, Access};
use super::drive::{Drive, UnderWay, held};
use super::journey::Setting;
use super::records;

/// One request, as far as a sweep needs it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// `service:Operation`.
    pub(crate) operation: String,
    pub(crate) writes: bool,
    /// The call that it belongs to, as `kind/Variant`; only of writes.
    pub(crate) call: Option<String>,
}

impl Asked {
    /// The service that was asked.
    pub(crate) fn service(&self) -> &str {
        self.operation.split(':').next().unwrap_or_default()
    }
}

/// A fault that was met.
#[derive(Clone, Debug)]
pub(crate) struct Met {
    pub(crate) kind: FaultKind,
    pub(crate) asked: Asked,
    /// Whether nothing had been written yet in this run.
    pub(crate) before_writes: bool,
    /// Whether a step had begun in this run: then the plan had been shown.
    pub(crate) shown: bool,
}

/// What was seen so far.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    pub(crate) broken: Vec<String>,
    pub(crate) asked: Vec<Asked>,
    /// Writes that changed something.
    pub(crate) written: u64,
    pub(crate) met: Vec<Met>,
    pub(crate) checks: BTreeMap<&'static str, u64>,
    /// The world after each write, where they are wanted.
    pub(crate) states: Vec<Store>,
    /// Whether this run has tried a write.
    pub(crate) wrote_in_run: bool,
    /// Whether a step of this run has begun.
    pub(crate) stepped_in_run: bool,
}

impl Seen {
    /// Adds what was seen in one run.
    pub(crate) fn add(&mut self, run: &Self) {
        let Self {
            broken,
            asked,
            written,
            met,
            checks,
            states,
            wrote_in_run,
            stepped_in_run,
        } = run;
        self.broken.extend(broken.iter().cloned());
        self.asked.extend(asked.iter().cloned());
        self.written += written;
        self.met.extend(met.iter().cloned());
        for (promise, number) in checks {
            *self.checks.entry(promise).or_default() += number;
        }
        self.states.extend(states.iter().cloned());
        self.wrote_in_run = *wrote_in_run;
        self.stepped_in_run = *stepped_in_run;
    }
}

/// What holds before and what is to hold at the end.
#[derive(Clone, PartialEq)]
pub(crate) struct Bounds {
    others: Vec<(Table, String, Value)>,
    /// What somebody could do at some moment before, and what they could do at every such moment.
    was_ever: Access,
    was_always: Access,
    goal: Option<Access>,
    /// The records that an outside actor touched: they are nobody's promise.
    excused: BTreeSet<String>,
    now: Access,
    last: Store,
}

/// A watch over an account.
#[derive(Clone)]
pub(crate) struct Watch {
    seen: Arc<Mutex<Seen>>,
    bounds: Arc<Mutex<Bounds>>,
}

impl Watch {
    /// Begins to watch; `keeps_states` keeps the world after each write.
    pub(crate) fn over(drive: &Drive, setting: &Setting, keeps_states: bool) -> Self {
        let others = records::all(&setting.start)
            .filter(|(table, _, record)| records::is_others(*table, record))
            .filter(|(_, key, _)| !(setting.adopts && key.contains("legacy")))
            .map(|(table, key, record)| (table, key.to_owned(), record.clone()))
            .collect();
        let before = access::of(&setting.start);
        let watch = Self {
            seen: Arc::default(),
            bounds: Arc::new(Mutex::new(Bounds {
                others,
                was_ever: before.clone(),
                was_always: before.clone(),
                goal: setting.goal.clone(),
                excused: BTreeSet::new(),
                now: before,
                last: setting.start.clone(),
            })),
        };
        let (own, under_way) = (watch.clone(), drive.under_way.clone());
        drive.sandbox.after_each(move |entry, store| {
            own.look(entry, store, &under_way);
            if keeps_states && entry.wrote && !entry.reads {
                held(&own.seen).states.push(store.clone());
            }
        });
        watch
    }

    /// What was seen, to be read or added to.
    pub(crate) fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        held(&self.seen)
    }

    /// A new run begins.
    pub(crate) fn next_run(&self) {
        let mut seen = self.seen();
        seen.wrote_in_run = false;
        seen.stepped_in_run = false;
        seen.met.clear();
    }

    /// What the watch goes by from here on.
    pub(crate) fn bounds(&self) -> std::sync::MutexGuard<'_, Bounds> {
        held(&self.bounds)
    }

    /// Somebody else has changed the account from one state to another.
    pub(crate) fn excuse(&self, before: &Store, after: &Store) {
        let mut bounds = held(&self.bounds);
        for (table, key) in changed(before, after) {
            bounds
                .excused
                .extend(records::family_of(before, table, &key));
            bounds.excused.insert(records::name(table, &key));
        }
        let now = access::of(after);
        for (role, pairs) in &now {
            let ever = bounds.was_ever.entry(role.clone()).or_default();
            ever.extend(pairs.iter().cloned());
        }
        let none = BTreeSet::new();
        for (role, pairs) in &mut bounds.was_always {
            let left = now.get(role).unwrap_or(&none);
            pairs.retain(|pair| left.contains(pair));
        }
        bounds.now = now;
        bounds.last = after.clone();
    }

    /// Whether an outside actor touched this record.
    pub(crate) fn is_excused(&self, name: &str) -> bool {
        held(&self.bounds).excused.contains(name)
    }

    fn look(&self, entry: &TraceEntry, store: &Store, under_way: &UnderWay) {
        let mut seen = self.seen();
        let asked = Asked {
            operation: format!("{}:{}", entry.service.name(), entry.operation),
            writes: !entry.reads,
            call: (!entry.reads).then(|| call_of(entry, under_way)).flatten(),
        };
        seen.stepped_in_run |= !held(under_way).is_empty();
        if let Some(kind) = entry.fault {
            let met = Met {
                kind,
                asked: asked.clone(),
                before_writes: !seen.wrote_in_run,
                shown: seen.stepped_in_run,
            };
            seen.met.push(met);
        }
        seen.asked.push(asked);
        seen.wrote_in_run |= !entry.reads;
        if entry.wrote && !entry.reads {
            seen.written += 1;
            held(&self.bounds).judge(entry, store, &mut seen);
        }
    }
}

impl Bounds {
    fn judge(&mut self, entry: &TraceEntry, store: &Store, seen: &mut Seen) {
        let touched = changed(&self.last, store);
        *seen.checks.entry("3 nobody else's").or_default() += 1;
        for (table, key, record) in &self.others {
            if store.get(*table, key) != Some(record) && !self.is_excused(*table, key) {
                let name = records::name(*table, key);
                let operation = &entry.operation;
                seen.broken
                    .push(format!("3: {name} of others was touched by {operation}"));
            }
        }
        *seen.checks.entry("4 always owned").or_default() += 1;
        for (table, key) in &touched {
            let unmarked = store
                .get(*table, key)
                .is_some_and(|record| records::is_others(*table, record));
            let known = || {
                self.others
                    .iter()
                    .any(|(of, other, _)| of == table && other == key)
            };
            if unmarked && !known() && !self.is_excused(*table, key) && !key.contains("legacy") {
                let name = records::name(*table, key);
                let operation = &entry.operation;
                seen.broken
                    .push(format!("4: {name} carries no mark after {operation}"));
            }
        }
        if entry.service == Service::Iam {
            for role in access::moved(&touched, store, &self.now) {
                self.judge_role(&role, entry, store, seen);
            }
        }
        self.last = store.clone();
    }

    fn is_excused(&self, table: Table, key: &str) -> bool {
        !self.excused.is_empty() && self.excused.contains(&records::name(table, key))
    }

    /// What this role may do now lies between before and the goal.
    fn judge_role(&mut self, role: &str, entry: &TraceEntry, store: &Store, seen: &mut Seen) {
        let pairs = access::of_role(store, role);
        match &pairs {
            Some(pairs) => self.now.insert(role.to_owned(), pairs.clone()),
            None => self.now.remove(role),
        };
        let Some(goal) = &self.goal else { return };
        let none = BTreeSet::new();
        let is = pairs.as_ref().unwrap_or(&none);
        let [ever, always, will] =
            [&self.was_ever, &self.was_always, goal].map(|world| world.get(role).unwrap_or(&none));
        *seen.checks.entry("5 never wider").or_default() += 1;
        *seen.checks.entry("6 never narrower").or_default() += 1;
        let operation = &entry.operation;
        if let Some(pair) = is
            .iter()
            .find(|pair| !ever.contains(*pair) && !will.contains(*pair))
        {
            seen.broken
                .push(format!("5: {role} may {pair} after {operation}"));
        }
        if let Some(pair) = always.intersection(will).find(|pair| !is.contains(*pair)) {
            seen.broken
                .push(format!("6: {role} may not {pair} after {operation}"));
        }
    }
}

/// The records in which two states differ. Those that both share are told apart at a glance.
fn changed(before: &Store, after: &Store) -> Vec<(Table, String)> {
    let mut changed = Vec::new();
    for (table, key, record) in records::all(after) {
        let was = before.get(table, key);
        if !was.is_some_and(|was| std::ptr::eq(was, record) || was == record) {
            changed.push((table, key.to_owned()));
        }
    }
    for (table, key, _) in records::all(before) {
        if !after.has(table, key) {
            changed.push((table, key.to_owned()));
        }
    }
    changed
}

/// The call under way to which a write belongs, as `kind/Variant`: of the kind that the operation is
/// about, the one whose name the request holds.
fn call_of(entry: &TraceEntry, under_way: &UnderWay) -> Option<String> {
    let kind = kind_of(entry);
    let under_way = held(under_way);
    let mut of_kind: Vec<_> = under_way
        .iter()
        .filter(|(address, _)| address.kind == kind)
        .filter(|(address, _)| {
            // A service that is not declared is known by its cluster and its name.
            let name = match address.name.rsplit_once('/') {
                Some((_, name)) if kind == "service" => name,
                _ => &address.name,
            };
            entry.parameters.values().any(|value| names(value, name))
        })
        .collect();
    of_kind.sort_by_key(|(address, _)| address.name.len());
    let (address, call) = of_kind.last()?;
    Some(format!("{}/{call}", address.kind))
}

fn names(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => text.contains(name),
        Value::Array(items) => items.iter().any(|item| names(item, name)),
        _ => false,
    }
}

/// The kind that a write is about.
fn kind_of(entry: &TraceEntry) -> &'static str {
    let operation = entry.operation.as_str();
    match entry.service {
        Service::Iam if operation.contains("OpenIDConnect") => "oidc_provider",
        Service::Iam if operation.contains("Role") => "role",
        Service::Iam => "policy",
        Service::Ecr => "repository",
        Service::Logs => "log_group",
        Service::SecretsManager => "secret",
        Service::Ecs => {
            let arn = entry.parameters.get("resourceArn").and_then(Value::as_str);
            let of_cluster = arn.is_some_and(|arn| arn.contains(":cluster/"));
            if of_cluster || operation.contains("Cluster") {
                "cluster"
            } else {
                "service"
            }
        }
        _ => "",
    }
}

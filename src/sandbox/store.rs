//! What the simulated account holds: tables of JSON records by key, cheap to copy and to compare.
//! Every write leaves a line in the journal, from which stale reads and the state file are made.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// One kind of record. The key of each is given beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// Role name in lower case.
    Role,
    /// Policy name in lower case.
    Policy,
    /// `POLICY_ARN\nROLE_KEY`: a managed policy on a role.
    Attachment,
    /// `POLICY_ARN\nROLE_KEY`: a managed policy as a permissions boundary.
    Boundary,
    /// `ROLE_ID`: the key of the role that has it.
    RoleId,
    /// Provider URL without its scheme.
    OidcProvider,
    /// Instance profile name in lower case.
    InstanceProfile,
    /// User name: a whole `UserDetail`, seeded.
    User,
    /// Group name: a whole `GroupDetail`, seeded.
    Group,
    /// Access key of an assumed role: its identity.
    Session,
    /// Repository name.
    Repository,
    /// `REPOSITORY\nDIGEST`.
    Image,
    /// `REPOSITORY\nTAG`: its digest.
    ImageTag,
    /// `REPOSITORY\nDIGEST`: a layer or a configuration, base64.
    Layer,
    /// Log group name.
    LogGroup,
    /// `GROUP\nSTREAM`.
    LogStream,
    /// `GROUP\nSTREAM\nNUMBER`.
    LogEvent,
    /// Secret name.
    Secret,
    /// Parameter name.
    Parameter,
    /// Cluster name.
    Cluster,
    /// Family: its last revision number.
    Family,
    /// `FAMILY\nREVISION`, the revision with leading zeros.
    TaskDefinition,
    /// `CLUSTER\nSERVICE`.
    Service,
    /// Service key: what was asked of the service under a client token.
    ClientToken,
    /// `CLUSTER\nSERVICE\nNUMBER`, newest last.
    ServiceDeployment,
    /// ARN of the revision.
    ServiceRevision,
    /// `CLUSTER\nTASK`.
    Task,
    /// Service key: the rollout that is under way.
    Rollout,
    /// Alarm name: a whole `MetricAlarm` or `CompositeAlarm`.
    Alarm,
    /// Number with leading zeros: a change, as `CloudTrail` tells it.
    TrailEvent,
}

/// The records of one table.
pub(super) type Rows = BTreeMap<String, Arc<Value>>;

/// A record as it was before a write.
#[derive(Clone, Debug)]
pub(super) struct Touched {
    pub(super) table: Table,
    pub(super) key: String,
    pub(super) before: Option<Arc<Value>>,
}

/// Everything that the account holds. A copy shares its tables until one of the two is written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Store {
    #[serde(serialize_with = "write_tables", deserialize_with = "read_tables")]
    tables: BTreeMap<Table, Arc<Rows>>,
    /// How many ids have been given out.
    counter: u64,
    /// The newest time seen, seconds since the epoch: time never runs backwards between runs.
    pub(super) clock: f64,
    #[serde(skip)]
    journal: Vec<Touched>,
}

fn write_tables<S: Serializer>(
    tables: &BTreeMap<Table, Arc<Rows>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let plain = |rows: &Arc<Rows>| -> BTreeMap<String, Value> {
        rows.iter()
            .map(|(key, record)| (key.clone(), record.as_ref().clone()))
            .collect()
    };
    let plain: BTreeMap<Table, BTreeMap<String, Value>> = tables
        .iter()
        .map(|(table, rows)| (*table, plain(rows)))
        .collect();
    plain.serialize(serializer)
}

fn read_tables<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<Table, Arc<Rows>>, D::Error> {
    let plain = BTreeMap::<Table, BTreeMap<String, Value>>::deserialize(deserializer)?;
    let shared = |rows: BTreeMap<String, Value>| -> Arc<Rows> {
        Arc::new(
            rows.into_iter()
                .map(|(key, record)| (key, Arc::new(record)))
                .collect(),
        )
    };
    Ok(plain
        .into_iter()
        .map(|(table, rows)| (table, shared(rows)))
        .collect())
}

impl PartialEq for Store {
    /// Equal records; how many ids were given out, when, and by which requests does not count.
    fn eq(&self, other: &Self) -> bool {
        let filled = |store: &Self| -> Vec<(Table, Arc<Rows>)> {
            let tables = store.tables.iter();
            tables
                .filter(|(table, rows)| !rows.is_empty() && **table != Table::TrailEvent)
                .map(|(table, rows)| (*table, Arc::clone(rows)))
                .collect()
        };
        filled(self) == filled(other)
    }
}

impl Store {
    /// The record under `key`.
    #[must_use]
    pub fn get(&self, table: Table, key: &str) -> Option<&Value> {
        self.tables.get(&table)?.get(key).map(AsRef::as_ref)
    }

    /// Whether there is a record under `key`.
    #[must_use]
    pub fn has(&self, table: Table, key: &str) -> bool {
        self.get(table, key).is_some()
    }

    /// Puts a record in place of whatever stands under `key`.
    pub fn put(&mut self, table: Table, key: &str, record: Value) {
        self.set(table, key, Some(Arc::new(record)));
    }

    /// Takes a record away and returns it.
    pub fn remove(&mut self, table: Table, key: &str) -> Option<Arc<Value>> {
        self.set(table, key, None)
    }

    /// Changes the record under `key` in place; false where there is none.
    pub fn update(&mut self, table: Table, key: &str, change: impl FnOnce(&mut Value)) -> bool {
        let Some(before) = self
            .tables
            .get(&table)
            .and_then(|rows| rows.get(key))
            .cloned()
        else {
            return false;
        };
        let mut record = before.as_ref().clone();
        change(&mut record);
        if record != *before {
            self.set(table, key, Some(Arc::new(record)));
        }
        true
    }

    /// Every record of a table in the order of its keys.
    pub fn rows(&self, table: Table) -> impl Iterator<Item = (&str, &Value)> {
        let rows = self.tables.get(&table).map(AsRef::as_ref);
        rows.into_iter()
            .flatten()
            .map(|(key, record)| (key.as_str(), record.as_ref()))
    }

    /// The records whose key begins with `prefix`.
    pub fn under<'s, 'p>(
        &'s self,
        table: Table,
        prefix: &'p str,
    ) -> impl Iterator<Item = (&'s str, &'s Value)> + use<'s, 'p> {
        let rows = self.tables.get(&table).map(AsRef::as_ref);
        rows.into_iter()
            .flat_map(move |rows: &'s Rows| {
                rows.range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            })
            .take_while(move |(key, _)| key.starts_with(prefix))
            .map(|(key, record)| (key.as_str(), record.as_ref()))
    }

    /// Sets or removes a record and returns what was there.
    pub(super) fn set(
        &mut self,
        table: Table,
        key: &str,
        record: Option<Arc<Value>>,
    ) -> Option<Arc<Value>> {
        let rows = Arc::make_mut(self.tables.entry(table).or_default());
        let before = match record {
            Some(record) => rows.insert(key.to_owned(), record),
            None => rows.remove(key),
        };
        self.journal.push(Touched {
            table,
            key: key.to_owned(),
            before: before.clone(),
        });
        before
    }

    /// The next number; no two are the same in the life of an account.
    pub(super) fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// What was written since the last call of this.
    pub(super) fn take_journal(&mut self) -> Vec<Touched> {
        std::mem::take(&mut self.journal)
    }
}

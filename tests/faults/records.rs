//! The sandbox's own records, from which all is judged, never through `observe`: the end state with
//! ids and times left out, whose each record is, and what differs between two states.

use std::collections::{BTreeMap, BTreeSet};

use provision::kind::Address;
use provision::sandbox::{Store, Table};
use serde_json::{Map, Value};

/// The tables of what we manage. The rest is ECS's own bookkeeping.
const MANAGED: [Table; 11] = [
    Table::OidcProvider,
    Table::Policy,
    Table::Role,
    Table::Attachment,
    Table::Boundary,
    Table::Repository,
    Table::LogGroup,
    Table::Secret,
    Table::Cluster,
    Table::Service,
    Table::TaskDefinition,
];

/// The owner mark of the sweeps.
pub(crate) const MARK: &str = "sweep@eu-west-1";

/// Keys whose values are ids and times: the same end differs in them and in nothing else.
const ASIDE: [&str; 38] = [
    "Arn",
    "ARN",
    "CreateDate",
    "UpdateDate",
    "RoleId",
    "PolicyId",
    "VersionId",
    "DefaultVersionId",
    "createdAt",
    "updatedAt",
    "CreatedDate",
    "LastChangedDate",
    "LastAccessedDate",
    "DeletedDate",
    "DeletionDate",
    "creationTime",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "revision",
    "taskDefinitionArn",
    "taskDefinition",
    "serviceArn",
    "deployments",
    "events",
    "createdBy",
    "VersionIdsToStages",
    "Versions",
    "SecretVersions",
    "runningCount",
    "pendingCount",
    "currentServiceDeployment",
    "currentServiceRevisions",
    "taskSets",
    "RoleLastUsed",
    "registeredContainerInstancesCount",
    "runningTasksCount",
    "activeServicesCount",
];

/// The end state with ids and times left out.
pub(crate) fn end_state(store: &Store) -> BTreeMap<String, Value> {
    let mut state = BTreeMap::new();
    // What ran before stays registered; only what a service runs is its end.
    let services = store.rows(Table::Service);
    let services = services.filter(|(_, record)| !is_gone(Table::Service, record));
    let running: BTreeSet<&str> = services
        .filter_map(|(_, record)| record.get("taskDefinition")?.as_str())
        .collect();
    let runs = |record: &Value| {
        let arn = record.get("taskDefinitionArn").and_then(Value::as_str);
        arn.is_some_and(|arn| running.contains(arn))
    };
    for table in MANAGED {
        for (key, record) in store.rows(table) {
            if is_gone(table, record) || (table == Table::TaskDefinition && !runs(record)) {
                continue;
            }
            let key = if table == Table::TaskDefinition {
                key.split('\n').next().unwrap_or_default()
            } else {
                key
            };
            let name = format!("{table:?} {}", key.replace('\n', " "));
            state.insert(name, scrub(record));
        }
    }
    state
}

/// Records that AWS still shows but that count as absent.
fn is_gone(table: Table, record: &Value) -> bool {
    let status = record
        .get("status")
        .and_then(Value::as_str)
        .unwrap_or_default();
    match table {
        Table::Service | Table::Cluster | Table::TaskDefinition => {
            status == "INACTIVE" || status == "DRAINING"
        }
        // Scheduled for deletion.
        Table::Secret => record
            .get("DeletedDate")
            .is_some_and(|date| !date.is_null()),
        _ => false,
    }
}

/// A record without ids and times.
pub(crate) fn scrubbed(record: &Value) -> Value {
    scrub(record)
}

fn scrub(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut kept = Map::new();
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort();
            for name in names {
                // Names that begin with `_` are the sandbox's own bookkeeping.
                let own = name.starts_with('_')
                    && !["_inline", "_values", "_versions"].contains(&name.as_str());
                if own || ASIDE.contains(&name.as_str()) {
                    continue;
                }
                if let Some(value) = fields.get(name) {
                    kept.insert(name.clone(), scrub_field(name, value));
                }
            }
            Value::Object(kept)
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(scrub).collect();
            items.sort_by_key(ToString::to_string);
            Value::Array(items)
        }
        other => other.clone(),
    }
}

fn scrub_field(name: &str, value: &Value) -> Value {
    match (name, value) {
        // A generated value is another in every run, and so is its version's id; that there is one is
        // what counts.
        ("_values", Value::Object(values)) => Value::from(!values.is_empty()),
        // How many versions a policy went through is its way there; the default one is its end.
        ("_versions", Value::Array(versions)) => versions
            .iter()
            .find(|version| version.get("IsDefaultVersion") == Some(&Value::Bool(true)))
            .map_or(Value::Null, scrub),
        // One statement, action or resource may stand alone or in a list of one.
        ("Statement" | "Action" | "Resource", alone) if !alone.is_array() => {
            Value::Array(vec![scrub(alone)])
        }
        ("valueFrom" | "image", Value::String(text)) => Value::from(without_random_end(text)),
        (_, Value::String(text)) if text.trim_start().starts_with('{') => {
            serde_json::from_str(text)
                .map_or_else(|_| value.clone(), |parsed: Value| scrub(&parsed))
        }
        _ => scrub(value),
    }
}

/// A secret's ARN ends in six random characters.
fn without_random_end(text: &str) -> String {
    match text.rsplit_once('-') {
        Some((head, tail)) if text.contains(":secret:") && tail.len() == 6 => head.to_owned(),
        _ => text.to_owned(),
    }
}

/// Every managed record with its table and key.
pub(crate) fn all(store: &Store) -> impl Iterator<Item = (Table, &str, &Value)> {
    MANAGED.into_iter().flat_map(move |table| {
        store
            .rows(table)
            .map(move |(key, record)| (table, key, record))
    })
}

/// Whether a record is somebody else's. Attachments and boundaries are part of their role.
pub(crate) fn is_others(table: Table, record: &Value) -> bool {
    !matches!(table, Table::Attachment | Table::Boundary) && !carries_mark(record)
}

/// Whether our owner mark stands anywhere in the record.
fn carries_mark(value: &Value) -> bool {
    match value {
        Value::String(text) => text == MARK,
        Value::Array(items) => items.iter().any(carries_mark),
        Value::Object(fields) => fields.values().any(carries_mark),
        _ => false,
    }
}

/// A record's name in messages and in end states.
pub(crate) fn name(table: Table, key: &str) -> String {
    format!("{table:?} {}", key.replace('\n', " "))
}

/// The name of the task definition that a service runs: what becomes of it follows the service.
pub(crate) fn family_of(store: &Store, table: Table, key: &str) -> Option<String> {
    let service = store.get(table, key).filter(|_| table == Table::Service)?;
    let arn = service.get("taskDefinition")?.as_str()?;
    let (family, _) = arn.rsplit('/').next()?.split_once(':')?;
    Some(name(Table::TaskDefinition, family))
}

/// The resource whose record this is, by its name in an end state.
pub(crate) fn address(name: &str) -> Option<Address> {
    let (table, key) = name.split_once(' ')?;
    let last = key.rsplit(' ').next()?;
    let (kind, name) = match table {
        "OidcProvider" => ("oidc_provider", key),
        "Policy" => ("policy", key),
        "Role" => ("role", key),
        "Attachment" | "Boundary" => ("role", last),
        "Repository" => ("repository", key),
        "LogGroup" => ("log_group", key),
        "Secret" => ("secret", key),
        "Cluster" => ("cluster", key),
        "Service" => ("service", last),
        "TaskDefinition" => ("service", key),
        _ => return None,
    };
    Some(Address::new(kind, name))
}

/// What of ours somebody else's role or service uses, and is not to be deleted: providers, policies, clusters.
pub(crate) fn used_by_others(store: &Store) -> BTreeSet<Address> {
    let theirs = |table: Table, key: &str| {
        let record = store.get(table, key);
        record.is_some_and(|record| !is_gone(table, record) && is_others(table, record))
    };
    let mut used = BTreeSet::new();
    for table in [Table::Attachment, Table::Boundary] {
        for (link, _) in store.rows(table) {
            if let Some((arn, role)) = link.split_once('\n')
                && theirs(Table::Role, role)
            {
                let name = arn.rsplit('/').next().unwrap_or_default();
                used.insert(Address::new("policy", name));
            }
        }
    }
    for (provider, _) in store.rows(Table::OidcProvider) {
        let trusts = |(key, role): (&str, &Value)| {
            let trust = role.get("AssumeRolePolicyDocument").and_then(Value::as_str);
            theirs(Table::Role, key)
                && trust.is_some_and(|trust| trust.contains(&format!("oidc-provider/{provider}")))
        };
        if store.rows(Table::Role).any(trusts) {
            used.insert(Address::new("oidc_provider", provider));
        }
    }
    for (key, _) in store.rows(Table::Service) {
        if let Some((cluster, _)) = key.split_once('\n')
            && theirs(Table::Service, key)
        {
            used.insert(Address::new("cluster", cluster));
        }
    }
    used
}

/// What differs between two end states, in short.
pub(crate) fn differences(
    expected: &BTreeMap<String, Value>,
    found: &BTreeMap<String, Value>,
) -> Vec<(String, String)> {
    let names: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    names
        .into_iter()
        .filter(|name| expected.get(*name) != found.get(*name))
        .map(|name| {
            let words = match (expected.get(name), found.get(name)) {
                (Some(expected), Some(found)) => {
                    let changes = provision::diff::diff(expected, found, &BTreeSet::new());
                    serde_json::to_string(&changes).unwrap_or_default()
                }
                (Some(_), None) => "is missing".to_owned(),
                _ => "is too much".to_owned(),
            };
            (name.clone(), words)
        })
        .collect()
}

/// The values of every secret that the account holds.
pub(crate) fn secrets(store: &Store) -> Vec<String> {
    store
        .rows(Table::Secret)
        .filter_map(|(_, record)| record.get("_values")?.as_object())
        .flat_map(|versions| versions.values())
        .flat_map(texts)
        .filter(|text| text.len() >= LEAST_SECRET)
        .collect()
}

/// Shorter texts stand in any output by chance.
const LEAST_SECRET: usize = 12;

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

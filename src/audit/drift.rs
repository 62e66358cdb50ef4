//! What differs from infra.toml: the fields, what the difference means for access, and the lines that would declare
//! what is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::diff::{self, Change, diff};
use crate::error::Result;
use crate::kind::table::{Table, key};
use crate::kind::{AccessExample, Address, AnySpec, Law as _, Snapshot};
use crate::kinds::KINDS;
use crate::kinds::law::IamLaw;
use crate::plan::{goal, kind_of};
use crate::policy::{Document, PolicyKind};
use crate::reach::{Account, Drift, Field, Meaning, Permissions, Role};
use crate::redact;

/// The seconds of a session where nothing is said.
const DEFAULT_SESSION: i64 = 3600;

/// Keys of infra.toml that say in another way what a field says, and cannot stand beside it.
const INSTEAD_OF: &[(&str, &str)] = &[
    ("trust_policy", "trust"),
    ("log_configuration", "log_group"),
    ("capacity_provider_strategy", "launch_type"),
    ("launch_type", "capacity_provider_strategy"),
];

/// What differs between what is declared and what is there.
pub(super) fn drift(
    config: &Config,
    account: &Account,
    desired: &Snapshot,
    live: &Snapshot,
) -> Result<Vec<Drift>> {
    let goal = goal(KINDS, desired, live, &config.owner_mark())?;
    let addresses: BTreeSet<_> = goal.addresses().chain(live.addresses()).cloned().collect();
    let differing = addresses
        .into_iter()
        .filter(|address| live.get(address) != goal.get(address));
    let differing: Vec<Address> = differing.collect();
    let law = law(account, &differing, [&goal, live]);
    let one = |address: Address| {
        let (there, declared) = (live.get(&address), goal.get(&address));
        let verb = match (there, declared) {
            (None, _) => "create",
            (_, None) => "delete",
            _ => "change",
        };
        let changes = changes(&address, there, declared);
        let (meaning, undecided) = meaning(&law, &address, &goal, live);
        Drift {
            accept: accept(config, &address, there, declared, &changes),
            fields: changes.iter().map(field).collect(),
            address: address.to_string(),
            verb: verb.to_owned(),
            meaning,
            undecided,
        }
    };
    Ok(differing.into_iter().map(one).collect())
}

/// The fields in which the two differ: before is what is there, after what is declared.
fn changes(address: &Address, there: Option<&AnySpec>, declared: Option<&AnySpec>) -> Vec<Change> {
    let (Some(there), Some(declared)) = (there, declared) else {
        return Vec::new();
    };
    let documents: BTreeSet<String> = kind_of(KINDS, &address.kind)
        .map(|kind| {
            let both = [there, declared].map(|spec| kind.documents(spec).into_keys());
            both.into_iter().flatten().collect()
        })
        .unwrap_or_default();
    diff(&there.json(), &declared.json(), &documents)
}

/// A field that differs, credentials hidden.
fn field(change: &Change) -> Field {
    let (live, declared) = redact::hide_change(&change.path, &change.before, &change.after);
    Field {
        path: change.path.clone(),
        live,
        declared,
    }
}

/// The law, with the documents that the differing roles have or are to have and that are in no spec.
fn law(account: &Account, differing: &[Address], worlds: [&Snapshot; 2]) -> IamLaw {
    let mut documents = BTreeMap::new();
    let specs = differing.iter().filter(|address| address.kind == "role");
    for spec in specs
        .flat_map(|address| worlds.map(|world| world.get(address)))
        .flatten()
    {
        let value = spec.json();
        let managed = value.get("managed_policies").and_then(Value::as_array);
        let arns = managed
            .into_iter()
            .flatten()
            .chain(value.get("permissions_boundary"));
        for arn in arns.filter_map(Value::as_str) {
            let known = account.policies.get(arn);
            let read = known
                .and_then(|policy| Document::read(&policy.document, PolicyKind::Identity).ok());
            documents.extend(read.map(|document| (arn.to_owned(), document)));
        }
    }
    IamLaw {
        documents,
        ..IamLaw::default()
    }
}

/// What is there grants beyond what is declared, and the reverse; or why that could not be decided.
fn meaning(
    law: &IamLaw,
    address: &Address,
    goal: &Snapshot,
    live: &Snapshot,
) -> (Vec<Meaning>, Option<String>) {
    if !matches!(address.kind.as_str(), "role" | "policy" | "repository") {
        return (Vec::new(), None);
    }
    let Some(access) = law.access(address, goal, live) else {
        return (Vec::new(), None);
    };
    let told = |gained: bool| {
        move |example: AccessExample| {
            let AccessExample { text, mut witness } = example;
            let statement = witness.as_object_mut()?.remove("statement")?;
            Some(Meaning {
                text,
                gained,
                statement: serde_json::from_value(statement).ok()?,
                request: serde_json::from_value(witness).ok()?,
            })
        }
    };
    let gained = access.gained.into_iter().filter_map(told(true));
    let meaning = gained
        .chain(access.lost.into_iter().filter_map(told(false)))
        .collect();
    (meaning, access.reason)
}

/// The lines that would declare what is there. What is not to be declared any more stands as a comment, and so do the
/// documents, which are files.
fn accept(
    config: &Config,
    address: &Address,
    there: Option<&AnySpec>,
    declared: Option<&AnySpec>,
    changes: &[Change],
) -> Option<String> {
    let heading = heading(config, address);
    let Some(there) = there else {
        return Some(format!("# leave out [{heading}]"));
    };
    let whole = Table::new(address.clone(), there.json());
    let table = if declared.is_some() {
        part(&whole, there, changes)
    } else {
        whole
    };
    let mut lines = if table.fields.is_empty() {
        format!("[{heading}]\n")
    } else {
        table.text_under(&heading)
    };
    let gone = changes
        .iter()
        .filter(|change| change.before.is_null())
        .map(|change| change.path.clone());
    let instead = changes.iter().filter_map(|change| {
        let keys = diff::keys(&change.path);
        let (last, before) = keys.split_last()?;
        let (_, other) = INSTEAD_OF
            .iter()
            .find(|(name, _)| name == last && !change.before.is_null())?;
        Some(
            before
                .iter()
                .chain([&(*other).to_owned()])
                .fold(String::new(), |path, key| diff::join(&path, key)),
        )
    });
    let left: BTreeSet<String> = gone.chain(instead).filter(|path| path != "owner").collect();
    for path in &left {
        let _ = writeln!(lines, "# leave out {path}");
    }
    lines.push_str(&files(&table));
    let says = !table.fields.is_empty() || !left.is_empty();
    says.then(|| lines.trim_end().to_owned())
}

/// The documents of a table, as comments.
fn files(table: &Table) -> String {
    let mut lines = String::new();
    for (path, text) in &table.files {
        let _ = writeln!(lines, "# {} is to hold:", path.display());
        lines.extend(text.lines().map(|line| format!("# {line}\n")));
    }
    lines
}

/// The lines that would declare a role that is not declared.
pub(super) fn declared_role(role: &Role) -> String {
    let document = |text: &String| serde_json::from_str::<Value>(text).unwrap_or_default();
    let Role {
        name,
        id: _,
        path,
        trust,
        description,
        max_session_duration,
        tags,
        permissions,
    } = role;
    let Permissions {
        managed_policies,
        inline_policies,
        boundary,
    } = permissions;
    let inline: Map<String, Value> = inline_policies
        .iter()
        .map(|(name, text)| (name.clone(), document(text)))
        .collect();
    let spec = json!({
        "trust_policy": document(trust),
        "path": (path != "/").then_some(path),
        "description": description,
        "max_session_duration": max_session_duration.filter(|seconds| *seconds != DEFAULT_SESSION),
        "permissions_boundary": boundary,
        "managed_policies": managed_policies,
        "inline_policies": inline,
        "tags": tags,
    });
    let table = Table::new(Address::new("role", name), spec);
    let lines = table.text() + &files(&table);
    lines.trim_end().to_owned()
}

/// The table that a resource is declared by; the one of its environment, where there are several.
fn heading(config: &Config, address: &Address) -> String {
    let Address { kind, name } = address;
    match config.declarations.get(&address.to_string()) {
        Some(declaration) => {
            let name = key(&declaration.key);
            match &declaration.environment {
                Some(environment) => format!("environment.{}.{kind}.{name}", key(environment)),
                None => format!("{kind}.{name}"),
            }
        }
        None => format!("{kind}.{}", key(name)),
    }
}

/// The table with the keys that differ, and the files that these name.
fn part(whole: &Table, there: &AnySpec, changes: &[Change]) -> Table {
    let value = there.json();
    let mut table = Table {
        fields: Map::new(),
        files: Vec::new(),
        left_out: Vec::new(),
        ..whole.clone()
    };
    for change in changes.iter().filter(|change| !change.before.is_null()) {
        let keys = diff::keys(&change.path);
        if keys.first().is_some_and(|key| key == "owner") {
            continue;
        }
        if whole.left_out.contains(&change.path) {
            table.left_out.push(change.path.clone());
            continue;
        }
        let named = (1..=keys.len()).find_map(|length| {
            let prefix = keys.get(..length)?;
            let value = find(&whole.fields, prefix)?;
            let path = std::path::Path::new(value.as_str()?);
            let file = whole.files.iter().find(|(file, _)| file == path)?;
            Some((prefix, value.clone(), file))
        });
        if let Some((keys, path, file)) = named {
            // A document is a file as a whole, however little of it differs.
            if !table.files.contains(file) {
                table.files.push(file.clone());
            }
            insert(&mut table.fields, keys, path);
            continue;
        }
        let written = find(&whole.fields, &keys).or_else(|| find(value.as_object()?, &keys));
        if let Some(written) = written {
            insert(&mut table.fields, &keys, written);
        }
    }
    table
}

fn find(fields: &Map<String, Value>, keys: &[String]) -> Option<Value> {
    match keys {
        [] => None,
        [last] => fields.get(last).cloned(),
        [first, rest @ ..] => find(fields.get(first)?.as_object()?, rest),
    }
}

fn insert(fields: &mut Map<String, Value>, keys: &[String], value: Value) {
    match keys {
        [] => {}
        [last] => {
            fields.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let inner = fields
                .entry(first.clone())
                .or_insert_with(|| Map::new().into());
            if let Value::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

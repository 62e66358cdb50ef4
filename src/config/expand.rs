//! From tables as they are written to one table for each resource: environments expanded,
//! overlays merged, names and placeholders resolved.

use std::ops::Range;

use super::declared::{KINDS, Named, table_key};
use super::diagnostic::nearest;
use super::model::Environment;
use super::names::fault_of_name;
use super::node::{Entry, Node, Value};
use super::placeholders::Variables;
use super::reader::Reader;

/// An environment as it is declared, and what it lays over the tables.
pub(super) struct DeclaredEnvironment {
    pub(super) environment: Environment,
    pub(super) variables: Variables,
    pub(super) overlays: Vec<Entry>,
}

/// One resource: its name and its table, complete.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) kind: &'static str,
    pub(super) name: String,
    /// The table's key as it is written.
    pub(super) key: String,
    pub(super) at: Range<usize>,
    pub(super) node: Node,
    pub(super) variables: Option<Variables>,
}

impl Item {
    pub(super) fn address(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }
}

/// Expands every table of every kind, and enters the resources in the index of names.
pub(super) fn expand(
    root: &Node,
    environments: &[DeclaredEnvironment],
    tags: Option<&Node>,
    reader: &mut Reader<'_>,
) -> Vec<Item> {
    check_overlays(root, environments, reader);
    let mut items = Vec::new();
    for kind in KINDS {
        let Some(tables) = root.get(kind) else {
            continue;
        };
        if !matches!(tables.value, Value::Table(_)) {
            let hint = format!("Write [{kind}.NAME].");
            let message = format!("`{kind}` must be a table of tables.");
            reader.error(&tables.at, message, hint);
        }
        for entry in tables.entries() {
            expand_table(kind, entry, environments, &mut items, reader);
        }
    }
    let mut items = unique(items, reader);
    for item in &mut items {
        complete(item, tags, reader);
    }
    items
}

fn expand_table(
    kind: &'static str,
    entry: &Entry,
    environments: &[DeclaredEnvironment],
    items: &mut Vec<Item>,
    reader: &mut Reader<'_>,
) {
    if !matches!(entry.node.value, Value::Table(_)) {
        let message = format!("`{kind}.{}` must be a table.", entry.key);
        let hint = format!("Write [{kind}.{}].", table_key(&entry.key));
        reader.error(&entry.node.at, message, hint);
        return;
    }
    let mut node = entry.node.clone();
    let Some(list) = node.take("environments") else {
        push(kind, entry, node, None, items, reader);
        return;
    };
    let Some(names) = reader.value::<Vec<String>>("environments", &list.node) else {
        return;
    };
    if names.is_empty() {
        let hint = "Name one, or leave `environments` out.".to_owned();
        reader.error(&list.node.at, "`environments` names none.", hint);
    }
    for (index, name) in names.iter().enumerate() {
        let at = list.node.follow(&[&index.to_string()]).at.clone();
        let known = || environments.iter().map(|it| it.environment.name.as_str());
        let Some(declared) = environments.iter().find(|it| it.environment.name == *name) else {
            let hint = match nearest(name, known()) {
                Some(near) => format!("Did you mean `{near}`?"),
                None => format!("Declare it: [environment.{}].", table_key(name)),
            };
            reader.error(
                &at,
                format!("There is no environment named `{name}`."),
                hint,
            );
            continue;
        };
        if names.iter().take(index).any(|other| other == name) {
            reader.error(
                &at,
                format!("`{name}` is listed twice."),
                "Leave one out.".to_owned(),
            );
            continue;
        }
        let mut merged = node.clone();
        if let Some(over) = overlay_of(declared, kind, &entry.key) {
            merged.overlay(&over.node);
        }
        push(
            kind,
            entry,
            merged,
            Some(declared.variables.clone()),
            items,
            reader,
        );
    }
}

fn overlay_of<'a>(declared: &'a DeclaredEnvironment, kind: &str, key: &str) -> Option<&'a Entry> {
    let tables = declared.overlays.iter().find(|entry| entry.key == kind)?;
    tables.node.entry(key)
}

fn push(
    kind: &'static str,
    entry: &Entry,
    node: Node,
    variables: Option<Variables>,
    items: &mut Vec<Item>,
    reader: &mut Reader<'_>,
) {
    reader.variables.clone_from(&variables);
    let mut name = entry.key.clone();
    let before = reader.diagnostics.len();
    reader.substitute_text(&mut name, &entry.key_at);
    if reader.diagnostics.len() == before
        && let Some((message, hint)) = fault_of_name(kind, &name)
    {
        reader.address = Some(format!("{kind}/{name}"));
        reader.error(&entry.key_at, message, hint);
        reader.address = None;
    }
    reader.variables = None;
    items.push(Item {
        kind,
        name,
        key: entry.key.clone(),
        at: entry.key_at.clone(),
        node,
        variables,
    });
}

/// Reports overlays of tables that are not there, or that do not stand in the environment.
fn check_overlays(root: &Node, environments: &[DeclaredEnvironment], reader: &mut Reader<'_>) {
    for declared in environments {
        let environment = &declared.environment.name;
        for tables in &declared.overlays {
            let kind = &tables.key;
            for entry in tables.node.entries() {
                let base = root.get(kind).and_then(|tables| tables.get(&entry.key));
                check_overlay(root, environment, kind, entry, base, reader);
            }
        }
    }
}

fn check_overlay(
    root: &Node,
    environment: &str,
    kind: &str,
    entry: &Entry,
    base: Option<&Node>,
    reader: &mut Reader<'_>,
) {
    let key = table_key(&entry.key);
    let Some(base) = base else {
        let known = root.get(kind).map_or(&[][..], Node::entries);
        let mut known = known.iter().map(|it| it.key.as_str());
        let expanded = |key: &&str| key.replace("{{environment}}", environment) == entry.key;
        let written = known.clone().find(expanded);
        let hint = match written.or_else(|| nearest(&entry.key, &mut known)) {
            Some(near) => {
                let near = table_key(near);
                format!(
                    "Write [environment.{environment}.{kind}.{near}]: keys are compared as written."
                )
            }
            None => format!("Declare [{kind}.{key}] first."),
        };
        reader.error(
            &entry.key_at,
            format!("There is no [{kind}.{key}] to lay this over."),
            hint,
        );
        return;
    };
    let listed = base
        .get("environments")
        .is_some_and(|list| match &list.value {
            Value::List(names) => names.iter().any(|name| name.text() == Some(environment)),
            _ => false,
        });
    if !listed {
        let message = format!("[{kind}.{key}] does not stand in the environment {environment}.");
        let hint = format!("Add \"{environment}\" to its `environments`.");
        reader.error(&entry.key_at, message, hint);
    }
    if let Some(inner) = entry.node.entry("environments") {
        let hint = format!("Change it in [{kind}.{key}].");
        reader.error(
            &inner.key_at,
            "`environments` cannot differ between environments.",
            hint,
        );
    }
}

/// Reports tables that expand to one address, and enters the rest in the index.
fn unique(items: Vec<Item>, reader: &mut Reader<'_>) -> Vec<Item> {
    let mut kept: Vec<Item> = Vec::new();
    for item in items {
        let same = kept
            .iter()
            .find(|other| other.kind == item.kind && is_same(&item, &other.name));
        if let Some(other) = same {
            let (message, hint) = duplicate(&item, other, reader);
            reader.error(&item.at, message, hint);
            continue;
        }
        reader.variables.clone_from(&item.variables);
        let named = named(&item, reader);
        reader.declared.insert(item.kind, &item.name, named);
        kept.push(item);
    }
    reader.variables = None;
    kept
}

/// IAM's names are unique without regard to letter case.
fn is_same(item: &Item, other: &str) -> bool {
    match item.kind {
        "role" | "policy" => item.name.eq_ignore_ascii_case(other),
        _ => item.name == other,
    }
}

fn duplicate(item: &Item, other: &Item, reader: &Reader<'_>) -> (String, String) {
    let address = item.address();
    if item.at == other.at {
        let hint = "Put {{environment}} into the key.".to_owned();
        return (
            format!("This table expands to `{address}` in more than one environment."),
            hint,
        );
    }
    let line = reader.source.position(other.at.start).line;
    if item.name != other.name {
        let message = format!(
            "`{}` and `{}` differ only in letter case, which IAM ignores.",
            other.name, item.name
        );
        return (message, format!("The other stands in line {line}."));
    }
    (
        format!("Two tables expand to `{address}`."),
        format!("The other stands in line {line}."),
    )
}

/// The names by which others refer to an item.
fn named(item: &Item, reader: &Reader<'_>) -> Named {
    let peek = |key: &str| {
        let text = item.node.get(key).and_then(Node::text)?;
        super::placeholders::expand(text, reader.scope(false))
            .ok()
            .map(|expanded| expanded.text)
    };
    let path = peek("path").unwrap_or_else(|| "/".to_owned());
    let cluster = peek("cluster").unwrap_or_default();
    let cluster = cluster.rsplit('/').next().unwrap_or_default();
    let service = peek("name").unwrap_or_else(|| item.name.clone());
    let service = format!("{cluster}/{service}");
    reader
        .declared
        .named(item.kind, &item.name, &path, &service)
}

/// Resolves the placeholders of an item, gives it the project's tags and its default names.
fn complete(item: &mut Item, tags: Option<&Node>, reader: &mut Reader<'_>) {
    reader.variables.clone_from(&item.variables);
    reader.address = Some(item.address());
    reader.substitute(&mut item.node);
    reader.address = None;
    reader.variables = None;
    inherit_tags(&mut item.node, tags);
    if item.kind == "service" {
        let name = Node::new(item.at.clone(), Value::Text(item.name.clone()));
        item.node.set_default("name", &name);
        let family = item.node.get("name").cloned().unwrap_or(name);
        if let Value::Table(entries) = &mut item.node.value
            && let Some(task) = entries.iter_mut().find(|entry| entry.key == "task")
        {
            task.node.set_default("family", &family);
            inherit_tags(&mut task.node, tags);
        }
    }
}

fn inherit_tags(node: &mut Node, tags: Option<&Node>) {
    let Some(tags) = tags else { return };
    node.set_default(
        "tags",
        &Node::new(tags.at.clone(), Value::Table(Vec::new())),
    );
    if let Value::Table(entries) = &mut node.value
        && let Some(own) = entries.iter_mut().find(|entry| entry.key == "tags")
    {
        for tag in tags.entries() {
            own.node.set_default(&tag.key, &tag.node);
        }
    }
}

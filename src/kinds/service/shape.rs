//! How a part of a service is written in infra.toml and in ECS's API, as data: one table per part,
//! and the two translations that every table shares. A value that equals AWS's default comes out the
//! same whether it was written or not; a field that no table knows is carried along untouched.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::names::Names;
use crate::error::Result;

/// Fields by name, in infra.toml's words; those that no table knows in the API's.
pub type Settings = BTreeMap<String, Value>;

/// A value in a table of fields.
#[derive(Clone, Copy, Debug)]
pub(super) enum Literal {
    Bool(bool),
    Number(i64),
    Text(&'static str),
}

impl Literal {
    pub(super) fn value(self) -> Value {
        match self {
            Self::Bool(value) => value.into(),
            Self::Number(value) => value.into(),
            Self::Text(value) => value.into(),
        }
    }
}

/// What counts where nothing is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Default {
    /// Nothing.
    Absent,
    /// This value, which is then shown.
    Shown(Literal),
    /// This value, which is left out even where it is written: few look for it.
    Hidden(Literal),
}

/// How a value is written on either side.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Alike on both sides.
    Plain,
    /// A list whose order means nothing.
    Set(&'static Shape),
    /// A list whose order counts.
    List(&'static Shape),
    /// A table of fields.
    Table(&'static [Field]),
    /// A map here; there a list of tables with these two fields.
    Pairs(&'static str, &'static str, &'static Shape),
    /// Seconds here, minutes there.
    Minutes,
    /// A number here, its digits there.
    Digits,
    /// True or false here, ENABLED or DISABLED there.
    Switch,
    /// A role: a declared one's name here, else the ARN; always the ARN there.
    Role,
    /// A secret: a declared one's name here; always the ARN there.
    Secret,
}

/// One field of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// Its name in infra.toml.
    pub(super) name: &'static str,
    /// Its name in the API; a dot leads into a structure that infra.toml does without.
    pub(super) api: &'static str,
    pub(super) shape: Shape,
    pub(super) default: Default,
    /// What `UpdateService` takes for "no longer"; JSON. None: it cannot be taken away.
    pub(super) removal: Option<&'static str>,
}

/// A field that is written alike on both sides.
pub(super) const fn field(name: &'static str, api: &'static str) -> Field {
    Field {
        name,
        api,
        shape: Shape::Plain,
        default: Default::Absent,
        removal: None,
    }
}

impl Field {
    pub(super) const fn shape(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    pub(super) const fn shown(mut self, default: Literal) -> Self {
        self.default = Default::Shown(default);
        self
    }

    pub(super) const fn hidden(mut self, default: Literal) -> Self {
        self.default = Default::Hidden(default);
        self
    }

    pub(super) const fn removal(mut self, json: &'static str) -> Self {
        self.removal = Some(json);
        self
    }
}

/// Where a value was written.
#[derive(Clone, Copy)]
pub(super) enum Side<'a> {
    /// In infra.toml.
    Config,
    /// In an answer of ECS.
    Api(&'a Names<'a>),
}

/// The canonical form of a table: equal for equal meaning.
pub(super) fn read(fields: &[Field], written: &Map<String, Value>, side: Side<'_>) -> Settings {
    let mut rest = written.clone();
    let mut settings = Settings::new();
    for field in fields {
        let key = match side {
            Side::Config => field.name,
            Side::Api(_) => field.api,
        };
        let value = take(&mut rest, key).map(|value| read_value(field.shape, value, side));
        if let Some(value) = defaulted(field.default, value) {
            settings.insert(field.name.to_owned(), value);
        }
    }
    if let Side::Api(_) = side {
        let unknown = rest.into_iter().filter(|(_, value)| !is_empty(value));
        settings.extend(unknown.map(|(key, value)| (key, sorted(value))));
    }
    settings
}

fn defaulted(default: Default, value: Option<Value>) -> Option<Value> {
    let value = value.filter(|value| !is_empty(value));
    match default {
        Default::Absent => value,
        Default::Shown(literal) => Some(value.unwrap_or_else(|| literal.value())),
        Default::Hidden(literal) => value.filter(|value| *value != literal.value()),
    }
}

/// Nothing, however it is spelt.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn take(written: &mut Map<String, Value>, path: &str) -> Option<Value> {
    match path.split_once('.') {
        None => written.shift_remove(path),
        Some((first, rest)) => take(written.get_mut(first)?.as_object_mut()?, rest),
    }
}

fn read_value(shape: Shape, value: Value, side: Side<'_>) -> Value {
    match (shape, value) {
        (Shape::List(item), Value::Array(items)) => {
            Value::Array(read_items(*item, items, side).collect())
        }
        (Shape::Set(item), Value::Array(items)) => {
            let mut items: Vec<Value> = read_items(*item, items, side).collect();
            items.sort_by_cached_key(Value::to_string);
            Value::Array(items)
        }
        (Shape::Table(fields), Value::Object(written)) => table(read(fields, &written, side)),
        (Shape::Pairs(key, value, item), Value::Array(items)) => {
            table(pairs(items, key, value, *item, side))
        }
        (Shape::Pairs(_, _, item), Value::Object(items)) => table(
            items
                .into_iter()
                .map(|(key, value)| (key, read_value(*item, value, side)))
                .collect(),
        ),
        (Shape::Role | Shape::Secret, value) => reference(shape, &value, side),
        (shape, value) => match side {
            Side::Config => sorted(value),
            Side::Api(_) => unit(shape, value),
        },
    }
}

fn read_items(shape: Shape, items: Vec<Value>, side: Side<'_>) -> impl Iterator<Item = Value> {
    items
        .into_iter()
        .map(move |item| read_value(shape, item, side))
}

fn pairs(items: Vec<Value>, key: &str, value: &str, shape: Shape, side: Side<'_>) -> Settings {
    items
        .into_iter()
        .filter_map(|mut item| {
            let held = item.get_mut(value).map(Value::take).unwrap_or_default();
            let key = item.get(key)?.as_str()?.to_owned();
            Some((key, read_value(shape, held, side)))
        })
        .collect()
}

/// A reference to a role or a secret; `config` serializes it as a table.
fn reference(shape: Shape, value: &Value, side: Side<'_>) -> Value {
    match side {
        Side::Config if matches!(shape, Shape::Role) => {
            let declared = value.get("declared").filter(|name| name.is_string());
            declared.or(value.get("arn")).cloned().unwrap_or_default()
        }
        Side::Config => super::names::secret_text_of_config(value),
        Side::Api(names) => {
            let text = value.as_str().unwrap_or_default();
            match shape {
                Shape::Role => names.role_text(text).into(),
                _ => names.secret_text(text).into(),
            }
        }
    }
}

fn unit(shape: Shape, value: Value) -> Value {
    match (shape, &value) {
        (Shape::Minutes, Value::Number(minutes)) => minutes
            .as_i64()
            .map_or(value.clone(), |minutes| (minutes * 60).into()),
        (Shape::Digits, Value::String(text)) => number(text).map_or(value.clone(), Value::from),
        (Shape::Switch, Value::String(text)) => (text == "ENABLED").into(),
        _ => sorted(value),
    }
}

/// `"1024"`, and the units that only `RegisterTaskDefinition`'s callers write: `"1 vCPU"`, `"2 GB"`.
fn number(text: &str) -> Option<i64> {
    let text = text.trim();
    let units = ["vcpu", "gb"];
    let lower = text.to_ascii_lowercase();
    let in_units = units.iter().find_map(|unit| lower.strip_suffix(unit));
    match in_units {
        None => text.parse().ok(),
        Some(amount) => {
            let amount: f64 = amount.trim().parse().ok()?;
            let units = amount * 1024.0;
            // Beyond this it is no size of a task, and the conversion would not be exact.
            let sensible = (0.0..1e9).contains(&units) && units.fract() == 0.0;
            sensible.then(|| format!("{units}").parse().ok())?
        }
    }
}

/// The same value with the keys of every map in order, and without nulls.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => table(
            fields
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key, sorted(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// A table as a JSON value.
pub(super) fn table(settings: Settings) -> Value {
    Value::Object(settings.into_iter().collect())
}

/// The API's form of a table. A null stands for "no longer": it becomes the field's removal.
pub(super) fn write(
    fields: &[Field],
    settings: &Settings,
    names: &Names<'_>,
) -> Result<Map<String, Value>> {
    let mut written = Map::new();
    for (key, value) in settings {
        let Some(field) = fields.iter().find(|field| field.name == key) else {
            put_unknown(&mut written, key, value);
            continue;
        };
        let value = match (value, field.removal) {
            (Value::Null, Some(json)) => serde_json::from_str(json).unwrap_or_default(),
            (Value::Null, None) => continue,
            (value, _) => write_value(field.shape, value, names)?,
        };
        put(&mut written, field.api, value);
    }
    Ok(written)
}

/// Adds what no table knows; beside it, in the same object, there may be what one does.
fn put_unknown(written: &mut Map<String, Value>, key: &str, value: &Value) {
    match (written.get_mut(key), value) {
        (Some(Value::Object(known)), Value::Object(unknown)) => {
            for (key, value) in unknown {
                put_unknown(known, key, value);
            }
        }
        (Some(_), _) => {}
        (None, _) => {
            written.insert(key.to_owned(), value.clone());
        }
    }
}

fn put(written: &mut Map<String, Value>, path: &str, value: Value) {
    let Some((first, rest)) = path.split_once('.') else {
        written.insert(path.to_owned(), value);
        return;
    };
    let inner = written
        .entry(first)
        .or_insert_with(|| Value::Object(Map::new()));
    if let Some(inner) = inner.as_object_mut() {
        put(inner, rest, value);
    }
}

fn write_value(shape: Shape, value: &Value, names: &Names<'_>) -> Result<Value> {
    Ok(match (shape, value) {
        (Shape::List(item) | Shape::Set(item), Value::Array(items)) => {
            let items = items.iter().map(|value| write_value(*item, value, names));
            Value::Array(items.collect::<Result<_>>()?)
        }
        (Shape::Table(fields), Value::Object(inner)) => {
            let inner = inner.clone().into_iter().collect();
            Value::Object(write(fields, &inner, names)?)
        }
        (Shape::Pairs(key, held, item), Value::Object(items)) => {
            let items = items.iter().map(|(name, value)| {
                let mut pair = Map::new();
                pair.insert(key.to_owned(), name.as_str().into());
                pair.insert(held.to_owned(), write_value(*item, value, names)?);
                Ok(Value::Object(pair))
            });
            Value::Array(items.collect::<Result<_>>()?)
        }
        (Shape::Minutes, Value::Number(seconds)) => seconds
            .as_i64()
            .map_or(value.clone(), |seconds| (seconds / 60).into()),
        (Shape::Digits, Value::Number(number)) => number.to_string().into(),
        (Shape::Switch, Value::Bool(on)) => if *on { "ENABLED" } else { "DISABLED" }.into(),
        (Shape::Role, Value::String(role)) => names.role_arn(role).into(),
        (Shape::Secret, Value::String(secret)) => names.value_from(secret)?.into(),
        _ => value.clone(),
    })
}

/// What `live` says in fields that no table knows is added to `desired`, so that it is never planned
/// away. Items of lists are matched where all that is known of them is equal.
pub(super) fn keep_unknown(fields: &[Field], desired: &mut Settings, live: &Settings) {
    for (key, value) in live {
        match fields.iter().find(|field| field.name == key) {
            None => {
                desired.entry(key.clone()).or_insert_with(|| value.clone());
            }
            Some(field) => {
                if let Some(wanted) = desired.get_mut(key) {
                    keep_unknown_value(field.shape, wanted, value);
                }
            }
        }
    }
}

fn keep_unknown_value(shape: Shape, desired: &mut Value, live: &Value) {
    match (shape, desired, live) {
        (Shape::Table(fields), Value::Object(wanted), Value::Object(live)) => {
            let mut settings: Settings = std::mem::take(wanted).into_iter().collect();
            keep_unknown(fields, &mut settings, &live.clone().into_iter().collect());
            *wanted = settings.into_iter().collect();
        }
        (Shape::List(item) | Shape::Set(item), Value::Array(wanted), Value::Array(live)) => {
            for wanted in wanted {
                if let Some(live) = live
                    .iter()
                    .find(|live| same_but_unknown(*item, wanted, live))
                {
                    *wanted = live.clone();
                }
            }
        }
        _ => {}
    }
}

fn same_but_unknown(shape: Shape, desired: &Value, live: &Value) -> bool {
    let mut kept = desired.clone();
    keep_unknown_value(shape, &mut kept, live);
    kept == *live
}

/// What differs between two tables: the value after, or null for what is no longer; in a table
/// inside, what is no longer is named too, since the API takes the inner table whole.
pub(super) fn changes(fields: &[Field], before: &Settings, after: &Settings) -> Settings {
    let mut changed = Settings::new();
    for (key, value) in after {
        let earlier = before.get(key);
        if earlier == Some(value) {
            continue;
        }
        let shape = fields
            .iter()
            .find(|field| field.name == key)
            .map(|field| field.shape);
        let value = match (shape, earlier, value) {
            (Some(Shape::Table(_)), Some(Value::Object(earlier)), Value::Object(now)) => {
                let mut now = now.clone();
                for gone in earlier
                    .keys()
                    .filter(|key| !value.as_object().is_some_and(|now| now.contains_key(*key)))
                {
                    now.insert(gone.clone(), Value::Null);
                }
                Value::Object(now)
            }
            _ => value.clone(),
        };
        changed.insert(key.clone(), value);
    }
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        changed.insert(key.clone(), Value::Null);
    }
    changed.extend(beside(fields, &changed, after));
    changed
}

/// What no table knows in the members of the API that these changes are sent in: the API takes a
/// member whole.
fn beside(fields: &[Field], changed: &Settings, after: &Settings) -> Settings {
    let known = |key: &str| fields.iter().find(|field| field.name == key);
    let sent: Vec<&str> = changed
        .keys()
        .filter_map(|key| Some(known(key)?.api.split_once('.')?.0))
        .collect();
    let unknown = after
        .iter()
        .filter(|(key, _)| known(key).is_none() && sent.contains(&key.as_str()));
    unknown
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// The effect of `changes`.
pub(super) fn apply(settings: &mut Settings, changes: &Settings) {
    for (key, value) in changes {
        match value {
            Value::Null => {
                settings.remove(key);
            }
            Value::Object(fields) => {
                let there = fields.iter().filter(|(_, value)| !value.is_null());
                let there = there.map(|(key, value)| (key.clone(), value.clone()));
                settings.insert(key.clone(), Value::Object(there.collect()));
            }
            value => {
                settings.insert(key.clone(), value.clone());
            }
        }
    }
}

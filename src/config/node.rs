//! infra.toml as a tree that knows where each key and value stands, from which tables are
//! expanded, merged and read.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::{Diagnostic, Source};

/// A value and the bytes of infra.toml that it came from; a table's are those of its header.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: Range<usize>,
    pub(super) value: Value,
}

/// A TOML value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Datetime(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key of a table with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_at: Range<usize>,
    pub(super) node: Node,
}

impl Value {
    /// The word for the type in messages.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a decimal number",
            Self::Boolean(_) => "a boolean",
            Self::Datetime(_) => "a date or time",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

impl Node {
    pub(super) fn new(at: Range<usize>, value: Value) -> Self {
        Self { at, value }
    }

    /// Reads a TOML text; every syntax error that can be told apart is reported.
    pub(super) fn parse(source: &Source) -> Result<Self, Vec<Diagnostic>> {
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        if errors.is_empty() {
            let whole = 0..0;
            return Ok(Self::new(
                whole,
                Value::Table(entries(table.get_ref(), source)?),
            ));
        }
        Err(errors
            .iter()
            .map(|error| syntax_error(source, error))
            .collect())
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Table(entries) => entries,
            _ => &[],
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// Takes a key out of a table.
    pub(super) fn take(&mut self, key: &str) -> Option<Entry> {
        let Value::Table(entries) = &mut self.value else {
            return None;
        };
        let index = entries.iter().position(|entry| entry.key == key)?;
        Some(entries.remove(index))
    }

    /// Sets a key of a table that has none of this name.
    pub(super) fn set_default(&mut self, key: &str, value: &Node) {
        if let Value::Table(entries) = &mut self.value
            && !entries.iter().any(|entry| entry.key == key)
        {
            entries.push(Entry {
                key: key.to_owned(),
                key_at: value.at.clone(),
                node: value.clone(),
            });
        }
    }

    /// The node at the end of a path of keys and list indices, or the last one on the way to it.
    pub(super) fn follow(&self, path: &[&str]) -> &Node {
        let mut node = self;
        for step in path {
            let next = match &node.value {
                Value::List(items) => step.parse().ok().and_then(|index: usize| items.get(index)),
                _ => node.get(step),
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node
    }

    /// Lays another node over this one: tables merge, everything else replaces.
    pub(super) fn overlay(&mut self, over: &Node) {
        let (Value::Table(entries), Value::Table(others)) = (&mut self.value, &over.value) else {
            *self = over.clone();
            return;
        };
        for other in others {
            match entries.iter_mut().find(|entry| entry.key == other.key) {
                Some(entry) => entry.node.overlay(&other.node),
                None => entries.push(other.clone()),
            }
        }
    }
}

fn syntax_error(source: &Source, error: &toml::de::Error) -> Diagnostic {
    let at = error.span().unwrap_or_default();
    let mut message = error.message().trim().to_owned();
    if let Some(first) = message.get(..1) {
        message = format!(
            "{}{}",
            first.to_uppercase(),
            message.get(1..).unwrap_or_default()
        );
    }
    if !message.ends_with(['.', '`', '\'', '"']) {
        message.push('.');
    }
    let rest = source.text.get(at.start..).unwrap_or_default();
    let ended = rest.trim_start_matches([' ', '\t', '\r']);
    let hint = if message.starts_with("Duplicate key") {
        "A key stands once in its table, and a table once in the file.".to_owned()
    } else if message.starts_with("String values must")
        && (ended.is_empty() || ended.starts_with('\n'))
    {
        "A value is missing here.".clone_into(&mut message);
        "Write one, or leave the key out.".to_owned()
    } else {
        "Strings stand in double quotes, lists in [ ], inline tables in { }.".to_owned()
    };
    source.diagnostic(&at, message).with_hint(hint)
}

fn entries(table: &DeTable<'_>, source: &Source) -> Result<Vec<Entry>, Vec<Diagnostic>> {
    let mut found = Vec::new();
    for (key, value) in table {
        found.push(Entry {
            key: key.get_ref().to_string(),
            key_at: key.span(),
            node: node(value, source)?,
        });
    }
    Ok(found)
}

fn node(value: &Spanned<DeValue<'_>>, source: &Source) -> Result<Node, Vec<Diagnostic>> {
    let at = value.span();
    let too_large = |what: &str| {
        vec![source.diagnostic(&at, format!("This {what} is outside the range of 64 bits."))]
    };
    let read = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => {
            let parsed = i64::from_str_radix(number.as_str(), number.radix());
            Value::Integer(parsed.map_err(|_| too_large("number"))?)
        }
        DeValue::Float(number) => {
            Value::Float(number.as_str().parse().map_err(|_| too_large("number"))?)
        }
        DeValue::Boolean(value) => Value::Boolean(*value),
        DeValue::Datetime(value) => Value::Datetime(value.to_string()),
        DeValue::Array(items) => {
            let items: Result<_, _> = items.iter().map(|item| node(item, source)).collect();
            Value::List(items?)
        }
        DeValue::Table(table) => Value::Table(entries(table, source)?),
    };
    Ok(Node::new(at, read))
}

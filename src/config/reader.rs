//! Reads nodes of infra.toml into types. An error never ends the reading: it becomes a
//! diagnostic, and everything that can still be read is read.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::advice;
use super::declared::Declared;
use super::diagnostic::{Diagnostic, Source, alternatives, nearest};
use super::node::{Entry, Node, Value};
use super::placeholders::{self, Scope, Variables};

/// Reads the text of a file that infra.toml names.
pub type ReadFile<'a> = &'a mut dyn FnMut(&Path) -> io::Result<String>;

/// A type that a node of infra.toml can be read into.
pub(super) trait Decode: Sized {
    /// Reads a node, or reports why it cannot be read.
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self>;

    /// The value where the key is left out; none where the key is required.
    fn absent() -> Option<Self> {
        None
    }
}

/// What reading needs and what it has found.
pub(super) struct Reader<'a> {
    pub(super) source: Source,
    pub(super) declared: Declared,
    /// The environment of the table that is being read.
    pub(super) variables: Option<Variables>,
    /// The address of the resource that is being read.
    pub(super) address: Option<String>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Strings whose placeholders could not be resolved: nothing more is said about them.
    unresolved: Vec<Range<usize>>,
    /// The keys from the table's top to the node that is being read.
    keys: Vec<String>,
    read_file: ReadFile<'a>,
    files: BTreeMap<PathBuf, Result<String, String>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: Source, read_file: ReadFile<'a>) -> Self {
        Self {
            source,
            declared: Declared::default(),
            variables: None,
            address: None,
            diagnostics: Vec::new(),
            unresolved: Vec::new(),
            keys: Vec::new(),
            read_file,
            files: BTreeMap::new(),
        }
    }

    /// Reports an error about bytes of infra.toml.
    pub(super) fn error(
        &mut self,
        at: &Range<usize>,
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) {
        let inside = |of: &Range<usize>| of.start <= at.start && at.end <= of.end;
        if !self.unresolved.iter().any(inside) {
            let diagnostic = self.source.diagnostic(at, message).with_hint(hint);
            self.report(diagnostic);
        }
    }

    /// Reports an error about a node at the end of a path, or about the last one on the way to it.
    pub(super) fn error_at(
        &mut self,
        node: &Node,
        path: &[&str],
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) {
        self.error(&node.follow(path).at.clone(), message, hint);
    }

    /// Keeps a diagnostic; one that is there already only gains the address.
    pub(super) fn report(&mut self, mut diagnostic: Diagnostic) {
        let same = |other: &&mut Diagnostic| {
            other.position == diagnostic.position && other.message == diagnostic.message
        };
        if let Some(other) = self.diagnostics.iter_mut().find(same) {
            let addresses = self
                .address
                .iter()
                .filter(|it| !other.addresses.contains(it));
            let addresses: Vec<String> = addresses.cloned().collect();
            other.addresses.extend(addresses);
            return;
        }
        diagnostic.addresses.extend(self.address.clone());
        self.diagnostics.push(diagnostic);
    }

    pub(super) fn failed(&self) -> bool {
        !self.diagnostics.is_empty()
    }

    /// The path of a file that infra.toml names, which is relative to infra.toml.
    pub(super) fn relative(&self, path: &str) -> PathBuf {
        let folder = Path::new(&self.source.path).parent();
        folder.unwrap_or_else(|| Path::new("")).join(path)
    }

    /// The text of a file, which is read once, or why it cannot be read.
    pub(super) fn file(&mut self, path: &Path) -> Result<String, String> {
        if let Some(known) = self.files.get(path) {
            return known.clone();
        }
        let text = (self.read_file)(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => format!("There is no file {}.", path.display()),
            io::ErrorKind::InvalidData => format!("{} is not UTF-8 text.", path.display()),
            _ => format!("{} cannot be read: {error}.", path.display()),
        });
        self.files.insert(path.to_owned(), text.clone());
        text
    }

    pub(super) fn scope(&self, document: bool) -> Scope<'_> {
        Scope {
            declared: &self.declared,
            environment: self.variables.as_ref(),
            document,
        }
    }

    /// Resolves the placeholders of every string and key below a node.
    pub(super) fn substitute(&mut self, node: &mut Node) {
        let typed = match &node.value {
            Value::Text(text) => placeholders::sole_variable(text, self.scope(false)).cloned(),
            _ => None,
        };
        if let Some(value) = typed {
            node.value = value;
            return;
        }
        match &mut node.value {
            Value::Text(text) => self.substitute_text(text, &node.at),
            Value::List(items) => items.iter_mut().for_each(|item| self.substitute(item)),
            Value::Table(entries) => {
                for entry in entries.iter_mut() {
                    self.substitute_text(&mut entry.key, &entry.key_at);
                    self.substitute(&mut entry.node);
                }
                self.check_keys(entries);
            }
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {}
        }
    }

    /// Reports keys that are the same once their placeholders are resolved.
    fn check_keys(&mut self, entries: &[Entry]) {
        for (index, entry) in entries.iter().enumerate() {
            if entries
                .iter()
                .take(index)
                .any(|other| other.key == entry.key)
            {
                let message = format!("Two keys of this table expand to `{}`.", entry.key);
                self.error(&entry.key_at, message, "Leave one out.".to_owned());
            }
        }
    }

    /// Says no more about a string of infra.toml than what has been said.
    pub(super) fn unresolved(&mut self, at: Range<usize>) {
        self.unresolved.push(at);
    }

    /// Resolves the placeholders of one string or key that stands at these bytes.
    pub(super) fn substitute_text(&mut self, text: &mut String, at: &Range<usize>) {
        if !text.contains("{{") {
            return;
        }
        match placeholders::expand(text, self.scope(false)) {
            Ok(expanded) => *text = expanded.text,
            Err(faults) => {
                for fault in faults {
                    let written = text.get(fault.at.clone()).unwrap_or_default();
                    let source = self.source.text.get(at.clone()).unwrap_or_default();
                    let place = match source.find(written) {
                        Some(offset) => at.start + offset..at.start + offset + written.len(),
                        None => at.clone(),
                    };
                    let diagnostic = self.source.diagnostic(&place, fault.message);
                    self.report(diagnostic.with_hint(fault.hint));
                }
                self.unresolved.push(at.clone());
            }
        }
    }

    /// The key that is being read, in backticks, for messages.
    pub(super) fn key(&self) -> String {
        match self.keys.last() {
            Some(key) => format!("`{key}`"),
            None => "This".to_owned(),
        }
    }

    /// Reports that a node is of the wrong type.
    pub(super) fn expected<T>(
        &mut self,
        node: &Node,
        wanted: &str,
        hint: Option<String>,
    ) -> Option<T> {
        let message = format!(
            "{} must be {wanted}, not {}.",
            self.key(),
            node.value.type_name()
        );
        self.error(&node.at, message, hint);
        None
    }

    /// Reads a node as the value of a key.
    pub(super) fn value<T: Decode>(&mut self, key: &str, node: &Node) -> Option<T> {
        self.keys.push(key.to_owned());
        let value = T::decode(node, self);
        self.keys.pop();
        value
    }

    /// Checks that a node is a table with none but known keys.
    pub(super) fn table(&mut self, node: &Node, known: &[&str]) -> Option<()> {
        let Value::Table(entries) = &node.value else {
            let hint = known
                .first()
                .map(|key| format!("Write `{{ {key} = ... }}`."));
            return self.expected(node, "a table", hint);
        };
        for entry in entries {
            if !known.contains(&entry.key.as_str()) {
                self.unknown_key(entry, known);
            }
        }
        Some(())
    }

    pub(super) fn unknown_key(&mut self, entry: &Entry, known: &[&str]) {
        let address = self.address.as_deref();
        let hint = advice::on_key(&entry.key, known, address);
        let message = format!("Unknown key `{}`.", entry.key);
        self.error(&entry.key_at, message, hint);
    }

    /// Reads a key of a table; a key that is left out has its default, or is missing.
    pub(super) fn field<T: Decode>(
        &mut self,
        table: &Node,
        key: &str,
        default: Option<fn() -> T>,
    ) -> Option<T> {
        if let Some(node) = table.get(key) {
            return self.value(key, node);
        }
        let absent = default.map_or_else(T::absent, |default| Some(default()));
        if absent.is_none() {
            let message = match self.keys.last() {
                Some(parent) => format!("`{parent}` has no `{key}`."),
                None => format!("The key `{key}` is missing."),
            };
            self.error(&table.at, message, format!("Add `{key} = ...`."));
        }
        absent
    }
}

impl Reader<'_> {
    /// Reads one of a few words.
    pub(super) fn word(&mut self, node: &Node, words: &[&str]) -> Option<String> {
        let known = alternatives(words.iter().copied());
        let Some(text) = node.text() else {
            let hint = format!("Write it in quotes: {known}.");
            return self.expected(node, "a string", Some(hint));
        };
        if words.contains(&text) {
            return Some(text.to_owned());
        }
        let hint = match nearest(text, words.iter().copied()) {
            Some(near) => format!("Did you mean \"{near}\"?"),
            None => format!("Write {known}."),
        };
        let message = format!("{} cannot be `{text}`; it is {known}.", self.key());
        self.error(&node.at, message, hint);
        None
    }
}

//! The documents that infra.toml names: read, their placeholders resolved, checked.

use super::diagnostic::{Diagnostic, Source};
use super::model::{JsonDocument, SourceDocument};
use super::node::Node;
use super::placeholders::{self, Expanded};
use super::reader::Reader;
use crate::policy::{Document, PolicyKind};

/// A file's text as it is written, and with its placeholders resolved.
pub(super) struct Loaded {
    pub(super) source: Source,
    pub(super) expanded: Expanded,
}

impl Loaded {
    /// An error at a line and column of the expanded text, shown in the file as it is written.
    pub(super) fn diagnostic(&self, line: usize, column: usize, message: &str) -> Diagnostic {
        let expanded = Source::new(self.source.path.clone(), self.expanded.text.clone());
        let start = self.expanded.origin(expanded.offset(line, column));
        self.source
            .diagnostic(&(start..self.token_end(start)), message)
    }

    /// The end of the JSON token that begins at an offset, so that it can be underlined.
    fn token_end(&self, start: usize) -> usize {
        let rest = self.source.text.get(start..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default();
        let length = match line.strip_prefix('"') {
            Some(inner) => inner.find('"').map_or(line.len(), |end| end + 2),
            None => line.find([',', '}', ']', ':', ' ']).unwrap_or(line.len()),
        };
        start + length.max(1)
    }
}

/// Reads the file that a string of infra.toml names, and resolves its placeholders.
pub(super) fn load(node: &Node, reader: &mut Reader<'_>) -> Option<Loaded> {
    let name = node.text()?;
    let path = reader.relative(name);
    let shown = path.to_string_lossy().into_owned();
    let text = match reader.file(&path) {
        Ok(text) => text,
        Err(message) => {
            let hint = "The path is relative to infra.toml.".to_owned();
            reader.error(&node.at, message, hint);
            return None;
        }
    };
    let source = Source::new(shown, text);
    match placeholders::expand(&source.text, reader.scope(true)) {
        Ok(expanded) => Some(Loaded { source, expanded }),
        Err(faults) => {
            for fault in faults {
                reader.report(
                    source
                        .diagnostic(&fault.at, fault.message)
                        .with_hint(fault.hint),
                );
            }
            None
        }
    }
}

/// Reads a policy document and checks its grammar.
pub(super) fn policy(
    node: &Node,
    kind: PolicyKind,
    reader: &mut Reader<'_>,
) -> Option<SourceDocument> {
    let loaded = load(node, reader)?;
    match Document::parse(&loaded.expanded.text, kind) {
        Ok(document) => Some(SourceDocument {
            path: loaded.source.path,
            document: document.at_home(&reader.declared.home()),
        }),
        Err(errors) => {
            for error in errors {
                let diagnostic = loaded.diagnostic(error.line, error.column, &error.message);
                reader.report(diagnostic.with_hint(error.hint));
            }
            None
        }
    }
}

/// Reports a document that is larger than the default quota.
pub(super) fn check_size(
    document: &SourceDocument,
    node: &Node,
    limit: usize,
    what: &str,
    reader: &mut Reader<'_>,
) {
    let size = document.document.size();
    if size > limit {
        let path = &document.path;
        let message = format!(
            "{path} has {size} characters; {what} may have {limit}, not counting whitespace."
        );
        let hint = "Split it, or shorten it with wildcards.".to_owned();
        reader.error(&node.at, message, hint);
    }
}

/// Reads an ECR lifecycle policy and checks its form.
pub(super) fn lifecycle(node: &Node, reader: &mut Reader<'_>) -> Option<JsonDocument> {
    let loaded = load(node, reader)?;
    let text = loaded.expanded.text.clone();
    let value: serde_json::Value = match serde_json::from_str(&text) {
        Ok(value) => value,
        Err(error) => {
            let full = error.to_string();
            let message = full.split(" at line ").next().unwrap_or_default();
            let message = format!("This is not JSON: {message}.");
            let diagnostic = loaded.diagnostic(error.line(), error.column().max(1), &message);
            let hint = "JSON has no comments and no comma before a closing bracket.".to_owned();
            reader.report(diagnostic.with_hint(hint));
            return None;
        }
    };
    super::lifecycle::check(&value, &loaded, reader);
    Some(JsonDocument {
        path: loaded.source.path,
        text,
    })
}

//! One policy document: its text as given, its statements, and the forms of its text.
//! Documents are equal when their canonical forms are.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::canonical;
use super::grammar::{self, Strictness};
use super::home::Home;
use super::json::{self, Fault, Node};
use super::kind::PolicyKind;
use super::statement::{Effect, Statement};

/// A grammar error in a policy document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SyntaxError {
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// One sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.line, self.column, self.message)?;
        match &self.hint {
            Some(hint) => write!(formatter, " {hint}"),
            None => Ok(()),
        }
    }
}

/// A parsed policy document. Clones share their content: worlds that are compared hold the same ones.
#[derive(Clone)]
pub struct Document(Arc<Content>);

#[derive(Clone)]
struct Content {
    kind: PolicyKind,
    text: String,
    root: Node,
    version_2012: bool,
    id: Option<String>,
    statements: Vec<Statement>,
    /// Canonical text of each statement.
    statement_texts: Vec<String>,
    canonical: String,
    home: Option<Home>,
}

impl Content {
    /// Writes the texts that documents are compared by, from the statements.
    fn write_canonical(&mut self) {
        let (version_2012, statements) = (self.version_2012, &self.statements);
        self.canonical = canonical::text(
            version_2012,
            self.id.as_deref(),
            statements,
            &BTreeMap::new(),
        );
        self.statement_texts = statements
            .iter()
            .map(|statement| canonical::statement_text(statement, version_2012))
            .collect();
    }
}

impl Document {
    /// Parses a document as IAM accepts it when it is written; every grammar error is reported.
    pub fn parse(text: &str, kind: PolicyKind) -> Result<Self, Vec<SyntaxError>> {
        Self::with(text, kind, Strictness::Writing)
    }

    /// Parses a document that comes from IAM, which URL-encodes it ("Policies returned by this operation are URL-encoded
    /// compliant with RFC 3986": IAM API Reference, `GetPolicyVersion`); plain JSON is taken as it is.
    pub fn parse_encoded(text: &str, kind: PolicyKind) -> Result<Self, Vec<SyntaxError>> {
        if text.trim_start().starts_with('{') {
            return Self::with(text, kind, Strictness::Meaning);
        }
        match percent_decode(text) {
            Ok(decoded) => Self::with(&decoded, kind, Strictness::Meaning),
            Err(fault) => Err(locate(text, vec![fault])),
        }
    }

    /// Parses a document for its meaning: also what IAM would refuse to store but what can mean only one thing
    /// (`"Effect": "allow"`, a trust policy's statement that is about nobody, a Resource in a trust policy).
    pub fn read(text: &str, kind: PolicyKind) -> Result<Self, Vec<SyntaxError>> {
        Self::with(text, kind, Strictness::Meaning)
    }

    /// As [`Self::read`], of a file that somebody says is of this kind: each statement of a trust or resource policy
    /// must name a principal, else it is likely a policy of another kind.
    pub fn read_as(text: &str, kind: PolicyKind) -> Result<Self, Vec<SyntaxError>> {
        Self::with(text, kind, Strictness::Naming)
    }

    fn with(
        text: &str,
        kind: PolicyKind,
        strictness: Strictness,
    ) -> Result<Self, Vec<SyntaxError>> {
        let root = json::read(text).map_err(|fault| locate(text, vec![fault]))?;
        let mut faults = if strictness == Strictness::Writing {
            foreign_characters(text)
        } else {
            Vec::new()
        };
        match grammar::read(&root, kind, strictness) {
            Ok(parsed) if faults.is_empty() => {
                let mut statements = parsed.statements;
                let lines = line_starts(text);
                for (statement, offset) in statements.iter_mut().zip(&parsed.offsets) {
                    statement.line = lines.partition_point(|start| start <= offset);
                }
                let mut content = Content {
                    kind,
                    text: text.to_owned(),
                    root,
                    version_2012: parsed.version_2012,
                    id: parsed.id,
                    statement_texts: Vec::new(),
                    statements,
                    canonical: String::new(),
                    home: None,
                };
                content.write_canonical();
                Ok(Self(Arc::new(content)))
            }
            Ok(_) => Err(locate(text, faults)),
            Err(more) => {
                faults.extend(more);
                Err(locate(text, faults))
            }
        }
    }

    /// What the document denies, as a document that allows just that.
    #[must_use]
    pub fn denied(&self) -> Self {
        let mut out = self.clone();
        let content = Arc::make_mut(&mut out.0);
        content.statements.retain(|one| one.effect == Effect::Deny);
        for statement in &mut content.statements {
            statement.effect = Effect::Allow;
        }
        content.write_canonical();
        out
    }

    /// What the document is for.
    #[must_use]
    pub fn kind(&self) -> PolicyKind {
        self.0.kind
    }

    /// The same document, living in an account and a region: examples of what it allows speak of these.
    #[must_use]
    pub fn at_home(mut self, home: &Home) -> Self {
        Arc::make_mut(&mut self.0).home = Some(home.clone());
        self
    }

    /// Where it lives, if that was said.
    pub(super) fn home(&self) -> Option<&Home> {
        self.0.home.as_ref()
    }

    /// The text as given (decoded, where it came encoded).
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The text sent to AWS: the same JSON, key order kept, without insignificant whitespace.
    #[must_use]
    pub fn minified(&self) -> String {
        let mut out = String::with_capacity(self.0.text.len());
        let (mut inside, mut escaped) = (false, false);
        for letter in self.0.text.chars() {
            if inside {
                inside = letter != '"' || escaped;
                escaped = letter == '\\' && !escaped;
            } else if letter == '"' {
                inside = true;
            } else if letter.is_whitespace() {
                continue;
            }
            out.push(letter);
        }
        out
    }

    /// The text for diffs: 2-space indented, key order kept.
    #[must_use]
    pub fn pretty(&self) -> String {
        serde_json::to_string_pretty(&self.0.root).unwrap_or_else(|_| self.0.text.clone())
    }

    /// Canonical JSON: the same for every spelling of one meaning (see [`canonical`](super::canonical)).
    #[must_use]
    pub fn canonical(&self) -> String {
        self.0.canonical.clone()
    }

    /// As [`Self::canonical`], with a principal's unique id (`AROA...`) read as the ARN that it resolves to.
    #[must_use]
    pub fn canonical_with(&self, principal_ids: &BTreeMap<String, String>) -> String {
        canonical::text(
            self.0.version_2012,
            self.0.id.as_deref(),
            &self.0.statements,
            principal_ids,
        )
    }

    /// Characters that count for quotas, all but whitespace outside strings: "IAM doesn't count white space when
    /// calculating the size of a policy against these quotas" ("IAM and AWS STS quotas").
    #[must_use]
    pub fn size(&self) -> usize {
        self.minified().chars().count()
    }

    /// The statements in their order.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.0.statements
    }

    /// The canonical texts of the statements of one effect; equal texts mean the same.
    pub(super) fn statement_texts(&self, effect: Effect) -> impl Iterator<Item = &str> {
        self.0
            .statements
            .iter()
            .zip(&self.0.statement_texts)
            .filter(move |(statement, _)| statement.effect == effect)
            .map(|(_, text)| text.as_str())
    }

    /// The same document under the other reading of its resource patterns (see `readings`).
    pub(super) fn over_fields(&self) -> Self {
        let mut out = self.clone();
        for statement in &mut Arc::make_mut(&mut out.0).statements {
            if let Some(resources) = &mut statement.resources {
                resources.over_fields = true;
            }
        }
        out
    }

    /// Whether `${...}` is a policy variable here (Version 2012-10-17) and not literal text.
    #[must_use]
    pub fn has_variables(&self) -> bool {
        self.0.version_2012
    }
}

/// Whether two documents differ at most in spelling.
#[must_use]
pub fn same_spelling(a: &Document, b: &Document) -> bool {
    a == b
}

/// As [`same_spelling`], where `principal_ids` maps a principal's unique id to the ARN that it resolves to.
#[must_use]
pub fn same_spelling_with(
    a: &Document,
    b: &Document,
    principal_ids: &BTreeMap<String, String>,
) -> bool {
    a.kind() == b.kind() && a.canonical_with(principal_ids) == b.canonical_with(principal_ids)
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.kind == other.0.kind && self.0.canonical == other.0.canonical)
    }
}

impl Eq for Document {}

impl fmt::Debug for Document {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Document({:?}, {})",
            self.0.kind,
            self.minified()
        )
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.root.serialize(serializer)
    }
}

/// "IAM and AWS STS quotas": a document holds tab, line feed, carriage return and U+0020 to U+00FF.
fn foreign_characters(text: &str) -> Vec<Fault> {
    text.char_indices()
        .filter(|(_, letter)| !matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{ff}'))
        .map(|(at, letter)| {
            Fault::new(
                at,
                format!("IAM refuses the character U+{:04X}.", u32::from(letter)),
            )
            .hint("Policy documents hold characters up to U+00FF only.")
        })
        .collect()
}

/// The faults in the order of their places, each with its line and column, both 1-based; one walk for all of them.
fn locate(text: &str, mut faults: Vec<Fault>) -> Vec<SyntaxError> {
    faults.sort_by_key(|fault| fault.at);
    let (mut done, mut line, mut column) = (0, 1, 1);
    let each = faults.into_iter().map(|Fault { at, message, hint }| {
        for letter in text.get(done..at).unwrap_or_default().chars() {
            if letter == '\n' {
                (line, column) = (line + 1, 1);
            } else {
                column += 1;
            }
        }
        done = done.max(at);
        SyntaxError {
            line,
            column,
            message,
            hint,
        }
    });
    each.collect()
}

/// The offsets at which lines begin.
fn line_starts(text: &str) -> Vec<usize> {
    let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(breaks).collect()
}

fn percent_decode(text: &str) -> Result<String, Fault> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit =
            |next: Option<(usize, u8)>| next.and_then(|(_, byte)| char::from(byte).to_digit(16));
        let pair = digit(bytes.next()).zip(digit(bytes.next()));
        let decoded = pair.and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        out.push(decoded.ok_or_else(|| {
            Fault::new(
                at,
                "The URL-encoding is broken: `%` wants two hexadecimal digits.",
            )
        })?);
    }
    String::from_utf8(out).map_err(|_| Fault::new(0, "The URL-encoded document is not UTF-8."))
}

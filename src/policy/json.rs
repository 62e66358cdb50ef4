//! JSON with positions: a small reader that keeps where each value stands and the order of keys.
//! `serde_json` keeps neither, and an error in a policy document must name its line and column.

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};

/// Nesting beyond this is refused: IAM's grammar needs five levels, and recursion must be bounded.
const DEPTH_LIMIT: usize = 32;

/// A value and the byte offset at which it begins.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: usize,
    pub(super) value: Value,
}

/// A JSON value; numbers keep their text, objects the order of their keys.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

/// One key of an object with its value.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) key: String,
    pub(super) key_at: usize,
    pub(super) node: Node,
}

/// What is wrong, and at which byte offset.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Fault {
    pub(super) fn new(at: usize, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
            hint: None,
        }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Value {
    /// The word for the type in messages.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Number(text) => match serde_json::from_str::<serde_json::Number>(text) {
                Ok(number) => number.serialize(serializer),
                Err(_) => serializer.serialize_str(text),
            },
            Value::String(text) => serializer.serialize_str(text),
            Value::Array(items) => {
                let mut sequence = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    sequence.serialize_element(item)?;
                }
                sequence.end()
            }
            Value::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for member in members {
                    map.serialize_entry(&member.key, &member.node)?;
                }
                map.end()
            }
        }
    }
}

/// Reads one JSON text.
pub(super) fn read(text: &str) -> Result<Node, Fault> {
    let mut reader = Reader { text, at: 0 };
    if text.starts_with('\u{feff}') {
        return Err(Fault::new(0, "The document begins with a byte order mark.")
            .hint("Save the file as UTF-8 without a byte order mark."));
    }
    reader.skip_whitespace();
    if reader.at == text.len() {
        return Err(Fault::new(0, "The document is empty."));
    }
    let node = reader.value(0)?;
    reader.skip_whitespace();
    match reader.peek() {
        None => Ok(node),
        Some(_) => Err(Fault::new(
            reader.at,
            "There is text after the end of the document.",
        )),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_whitespace(&mut self) {
        let rest = self.rest();
        let kept = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        self.at += rest.len() - kept.len();
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.at, message)
    }

    fn found(&self) -> String {
        match self.peek() {
            None => "the end of the document".to_owned(),
            Some(letter) => format!("`{}`", letter.escape_default()),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, Fault> {
        if depth > DEPTH_LIMIT {
            return Err(self.fault(format!("Values are nested more than {DEPTH_LIMIT} deep.")));
        }
        self.skip_whitespace();
        let at = self.at;
        let value = match self.peek() {
            Some('{') => self.object(depth)?,
            Some('[') => self.array(depth)?,
            Some('"') => Value::String(self.string()?),
            Some('-' | '0'..='9') => self.number()?,
            Some(letter) if letter.is_ascii_alphabetic() => self.word()?,
            Some('\'') => {
                return Err(self
                    .fault("Expected a value, found `'`.")
                    .hint("JSON strings stand in double quotes."));
            }
            _ => return Err(self.fault(format!("Expected a value, found {}.", self.found()))),
        };
        Ok(Node { at, value })
    }

    fn word(&mut self) -> Result<Value, Fault> {
        let word: String = self
            .rest()
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        let value = match word.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            _ => {
                return Err(self
                    .fault(format!("Expected a value, found `{word}`."))
                    .hint("JSON strings stand in double quotes."));
            }
        };
        self.at += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, Fault> {
        let text: String = self
            .rest()
            .chars()
            .take_while(|letter| {
                letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.')
            })
            .collect();
        if serde_json::from_str::<serde_json::Number>(&text).is_err() {
            return Err(self.fault(format!("`{text}` is not a number.")));
        }
        self.at += text.len();
        Ok(Value::Number(text))
    }

    fn array(&mut self, depth: usize) -> Result<Value, Fault> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_whitespace();
        if self.take(']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_whitespace();
            if self.take(']') {
                return Ok(Value::Array(items));
            }
            self.comma(']')?;
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, Fault> {
        self.at += 1;
        let mut members: Vec<Member> = Vec::new();
        self.skip_whitespace();
        if self.take('}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_whitespace();
            let key_at = self.at;
            if self.peek() != Some('"') {
                return Err(self.fault(format!(
                    "Expected a key in double quotes, found {}.",
                    self.found()
                )));
            }
            let key = self.string()?;
            self.skip_whitespace();
            if !self.take(':') {
                return Err(self.fault(format!(
                    "Expected `:` after the key `{key}`, found {}.",
                    self.found()
                )));
            }
            let node = self.value(depth + 1)?;
            members.push(Member { key, key_at, node });
            self.skip_whitespace();
            if self.take('}') {
                return Ok(Value::Object(members));
            }
            self.comma('}')?;
        }
    }

    /// Takes the comma between two items and refuses one that stands before the closing bracket.
    fn comma(&mut self, close: char) -> Result<(), Fault> {
        let at = self.at;
        if !self.take(',') {
            return Err(self.fault(format!(
                "Expected `,` or `{close}`, found {}.",
                self.found()
            )));
        }
        self.skip_whitespace();
        if self.peek() == Some(close) {
            return Err(
                Fault::new(at, format!("There is a comma before `{close}`."))
                    .hint("Remove it: JSON has no trailing commas."),
            );
        }
        Ok(())
    }

    fn string(&mut self) -> Result<String, Fault> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let at = self.at;
            let Some(letter) = self.peek() else {
                return Err(Fault::new(start, "This string has no end.")
                    .hint("Close it with a double quote."));
            };
            self.at += letter.len_utf8();
            match letter {
                '"' => return Ok(out),
                '\\' => out.push(self.escape(at)?),
                control if control < ' ' => {
                    return Err(Fault::new(
                        at,
                        "A string holds a line break or control character.",
                    )
                    .hint("Close the string, or write the character as an escape such as \\n."));
                }
                other => out.push(other),
            }
        }
    }

    fn escape(&mut self, at: usize) -> Result<char, Fault> {
        let Some(letter) = self.peek() else {
            return Err(Fault::new(at, "The document ends inside an escape."));
        };
        self.at += letter.len_utf8();
        Ok(match letter {
            '"' | '\\' | '/' => letter,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => self.unicode(at)?,
            _ => {
                return Err(Fault::new(
                    at,
                    format!("`\\{letter}` is not an escape of JSON."),
                ));
            }
        })
    }

    fn unicode(&mut self, at: usize) -> Result<char, Fault> {
        let bad = || {
            Fault::new(
                at,
                "This is not a character: \\u wants four hexadecimal digits.",
            )
        };
        let high = self.hex4().ok_or_else(bad)?;
        if !(0xd800..0xdc00).contains(&high) {
            return char::from_u32(high).ok_or_else(bad);
        }
        if !(self.take('\\') && self.take('u')) {
            return Err(bad());
        }
        let low = self
            .hex4()
            .filter(|low| (0xdc00..0xe000).contains(low))
            .ok_or_else(bad)?;
        char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)).ok_or_else(bad)
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

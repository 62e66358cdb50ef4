//! What looks like a credential, by its name or by its entropy, and how it is hidden in JSON.
//! Everything that is printed or saved passes through here, whatever the verbosity.

mod line;

use serde_json::{Map, Value};

pub use self::line::hide_line;

/// Stands for a value that is not shown.
pub const HIDDEN: &str = "(hidden)";
/// Stands for a value that is not shown and that differs from the one before.
pub const HIDDEN_CHANGED: &str = "(hidden, changed)";

/// Maps from free names to free text, in which people put credentials: a name there may give a
/// value away. Elsewhere (`secrets`, for one) a name like `JWT_SECRET_KEY` stands beside a reference.
const FREE_MAPS: &[&str] = &[
    "environment",
    "options",
    "docker_labels",
    "labels",
    "vars",
    "tags",
    "driver_options",
];

/// Shortest value whose entropy is judged: 20 characters of base64 hold 120 bits, below which
/// ordinary words and names would be hidden as well.
const SHORTEST_RANDOM: usize = 20;
/// Bits per character, in thousandths, from which text counts as random: English prose with digits
/// stays below 3.5 at this length, base64 of random bytes is above 3.8.
const RANDOM_BITS: f64 = 3.5;
/// The same for hexadecimal digits, of which 32 random ones give about 3.6 of at most 4 bits.
const RANDOM_HEX_BITS: f64 = 3.0;

/// Whether a value under this name looks like a credential, by the name or by the value.
#[must_use]
pub fn is_credential(name: &str, value: &str) -> bool {
    (names_credential(name) && !is_plain(value)) || is_token(value) || is_random(value)
}

/// Whether a name says that its value is a credential.
#[must_use]
pub fn names_credential(name: &str) -> bool {
    const WHOLE: &[&str] = &[
        "password",
        "passwd",
        "passwort",
        "pwd",
        "pass",
        "passphrase",
        "secret",
        "secrets",
        "token",
        "tokens",
        "apikey",
        "credential",
        "credentials",
        "dsn",
        "salt",
        "cookie",
        "jwt",
        "pin",
        "signature",
        "webhook",
        "secretkey",
        "accesskey",
        "privatekey",
        "authorization",
    ];
    const ABOUT: &[&str] = &[
        "seconds",
        "minutes",
        "hours",
        "days",
        "ttl",
        "length",
        "timeout",
        "expiry",
        "expiration",
        "expires",
        "lifetime",
        "count",
        "size",
        "name",
        "id",
        "arn",
        "file",
        "path",
        "url",
        "uri",
        "header",
        "type",
        "algorithm",
        "enabled",
        "issuer",
        "audience",
        "public",
    ];
    let words = words(name);
    let about = words
        .last()
        .is_some_and(|last| ABOUT.contains(&last.as_str()))
        || words.iter().any(|word| word == "public");
    let key = words
        .last()
        .is_some_and(|last| last == "key" || last == "keys")
        && words.len() > 1;
    !about && (key || words.iter().any(|word| WHOLE.contains(&word.as_str())))
}

/// The words of a name, in lower case: `DB_Password`, `db-password` and `dbPassword` have the same.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower = false;
    for letter in name.chars() {
        let starts = letter.is_uppercase() && lower;
        if starts || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if let (true, Some(word)) = (letter.is_alphanumeric(), words.last_mut()) {
            word.extend(letter.to_lowercase());
        }
        lower = letter.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Values that are no credential whatever they are called.
fn is_plain(value: &str) -> bool {
    const PLAIN: &[&str] = &[
        "", "true", "false", "yes", "no", "on", "off", "0", "1", "none", "null",
    ];
    PLAIN.contains(&value.to_ascii_lowercase().as_str())
}

/// Whether a text is, or holds, a credential of a known shape.
fn is_token(text: &str) -> bool {
    const STARTS: &[&str] = &[
        "AKIA",
        "ASIA",
        "ghp_",
        "gho_",
        "ghs_",
        "ghu_",
        "ghr_",
        "github_pat_",
        "glpat-",
        "xoxb-",
        "xoxp-",
        "xoxa-",
        "xapp-",
        "sk_live_",
        "rk_live_",
        "sk-",
        "SG.",
        "npm_",
        "pypi-",
        "AIza",
        "eyJ",
        "dop_v1_",
        "shpat_",
        "hvs.",
    ];
    if text.contains("PRIVATE KEY-----") {
        return true;
    }
    text.split(|letter: char| letter.is_whitespace() || "\"'=,;()<>&?".contains(letter))
        .any(|word| {
            // Shorter than any of these tokens is ordinary text that happens to begin alike.
            (word.len() >= 16 && STARTS.iter().any(|start| word.starts_with(start)))
                || has_password(word)
        })
}

/// Whether a URL carries a password before its host.
fn has_password(word: &str) -> bool {
    let Some((_, rest)) = word.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '#']).next().unwrap_or_default();
    authority
        .rsplit_once('@')
        .is_some_and(|(user, _)| user.contains(':') || user.len() >= SHORTEST_RANDOM)
}

/// Whether a text looks as if made of random bytes.
fn is_random(text: &str) -> bool {
    if text.starts_with("arn:") || text.contains("sha256:") || text.contains("://") {
        return false;
    }
    text.split(|letter: char| letter.is_whitespace() || "\"',;:&?@".contains(letter))
        .any(is_random_word)
}

fn is_random_word(word: &str) -> bool {
    let digits: String = word.chars().filter(|letter| *letter != '-').collect();
    if digits.len() >= 32 && digits.chars().all(|letter| letter.is_ascii_hexdigit()) {
        return entropy(&digits) >= RANDOM_HEX_BITS;
    }
    let alphabet =
        |letter: char| letter.is_ascii_alphanumeric() || "+/=_-.~!$%^*#".contains(letter);
    if word.len() < SHORTEST_RANDOM || !word.chars().all(alphabet) {
        return false;
    }
    // A path or a host name is long too, but its parts are words.
    let longest = word
        .split(['/', '.', '-', '_'])
        .map(str::len)
        .max()
        .unwrap_or_default();
    let mixed = word.chars().any(|letter| letter.is_ascii_digit())
        && word.chars().any(|letter| letter.is_ascii_uppercase())
        && word.chars().any(|letter| letter.is_ascii_lowercase());
    (mixed || longest >= SHORTEST_RANDOM)
        && longest >= 8
        && has_no_words(word)
        && entropy(word) >= RANDOM_BITS
}

/// Whether changes between letters, digits and cases are as frequent as random text has them.
fn has_no_words(word: &str) -> bool {
    let class = |letter: char| match letter {
        'a'..='z' => 0,
        'A'..='Z' => 1,
        '0'..='9' => 2,
        _ => 3,
    };
    let classes: Vec<u8> = word.chars().map(class).collect();
    let turns = classes
        .windows(2)
        .filter(|pair| pair.first() != pair.last())
        .count();
    // Random base64 turns at about 0.6 of its places, random lower case with digits at about 0.4;
    // words that are joined by hyphens, or in camel case, at 0.3 or less.
    turns * 3 >= word.len()
}

/// Shannon's entropy of a text, in bits per character.
fn entropy(text: &str) -> f64 {
    let mut counts = std::collections::BTreeMap::<char, u32>::new();
    for letter in text.chars() {
        *counts.entry(letter).or_default() += 1;
    }
    let length = f64::from(counts.values().sum::<u32>().max(1));
    counts
        .values()
        .map(|count| f64::from(*count) / length)
        .map(|share| -share * share.log2())
        .sum()
}

/// A copy of a value in which every credential is replaced by [`HIDDEN`]. `path` is where it
/// stands, such as `container.web.environment.DEBUG`.
#[must_use]
pub fn hide(path: &str, value: &Value) -> Value {
    let segments: Vec<&str> = path.split('.').collect();
    let free = segments
        .iter()
        .position(|segment| FREE_MAPS.contains(segment))
        .and_then(|at| segments.get(at + 1..))
        .filter(|rest| !rest.is_empty())
        .map(|rest| rest.join("."));
    match free {
        Some(name) => hide_named(&name, value),
        None => hide_under(segments.last().copied().unwrap_or_default(), value),
    }
}

/// What is shown of a change: both values, hidden where they look like credentials.
#[must_use]
pub fn hide_change(path: &str, before: &Value, after: &Value) -> (Value, Value) {
    let (mut shown, mut to) = (hide(path, before), hide(path, after));
    // One side may look harmless ("true") beside a credential; where the name tells, both go.
    let hidden = |value: &Value| value.as_str() == Some(HIDDEN);
    if hidden(&shown) && to.is_string() || hidden(&to) && shown.is_string() {
        shown = Value::from(HIDDEN);
        to = Value::from(HIDDEN_CHANGED);
    } else if before != after && shown == to {
        mark_changed(before, after, &mut to);
    }
    (shown, to)
}

/// Marks what is hidden and differs, so that a change never looks like none.
fn mark_changed(before: &Value, after: &Value, shown: &mut Value) {
    match (after, shown) {
        (Value::Object(after), Value::Object(shown)) => {
            for (key, value) in after {
                let old = before.get(key).unwrap_or(&Value::Null);
                if let (true, Some(shown)) = (old != value, shown.get_mut(key)) {
                    mark_changed(old, value, shown);
                }
            }
        }
        (Value::Array(after), Value::Array(shown)) => {
            for (index, (value, shown)) in after.iter().zip(shown).enumerate() {
                let old = before.get(index).unwrap_or(&Value::Null);
                if old != value {
                    mark_changed(old, value, shown);
                }
            }
        }
        (_, shown) if shown.as_str() == Some(HIDDEN) => *shown = Value::from(HIDDEN_CHANGED),
        _ => {}
    }
}

/// Hides within a value that stands under a key of our own.
fn hide_under(key: &str, value: &Value) -> Value {
    let free = FREE_MAPS.contains(&key);
    match value {
        Value::Object(fields) if free && !is_entry(fields) => named(fields),
        Value::Object(fields) => hide_fields(fields),
        Value::Array(items) => Value::Array(hide_items(key, items)),
        Value::String(text) if is_token(text) || (free && is_random(text)) => Value::from(HIDDEN),
        other => other.clone(),
    }
}

fn named(fields: &Map<String, Value>) -> Value {
    fields
        .iter()
        .map(|(name, value)| (name.clone(), hide_named(name, value)))
        .collect::<Map<_, _>>()
        .into()
}

/// Whether an object is one entry of a map, as AWS writes it: `{"name": ..., "value": ...}`.
fn is_entry(fields: &Map<String, Value>) -> bool {
    fields.contains_key("value") && (fields.contains_key("name") || fields.contains_key("key"))
}

/// An object of fields; the value of an entry of a map is judged by the entry's name.
fn hide_fields(fields: &Map<String, Value>) -> Value {
    let name = fields
        .get("name")
        .or_else(|| fields.get("key"))
        .and_then(Value::as_str);
    fields
        .iter()
        .map(|(key, value)| match name {
            Some(name) if key == "value" => (key.clone(), hide_named(name, value)),
            _ => (key.clone(), hide_under(key, value)),
        })
        .collect::<Map<_, _>>()
        .into()
}

/// Items of a list. In a command line, `NAME=VALUE` and the word after `--NAME` are judged by name.
fn hide_items(key: &str, items: &[Value]) -> Vec<Value> {
    let command = matches!(key, "command" | "entry_point");
    let mut flag: Option<&str> = None;
    items
        .iter()
        .map(|item| {
            let Some(text) = item.as_str().filter(|_| command) else {
                return hide_under(key, item);
            };
            let hidden = match text.split_once('=') {
                Some((name, value)) => is_credential(name, value),
                None => flag.is_some_and(|name| is_credential(name, text)) || is_random(text),
            };
            flag = text.strip_prefix('-').filter(|_| !text.contains('='));
            if hidden || is_token(text) {
                Value::from(HIDDEN)
            } else {
                item.clone()
            }
        })
        .collect()
}

/// Hides a value under a name that a user chose.
fn hide_named(name: &str, value: &Value) -> Value {
    match value {
        Value::String(text) if is_credential(name, text) => Value::from(HIDDEN),
        Value::Object(fields) => named(fields),
        Value::Array(items) => items.iter().map(|item| hide_named(name, item)).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;

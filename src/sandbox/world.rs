//! What a service handler works with: the account's records, its names, its time, its ids, and the
//! helpers that read a request and cut an answer into pages.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::error::ServiceError;
use super::faults::View;
use super::random;
use super::store::Store;

/// The account for the length of one request.
pub(super) struct World<'a> {
    pub(super) store: &'a mut Store,
    pub(super) account: &'a str,
    pub(super) region: &'a str,
    /// Seconds since the epoch.
    pub(super) now: f64,
    pub(super) seed: u64,
    /// How lists and documents are shown.
    pub(super) view: &'a View,
}

impl World<'_> {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub(super) fn partition(&self) -> &'static str {
        match self.region {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }

    /// The region in which the tagging API knows of IAM's resources.
    pub(super) fn iam_home(&self) -> &'static str {
        match self.partition() {
            "aws-cn" => "cn-north-1",
            "aws-us-gov" => "us-gov-west-1",
            _ => "us-east-1",
        }
    }

    /// The ARN of something in the account and region.
    pub(super) fn arn(&self, service: &str, resource: &str) -> String {
        format!(
            "arn:{}:{service}:{}:{}:{resource}",
            self.partition(),
            self.region,
            self.account
        )
    }

    /// The ARN of something of IAM or STS, which have no region.
    pub(super) fn global_arn(&self, service: &str, resource: &str) -> String {
        format!(
            "arn:{}:{service}::{}:{resource}",
            self.partition(),
            self.account
        )
    }

    /// `length` characters that no other call of this returns.
    pub(super) fn letters(&mut self, alphabet: &[u8], length: usize) -> String {
        let number = random::mix(self.seed) ^ random::mix(self.store.next());
        random::letters(number, alphabet, length)
    }

    /// A unique id of IAM: `AROA` and 17 characters.
    pub(super) fn unique_id(&mut self, prefix: &str) -> String {
        format!(
            "{prefix}{}",
            self.letters(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17)
        )
    }

    /// 32 hexadecimal digits, the id of a task.
    pub(super) fn hex(&mut self, length: usize) -> String {
        self.letters(b"0123456789abcdef", length)
    }

    /// A UUID.
    pub(super) fn uuid(&mut self) -> String {
        let groups: Vec<String> = [8, 4, 4, 4, 12]
            .into_iter()
            .map(|length| self.hex(length))
            .collect();
        groups.join("-")
    }

    /// The time as awsQuery writes it.
    pub(super) fn iso(&self) -> String {
        iso(self.now)
    }

    /// The time in whole milliseconds, as CloudWatch Logs counts it.
    pub(super) fn milliseconds(&self) -> i64 {
        milliseconds(self.now)
    }

    /// The time as awsJson writes it, to the millisecond.
    pub(super) fn epoch(&self) -> Value {
        json!((self.now * 1000.0).round() / 1000.0)
    }

    /// Cuts one page out of `items`, which are in the order of their keys. `size` is what was asked
    /// for; the answer is the items and the token of the next page.
    pub(super) fn page<T>(
        &self,
        items: impl Iterator<Item = (String, T)>,
        token: Option<&str>,
        size: usize,
    ) -> Result<(Vec<T>, Option<String>), BadToken> {
        let size = self.view.page_size.map_or(size, |cap| cap.min(size)).max(1);
        let after = token.map(untoken).transpose()?;
        let rank = |key: &str| {
            if self.view.shuffle {
                random::hash(self.seed, key)
            } else {
                0
            }
        };
        let after = after.map(|key| (rank(&key), key));
        let keep = |key: &str| match &after {
            Some((number, last)) => (rank(key), key) > (*number, last.as_str()),
            None => true,
        };
        let kept = items.filter(|(key, _)| keep(key));
        let mut page: Vec<(String, T)> = if self.view.shuffle {
            let mut all: Vec<(String, T)> = kept.collect();
            random::shuffle(self.seed, &mut all, |(key, _)| key.clone());
            all.into_iter().take(size + 1).collect()
        } else {
            kept.take(size + 1).collect()
        };
        let more = page.len() > size;
        page.truncate(size);
        let next = page.last().filter(|_| more).map(|(key, _)| to_token(key));
        Ok((page.into_iter().map(|(_, item)| item).collect(), next))
    }
}

/// A page token that this account did not give out.
#[derive(Debug)]
pub(super) struct BadToken;

fn to_token(key: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!("after {key}"))
}

fn untoken(token: &str) -> Result<String, BadToken> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(token)
        .map_err(|_| BadToken)?;
    let text = String::from_utf8(bytes).map_err(|_| BadToken)?;
    text.strip_prefix("after ")
        .map(str::to_owned)
        .ok_or(BadToken)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "times are far below 2^53 milliseconds"
)]
fn milliseconds(now: f64) -> i64 {
    (now * 1000.0).round() as i64
}

/// Seconds since the epoch as `2026-11-01T00:00:00Z` (the proleptic Gregorian calendar; the
/// arithmetic is that of days since 0000-03-01, in 400-year eras).
fn iso(now: f64) -> String {
    let seconds = milliseconds(now).div_euclid(1000);
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 {
        month_index + 3
    } else {
        month_index - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

/// Reading the members of a request or a record.
pub(super) trait Members {
    fn member(&self, name: &str) -> Option<&Value>;

    /// A string that is not empty.
    fn text(&self, name: &str) -> Option<&str> {
        self.member(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }

    /// A string, or the empty one.
    fn str(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    /// A whole number, also where the protocol made a string of it.
    fn number(&self, name: &str) -> Option<i64> {
        let value = self.member(name)?;
        value
            .as_i64()
            .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
    }

    /// A flag, also where the protocol made a string of it.
    fn flag(&self, name: &str) -> Option<bool> {
        let value = self.member(name)?;
        value
            .as_bool()
            .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
    }

    /// The items of a list; none where it is absent or empty.
    fn list(&self, name: &str) -> &[Value] {
        self.member(name)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    /// The strings of a list.
    fn texts(&self, name: &str) -> Vec<&str> {
        self.list(name).iter().filter_map(Value::as_str).collect()
    }

    /// How many items a page is to have: what was asked, within 1 and `most`.
    fn page_size(&self, name: &str, default: usize, most: usize) -> usize {
        let asked = self
            .number(name)
            .and_then(|number| usize::try_from(number).ok());
        asked.unwrap_or(default).clamp(1, most)
    }
}

impl Members for Map<String, Value> {
    fn member(&self, name: &str) -> Option<&Value> {
        self.get(name).filter(|value| !value.is_null())
    }
}

impl Members for Value {
    fn member(&self, name: &str) -> Option<&Value> {
        self.get(name).filter(|value| !value.is_null())
    }
}

/// Sets one member of a record.
pub(super) fn set(record: &mut Value, name: &str, value: impl Into<Value>) {
    if let Value::Object(members) = record {
        members.insert(name.to_owned(), value.into());
    }
}

/// Removes one member of a record.
pub(super) fn unset(record: &mut Value, name: &str) {
    if let Value::Object(members) = record {
        members.shift_remove(name);
    }
}

/// A record as it is shown: without the members that are the sandbox's own, whose names begin with
/// an underscore.
pub(super) fn shown(record: &Value) -> Value {
    match record {
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, _)| !name.starts_with('_'));
            Value::Object(
                kept.map(|(name, value)| (name.clone(), value.clone()))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

/// A record without some of its members.
pub(super) fn without(record: &Value, names: &[&str]) -> Value {
    let mut record = shown(record);
    for name in names {
        unset(&mut record, name);
    }
    record
}

/// The name at the end of an ARN, or the name itself.
pub(super) fn last_part(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// How a service writes its tags, and what it says of bad ones.
pub(super) struct TagStyle {
    pub(super) key: &'static str,
    pub(super) value: &'static str,
    pub(super) most: usize,
    pub(super) invalid: &'static str,
    pub(super) too_many: &'static str,
}

/// Adds tags to those of a record, which stand in its member `field`.
pub(super) fn add_tags(
    record: &mut Value,
    field: &str,
    added: &[Value],
    style: &TagStyle,
) -> Result<(), ServiceError> {
    let mut tags: Vec<Value> = record.list(field).to_vec();
    for tag in added {
        let key = tag.str(style.key);
        let value = tag.str(style.value);
        check_tag(key, value, style)?;
        tags.retain(|tag| tag.str(style.key) != key);
        tags.push(json!({ style.key: key, style.value: value }));
    }
    if tags.len() > style.most {
        let message = format!("The number of tags exceeds the limit of {}.", style.most);
        return Err(ServiceError::new(style.too_many, message));
    }
    set(record, field, tags);
    Ok(())
}

/// The rules that all services share: 128 characters of key, 256 of value, `aws:` is AWS's.
fn check_tag(key: &str, value: &str, style: &TagStyle) -> Result<(), ServiceError> {
    let allowed = |text: &str| {
        text.chars()
            .all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c))
    };
    let problem: Cow<'static, str> = if key.is_empty() || key.chars().count() > 128 {
        "A tag key has between 1 and 128 characters.".into()
    } else if value.chars().count() > 256 {
        "A tag value has at most 256 characters.".into()
    } else if key.to_ascii_lowercase().starts_with("aws:") {
        "Tag keys that begin with aws: are reserved.".into()
    } else if !allowed(key) || !allowed(value) {
        format!("The tag {key} holds a character that is not allowed.").into()
    } else {
        return Ok(());
    };
    Err(ServiceError::new(style.invalid, problem))
}

/// Takes tags away from a record.
pub(super) fn remove_tags(record: &mut Value, field: &str, keys: &[&str], style: &TagStyle) {
    let mut tags: Vec<Value> = record.list(field).to_vec();
    tags.retain(|tag| !keys.contains(&tag.str(style.key)));
    set(record, field, tags);
}

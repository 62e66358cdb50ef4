//! The context of a request: condition keys and their values. Letter case of a key does not count
//! ("Condition keys names are not case-sensitive"), and a key is shown as a document or AWS writes it.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::actions;

/// Key → its values, in the order of the keys; a key without values counts as absent.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// By the key in lower case: the key as it is written, and its values.
    keys: BTreeMap<String, (String, Vec<String>)>,
}

impl Context {
    /// A context without keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The values of a key, in whatever letter case.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Vec<String>> {
        self.keys
            .get(&key.to_ascii_lowercase())
            .map(|(_, values)| values)
    }

    /// Gives a key its values.
    pub fn insert(&mut self, key: impl Into<String>, values: Vec<String>) {
        let key = key.into();
        self.keys.insert(key.to_ascii_lowercase(), (key, values));
    }

    /// Gives a key one value more.
    pub fn add(&mut self, key: &str, value: String) {
        let (_, values) = self
            .keys
            .entry(key.to_ascii_lowercase())
            .or_insert_with(|| (key.to_owned(), Vec::new()));
        values.push(value);
    }

    /// The keys as they are written, with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.keys
            .values()
            .map(|(key, values)| (key.as_str(), values.as_slice()))
    }

    /// Whether there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

impl PartialEq for Context {
    fn eq(&self, other: &Self) -> bool {
        let plain = |context: &Self| -> Vec<(String, Vec<String>)> {
            let all = context.keys.iter();
            all.map(|(key, (_, values))| (key.clone(), values.clone()))
                .collect()
        };
        plain(self) == plain(other)
    }
}

impl Eq for Context {}

impl FromIterator<(String, Vec<String>)> for Context {
    fn from_iter<T: IntoIterator<Item = (String, Vec<String>)>>(pairs: T) -> Self {
        let mut out = Self::new();
        for (key, values) in pairs {
            out.insert(key, values);
        }
        out
    }
}

impl<const N: usize> From<[(String, Vec<String>); N]> for Context {
    fn from(pairs: [(String, Vec<String>); N]) -> Self {
        pairs.into_iter().collect()
    }
}

impl Serialize for Context {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.keys.len()))?;
        for (key, values) in self.iter() {
            map.serialize_entry(key, values)?;
        }
        map.end()
    }
}

/// "AWS global condition context keys", but for those that end in a name of one's own.
const GLOBAL: &[&str] = &[
    "aws:AssumedRoot",
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:ChatbotSourceArn",
    "aws:CurrentTime",
    "aws:Ec2InstanceSourcePrivateIPv4",
    "aws:Ec2InstanceSourceVpc",
    "aws:EpochTime",
    "aws:FederatedProvider",
    "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "aws:PrincipalType",
    "aws:referer",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:ResourceOrgID",
    "aws:ResourceOrgPaths",
    "aws:SecureTransport",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceIdentity",
    "aws:SourceIp",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:TagKeys",
    "aws:TokenIssueTime",
    "aws:UserAgent",
    "aws:userid",
    "aws:username",
    "aws:ViaAWSService",
    "aws:VpcSourceIp",
];

/// "AWS global condition context keys" that end in the key of a tag.
const TAGS: &[&str] = &["aws:PrincipalTag/", "aws:RequestTag/", "aws:ResourceTag/"];

/// A key as AWS writes it, else as it is written here.
#[must_use]
pub fn spelling(key: &str) -> String {
    let same = |known: &&&str| known.eq_ignore_ascii_case(key);
    if let Some(known) = GLOBAL.iter().find(same) {
        return (*known).to_owned();
    }
    for start in TAGS {
        let Some((head, name)) = key.split_at_checked(start.len()) else {
            continue;
        };
        if head.eq_ignore_ascii_case(start) {
            return format!("{start}{name}");
        }
    }
    actions::condition_key(key).map_or_else(|| key.to_owned(), str::to_owned)
}

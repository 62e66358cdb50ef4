//! Tags as every kind handles them: the project's are exclusive, AWS's own and the ignored ones are
//! left alone, and the owner mark is kept apart, so that no change of tags can remove it.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Config, Tags};
use crate::kind::OWNER_TAG;

/// The tags of a live resource, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LiveTags {
    /// The value of `provision:owner`.
    pub(crate) owner: Option<String>,
    /// What the specs compare.
    pub(crate) tags: Tags,
}

/// What to add or overwrite, and then which keys to remove.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TagChange {
    /// The owner mark too, where it differs.
    pub(crate) add: Tags,
    /// Never the owner mark.
    pub(crate) remove: BTreeSet<String>,
}

/// Takes the live tags apart. `aws:*` is AWS's; a key that matches `[project] ignore_tags` is left
/// alone unless the resource declares it.
pub(crate) fn observed(
    live: impl IntoIterator<Item = (String, String)>,
    declared: Option<&Tags>,
    config: &Config,
) -> LiveTags {
    let mut out = LiveTags::default();
    for (key, value) in live {
        if key == OWNER_TAG {
            out.owner = Some(value);
        } else if declared.is_some_and(|tags| tags.contains_key(&key)) || !ignored(&key, config) {
            out.tags.insert(key, value);
        }
    }
    out
}

fn ignored(key: &str, config: &Config) -> bool {
    key.starts_with("aws:")
        || config
            .project
            .ignore_tags
            .iter()
            .any(|pattern| matches(pattern, key))
}

/// Whether a pattern of `*` and `?` matches the whole text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut pattern = pattern.chars();
    match pattern.next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = pattern.as_str();
            text.char_indices()
                .map(|(at, _)| at)
                .chain([text.len()])
                .any(|at| text.get(at..).is_some_and(|tail| matches(rest, tail)))
        }
        Some(wanted) => {
            let mut text = text.chars();
            text.next()
                .is_some_and(|letter| wanted == '?' || wanted == letter)
                && matches(pattern.as_str(), text.as_str())
        }
    }
}

/// The tags of a creating call: the declared ones and the owner mark.
pub(crate) fn with_owner(tags: &Tags, owner: Option<&str>) -> Tags {
    let mut all = tags.clone();
    if let Some(owner) = owner {
        all.insert(OWNER_TAG.to_owned(), owner.to_owned());
    }
    all
}

/// Takes the tags of a creating call apart again.
pub(crate) fn apart(mut all: Tags) -> LiveTags {
    let owner = all.remove(OWNER_TAG);
    LiveTags { owner, tags: all }
}

/// What leads from one set of tags to the other.
pub(crate) fn change(before: (&Tags, Option<&str>), after: (&Tags, Option<&str>)) -> TagChange {
    let mut add: Tags = after
        .0
        .iter()
        .filter(|(key, value)| before.0.get(*key) != Some(*value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if let Some(owner) = after.1.filter(|_| before.1 != after.1) {
        add.insert(OWNER_TAG.to_owned(), owner.to_owned());
    }
    let remove = before
        .0
        .keys()
        .filter(|key| !after.0.contains_key(*key) && key.as_str() != OWNER_TAG)
        .cloned()
        .collect();
    TagChange { add, remove }
}

/// The effect of adding tags, the owner mark among them or not.
pub(crate) fn add(tags: &mut Tags, owner: &mut Option<String>, added: &Tags) {
    for (key, value) in added {
        if key == OWNER_TAG {
            *owner = Some(value.clone());
        } else {
            tags.insert(key.clone(), value.clone());
        }
    }
}

/// The effect of removing keys; the owner mark stays whatever is asked.
pub(crate) fn remove(tags: &mut Tags, keys: &BTreeSet<String>) {
    tags.retain(|key, _| !keys.contains(key));
}

/// Whether what a batched read said of a resource's tags is what is declared: only then is it
/// believed, since the tagging API lags behind.
pub(crate) fn as_declared(
    live: &BTreeMap<String, String>,
    declared: &Tags,
    config: &Config,
) -> bool {
    let LiveTags { owner, tags } = observed(live.clone(), Some(declared), config);
    owner.as_deref() == Some(config.owner_mark().as_str()) && tags == *declared
}

#[cfg(test)]
mod tests;

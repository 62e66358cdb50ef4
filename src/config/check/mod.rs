//! What AWS would refuse, found before anything is asked of AWS. Each file checks one part.

pub(super) mod container;
pub(super) mod deployment;
pub(super) mod iam;
pub(super) mod network;
pub(super) mod project;
pub(super) mod resources;
pub(super) mod service;
pub(super) mod task;

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::model::{Seconds, Tags};
use super::node::Node;
use super::reader::Reader;

impl Reader<'_> {
    /// Reports a condition that does not hold, at the end of a path below a node.
    fn demand(&mut self, holds: bool, node: &Node, path: &[&str], message: &str, hint: &str) {
        if !holds {
            self.error_at(node, path, message, hint.to_owned());
        }
    }

    /// Reports a number that is outside its range.
    fn range<T: PartialOrd + Display>(
        &mut self,
        node: &Node,
        path: &[&str],
        value: impl Into<Option<T>>,
        range: RangeInclusive<T>,
    ) {
        if let Some(value) = value.into()
            && !range.contains(&value)
        {
            let key = path.last().copied().unwrap_or_default();
            let (least, most) = (range.start(), range.end());
            let message = format!("`{key}` must be from {least} to {most}, not {value}.");
            self.error_at(node, path, message, None);
        }
    }

    /// Reports a duration that AWS counts in minutes and that is not a number of whole minutes.
    fn minutes(&mut self, node: &Node, path: &[&str], value: Option<Seconds>, most: u64) {
        let Some(value) = value else { return };
        let key = path.last().copied().unwrap_or_default();
        if value.0 % 60 != 0 {
            let hint = format!("Write \"{}m\".", value.0.div_ceil(60));
            let message = format!("`{key}` must be whole minutes: AWS counts it in minutes.");
            self.error_at(node, path, message, hint);
        }
        self.range(node, path, value.minutes(), 0..=most);
    }

    /// Reports what is listed twice; the path leads to the list.
    fn once(&mut self, node: &Node, path: &[&str], items: &[String]) {
        for (index, item) in items.iter().enumerate() {
            if items.iter().take(index).any(|other| other == item) {
                let list = node.follow(path);
                let message = format!("`{item}` is listed twice.");
                self.error_at(
                    list,
                    &[&index.to_string()],
                    message,
                    "Leave one out.".to_owned(),
                );
            }
        }
    }
}

/// Checks the tags of a resource, of the project or of a task.
pub(super) fn tags(node: &Node, path: &[&str], tags: &Tags, reader: &mut Reader<'_>) {
    // AWS's limits; three keys are left for our own mark and notes.
    const MOST: usize = 47;
    if tags.len() > MOST {
        let message = format!("There are {} tags; {MOST} are allowed.", tags.len());
        let hint = "AWS takes 50, of which three are provision's own.".to_owned();
        reader.error_at(node, path, message, hint);
    }
    let table = node.follow(path);
    for (key, value) in tags {
        let at = table
            .entry(key)
            .map_or(table.at.clone(), |entry| entry.key_at.clone());
        if let Some((message, hint)) = fault_of_tag(key, value) {
            reader.error(&at, message, hint.to_owned());
        }
    }
}

fn fault_of_tag(key: &str, value: &str) -> Option<(String, &'static str)> {
    let allowed =
        |letter: char| letter.is_alphanumeric() || letter == ' ' || "_.:/=+-@".contains(letter);
    let letters =
        "Tags have letters, digits, spaces and `_.:/=+-@`: a key up to 128, a value up to 256.";
    if key.to_lowercase().starts_with("aws:") {
        return Some((
            format!("`{key}` is a tag that only AWS sets."),
            "Choose another key.",
        ));
    }
    if key.starts_with("provision:") {
        let hint = "provision sets these itself. Choose another key.";
        return Some((format!("`{key}` is one of provision's own tags."), hint));
    }
    if key.is_empty() || key.chars().count() > 128 || !key.chars().all(allowed) {
        return Some((format!("`{key}` is no key of a tag."), letters));
    }
    // A placeholder that is left has been reported where it stands.
    let resolved = !value.contains("{{");
    if resolved && (value.chars().count() > 256 || !value.chars().all(allowed)) {
        return Some((
            format!("The value of the tag `{key}` is none that AWS takes."),
            letters,
        ));
    }
    None
}

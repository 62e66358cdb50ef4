//! A saved plan: the JSON plan, and a fingerprint of what the JSON hides. It holds no secret, and
//! only its owner may read it.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{About, difference, json as json_plan};
use crate::diff::diff;
use crate::error::{Error, Result};
use crate::plan::Plan;

/// Rounds of the hash: some 50 ms, so that a short hidden value cannot be guessed at leisure from
/// the fingerprint.
const ROUNDS: u32 = 100_000;
/// Differing fields that a refusal names of each resource; the fresh plan shows them all.
const MOST_FIELDS: usize = 5;

/// A plan that was written by `plan --out`.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedPlan {
    plan: Value,
    salt: String,
    fingerprint: String,
}

impl SavedPlan {
    /// The plan as it is saved; `salt` is to be random.
    #[must_use]
    pub fn new(plan: &Plan, about: &About, salt: [u8; 16]) -> Self {
        let salt = hexadecimal(&salt);
        let fingerprint = fingerprint(plan, &salt);
        Self {
            plan: json_plan::plan(plan, about),
            salt,
            fingerprint,
        }
    }

    /// The addresses that the plan was made for; empty for everything.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        let addresses = self
            .plan
            .pointer("/run/addresses")
            .and_then(Value::as_array);
        addresses
            .into_iter()
            .flatten()
            .filter_map(|address| address.as_str().map(str::to_owned))
            .collect()
    }

    /// Writes it, readable by its owner only; a file that is there is replaced whole.
    ///
    /// # Errors
    /// What could not be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut value = self.plan.clone();
        if let Value::Object(fields) = &mut value {
            let saved = json!({"salt": self.salt, "fingerprint": self.fingerprint});
            fields.insert("saved".to_owned(), saved);
        }
        let text = serde_json::to_string_pretty(&value).unwrap_or_default();
        write_private(path, &text).map_err(|error| {
            Error::failed(format!("{} cannot be written: {error}.", path.display()))
        })
    }

    /// Reads one.
    ///
    /// # Errors
    /// The file cannot be read, or is not a saved plan of this version.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::failed(format!("{shown} cannot be read: {error}.")))?;
        let not_a_plan = || {
            Error::failed(format!(
                "{shown} is not a plan of this version of provision."
            ))
            .hint("Make one with `provision plan --out FILE`.")
        };
        let mut plan: Value = serde_json::from_str(&text).map_err(|_| not_a_plan())?;
        let saved = plan
            .as_object_mut()
            .and_then(|fields| fields.remove("saved"));
        let text = |name: &str| {
            saved
                .as_ref()
                .and_then(|saved| saved.get(name))
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let versions = ["format_version", "provision_version"].map(|name| plan.get(name).cloned());
        let ours = [
            json!(json_plan::JSON_FORMAT_VERSION),
            json!(env!("CARGO_PKG_VERSION")),
        ];
        match (text("salt"), text("fingerprint")) {
            (Some(salt), Some(fingerprint)) if versions == ours.map(Some) => Ok(Self {
                plan,
                salt,
                fingerprint,
            }),
            _ => Err(not_a_plan()),
        }
    }

    /// Whether a fresh plan is this one.
    ///
    /// # Errors
    /// `Refused`, and what is different, where it is not.
    pub fn check(&self, fresh: &Plan, about: &About) -> Result<()> {
        let now = json_plan::plan(fresh, about);
        if now == self.plan && fingerprint(fresh, &self.salt) == self.fingerprint {
            return Ok(());
        }
        let mut message = "The saved plan is stale: a new plan differs.".to_owned();
        for line in differences(&self.plan, &now) {
            let _ = write!(message, "\n  {line}");
        }
        Err(Error::refused(message)
            .hint("Make a new one with `provision plan --out FILE` and look at it."))
    }
}

/// What a fresh plan has otherwise, a line each.
fn differences(saved: &Value, now: &Value) -> Vec<String> {
    let none = Vec::new();
    let of = |plan: &'_ Value| -> Vec<(String, Value)> {
        let resources = plan
            .get("resource_changes")
            .and_then(Value::as_array)
            .unwrap_or(&none);
        let named = |resource: &Value| {
            let address = resource.get("address").and_then(Value::as_str)?;
            Some((
                address.to_owned(),
                resource.get("change").cloned().unwrap_or_default(),
            ))
        };
        resources.iter().filter_map(named).collect()
    };
    let (saved_resources, now_resources) = (of(saved), of(now));
    let find = |resources: &[(String, Value)], address: &str| {
        resources
            .iter()
            .find(|(other, _)| other == address)
            .map(|(_, change)| change.clone())
    };
    let mut addresses: Vec<&String> = saved_resources
        .iter()
        .chain(&now_resources)
        .map(|(address, _)| address)
        .collect();
    addresses.sort();
    addresses.dedup();
    let mut lines = Vec::new();
    for address in addresses {
        let (was, is) = (
            find(&saved_resources, address),
            find(&now_resources, address),
        );
        let (was, is) = (was.unwrap_or_default(), is.unwrap_or_default());
        let changes = diff(&was, &is, &std::collections::BTreeSet::new());
        for change in changes.iter().take(MOST_FIELDS) {
            let (before, after) = (
                difference::inline(&change.before),
                difference::inline(&change.after),
            );
            lines.push(format!("{address}: {}: {before}, now {after}", change.path));
        }
        if changes.len() > MOST_FIELDS {
            lines.push(format!(
                "{address}: and {} more fields",
                changes.len() - MOST_FIELDS
            ));
        }
    }
    if lines.is_empty() {
        lines.push("a value that is not shown, or the order of the steps".to_owned());
    }
    lines
}

/// A hash of all that the steps send and of the goal, hidden values included.
fn fingerprint(plan: &Plan, salt: &str) -> String {
    let steps: Vec<Value> = plan.steps.iter().map(|step| step.call.json()).collect();
    let goal: Vec<Value> = plan.goal.iter().map(|(_, spec)| spec.json()).collect();
    let mut hash = Sha256::digest(format!("{salt}{}", json!([steps, goal])));
    for _ in 0..ROUNDS {
        hash = Sha256::digest(hash);
    }
    hexadecimal(&hash)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Writes beside the file and moves it there, so that a half plan never stands under the name.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

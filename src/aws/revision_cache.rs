//! The revisions of task definitions that this user has read before, on disk: a revision never
//! changes. A cache that cannot be read or written is as good as none; it never fails a run.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Where revisions are kept, if anywhere.
#[derive(Clone, Debug)]
pub struct RevisionCache {
    directory: Option<PathBuf>,
}

/// A file larger than this is not one of ours: the API's limit of a task definition is 64 `KiB`.
const LARGEST_FILE: u64 = 1 << 20;

impl RevisionCache {
    /// `$XDG_CACHE_HOME/provision/revisions`, or the same under `~/.cache`.
    #[must_use]
    pub fn of_this_user() -> Self {
        let base = std::env::var_os("XDG_CACHE_HOME")
            .filter(|value| Path::new(value).is_absolute())
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")));
        let directory = base.map(|base| base.join("provision").join("revisions"));
        Self { directory }
    }

    /// Nowhere.
    #[must_use]
    pub fn none() -> Self {
        Self { directory: None }
    }

    /// A cache in this directory.
    #[must_use]
    pub fn at(directory: PathBuf) -> Self {
        let directory = Some(directory);
        Self { directory }
    }

    /// What was said of this ARN before.
    #[must_use]
    pub fn get(&self, arn: &str) -> Option<Value> {
        let path = self.path(arn)?;
        if fs::metadata(&path).ok()?.len() > LARGEST_FILE {
            return None;
        }
        let value: Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        // The file's name is a digest, and the file may be another's work: it must say the same ARN.
        (value.get("taskDefinitionArn").and_then(Value::as_str) == Some(arn)).then_some(value)
    }

    /// Keeps it, readable by this user only: it may hold environment values.
    pub fn put(&self, arn: &str, definition: &Value) {
        let Some(path) = self.path(arn) else { return };
        let mut kept = definition.clone();
        if let Some(fields) = kept.as_object_mut() {
            for changing in ["status", "deregisteredAt", "deleteRequestedAt"] {
                fields.shift_remove(changing);
            }
        }
        // A cache that cannot be written costs a request next time, nothing else.
        let _ = write(&path, kept.to_string().as_bytes());
    }

    fn path(&self, arn: &str) -> Option<PathBuf> {
        let digest = Sha256::digest(arn.as_bytes());
        let name = URL_SAFE_NO_PAD.encode(digest);
        Some(self.directory.as_ref()?.join(format!("{name}.json")))
    }
}

/// Written beside and renamed, so that no reader sees half a file; the temporary file is made 0600.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let Some(directory) = path.parent() else {
        return Ok(());
    };
    fs::create_dir_all(directory)?;
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use serde_json::json;

    use super::*;

    #[test]
    fn gives_back_what_was_kept_without_what_changes() {
        let directory = tempfile::tempdir().unwrap();
        let cache = RevisionCache::at(directory.path().join("revisions"));
        let arn = "arn:aws:ecs:us-east-2:1:task-definition/web:1";
        assert_eq!(cache.get(arn), None);
        cache.put(
            arn,
            &json!({"taskDefinitionArn": arn, "status": "ACTIVE", "cpu": "256"}),
        );
        assert_eq!(
            cache.get(arn),
            Some(json!({"taskDefinitionArn": arn, "cpu": "256"}))
        );
        let path = cache.path(arn).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(&path, json!({"taskDefinitionArn": "other"}).to_string()).unwrap();
        assert_eq!(cache.get(arn), None);
    }
}

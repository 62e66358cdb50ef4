//! The state file: one JSON document, replaced as a whole, never torn, readable by its owner only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::store::Store;

/// Where the account of `--sandbox` is kept between runs.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    /// Which file was read or written last: it is replaced, never changed, so that another identity
    /// means that another process wrote.
    seen: Option<Identity>,
}

#[derive(Debug, PartialEq, Eq)]
struct Identity {
    length: u64,
    modified: Option<std::time::SystemTime>,
    #[cfg(unix)]
    inode: u64,
}

impl StateFile {
    /// The file at `path`; its directory is made where it is missing.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        if let Some(directory) = path
            .parent()
            .filter(|directory| !directory.as_os_str().is_empty())
        {
            fs::create_dir_all(directory)?;
        }
        Ok(Self {
            path: path.to_owned(),
            seen: None,
        })
    }

    /// Keeps other processes out until the guard is dropped. The lock is a file beside the state, as
    /// the state file itself is replaced by every write.
    pub(super) fn lock(&self) -> io::Result<File> {
        let guard = private()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.beside("lock"))?;
        guard.lock()?;
        Ok(guard)
    }

    /// Removes the file that a killed process left half written. Only under the lock: another process
    /// may be writing its own.
    pub(super) fn remove_unfinished(&self) -> io::Result<()> {
        match fs::remove_file(self.beside("new")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The records, or none where there is no file yet.
    pub(super) fn read(&mut self) -> io::Result<Option<Store>> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        self.seen = self.identity();
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            let path = self.path.display();
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{path} is not a sandbox state file: {error}"),
            )
        })
    }

    /// The records, where another process wrote the file since it was last read or written here.
    pub(super) fn read_if_changed(&mut self) -> io::Result<Option<Store>> {
        let identity = self.identity();
        if identity.is_none() || identity == self.seen {
            Ok(None)
        } else {
            self.read()
        }
    }

    /// Replaces the file: a new one is written, flushed to the disk, and renamed.
    pub(super) fn write(&mut self, store: &Store) -> io::Result<()> {
        let temporary = self.beside("new");
        let mut file = private()
            .create(true)
            .truncate(true)
            .write(true)
            .open(&temporary)?;
        file.write_all(&serde_json::to_vec_pretty(store)?)?;
        file.sync_all()?;
        fs::rename(&temporary, &self.path)?;
        self.seen = self.identity();
        Ok(())
    }

    fn identity(&self) -> Option<Identity> {
        let metadata = fs::metadata(&self.path).ok()?;
        Some(Identity {
            length: metadata.len(),
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            inode: std::os::unix::fs::MetadataExt::ino(&metadata),
        })
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".");
        name.push(ending);
        self.path.with_file_name(name)
    }
}

/// Options under which a new file is readable by its owner only.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

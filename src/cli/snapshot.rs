//! `provision snapshot`: the account in a file, for an audit without credentials.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::session::Session;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::reach::{ACCOUNT_FORMAT_VERSION, Account};

/// Save what the audit looks at, without secrets, for `audit --snapshot`.
///
/// The file holds policies, names and ARNs, but no value of a secret and none of an environment variable. It is readable
/// by its owner only.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where to write it.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Reads the account and writes the file; the exit code is 1 where something could not be read.
pub(super) async fn run(arguments: &Arguments, session: &Session<'_>) -> Result<u8> {
    let (account, _) = super::audit::examine(session).await?;
    let path = &arguments.out;
    write(path, &account).map_err(|error| {
        Error::failed(format!("{} cannot be written: {error}.", path.display()))
    })?;
    for unread in &account.unread {
        session
            .screen
            .complain(&format!("not read: {}: {}", unread.what, unread.reason));
    }
    let shown = path.display();
    session.screen.say(&format!(
        "Saved to {shown}; `provision audit --snapshot {shown}` reads it."
    ));
    Ok(u8::from(!account.unread.is_empty()))
}

/// Writes a new file and moves it into place, so that nobody sees half of it or reads it before its mode is set.
fn write(path: &Path, account: &Account) -> std::io::Result<()> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    serde_json::to_writer_pretty(&mut file, account)?;
    file.write_all(b"\n")?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Reads a file of this project's account.
pub(super) fn read(path: &Path, config: &Config) -> Result<Account> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::failed(format!("{shown} cannot be read: {error}.")))?;
    let account: Account = serde_json::from_str(&text).map_err(|error| {
        Error::failed(format!("{shown} is no snapshot: {error}."))
            .hint("`provision snapshot --out FILE` of this version writes one.")
    })?;
    if account.format_version != ACCOUNT_FORMAT_VERSION {
        let message = format!(
            "{shown} has format {}, and this version reads {ACCOUNT_FORMAT_VERSION}.",
            account.format_version
        );
        return Err(
            Error::failed(message).hint("Write it anew with `provision snapshot --out FILE`.")
        );
    }
    let project = &config.project;
    if account.account_id != project.account_id || account.region != project.region {
        let message = format!(
            "{shown} is of account {} in {}, and infra.toml is for {} in {}.",
            account.account_id, account.region, project.account_id, project.region
        );
        return Err(Error::failed(message)
            .hint("Name the snapshot of this project, or another infra.toml with -c FILE."));
    }
    Ok(account)
}

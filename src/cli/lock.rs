//! The project's lock around a run, where infra.toml names one, and `provision unlock`.

use clap::Args;

use super::session::Session;
use crate::aws::Aws;
use crate::error::{Error, Result};
use crate::lock;

/// Remove the lock of a run that is dead.
///
/// A run that was killed leaves the lock of [project] behind. Every run that finds it names the run
/// that holds it. Only that run's lock is removed: another one's is refused.
#[derive(Debug, Args)]
pub(super) struct Unlock {
    /// The run, as the message about the lock names it.
    #[arg(value_name = "RUN")]
    run: String,
}

/// Removes the lock.
pub(super) async fn unlock(arguments: &Unlock, session: &Session<'_>) -> Result<u8> {
    let Some(lock) = &session.config.project.lock else {
        let hint = "`lock = \"ssm:/provision/NAME\"` under [project] names one.";
        return Err(Error::failed("infra.toml names no lock.").hint(hint));
    };
    let aws = session.connect().await?;
    let name = format!("ssm:{}", lock.parameter);
    let line = match lock::unlock(&aws, &lock.parameter, &arguments.run).await? {
        Some(holder) => format!("{name}: removed the lock of run {}\n", holder.run),
        None => format!("{name}: nobody holds it\n"),
    };
    session.screen.result(&line)?;
    Ok(0)
}

/// Does this work under the lock of the project, if it has one. The lock is removed however the work
/// ends; where that fails it is said, and the work's own end stays what it is.
pub(super) async fn under<T>(
    session: &Session<'_>,
    aws: &Aws,
    command: &str,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let Some(lock) = &session.config.project.lock else {
        return work.await;
    };
    let held = lock::take(aws, &lock.parameter, command).await?;
    let line = format!("ssm:{}: locked by run {}", lock.parameter, held.run());
    session.screen.say(&line);
    let done = work.await;
    if let Err(error) = held.release(aws).await {
        session.screen.error(&error);
    }
    done
}

/// Refused while a run holds the lock: what takes none is not to come between either.
pub(super) async fn ask(session: &Session<'_>, aws: &Aws) -> Result<()> {
    match &session.config.project.lock {
        Some(lock) => lock::ask(aws, &lock.parameter).await,
        None => Ok(()),
    }
}

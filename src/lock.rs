//! The lock of a project: a parameter that a run makes before it writes and removes when it ends.
//! It is a courtesy between runs and makes no write exclusive; nobody breaks it but `unlock`.

use std::time::Duration;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde::{Deserialize, Serialize};

use crate::aws::{Aws, Class, parameters};
use crate::error::{Error, Result};

/// How often the lock is tried for where it was there and then was not: whoever held it has just
/// ended, or a read lags behind; neither lasts.
const MOST_TRIES: u32 = 3;
/// The pause between two tries.
const PAUSE: Duration = Duration::from_secs(1);

/// Who holds a lock: what its parameter says, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The run, by chance: `unlock` takes it.
    pub run: String,
    /// The ARN of its credentials.
    pub who: String,
    /// When it took the lock, in UTC.
    pub since: String,
    /// What it does, as it was typed.
    pub command: String,
}

/// A lock that this run holds.
#[derive(Debug)]
#[must_use = "a lock that is not released stays"]
pub struct Held {
    parameter: String,
    run: String,
}

/// How a lock stands.
enum Standing {
    Free,
    Held(Holder),
}

/// Takes the lock, for this command.
///
/// # Errors
/// That somebody holds it, by name; or that AWS could not be asked.
pub async fn take(aws: &Aws, parameter: &str, command: &str) -> Result<Held> {
    let holder = Holder {
        run: run_id()?,
        who: aws.identity().await?.arn.clone(),
        since: timestamp(aws.clock().now()),
        command: command.to_owned(),
    };
    let value = serde_json::to_string(&holder)
        .map_err(|error| Error::bug(format!("The lock cannot be written: {error}.")))?;
    let held = Held {
        parameter: parameter.to_owned(),
        run: holder.run,
    };
    for _ in 0..MOST_TRIES {
        let error = match parameters::create(aws, parameter, &value).await {
            Ok(()) => return Ok(held),
            Err(error) if was_not_done(error.class) => return Err(error.into()),
            Err(error) => error,
        };
        let standing = standing(aws, parameter).await.map_err(|unread| {
            let hint = format!(
                "Whether the lock was taken is not known. `provision unlock {}` removes it if it was.",
                held.run
            );
            Error::failed(format!("{}\n{}", Error::from(error.clone()), unread.message)).hint(hint)
        })?;
        match standing {
            Standing::Held(found) if found.run == held.run => return Ok(held),
            Standing::Held(found) => return Err(is_held(parameter, &found)),
            Standing::Free if error.class == Class::Exists => aws.clock().sleep(PAUSE).await,
            Standing::Free => return Err(error.into()),
        }
    }
    Err(
        Error::failed(format!("The lock {} comes and goes.", name(parameter)))
            .hint("Other runs take it all the time. Run the same command again."),
    )
}

/// An error while somebody holds the lock: for what does not take it, and yet is not to come between.
///
/// # Errors
/// That somebody holds it, by name; or that AWS could not be asked.
pub async fn ask(aws: &Aws, parameter: &str) -> Result<()> {
    match standing(aws, parameter).await? {
        Standing::Free => Ok(()),
        Standing::Held(holder) => Err(is_held(parameter, &holder)),
    }
}

impl Held {
    /// The run that holds it.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Removes the lock if it is still this run's.
    ///
    /// # Errors
    /// That it is not, or that it could not be removed.
    pub async fn release(self, aws: &Aws) -> Result<()> {
        let Self { parameter, run } = self;
        let name = name(&parameter);
        let stays = |error: Error| {
            let message = format!("The lock {name} could not be removed: {}", error.message);
            Error::failed(message).hint(format!("`provision unlock {run}`"))
        };
        match standing(aws, &parameter).await.map_err(stays)? {
            Standing::Held(found) if found.run == run => parameters::remove(aws, &parameter)
                .await
                .map_err(|error| stays(error.into())),
            Standing::Held(found) => Err(Error::failed(format!(
                "Somebody removed the lock {name} of this run, and {} holds it now.",
                described(&found)
            ))
            .hint("Look at `provision plan`: another run may have written at the same time.")),
            Standing::Free => Err(Error::failed(format!(
                "Somebody removed the lock {name} of this run before it ended."
            ))
            .hint("Look at `provision plan`: another run may have written at the same time.")),
        }
    }
}

/// Removes the lock if this run holds it; gives its holder, or none where nobody holds it.
///
/// # Errors
/// That another run holds it, or that AWS could not be asked.
pub async fn unlock(aws: &Aws, parameter: &str, run: &str) -> Result<Option<Holder>> {
    match standing(aws, parameter).await? {
        Standing::Free => Ok(None),
        Standing::Held(holder) if holder.run == run => {
            parameters::remove(aws, parameter).await?;
            Ok(Some(holder))
        }
        Standing::Held(holder) => Err(Error::refused(format!(
            "The lock {} is not held by run {run} but by {}. Nothing was removed.",
            name(parameter),
            described(&holder)
        ))
        .hint(format!(
            "`provision unlock {}`, if that run is dead.",
            holder.run
        ))),
    }
}

async fn standing(aws: &Aws, parameter: &str) -> Result<Standing> {
    let Some(value) = parameters::value(aws, parameter).await? else {
        return Ok(Standing::Free);
    };
    let holder: Holder = serde_json::from_str(&value).map_err(|_| {
        Error::failed(format!(
            "The parameter {} holds something that is no lock of provision. Nothing was done.",
            name(parameter)
        ))
        .hint("Name another parameter as `lock` under [project], or remove this one.")
    })?;
    Ok(Standing::Held(holder))
}

/// Whether an error of a create says for certain that nothing was made.
fn was_not_done(class: Class) -> bool {
    matches!(
        class,
        Class::AccessDenied
            | Class::Credentials
            | Class::Invalid
            | Class::NotFound
            | Class::Quota
            | Class::Unsupported
    )
}

fn is_held(parameter: &str, holder: &Holder) -> Error {
    let message = format!(
        "The lock {} is held by {}. Nothing was done.",
        name(parameter),
        described(holder)
    );
    Error::failed(message).hint(format!(
        "Wait until that run ends. If it is dead: `provision unlock {}`",
        printable(&holder.run)
    ))
}

fn described(holder: &Holder) -> String {
    let Holder {
        run,
        who,
        since,
        command,
    } = holder;
    let [run, who, since, command] = [run, who, since, command].map(|text| printable(text));
    format!("run {run} (`{command}`, {who}, since {since})")
}

/// Anybody may have written the parameter: what would move a terminal's cursor is left out.
fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}

/// As infra.toml writes it.
fn name(parameter: &str) -> String {
    format!("ssm:{parameter}")
}

fn timestamp(now: Duration) -> String {
    let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    DateTime::from_secs(seconds)
        .fmt(Format::DateTime)
        .unwrap_or_else(|_| format!("second {seconds}"))
}

/// Twelve hexadecimal digits by chance: two runs of one project never have the same.
fn run_id() -> Result<String> {
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random)
        .map_err(|error| Error::failed(format!("The system gives no random bytes: {error}.")))?;
    Ok(format!("{:012x}", u64::from_be_bytes(random) >> 16))
}

#[cfg(test)]
mod tests;

//! The checks of an environment's `validate`: a URL, a program, an alarm. Each says in words what
//! passed, or what did not; nothing that looks like a credential is in them.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::aws::{Aws, alarms, download};
use crate::config::{Check, Environment};
use crate::error::Error;
use crate::redact;

/// Lines of a failed program that are shown: where most programs say what is wrong.
const LAST_LINES: usize = 10;

/// Runs one check of an environment: in words what passed, or what did not.
pub(super) async fn passes(
    aws: &Aws,
    environment: &Environment,
    check: &Check,
) -> Result<String, String> {
    match check {
        Check::Http {
            url,
            status,
            timeout,
        } => http(aws, url, *status, Duration::from_secs(timeout.0)).await,
        Check::Command { words, timeout } => {
            let path = Path::new(&environment.position.path);
            command(path.parent(), words, Duration::from_secs(timeout.0)).await
        }
        Check::Alarm(name) => alarm(aws, name).await,
    }
}

async fn http(aws: &Aws, url: &str, status: u16, timeout: Duration) -> Result<String, String> {
    // What follows the question mark may be a token.
    let shown = url.split(['?', '#']).next().unwrap_or_default();
    match download::get_within(aws, url, timeout).await {
        Ok(answer) if answer.status == status => Ok(format!("{shown} answers {status}")),
        Ok(answer) => {
            let to = answer
                .location
                .as_deref()
                .and_then(|to| to.split('?').next());
            let to = to.map(|to| format!(" (a redirect to {to}, which is not followed)"));
            let to = to.unwrap_or_default();
            Err(format!(
                "{shown} answers {}{to}, not {status}",
                answer.status
            ))
        }
        Err(error) => Err(format!("{shown} does not answer: {}", Error::from(error))),
    }
}

async fn command(
    directory: Option<&Path>,
    words: &[String],
    timeout: Duration,
) -> Result<String, String> {
    let line = shown(words);
    let Some((program, arguments)) = words.split_first() else {
        return Err("a check has no command".to_owned());
    };
    let mut run = Command::new(program_in(directory, program));
    run.args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    if let Some(directory) = directory.filter(|directory| !directory.as_os_str().is_empty()) {
        run.current_dir(directory);
    }
    match tokio::time::timeout(timeout, run.output()).await {
        Ok(Ok(output)) if output.status.success() => Ok(format!("`{line}` ended well")),
        Ok(Ok(output)) => Err(format!(
            "`{line}` ended with {}{}",
            output.status,
            last_lines(&output)
        )),
        Ok(Err(error)) => Err(format!("`{line}` could not be run: {error}")),
        Err(_) => Err(format!(
            "`{line}` took longer than {} s and was ended",
            timeout.as_secs()
        )),
    }
}

/// A program that is named by a path stands where infra.toml stands; another one is looked up.
fn program_in(directory: Option<&Path>, program: &str) -> PathBuf {
    match directory {
        Some(directory) if program.contains('/') => {
            // Absolute, since the program is looked for after the directory has changed.
            std::path::absolute(directory.join(program)).unwrap_or_else(|_| PathBuf::from(program))
        }
        _ => PathBuf::from(program),
    }
}

/// A command line as it may be shown.
pub(super) fn shown(words: &[String]) -> String {
    let hidden = redact::hide("command", &json!(words));
    let words = hidden.as_array().into_iter().flatten();
    let words: Vec<&str> = words.filter_map(Value::as_str).collect();
    words.join(" ")
}

fn last_lines(output: &Output) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = lines.get(lines.len().saturating_sub(LAST_LINES)..);
    let last = last.unwrap_or_default().iter();
    let shown = last.map(|line| redact::hide_line(line.trim_end()));
    shown.fold(String::new(), |text, line| text + "\n      " + &line)
}

async fn alarm(aws: &Aws, name: &str) -> Result<String, String> {
    let found = alarms::alarms(aws, &[name.to_owned()]).await;
    let found = found.map_err(|error| {
        let error = Error::from(error);
        format!("the alarm {name} could not be read: {error}")
    })?;
    match found.get(name) {
        None => Err(format!("there is no alarm {name}")),
        Some(alarm) if alarm.state == "OK" => Ok(format!("the alarm {name} is OK")),
        Some(alarm) => {
            let reason = match alarm.reason.trim_end_matches('.') {
                "" => String::new(),
                reason => format!(" ({reason})"),
            };
            Err(format!(
                "the alarm {name} is {}{reason}, not OK",
                alarm.state
            ))
        }
    }
}

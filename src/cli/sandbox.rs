//! `provision sandbox`: what other people and programs do in an account, for trying things out in the
//! sandbox. Never done to AWS.

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::rollout::duration;
use super::session::{Session, open_sandbox};
use crate::clock::VirtualClock;
use crate::error::{Error, ErrorKind, Result};
use crate::sandbox::{Sandbox, Service, ServiceError};

/// Do in the sandbox what others do in an account, such as to push an image without docker.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Push(Push),
    Alarm(Alarm),
    Pass(Pass),
}

/// Let time pass, such as the soak of an environment.
#[derive(Debug, Args)]
struct Pass {
    /// How much, such as 90s, 15m or 1h.
    #[arg(value_name = "TIME", value_parser = duration)]
    time: Duration,
}

/// Put a CloudWatch alarm into a state, as its metric would; it is made where it is not there.
#[derive(Debug, Args)]
struct Alarm {
    /// The name of the alarm.
    name: String,

    /// The state.
    #[arg(value_enum)]
    state: AlarmState,

    /// Why, as CloudWatch would say it.
    #[arg(long, value_name = "TEXT", default_value = "set in the sandbox")]
    reason: String,

    /// Make a composite alarm where it is not there.
    #[arg(long)]
    composite: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum AlarmState {
    /// All is well.
    Ok,
    /// The threshold is crossed.
    Alarm,
    /// The metric has no data.
    InsufficientData,
}

/// Push a new image, as a build would. It holds nothing but its processor.
#[derive(Debug, Args)]
struct Push {
    /// The repository and the tag.
    #[arg(value_name = "REPOSITORY:TAG")]
    image: String,

    /// The processor that the image is for.
    #[arg(long, value_enum, default_value_t)]
    architecture: Architecture,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Architecture {
    /// 64-bit Arm.
    #[default]
    Arm64,
    /// 64-bit x86.
    Amd64,
}

/// Does it, in the sandbox only.
pub(super) fn run(arguments: &Arguments, session: &Session<'_>) -> Result<u8> {
    let sandbox = open_sandbox(session, Arc::new(VirtualClock::default()))?;
    let sandbox = sandbox.ok_or_else(|| {
        Error::new(ErrorKind::Usage, "This is for the sandbox only.")
            .hint("Add --sandbox, or set PROVISION_SANDBOX.")
    })?;
    let line = match &arguments.action {
        Action::Push(push) => {
            let digest = push_image(&sandbox, push)?;
            format!("{}: pushed {digest}\n", push.image)
        }
        Action::Alarm(alarm) => set_alarm(&sandbox, alarm)?,
        Action::Pass(pass) => let_pass(&sandbox, pass.time)?,
    };
    session.screen.result(&line)?;
    Ok(0)
}

fn let_pass(sandbox: &Sandbox, time: Duration) -> Result<String> {
    let passed = sandbox.let_pass(time);
    passed.map_err(|error| Error::failed(format!("The sandbox cannot be written: {error}.")))?;
    Ok(format!("{} s passed\n", time.as_secs()))
}

fn set_alarm(sandbox: &Sandbox, alarm: &Alarm) -> Result<String> {
    let ask = |operation: &str, input: Value| {
        sandbox
            .ask(Service::CloudWatch, operation, input)
            .map_err(|error| Error::failed(format!("{error}")))
    };
    let name = &alarm.name;
    let state = match alarm.state {
        AlarmState::Ok => "OK",
        AlarmState::Alarm => "ALARM",
        AlarmState::InsufficientData => "INSUFFICIENT_DATA",
    };
    let kinds = ["MetricAlarm", "CompositeAlarm"];
    let found = ask(
        "DescribeAlarms",
        json!({"AlarmNames": [name], "AlarmTypes": kinds}),
    )?;
    let is_there = kinds.iter().any(|kind| {
        let alarms = found.get(format!("{kind}s")).and_then(Value::as_array);
        alarms.is_some_and(|alarms| !alarms.is_empty())
    });
    match (is_there, alarm.composite) {
        (true, _) => {}
        (false, true) => {
            let rule = json!({"AlarmName": name, "AlarmRule": "TRUE"});
            ask("PutCompositeAlarm", rule)?;
        }
        (false, false) => {
            ask("PutMetricAlarm", json!({"AlarmName": name}))?;
        }
    }
    let set = json!({"AlarmName": name, "StateValue": state, "StateReason": alarm.reason});
    ask("SetAlarmState", set)?;
    Ok(format!("{name}: {state}\n"))
}

fn push_image(sandbox: &Sandbox, push: &Push) -> Result<String> {
    let Some((repository, tag)) = push.image.rsplit_once(':') else {
        let message = format!("{} is not REPOSITORY:TAG.", push.image);
        return Err(Error::new(ErrorKind::Usage, message).hint("Such as back-end:staging."));
    };
    let held = json!({"repositoryName": repository});
    let images = sandbox.ask(Service::Ecr, "ListImages", held);
    let images = images.map_err(|error| refused(repository, &error))?;
    let images = images.get("imageIds").and_then(Value::as_array);
    // Each push is another image, as each build is.
    let number = images.map_or(0, Vec::len);
    let architecture = match push.architecture {
        Architecture::Arm64 => "arm64",
        Architecture::Amd64 => "amd64",
    };
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "history": [{"comment": format!("push {number} of {}", push.image)}],
    })
    .to_string();
    sandbox
        .push(repository, tag, &config)
        .map_err(|error| refused(repository, &error))
}

fn refused(repository: &str, error: &ServiceError) -> Error {
    let error = Error::failed(format!("{error}"));
    error.hint(format!(
        "Where the repository is not there yet: provision apply repository/{repository}."
    ))
}

//! `provision exec`: a command in a container that runs, through AWS's session-manager-plugin.

use std::path::PathBuf;
use std::process::Stdio;

use clap::Args;
use tokio::process::Command;

use super::session::Session;
use crate::error::{Error, Result};
use crate::rollout::{self, Door, Entered};

/// AWS's program that carries a session.
const PLUGIN: &str = "session-manager-plugin";
/// Where it is to be had.
const INSTALL: &str = "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html";
/// The variable in which newer versions of it take the session, so that the token stands in no list
/// of processes.
const VARIABLE: &str = "AWS_SSM_START_SESSION_RESPONSE";
/// The first version that does.
const READS_VARIABLE: [u32; 3] = [1, 2, 497];

/// Run a command in a container of a service that runs, such as a shell.
///
/// The service has to have `enable_execute_command = true`, and AWS's session-manager-plugin has to be
/// installed here. Without a command it is /bin/sh. For work that is to end with an exit code, such as a
/// migration, use provision run: a session tells of none.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The environment.
    environment: String,

    /// The service, by its key in infra.toml or its name.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// The container; by default the only one, or the only essential one.
    #[arg(long, value_name = "NAME")]
    container: Option<String>,

    /// The task, by its id or the beginning of it; by default the one that was started last.
    #[arg(long, value_name = "ID")]
    task: Option<String>,

    /// The command and its arguments; by default /bin/sh.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Opens a session and hands it over.
pub(super) async fn run(arguments: &Arguments, session: &Session<'_>) -> Result<u8> {
    let config = &session.config;
    let service = arguments.service.as_deref();
    let key = rollout::one_key(config, &arguments.environment, service)?;
    // Before AWS is asked for a session that nobody could take.
    let plugin = find_plugin()?;
    let is_new = version(&plugin)
        .await
        .is_some_and(|found| found >= READS_VARIABLE);
    let aws = session.connect().await?;
    let door = Door {
        task: arguments.task.clone(),
        container: arguments.container.clone(),
        command: command(&arguments.command),
    };
    let entered = rollout::enter(&aws, config, &key, &door).await?;
    session.screen.say(&format!(
        "  service/{key}: in {} of task {}",
        entered.container, entered.task
    ));
    let place = Place {
        region: config.project.region.clone(),
        profile: session.global.profile.clone().unwrap_or_default(),
        endpoint: format!(
            "https://ssm.{}.{}",
            config.project.region,
            config.project.partition.dns_suffix()
        ),
    };
    hand_over(&plugin, &entered, &place, is_new).await
}

/// The words as one command line: ECS takes no list. A word with spaces is quoted for the shell that
/// splits them again.
fn command(words: &[String]) -> String {
    if words.is_empty() {
        return "/bin/sh".to_owned();
    }
    let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
    quoted.join(" ")
}

fn quote(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=@%+,".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// What the plugin is told beside the session.
struct Place {
    region: String,
    profile: String,
    endpoint: String,
}

/// The plugin on `PATH`.
fn find_plugin() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = [PLUGIN.to_owned(), format!("{PLUGIN}.exe")];
    let found = std::env::split_paths(&path)
        .flat_map(|directory| names.clone().map(|name| directory.join(name)))
        .find(|file| file.is_file());
    found.ok_or_else(|| {
        Error::failed(format!("{PLUGIN} is not on PATH: a session needs it."))
            .hint(format!("AWS has it for every system: {INSTALL}"))
    })
}

/// The first three numbers of its version; none where it does not tell.
async fn version(plugin: &PathBuf) -> Option<[u32; 3]> {
    let output = Command::new(plugin)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .await
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.trim().split('.').map(|number| number.parse().ok());
    Some([numbers.next()??, numbers.next()??, numbers.next()??])
}

/// Runs the plugin as the AWS CLI does. Ctrl-C is for the program in the container.
async fn hand_over(
    plugin: &PathBuf,
    entered: &Entered,
    place: &Place,
    in_variable: bool,
) -> Result<u8> {
    let mut command = Command::new(plugin);
    if in_variable {
        command.arg(VARIABLE).env(VARIABLE, &entered.session);
    } else {
        command.arg(&entered.session);
    }
    command
        .args([&place.region, "StartSession", &place.profile])
        .args([&entered.target, &place.endpoint]);
    // Heard and left to the plugin, which has the terminal too.
    let deaf = tokio::spawn(async { while tokio::signal::ctrl_c().await.is_ok() {} });
    let status = command.status().await;
    deaf.abort();
    let status = status.map_err(|error| {
        Error::failed(format!("{PLUGIN} could not be run: {error}."))
            .hint(format!("AWS has it for every system: {INSTALL}"))
    })?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.unwrap_or(1))
}

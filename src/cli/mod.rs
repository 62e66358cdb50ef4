//! The command line: one file per command, each reading like the walk of the design. What is printed
//! is `report`'s; this module parses, runs and gives the exit code.

mod apply;
mod audit;
mod can;
mod completions;
mod confirm;
mod deploy;
mod destroy;
mod exec;
mod global;
mod init;
mod interrupt;
mod lock;
mod logs;
mod man;
mod operate;
mod output;
mod permissions;
mod plan;
mod policy;
mod promote;
mod revisions;
mod rollback;
mod rollout;
mod run;
mod sandbox;
mod schema;
mod session;
mod snapshot;
mod status;
mod validate;
mod walk;

use std::ffi::OsString;

use clap::error::ErrorKind as ClapErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};

use self::global::Global;
use self::session::Session;
use crate::error::{Error, ErrorKind, Result};
use crate::report::{Color, Screen, Workflow};

/// Builds and keeps the pipeline GitHub Actions → OIDC → IAM role → ECR → ECS that infra.toml declares.
///
/// There is no state file: AWS is the state. `plan` says what differs, `apply` makes it so.
#[derive(Debug, Parser)]
#[command(name = "provision", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, or nothing to do · 1 failed · 2 there are changes (plan \
    --detailed-exitcode) · 3 refused · 4 a rollout failed or was rolled back · 64 usage"
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Arguments),
    Validate(validate::Arguments),
    Plan(plan::Arguments),
    Apply(apply::Arguments),
    Destroy(destroy::Arguments),
    Output(output::Arguments),
    Deploy(deploy::Arguments),
    Promote(promote::Arguments),
    Rollback(rollback::Arguments),
    Status(status::Arguments),
    Wait(operate::Wait),
    Logs(logs::Arguments),
    Run(run::Arguments),
    Exec(exec::Arguments),
    Tasks(operate::Tasks),
    Revisions(revisions::Arguments),
    Scale(operate::Scale),
    Continue(operate::Continue),
    Unlock(lock::Unlock),
    Sandbox(sandbox::Arguments),
    Policy(policy::Arguments),
    Audit(audit::Arguments),
    Can(can::Can),
    WhoCan(can::WhoCan),
    Snapshot(snapshot::Arguments),
    Permissions(permissions::Arguments),
    Schema(schema::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// Runs the command of these arguments, the program's name first; gives the exit code. A panic is a
/// bug: it is said without its message, which may hold what is not to be printed.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(String::new, |place| format!(" at {place}"));
        plain_screen().error(&Error::bug(format!("provision panicked{place}.")));
    }));
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    std::panic::catch_unwind(|| run(arguments)).unwrap_or(ErrorKind::Bug.exit_code())
}

/// A screen for what is said before the flags are known.
fn plain_screen() -> Screen {
    Screen::new(Color::Auto, false, 0, Workflow::default())
}

fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return answer(&error),
    };
    let Cli { global, command } = cli;
    let screen = global.screen();
    global.start_tracing();
    match dispatch(&command, &global, &screen) {
        Ok(code) => code,
        Err(error) => {
            screen.error(&error);
            error.kind.exit_code()
        }
    }
}

/// Prints help, the version, or what is wrong with the command line.
fn answer(error: &clap::Error) -> u8 {
    let screen = plain_screen();
    let text = error.render().ansi().to_string();
    match error.kind() {
        ClapErrorKind::DisplayHelp | ClapErrorKind::DisplayVersion => screen
            .result(&text)
            .map_or_else(|error| error.kind.exit_code(), |()| 0),
        _ => {
            screen.complain(text.trim_end());
            ErrorKind::Usage.exit_code()
        }
    }
}

fn dispatch(command: &Command, global: &Global, screen: &Screen) -> Result<u8> {
    match command {
        Command::Init(arguments) => block_on(init::run(arguments, global, screen)),
        Command::Validate(arguments) => validate::run(arguments, &Session::load(global, screen)?),
        Command::Plan(arguments) => block_on(plan::run(arguments, &Session::load(global, screen)?)),
        Command::Apply(arguments) => {
            block_on(apply::run(arguments, &Session::load(global, screen)?))
        }
        Command::Destroy(arguments) => {
            block_on(destroy::run(arguments, &Session::load(global, screen)?))
        }
        Command::Output(arguments) => {
            block_on(output::run(arguments, &Session::load(global, screen)?))
        }
        Command::Sandbox(arguments) => sandbox::run(arguments, &Session::load(global, screen)?),
        Command::Policy(arguments) => policy::run(arguments, global, screen),
        Command::Can(arguments) => match arguments.file() {
            Some(path) => can::can(arguments, path, global, screen),
            None => block_on(can::can_in_account(
                arguments,
                &Session::load(global, screen)?,
            )),
        },
        Command::WhoCan(arguments) => match arguments.file() {
            Some(path) => can::who_can(arguments, path, global, screen),
            None => block_on(can::who_can_in_account(
                arguments,
                &Session::load(global, screen)?,
            )),
        },
        Command::Audit(arguments) => {
            block_on(audit::run(arguments, &Session::load(global, screen)?))
        }
        Command::Snapshot(arguments) => {
            block_on(snapshot::run(arguments, &Session::load(global, screen)?))
        }
        Command::Unlock(arguments) => {
            block_on(lock::unlock(arguments, &Session::load(global, screen)?))
        }
        Command::Permissions(arguments) => {
            permissions::run(arguments, &Session::load(global, screen)?)
        }
        Command::Schema(arguments) => schema::run(arguments, screen),
        Command::Completions(arguments) => completions::run(arguments, Cli::command(), screen),
        Command::Man(arguments) => man::run(arguments, Cli::command(), screen),
        services => block_on(operate(services, &Session::load(global, screen)?)),
    }
}

/// Runs a command that operates services.
async fn operate(command: &Command, session: &Session<'_>) -> Result<u8> {
    match command {
        Command::Deploy(arguments) => deploy::run(arguments, session).await,
        Command::Promote(arguments) => promote::run(arguments, session).await,
        Command::Rollback(arguments) => rollback::run(arguments, session).await,
        Command::Status(arguments) => status::run(arguments, session).await,
        Command::Wait(arguments) => operate::wait(arguments, session).await,
        Command::Logs(arguments) => logs::run(arguments, session).await,
        Command::Run(arguments) => run::run(arguments, session).await,
        Command::Exec(arguments) => exec::run(arguments, session).await,
        Command::Tasks(arguments) => operate::tasks(arguments, session).await,
        Command::Revisions(arguments) => revisions::run(arguments, session).await,
        Command::Scale(arguments) => operate::scale(arguments, session).await,
        Command::Continue(arguments) => operate::proceed(arguments, session).await,
        _ => Err(Error::bug("This command is nobody's.")),
    }
}

/// Runs to the end on this thread: the work is waiting, and one thread keeps its order the same in
/// every run.
fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    // A thread beside this one hears signals while this one works without a pause, as in the sandbox.
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Error::failed(format!("The run cannot be started: {error}.")))?
        .block_on(work)
}

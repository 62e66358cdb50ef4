//! `provision run`: a task of its own, such as a migration, like the service's own tasks.

use std::time::Duration;

use clap::Args;

use super::deploy::{Allowed, digest};
use super::interrupt::Interrupt;
use super::lock;
use super::rollout::duration;
use super::session::Session;
use crate::aws::Aws;
use crate::error::{Error, Result};
use crate::kinds::service;
use crate::report::RolloutView;
use crate::rollout::{self, End, News, Order, Ran, Run, Selection, StoppedFor};

/// Run a command in a task of its own, such as a migration, and end with its exit code.
///
/// The task is like the service's own: the revision that the service runs, its network, roles, launch
/// type and platform. Only the command differs. What the container writes goes to standard output,
/// all else to standard error. The exit code is the container's; where it has none, because the task
/// found no place, its image could not be pulled or a role could not be assumed, it is 1 and the reason
/// is said. A container that is killed for its memory ends with 137, and that is said too. Ctrl-C stops
/// the task, as it would with docker run; a second one leaves at once.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The environment.
    environment: String,

    /// The service whose tasks it is like, by its key in infra.toml or its name.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// The container that is given the command; by default the only one, or the only essential one.
    #[arg(long, value_name = "NAME")]
    container: Option<String>,

    /// A revision instead of the one that the service runs: its number, or FAMILY:NUMBER.
    #[arg(long, value_name = "REVISION", conflicts_with_all = ["tag", "digest"])]
    revision: Option<String>,

    /// An image instead of the one that the service runs, by its tag.
    #[arg(long, value_name = "TAG", conflicts_with = "digest")]
    tag: Option<String>,

    /// An image instead of the one that the service runs, by its digest.
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    digest: Option<String>,

    /// Stop the task when it takes longer, such as 15m. Without it the task may take as long as it likes.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,

    /// Start the task, print its id, and do not wait.
    #[arg(short, long)]
    detach: bool,

    #[command(flatten)]
    allowed: Allowed,

    /// The command and its arguments.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Starts the task and follows it.
pub(super) async fn run(arguments: &Arguments, session: &Session<'_>) -> Result<u8> {
    let config = &session.config;
    let service = arguments.service.as_deref();
    let key = rollout::one_key(config, &arguments.environment, service)?;
    let aws = session.connect().await?;
    lock::ask(session, &aws).await?;
    let live = rollout::live(&aws, config, &key).await?;
    let revision = revision(arguments, session, &aws, &key).await?;
    let revision = revision.or_else(|| service::revision(&live).map(str::to_owned));
    let order = Order {
        revision: revision.unwrap_or_default(),
        container: arguments.container.clone(),
        command: arguments.command.clone(),
    };
    // Before the task is there: a signal that comes while it starts stops it too.
    let interrupt = Interrupt::listen_for(
        session.screen,
        "Stopping the task; once more to leave it to ECS.",
    );
    let ran = rollout::run_task(&aws, config, &key, &live, &order).await?;
    let screen = session.screen;
    screen.say(&format!(
        "  service/{key}: task {} of {} is asked for",
        ran.id, ran.revision
    ));
    if arguments.detach {
        screen.result(&format!("{}\n", ran.id))?;
        return Ok(0);
    }
    let mut tell = |news: News<'_>| match news {
        News::Line(text) => screen.result(&format!("{}\n", text.trim_end_matches('\n'))),
        News::State(state) => {
            screen.say(&format!("  task {}: {state}", ran.id));
            Ok(())
        }
        News::Note(note) => {
            screen.complain(&format!("warning: task {}: {note}", ran.id));
            Ok(())
        }
    };
    let flag = interrupt.flag();
    let end = rollout::follow_task(&aws, &ran, arguments.timeout, flag, &mut tell).await;
    let end = end.map_err(|error| {
        let error = error.at(format!("task {}", ran.id));
        match error.hint {
            Some(_) => error,
            None => error.hint("The task goes on; provision logs shows what it writes."),
        }
    })?;
    finish(arguments, session, &key, &ran, &end)
}

/// The revision that is asked for; none where it is the one that the service runs.
async fn revision(
    arguments: &Arguments,
    session: &Session<'_>,
    aws: &Aws,
    key: &str,
) -> Result<Option<String>> {
    let config = &session.config;
    if let Some(revision) = &arguments.revision {
        return rollout::revision_name(config, key, revision).map(Some);
    }
    let selection = match (&arguments.tag, &arguments.digest) {
        (Some(tag), _) => Selection::Tag(tag.clone()),
        (None, Some(digest)) => Selection::Digest(digest.clone()),
        (None, None) => return Ok(None),
    };
    let view = RolloutView::new(session.screen);
    let run = Run {
        aws,
        config,
        on_event: &|event| view.event(&event),
    };
    let unproved = arguments.allowed.unproved();
    let target =
        rollout::resolve_proved(run, &arguments.environment, key, &selection, unproved).await?;
    let registration = service::register(aws, config, key, &target.live, &target.digests).await?;
    Ok(Some(registration.revision))
}

/// Says how it ended; gives the exit code.
fn finish(
    arguments: &Arguments,
    session: &Session<'_>,
    key: &str,
    ran: &Ran,
    end: &End,
) -> Result<u8> {
    let address = format!("service/{key}");
    let seconds = end.took.as_secs();
    let (id, container) = (&ran.id, &ran.container);
    if end.stopped_for == Some(StoppedFor::Timeout) {
        let most = arguments.timeout.unwrap_or_default().as_secs();
        let message = format!("The task {id} was stopped: it took longer than {most} s.");
        return Err(Error::failed(message)
            .at(address)
            .hint("Give it more time with --timeout, or none."));
    }
    let Some(exit) = end.exit else {
        if end.stopped_for == Some(StoppedFor::Asked) {
            let message = format!("The task {id} was stopped before its container ran.");
            return Err(Error::failed(message).at(address));
        }
        let message = format!(
            "The container {container} of the task {id} never ran: {}.",
            end.reason
        );
        return Err(Error::failed(message)
            .at(address)
            .hint("Mend what the reason names and run it again; provision plan shows what is not as declared."));
    };
    let why = if end.out_of_memory || end.stopped_for.is_some() {
        format!(" ({})", end.reason)
    } else {
        String::new()
    };
    let line =
        format!("  task {id}: {container} ended with exit code {exit} after {seconds} s{why}");
    session.screen.say(&line);
    Ok(u8::try_from(exit).unwrap_or(1))
}

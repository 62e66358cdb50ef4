//! What runs, in lines: services, tasks, revisions.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::aws::log_events::Event;
use crate::rollout::{Pruning, Revision, Running, RunningImage, Status, Task};

/// The services, each with what it runs and what of it differs from infra.toml.
#[must_use]
pub fn status(services: &[Status]) -> String {
    let mut text = String::new();
    for service in services {
        let _ = writeln!(text, "service/{}", service.key);
        let Some(running) = &service.running else {
            text.push_str("  is not there\n");
            continue;
        };
        let Running {
            revision,
            images,
            rollout,
            tasks,
            desired,
            drift,
        } = running;
        let _ = writeln!(text, "  tasks     {tasks} of {desired} running");
        let _ = writeln!(text, "  revision  {revision}");
        let _ = writeln!(text, "  rollout   {rollout}");
        if images.is_empty() {
            text.push_str("  image     none by digest\n");
        }
        for image in images {
            text.push_str(&of_image(image));
        }
        let drift = match drift.as_slice() {
            [] => "none".to_owned(),
            fields => format!(
                "{}; run provision plan service/{}",
                fields.join(", "),
                service.key
            ),
        };
        let _ = writeln!(text, "  drift     {drift}");
    }
    text
}

fn of_image(image: &RunningImage) -> String {
    let RunningImage {
        repository,
        digest,
        tags,
        wanted,
        behind,
    } = image;
    let tags = if tags.is_empty() {
        "no tag names it now".to_owned()
    } else {
        tags.join(", ")
    };
    let mut text = format!("  image     {repository}@{digest} ({tags})\n");
    if let Some(behind) = behind {
        let pushes = if *behind == 1 { "push" } else { "pushes" };
        let _ = writeln!(text, "            {behind} {pushes} behind :{wanted}");
    }
    text
}

/// The tasks, one a line.
#[must_use]
pub fn tasks(tasks: &[Task]) -> String {
    let mut text = String::new();
    for task in tasks {
        let Task {
            id,
            revision,
            status,
            health,
            stopped,
        } = task;
        let stopped = stopped.as_ref().map(|why| format!("  {why}"));
        let stopped = stopped.unwrap_or_default();
        let _ = writeln!(text, "{id}  {revision}  {status}  {health}{stopped}");
    }
    text
}

/// The revisions, one a line, newest first.
#[must_use]
pub fn revisions(revisions: &[Revision]) -> String {
    let mut text = String::new();
    for revision in revisions {
        let Revision {
            name,
            images,
            uses,
            target,
            proved_by,
        } = revision;
        let mut notes = Vec::new();
        notes.extend(uses.clone());
        if *target {
            notes.push("rollback goes here".to_owned());
        }
        notes.extend(proved_by.as_ref().map(|by| format!("proved by {by}")));
        let notes = if notes.is_empty() {
            String::new()
        } else {
            format!("  [{}]", notes.join("; "))
        };
        let _ = writeln!(text, "{name}  {}{notes}", images.join(", "));
    }
    text
}

/// What is to become of revisions: those that stay with their reasons, those that go.
#[must_use]
pub fn prunings(prunings: &[Pruning]) -> String {
    let mut text = String::new();
    let (mut kept_count, mut removed_count) = (0, 0);
    for pruning in prunings {
        let Pruning {
            family,
            kept,
            removed,
        } = pruning;
        let _ = writeln!(text, "{family}");
        for (name, reason) in kept {
            let _ = writeln!(text, "  {name}  stays: {reason}");
        }
        for arn in removed {
            let name = arn.rsplit('/').next().unwrap_or(arn);
            let _ = writeln!(text, "- {name}");
        }
        kept_count += kept.len();
        removed_count += removed.len();
    }
    let _ = writeln!(text, "{removed_count} to deregister, {kept_count} stay.");
    text
}

/// The colours of streams: each keeps its own.
const STREAMS: [AnsiColor; 5] = [
    AnsiColor::Cyan,
    AnsiColor::Green,
    AnsiColor::Yellow,
    AnsiColor::Blue,
    AnsiColor::Magenta,
];

/// An event of a log, in its stream's colour. The group is said where there are several.
#[must_use]
pub fn log_line(event: &Event, several: bool) -> String {
    let Event {
        id: _,
        time: _,
        stamp,
        group,
        stream,
        message,
    } = event;
    let sum: usize = stream.bytes().map(usize::from).sum();
    let color = STREAMS.get(sum % STREAMS.len());
    let style = color.map_or_else(Style::new, |color| color.on_default());
    let group = if several {
        format!("{group} ")
    } else {
        String::new()
    };
    format!(
        "{stamp} {group}{style}{stream}{style:#} {}\n",
        message.trim_end()
    )
}

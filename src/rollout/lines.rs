//! The lines that one container of a task writes, each once, as they come.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::aws::ecs::text;
use crate::aws::{Aws, Error, log_events};

/// The log stream that a container of a task writes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stream {
    pub(super) group: String,
    pub(super) name: String,
}

impl Stream {
    /// That of a container by its definition, still without the task; none where it writes somewhere
    /// that cannot be read from this region.
    pub(super) fn of(container: &Value, region: &str) -> Option<Self> {
        let log = container.get("logConfiguration")?;
        let options = log.get("options")?;
        let is_here = text(options, "awslogs-region").is_none_or(|its| its == region);
        if text(log, "logDriver") != Some("awslogs") || !is_here {
            return None;
        }
        // Without a prefix, the stream is named by an id of the container that ECS does not tell.
        let prefix = text(options, "awslogs-stream-prefix")?;
        Some(Self {
            group: text(options, "awslogs-group")?.to_owned(),
            name: format!("{prefix}/{}", text(container, "name")?),
        })
    }

    /// The same for one task.
    pub(super) fn of_task(mut self, id: &str) -> Self {
        self.name = format!("{}/{id}", self.name);
        self
    }
}

/// A log stream, and how far it was read.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    stream: Stream,
    begin: Duration,
    seen: BTreeSet<String>,
}

impl Lines {
    /// Nothing is read yet.
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            begin: Duration::ZERO,
            seen: BTreeSet::new(),
        }
    }

    /// What was written since the last call of this. A stream that is not there yet has no lines.
    pub(super) async fn next(&mut self, aws: &Aws) -> Result<Vec<String>, Error> {
        let Stream { group, name } = &self.stream;
        let found = log_events::of_stream(aws, group, name, self.begin).await;
        let events = match found {
            Ok(events) => events,
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut new = Vec::new();
        for event in events {
            // A stream is in order: what is older than its last event was read.
            self.begin = self.begin.max(event.time);
            if self.seen.insert(event.id) {
                new.push(event.message);
            }
        }
        Ok(new)
    }
}

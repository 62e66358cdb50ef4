//! The lines that one container of a task writes, each once, as they come.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::aws::ecs::text;
use crate::aws::{Aws, Error, log_events};

/// A log stream, and how far it was read.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    group: String,
    stream: String,
    begin: Duration,
    seen: BTreeSet<String>,
}

impl Lines {
    /// The stream of a container by its definition, still without the task; none where it writes
    /// somewhere that cannot be read from here.
    pub(super) fn of(container: &Value, aws: &Aws) -> Option<Self> {
        let log = container.get("logConfiguration")?;
        let options = log.get("options")?;
        let region = text(options, "awslogs-region");
        let is_here = region.is_none_or(|region| region == aws.region);
        if text(log, "logDriver") != Some("awslogs") || !is_here {
            return None;
        }
        // Without a prefix, the stream is named by an id of the container that ECS does not tell.
        let prefix = text(options, "awslogs-stream-prefix")?;
        Some(Self {
            group: text(options, "awslogs-group")?.to_owned(),
            stream: format!("{prefix}/{}", text(container, "name")?),
            begin: Duration::ZERO,
            seen: BTreeSet::new(),
        })
    }

    /// The same for one task.
    pub(super) fn of_task(mut self, id: &str) -> Self {
        self.stream = format!("{}/{id}", self.stream);
        self
    }

    /// What was written since the last call of this. A stream that is not there yet has no lines.
    pub(super) async fn next(&mut self, aws: &Aws) -> Result<Vec<String>, Error> {
        let found = log_events::of_stream(aws, &self.group, &self.stream, self.begin).await;
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

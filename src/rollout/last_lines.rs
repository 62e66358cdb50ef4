//! The last lines that failed tasks wrote to CloudWatch Logs, through the awslogs driver of their
//! containers.

use serde_json::Value;

use super::cause::plain;
use super::lines::Stream;
use crate::aws::ecs::{self, text};
use crate::aws::{Aws, log_events};
use crate::kind::RolloutHandle;
use crate::redact;

/// Lines that are told of one container: the end of a stack trace fits.
const MOST_LINES: i32 = 8;
/// Tasks that are asked, newest first, until one has written something: CloudWatch shows an event
/// within seconds, so that the very newest may not be there yet.
const MOST_TASKS: usize = 3;

/// The last lines of the containers of these tasks, indented; none where nothing was written, or
/// where it goes elsewhere.
pub(super) async fn last_lines(aws: &Aws, handle: &RolloutHandle, tasks: &[Value]) -> Vec<String> {
    let Ok(definition) = ecs::task_definition(aws, &handle.task_definition).await else {
        return Vec::new();
    };
    for task in tasks.iter().take(MOST_TASKS) {
        let mut lines = Vec::new();
        for stream in streams(&definition, task, &aws.region) {
            let events = log_events::last(aws, &stream.group, &stream.name, MOST_LINES).await;
            let events = events.unwrap_or_default();
            if events.is_empty() {
                continue;
            }
            let Stream { group, name } = &stream;
            lines.push(format!("  last lines of {name} in {group}:"));
            lines.extend(events.iter().map(|event| shown(&event.message)));
        }
        if !lines.is_empty() {
            return lines;
        }
    }
    Vec::new()
}

/// A line as it is shown. The bar keeps GitHub Actions from taking it for a command.
fn shown(message: &str) -> String {
    format!("  | {}", plain(&redact::hide_line(message)))
}

/// The streams of a task's containers that failed; of all, where none did more than the others.
fn streams(definition: &Value, task: &Value, region: &str) -> Vec<Stream> {
    let arn = text(task, "taskArn").unwrap_or_default();
    let id = arn.rsplit('/').next().unwrap_or_default();
    let containers = task.get("containers").and_then(Value::as_array);
    let containers: Vec<&Value> = containers.into_iter().flatten().collect();
    let failed = |container: &&&Value| {
        let exit = container.get("exitCode").and_then(Value::as_i64);
        let reason = text(container, "reason").unwrap_or_default();
        exit.is_some_and(|code| code != 0) || !reason.is_empty()
    };
    let mut chosen: Vec<&Value> = containers.iter().filter(failed).copied().collect();
    if chosen.is_empty() {
        chosen = containers;
    }
    let names = chosen
        .iter()
        .filter_map(|container| text(container, "name"));
    let declared = names
        .filter_map(|name| ecs::containers(definition).find(|one| text(one, "name") == Some(name)));
    declared
        .filter_map(|container| Some(Stream::of(container, region)?.of_task(id)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Stream, shown, streams};

    #[test]
    fn the_stream_is_that_of_the_container_that_failed() {
        let log = |prefix: &str| {
            json!({
                "logDriver": "awslogs",
                "options": {"awslogs-group": "/ecs/app", "awslogs-stream-prefix": prefix},
            })
        };
        let mut definition = json!({"containerDefinitions": [
            {"name": "web", "logConfiguration": log("ecs")},
            {"name": "agent", "logConfiguration": log("side")},
            {"name": "quiet"},
        ]});
        let mut task = json!({
            "taskArn": "arn:aws:ecs:us-east-2:633607774026:task/c/0123",
            "containers": [
                {"name": "web", "exitCode": 1},
                {"name": "agent", "exitCode": 0},
                {"name": "quiet", "exitCode": 3},
            ],
        });
        let of = |name: &str| Stream {
            group: "/ecs/app".to_owned(),
            name: name.to_owned(),
        };
        let found = |task: &Value| streams(&definition, task, "us-east-2");
        assert_eq!(found(&task), [of("ecs/web/0123")]);
        task["containers"][0]["exitCode"] = json!(0);
        task["containers"][2]["exitCode"] = json!(0);
        assert_eq!(found(&task), [of("ecs/web/0123"), of("side/agent/0123")]);
        let elsewhere = &mut definition["containerDefinitions"][0]["logConfiguration"];
        elsewhere["options"]["awslogs-region"] = json!("eu-west-1");
        let found = streams(&definition, &task, "us-east-2");
        assert_eq!(found, [of("side/agent/0123")], "lines of another region");
    }

    #[test]
    fn a_line_is_no_command_and_no_credential() {
        assert_eq!(shown("::error::x"), "  | ::error::x");
        let line = shown("connecting with DB_PASSWORD=hunter2 now");
        assert!(!line.contains("hunter2"), "{line}");
    }
}

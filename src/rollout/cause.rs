//! Why a rollout did not succeed: the reasons of stopped tasks, and the service's last events.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::aws::ecs::{self, text, texts};
use crate::aws::{Aws, EcsOperation};
use crate::kind::RolloutHandle;

/// Reasons that are told: with more, the first ones say it all.
const MOST_REASONS: usize = 3;
/// Events that are told.
const MOST_EVENTS: usize = 3;
/// Most tasks in one `DescribeTasks`.
const MOST_TASKS: usize = 100;

/// The causes, most telling first. What cannot be read is left out: the ending itself is known.
pub(super) async fn causes(
    aws: &Aws,
    handle: &RolloutHandle,
    service: &Value,
    begun: Duration,
) -> Vec<String> {
    let mut causes: Vec<String> = stopped_tasks(aws, handle)
        .await
        .into_iter()
        .take(MOST_REASONS)
        .map(|(reason, tasks)| match tasks {
            1 => format!("1 task stopped: {reason}"),
            tasks => format!("{tasks} tasks stopped: {reason}"),
        })
        .collect();
    let events = service.get("events").and_then(Value::as_array);
    let since = begun.as_secs_f64() - 1.0;
    let events = events
        .into_iter()
        .flatten()
        .filter(|event| {
            let created = event.get("createdAt").and_then(Value::as_f64);
            created.is_none_or(|created| created >= since)
        })
        .filter_map(|event| text(event, "message"));
    causes.extend(
        events
            .take(MOST_EVENTS)
            .map(|event| format!("event: {event}")),
    );
    causes
}

/// How many tasks of our revision stopped for each reason.
async fn stopped_tasks(aws: &Aws, handle: &RolloutHandle) -> BTreeMap<String, usize> {
    let request = json!({
        "cluster": handle.cluster,
        "serviceName": handle.service,
        "desiredStatus": "STOPPED",
    });
    let Ok(list) = ecs::read(aws, EcsOperation::ListTasks, &request).await else {
        return BTreeMap::new();
    };
    let mut arns = texts(&list, "taskArns");
    arns.truncate(MOST_TASKS);
    if arns.is_empty() {
        return BTreeMap::new();
    }
    let request = json!({"cluster": handle.cluster, "tasks": arns});
    let Ok(answer) = ecs::read(aws, EcsOperation::DescribeTasks, &request).await else {
        return BTreeMap::new();
    };
    let mut reasons = BTreeMap::new();
    let tasks = answer.get("tasks").and_then(Value::as_array);
    for task in tasks.into_iter().flatten() {
        if text(task, "taskDefinitionArn") == Some(&handle.task_definition) {
            *reasons.entry(reason(task)).or_insert(0) += 1;
        }
    }
    reasons
}

/// Why a task stopped: its own reason, and those of its containers.
fn reason(task: &Value) -> String {
    let mut reason = text(task, "stoppedReason")
        .unwrap_or("no reason given")
        .to_owned();
    let containers = task.get("containers").and_then(Value::as_array);
    for container in containers.into_iter().flatten() {
        let name = text(container, "name").unwrap_or("container");
        let exit = container.get("exitCode").and_then(Value::as_i64);
        let exit = exit.filter(|code| *code != 0);
        let exit = exit.map(|code| format!("exit code {code}"));
        let words = text(container, "reason").filter(|words| !words.is_empty());
        let words = words.map(str::to_owned);
        let parts: Vec<String> = exit.into_iter().chain(words).collect();
        if !parts.is_empty() {
            reason.push_str("; ");
            reason.push_str(name);
            reason.push_str(": ");
            reason.push_str(&parts.join(", "));
        }
    }
    reason
}

//! Why a rollout did not succeed: the reasons of stopped tasks with the last lines that they wrote,
//! else the service's last events. All of it is other people's text: it is made plain, and what looks
//! like a credential in it is hidden.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::last_lines::last_lines;
use crate::aws::ecs::{self, text, texts};
use crate::aws::{Aws, EcsOperation};
use crate::kind::RolloutHandle;

/// Reasons that are told: with more, the first ones say it all.
const MOST_REASONS: usize = 3;
/// Events that are told.
const MOST_EVENTS: usize = 3;
/// Most tasks in one `DescribeTasks`.
const MOST_TASKS: usize = 100;
/// Characters of a text of others that are shown: a stack trace in one line is longer than a screen.
const LONGEST: usize = 400;

/// The causes, most telling first. What cannot be read is left out: the ending itself is known.
pub(super) async fn causes(
    aws: &Aws,
    handle: &RolloutHandle,
    service: &Value,
    begun: Duration,
    reason: Option<&str>,
) -> Vec<String> {
    let mut causes = Vec::new();
    for (reason, tasks) in stopped_tasks(aws, handle, begun).await {
        let number = tasks.len();
        let tasks_stopped = if number == 1 { "task" } else { "tasks" };
        causes.push(format!("{number} {tasks_stopped} stopped: {reason}"));
        causes.extend(last_lines(aws, handle, &tasks).await);
    }
    if causes.is_empty() {
        causes.extend(last_events(service, begun, reason));
    }
    causes
}

/// The last events of a service, without those that only say the reason once more.
fn last_events(service: &Value, begun: Duration, reason: Option<&str>) -> Vec<String> {
    let since = begun.as_secs_f64() - 1.0;
    let events = service.get("events").and_then(Value::as_array);
    let recent = events.into_iter().flatten().filter(|event| {
        let created = event.get("createdAt").and_then(Value::as_f64);
        created.is_none_or(|created| created >= since)
    });
    let mut messages: Vec<String> = recent
        .filter_map(|event| text(event, "message"))
        .filter(|message| !reason.is_some_and(|reason| message.contains(reason)))
        .map(|message| format!("event: {}", plain(message)))
        .collect();
    // The same one comes once a minute where no task can be placed.
    messages.dedup();
    messages.truncate(MOST_EVENTS);
    messages
}

/// The tasks of our deployment that stopped, newest first, by reason; most frequent reasons first.
async fn stopped_tasks(
    aws: &Aws,
    handle: &RolloutHandle,
    begun: Duration,
) -> Vec<(String, Vec<Value>)> {
    let request = json!({
        "cluster": handle.cluster,
        "serviceName": handle.service,
        "desiredStatus": "STOPPED",
    });
    let Ok(list) = ecs::read(aws, EcsOperation::ListTasks, &request).await else {
        return Vec::new();
    };
    let mut arns = texts(&list, "taskArns");
    arns.truncate(MOST_TASKS);
    let Ok(mut tasks) = ecs::tasks(aws, &handle.cluster, &arns).await else {
        return Vec::new();
    };
    tasks.retain(|task| is_of(handle, task, begun));
    let stopped = |task: &Value| task.get("stoppedAt").and_then(Value::as_f64);
    tasks.sort_by(|a, b| {
        let (a, b) = (
            stopped(a).unwrap_or_default(),
            stopped(b).unwrap_or_default(),
        );
        b.total_cmp(&a)
    });
    let mut reasons: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for task in tasks {
        reasons.entry(reason(&task)).or_default().push(task);
    }
    let mut reasons: Vec<(String, Vec<Value>)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, tasks)| std::cmp::Reverse(tasks.len()));
    reasons.truncate(MOST_REASONS);
    reasons
}

/// Whether a stopped task is one of our deployment, and was not just taken away by it.
fn is_of(handle: &RolloutHandle, task: &Value, begun: Duration) -> bool {
    if text(task, "taskDefinitionArn") != Some(&handle.task_definition)
        || text(task, "stopCode") == Some("ServiceSchedulerInitiated")
            && !text(task, "stoppedReason").is_some_and(|reason| reason.contains("health check"))
    {
        return false;
    }
    match (&handle.deployment, text(task, "startedBy")) {
        (Some(id), Some(by)) => by == id,
        // Without an id: those that stopped since.
        _ => task
            .get("stoppedAt")
            .and_then(Value::as_f64)
            .is_none_or(|at| at >= begun.as_secs_f64() - 1.0),
    }
}

/// Why a task stopped: its own reason, and those of its containers.
pub(super) fn reason(task: &Value) -> String {
    let own = text(task, "stoppedReason").unwrap_or("no reason given");
    let mut reason = plain(own);
    let containers = task.get("containers").and_then(Value::as_array);
    for container in containers.into_iter().flatten() {
        let name = text(container, "name").unwrap_or("container");
        let exit = container.get("exitCode").and_then(Value::as_i64);
        let exit = exit.filter(|code| *code != 0);
        let exit = exit.map(|code| format!("exit code {code}"));
        let words = text(container, "reason").filter(|words| !words.is_empty() && *words != own);
        let words = words.map(plain);
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

/// Text of others on one line: no control characters, no more than fits, and nothing that GitHub
/// Actions would take for a command.
pub(super) fn plain(text: &str) -> String {
    let mut plain: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(LONGEST)
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        plain.push_str("...");
    }
    plain.replace("##[", "## [").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::{LONGEST, last_events, plain, reason};

    #[test]
    fn a_reason_names_every_container_that_has_one() {
        let task = json!({
            "stoppedReason": "Essential container in task exited",
            "containers": [
                {"name": "web", "exitCode": 137, "reason": "OutOfMemoryError"},
                {"name": "proxy", "exitCode": 0},
                {"name": "agent", "exitCode": 2},
            ],
        });
        assert_eq!(
            reason(&task),
            "Essential container in task exited; web: exit code 137, OutOfMemoryError; agent: exit code 2"
        );
        assert_eq!(reason(&json!({})), "no reason given");
    }

    #[test]
    fn events_of_before_and_those_that_say_the_reason_again_are_no_cause() {
        let service = json!({"events": [
            {"createdAt": 120.0, "message": "(service web) deployment failed: A hook failed."},
            {"createdAt": 110.0, "message": "no place"},
            {"createdAt": 105.0, "message": "no place"},
            {"createdAt": 90.0, "message": "older"},
        ]});
        let begun = Duration::from_secs(100);
        let told = last_events(&service, begun, Some("A hook failed."));
        assert_eq!(told, ["event: no place"]);
        assert_eq!(last_events(&service, begun, None).len(), 2);
    }

    #[test]
    fn what_the_task_says_is_not_said_again_by_its_container() {
        let words = "CannotPullContainerError: not found";
        let task = json!({
            "stoppedReason": words,
            "containers": [{"name": "web", "reason": words}],
        });
        assert_eq!(reason(&task), words);
    }

    #[test]
    fn text_of_others_stays_on_its_line_and_commands_nothing() {
        assert_eq!(plain("a\nb\u{1b}[31m\tc"), "a b [31m c");
        assert_eq!(plain("x ##[add-mask]y"), "x ## [add-mask]y");
        assert_eq!(plain(&"x".repeat(LONGEST + 9)).len(), LONGEST + 3);
    }
}

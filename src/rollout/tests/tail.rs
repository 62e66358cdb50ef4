use std::time::Duration;

use serde_json::json;

use super::Stage;
use crate::rollout::{Heard, Wanted, follow_logs};
use crate::sandbox::{Fault, FaultKind, Script, Service, Times};

const GROUP: &str = "/ecs/web";

async fn stage() -> Stage {
    let stage = Stage::set(json!({"enable": false, "rollback": false})).await;
    let ask = |operation: &str, input: serde_json::Value| {
        stage.sandbox.ask(Service::Logs, operation, input).unwrap()
    };
    ask("CreateLogGroup", json!({"logGroupName": GROUP}));
    ask(
        "CreateLogStream",
        json!({"logGroupName": GROUP, "logStreamName": "s"}),
    );
    write(&stage, &["old"]);
    stage
}

fn put(lines: &[&str]) -> serde_json::Value {
    let events: Vec<_> = lines.iter().map(|line| json!({"message": line})).collect();
    json!({"logGroupName": GROUP, "logStreamName": "s", "logEvents": events})
}

fn write(stage: &Stage, lines: &[&str]) {
    stage
        .sandbox
        .ask(Service::Logs, "PutLogEvents", put(lines))
        .unwrap();
}

/// Somebody writes a line at each of the first requests to this operation.
fn write_at(stage: &Stage, operation: &'static str, lines: &'static [&'static [&'static str]]) {
    let mut count = 0;
    stage.sandbox.before_each(move |call, outside| {
        if call.operation == operation {
            if let Some(lines) = lines.get(count) {
                outside
                    .ask(Service::Logs, "PutLogEvents", put(lines))
                    .unwrap();
            }
            count += 1;
        }
    });
}

/// What is heard until so many lines came, and for a while after them.
async fn follow(stage: &Stage, lines: usize) -> (Vec<String>, Vec<String>) {
    let now = stage.aws.clock().now();
    let since = now.saturating_sub(Duration::from_mins(1));
    let wanted = Wanted {
        groups: vec![GROUP.to_owned()],
        since,
        filter: None,
    };
    let (mut heard, mut details) = (Vec::new(), Vec::new());
    let mut tell = |news: Heard<'_>| {
        match news {
            Heard::Event(event) => heard.push(event.message.clone()),
            Heard::Detail(words) | Heard::Warning(words) => details.push(words.to_owned()),
        }
        Ok(heard.len() < lines && details.len() < 12)
    };
    follow_logs(&stage.aws, &wanted, &mut tell).await.unwrap();
    (heard, details)
}

#[tokio::test]
async fn a_live_tail_tells_each_event_once_over_many_sessions() {
    let stage = stage().await;
    // The first two come while a session opens: it and the read of what was before both show them.
    write_at(
        &stage,
        "StartLiveTail",
        &[&["one"], &["two", "two"], &[], &["three"]],
    );
    let (heard, details) = follow(&stage, 6).await;
    // Two equal lines of one moment are two lines. The sixth never comes, and no seventh.
    assert_eq!(heard, ["old", "one", "two", "two", "three"]);
    assert!(
        details.iter().all(|words| words == "live tail"),
        "{details:?}"
    );
    let sessions = stage.sandbox.take_trace();
    let sessions = sessions
        .iter()
        .filter(|entry| entry.operation == "StartLiveTail");
    assert!(sessions.count() > 4);
}

#[tokio::test]
async fn where_a_live_tail_is_denied_events_are_asked_for() {
    let stage = stage().await;
    let denied = Fault::on("logs:StartLiveTail", FaultKind::AccessDenied);
    stage
        .sandbox
        .play(Script::of(vec![denied.times(Times::FOREVER)]));
    write_at(
        &stage,
        "FilterLogEvents",
        &[&[], &["one"], &["two"], &[], &["three"]],
    );
    let (heard, details) = follow(&stage, 4).await;
    assert_eq!(heard, ["old", "one", "two", "three"]);
    assert_eq!(
        details,
        ["no live tail (logs:StartLiveTail is not allowed): asking every 5 s"]
    );
}

#[tokio::test]
async fn a_live_tail_that_keeps_breaking_is_given_up() {
    let stage = stage().await;
    let broken = Fault::on("logs:StartLiveTail", FaultKind::TruncatedBody);
    stage
        .sandbox
        .play(Script::of(vec![broken.times(Times::FOREVER)]));
    write_at(
        &stage,
        "FilterLogEvents",
        &[&[], &["one"], &[], &[], &[], &[], &["two"]],
    );
    let (heard, details) = follow(&stage, 3).await;
    assert_eq!(heard, ["old", "one", "two"]);
    assert_eq!(details.len(), 4, "{details:?}");
}

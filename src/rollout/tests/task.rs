use std::sync::atomic::AtomicBool;

use serde_json::{Value, json};

use super::Stage;
use crate::config::{self, Config};
use crate::rollout::{End, News, Order, StoppedFor, follow_task, run_task};
use crate::sandbox::{Script, Service, TaskScript};

const CONFIG: &str = r#"
[project]
name = "back.end"
account_id = "633607774026"
region = "us-east-2"
tags = { team = "platform" }

[repository.back-end]
"#;

fn config() -> Config {
    config::parse("infra.toml", CONFIG, &mut |path| {
        std::fs::read_to_string(path)
    })
    .unwrap()
}

fn order(command: &str) -> Order {
    Order {
        revision: "web:1".to_owned(),
        container: None,
        command: command.split(' ').map(str::to_owned).collect(),
    }
}

async fn run(stage: &Stage, command: &str, stop: &AtomicBool) -> (End, Vec<String>) {
    let config = config();
    let live = live(stage);
    let ran = run_task(&stage.aws, &config, "web", &live, &order(command))
        .await
        .unwrap();
    let mut heard = Vec::new();
    let mut tell = |news: News<'_>| {
        heard.push(match news {
            News::State(text) | News::Line(text) | News::Note(text) => text.to_owned(),
        });
        Ok(())
    };
    let end = follow_task(&stage.aws, &ran, None, stop, &mut tell)
        .await
        .unwrap();
    (end, heard)
}

fn live(stage: &Stage) -> Value {
    let answer = stage.ask(
        "DescribeServices",
        json!({"cluster": "c", "services": ["web"]}),
    );
    answer["services"][0].clone()
}

#[tokio::test]
async fn a_task_is_like_the_services_own() {
    let stage = Stage::set(json!({"enable": false, "rollback": false})).await;
    let _ = stage.sandbox.take_trace();
    let (end, heard) = run(&stage, "migrate --all", &AtomicBool::new(false)).await;
    assert_eq!((end.exit, end.stopped_for), (Some(0), None));
    assert_eq!(heard, ["PROVISIONING", "PENDING", "RUNNING", "STOPPED"]);
    let trace = stage.sandbox.take_trace();
    let asked = trace
        .iter()
        .find(|entry| entry.operation == "RunTask")
        .unwrap();
    let asked = &asked.parameters;
    assert_eq!(asked["launchType"], "FARGATE");
    assert_eq!(asked["taskDefinition"], "web:1");
    assert_eq!(asked["startedBy"], "provision/back-end");
    let network = &asked["networkConfiguration"]["awsvpcConfiguration"];
    assert_eq!(network["subnets"], json!(["subnet-0a"]));
    assert_eq!(
        asked["overrides"]["containerOverrides"],
        json!([{"name": "web", "command": ["migrate", "--all"]}])
    );
    let tags = asked["tags"].as_array().unwrap();
    assert!(tags.contains(&json!({"key": "provision:owner", "value": "back.end@us-east-2"})));
    assert!(tags.contains(&json!({"key": "team", "value": "platform"})));
    assert!(!asked["clientToken"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn who_asks_for_the_end_stops_the_task() {
    let stage = Stage::set(json!({"enable": false, "rollback": false})).await;
    let script = TaskScript {
        seconds: 3600,
        ..TaskScript::default()
    };
    stage.sandbox.play(Script {
        task: vec![script],
        ..Script::default()
    });
    let (end, _) = run(&stage, "work", &AtomicBool::new(true)).await;
    assert_eq!(end.stopped_for, Some(StoppedFor::Asked));
    assert!(end.reason.contains("interrupted"), "{}", end.reason);
    assert!(end.took.as_secs() < 60, "{end:?}");
}

#[tokio::test]
async fn each_run_is_a_task_of_its_own() {
    let stage = Stage::set(json!({"enable": false, "rollback": false})).await;
    let (config, live) = (config(), live(&stage));
    let mut ids = std::collections::BTreeSet::new();
    for _ in 0..2 {
        let ran = run_task(&stage.aws, &config, "web", &live, &order("x"))
            .await
            .unwrap();
        ids.insert(ran.id);
    }
    assert_eq!(ids.len(), 2);
}

#[tokio::test]
async fn of_several_containers_one_has_to_be_named() {
    let stage = Stage::set(json!({"enable": false, "rollback": false})).await;
    let container = |name: &str| json!({"name": name, "image": "public/web:1", "memory": 128});
    stage.ask(
        "RegisterTaskDefinition",
        json!({"family": "two", "containerDefinitions": [container("one"), container("two")]}),
    );
    let mut order = order("x");
    order.revision = "two:1".to_owned();
    let (config, live) = (config(), live(&stage));
    let error = run_task(&stage.aws, &config, "web", &live, &order)
        .await
        .unwrap_err();
    assert!(error.hint.unwrap().contains("--container: one, two"));
    order.container = Some("two".to_owned());
    let ran = run_task(&stage.aws, &config, "web", &live, &order)
        .await
        .unwrap();
    assert_eq!(ran.container, "two");
    let listed = stage.sandbox.ask(
        Service::Ecs,
        "ListTasks",
        json!({"cluster": "c", "family": "two"}),
    );
    assert_eq!(listed.unwrap()["taskArns"].as_array().unwrap().len(), 1);
}

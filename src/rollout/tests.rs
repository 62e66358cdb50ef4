//! Every ending of a rollout against the sandbox, with each kind of evidence.

mod tail;
mod task;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use serde_json::{Value, json};

use super::standing::Watched;
use super::watch::watch;
use super::{Ending, Evidence, Outcome, Told, follow};
use crate::aws::{Aws, Connection};
use crate::clock::VirtualClock;
use crate::error::ErrorKind;
use crate::kind::RolloutHandle;
use crate::sandbox::{Behaviour, Cause, Fault, FaultKind, Sandbox, Script, Service, Times};

const TIMEOUT: Duration = Duration::from_mins(15);

struct Stage {
    sandbox: Sandbox,
    clock: Arc<VirtualClock>,
    aws: Aws,
    /// Whether what it registers writes to a log group.
    logs: bool,
}

impl Stage {
    /// A service of two tasks that runs its first revision.
    async fn set(breaker: Value) -> Self {
        let clock = Arc::new(VirtualClock::default());
        let region = "us-east-2";
        let sandbox = Sandbox::in_memory("633607774026", region, clock.clone());
        let mut connection = Connection::new(region, "us-east-1");
        connection.http_client = Some(SharedHttpClient::new(sandbox.clone()));
        let account = "633607774026".to_owned();
        let time = clock.clone();
        let aws = Aws::connect(&connection, account, "aws".to_owned(), time, 16).await;
        let stage = Self {
            sandbox,
            clock,
            aws,
            logs: false,
        };
        stage.ask("CreateCluster", json!({"clusterName": "c"}));
        let first = stage.register("1");
        stage.ask(
            "CreateService",
            json!({
                "cluster": "c", "serviceName": "web", "taskDefinition": first, "desiredCount": 2,
                "launchType": "FARGATE", "clientToken": "t",
                "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-0a"]}},
                "deploymentConfiguration": {"deploymentCircuitBreaker": breaker},
            }),
        );
        stage.clock.advance(Duration::from_mins(10));
        stage
    }

    fn ask(&self, operation: &str, input: Value) -> Value {
        self.sandbox.ask(Service::Ecs, operation, input).unwrap()
    }

    /// From here on what it registers writes to `/ecs/web`.
    fn log(&mut self) {
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            }],
        });
        let role = json!({
            "RoleName": "execution", "AssumeRolePolicyDocument": trust.to_string(),
        });
        let made = self.sandbox.ask(Service::Iam, "CreateRole", role);
        made.unwrap();
        self.logs = true;
    }

    fn register(&self, tag: &str) -> Value {
        let mut definition = json!({
            "family": "web", "cpu": "256", "memory": "512", "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "containerDefinitions": [{"name": "web", "image": format!("public/web:{tag}")}],
        });
        if self.logs {
            definition["executionRoleArn"] = json!("arn:aws:iam::633607774026:role/execution");
            definition["containerDefinitions"][0]["logConfiguration"] = json!({
                "logDriver": "awslogs",
                "options": {"awslogs-group": "/ecs/web", "awslogs-stream-prefix": "ecs"},
            });
        }
        let answer = self.ask("RegisterTaskDefinition", definition);
        answer["taskDefinition"]["taskDefinitionArn"].clone()
    }

    /// Sends a new revision; the handle of its rollout.
    fn deploy(&self, script: Script) -> RolloutHandle {
        self.sandbox.play(script);
        let arn = self.register("2");
        let update = json!({"cluster": "c", "service": "web", "taskDefinition": arn});
        let answer = self.ask("UpdateService", update);
        let deployments = answer["service"]["deployments"].as_array().unwrap();
        let primary = deployments.iter().find(|one| one["status"] == "PRIMARY");
        RolloutHandle {
            cluster: "c".to_owned(),
            service: "web".to_owned(),
            deployment: primary.unwrap()["id"].as_str().map(str::to_owned),
            task_definition: arn.as_str().unwrap().to_owned(),
            digest: None,
            desired_count: 2,
        }
    }

    async fn watch(&self, handle: &RolloutHandle) -> Outcome {
        let watched = Watched::new(handle);
        watch(&self.aws, watched, TIMEOUT, &|_| {}).await.unwrap()
    }
}

fn breaker(rollback: bool) -> Value {
    json!({"enable": true, "rollback": rollback})
}

/// An endpoint without service deployments.
fn without_service_deployments(behaviour: Behaviour) -> Script {
    let mut script = Script::rollouts(behaviour);
    script.fault = ["ecs:ListServiceDeployments", "ecs:DescribeServiceRevisions"]
        .map(|operation| Fault::on(operation, FaultKind::UnknownOperation).times(Times::FOREVER))
        .to_vec();
    script
}

#[tokio::test]
async fn each_ending_is_told_apart() {
    for (behaviour, rollback, ending) in [
        (Behaviour::Quick, true, Ending::Succeeded),
        (Behaviour::Slow, true, Ending::Succeeded),
        (
            Behaviour::Fails(Cause::OutOfMemory),
            true,
            Ending::RolledBack,
        ),
        (Behaviour::BreakerRollback, true, Ending::RolledBack),
        (Behaviour::Breaker, false, Ending::Failed),
        (Behaviour::Stuck, true, Ending::TimedOut),
        (Behaviour::Another, true, Ending::Superseded),
        (Behaviour::Alarm, true, Ending::Failed),
        (Behaviour::HookFails, true, Ending::RolledBack),
        (Behaviour::Autoscaled(3), true, Ending::Succeeded),
        (Behaviour::Autoscaled(0), true, Ending::ScaledToZero),
    ] {
        let stage = Stage::set(breaker(rollback)).await;
        let handle = stage.deploy(Script::rollouts(behaviour.clone()));
        let outcome = stage.watch(&handle).await;
        assert_eq!(outcome.ending, ending, "{behaviour:?}: {outcome:?}");
        assert_eq!(
            outcome.evidence,
            Evidence::ServiceDeployment,
            "{behaviour:?}"
        );

        let stage = Stage::set(breaker(rollback)).await;
        let handle = stage.deploy(without_service_deployments(behaviour.clone()));
        let outcome = stage.watch(&handle).await;
        assert_eq!(outcome.ending, ending, "{behaviour:?}: {outcome:?}");
        assert_eq!(outcome.evidence, Evidence::Deployment, "{behaviour:?}");
    }
    // Only the service deployment tells these apart.
    for (behaviour, ending) in [
        (Behaviour::RollbackFails, Ending::RollbackFailed),
        (Behaviour::Aborted, Ending::Stopped),
    ] {
        let stage = Stage::set(breaker(true)).await;
        let handle = stage.deploy(Script::rollouts(behaviour.clone()));
        let outcome = stage.watch(&handle).await;
        assert_eq!(outcome.ending, ending, "{behaviour:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn success_that_is_being_replaced_is_no_success() {
    let stage = Stage::set(breaker(true)).await;
    let handle = stage.deploy(Script::default());
    stage.clock.advance(Duration::from_mins(1));
    stage.sandbox.play(Script::rollouts(Behaviour::Stuck));
    let other = stage.register("3");
    let update = json!({"cluster": "c", "service": "web", "taskDefinition": other});
    stage.ask("UpdateService", update);
    let outcome = stage.watch(&handle).await;
    assert_eq!(outcome.ending, Ending::Superseded, "{outcome:?}");
}

#[tokio::test]
async fn the_tasks_of_an_earlier_try_are_no_cause() {
    let stage = Stage::set(breaker(true)).await;
    let handle = stage.deploy(Script::rollouts(Behaviour::Fails(Cause::OutOfMemory)));
    assert!(!stage.watch(&handle).await.causes.is_empty());
    stage.sandbox.play(Script::rollouts(Behaviour::Stuck));
    let update = json!({
        "cluster": "c", "service": "web", "taskDefinition": handle.task_definition,
    });
    let answer = stage.ask("UpdateService", update);
    let deployments = answer["service"]["deployments"].as_array().unwrap();
    let primary = deployments.iter().find(|one| one["status"] == "PRIMARY");
    let again = RolloutHandle {
        deployment: primary.unwrap()["id"].as_str().map(str::to_owned),
        ..handle
    };
    let outcome = stage.watch(&again).await;
    assert_eq!(outcome.ending, Ending::TimedOut);
    let events = outcome
        .causes
        .iter()
        .all(|cause| cause.starts_with("event: "));
    assert!(events, "{outcome:?}");
    assert!(
        outcome.causes[0].contains("unable to place a task"),
        "{outcome:?}"
    );
    assert_eq!((outcome.running, outcome.desired), (0, 2));
}

#[tokio::test]
async fn the_last_lines_of_failed_tasks_are_told_without_credentials() {
    let mut stage = Stage::set(breaker(true)).await;
    stage.log();
    let ask = |operation: &str, input: Value| {
        stage.sandbox.ask(Service::Logs, operation, input).unwrap();
    };
    ask("CreateLogGroup", json!({"logGroupName": "/ecs/web"}));
    let handle = stage.deploy(Script::rollouts(Behaviour::Fails(Cause::Exit)));
    stage.watch(&handle).await;
    let list = stage.ask(
        "ListTasks",
        json!({"cluster": "c", "serviceName": "web", "desiredStatus": "STOPPED"}),
    );
    let described = stage.ask(
        "DescribeTasks",
        json!({"cluster": "c", "tasks": list["taskArns"]}),
    );
    let tasks = described["tasks"].as_array().unwrap();
    let failed = |task: &&Value| task["taskDefinitionArn"] == handle.task_definition.as_str();
    for task in tasks.iter().filter(failed) {
        let id = task["taskArn"]
            .as_str()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap();
        let stream = format!("ecs/web/{id}");
        ask(
            "PutLogEvents",
            json!({
                "logGroupName": "/ecs/web", "logStreamName": stream,
                "logEvents": [{
                    "timestamp": 1_793_491_200_000_u64,
                    "message": "cannot connect as DB_PASSWORD=canary-hunter2 says ##[error]x",
                }],
            }),
        );
    }
    let outcome = stage.watch(&handle).await;
    let causes = outcome.causes.join("\n");
    assert!(
        causes.contains("tasks stopped: Essential container"),
        "{causes}"
    );
    assert!(causes.contains("last lines of ecs/web/"), "{causes}");
    assert!(
        causes.contains("| fatal: the application exits"),
        "{causes}"
    );
    assert!(causes.contains("DB_PASSWORD=(hidden)"), "{causes}");
    assert!(
        !causes.contains("canary") && !causes.contains("##["),
        "{causes}"
    );
}

#[tokio::test]
async fn tasks_that_come_and_go_without_end_are_no_success() {
    let stage = Stage::set(json!({"enable": false, "rollback": false})).await;
    let handle = stage.deploy(Script::rollouts(Behaviour::Flapping));
    let outcome = stage.watch(&handle).await;
    assert_eq!(outcome.ending, Ending::TimedOut, "{outcome:?}");
    assert!(outcome.took >= TIMEOUT && outcome.took < TIMEOUT * 2);
}

#[tokio::test]
async fn a_pause_is_said_and_not_waited_out() {
    let stage = Stage::set(breaker(true)).await;
    let handle = stage.deploy(Script::rollouts(Behaviour::Pause));
    let outcome = stage.watch(&handle).await;
    assert_eq!(outcome.ending, Ending::Paused, "{outcome:?}");
    assert!(outcome.took < Duration::from_mins(5));
    let error = outcome.error("web").unwrap();
    assert!(error.hint.unwrap().contains("provision continue"));
}

#[tokio::test]
async fn a_hook_that_fails_is_exit_4_and_named_with_its_stage() {
    let stage = Stage::set(breaker(true)).await;
    let function = "arn:aws:lambda:us-east-2:633607774026:function:smoke";
    let hooks = json!([{
        "targetType": "AWS_LAMBDA", "hookTargetArn": function,
        "roleArn": "arn:aws:iam::633607774026:role/hooks",
        "lifecycleStages": ["PRE_SCALE_UP"],
    }]);
    stage.ask(
        "UpdateService",
        json!({
            "cluster": "c", "service": "web",
            "deploymentConfiguration": {"lifecycleHooks": hooks},
        }),
    );
    let handle = stage.deploy(Script::rollouts(Behaviour::HookFails));
    let outcome = stage.watch(&handle).await;
    assert_eq!(outcome.ending, Ending::RolledBack, "{outcome:?}");
    let error = outcome.error("web").unwrap();
    assert_eq!(error.kind, ErrorKind::Rollout);
    for words in ["PRE_SCALE_UP", function, "FAILED"] {
        assert!(error.message.contains(words), "{}", error.message);
    }
    assert!(
        !error.message.contains("tasks failed to start"),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn a_failure_is_exit_4_and_names_the_cause() {
    let stage = Stage::set(breaker(true)).await;
    let handle = stage.deploy(Script::rollouts(Behaviour::Fails(Cause::OutOfMemory)));
    let error = follow(&stage.aws, &handle, TIMEOUT, &|_| {})
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rollout);
    assert!(error.message.contains("rolled back"), "{}", error.message);
    assert!(error.message.contains("OutOfMemory"), "{}", error.message);
    assert!(error.message.contains("tasks stopped"), "{}", error.message);
}

#[tokio::test]
async fn somebody_who_stops_it_is_told_from_a_failure() {
    let stage = Stage::set(breaker(true)).await;
    let handle = stage.deploy(Script::rollouts(Behaviour::Slow));
    let list = stage.ask(
        "ListServiceDeployments",
        json!({"cluster": "c", "service": "web"}),
    );
    let deployments = list["serviceDeployments"].as_array().unwrap();
    let under_way = deployments
        .iter()
        .find(|one| one["status"] == "IN_PROGRESS" || one["status"] == "PENDING")
        .unwrap();
    let stop = json!({
        "serviceDeploymentArn": under_way["serviceDeploymentArn"], "stopType": "ABORT",
    });
    stage.ask("StopServiceDeployment", stop);
    let outcome = stage.watch(&handle).await;
    assert_eq!(outcome.ending, Ending::Stopped, "{outcome:?}");
}

#[tokio::test]
async fn an_older_success_of_the_same_revision_is_not_taken_for_ours() {
    let stage = Stage::set(breaker(true)).await;
    let first = stage.deploy(Script::default());
    assert_eq!(stage.watch(&first).await.ending, Ending::Succeeded);
    stage.clock.advance(Duration::from_hours(1));
    stage.sandbox.play(Script::rollouts(Behaviour::Stuck));
    let update = json!({
        "cluster": "c", "service": "web", "taskDefinition": first.task_definition,
        "forceNewDeployment": true,
    });
    let answer = stage.ask("UpdateService", update);
    let deployments = answer["service"]["deployments"].as_array().unwrap();
    let primary = deployments
        .iter()
        .find(|one| one["status"] == "PRIMARY")
        .unwrap();
    let handle = RolloutHandle {
        deployment: primary["id"].as_str().map(str::to_owned),
        ..first
    };
    assert_eq!(stage.watch(&handle).await.ending, Ending::TimedOut);
}

#[tokio::test]
async fn polls_are_five_seconds_apart_and_progress_is_said_once() {
    let stage = Stage::set(breaker(true)).await;
    let handle = stage.deploy(Script::rollouts(Behaviour::Slow));
    let _ = stage.sandbox.take_trace();
    let said = Mutex::new(Vec::new());
    let tell = |told: Told<'_>| {
        if let Told::Progress(progress) = told {
            said.lock().unwrap().push(progress.to_string());
        }
    };
    let watched = Watched::new(&handle);
    watch(&stage.aws, watched, TIMEOUT, &tell).await.unwrap();
    let said = said.into_inner().unwrap();
    assert!(
        said.windows(2).all(|pair| pair[0] != pair[1]) && !said.is_empty(),
        "{said:?}"
    );
    let trace = stage.sandbox.take_trace();
    let polls: Vec<f64> = trace
        .iter()
        .filter(|entry| entry.operation == "DescribeServices")
        .map(|entry| entry.at)
        .collect();
    assert!(polls.len() > 3);
    assert!(
        polls.windows(2).all(|pair| pair[1] - pair[0] >= 4.999),
        "{polls:?}"
    );
}

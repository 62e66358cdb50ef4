//! Services against the sandbox: made, changed, replaced, taken over, deleted, and all of that twice.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use serde_json::{Value, json};

use super::super::{Service as Kind, calls::Call, spec::Spec};
use super::{KEY, declared, seed_with};
use crate::aws::{Aws, Connection};
use crate::clock::VirtualClock;
use crate::config::Config;
use crate::kind::{Kind as _, Performed, Scope};
use crate::rollout;
use crate::sandbox::{Fault, FaultKind, Sandbox, Script, Service};

struct Stage {
    sandbox: Sandbox,
    aws: Aws,
}

impl Stage {
    /// An account with all that the seed's service needs but an image.
    async fn set() -> Self {
        let clock = Arc::new(VirtualClock::default());
        let region = "us-east-2";
        let sandbox = Sandbox::in_memory("633607774026", region, clock.clone());
        let mut connection = Connection::new(region, "us-east-1");
        connection.http_client = Some(SharedHttpClient::new(sandbox.clone()));
        let account = "633607774026".to_owned();
        let aws = Aws::connect(&connection, account, "aws".to_owned(), clock, 16);
        let stage = Self {
            sandbox,
            aws: aws.await,
        };
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        }]});
        stage.ask(
            Service::Iam,
            "CreateRole",
            json!({
                "RoleName": "ecsTaskExecutionRole", "AssumeRolePolicyDocument": trust.to_string(),
            }),
        );
        stage.ask(
            Service::Ecs,
            "CreateCluster",
            json!({"clusterName": "operationcode"}),
        );
        stage.ask(
            Service::Ecr,
            "CreateRepository",
            json!({"repositoryName": "back-end"}),
        );
        let group = json!({"logGroupName": "/ecs/back-end-staging"});
        stage.ask(Service::Logs, "CreateLogGroup", group);
        let secret = json!({
            "Name": "back-end/staging/jwt", "SecretString": "x",
            "ClientRequestToken": "0123456789abcdef0123456789abcdef",
        });
        stage.ask(Service::SecretsManager, "CreateSecret", secret);
        stage
    }

    fn ask(&self, service: Service, operation: &str, input: Value) -> Value {
        self.sandbox.ask(service, operation, input).unwrap()
    }

    /// Pushes an image; gives its digest.
    fn push(&self, tag: &str, content: &str) -> String {
        let manifest = json!({"schemaVersion": 2, "content": content}).to_string();
        let answer = self.ask(
            Service::Ecr,
            "PutImage",
            json!({
                "repositoryName": "back-end", "imageTag": tag, "imageManifest": manifest,
            }),
        );
        answer["image"]["imageId"]["imageDigest"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn observe(&self, config: &Config) -> Option<Spec> {
        self.aws.new_look();
        let scope = Scope::everything(Arc::new(config.clone()));
        let mut live = Kind.observe(&self.aws, &scope).await.unwrap();
        live.remove(KEY)
    }

    async fn perform(&self, config: &Config, call: &Call) -> Performed {
        let scope = Scope::everything(Arc::new(config.clone()));
        Kind.perform(&self.aws, &scope, KEY, call).await.unwrap()
    }

    /// Plans and does it, each call twice where `twice`; the world is then as the effects say, and
    /// nothing is left to do. Gives what the calls left.
    async fn apply(&self, config: &Config, goal: Option<Spec>, twice: bool) -> Vec<Performed> {
        let before = self.observe(config).await;
        let goal = goal.map(|goal| Kind.keep(goal, before.as_ref()));
        let mut performed = Vec::new();
        for call in Kind.calls(KEY, before.as_ref(), goal.as_ref()) {
            performed.push(self.perform(config, &call).await);
            if twice {
                self.perform(config, &call).await;
            }
        }
        let live = self.observe(config).await;
        assert_eq!(live, goal);
        performed
    }

    /// How often an operation was carried out since the last time.
    fn count(&self, operation: &str) -> usize {
        let trace = self.sandbox.take_trace();
        trace
            .iter()
            .filter(|entry| entry.operation == operation && entry.wrote)
            .count()
    }

    fn revisions(&self) -> usize {
        let request = json!({"familyPrefix": KEY, "status": "ACTIVE"});
        let answer = self.ask(Service::Ecs, "ListTaskDefinitions", request);
        answer["taskDefinitionArns"].as_array().unwrap().len()
    }

    fn image(&self) -> String {
        let request = json!({"cluster": "operationcode", "services": [KEY]});
        let answer = self.ask(Service::Ecs, "DescribeServices", request);
        let arn = answer["services"][0]["taskDefinition"].clone();
        let request = json!({"taskDefinition": arn});
        let answer = self.ask(Service::Ecs, "DescribeTaskDefinition", request);
        let image = &answer["taskDefinition"]["containerDefinitions"][0]["image"];
        image.as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_service_without_an_image_is_made_and_not_waited_for() {
    let (stage, config) = (Stage::set().await, seed_with(&[]));
    let performed = stage.apply(&config, Some(declared(&config)), false).await;
    assert_eq!(
        performed[0].notes,
        ["no image yet: push, then provision deploy staging"]
    );
    assert_eq!(performed[0].rollout, None);
    assert!(stage.image().ends_with("/back-end:staging"));
}

#[tokio::test]
async fn a_rollout_of_the_tag_s_digest_is_followed_to_its_end() {
    let (stage, config) = (Stage::set().await, seed_with(&[]));
    let digest = stage.push("staging", "one");
    let performed = stage.apply(&config, Some(declared(&config)), false).await;
    let handle = performed[0].rollout.as_ref().unwrap();
    assert_eq!(handle.digest.as_ref(), Some(&digest));
    assert!(stage.image().ends_with(&format!("/back-end@{digest}")));
    let timeout = Duration::from_mins(15);
    let outcome = rollout::follow(&stage.aws, handle, timeout, &|_| {})
        .await
        .unwrap();
    assert_eq!(outcome.ending, rollout::Ending::Succeeded);
    assert_eq!(outcome.evidence, rollout::Evidence::ServiceDeployment);
}

#[tokio::test]
async fn an_update_keeps_the_image_that_runs() {
    let (stage, config) = (Stage::set().await, seed_with(&[]));
    let digest = stage.push("staging", "one");
    stage.apply(&config, Some(declared(&config)), false).await;
    stage.push("staging", "two");
    let config = seed_with(&[("DEBUG = \"0\"", "DEBUG = \"1\""), ("= 1\n", "= 2\n")]);
    let _ = stage.sandbox.take_trace();
    stage.apply(&config, Some(declared(&config)), false).await;
    assert!(stage.image().ends_with(&digest));
    assert_eq!(stage.count("UpdateService"), 1);
    assert_eq!(stage.revisions(), 2);
}

#[tokio::test]
async fn a_revision_of_equal_content_is_taken_again() {
    let (stage, first) = (Stage::set().await, seed_with(&[]));
    let second = seed_with(&[("DEBUG = \"0\"", "DEBUG = \"1\"")]);
    for config in [&first, &second, &first, &second] {
        stage.apply(config, Some(declared(config)), false).await;
    }
    assert_eq!(stage.revisions(), 2);
}

#[tokio::test]
async fn every_call_twice_is_the_same_as_once() {
    let stage = Stage::set().await;
    stage.push("staging", "one");
    let fargate = seed_with(&[]);
    let changed = seed_with(&[
        ("team = \"platform\"", "group = \"platform\""),
        ("DEBUG = \"0\"", "DEBUG = \"1\""),
    ]);
    let on_instances = seed_with(&[
        ("launch_type = \"FARGATE\"", "launch_type = \"EC2\""),
        ("cpu = 256", "cpu = 256\nnetwork_mode = \"awsvpc\""),
    ]);
    for config in [&fargate, &changed, &on_instances, &fargate] {
        stage.apply(config, Some(declared(config)), true).await;
    }
    assert_eq!(stage.revisions(), 3);
    stage.apply(&fargate, None, true).await;
    assert_eq!(stage.revisions(), 0);
}

#[tokio::test]
async fn a_service_is_made_again_while_the_old_one_still_drains() {
    let (stage, config) = (Stage::set().await, seed_with(&[]));
    stage.push("staging", "one");
    stage.apply(&config, Some(declared(&config)), false).await;
    let delete = json!({"cluster": "operationcode", "service": KEY, "force": true});
    stage.ask(Service::Ecs, "DeleteService", delete);
    assert_eq!(stage.observe(&config).await, None);
    stage.apply(&config, Some(declared(&config)), false).await;
}

#[tokio::test]
async fn a_service_made_by_hand_is_taken_over_by_its_mark_alone() {
    let (stage, config) = (Stage::set().await, seed_with(&[]));
    stage.apply(&config, Some(declared(&config)), false).await;
    let arn = config.arn("service", KEY).unwrap();
    let untag = json!({"resourceArn": arn, "tagKeys": ["provision:owner"]});
    stage.ask(Service::Ecs, "UntagResource", untag);
    assert_eq!(stage.observe(&config).await.unwrap().owner, None);
    let _ = stage.sandbox.take_trace();
    stage.apply(&config, Some(declared(&config)), false).await;
    let trace = stage.sandbox.take_trace();
    let writes: Vec<_> = trace.iter().filter(|entry| entry.wrote).collect();
    assert_eq!(writes.len(), 1, "{writes:?}");
}

#[tokio::test]
async fn what_is_ours_and_no_longer_declared_is_observed() {
    let (stage, config) = (Stage::set().await, seed_with(&[]));
    stage.apply(&config, Some(declared(&config)), false).await;
    let mut without = config.clone();
    without.services.clear();
    let scope = Scope::everything(Arc::new(without));
    for faults in [
        vec![],
        vec![Fault::on("tagging:*", FaultKind::UnknownOperation)],
    ] {
        stage.sandbox.play(Script::of(faults));
        stage.aws.new_look();
        let live = Kind.observe(&stage.aws, &scope).await.unwrap();
        let names: Vec<&String> = live.keys().collect();
        assert_eq!(names, ["operationcode/back-end-staging"]);
    }
}

#[tokio::test]
async fn lost_replies_leave_neither_two_revisions_nor_two_services() {
    let config = seed_with(&[]);
    for operation in [
        "ecs:RegisterTaskDefinition",
        "ecs:CreateService",
        "ecs:UpdateService",
    ] {
        for kind in [
            FaultKind::LostReply,
            FaultKind::LostRequest,
            FaultKind::ResetAfter,
            FaultKind::UnavailableAfter,
            FaultKind::TruncatedBody,
            FaultKind::Throttled,
        ] {
            let stage = Stage::set().await;
            stage.push("staging", "one");
            stage
                .sandbox
                .play(Script::of(vec![Fault::on(operation, kind)]));
            stage.apply(&config, Some(declared(&config)), false).await;
            assert_eq!(stage.revisions(), 1, "{operation} {kind:?}");
            let changed = seed_with(&[("DEBUG = \"0\"", "DEBUG = \"1\"")]);
            stage.apply(&changed, Some(declared(&changed)), false).await;
            assert_eq!(stage.revisions(), 2, "{operation} {kind:?}");
        }
    }
}

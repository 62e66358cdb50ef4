//! The regional kinds against the sandbox: what is performed is observed, and what is not ours stays.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use serde_json::{Value, json};

use super::*;
use crate::aws::Connection;
use crate::clock::VirtualClock;
use crate::config;
use crate::kind::{Address, AnyKind, Snapshot};
use crate::kinds::{cluster::Cluster, log_group::LogGroup, repository::Repository, secret::Secret};
use crate::sandbox::{Sandbox, Service};

const KINDS: &[&dyn AnyKind] = &[&Repository, &LogGroup, &Secret, &Cluster];
const ACCOUNT: &str = "633607774026";
const REGION: &str = "us-east-2";

const PROJECT: &str = r#"
[project]
name = "back-end"
account_id = "633607774026"
region = "us-east-2"
tags = { team = "platform" }
"#;

const RESOURCES: &str = r#"
[repository.back-end]
image_tag_mutability = "IMMUTABLE_WITH_EXCLUSION"
mutability_exclusions = ["staging", "prod"]
lifecycle_policy = "lifecycle.json"
policy = "repository.json"

[log_group."/ecs/back-end"]
retention_in_days = 30

[secret."back-end/jwt"]
description = "Signs tokens"
generate = { bytes = 64, encoding = "base64" }

[cluster.operationcode]
container_insights = "enabled"
"#;

const LIFECYCLE: &str = r#"{ "rules": [ { "rulePriority": 1, "description": "keep ten",
  "selection": { "tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10 },
  "action": { "type": "expire" } } ] }"#;

const POLICY: &str = r#"{ "Version": "2012-10-17", "Statement": [ { "Sid": "Pull",
  "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:root" },
  "Action": "ecr:BatchGetImage" } ] }"#;

struct World {
    sandbox: Sandbox,
    aws: Aws,
}

impl World {
    async fn new() -> Self {
        let clock = Arc::new(VirtualClock::default());
        let sandbox = Sandbox::in_memory(ACCOUNT, REGION, clock.clone());
        let mut connection = Connection::new(REGION, "us-east-1");
        connection.http_client = Some(SharedHttpClient::new(sandbox.clone()));
        let time = clock;
        let aws = Aws::connect(&connection, ACCOUNT.into(), "aws".into(), time, 16).await;
        Self { sandbox, aws }
    }

    fn ask(&self, service: Service, operation: &str, input: Value) -> Value {
        match self.sandbox.ask(service, operation, input) {
            Ok(answer) => answer,
            Err(error) => panic!("{operation}: {error:?}"),
        }
    }

    async fn live(&self, scope: &Scope) -> Snapshot {
        self.aws.new_look();
        Snapshot::observe(KINDS, &self.aws, scope).await.unwrap()
    }

    /// Leads every resource from what is there to what is desired; gives the writes sent.
    async fn apply(&self, scope: &Scope, desired: &Snapshot) -> u64 {
        let before = self.aws.ledger().writes;
        let live = self.live(scope).await;
        let addresses: BTreeSet<Address> = live
            .addresses()
            .chain(desired.addresses())
            .cloned()
            .collect();
        for address in &addresses {
            let kind = KINDS.iter().find(|kind| kind.name() == address.kind);
            let kind = kind.unwrap();
            let goal = desired
                .get(address)
                .map(|spec| kind.keep(spec, live.get(address)));
            for call in kind.calls(&address.name, live.get(address), goal.as_ref()) {
                let performed = kind.perform(&self.aws, scope, &address.name, &call);
                performed.await.unwrap();
            }
        }
        self.aws.ledger().writes - before
    }
}

fn scope(resources: &str) -> Scope {
    let text = format!("{PROJECT}{resources}");
    let mut files = |path: &std::path::Path| match path.file_name().and_then(|name| name.to_str()) {
        Some("lifecycle.json") => Ok(LIFECYCLE.to_owned()),
        _ => Ok(POLICY.to_owned()),
    };
    match config::parse("infra.toml", &text, &mut files) {
        Ok(config) => Scope::everything(Arc::new(config)),
        Err(diagnostics) => panic!("{}", diagnostics[0].render(false)),
    }
}

fn is_kept(live: &Snapshot, desired: &Snapshot) -> bool {
    KINDS.iter().all(|kind| {
        desired
            .iter()
            .filter(|(address, _)| address.kind == kind.name())
            .all(|(address, spec)| {
                let found = live.get(address);
                found == Some(&kind.keep(spec, found))
            })
    })
}

#[tokio::test]
async fn what_is_made_is_observed_and_made_once() {
    let (world, scope) = (World::new().await, scope(RESOURCES));
    let desired = Snapshot::declare(KINDS, &scope);
    assert!(world.live(&scope).await.is_empty());
    assert_eq!(world.apply(&scope, &desired).await, 7);
    let live = world.live(&scope).await;
    assert_eq!(live.len(), desired.len());
    assert!(is_kept(&live, &desired));
    assert_eq!(world.apply(&scope, &desired).await, 0);
}

#[tokio::test]
async fn a_plan_of_nothing_costs_the_floor() {
    let (world, scope) = (World::new().await, scope(RESOURCES));
    world.apply(&scope, &Snapshot::declare(KINDS, &scope)).await;
    let before = world.aws.ledger();
    world.live(&scope).await;
    let after = world.aws.ledger();
    let new: Vec<&String> = after
        .operations
        .iter()
        .filter(|(name, count)| before.operations.get(*name) != Some(*count))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        new,
        [
            "ecr:DescribeRepositories",
            "ecr:GetLifecyclePolicy",
            "ecr:GetRepositoryPolicy",
            "ecs:DescribeClusters",
            "logs:DescribeLogGroups",
            "secretsmanager:DescribeSecret",
            "tagging:GetResources",
        ]
    );
    assert_eq!(after.requests - before.requests, 7);
}

#[tokio::test]
async fn every_field_that_drifts_is_mended() {
    let (world, scope) = (World::new().await, scope(RESOURCES));
    let desired = Snapshot::declare(KINDS, &scope);
    world.apply(&scope, &desired).await;
    let repository = json!({"repositoryName": "back-end"});
    let group = json!({"logGroupName": "/ecs/back-end"});
    world.ask(Service::Ecr, "DeleteLifecyclePolicy", repository.clone());
    world.ask(Service::Ecr, "DeleteRepositoryPolicy", repository);
    world.ask(
        Service::Ecr,
        "PutImageTagMutability",
        json!({"repositoryName": "back-end", "imageTagMutability": "MUTABLE"}),
    );
    world.ask(Service::Logs, "DeleteRetentionPolicy", group);
    world.ask(
        Service::SecretsManager,
        "UpdateSecret",
        json!({"SecretId": "back-end/jwt", "Description": "something else"}),
    );
    world.ask(
        Service::Ecs,
        "UpdateClusterSettings",
        json!({"cluster": "operationcode", "settings": [{"name": "containerInsights", "value": "disabled"}]}),
    );
    assert!(!is_kept(&world.live(&scope).await, &desired));
    assert_eq!(world.apply(&scope, &desired).await, 6);
    assert!(is_kept(&world.live(&scope).await, &desired));
}

#[tokio::test]
async fn what_is_no_longer_declared_is_removed_and_nothing_else() {
    let world = World::new().await;
    let full = scope(RESOURCES);
    world.apply(&full, &Snapshot::declare(KINDS, &full)).await;
    world.ask(
        Service::Ecr,
        "CreateRepository",
        json!({"repositoryName": "back-end-2"}),
    );
    world.ask(
        Service::Logs,
        "CreateLogGroup",
        json!({"logGroupName": "/ecs/back-end-2", "tags": {"provision:owner": "front-end@us-east-2"}}),
    );
    let empty = scope("");
    assert_eq!(world.live(&empty).await.len(), 4);
    world.apply(&empty, &Snapshot::new()).await;
    assert!(world.live(&empty).await.is_empty());
    let left = world.ask(Service::Ecr, "DescribeRepositories", json!({}));
    assert_eq!(left["repositories"].as_array().unwrap().len(), 1);
    let left = world.ask(Service::Logs, "DescribeLogGroups", json!({}));
    assert_eq!(left["logGroups"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_secret_of_ours_comes_back_with_a_new_value() {
    let (world, scope) = (World::new().await, scope(RESOURCES));
    let desired = Snapshot::declare(KINDS, &scope);
    let value = || {
        let asked = json!({"SecretId": "back-end/jwt"});
        let answer = world.ask(Service::SecretsManager, "GetSecretValue", asked);
        answer["SecretString"].as_str().unwrap().to_owned()
    };
    world.apply(&scope, &desired).await;
    let first = value();
    assert_eq!(first.len(), 88);
    world.ask(
        Service::SecretsManager,
        "DeleteSecret",
        json!({"SecretId": "back-end/jwt"}),
    );
    assert_eq!(world.live(&scope).await.len(), 3);
    world.apply(&scope, &desired).await;
    assert!(is_kept(&world.live(&scope).await, &desired));
    assert!(value() != first);
}

#[tokio::test]
async fn anothers_secret_is_not_taken_back() {
    let (world, scope) = (World::new().await, scope(RESOURCES));
    for (operation, input) in [
        (
            "CreateSecret",
            json!({"Name": "back-end/jwt", "SecretString": "theirs"}),
        ),
        ("DeleteSecret", json!({"SecretId": "back-end/jwt"})),
    ] {
        world.ask(Service::SecretsManager, operation, input);
    }
    let desired = Snapshot::declare(KINDS, &scope);
    let address = Address::new("secret", "back-end/jwt");
    let kind: &dyn AnyKind = &Secret;
    let calls = kind.calls(&address.name, None, desired.get(&address));
    let refused = kind.perform(&world.aws, &scope, &address.name, &calls[0]);
    let error = refused.await.err().unwrap();
    assert_eq!(error.kind, crate::error::ErrorKind::Refused);
    assert!(error.hint.unwrap().contains("restore-secret"));
}

#[tokio::test]
async fn adopting_only_tags() {
    let (world, scope) = (World::new().await, scope("[log_group.\"/ecs/back-end\"]\n"));
    world.ask(
        Service::Logs,
        "CreateLogGroup",
        json!({"logGroupName": "/ecs/back-end", "tags": {"team": "platform"}}),
    );
    let desired = Snapshot::declare(KINDS, &scope);
    assert_eq!(world.apply(&scope, &desired).await, 1);
    assert!(is_kept(&world.live(&scope).await, &desired));
}

#[tokio::test]
async fn a_delete_reads_the_mark_again() {
    let world = World::new().await;
    let full = scope(RESOURCES);
    world.apply(&full, &Snapshot::declare(KINDS, &full)).await;
    let empty = scope("");
    let live = world.live(&empty).await;
    world.ask(
        Service::Logs,
        "TagLogGroup",
        json!({"logGroupName": "/ecs/back-end", "tags": {"provision:owner": "front-end@us-east-2"}}),
    );
    let address = Address::new("log_group", "/ecs/back-end");
    let kind: &dyn AnyKind = &LogGroup;
    let calls = kind.calls(&address.name, live.get(&address), None);
    let refused = kind.perform(&world.aws, &empty, &address.name, &calls[0]);
    assert!(refused.await.is_err());
    let left = world.ask(Service::Logs, "DescribeLogGroups", json!({}));
    assert_eq!(left["logGroups"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn images_are_looked_for_only_where_the_repository_is_to_go() {
    let (world, mut scope) = (World::new().await, scope(RESOURCES));
    world.apply(&scope, &Snapshot::declare(KINDS, &scope)).await;
    let asked = |world: &World| world.aws.ledger().operations.get("ecr:ListImages").copied();
    world.live(&scope).await;
    assert_eq!(asked(&world), None);
    scope.destroy = true;
    world.live(&scope).await;
    assert_eq!(asked(&world), Some(1));
}

#[test]
fn names_are_taken_from_the_arns_of_the_kind_alone() {
    let group = Arns {
        service: "logs",
        before_name: "log-group:",
        after_name: 0,
        emulated: true,
    };
    let arn = "arn:aws:logs:us-east-2:1:log-group:/ecs/web";
    assert_eq!(group.name(arn), Some("/ecs/web"));
    assert_eq!(group.name(&format!("{arn}:*")), Some("/ecs/web"));
    assert_eq!(group.name("arn:aws:ecr:us-east-2:1:repository/web"), None);
    let secret = Arns {
        service: "secretsmanager",
        before_name: "secret:",
        after_name: 7,
        emulated: true,
    };
    let arn = "arn:aws:secretsmanager:us-east-2:1:secret:web/key-a1B2c3";
    assert_eq!(secret.name(arn), Some("web/key"));
}

#[test]
fn a_key_is_the_same_by_id_and_by_arn() {
    let arn = "arn:aws:kms:us-east-2:1:key/0a".to_owned();
    let mut key = Some("0a".to_owned());
    keep_key(&mut key, Some(&arn));
    assert_eq!(key, Some(arn.clone()));
    let mut other = Some("0b".to_owned());
    keep_key(&mut other, Some(&arn));
    assert_eq!(other, Some("0b".to_owned()));
}

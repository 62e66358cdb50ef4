//! What is checked before a deployment touches anything: each thing that would make the rollout fail
//! is named, and nothing is written.

use provision::sandbox::Service;
use serde_json::{Value, json};

use super::world::World;

/// Deploys a new image after something was broken; gives what was said.
async fn refused(break_it: impl FnOnce(&World)) -> String {
    let world = World::running().await;
    world.push("staging");
    break_it(&world);
    let _ = world.sandbox.take_trace();
    let ran = world.deploy("staging").await;
    assert_eq!(ran.exit, 1, "{ran:?}");
    let trace = world.sandbox.take_trace();
    let writes: Vec<_> = trace.iter().filter(|entry| !entry.reads).collect();
    assert!(writes.is_empty(), "{writes:?}");
    ran.error.unwrap().message
}

fn ask(world: &World, service: Service, operation: &str, input: Value) {
    world.sandbox.ask(service, operation, input).unwrap();
}

#[tokio::test]
async fn a_log_group_that_is_gone_is_named() {
    let said = refused(|world| {
        let group = json!({"logGroupName": "/ecs/back-end-staging"});
        ask(world, Service::Logs, "DeleteLogGroup", group);
    })
    .await;
    assert!(
        said.contains("The log group /ecs/back-end-staging is not there."),
        "{said}"
    );
    assert!(
        said.starts_with("It would fail; nothing was touched."),
        "{said}"
    );
}

#[tokio::test]
async fn a_secret_that_is_gone_or_going_is_named() {
    let said = refused(|world| {
        let secret = json!({"SecretId": "back-end/staging/jwt-secret-key"});
        ask(world, Service::SecretsManager, "DeleteSecret", secret);
    })
    .await;
    assert!(
        said.contains("The secret back-end/staging/jwt-secret-key is not there."),
        "{said}"
    );
}

#[tokio::test]
async fn a_role_that_ecs_may_not_be_is_named() {
    let said = refused(|world| {
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": {"Service": "ec2.amazonaws.com"},
            }],
        });
        let role = json!({
            "RoleName": "ecsTaskExecutionRole", "PolicyDocument": trust.to_string(),
        });
        ask(world, Service::Iam, "UpdateAssumeRolePolicy", role);
    })
    .await;
    assert!(
        said.contains("ecs-tasks.amazonaws.com may not assume the role"),
        "{said}"
    );
}

#[tokio::test]
async fn what_the_execution_role_may_not_read_is_named() {
    let said = refused(|world| {
        let policy = json!({
            "RoleName": "ecsTaskExecutionRole", "PolicyName": "read-jwt-secret",
        });
        ask(world, Service::Iam, "DeleteRolePolicy", policy);
    })
    .await;
    assert!(
        said.contains("may not read arn:aws:secretsmanager:"),
        "{said}"
    );
    assert!(said.contains("secretsmanager:GetSecretValue"), "{said}");
}

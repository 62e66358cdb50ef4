//! Drift of services and of the task definitions that they run.

use provision::sandbox::Service;
use serde_json::{Value, json};

use crate::{Drift, drift};

type Request = (Service, &'static str, Value);

/// Stands for the ARN of a secret, which the sandbox chooses.
const SECRET: &str = "ARN OF back-end/staging/jwt-secret-key";

fn ecs(operation: &'static str, input: Value) -> Request {
    (Service::Ecs, operation, input)
}

/// A request about staging's service.
fn update(mut input: Value) -> Request {
    input["cluster"] = json!("operationcode");
    input["service"] = json!("back-end-staging");
    ecs("UpdateService", input)
}

/// A revision of staging's family as somebody else would write it: whatever AWS fills in, in full.
/// `rate` and `memory` are what may differ.
fn definition(rate: &str, memory: &str) -> Request {
    let container = json!({
        "name": "web", "cpu": 0, "essential": true,
        "image": "633607774026.dkr.ecr.us-east-2.amazonaws.com/back-end:staging",
        "portMappings": [{ "containerPort": 8000, "hostPort": 8000, "protocol": "tcp" }],
        "environment": [
            { "name": "SENTRY_TRACES_SAMPLE_RATE", "value": rate },
            { "name": "DJANGO_ENV", "value": "staging" },
        ],
        "secrets": [{ "name": "JWT_SECRET_KEY", "valueFrom": SECRET }],
        "mountPoints": [], "volumesFrom": [], "systemControls": [],
        "healthCheck": {
            "command": ["CMD-SHELL", "curl -f http://localhost:8000/healthz || exit 1"],
            "interval": 30, "timeout": 10, "retries": 3, "startPeriod": 40 },
        "logConfiguration": { "logDriver": "awslogs", "secretOptions": [], "options": {
            "awslogs-stream-prefix": "ecs", "awslogs-region": "us-east-2",
            "awslogs-group": "/ecs/back-end-staging" } },
    });
    ecs(
        "RegisterTaskDefinition",
        json!({
            "family": "back-end-staging", "cpu": ".25 vCPU", "memory": memory,
            "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
            "runtimePlatform": { "cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX" },
            "executionRoleArn": "arn:aws:iam::633607774026:role/ecsTaskExecutionRole",
            "containerDefinitions": [container], "volumes": [], "placementConstraints": [],
        }),
    )
}

/// The table's part for services.
pub(crate) fn drifts() -> Vec<Drift> {
    let mut drifts = what_starts_no_deployment();
    drifts.extend(what_starts_a_deployment());
    drifts
}

fn what_starts_no_deployment() -> Vec<Drift> {
    let arn = "arn:aws:ecs:us-east-2:633607774026:service/operationcode/back-end-staging";
    let breaker = |enable: bool| json!({ "enable": enable, "rollback": enable });
    let deployment = json!({ "deploymentConfiguration": { "maximumPercent": 150,
        "minimumHealthyPercent": 50, "deploymentCircuitBreaker": breaker(false) } });
    vec![
        drift(
            "desired count changed",
            [update(json!({ "desiredCount": 5 }))],
            &[],
            &["ecs:UpdateService"],
        ),
        drift(
            "deployment settings changed",
            [update(deployment)],
            &[],
            &["ecs:UpdateService"],
        ),
        drift(
            "exec enabled",
            [update(json!({ "enableExecuteCommand": true }))],
            &[],
            &["ecs:UpdateService"],
        ),
        drift(
            "service tag changed",
            [ecs(
                "TagResource",
                json!({ "resourceArn": arn,
                "tags": [{ "key": "team", "value": "search" }] }),
            )],
            &[],
            &["ecs:TagResource"],
        ),
    ]
}

fn what_starts_a_deployment() -> Vec<Drift> {
    let public = json!({ "networkConfiguration": { "awsvpcConfiguration": {
        "subnets": ["subnet-0f1e2d3c4b5a69788", "subnet-0a1b2c3d4e5f60718"],
        "securityGroups": ["sg-0123456789abcdef0"], "assignPublicIp": "ENABLED" } } });
    let swapped = [
        definition("1.0", "1024"),
        update(json!({ "taskDefinition": "back-end-staging:2", "desiredCount": 3 })),
    ];
    let other = json!({ "family": "somebody", "networkMode": "awsvpc", "cpu": "256",
        "memory": "512", "requiresCompatibilities": ["FARGATE"],
        "containerDefinitions": [{ "name": "miner", "image": "public.example/miner:1" }] });
    vec![
        drift(
            "public address assigned",
            [update(public)],
            &[],
            &["ecs:UpdateService"],
        ),
        drift(
            "task definition swapped, and the count",
            swapped,
            &[],
            &["ecs:UpdateService"],
        ),
        drift(
            "another family swapped in",
            [
                ecs("RegisterTaskDefinition", other),
                update(json!({ "taskDefinition": "somebody:1" })),
            ],
            &[],
            &["ecs:UpdateService"],
        ),
        drift(
            "service deleted",
            [ecs(
                "DeleteService",
                json!({ "cluster": "operationcode",
                "service": "back-end-staging", "force": true }),
            )],
            &[],
            &["ecs:CreateService"],
        ),
    ]
}

/// A revision in which AWS's defaults are written out and lists stand in another order.
pub(crate) fn same_meaning() -> Vec<Drift> {
    let swapped = [
        definition("0.2", "0.5 GB"),
        update(json!({ "taskDefinition": "back-end-staging:2" })),
    ];
    vec![drift(
        "a revision with its defaults written out",
        swapped,
        &[],
        &[],
    )]
}

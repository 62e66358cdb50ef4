//! What the tests of the service kind share: a configuration, and what ECS answers for it.

mod answers;
mod defaults;
mod plans;
mod sandbox;
mod tables;

use serde_json::{Value, json};

use super::names::Names;
use super::spec::Spec;
use crate::config::{self, Config};

/// The seed's staging service.
const SEED: &str = r#"
[project]
name = "back-end"
account_id = "633607774026"
region = "us-east-2"
tags = { team = "platform" }

[environment.staging]
vars = { image_tag = "staging" }

[environment.production]
after = "staging"
vars = { image_tag = "prod" }

[role.ecsTaskExecutionRole]
trust = { service = "ecs-tasks.amazonaws.com" }

[repository.back-end]

[log_group."/ecs/back-end-{{environment}}"]
environments = ["staging", "production"]

[secret."back-end/{{environment}}/jwt"]
environments = ["staging", "production"]

[cluster.operationcode]

[service."back-end-{{environment}}"]
environments = ["staging", "production"]
cluster = "operationcode"
desired_count = 1
launch_type = "FARGATE"
network = { subnets = ["subnet-0b", "subnet-0a"], security_groups = ["sg-0a"] }

[service."back-end-{{environment}}".task]
cpu = 256
memory = 512
architecture = "ARM64"
execution_role = "ecsTaskExecutionRole"

[service."back-end-{{environment}}".task.container.web]
image = { repository = "back-end", tag = "{{image_tag}}" }
port_mappings = [8000]
environment = { DJANGO_ENV = "{{environment}}", DEBUG = "0" }
secrets = { JWT_SECRET_KEY = "back-end/{{environment}}/jwt" }
log_group = "/ecs/back-end-{{environment}}"
health_check = { command = ["CMD-SHELL", "true"] }
"#;

const KEY: &str = "back-end-staging";

/// The seed with changed text.
fn seed_with(changes: &[(&str, &str)]) -> Config {
    let mut text = SEED.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    parse(&text)
}

fn parse(text: &str) -> Config {
    let read = &mut |path: &std::path::Path| panic!("no file is named: {}", path.display());
    match config::parse("infra.toml", text, read) {
        Ok(config) => config,
        Err(errors) => panic!("{errors:#?}"),
    }
}

fn declared(config: &Config) -> Spec {
    super::declare::declare(config).remove(KEY).unwrap()
}

/// The spec that is observed where ECS answers with these two.
fn observed(config: &Config, service: &Value, definition: &Value) -> Spec {
    let names = Names::new(config, std::collections::BTreeMap::new());
    let declared = config.services.get(KEY);
    super::answer::spec_of(service, definition, declared, &names).unwrap()
}

/// What `DescribeServices` answers for the seed's staging service, with every default filled in.
fn live_service() -> Value {
    json!({
        "serviceArn": "arn:aws:ecs:us-east-2:633607774026:service/operationcode/back-end-staging",
        "serviceName": "back-end-staging",
        "clusterArn": "arn:aws:ecs:us-east-2:633607774026:cluster/operationcode",
        "status": "ACTIVE",
        "desiredCount": 1,
        "runningCount": 1,
        "launchType": "FARGATE",
        "platformVersion": "LATEST",
        "platformFamily": "Linux",
        "taskDefinition": "arn:aws:ecs:us-east-2:633607774026:task-definition/back-end-staging:3",
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {
                "enable": false, "rollback": false, "resetOnHealthyTask": true,
                "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50},
            },
            "maximumPercent": 200,
            "minimumHealthyPercent": 100,
            "alarms": {"alarmNames": [], "enable": false, "rollback": false},
            "strategy": "ROLLING",
            "bakeTimeInMinutes": 0,
            "lifecycleHooks": [],
        },
        "deployments": [{
            "id": "ecs-svc/1", "status": "PRIMARY", "rolloutState": "COMPLETED",
            "createdAt": 1_793_491_200.5,
        }],
        "roleArn": "arn:aws:iam::633607774026:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
        "events": [],
        "loadBalancers": [],
        "serviceRegistries": [],
        "placementConstraints": [],
        "placementStrategy": [],
        "networkConfiguration": {"awsvpcConfiguration": {
            "subnets": ["subnet-0a", "subnet-0b"],
            "securityGroups": ["sg-0a"],
            "assignPublicIp": "DISABLED",
        }},
        "healthCheckGracePeriodSeconds": 0,
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "enableECSManagedTags": false,
        "propagateTags": "NONE",
        "enableExecuteCommand": false,
        "availabilityZoneRebalancing": "ENABLED",
        "tags": [
            {"key": "team", "value": "platform"},
            {"key": "provision:owner", "value": "back-end@us-east-2"},
            {"key": "aws:ecs:x", "value": "y"},
        ],
    })
}

/// What `DescribeTaskDefinition` answers for it, with every default filled in.
fn live_definition() -> Value {
    json!({
        "taskDefinitionArn": "arn:aws:ecs:us-east-2:633607774026:task-definition/back-end-staging:3",
        "family": "back-end-staging",
        "revision": 3,
        "status": "ACTIVE",
        "registeredAt": 1_793_491_200.1,
        "registeredBy": "arn:aws:iam::633607774026:user/somebody",
        "requiresAttributes": [{"name": "ecs.capability.task-eni"}],
        "compatibilities": ["EC2", "FARGATE"],
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": "arn:aws:iam::633607774026:role/ecsTaskExecutionRole",
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        "volumes": [],
        "placementConstraints": [],
        "enableFaultInjection": false,
        "containerDefinitions": [{
            "name": "web",
            "image": "633607774026.dkr.ecr.us-east-2.amazonaws.com/back-end:staging",
            "cpu": 0,
            "essential": true,
            "portMappings": [{"containerPort": 8000, "hostPort": 8000, "protocol": "tcp"}],
            "environment": [
                {"name": "DJANGO_ENV", "value": "staging"},
                {"name": "DEBUG", "value": "0"},
            ],
            "secrets": [{
                "name": "JWT_SECRET_KEY",
                "valueFrom": "arn:aws:secretsmanager:us-east-2:633607774026:secret:back-end/staging/jwt-a1B2c3",
            }],
            "mountPoints": [],
            "volumesFrom": [],
            "systemControls": [],
            "environmentFiles": [],
            "versionConsistency": "enabled",
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-stream-prefix": "ecs",
                    "awslogs-group": "/ecs/back-end-staging",
                    "awslogs-region": "us-east-2",
                },
                "secretOptions": [],
            },
            "healthCheck": {
                "command": ["CMD-SHELL", "true"],
                "interval": 30, "timeout": 5, "retries": 3, "startPeriod": 0,
            },
        }],
    })
}

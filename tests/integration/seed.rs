//! The project's own infra.toml made, read back by boto3, found as declared, and removed.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::account::{account, assert_holds, gained, python};
use super::project::{Project, has_gap};
use crate::emulators::Server;

/// Makes look-alikes, applies, checks, applies again, destroys: the account is then as it was before.
pub(crate) fn made_checked_and_removed(name: &str, server: &Server) {
    python(server, "lookalikes.py");
    let before = account(server);
    let mut project = Project::seed(name, server);
    project.set("AWS_ENDPOINT_URL", server.url());

    let applied = project.run(&["apply", "--yes"]).with(0);
    let complete = "Apply complete: 12 added, 0 changed, 0 destroyed.";
    assert_eq!(applied.last_line(), complete);
    let made = account(server);
    assert_made(name, server, &gained(&before, &made));
    for (table, rows) in before.as_object().unwrap() {
        assert_holds(
            &format!("{name}, after apply: {table}"),
            &made[table.as_str()],
            rows,
        );
    }

    let planned = project.run(&["plan", "--detailed-exitcode"]).with(0);
    let same = "No changes. Your infrastructure matches infra.toml.";
    assert_eq!(planned.stdout.trim_end(), same);
    project.run(&["apply", "--yes"]).with(0);
    assert_eq!(account(server), made, "a second apply wrote");

    project.run(&["destroy", "--yes"]).with(3);
    assert_eq!(account(server), made, "a refused destroy wrote");
    project
        .run(&["destroy", "--yes", "--allow", "deletes"])
        .with(0);
    assert_removed(name, &before, &account(server));
    println!("{name}: 12 resources made, checked with boto3, found as declared, removed");
}

/// What boto3 says of everything that the project declares.
fn assert_made(name: &str, server: &Server, made: &Value) {
    let ours = json!({ "provision:owner": "back-end@us-east-2", "team": "platform" });
    let (subnet, group) = server.network().unwrap();
    assert_holds(name, made, &iam(&ours));
    assert_holds(name, made, &regional(&ours));
    for (environment, tag, count) in [("staging", "staging", 1), ("production", "prod", 2)] {
        let service = &made["services"][format!("operationcode/back-end-{environment}")];
        let arn = service["taskDefinition"].as_str().unwrap_or_default();
        let revision = arn.rsplit('/').next().unwrap_or_default();
        // The look-alike has the first revision of staging's family.
        let number = if environment == "staging" { 2 } else { 1 };
        assert_eq!(revision, format!("back-end-{environment}:{number}"));
        let mut wanted = json!({
            "status": "ACTIVE", "desiredCount": count, "launchType": "FARGATE", "tags": ours,
            "networkConfiguration": { "awsvpcConfiguration": {
                "subnets": [subnet], "securityGroups": [group], "assignPublicIp": "DISABLED" } },
        });
        if !has_gap(name, "service/breaker") {
            wanted["deploymentConfiguration"] = json!({
                "maximumPercent": 200, "minimumHealthyPercent": 100,
                "deploymentCircuitBreaker": { "enable": true, "rollback": true } });
        }
        assert_holds(environment, service, &wanted);
        let definition = &made["definitions"][revision];
        assert_holds(
            revision,
            definition,
            &definition_of(environment, tag, &ours),
        );
        let container = &definition["containerDefinitions"][0];
        let secret = container["secrets"][0]["valueFrom"]
            .as_str()
            .unwrap_or_default();
        let prefix = "arn:aws:secretsmanager:us-east-2:633607774026:secret:back-end/";
        assert!(
            secret.starts_with(&format!("{prefix}{environment}/jwt-secret-key-")),
            "{secret}"
        );
    }
    let rows = |table: &str| made[table].as_object().unwrap().len();
    let counted = [
        "roles",
        "policies",
        "providers",
        "repositories",
        "log_groups",
    ]
    .map(rows);
    assert_eq!(
        counted,
        [2, 1, 1, 1, 2],
        "{name}: more was made than is declared"
    );
    let counted = ["secrets", "clusters", "services", "definitions"].map(rows);
    assert_eq!(
        counted,
        [2, 1, 2, 2],
        "{name}: more was made than is declared"
    );
}

/// The OIDC provider, the policy and the roles.
fn iam(ours: &Value) -> Value {
    let provider = "arn:aws:iam::633607774026:oidc-provider/token.actions.githubusercontent.com";
    let policy = "arn:aws:iam::633607774026:policy/GitHubActions-ECR-Push-Policy";
    let managed = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy";
    let secret = "arn:aws:secretsmanager:us-east-2:633607774026:secret:back-end";
    json!({
        "providers": { provider: {
            "url": "token.actions.githubusercontent.com", "clients": ["sts.amazonaws.com"],
            "thumbprints": ["6938fd4d98bab03faadb97b34396831e3780aea1"], "tags": ours } },
        "policies": { "GitHubActions-ECR-Push-Policy": {
            "versions": ["v1"], "tags": ours, "document": push_policy() } },
        "roles": {
            "GitHubActions-ECR-Push": {
                "path": "/", "session": 3600, "boundary": null, "attached": [policy],
                "description": "Allows GitHub Actions to push Docker images to ECR",
                "inline": {}, "tags": ours, "trust": trust(provider) },
            "ecsTaskExecutionRole": {
                "path": "/", "session": 3600, "boundary": null, "attached": [managed], "tags": ours,
                "trust": { "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
                    "Principal": { "Service": "ecs-tasks.amazonaws.com" }, "Action": "sts:AssumeRole" }] },
                "inline": { "read-jwt-secret": { "Version": "2012-10-17", "Statement": [{
                    "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": [
                        format!("{secret}/staging/jwt-secret-key-??????"),
                        format!("{secret}/production/jwt-secret-key-??????")] }] } } },
        },
    })
}

/// The seed's push policy.
pub(crate) fn push_policy() -> Value {
    json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": [
            "ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability",
            "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage", "ecr:PutImage",
            "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload" ],
          "Resource": "arn:aws:ecr:us-east-2:633607774026:repository/back-end" },
        { "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*" } ] })
}

/// The seed's trust policy.
pub(crate) fn trust(provider: &str) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
        "Principal": { "Federated": provider }, "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": { "token.actions.githubusercontent.com:aud": "sts.amazonaws.com" },
            "StringLike": {
                "token.actions.githubusercontent.com:sub": "repo:operationcode/back-end:*" } } }] })
}

/// The repository, the log groups, the secrets and the cluster.
fn regional(ours: &Value) -> Value {
    let lifecycle = json!({ "rules": [{ "rulePriority": 1,
        "description": "Untagged images go after two weeks", "action": { "type": "expire" },
        "selection": { "tagStatus": "untagged", "countType": "sinceImagePushed",
            "countUnit": "days", "countNumber": 14 } }] });
    let group = json!({ "retention": 30, "tags": ours });
    let secret = json!({ "deleted": false, "bytes": 64, "tags": ours });
    json!({
        "repositories": { "back-end": { "mutability": "MUTABLE", "encryption": "AES256",
            "lifecycle": lifecycle, "policy": null, "tags": ours } },
        "log_groups": { "/ecs/back-end-staging": group, "/ecs/back-end-production": group },
        "secrets": { "back-end/staging/jwt-secret-key": secret,
            "back-end/production/jwt-secret-key": secret },
        "clusters": { "operationcode": { "status": "ACTIVE", "tags": ours,
            "settings": { "containerInsights": "enabled" } } },
    })
}

/// A service's task definition.
fn definition_of(environment: &str, tag: &str, ours: &Value) -> Value {
    json!({
        "status": "ACTIVE", "family": format!("back-end-{environment}"), "tags": ours,
        "cpu": "256", "memory": "512", "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "runtimePlatform": { "cpuArchitecture": "ARM64" },
        "executionRoleArn": "arn:aws:iam::633607774026:role/ecsTaskExecutionRole",
        "containerDefinitions": [{
            "name": "web", "essential": true,
            "image": format!("633607774026.dkr.ecr.us-east-2.amazonaws.com/back-end:{tag}"),
            "portMappings": [{ "containerPort": 8000 }],
            "environment": [{ "name": "DJANGO_ENV", "value": environment },
                { "name": "SENTRY_TRACES_SAMPLE_RATE", "value": "0.2" }],
            "secrets": [{ "name": "JWT_SECRET_KEY" }],
            "healthCheck": { "interval": 30, "timeout": 10, "retries": 3, "startPeriod": 40,
                "command": ["CMD-SHELL", "curl -f http://localhost:8000/healthz || exit 1"] },
            "logConfiguration": { "logDriver": "awslogs", "options": {
                "awslogs-group": format!("/ecs/back-end-{environment}"),
                "awslogs-region": "us-east-2" } },
        }],
    })
}

/// All is as it was before, but for our revisions, which are deregistered, and our secrets, which
/// wait out their recovery window.
fn assert_removed(name: &str, before: &Value, after: &Value) {
    let left = gained(before, after);
    for (table, rows) in left.as_object().unwrap() {
        let names: BTreeSet<&str> = rows
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let wanted: &[&str] = match table.as_str() {
            "secrets" => &[
                "back-end/production/jwt-secret-key",
                "back-end/staging/jwt-secret-key",
            ],
            "definitions" => &["back-end-production:1", "back-end-staging:2"],
            _ => &[],
        };
        assert_eq!(
            names,
            wanted.iter().copied().collect(),
            "{name}, after destroy: {table}"
        );
        for row in rows.as_object().unwrap().values() {
            let gone = row["deleted"] == json!(true) || row["status"] == json!("INACTIVE");
            assert!(gone, "{name}, after destroy: {table}: {row}");
        }
    }
    for (table, rows) in before.as_object().unwrap() {
        assert_holds(
            &format!("{name}, after destroy: {table}"),
            &after[table.as_str()],
            rows,
        );
    }
}

//! Drift of the repository, the log groups, the secrets and the cluster.

use provision::sandbox::Service;
use serde_json::{Value, json};

use crate::{Drift, drift};

type Request = (Service, &'static str, Value);

/// The table's part for them.
pub(crate) fn drifts() -> Vec<Drift> {
    let mut drifts = repository();
    drifts.extend(log_group());
    drifts.extend(secret());
    drifts.extend(cluster());
    drifts
}

fn repository() -> Vec<Drift> {
    let ecr = |operation, mut input: Value| -> Request {
        input["repositoryName"] = json!("back-end");
        (Service::Ecr, operation, input)
    };
    let arn = "arn:aws:ecr:us-east-2:633607774026:repository/back-end";
    let public = json!({ "Version": "2012-10-17", "Statement": [{ "Sid": "everybody",
        "Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage" }] });
    let shorter = json!({ "rules": [{ "rulePriority": 1,
        "description": "Untagged images go after two weeks", "action": { "type": "expire" },
        "selection": { "tagStatus": "untagged", "countType": "sinceImagePushed",
            "countUnit": "days", "countNumber": 3 } }] });
    let tag = |key: &str| {
        let tags = json!([{ "Key": key, "Value": "7" }]);
        (
            Service::Ecr,
            "TagResource",
            json!({ "resourceArn": arn, "tags": tags }),
        )
    };
    vec![
        drift(
            "lifecycle removed",
            [ecr("DeleteLifecyclePolicy", json!({}))],
            &[],
            &["ecr:PutLifecyclePolicy"],
        ),
        drift(
            "lifecycle changed",
            [ecr(
                "PutLifecyclePolicy",
                json!({ "lifecyclePolicyText": shorter.to_string() }),
            )],
            &[],
            &["ecr:PutLifecyclePolicy"],
        ),
        drift(
            "repository policy added",
            [ecr(
                "SetRepositoryPolicy",
                json!({ "policyText": public.to_string() }),
            )],
            &[],
            &["ecr:DeleteRepositoryPolicy"],
        ),
        drift(
            "tags made immutable",
            [ecr(
                "PutImageTagMutability",
                json!({ "imageTagMutability": "IMMUTABLE" }),
            )],
            &[],
            &["ecr:PutImageTagMutability"],
        ),
        drift(
            "repository tag changed",
            [tag("team")],
            &[],
            &["ecr:TagResource"],
        ),
        drift(
            "repository tag added",
            [tag("cost")],
            &[],
            &["ecr:UntagResource"],
        ),
        drift(
            "repository deleted",
            [ecr("DeleteRepository", json!({ "force": true }))],
            &[],
            &["ecr:CreateRepository", "ecr:PutLifecyclePolicy"],
        ),
    ]
}

fn log_group() -> Vec<Drift> {
    let group = "/ecs/back-end-staging";
    let logs = |operation, mut input: Value| -> Request {
        input["logGroupName"] = json!(group);
        (Service::Logs, operation, input)
    };
    let arn = format!("arn:aws:logs:us-east-2:633607774026:log-group:{group}");
    let tags = json!({ "resourceArn": arn, "tags": { "team": "search" } });
    let key = "arn:aws:kms:us-east-2:633607774026:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    vec![
        drift(
            "retention removed",
            [logs("DeleteRetentionPolicy", json!({}))],
            &[],
            &["logs:PutRetentionPolicy"],
        ),
        drift(
            "retention changed",
            [logs("PutRetentionPolicy", json!({ "retentionInDays": 7 }))],
            &[],
            &["logs:PutRetentionPolicy"],
        ),
        drift(
            "log group key added",
            [logs("AssociateKmsKey", json!({ "kmsKeyId": key }))],
            &[],
            &["logs:DisassociateKmsKey"],
        ),
        drift(
            "log group tag changed",
            [(Service::Logs, "TagResource", tags)],
            &[],
            &["logs:TagResource"],
        ),
        drift(
            "log group deleted",
            [logs("DeleteLogGroup", json!({}))],
            &[],
            &["logs:CreateLogGroup", "logs:PutRetentionPolicy"],
        ),
    ]
}

fn secret() -> Vec<Drift> {
    let secret = |operation, mut input: Value| -> Request {
        input["SecretId"] = json!("back-end/staging/jwt-secret-key");
        (Service::SecretsManager, operation, input)
    };
    let key = "arn:aws:kms:us-east-2:633607774026:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    vec![
        drift(
            "secret tag changed",
            [secret(
                "TagResource",
                json!({ "Tags": [{ "Key": "team", "Value": "search" }] }),
            )],
            &[],
            &["secretsmanager:TagResource"],
        ),
        drift(
            "secret tag removed",
            [secret("UntagResource", json!({ "TagKeys": ["team"] }))],
            &[],
            &["secretsmanager:TagResource"],
        ),
        drift(
            "secret key changed",
            [secret("UpdateSecret", json!({ "KmsKeyId": key }))],
            &[],
            &["secretsmanager:UpdateSecret"],
        ),
        drift(
            "secret scheduled for deletion",
            [secret(
                "DeleteSecret",
                json!({ "RecoveryWindowInDays": 30 }),
            )],
            &[],
            // The first is refused: a secret that is scheduled for deletion counts as absent.
            &[
                "secretsmanager:CreateSecret",
                "secretsmanager:RestoreSecret",
                "secretsmanager:TagResource",
                "secretsmanager:UpdateSecret",
            ],
        ),
    ]
}

fn cluster() -> Vec<Drift> {
    let arn = "arn:aws:ecs:us-east-2:633607774026:cluster/operationcode";
    let settings = json!({ "cluster": "operationcode",
        "settings": [{ "name": "containerInsights", "value": "disabled" }] });
    let tags = json!({ "resourceArn": arn, "tags": [{ "key": "team", "value": "search" }] });
    vec![
        drift(
            "cluster setting changed",
            [(Service::Ecs, "UpdateClusterSettings", settings)],
            &[],
            &["ecs:UpdateClusterSettings"],
        ),
        drift(
            "cluster tag changed",
            [(Service::Ecs, "TagResource", tags)],
            &[],
            &["ecs:TagResource"],
        ),
    ]
}

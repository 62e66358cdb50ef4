//! What starting tasks needs, for the roles that do nothing else.
//! Source: ECS Developer Guide, "Amazon ECS task execution IAM role".

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::config::{Config, Container, SecretReference};
use crate::policy::PolicyKind;
use crate::reach::Requests;

/// What `AmazonECSTaskExecutionRolePolicy` allows, and what it lacks for logs and for encrypted secrets.
const ALWAYS: &[&str] = &[
    "ecr:GetAuthorizationToken",
    "ecr:BatchCheckLayerAvailability",
    "ecr:GetDownloadUrlForLayer",
    "ecr:BatchGetImage",
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "kms:Decrypt",
];

/// What the role needs for the tasks whose execution role it is; `None` where it is none of theirs.
pub(super) fn needed(config: &Config, role: &str) -> Option<Requests> {
    let is_execution = |service: &&crate::config::Service| {
        let task = &service.task;
        task.execution_role
            .as_ref()
            .is_some_and(|one| one.arn == role)
            && task.task_role.as_ref().is_none_or(|one| one.arn != role)
    };
    let services: Vec<_> = config.services.values().filter(is_execution).collect();
    if services.is_empty() {
        return None;
    }
    let mut resources: BTreeSet<String> = BTreeSet::new();
    for container in services
        .iter()
        .flat_map(|service| service.task.container.values())
    {
        resources.extend(secrets(config, container));
    }
    let mut statements = vec![json!({ "Effect": "Allow", "Action": ALWAYS, "Resource": "*" })];
    if !resources.is_empty() {
        let resources: Vec<Value> = resources.into_iter().map(Value::from).collect();
        let actions = [
            "secretsmanager:GetSecretValue",
            "ssm:GetParameters",
            "s3:GetObject",
            "s3:GetBucketLocation",
        ];
        statements.push(json!({ "Effect": "Allow", "Action": actions, "Resource": resources }));
    }
    Some(Requests::written(&statements, PolicyKind::Identity))
}

/// The ARNs, as patterns, of what a container is given when it starts.
fn secrets(config: &Config, container: &Container) -> Vec<String> {
    let project = &config.project;
    let (partition, region, account) = (
        project.partition.as_str(),
        &project.region,
        &project.account_id,
    );
    let mut out: Vec<String> = container
        .secrets
        .values()
        .map(|secret| match secret {
            SecretReference::Declared { name, .. } => {
                format!("arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-*")
            }
            SecretReference::Parameter(name) => {
                format!(
                    "arn:{partition}:ssm:{region}:{account}:parameter/{}",
                    name.trim_start_matches('/')
                )
            }
            // A key, a stage and a version may follow the ARN.
            SecretReference::Arn(arn) => arn.splitn(8, ':').take(7).collect::<Vec<_>>().join(":"),
        })
        .collect();
    out.extend(
        container
            .repository_credentials
            .iter()
            .map(|one| one.credentials_parameter.clone()),
    );
    for file in &container.environment_files {
        let bucket = file.value.split('/').next().unwrap_or_default();
        out.extend([file.value.clone(), bucket.to_owned()]);
    }
    out
}

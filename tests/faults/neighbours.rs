//! What is not ours in every world: look-alike names, the same path, another project's mark, no mark.
//! It must be byte-identical at every moment, except where the configuration adopts it.

use provision::sandbox::{Sandbox, Service, Store};
use serde_json::{Value, json};

use super::configs::ACCOUNT;
use super::drive::Drive;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const READ: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecr:BatchGetImage","Resource":"*"}]}"#;

fn ask(sandbox: &Sandbox, service: Service, operation: &str, input: Value) {
    if let Err(error) = sandbox.ask(service, operation, input) {
        panic!("seeding {operation}: {error:?}");
    }
}

/// An account with nothing else in it.
pub(crate) fn alone(drive: &Drive) -> Store {
    drive.reset(&Store::default());
    seed(&drive.sandbox);
    drive.sandbox.snapshot()
}

/// Makes them.
fn seed(sandbox: &Sandbox) {
    let other = json!([{"Key": "provision:owner", "Value": "sweep-2@eu-west-1"}]);
    let same_team = json!([{"Key": "team", "Value": "blue"}]);
    for (name, tags) in [
        ("app-0-push-2", other.clone()),
        ("app-0-pus", same_team.clone()),
    ] {
        let input =
            json!({"RoleName": name, "Path": "/", "AssumeRolePolicyDocument": TRUST, "Tags": tags});
        ask(sandbox, Service::Iam, "CreateRole", input);
        let input =
            json!({"PolicyName": format!("{name}-policy"), "PolicyDocument": READ, "Tags": tags});
        ask(sandbox, Service::Iam, "CreatePolicy", input);
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy/{name}-policy");
        ask(
            sandbox,
            Service::Iam,
            "AttachRolePolicy",
            json!({"RoleName": name, "PolicyArn": arn}),
        );
    }
    ask(
        sandbox,
        Service::Ecr,
        "CreateRepository",
        json!({"repositoryName": "app-00", "tags": other}),
    );
    ask(
        sandbox,
        Service::Logs,
        "CreateLogGroup",
        json!({"logGroupName": "/ecs/app-0/2", "tags": {"team": "blue"}}),
    );
    ask(
        sandbox,
        Service::SecretsManager,
        "CreateSecret",
        json!({"Name": "app-0/key2", "SecretString": "canary-neighbour-4f1c", "Tags": other}),
    );
    ask(
        sandbox,
        Service::Ecs,
        "CreateCluster",
        json!({"clusterName": "app-2", "tags": [{"key": "team", "value": "blue"}]}),
    );
    legacy(sandbox);
}

/// What others left lying about without an owner: adopted by one of the configurations.
fn legacy(sandbox: &Sandbox) {
    ask(
        sandbox,
        Service::Iam,
        "CreatePolicy",
        json!({"PolicyName": "legacy-policy", "PolicyDocument": READ}),
    );
    ask(
        sandbox,
        Service::Iam,
        "CreateRole",
        json!({"RoleName": "legacy-role", "Path": "/", "AssumeRolePolicyDocument": TRUST}),
    );
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/legacy-policy");
    ask(
        sandbox,
        Service::Iam,
        "AttachRolePolicy",
        json!({"RoleName": "legacy-role", "PolicyArn": arn}),
    );
    ask(
        sandbox,
        Service::Ecr,
        "CreateRepository",
        json!({"repositoryName": "legacy"}),
    );
    ask(
        sandbox,
        Service::Logs,
        "CreateLogGroup",
        json!({"logGroupName": "/legacy/logs"}),
    );
    ask(
        sandbox,
        Service::SecretsManager,
        "CreateSecret",
        json!({"Name": "legacy/key", "SecretString": "canary-legacy-90ab"}),
    );
    ask(
        sandbox,
        Service::Ecs,
        "CreateCluster",
        json!({"clusterName": "legacy"}),
    );
}

/// Pushes an image, as a build would; it holds nothing but its processor.
pub(crate) fn push_image(sandbox: &Sandbox, repository: &str, tag: &str) {
    let config = r#"{"architecture": "arm64", "os": "linux"}"#;
    let _ = sandbox.push(repository, tag, config);
}

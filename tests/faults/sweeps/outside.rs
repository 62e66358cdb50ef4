//! An outside actor between any two requests: it deletes, edits, tags anew, detaches or takes away
//! something of ours, once. Nobody is to be blamed for what it touched; all else holds.

use std::sync::Arc;
use std::sync::Mutex;

use provision::sandbox::{Script, Service};
use serde_json::{Value, json};

use super::{Case, Push, Sweep, seed};
use crate::configs::{ACCOUNT, REGION, Way};
use crate::drive::held;
use crate::journey::{Bench, Journey, Terms};
use crate::roads::{Road, Roads, key};

pub(super) const SWEEP: Sweep = Sweep {
    name: "outside",
    title: "an outside actor between any two requests, tiny",
    push: Push::About(2_000),
    cases,
};

/// What somebody else may do.
type Act = (&'static str, Service, &'static str, fn(&str) -> Value);

const READ: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecr:BatchGetImage","Resource":"*"}]}"#;
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

fn policy_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:policy/{name}-0-push")
}

fn provider() -> String {
    format!("arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com")
}

fn cluster_arn(name: &str) -> String {
    format!("arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{name}")
}

fn service_arn(name: &str) -> String {
    format!("arn:aws:ecs:{REGION}:{ACCOUNT}:service/{name}/{name}-0")
}

fn repository_arn(name: &str) -> String {
    format!("arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{name}-0")
}

fn log_group_arn(name: &str) -> String {
    format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/ecs/{name}-0")
}

fn role(name: &str) -> String {
    format!("{name}-0-push")
}

/// Tags by which somebody takes a resource over, in the spelling of IAM and others.
fn taken() -> Value {
    json!([{"Key": "provision:owner", "Value": "sweep-2@eu-west-1"}])
}

/// Everything that it may do, to the resources whose names begin with the given prefix.
const ACTS: &[Act] = &[
    (
        "delete role policy",
        Service::Iam,
        "DeleteRolePolicy",
        |name| json!({"RoleName": role(name), "PolicyName": "read"}),
    ),
    (
        "put role policy",
        Service::Iam,
        "PutRolePolicy",
        |name| json!({"RoleName": role(name), "PolicyName": "extra", "PolicyDocument": READ}),
    ),
    (
        "detach",
        Service::Iam,
        "DetachRolePolicy",
        |name| json!({"RoleName": role(name), "PolicyArn": policy_arn(name)}),
    ),
    (
        "attach",
        Service::Iam,
        "AttachRolePolicy",
        |name| json!({"RoleName": role(name), "PolicyArn": "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"}),
    ),
    (
        "edit trust",
        Service::Iam,
        "UpdateAssumeRolePolicy",
        |name| json!({"RoleName": role(name), "PolicyDocument": TRUST}),
    ),
    (
        "edit role",
        Service::Iam,
        "UpdateRole",
        |name| json!({"RoleName": role(name), "MaxSessionDuration": 7200}),
    ),
    (
        "put boundary",
        Service::Iam,
        "PutRolePermissionsBoundary",
        |name| json!({"RoleName": role(name), "PermissionsBoundary": policy_arn(name)}),
    ),
    (
        "take over role",
        Service::Iam,
        "TagRole",
        |name| json!({"RoleName": role(name), "Tags": taken()}),
    ),
    (
        "untag role",
        Service::Iam,
        "UntagRole",
        |name| json!({"RoleName": role(name), "TagKeys": ["provision:owner"]}),
    ),
    (
        "edit policy",
        Service::Iam,
        "CreatePolicyVersion",
        |name| json!({"PolicyArn": policy_arn(name), "PolicyDocument": READ, "SetAsDefault": true}),
    ),
    (
        "take over policy",
        Service::Iam,
        "TagPolicy",
        |name| json!({"PolicyArn": policy_arn(name), "Tags": taken()}),
    ),
    (
        "untag policy",
        Service::Iam,
        "UntagPolicy",
        |name| json!({"PolicyArn": policy_arn(name), "TagKeys": ["provision:owner"]}),
    ),
    (
        "delete policy",
        Service::Iam,
        "DeletePolicy",
        |name| json!({"PolicyArn": policy_arn(name)}),
    ),
    (
        "make policy",
        Service::Iam,
        "CreatePolicy",
        |name| json!({"PolicyName": format!("{name}-0-push"), "PolicyDocument": READ}),
    ),
    (
        "make role",
        Service::Iam,
        "CreateRole",
        |name| json!({"RoleName": role(name), "Path": "/", "AssumeRolePolicyDocument": TRUST}),
    ),
    (
        "add client",
        Service::Iam,
        "AddClientIDToOpenIDConnectProvider",
        |_| json!({"OpenIDConnectProviderArn": provider(), "ClientID": "stray"}),
    ),
    (
        "untag provider",
        Service::Iam,
        "UntagOpenIDConnectProvider",
        |_| json!({"OpenIDConnectProviderArn": provider(), "TagKeys": ["provision:owner"]}),
    ),
    (
        "delete provider",
        Service::Iam,
        "DeleteOpenIDConnectProvider",
        |_| json!({"OpenIDConnectProviderArn": provider()}),
    ),
    (
        "edit repository",
        Service::Ecr,
        "PutImageTagMutability",
        |name| json!({"repositoryName": format!("{name}-0"), "imageTagMutability": "IMMUTABLE"}),
    ),
    (
        "delete lifecycle",
        Service::Ecr,
        "DeleteLifecyclePolicy",
        |name| json!({"repositoryName": format!("{name}-0")}),
    ),
    (
        "delete repository",
        Service::Ecr,
        "DeleteRepository",
        |name| json!({"repositoryName": format!("{name}-0"), "force": true}),
    ),
    (
        "make repository",
        Service::Ecr,
        "CreateRepository",
        |name| json!({"repositoryName": format!("{name}-0")}),
    ),
    (
        "take over repository",
        Service::Ecr,
        "TagResource",
        |name| json!({"resourceArn": repository_arn(name), "tags": taken()}),
    ),
    (
        "edit log group",
        Service::Logs,
        "PutRetentionPolicy",
        |name| json!({"logGroupName": format!("/ecs/{name}-0"), "retentionInDays": 7}),
    ),
    (
        "delete log group",
        Service::Logs,
        "DeleteLogGroup",
        |name| json!({"logGroupName": format!("/ecs/{name}-0")}),
    ),
    (
        "make log group",
        Service::Logs,
        "CreateLogGroup",
        |name| json!({"logGroupName": format!("/ecs/{name}-0")}),
    ),
    (
        "untag log group",
        Service::Logs,
        "UntagResource",
        |name| json!({"resourceArn": log_group_arn(name), "tagKeys": ["provision:owner"]}),
    ),
    (
        "delete secret",
        Service::SecretsManager,
        "DeleteSecret",
        |name| json!({"SecretId": format!("{name}-0/key")}),
    ),
    (
        "make secret",
        Service::SecretsManager,
        "CreateSecret",
        |name| json!({"Name": format!("{name}-0/key"), "SecretString": "canary-outside-11aa"}),
    ),
    (
        "untag secret",
        Service::SecretsManager,
        "UntagResource",
        |name| json!({"SecretId": format!("{name}-0/key"), "TagKeys": ["provision:owner"]}),
    ),
    (
        "edit cluster",
        Service::Ecs,
        "UpdateClusterSettings",
        |name| json!({"cluster": name, "settings": [{"name": "containerInsights", "value": "disabled"}]}),
    ),
    (
        "make cluster",
        Service::Ecs,
        "CreateCluster",
        |name| json!({"clusterName": name}),
    ),
    (
        "untag cluster",
        Service::Ecs,
        "UntagResource",
        |name| json!({"resourceArn": cluster_arn(name), "tagKeys": ["provision:owner"]}),
    ),
    (
        "scale service",
        Service::Ecs,
        "UpdateService",
        |name| json!({"cluster": name, "service": format!("{name}-0"), "desiredCount": 3}),
    ),
    (
        "delete service",
        Service::Ecs,
        "DeleteService",
        |name| json!({"cluster": name, "service": format!("{name}-0"), "force": true}),
    ),
    (
        "untag service",
        Service::Ecs,
        "UntagResource",
        |name| json!({"resourceArn": service_arn(name), "tagKeys": ["provision:owner"]}),
    ),
    (
        "stray tag on service",
        Service::Ecs,
        "TagResource",
        |name| json!({"resourceArn": service_arn(name), "tags": [{"key": "stray", "value": "1"}]}),
    ),
];

fn cases(roads: &Roads) -> Vec<Case> {
    // Of all moments and deeds one of so many is tried; the number is coprime to that of the deeds,
    // so that each of them comes at moments of every sort.
    const STEP: usize = 7;
    let mut cases = Vec::new();
    let mut number = 0;
    for (transition, road) in roads.tiny() {
        for call in 1..=road.twin.asked.len() {
            for act in ACTS {
                number += 1;
                if number % STEP != 0 {
                    continue;
                }
                let key = key("outside", transition, &format!("{call}/{}", act.0));
                let road = road.clone();
                let terms = Terms {
                    further: 2,
                    others: true,
                    spare_writes: road.writes() + 8,
                    seed: seed(&key),
                    ..Terms::default()
                };
                let (_, _, to) = transition;
                let prefix = if to == Way::Renamed { "new" } else { "app" };
                let case = Case::new(key, move |bench| {
                    Box::pin(meddle(bench, road.clone(), *act, call, prefix, terms))
                });
                cases.push(case);
            }
        }
    }
    cases
}

async fn meddle(
    bench: &Bench,
    road: Arc<Road>,
    (what, service, operation, input): Act,
    call: usize,
    prefix: &'static str,
    terms: Terms,
) -> Vec<String> {
    let mut journey = Journey::begin(bench, &road.setting, Some(&road.twin), terms);
    let done = Arc::new(Mutex::new(None));
    let (watch, told) = (journey.watch.clone(), done.clone());
    let mut seen = 0;
    bench.drive.sandbox.before_each(move |_, outside| {
        seen += 1;
        if seen == call {
            let before = outside.store().clone();
            let answer = outside.ask(service, operation, input(prefix));
            *held(&told) = Some(answer.is_ok());
            watch.excuse(&before, outside.store());
        }
    });
    let ran = journey.run_anew(&Script::default()).await;
    bench.drive.sandbox.before_each(|_, _| {});
    let later = journey
        .watch
        .seen()
        .asked
        .iter()
        .skip(call)
        .any(|asked| asked.writes);
    journey.raced = !later;
    let done = *held(&done);
    let outcome = match done {
        Some(true) => "done",
        Some(false) => "refused by AWS",
        None => "after the end",
    };
    journey.count("outside", &format!("{what}: {outcome}"));
    journey.settle(ran).await;
    journey.finish().err().unwrap_or_default()
}

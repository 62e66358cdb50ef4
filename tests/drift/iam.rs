//! Drift of what IAM holds: the OIDC provider, the policy, the roles.

use provision::sandbox::Service;
use serde_json::{Value, json};

use crate::{Drift, drift};

const PROVIDER: &str =
    "arn:aws:iam::633607774026:oidc-provider/token.actions.githubusercontent.com";
const POLICY: &str = "arn:aws:iam::633607774026:policy/GitHubActions-ECR-Push-Policy";
const ROLE: &str = "GitHubActions-ECR-Push";
const REPOSITORY: &str = "arn:aws:ecr:us-east-2:633607774026:repository/back-end";

type Request = (Service, &'static str, Value);

fn iam(operation: &'static str, input: Value) -> Request {
    (Service::Iam, operation, input)
}

/// A request about the push role.
fn role(operation: &'static str, mut input: Value) -> Request {
    input["RoleName"] = json!(ROLE);
    iam(operation, input)
}

/// A new version of the push policy that allows these actions on the repository.
fn version(actions: &[&str]) -> Request {
    let document = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": actions, "Resource": REPOSITORY },
        { "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*" } ] });
    version_of(&document)
}

fn version_of(document: &Value) -> Request {
    let input = json!({ "PolicyArn": POLICY, "PolicyDocument": document.to_string(),
        "SetAsDefault": "true" });
    iam("CreatePolicyVersion", input)
}

const PUSH: [&str; 8] = [
    "ecr:GetAuthorizationToken",
    "ecr:BatchCheckLayerAvailability",
    "ecr:GetDownloadUrlForLayer",
    "ecr:BatchGetImage",
    "ecr:PutImage",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
];

/// The push role's trust in subjects that match this pattern.
fn trust(subject: &Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Federated": PROVIDER },
        "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {
            "StringLike": { "token.actions.githubusercontent.com:sub": subject },
            "StringEquals": { "token.actions.githubusercontent.com:aud": "sts.amazonaws.com" } } }] })
}

fn set_trust(subject: &Value) -> Request {
    let document = trust(subject).to_string();
    role(
        "UpdateAssumeRolePolicy",
        json!({ "PolicyDocument": document }),
    )
}

fn allow(actions: &Value, resources: &Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": actions, "Resource": resources } ] })
    .to_string()
}

/// The table's part for IAM.
pub(crate) fn drifts() -> Vec<Drift> {
    let mut drifts = policy();
    drifts.extend(trust_and_fields());
    drifts.extend(what_the_role_has());
    drifts.extend(provider());
    drifts
}

fn policy() -> Vec<Drift> {
    let wider = [&PUSH[..], &["ecr:DeleteRepository"]].concat();
    let spare = |number: i32| {
        let document = allow(&json!(format!("ecr:Spare{number}")), &json!("*"));
        iam(
            "CreatePolicyVersion",
            json!({ "PolicyArn": POLICY, "PolicyDocument": document }),
        )
    };
    vec![
        drift(
            "policy document widened",
            [version(&wider)],
            &[],
            &["iam:CreatePolicyVersion"],
        ),
        drift(
            "policy document narrowed",
            [version(&PUSH[..4])],
            &["broadens"],
            &["iam:CreatePolicyVersion"],
        ),
        drift(
            "policy document widened, five versions stand",
            [spare(1), spare(2), spare(3), version(&wider)],
            &[],
            &["iam:CreatePolicyVersion", "iam:DeletePolicyVersion"],
        ),
        drift(
            "policy tag changed",
            [iam(
                "TagPolicy",
                json!({ "PolicyArn": POLICY,
                "Tags": [{ "Key": "team", "Value": "search" }] }),
            )],
            &[],
            &["iam:TagPolicy"],
        ),
        drift(
            "policy and role deleted",
            [
                role("DetachRolePolicy", json!({ "PolicyArn": POLICY })),
                role("DeleteRole", json!({})),
                iam("DeletePolicy", json!({ "PolicyArn": POLICY })),
            ],
            &[],
            &["iam:AttachRolePolicy", "iam:CreatePolicy", "iam:CreateRole"],
        ),
    ]
}

fn trust_and_fields() -> Vec<Drift> {
    vec![
        drift(
            "trust widened",
            [set_trust(&json!("repo:*"))],
            &[],
            &["iam:UpdateAssumeRolePolicy"],
        ),
        drift(
            "trust narrowed",
            [set_trust(&json!(
                "repo:operationcode/back-end:ref:refs/heads/main"
            ))],
            &["broadens"],
            &["iam:UpdateAssumeRolePolicy"],
        ),
        drift(
            "role description changed",
            [role(
                "UpdateRole",
                json!({ "Description": "Pushes", "MaxSessionDuration": "3600" }),
            )],
            &[],
            &["iam:UpdateRole"],
        ),
        drift(
            "role session duration changed",
            [role("UpdateRole", json!({ "MaxSessionDuration": "7200" }))],
            &[],
            &["iam:UpdateRole"],
        ),
        drift(
            "role tag changed",
            [role(
                "TagRole",
                json!({ "Tags": [{ "Key": "team", "Value": "search" }] }),
            )],
            &[],
            &["iam:TagRole"],
        ),
        drift(
            "role tag added",
            [role(
                "TagRole",
                json!({ "Tags": [{ "Key": "cost", "Value": "7" }] }),
            )],
            &[],
            &["iam:UntagRole"],
        ),
        drift(
            "role tag removed",
            [role("UntagRole", json!({ "TagKeys": ["team"] }))],
            &[],
            &["iam:TagRole"],
        ),
        drift(
            "role mark removed",
            [role("UntagRole", json!({ "TagKeys": ["provision:owner"] }))],
            &["adopts"],
            &["iam:TagRole"],
        ),
        drift(
            "role marked by another project",
            [role(
                "TagRole",
                json!({ "Tags": [
                { "Key": "provision:owner", "Value": "front-end@us-east-2" }] }),
            )],
            &["foreign"],
            &["iam:TagRole"],
        ),
    ]
}

fn what_the_role_has() -> Vec<Drift> {
    let administrator = json!({ "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess" });
    let execution = |operation, name: &str, document: Option<String>| {
        let mut input = json!({ "RoleName": "ecsTaskExecutionRole", "PolicyName": name });
        if let Some(document) = document {
            input["PolicyDocument"] = json!(document);
        }
        iam(operation, input)
    };
    let boundary =
        json!({ "PermissionsBoundary": "arn:aws:iam::aws:policy/AmazonSSMReadOnlyAccess" });
    vec![
        drift(
            "extra attachment",
            [role("AttachRolePolicy", administrator)],
            &[],
            &["iam:DetachRolePolicy"],
        ),
        drift(
            "attachment removed",
            [role("DetachRolePolicy", json!({ "PolicyArn": POLICY }))],
            &[],
            &["iam:AttachRolePolicy"],
        ),
        drift(
            "extra inline policy",
            [execution(
                "PutRolePolicy",
                "debug",
                Some(allow(&json!("s3:*"), &json!("*"))),
            )],
            &[],
            &["iam:DeleteRolePolicy"],
        ),
        drift(
            "inline policy widened",
            [execution(
                "PutRolePolicy",
                "read-jwt-secret",
                Some(allow(&json!("secretsmanager:GetSecretValue"), &json!("*"))),
            )],
            &[],
            &["iam:PutRolePolicy"],
        ),
        drift(
            "inline policy removed",
            [execution("DeleteRolePolicy", "read-jwt-secret", None)],
            &[],
            &["iam:PutRolePolicy"],
        ),
        drift(
            "boundary added",
            [role("PutRolePermissionsBoundary", boundary)],
            &["broadens"],
            &["iam:DeleteRolePermissionsBoundary"],
        ),
    ]
}

fn provider() -> Vec<Drift> {
    let provider = |operation, mut input: Value| {
        input["OpenIDConnectProviderArn"] = json!(PROVIDER);
        iam(operation, input)
    };
    vec![
        drift(
            "client id added",
            [provider(
                "AddClientIDToOpenIDConnectProvider",
                json!({ "ClientID": "https://github.com/somebody" }),
            )],
            &[],
            &["iam:RemoveClientIDFromOpenIDConnectProvider"],
        ),
        drift(
            "client id removed",
            [provider(
                "RemoveClientIDFromOpenIDConnectProvider",
                json!({ "ClientID": "sts.amazonaws.com" }),
            )],
            &[],
            &["iam:AddClientIDToOpenIDConnectProvider"],
        ),
        drift(
            "declared thumbprint changed",
            [provider(
                "UpdateOpenIDConnectProviderThumbprint",
                json!({ "ThumbprintList": ["1c58a3a8518e8759bf075b76b750d4f2df264fcd"] }),
            )],
            &[],
            &["iam:UpdateOpenIDConnectProviderThumbprint"],
        ),
        drift(
            "provider tag changed",
            [provider(
                "TagOpenIDConnectProvider",
                json!({ "Tags": [{ "Key": "team", "Value": "search" }] }),
            )],
            &[],
            &["iam:TagOpenIDConnectProvider"],
        ),
        drift(
            "provider deleted",
            [provider("DeleteOpenIDConnectProvider", json!({}))],
            &[],
            &["iam:CreateOpenIDConnectProvider"],
        ),
    ]
}

/// Documents that mean the same in other words.
pub(crate) fn same_meaning() -> Vec<Drift> {
    let mut apart: Vec<Value> = PUSH
        .iter()
        .rev()
        .map(|action| json!({ "Resource": [REPOSITORY], "Action": [action], "Effect": "Allow" }))
        .collect();
    apart.push(
        json!({ "Sid": "Login", "Effect": "Allow", "Action": ["ECR:getauthorizationtoken"],
        "Resource": ["*"] }),
    );
    let secrets = ["production", "staging"].map(|environment| {
        format!(
            "arn:aws:secretsmanager:us-east-2:633607774026:secret:back-end/{environment}/\
             jwt-secret-key-??????"
        )
    });
    let inline = json!({ "RoleName": "ecsTaskExecutionRole", "PolicyName": "read-jwt-secret",
        "PolicyDocument": allow(&json!(["secretsmanager:GetSecretValue"]), &json!(secrets)) });
    vec![
        drift(
            "a statement for each action",
            [version_of(
                &json!({ "Version": "2012-10-17", "Statement": apart }),
            )],
            &[],
            &[],
        ),
        drift(
            "the trust with a list of one",
            [set_trust(&json!(["repo:operationcode/back-end:*"]))],
            &[],
            &[],
        ),
        drift(
            "the trust with a pattern that another covers",
            [set_trust(&json!([
                "repo:operationcode/back-end:*",
                "repo:operationcode/back-end:ref:refs/heads/main"
            ]))],
            &[],
            &[],
        ),
        drift(
            "the inline policy in another order",
            [iam("PutRolePolicy", inline)],
            &[],
            &[],
        ),
    ]
}

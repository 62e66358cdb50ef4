//! AWS's own managed policies: a few whose documents matter to a pipeline, and a placeholder for
//! every other name, since an account may attach any of a thousand.

use serde_json::{Value, json};

use super::super::store::Table;
use super::super::world::{Members as _, World, last_part};

/// The documents that the sandbox knows: path, name, document.
const KNOWN: [(&str, &str, &str); 6] = [
    (
        "/service-role/",
        "AmazonECSTaskExecutionRolePolicy",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:GetAuthorizationToken","ecr:BatchCheckLayerAvailability","ecr:GetDownloadUrlForLayer","ecr:BatchGetImage","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]}"#,
    ),
    (
        "/",
        "AdministratorAccess",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
    ),
    (
        "/",
        "AmazonEC2ContainerRegistryReadOnly",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:GetAuthorizationToken","ecr:BatchCheckLayerAvailability","ecr:GetDownloadUrlForLayer","ecr:GetRepositoryPolicy","ecr:DescribeRepositories","ecr:ListImages","ecr:DescribeImages","ecr:BatchGetImage","ecr:GetLifecyclePolicy","ecr:GetLifecyclePolicyPreview","ecr:ListTagsForResource","ecr:DescribeImageScanFindings"],"Resource":"*"}]}"#,
    ),
    (
        "/",
        "AmazonEC2ContainerRegistryPowerUser",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:GetAuthorizationToken","ecr:BatchCheckLayerAvailability","ecr:GetDownloadUrlForLayer","ecr:GetRepositoryPolicy","ecr:DescribeRepositories","ecr:ListImages","ecr:DescribeImages","ecr:BatchGetImage","ecr:GetLifecyclePolicy","ecr:GetLifecyclePolicyPreview","ecr:ListTagsForResource","ecr:DescribeImageScanFindings","ecr:InitiateLayerUpload","ecr:UploadLayerPart","ecr:CompleteLayerUpload","ecr:PutImage"],"Resource":"*"}]}"#,
    ),
    (
        "/",
        "AmazonSSMReadOnlyAccess",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ssm:Describe*","ssm:Get*","ssm:List*"],"Resource":"*"}]}"#,
    ),
    (
        "/",
        "CloudWatchLogsFullAccess",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:*","cloudwatch:GenerateQuery"],"Resource":"*"}]}"#,
    ),
];

/// In the place of the document of an unknown AWS managed policy, which is never given out.
const PLACEHOLDER: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:GetCallerIdentity","Resource":"*"}]}"#;

/// Whether an ARN is that of an AWS managed policy.
pub(super) fn is_aws(arn: &str) -> bool {
    arn.split(':').nth(4) == Some("aws")
        && arn
            .split(':')
            .nth(5)
            .is_some_and(|rest| rest.starts_with("policy/"))
}

/// Whether a policy may be attached.
pub(super) fn exists(arn: &str, world: &World<'_>) -> bool {
    find(arn, world).is_some()
}

/// The policy of that ARN: the account's own, or AWS's. A known name under another path is no
/// policy; an unknown name resolves to a placeholder.
pub(super) fn find(arn: &str, world: &World<'_>) -> Option<Value> {
    if !is_aws(arn) {
        let policy = world
            .store
            .get(Table::Policy, &last_part(arn).to_lowercase())?;
        return (policy.str("Arn") == arn).then(|| policy.clone());
    }
    let resource = arn.split_once(":policy").map(|(_, resource)| resource)?;
    let name = last_part(arn);
    let path = resource.strip_suffix(name)?;
    match KNOWN.iter().find(|row| row.1 == name) {
        Some(row) if row.0 != path => None,
        Some(row) => Some(record(arn, path, name, row.2)),
        None => Some(record(arn, path, name, PLACEHOLDER)),
    }
}

/// Whether the sandbox knows what an AWS managed policy says; it gives out no other document.
pub(super) fn is_known(arn: &str) -> bool {
    KNOWN.iter().any(|row| row.1 == last_part(arn))
}

/// The AWS managed policies that a list shows.
pub(super) fn known(world: &World<'_>) -> Vec<Value> {
    let partition = world.partition();
    let arn =
        |row: &(&str, &str, &str)| format!("arn:{partition}:iam::aws:policy{}{}", row.0, row.1);
    let mut rows: Vec<Value> = KNOWN
        .iter()
        .map(|row| record(&arn(row), row.0, row.1, row.2))
        .collect();
    rows.sort_by(|left, right| left.str("PolicyName").cmp(right.str("PolicyName")));
    rows
}

fn record(arn: &str, path: &str, name: &str, document: &str) -> Value {
    // Every one of them dates from the year 2015 here: the dates mean nothing to anyone.
    const DATE: &str = "2015-11-16T18:48:22Z";
    let id = super::super::random::hash(0, name);
    let letters = super::super::random::letters(id, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17);
    json!({
        "PolicyName": name,
        "PolicyId": format!("ANPA{letters}"),
        "Arn": arn,
        "Path": path,
        "DefaultVersionId": "v1",
        "IsAttachable": true,
        "CreateDate": DATE,
        "UpdateDate": DATE,
        "_versions": [{ "VersionId": "v1", "IsDefaultVersion": true, "CreateDate": DATE, "Document": document }],
    })
}

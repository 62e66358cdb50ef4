//! ECR, Logs, Secrets Manager, SSM, the tagging API, and the state file.

use std::sync::Arc;

use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata as _;

use super::super::{Fault, FaultKind, Sandbox, Script, Service};
use super::{ACCOUNT, config, sandbox};
use crate::clock::VirtualClock;

#[tokio::test]
async fn a_repository_keeps_its_policies_and_refuses_what_ecr_refuses() {
    let sandbox = sandbox();
    let ecr = aws_sdk_ecr::Client::new(&config(&sandbox));
    ecr.create_repository()
        .repository_name("a/b")
        .send()
        .await
        .unwrap();
    let both = ecr
        .describe_repositories()
        .repository_names("a/b")
        .repository_names("c")
        .send()
        .await;
    assert!(
        both.unwrap_err()
            .into_service_error()
            .is_repository_not_found_exception()
    );
    let none = ecr
        .get_lifecycle_policy()
        .repository_name("a/b")
        .send()
        .await
        .unwrap_err();
    assert!(
        none.into_service_error()
            .is_lifecycle_policy_not_found_exception()
    );
    let good = r#"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":5},"action":{"type":"expire"}}]}"#;
    ecr.put_lifecycle_policy()
        .repository_name("a/b")
        .lifecycle_policy_text(good)
        .send()
        .await
        .unwrap();
    let bad = good.replace("untagged", "tagged");
    assert!(
        ecr.put_lifecycle_policy()
            .repository_name("a/b")
            .lifecycle_policy_text(bad)
            .send()
            .await
            .is_err()
    );
    let read = ecr
        .get_lifecycle_policy()
        .repository_name("a/b")
        .send()
        .await
        .unwrap();
    assert_eq!(read.lifecycle_policy_text(), Some(good));
}

#[tokio::test]
async fn a_repository_with_images_is_deleted_by_force_only() {
    let sandbox = sandbox();
    let ecr = aws_sdk_ecr::Client::new(&config(&sandbox));
    let create = ecr.create_repository().repository_name("a/b");
    create.send().await.unwrap();
    let manifest = r#"{"schemaVersion":2,"layers":[]}"#;
    ecr.put_image()
        .repository_name("a/b")
        .image_manifest(manifest)
        .image_tag("x")
        .send()
        .await
        .unwrap();
    let full = ecr
        .delete_repository()
        .repository_name("a/b")
        .send()
        .await
        .unwrap_err();
    assert!(
        full.into_service_error()
            .is_repository_not_empty_exception()
    );
    ecr.delete_repository()
        .repository_name("a/b")
        .force(true)
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_secret_is_made_once_and_keeps_its_previous_value() {
    let sandbox = sandbox();
    let secrets = aws_sdk_secretsmanager::Client::new(&config(&sandbox));
    let create = secrets
        .create_secret()
        .name("a/key")
        .secret_string("canary")
        .client_request_token("token-1");
    let arn = create.clone().send().await.unwrap().arn.unwrap();
    assert_eq!(create.send().await.unwrap().arn.unwrap(), arn);
    assert!(
        secrets
            .create_secret()
            .name("a/key")
            .send()
            .await
            .unwrap_err()
            .into_service_error()
            .is_resource_exists_exception()
    );
    secrets
        .put_secret_value()
        .secret_id(&arn)
        .secret_string("two")
        .send()
        .await
        .unwrap();
    let previous = secrets
        .get_secret_value()
        .secret_id("a/key")
        .version_stage("AWSPREVIOUS")
        .send()
        .await
        .unwrap();
    assert_eq!(previous.secret_string(), Some("canary"));
}

#[tokio::test]
async fn a_secret_that_is_deleted_can_be_restored_until_its_time_is_over() {
    let clock = Arc::new(VirtualClock::default());
    let sandbox = Sandbox::in_memory(ACCOUNT, "us-east-2", Arc::<VirtualClock>::clone(&clock));
    let secrets = aws_sdk_secretsmanager::Client::new(&config(&sandbox));
    let create = secrets.create_secret().name("a/key");
    create.secret_string("canary").send().await.unwrap();
    secrets
        .delete_secret()
        .secret_id("a/key")
        .recovery_window_in_days(7)
        .send()
        .await
        .unwrap();
    let refused = secrets
        .create_secret()
        .name("a/key")
        .send()
        .await
        .unwrap_err();
    assert!(refused.into_service_error().is_invalid_request_exception());
    secrets
        .restore_secret()
        .secret_id("a/key")
        .send()
        .await
        .unwrap();
    secrets
        .delete_secret()
        .secret_id("a/key")
        .recovery_window_in_days(7)
        .send()
        .await
        .unwrap();
    clock.advance(std::time::Duration::from_hours(8 * 24));
    let gone = secrets
        .describe_secret()
        .secret_id("a/key")
        .send()
        .await
        .unwrap_err();
    assert!(gone.into_service_error().is_resource_not_found_exception());
    assert!(!format!("{:?}", sandbox.take_trace()).contains("canary"));
}

#[tokio::test]
async fn tags_of_all_services_come_in_one_list_by_region() {
    let sandbox = sandbox();
    let logs = aws_sdk_cloudwatchlogs::Client::new(&config(&sandbox));
    logs.create_log_group()
        .log_group_name("/a")
        .tags("provision:owner", "x@y")
        .send()
        .await
        .unwrap();
    let document =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    let tag = serde_json::json!([{ "Key": "provision:owner", "Value": "x@y" }]);
    let policy = serde_json::json!({ "PolicyName": "P", "PolicyDocument": document, "Tags": tag });
    sandbox.ask(Service::Iam, "CreatePolicy", policy).unwrap();
    for (region, end) in [("us-east-2", "log-group:/a"), ("us-east-1", "policy/P")] {
        let region = aws_types::region::Region::new(region);
        let config = config(&sandbox).to_builder().region(region).build();
        let tagging = aws_sdk_resourcegroupstagging::Client::new(&config);
        let filter = aws_sdk_resourcegroupstagging::types::TagFilter::builder()
            .key("provision:owner")
            .values("x@y")
            .build();
        let found = tagging
            .get_resources()
            .tag_filters(filter)
            .send()
            .await
            .unwrap();
        let arns: Vec<&str> = found
            .resource_tag_mapping_list()
            .iter()
            .filter_map(|one| one.resource_arn())
            .collect();
        assert!(arns.len() == 1 && arns[0].ends_with(end), "{arns:?}");
    }
    assert!(
        logs.put_retention_policy()
            .log_group_name("/a")
            .retention_in_days(2)
            .send()
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_lock_is_taken_once() {
    let sandbox = sandbox();
    let ssm = aws_sdk_ssm::Client::new(&config(&sandbox));
    let put = ssm
        .put_parameter()
        .name("/provision/a")
        .value("me")
        .r#type(aws_sdk_ssm::types::ParameterType::String);
    put.clone().send().await.unwrap();
    assert!(
        put.send()
            .await
            .unwrap_err()
            .into_service_error()
            .is_parameter_already_exists()
    );
    ssm.delete_parameter()
        .name("/provision/a")
        .send()
        .await
        .unwrap();
    assert!(
        ssm.get_parameter()
            .name("/provision/a")
            .send()
            .await
            .unwrap_err()
            .into_service_error()
            .is_parameter_not_found()
    );
}

#[tokio::test]
async fn faults_of_json_services_are_read_by_the_sdk() {
    let sandbox = sandbox();
    let logs = aws_sdk_cloudwatchlogs::Client::new(&config(&sandbox));
    for (kind, code) in [
        (FaultKind::Throttled, Some("ThrottlingException")),
        (FaultKind::AccessDenied, Some("AccessDeniedException")),
        (FaultKind::UnknownError, Some("SandboxStrangeness")),
        (
            FaultKind::UnknownOperation,
            Some("UnknownOperationException"),
        ),
        (FaultKind::LostReply, None),
        (FaultKind::ResetBefore, None),
        (FaultKind::TruncatedBody, None),
    ] {
        sandbox.play(Script::of(vec![Fault::at(1, kind)]));
        let error = logs.describe_log_groups().send().await.unwrap_err();
        assert_eq!(error.code(), code, "{kind:?}");
    }
    sandbox.play(Script::of(vec![Fault::at(1, FaultKind::UnknownValues)]));
    logs.describe_log_groups().send().await.unwrap();
}

#[tokio::test]
async fn the_state_file_holds_everything_for_the_next_run() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deep/sandbox.json");
    let open = || {
        Sandbox::open(
            &path,
            ACCOUNT,
            "us-east-2",
            Arc::new(VirtualClock::default()),
        )
        .unwrap()
    };
    let (first, second) = (open(), open());
    for (sandbox, name) in [(&first, "/a"), (&second, "/b"), (&first, "/c")] {
        sandbox
            .ask(
                Service::Logs,
                "CreateLogGroup",
                serde_json::json!({ "logGroupName": name }),
            )
            .unwrap();
    }
    let groups = open()
        .ask(Service::Logs, "DescribeLogGroups", serde_json::json!({}))
        .unwrap();
    assert_eq!(groups["logGroups"].as_array().unwrap().len(), 3);
    assert!(open().snapshot() == first.snapshot());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}

#[test]
fn a_script_is_read_as_its_documentation_writes_it() {
    let text = include_str!("../faults.rs");
    let example = text.split("```").nth(1).unwrap().trim_start_matches("toml");
    let example: String = example
        .lines()
        .map(|line| line.trim_start_matches("//!"))
        .collect::<Vec<_>>()
        .join("\n");
    let script: Script = toml::from_str(&example).unwrap();
    assert_eq!(
        (script.fault.len(), script.rollout.len(), script.seed),
        (1, 1, 7)
    );
    assert!(toml::from_str::<Script>("fault = [{ kind = \"no_such\" }]").is_err());
    assert!(toml::from_str::<Script>("[stale]\nshape = \"missing\"\nreads = \"forever\"").is_ok());
}

#[test]
fn the_same_requests_give_the_same_bytes() {
    let run = || {
        let sandbox = sandbox();
        for name in ["a", "b"] {
            sandbox
                .ask(
                    Service::Ecs,
                    "CreateCluster",
                    serde_json::json!({ "clusterName": name }),
                )
                .unwrap();
            sandbox
                .ask(
                    Service::SecretsManager,
                    "CreateSecret",
                    serde_json::json!({ "Name": name }),
                )
                .unwrap();
        }
        serde_json::to_string(&sandbox.snapshot()).unwrap()
    };
    assert_eq!(run(), run());
}

/// 5,000 roles and 2,000 policies, a hundred at a time.
#[tokio::test]
async fn a_large_account_pages_fast() {
    let sandbox = sandbox();
    let trust = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;
    let grant =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    for number in 0..5000 {
        let name = format!("role-{number}");
        let role = serde_json::json!({ "RoleName": name, "AssumeRolePolicyDocument": trust });
        sandbox.ask(Service::Iam, "CreateRole", role).unwrap();
        if number % 5 < 2 {
            let policy = serde_json::json!({ "PolicyName": name, "PolicyDocument": grant });
            let made = sandbox.ask(Service::Iam, "CreatePolicy", policy).unwrap();
            let attach =
                serde_json::json!({ "RoleName": name, "PolicyArn": made["Policy"]["Arn"] });
            sandbox
                .ask(Service::Iam, "AttachRolePolicy", attach)
                .unwrap();
        }
    }
    let iam = aws_sdk_iam::Client::new(&config(&sandbox));
    let begun = std::time::Instant::now();
    let (mut roles, mut policies, mut marker) = (0, 0, None);
    loop {
        let page = iam
            .get_account_authorization_details()
            .set_marker(marker)
            .send()
            .await
            .unwrap();
        roles += page.role_detail_list().len();
        policies += page.policies().len();
        marker = page.marker;
        if marker.is_none() {
            break;
        }
    }
    assert_eq!((roles, policies), (5000, 2000));
    // Unoptimised and on a busy machine; the release build needs a tenth of it.
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    println!("70 pages in {:?}", begun.elapsed());
}

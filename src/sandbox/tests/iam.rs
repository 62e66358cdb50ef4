//! IAM and STS.

use super::super::{Fault, FaultKind, Script, Shape, Stale, Times};
use super::{config, sandbox};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

fn client(sandbox: &super::Sandbox) -> aws_sdk_iam::Client {
    aws_sdk_iam::Client::new(&config(sandbox))
}

async fn create(iam: &aws_sdk_iam::Client, name: &str) {
    iam.create_role()
        .role_name(name)
        .assume_role_policy_document(TRUST)
        .send()
        .await
        .unwrap();
}

/// The error code of a refused request.
macro_rules! code {
    ($result:expr) => {
        aws_sdk_iam::error::ProvideErrorMetadata::code(&$result.unwrap_err())
            .unwrap_or_default()
            .to_owned()
    };
}

#[tokio::test]
async fn a_role_is_read_back_as_it_was_made() {
    let sandbox = sandbox();
    let iam = client(&sandbox);
    let tag = aws_sdk_iam::types::Tag::builder()
        .key("provision:owner")
        .value("a@b")
        .build()
        .unwrap();
    let request = iam
        .create_role()
        .role_name("Web")
        .assume_role_policy_document(TRUST)
        .description("x & y")
        .tags(tag);
    request.send().await.unwrap();
    let role = iam
        .get_role()
        .role_name("web")
        .send()
        .await
        .unwrap()
        .role
        .unwrap();
    assert_eq!(role.arn, "arn:aws:iam::633607774026:role/Web");
    assert_eq!(role.description.unwrap(), "x & y");
    assert_eq!(role.max_session_duration, Some(3600));
    assert_eq!(role.tags.unwrap()[0].value, "a@b");
    assert!(
        role.assume_role_policy_document
            .unwrap()
            .starts_with("%7B%22Version%22")
    );
    assert_eq!(
        code!(
            iam.create_role()
                .role_name("WEB")
                .assume_role_policy_document(TRUST)
                .send()
                .await
        ),
        "EntityAlreadyExists"
    );
    assert_eq!(
        code!(iam.get_role().role_name("other").send().await),
        "NoSuchEntity"
    );
    let bad = iam
        .create_role()
        .role_name("x")
        .assume_role_policy_document("{}")
        .send()
        .await;
    assert_eq!(code!(bad), "MalformedPolicyDocument");
}

#[tokio::test]
async fn a_policy_has_five_versions_and_is_not_deleted_while_attached() {
    let sandbox = sandbox();
    let iam = client(&sandbox);
    create(&iam, "Web").await;
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    let policy = iam
        .create_policy()
        .policy_name("P")
        .policy_document(text)
        .send()
        .await
        .unwrap()
        .policy
        .unwrap();
    let arn = policy.arn.unwrap();
    iam.attach_role_policy()
        .role_name("Web")
        .policy_arn(&arn)
        .send()
        .await
        .unwrap();
    for _ in 0..4 {
        iam.create_policy_version()
            .policy_arn(&arn)
            .policy_document(text)
            .set_as_default(true)
            .send()
            .await
            .unwrap();
    }
    let sixth = iam
        .create_policy_version()
        .policy_arn(&arn)
        .policy_document(text)
        .send()
        .await;
    assert_eq!(code!(sixth), "LimitExceeded");
    assert_eq!(
        code!(iam.delete_policy().policy_arn(&arn).send().await),
        "DeleteConflict"
    );
    assert_eq!(
        code!(iam.delete_role().role_name("Web").send().await),
        "DeleteConflict"
    );
    let details = iam
        .get_account_authorization_details()
        .send()
        .await
        .unwrap();
    assert_eq!(
        details.role_detail_list()[0].attached_managed_policies()[0].policy_arn(),
        Some(arn.as_str())
    );
    assert_eq!(details.policies()[0].policy_version_list().len(), 5);
    assert_eq!(details.policies()[0].default_version_id(), Some("v5"));
}

#[tokio::test]
async fn pages_join_to_the_whole_list_in_any_order() {
    let sandbox = sandbox();
    let iam = client(&sandbox);
    for number in 0..7 {
        create(&iam, &format!("role-{number}")).await;
    }
    sandbox.play(Script {
        page_size: Some(2),
        shuffle: true,
        seed: 3,
        ..Script::default()
    });
    let (mut names, mut marker) = (Vec::new(), None);
    loop {
        let page = iam.list_roles().set_marker(marker).send().await.unwrap();
        assert!(page.roles().len() <= 2);
        names.extend(page.roles().iter().map(|role| role.role_name().to_owned()));
        marker = page.marker;
        if !page.is_truncated {
            break;
        }
    }
    assert!(!names.is_sorted());
    names.sort();
    assert_eq!(
        names,
        (0..7)
            .map(|number| format!("role-{number}"))
            .collect::<Vec<_>>()
    );
    assert_eq!(
        code!(iam.list_roles().marker("nonsense").send().await),
        "ValidationError"
    );
}

#[tokio::test]
async fn faults_speak_xml_and_crashes_end_the_process() {
    let sandbox = sandbox();
    let iam = client(&sandbox);
    for (kind, expected) in [
        (FaultKind::Throttled, "Throttling"),
        (FaultKind::InternalBefore, "ServiceFailure"),
        (FaultKind::AccessDenied, "AccessDenied"),
        (FaultKind::ConcurrentModification, "ConcurrentModification"),
        (FaultKind::DeleteConflict, "DeleteConflict"),
        (FaultKind::Unsettled, "MalformedPolicyDocument"),
        (FaultKind::UnknownError, "SandboxStrangeness"),
    ] {
        sandbox.play(Script::of(vec![Fault::on("iam:CreateRole", kind)]));
        let role = iam
            .create_role()
            .role_name("Web")
            .assume_role_policy_document(TRUST);
        assert_eq!(code!(role.send().await), expected);
        assert_eq!(
            code!(iam.get_role().role_name("Web").send().await),
            "NoSuchEntity"
        );
    }
    sandbox.play(Script::of(vec![Fault::at(2, FaultKind::CrashAfter)]));
    create(&iam, "first").await;
    let second = iam
        .create_role()
        .role_name("second")
        .assume_role_policy_document(TRUST)
        .send()
        .await;
    assert!(sandbox.crashed() && second.is_err());
    assert!(iam.get_role().role_name("first").send().await.is_err());
    sandbox.revive();
    assert!(iam.get_role().role_name("second").send().await.is_ok());
    let trace = sandbox.take_trace();
    assert_eq!(
        trace.last().map(|entry| entry.operation.as_str()),
        Some("GetRole")
    );
}

#[tokio::test]
async fn reads_lag_behind_writes_where_the_script_says_so() {
    let sandbox = sandbox();
    let iam = client(&sandbox);
    create(&iam, "Web").await;
    for (shape, expected) in [
        (Shape::Previous, Some(3600)),
        (Shape::Missing, None),
        (Shape::Phantom, Some(7200)),
    ] {
        iam.update_role()
            .role_name("Web")
            .max_session_duration(3600)
            .send()
            .await
            .unwrap();
        let stale = Stale {
            operation: "iam:*".into(),
            shape,
            reads: Times::Count(2),
            nth: None,
        };
        sandbox.play(Script {
            stale: Some(stale),
            ..Script::default()
        });
        iam.update_role()
            .role_name("Web")
            .max_session_duration(7200)
            .send()
            .await
            .unwrap();
        for _ in 0..2 {
            let read = iam.get_role().role_name("Web").send().await.ok();
            assert_eq!(
                read.and_then(|read| read.role.unwrap().max_session_duration),
                expected
            );
        }
        let read = iam.get_role().role_name("Web").send().await.unwrap();
        assert_eq!(read.role.unwrap().max_session_duration, Some(7200));
        sandbox.play(Script::default());
    }
}

#[tokio::test]
async fn a_principal_that_was_made_anew_shows_as_its_old_id() {
    let sandbox = sandbox();
    let iam = client(&sandbox);
    create(&iam, "deployer").await;
    let trust = TRUST.replace(
        "\"Service\":\"ecs-tasks.amazonaws.com\"",
        "\"AWS\":\"arn:aws:iam::633607774026:role/deployer\"",
    );
    let missing = trust.replace("deployer", "nobody");
    let refused = iam
        .create_role()
        .role_name("Web")
        .assume_role_policy_document(missing)
        .send()
        .await;
    assert_eq!(code!(refused), "MalformedPolicyDocument");
    iam.create_role()
        .role_name("Web")
        .assume_role_policy_document(&trust)
        .send()
        .await
        .unwrap();
    iam.delete_role()
        .role_name("deployer")
        .send()
        .await
        .unwrap();
    create(&iam, "deployer").await;
    let role = iam
        .get_role()
        .role_name("Web")
        .send()
        .await
        .unwrap()
        .role
        .unwrap();
    assert!(role.assume_role_policy_document.unwrap().contains("AROA"));
}

#[tokio::test]
async fn an_assumed_role_is_the_caller() {
    let sandbox = sandbox();
    create(&client(&sandbox), "Web").await;
    let sts = aws_sdk_sts::Client::new(&config(&sandbox));
    assert_eq!(
        sts.get_caller_identity().send().await.unwrap().account(),
        Some(super::ACCOUNT)
    );
    let role = "arn:aws:iam::633607774026:role/Web";
    let assumed = sts
        .assume_role()
        .role_arn(role)
        .role_session_name("s")
        .send()
        .await
        .unwrap();
    let keys = assumed.credentials.unwrap();
    let provider = aws_credential_types::Credentials::new(
        keys.access_key_id,
        keys.secret_access_key,
        None,
        None,
        "x",
    );
    let provider = aws_credential_types::provider::SharedCredentialsProvider::new(provider);
    let config = config(&sandbox)
        .to_builder()
        .credentials_provider(provider)
        .build();
    let caller = aws_sdk_sts::Client::new(&config)
        .get_caller_identity()
        .send()
        .await
        .unwrap();
    assert_eq!(
        caller.arn(),
        Some("arn:aws:sts::633607774026:assumed-role/Web/s")
    );
}

#[tokio::test]
async fn an_operation_that_is_not_played_is_refused_by_name() {
    let sandbox = sandbox();
    let refused = client(&sandbox)
        .list_mfa_devices()
        .send()
        .await
        .unwrap_err();
    let message = aws_sdk_iam::error::ProvideErrorMetadata::message(&refused)
        .unwrap_or_default()
        .to_owned();
    assert_eq!(message, "The sandbox does not play iam:ListMFADevices.");
}

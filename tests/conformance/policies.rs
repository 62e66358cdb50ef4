//! IAM's managed policies, their versions, and the quotas.

use aws_sdk_iam::Client;

use super::checks::{Checks, end, show};
use super::iam::{GRANT, MANAGED, arn, tag};

pub(crate) async fn policies(iam: &Client, checks: &mut Checks) {
    let create = |name: &str| iam.create_policy().policy_name(name).policy_document(GRANT);
    let made = create("Conform-P")
        .description("d")
        .tags(tag("provision:owner", "x@y"))
        .send()
        .await;
    checks.see(
        "policy/create",
        show(&made, |made| {
            made.policy().unwrap().arn().unwrap().to_owned()
        }),
        &arn("policy/Conform-P"),
    );
    checks.see(
        "policy/create again",
        end(&create("Conform-P").send().await),
        "EntityAlreadyExists",
    );
    let case = create("CONFORM-P").send().await;
    checks.see("policy/other case", end(&case), "EntityAlreadyExists");
    if case.is_ok() {
        let _ = iam
            .delete_policy()
            .policy_arn(arn("policy/CONFORM-P"))
            .send()
            .await;
    }
    let bad = iam
        .create_policy()
        .policy_name("Conform-Bad")
        .policy_document(r#"{"Version":"2012-10-17"}"#)
        .send()
        .await;
    checks.see("policy/no statement", end(&bad), "MalformedPolicyDocument");
    let with_principal = GRANT.replace("\"Resource\"", "\"Principal\":\"*\",\"Resource\"");
    let bad = iam
        .create_policy()
        .policy_name("Conform-Bad")
        .policy_document(with_principal)
        .send()
        .await;
    checks.see("policy/principal", end(&bad), "MalformedPolicyDocument");
    let own = arn("policy/Conform-P");
    let read = iam.get_policy().policy_arn(&own).send().await;
    let described = show(&read, |read| {
        let policy = read.policy().unwrap();
        format!(
            "{:?} {:?} {:?}",
            policy.default_version_id(),
            policy.description(),
            policy.tags().len()
        )
    });
    checks.see("policy/get", described, "Some(\"v1\") Some(\"d\") 1");
    versions(iam, checks).await;
}

async fn versions(iam: &Client, checks: &mut Checks) {
    let own = arn("policy/Conform-P");
    for number in 2..=5 {
        let version = iam
            .create_policy_version()
            .policy_arn(&own)
            .policy_document(GRANT)
            .set_as_default(number == 5);
        checks.see(
            &format!("policy/version {number}"),
            end(&version.send().await),
            "ok",
        );
    }
    let sixth = iam
        .create_policy_version()
        .policy_arn(&own)
        .policy_document(GRANT)
        .send()
        .await;
    checks.see("policy/sixth version", end(&sixth), "LimitExceeded");
    let listed = iam.list_policy_versions().policy_arn(&own).send().await;
    let ids = |listed: &aws_sdk_iam::operation::list_policy_versions::ListPolicyVersionsOutput| {
        let mut ids: Vec<&str> = listed
            .versions()
            .iter()
            .filter_map(|version| version.version_id())
            .collect();
        ids.sort_unstable();
        ids.join(" ")
    };
    checks.see("policy/versions", show(&listed, ids), "v1 v2 v3 v4 v5");
    let read = iam.get_policy().policy_arn(&own).send().await;
    checks.see(
        "policy/default",
        show(&read, |read| {
            format!("{:?}", read.policy().unwrap().default_version_id())
        }),
        "Some(\"v5\")",
    );
    let default = iam
        .delete_policy_version()
        .policy_arn(&own)
        .version_id("v5")
        .send()
        .await;
    checks.see(
        "policy/delete default version",
        end(&default),
        "DeleteConflict",
    );
    let _ = iam
        .create_policy()
        .policy_name("Conform-V")
        .policy_document(GRANT)
        .send()
        .await;
    version_deletions(iam, checks).await;
}

async fn version_deletions(iam: &Client, checks: &mut Checks) {
    let own = arn("policy/Conform-P");
    let versioned = arn("policy/Conform-V");
    let _ = iam
        .create_policy_version()
        .policy_arn(&versioned)
        .policy_document(GRANT)
        .send()
        .await;
    let whole = iam.delete_policy().policy_arn(&versioned).send().await;
    checks.see("policy/delete with versions", end(&whole), "DeleteConflict");
    let _ = iam
        .delete_policy_version()
        .policy_arn(&versioned)
        .version_id("v2")
        .send()
        .await;
    let _ = iam.delete_policy().policy_arn(&versioned).send().await;
    let version = iam
        .delete_policy_version()
        .policy_arn(&own)
        .version_id("v1")
        .send()
        .await;
    checks.see("policy/delete version", end(&version), "ok");
    let gone = iam
        .get_policy_version()
        .policy_arn(&own)
        .version_id("v1")
        .send()
        .await;
    checks.see("policy/version gone", end(&gone), "NoSuchEntity");
    let next = iam
        .create_policy_version()
        .policy_arn(&own)
        .policy_document(GRANT)
        .send()
        .await;
    let id = show(&next, |next| {
        format!("{:?}", next.policy_version().unwrap().version_id())
    });
    checks.see("policy/numbers are not used twice", id, "Some(\"v6\")");
}

/// A grant whose resource has a name of that length.
fn wide(length: usize) -> String {
    GRANT.replace("\"*\"", &format!("\"arn:aws:s3:::{}\"", "b".repeat(length)))
}

pub(crate) async fn quotas(iam: &Client, checks: &mut Checks) {
    let large = iam
        .create_policy()
        .policy_name("Conform-Large")
        .policy_document(wide(7000))
        .send()
        .await;
    checks.see("policy/too large", end(&large), "LimitExceeded");
    let spaced = format!("{}{}", " ".repeat(7000), GRANT);
    let spaced = iam
        .create_policy()
        .policy_name("Conform-Spaced")
        .policy_document(spaced)
        .send()
        .await;
    checks.see("policy/white space is not counted", end(&spaced), "ok");
    let _ = iam
        .delete_policy()
        .policy_arn(arn("policy/Conform-Spaced"))
        .send()
        .await;
    let _ = iam
        .delete_policy()
        .policy_arn(arn("policy/Conform-Large"))
        .send()
        .await;
    role_quotas(iam, checks).await;
}

async fn role_quotas(iam: &Client, checks: &mut Checks) {
    let inline = iam
        .put_role_policy()
        .role_name("Conform-Web")
        .policy_name("big")
        .policy_document(wide(10_300))
        .send()
        .await;
    checks.see("inline/too large", end(&inline), "LimitExceeded");
    let _ = iam
        .delete_role_policy()
        .role_name("Conform-Web")
        .policy_name("big")
        .send()
        .await;
    for number in 0..10 {
        let made = iam
            .create_policy()
            .policy_name(format!("Conform-Q{number}"))
            .policy_document(GRANT)
            .send()
            .await;
        let _ = iam
            .attach_role_policy()
            .role_name("Conform-Web")
            .policy_arn(arn(&format!("policy/Conform-Q{number}")))
            .send()
            .await;
        assert!(made.is_ok());
    }
    let eleventh = iam
        .attach_role_policy()
        .role_name("Conform-Web")
        .policy_arn(MANAGED)
        .send()
        .await;
    checks.see("attachment/eleventh", end(&eleventh), "LimitExceeded");
    let _ = iam
        .detach_role_policy()
        .role_name("Conform-Web")
        .policy_arn(MANAGED)
        .send()
        .await;
    for number in 0..10 {
        let own = arn(&format!("policy/Conform-Q{number}"));
        let _ = iam
            .detach_role_policy()
            .role_name("Conform-Web")
            .policy_arn(&own)
            .send()
            .await;
        let _ = iam.delete_policy().policy_arn(&own).send().await;
    }
}

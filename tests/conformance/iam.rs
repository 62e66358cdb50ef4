//! IAM and STS.

use aws_sdk_iam::Client;
use aws_sdk_iam::types::{EntityType, Tag};
use aws_types::SdkConfig;

use super::checks::{Checks, end, show};

pub(crate) const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
pub(crate) const GRANT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
pub(crate) const MANAGED: &str =
    "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy";
const ISSUER: &str = "token.actions.githubusercontent.com";

pub(crate) fn arn(resource: &str) -> String {
    format!("arn:aws:iam::633607774026:{resource}")
}

pub(crate) fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().unwrap()
}

pub(crate) async fn run(config: &SdkConfig, checks: &mut Checks) {
    let iam = Client::new(config);
    roles(&iam, checks).await;
    role_names(&iam, checks).await;
    super::policies::policies(&iam, checks).await;
    super::policies::quotas(&iam, checks).await;
    attachments(&iam, checks).await;
    boundaries(&iam, checks).await;
    providers(&iam, checks).await;
    account(&iam, checks).await;
    deletions(&iam, checks).await;
    identity(config, checks).await;
}

async fn roles(iam: &Client, checks: &mut Checks) {
    let create = || {
        iam.create_role()
            .role_name("Conform-Web")
            .assume_role_policy_document(TRUST)
    };
    let made = create()
        .description("plain")
        .tags(tag("provision:owner", "x@y"))
        .send()
        .await;
    checks.see(
        "role/create",
        show(&made, |made| made.role().unwrap().arn().to_owned()),
        &arn("role/Conform-Web"),
    );
    checks.see(
        "role/create again",
        end(&create().send().await),
        "EntityAlreadyExists",
    );
    let read = iam.get_role().role_name("Conform-Web").send().await;
    let role = |part: fn(&aws_sdk_iam::types::Role) -> String| {
        show(&read, |read| part(read.role().unwrap()))
    };
    checks.see(
        "role/description",
        role(|role| role.description().unwrap_or_default().to_owned()),
        "plain",
    );
    checks.see(
        "role/session",
        role(|role| format!("{:?}", role.max_session_duration())),
        "Some(3600)",
    );
    checks.see(
        "role/tags",
        role(|role| role.tags()[0].value().to_owned()),
        "x@y",
    );
    checks.see("role/path", role(|role| role.path().to_owned()), "/");
    checks.see(
        "role/id",
        role(|role| role.role_id()[..4].to_owned()),
        "AROA",
    );
    let document =
        role(|role| role.assume_role_policy_document().unwrap_or_default()[..12].to_owned());
    checks.see("role/document is encoded", document, "%7B%22Versio");
    role_changes(iam, checks).await;
}

async fn role_changes(iam: &Client, checks: &mut Checks) {
    let missing = iam.get_role().role_name("Conform-None").send().await;
    checks.see("role/missing", end(&missing), "NoSuchEntity");
    let update = iam
        .update_role()
        .role_name("Conform-Web")
        .max_session_duration(7200)
        .send()
        .await;
    checks.see("role/update", end(&update), "ok");
    let read = iam.get_role().role_name("Conform-Web").send().await;
    let kept = show(&read, |read| {
        let role = read.role().unwrap();
        format!("{:?} {:?}", role.max_session_duration(), role.description())
    });
    checks.see(
        "role/update keeps the rest",
        kept,
        "Some(7200) Some(\"plain\")",
    );
    let odd = iam
        .create_role()
        .role_name("Conform-Odd")
        .assume_role_policy_document(TRUST);
    let odd = odd.description("a & b < c").send().await;
    checks.see(
        "role/description with markup",
        show(&odd, |odd| {
            odd.role()
                .unwrap()
                .description()
                .unwrap_or_default()
                .to_owned()
        }),
        "a & b < c",
    );
    let _ = iam.delete_role().role_name("Conform-Odd").send().await;
    let trust = TRUST.replace("ecs-tasks", "ec2");
    let update = iam
        .update_assume_role_policy()
        .role_name("Conform-Web")
        .policy_document(trust)
        .send()
        .await;
    checks.see("role/trust", end(&update), "ok");
    let tags = iam
        .tag_role()
        .role_name("Conform-Web")
        .tags(tag("a", "b"))
        .send()
        .await;
    checks.see("role/tag", end(&tags), "ok");
    let untag = iam
        .untag_role()
        .role_name("Conform-Web")
        .tag_keys("provision:owner")
        .send()
        .await;
    checks.see("role/untag", end(&untag), "ok");
    let left = iam.list_role_tags().role_name("Conform-Web").send().await;
    checks.see(
        "role/tags left",
        show(&left, |left| {
            format!("{} {}", left.tags().len(), left.tags()[0].key())
        }),
        "1 a",
    );
}

async fn role_names(iam: &Client, checks: &mut Checks) {
    let page = iam.list_roles().max_items(1).send().await;
    checks.see(
        "role/list pages",
        show(&page, |page| page.roles().len().to_string()),
        "1",
    );
    let case = iam
        .create_role()
        .role_name("CONFORM-WEB")
        .assume_role_policy_document(TRUST)
        .send()
        .await;
    checks.see("role/other case", end(&case), "EntityAlreadyExists");
    if case.is_ok() {
        let _ = iam.delete_role().role_name("CONFORM-WEB").send().await;
    }
    let long = iam
        .create_role()
        .role_name("x".repeat(65))
        .assume_role_policy_document(TRUST)
        .send()
        .await;
    checks.see("role/name too long", end(&long), "ValidationError");
    let odd = iam
        .create_role()
        .role_name("a/b")
        .assume_role_policy_document(TRUST)
        .send()
        .await;
    checks.see("role/name with slash", end(&odd), "ValidationError");
    let short = iam
        .create_role()
        .role_name("Conform-Short")
        .assume_role_policy_document(TRUST);
    checks.see(
        "role/session too short",
        end(&short.max_session_duration(60).send().await),
        "ValidationError",
    );
    for name in ["x".repeat(65), "a/b".to_owned(), "Conform-Short".to_owned()] {
        let _ = iam.delete_role().role_name(name).send().await;
    }
    for (check, document) in [
        ("role/trust no JSON", "{"),
        (
            "role/trust without statement",
            r#"{"Version":"2012-10-17"}"#,
        ),
        (
            "role/trust with resource",
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole","Resource":"*"}]}"#,
        ),
    ] {
        let bad = iam
            .create_role()
            .role_name("Conform-Bad")
            .assume_role_policy_document(document)
            .send()
            .await;
        checks.see(check, end(&bad), "MalformedPolicyDocument");
        let _ = iam.delete_role().role_name("Conform-Bad").send().await;
    }
    trust_in_nobody(iam, checks).await;
}

async fn trust_in_nobody(iam: &Client, checks: &mut Checks) {
    let principal = TRUST.replace(
        "\"Service\":\"ecs-tasks.amazonaws.com\"",
        &format!("\"AWS\":\"{}\"", arn("role/Nobody")),
    );
    let bad = iam
        .create_role()
        .role_name("Conform-Bad")
        .assume_role_policy_document(principal)
        .send()
        .await;
    checks.see("role/trust in nobody", end(&bad), "MalformedPolicyDocument");
    let _ = iam.delete_role().role_name("Conform-Bad").send().await;
}

async fn attachments(iam: &Client, checks: &mut Checks) {
    let own = arn("policy/Conform-P");
    for check in ["attachment/attach", "attachment/twice"] {
        let attach = iam
            .attach_role_policy()
            .role_name("Conform-Web")
            .policy_arn(&own)
            .send()
            .await;
        checks.see(check, end(&attach), "ok");
    }
    let managed = iam
        .attach_role_policy()
        .role_name("Conform-Web")
        .policy_arn(MANAGED)
        .send()
        .await;
    checks.see("attachment/of AWS", end(&managed), "ok");
    let path = iam
        .attach_role_policy()
        .role_name("Conform-Web")
        .policy_arn(MANAGED.replace("service-role/", ""))
        .send()
        .await;
    checks.see("attachment/wrong path", end(&path), "NoSuchEntity");
    let missing = iam
        .attach_role_policy()
        .role_name("Conform-Web")
        .policy_arn(arn("policy/None"))
        .send()
        .await;
    checks.see("attachment/missing policy", end(&missing), "NoSuchEntity");
    // Where these were let through they go again, so that what follows is judged by itself.
    for stray in [MANAGED.replace("service-role/", ""), arn("policy/None")] {
        let _ = iam
            .detach_role_policy()
            .role_name("Conform-Web")
            .policy_arn(stray)
            .send()
            .await;
    }
    attachment_lists(iam, checks).await;
}

async fn attachment_lists(iam: &Client, checks: &mut Checks) {
    let own = arn("policy/Conform-P");
    let listed = iam
        .list_attached_role_policies()
        .role_name("Conform-Web")
        .send()
        .await;
    let names = show(&listed, |listed| {
        let mut names: Vec<&str> = listed
            .attached_policies()
            .iter()
            .filter_map(|policy| policy.policy_name())
            .collect();
        names.sort_unstable();
        names.join(" ")
    });
    checks.see(
        "attachment/list",
        names,
        "AmazonECSTaskExecutionRolePolicy Conform-P",
    );
    let entities = iam.list_entities_for_policy().policy_arn(&own).send().await;
    let names = show(&entities, |entities| {
        entities.policy_roles()[0]
            .role_name()
            .unwrap_or_default()
            .to_owned()
    });
    checks.see("attachment/entities", names, "Conform-Web");
    let detach = iam
        .detach_role_policy()
        .role_name("Conform-Web")
        .policy_arn(arn("policy/None"))
        .send()
        .await;
    checks.see("attachment/detach missing", end(&detach), "NoSuchEntity");
    inline_policies(iam, checks).await;
}

async fn inline_policies(iam: &Client, checks: &mut Checks) {
    let inline = iam
        .put_role_policy()
        .role_name("Conform-Web")
        .policy_name("in")
        .policy_document(GRANT)
        .send()
        .await;
    checks.see("inline/put", end(&inline), "ok");
    let bad = iam
        .put_role_policy()
        .role_name("Conform-Web")
        .policy_name("bad")
        .policy_document("{}")
        .send()
        .await;
    checks.see("inline/malformed", end(&bad), "MalformedPolicyDocument");
    let read = iam
        .get_role_policy()
        .role_name("Conform-Web")
        .policy_name("in")
        .send()
        .await;
    checks.see(
        "inline/get",
        show(&read, |read| read.policy_document()[..3].to_owned()),
        "%7B",
    );
    let missing = iam
        .get_role_policy()
        .role_name("Conform-Web")
        .policy_name("none")
        .send()
        .await;
    checks.see("inline/missing", end(&missing), "NoSuchEntity");
    let listed = iam
        .list_role_policies()
        .role_name("Conform-Web")
        .send()
        .await;
    checks.see(
        "inline/list",
        show(&listed, |listed| listed.policy_names().join(" ")),
        "in",
    );
}

async fn boundaries(iam: &Client, checks: &mut Checks) {
    let own = arn("policy/Conform-P");
    let put = iam
        .put_role_permissions_boundary()
        .role_name("Conform-Web")
        .permissions_boundary(&own)
        .send()
        .await;
    checks.see("boundary/put", end(&put), "ok");
    let read = iam.get_role().role_name("Conform-Web").send().await;
    let shown = show(&read, |read| {
        let boundary = read.role().unwrap().permissions_boundary();
        boundary
            .and_then(|boundary| boundary.permissions_boundary_arn())
            .unwrap_or_default()
            .to_owned()
    });
    checks.see("boundary/get", shown, &own);
    let missing = iam
        .put_role_permissions_boundary()
        .role_name("Conform-Web")
        .permissions_boundary(arn("policy/None"));
    checks.see(
        "boundary/missing policy",
        end(&missing.send().await),
        "NoSuchEntity",
    );
    let delete = iam
        .delete_role_permissions_boundary()
        .role_name("Conform-Web")
        .send()
        .await;
    checks.see("boundary/delete", end(&delete), "ok");
}

async fn providers(iam: &Client, checks: &mut Checks) {
    let create = || {
        iam.create_open_id_connect_provider()
            .url(format!("https://{ISSUER}"))
            .client_id_list("sts.amazonaws.com")
    };
    let made = create().tags(tag("provision:owner", "x@y")).send().await;
    let own = arn(&format!("oidc-provider/{ISSUER}"));
    checks.see(
        "provider/create without thumbprints",
        show(&made, |made| {
            made.open_id_connect_provider_arn()
                .unwrap_or_default()
                .to_owned()
        }),
        &own,
    );
    checks.see(
        "provider/create again",
        end(&create().send().await),
        "EntityAlreadyExists",
    );
    provider_changes(iam, checks).await;
}

async fn provider_changes(iam: &Client, checks: &mut Checks) {
    let own = arn(&format!("oidc-provider/{ISSUER}"));
    let plain = iam
        .create_open_id_connect_provider()
        .url("http://example.com")
        .send()
        .await;
    checks.see("provider/no https", end(&plain), "ValidationError");
    let add = iam
        .add_client_id_to_open_id_connect_provider()
        .open_id_connect_provider_arn(&own)
        .client_id("other")
        .send()
        .await;
    checks.see("provider/add client", end(&add), "ok");
    let remove = iam
        .remove_client_id_from_open_id_connect_provider()
        .open_id_connect_provider_arn(&own)
        .client_id("none");
    checks.see(
        "provider/remove unknown client",
        end(&remove.send().await),
        "ok",
    );
    let read = iam
        .get_open_id_connect_provider()
        .open_id_connect_provider_arn(&own)
        .send()
        .await;
    let shown = show(&read, |read| {
        let mut clients = read.client_id_list().to_vec();
        clients.sort();
        format!(
            "{} {} {}",
            read.url().unwrap_or_default(),
            clients.join(" "),
            read.tags().len()
        )
    });
    checks.see(
        "provider/get",
        shown,
        &format!("{ISSUER} other sts.amazonaws.com 1"),
    );
    let missing = iam
        .get_open_id_connect_provider()
        .open_id_connect_provider_arn(arn("oidc-provider/none.example"))
        .send()
        .await;
    checks.see("provider/missing", end(&missing), "NoSuchEntity");
    let delete = iam
        .delete_open_id_connect_provider()
        .open_id_connect_provider_arn(&own)
        .send()
        .await;
    checks.see("provider/delete", end(&delete), "ok");
}

async fn account(iam: &Client, checks: &mut Checks) {
    let summary = iam.get_account_summary().send().await;
    let quota = show(&summary, |summary| {
        let quotas = summary.summary_map().unwrap();
        let value = |name: &str| {
            quotas
                .iter()
                .find(|(key, _)| key.as_str() == name)
                .map(|(_, value)| *value)
        };
        format!(
            "{:?} {:?}",
            value("PolicySizeQuota"),
            value("VersionsPerPolicyQuota")
        )
    });
    checks.see("account/summary", quota, "Some(6144) Some(5)");
    let details = iam
        .get_account_authorization_details()
        .filter(EntityType::Role)
        .send()
        .await;
    let role = show(&details, |details| {
        let role = details
            .role_detail_list()
            .iter()
            .find(|role| role.role_name() == Some("Conform-Web"));
        role.map_or_else(String::new, |role| {
            let inline = role
                .role_policy_list()
                .first()
                .and_then(|policy| policy.policy_name())
                .unwrap_or_default();
            format!(
                "{} {} {inline}",
                role.tags().len(),
                role.attached_managed_policies().len()
            )
        })
    });
    checks.see("account/role details", role, "1 2 in");
    let details = iam
        .get_account_authorization_details()
        .filter(EntityType::LocalManagedPolicy)
        .send()
        .await;
    let policy = show(&details, |details| {
        let policy = details
            .policies()
            .iter()
            .find(|policy| policy.arn() == Some(&arn("policy/Conform-P")));
        policy.map_or_else(String::new, |policy| {
            format!(
                "{:?} {}",
                policy.policy_name(),
                policy.policy_version_list().len()
            )
        })
    });
    checks.see("account/policy details", policy, "Some(\"Conform-P\") 5");
}

async fn deletions(iam: &Client, checks: &mut Checks) {
    attached_policy(iam, checks).await;
    let own = arn("policy/Conform-P");
    let role = || iam.delete_role().role_name("Conform-Web");
    checks.see(
        "deletion/attached role",
        end(&role().send().await),
        "DeleteConflict",
    );
    for policy in [own.as_str(), MANAGED] {
        let _ = iam
            .detach_role_policy()
            .role_name("Conform-Web")
            .policy_arn(policy)
            .send()
            .await;
    }
    checks.see(
        "deletion/role with inline policy",
        end(&role().send().await),
        "DeleteConflict",
    );
    let inline = iam
        .delete_role_policy()
        .role_name("Conform-Web")
        .policy_name("in")
        .send()
        .await;
    checks.see("deletion/inline", end(&inline), "ok");
    let _ = iam
        .create_instance_profile()
        .instance_profile_name("Conform-I")
        .send()
        .await;
    let _ = iam
        .add_role_to_instance_profile()
        .instance_profile_name("Conform-I")
        .role_name("Conform-Web")
        .send()
        .await;
    checks.see(
        "deletion/role in a profile",
        end(&role().send().await),
        "DeleteConflict",
    );
    let _ = iam
        .remove_role_from_instance_profile()
        .instance_profile_name("Conform-I")
        .role_name("Conform-Web")
        .send()
        .await;
    checks.see("deletion/role", end(&role().send().await), "ok");
    checks.see(
        "deletion/role twice",
        end(&role().send().await),
        "NoSuchEntity",
    );
    managed_deletion(iam, checks).await;
}

async fn managed_deletion(iam: &Client, checks: &mut Checks) {
    let own = arn("policy/Conform-P");
    for version in ["v2", "v3", "v4", "v6"] {
        let _ = iam
            .delete_policy_version()
            .policy_arn(&own)
            .version_id(version)
            .send()
            .await;
    }
    checks.see(
        "deletion/policy",
        end(&iam.delete_policy().policy_arn(&own).send().await),
        "ok",
    );
}

async fn attached_policy(iam: &Client, checks: &mut Checks) {
    let own = arn("policy/Conform-D");
    let role = iam
        .create_role()
        .role_name("Conform-D")
        .assume_role_policy_document(TRUST);
    let _ = role.send().await;
    let _ = iam
        .create_policy()
        .policy_name("Conform-D")
        .policy_document(GRANT)
        .send()
        .await;
    let _ = iam
        .attach_role_policy()
        .role_name("Conform-D")
        .policy_arn(&own)
        .send()
        .await;
    let delete = iam.delete_policy().policy_arn(&own).send().await;
    checks.see("deletion/attached policy", end(&delete), "DeleteConflict");
    let _ = iam
        .detach_role_policy()
        .role_name("Conform-D")
        .policy_arn(&own)
        .send()
        .await;
    let _ = iam.delete_policy().policy_arn(&own).send().await;
    let _ = iam.delete_role().role_name("Conform-D").send().await;
}

async fn identity(config: &SdkConfig, checks: &mut Checks) {
    let sts = aws_sdk_sts::Client::new(config);
    let caller = sts.get_caller_identity().send().await;
    checks.see(
        "sts/account",
        show(&caller, |caller| {
            caller.account().unwrap_or_default().to_owned()
        }),
        "633607774026",
    );
    let role = arn("role/Conform-None");
    let assumed = sts
        .assume_role()
        .role_arn(role)
        .role_session_name("s")
        .send()
        .await;
    checks.see("sts/assume a missing role", end(&assumed), "AccessDenied");
}

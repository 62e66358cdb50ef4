//! The kinds of IAM through the SDK against the sandbox: what is declared is made, seen as it is,
//! changed, kept from others and removed.

use super::account::{TestAccount, scope};
use crate::kind::{Address, AnyKind, Hazard, Scope};
use crate::kinds::law::IamLaw;
use crate::kinds::{oidc_provider::OidcProvider, policy, policy::Policy, role, role::Role};
use crate::plan::{Plan, Verb};
use crate::sandbox::{Fault, FaultKind, Script};

const KINDS: &[&dyn AnyKind] = &[&OidcProvider, &Policy, &Role];

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Action":"sts:AssumeRoleWithWebIdentity",
    "Principal":{"Federated":"{{oidc_provider.token.actions.githubusercontent.com.arn}}"},
    "Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub":"repo:o/r:ref:refs/heads/main"}}}]}"#;

const DECLARED: &str = r#"
[oidc_provider."token.actions.githubusercontent.com"]
client_ids = ["sts.amazonaws.com"]

[policy.push]
document = "push.json"
path = "/ci/"
description = "Pushes"

[policy.bounds]
document = "bounds.json"

[role.deploy]
description = "Deploys: from GitHub & back"
trust_policy = "trust.json"
managed_policies = ["push", "AmazonECSTaskExecutionRolePolicy"]
inline_policies = { main = "main.json" }
permissions_boundary = "bounds"
max_session_duration = 7200
tags = { use = "ci" }
"#;

fn allow(action: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":["{action}"],"Resource":"*"}}]}}"#
    )
}

fn declared(text: &str, push: &str) -> Scope {
    scope(
        text,
        &[
            ("trust.json", TRUST),
            ("push.json", &allow(push)),
            ("bounds.json", &allow("*")),
            ("main.json", &allow("s3:GetObject")),
        ],
    )
}

fn hazards(plan: &Plan) -> Vec<Hazard> {
    plan.hazards().into_iter().collect()
}

fn verbs(plan: &Plan) -> Vec<(String, Verb)> {
    plan.actions
        .iter()
        .map(|action| (action.address.to_string(), action.verb()))
        .collect()
}

#[tokio::test]
async fn what_is_declared_is_made_changed_and_removed() {
    let account = TestAccount::new().await;
    let first = declared(DECLARED, "ecr:PutImage");
    let made = account.apply(KINDS, &first).await;
    assert_eq!(made.actions.len(), 4);
    assert_eq!(hazards(&made), []);

    let text = DECLARED
        .replace(
            r#"managed_policies = ["push", "AmazonECSTaskExecutionRolePolicy"]"#,
            "",
        )
        .replace(
            r#"permissions_boundary = "bounds""#,
            r#"managed_policies = ["bounds"]"#,
        )
        .replace("{ main = ", "{ other = ")
        .replace(r#"description = "Deploys: from GitHub & back""#, "")
        .replace("7200", "3600")
        .replace(r#"{ use = "ci" }"#, r#"{ team = "web" }"#)
        .replace(
            r#"["sts.amazonaws.com"]"#,
            r#"["sts.amazonaws.com", "other"]"#,
        );
    let changed = account
        .apply(KINDS, &declared(&text, "ecr:BatchGetImage"))
        .await;
    assert_eq!(changed.actions.len(), 3);
    assert!(hazards(&changed).contains(&Hazard::Broadens));

    let removed = account.apply(KINDS, &declared("", "ecr:PutImage")).await;
    assert_eq!(hazards(&removed), [Hazard::Deletes]);
    assert_eq!(
        verbs(&removed),
        [
            ("role/deploy".to_owned(), Verb::Delete),
            ("policy/bounds".to_owned(), Verb::Delete),
            ("policy/push".to_owned(), Verb::Delete),
            (
                "oidc_provider/token.actions.githubusercontent.com".to_owned(),
                Verb::Delete
            ),
        ]
    );
    let everything = account
        .live(KINDS, &declared(DECLARED, "ecr:PutImage"))
        .await;
    assert!(everything.is_empty());
}

#[tokio::test]
async fn a_sixth_document_makes_room_and_a_second_time_makes_none() {
    let account = TestAccount::new().await;
    for number in 0..7 {
        let text = "[policy.push]\ndocument = \"push.json\"\n";
        account
            .apply(KINDS, &declared(text, &format!("ecr:Action{number}")))
            .await;
    }
    let versions = account
        .aws
        .clients
        .iam
        .list_policy_versions()
        .policy_arn("arn:aws:iam::633607774026:policy/push")
        .send()
        .await
        .unwrap();
    let ids: Vec<String> = versions
        .versions
        .unwrap_or_default()
        .into_iter()
        .filter_map(|version| version.version_id)
        .collect();
    assert_eq!(ids, ["v7", "v6", "v5", "v4", "v3"]);
}

#[tokio::test]
async fn what_stands_unmarked_is_adopted_without_being_made_again() {
    let account = TestAccount::new().await;
    let iam = &account.aws.clients.iam;
    iam.create_open_id_connect_provider()
        .url("https://token.actions.githubusercontent.com")
        .client_id_list("theirs")
        .thumbprint_list("6938fd4d98bab03faadb97b34396831e3780aea1")
        .send()
        .await
        .unwrap();
    let respelt = r#"{"Statement":{"Resource":["*"],"Action":"ecr:putimage","Sid":"A","Effect":"Allow"},"Version":"2012-10-17"}"#;
    iam.create_policy()
        .policy_name("Push")
        .policy_document(respelt)
        .send()
        .await
        .unwrap();
    let trust = TRUST.replace(
        "{{oidc_provider.token.actions.githubusercontent.com.arn}}",
        "arn:aws:iam::633607774026:oidc-provider/token.actions.githubusercontent.com",
    );
    iam.create_role()
        .role_name("Deploy")
        .assume_role_policy_document(trust)
        .send()
        .await
        .unwrap();
    let text = r#"
[oidc_provider."token.actions.githubusercontent.com"]
client_ids = ["sts.amazonaws.com"]
[policy.Push]
document = "push.json"
[role.deploy]
trust_policy = "trust.json"
managed_policies = ["Push"]
"#;
    let adopted = account.apply(KINDS, &declared(text, "ecr:PutImage")).await;
    assert_eq!(
        hazards(&adopted),
        [Hazard::Adopts, Hazard::Broadens, Hazard::Foreign]
    );
    let calls: Vec<String> = adopted.steps.iter().map(|step| step.call.name()).collect();
    assert_eq!(calls, ["AddClientId", "Tag", "Tag", "Attach"]);
    assert!(adopted.notes.iter().any(|(address, note)| {
        address.to_string() == "policy/Push" && note.contains("only the text differs")
    }));
}

#[tokio::test]
async fn drift_is_seen_and_mended() {
    let account = TestAccount::new().await;
    let scope = declared(DECLARED, "ecr:PutImage");
    account.apply(KINDS, &scope).await;
    let iam = &account.aws.clients.iam;
    iam.put_role_policy()
        .role_name("deploy")
        .policy_name("extra")
        .policy_document(allow("s3:*"))
        .send()
        .await
        .unwrap();
    iam.attach_role_policy()
        .role_name("deploy")
        .policy_arn("arn:aws:iam::aws:policy/AmazonSSMReadOnlyAccess")
        .send()
        .await
        .unwrap();
    iam.delete_role_permissions_boundary()
        .role_name("deploy")
        .send()
        .await
        .unwrap();
    iam.tag_policy()
        .policy_arn("arn:aws:iam::633607774026:policy/ci/push")
        .tags(tag("stray", "1"))
        .tags(tag("cost:centre", "1"))
        .send()
        .await
        .unwrap();
    let mended = account.apply(KINDS, &scope).await;
    let calls: Vec<String> = mended.steps.iter().map(|step| step.call.name()).collect();
    assert_eq!(calls, ["Untag", "PutBoundary", "Detach", "DeleteInline"]);
    assert_eq!(hazards(&mended), []);
    let tags = iam
        .list_policy_tags()
        .policy_arn("arn:aws:iam::633607774026:policy/ci/push")
        .send()
        .await
        .unwrap()
        .tags;
    let keys: Vec<&str> = tags.iter().map(|tag| tag.key.as_str()).collect();
    assert_eq!(keys, ["cost:centre", "provision:owner", "team"]);
}

fn tag(key: &str, value: &str) -> aws_sdk_iam::types::Tag {
    aws_sdk_iam::types::Tag::builder()
        .key(key)
        .value(value)
        .build()
        .unwrap()
}

#[tokio::test]
async fn others_who_use_it_are_seen() {
    let account = TestAccount::new().await;
    let scope = declared(DECLARED, "ecr:PutImage");
    account.apply(KINDS, &scope).await;
    let iam = &account.aws.clients.iam;
    let trust = TRUST.replace(
        "{{oidc_provider.token.actions.githubusercontent.com.arn}}",
        "arn:aws:iam::633607774026:oidc-provider/token.actions.githubusercontent.com",
    );
    iam.create_role()
        .role_name("theirs")
        .assume_role_policy_document(trust)
        .send()
        .await
        .unwrap();
    iam.attach_role_policy()
        .role_name("theirs")
        .policy_arn("arn:aws:iam::633607774026:policy/ci/push")
        .send()
        .await
        .unwrap();
    let live = account.live(KINDS, &scope).await;
    assert!(!live.contains(&Address::new("role", "theirs")));
    let push = live
        .spec::<policy::Spec>(&Address::new("policy", "push"))
        .unwrap();
    assert_eq!(push.others.0, ["role theirs"]);
    let provider = Address::new("oidc_provider", "token.actions.githubusercontent.com");
    let provider = live
        .spec::<crate::kinds::oidc_provider::Spec>(&provider)
        .unwrap();
    assert_eq!(provider.trusting.0, ["theirs"]);
}

#[tokio::test]
async fn ids_of_roles_that_are_there_are_no_drift() {
    let account = TestAccount::new().await;
    let text = r#"
[role.one]
trust = { service = "ecs-tasks.amazonaws.com" }
[role.two]
trust_policy = "two.json"
"#;
    let two = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
        "Principal":{"AWS":"{{role.one.arn}}"}}]}"#;
    let scope = scope(text, &[("two.json", two)]);
    let made = account.apply(KINDS, &scope).await;
    assert_eq!(made.steps.len(), 2);
    let live = account.live(KINDS, &scope).await;
    let spec = live
        .spec::<role::Spec>(&Address::new("role", "two"))
        .unwrap();
    assert!(spec.trust_policy.minified().contains(":role/one"));
}

#[tokio::test]
async fn a_document_that_is_not_there_is_unknown_and_one_that_cannot_be_read_is_an_error() {
    let account = TestAccount::new().await;
    let without = DECLARED.replace(r#", "AmazonECSTaskExecutionRolePolicy""#, "");
    account
        .apply(KINDS, &declared(&without, "ecr:PutImage"))
        .await;
    let arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy";
    let read = async |text: &str, fault: Option<(&str, FaultKind)>| {
        let faults = fault.map(|(operation, kind)| Fault::on(operation, kind));
        account
            .sandbox
            .play(Script::of(faults.into_iter().collect()));
        account.aws.new_look();
        IamLaw::read(&account.aws, &declared(text, "ecr:PutImage")).await
    };
    let law = read(DECLARED, None).await.unwrap();
    assert!(law.documents.contains_key(arn) && law.unread.is_empty());
    for operation in ["iam:GetPolicy", "iam:GetPolicyVersion"] {
        for kind in [FaultKind::AccessDenied, FaultKind::UnknownError] {
            let error = read(DECLARED, Some((operation, kind))).await.unwrap_err();
            assert!(error.to_string().contains(operation), "{error}");
        }
    }
    // The sandbox has such a policy, and does not know what it says.
    let other = DECLARED.replace("AmazonECSTaskExecutionRolePolicy", "ReadOnlyAccess");
    let law = read(&other, None).await.unwrap();
    let why = law.unread.get("arn:aws:iam::aws:policy/ReadOnlyAccess");
    assert_eq!(why.map(String::as_str), Some("there is none."));
}

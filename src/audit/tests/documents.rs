//! The rules on identity policies, repositories, services, secrets, quotas and drift, each fired and kept silent.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::config::Config;
use crate::reach::{
    ContainerDefinition, Drift, Field, Image, ManagedPolicy, Permissions, Repository, Role, Secret,
    Service, TaskDefinition, User,
};

const ACCOUNT: &str = "123456789012";
const IMAGE: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app";

const BASE: &str = r#"
[project]
name = "app"
account_id = "123456789012"
region = "eu-west-1"
[github]
repository = "Octo/app"
[oidc_provider."token.actions.githubusercontent.com"]
client_ids = ["sts.amazonaws.com"]
[environment.staging]
vars = { tag = "staging" }
[environment.production]
after = "staging"
vars = { tag = "prod" }
"#;

/// A role for GitHub with one policy.
const CI: &str = r#"
[role.ci]
trust = { github = { environments = ["production"] } }
inline_policies = { own = "own.json" }
"#;

/// Two services on one repository; `@` stands for what a test wants of the container.
fn services(repository: &str, container: &str) -> String {
    format!(
        r#"
[repository.app]
{repository}
[cluster.main]
[role.execution]
trust = {{ service = "ecs-tasks.amazonaws.com" }}
inline_policies = {{ start = "start.json" }}
[log_group.app]
retention_in_days = 30
[service."app-{{{{environment}}}}"]
environments = ["staging", "production"]
cluster = "main"
launch_type = "FARGATE"
network = {{ subnets = ["subnet-0a1b2c3d4e5f60718"] }}
[service."app-{{{{environment}}}}".task]
cpu = 256
memory = 512
execution_role = "execution"
[service."app-{{{{environment}}}}".task.container.web]
image = {{ repository = "app", tag = "{{{{tag}}}}" }}
log_group = "app"
{container}
"#
    )
}

const PULL: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"*"}]}"#;

fn statement(text: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{text}]}}"#)
}

fn allow(action: &str, resource: &str) -> String {
    json!({ "Effect": "Allow", "Action": action, "Resource": resource }).to_string()
}

fn parsed(text: &str, own: &str) -> Config {
    config(
        text,
        &[
            ("own.json", own),
            ("start.json", PULL),
            ("lifecycle.json", LIFECYCLE),
            ("repository.json", own),
        ],
    )
}

/// The audit of a role for GitHub with one policy; its requests are confirmed on that policy.
fn ci(own: &str) -> Audit {
    let audit = audit(&parsed(&format!("{BASE}{CI}"), own), &account());
    let document = Document::read(own, PolicyKind::Identity).unwrap();
    for finding in audit
        .findings
        .iter()
        .filter(|finding| !finding.rule.starts_with('O'))
    {
        confirm(finding, &document);
    }
    audit
}

fn fires(audit: &Audit, rule: &str) -> bool {
    !of(audit, rule).is_empty()
}

#[test]
fn unknown_actions() {
    assert!(fires(
        &ci(&statement(&allow("ecr:PutImages", "*"))),
        "unknown-action"
    ));
    assert!(!fires(
        &ci(&statement(&allow("ecr:PutImage", "*"))),
        "unknown-action"
    ));
    assert!(!fires(
        &ci(&statement(&allow("ecr:Put*", "*"))),
        "unknown-action"
    ));
}

#[test]
fn actions_that_take_no_such_resource() {
    let repository = "arn:aws:ecr:eu-west-1:123456789012:repository/app";
    let alone = ci(&statement(&allow("ecr:GetAuthorizationToken", repository)));
    assert_eq!(of(&alone, "no-such-resource")[0].severity, Severity::Medium);
    let both = format!(
        "{},{}",
        allow("ecr:GetAuthorizationToken", repository),
        allow("ecr:GetAuthorizationToken", "*")
    );
    assert_eq!(
        of(&ci(&statement(&both)), "no-such-resource")[0].severity,
        Severity::Low
    );
    assert!(fires(
        &ci(&statement(&allow("ecr:PutImage", "arn:aws:s3:::bucket"))),
        "no-such-resource"
    ));
    assert!(!fires(
        &ci(&statement(&allow("ecr:PutImage", repository))),
        "no-such-resource"
    ));
}

#[test]
fn condition_keys_that_an_action_never_has() {
    let conditional = |key: &str| {
        let condition = json!({ "StringEquals": { key: "x" } });
        statement(&json!({ "Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": condition }).to_string())
    };
    assert!(fires(
        &ci(&conditional("ecs:cluster")),
        "condition-key-never"
    ));
    assert!(!fires(
        &ci(&conditional("iam:PassedToService")),
        "condition-key-never"
    ));
    assert!(!fires(
        &ci(&conditional("aws:PrincipalTag/team")),
        "condition-key-never"
    ));
}

#[test]
fn superfluous_statements() {
    let wide = allow("ecr:*", "*");
    assert!(fires(
        &ci(&statement(&format!(
            "{wide},{}",
            allow("ecr:PutImage", "*")
        ))),
        "superfluous-statement"
    ));
    assert!(!fires(
        &ci(&statement(&format!(
            "{wide},{}",
            allow("ecs:UpdateService", "*")
        ))),
        "superfluous-statement"
    ));
}

#[test]
fn passing_roles() {
    let text = format!(
        "{BASE}{CI}{}",
        services(
            "image_tag_mutability = \"IMMUTABLE\"",
            "readonly_root_filesystem = true"
        )
    );
    let role = "arn:aws:iam::123456789012:role/execution";
    let bounded = json!({ "Effect": "Allow", "Action": "iam:PassRole", "Resource": role,
        "Condition": { "StringEquals": { "iam:PassedToService": "ecs-tasks.amazonaws.com" } } });
    let of_policy = |own: &str| audit(&parsed(&text, own), &account());
    assert!(!fires(
        &of_policy(&statement(&bounded.to_string())),
        "pass-role"
    ));
    assert!(fires(
        &of_policy(&statement(&allow("iam:PassRole", role))),
        "pass-role"
    ));
    assert!(fires(
        &of_policy(&statement(&allow("iam:PassRole", "*"))),
        "pass-role"
    ));
}

#[test]
fn ways_to_more_permissions() {
    let own = "arn:aws:iam::123456789012:role/ci";
    assert!(fires(
        &ci(&statement(&allow("iam:PutRolePolicy", own))),
        "privilege-escalation"
    ));
    assert!(!fires(
        &ci(&statement(&allow(
            "iam:PutRolePolicy",
            "arn:aws:iam::123456789012:role/other"
        ))),
        "privilege-escalation"
    ));
    // A user that is not there cannot be given a key.
    let key = statement(&allow("iam:CreateAccessKey", "*"));
    assert!(!fires(&ci(&key), "privilege-escalation"));
    let mut there = account();
    there.users.insert(
        format!("arn:aws:iam::{ACCOUNT}:user/root"),
        User {
            name: "root".to_owned(),
            ..User::default()
        },
    );
    let config = parsed(&format!("{BASE}{CI}"), &key);
    assert!(fires(&audit(&config, &there), "privilege-escalation"));
}

#[test]
fn passing_an_existing_role_to_a_new_function() {
    let lambda = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let role = |trust: &str| Role {
        name: "strong".to_owned(),
        trust: trust.to_owned(),
        ..Role::default()
    };
    let own = statement(
        &json!({ "Effect": "Allow", "Action": ["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"], "Resource": "*" })
            .to_string(),
    );
    let config = parsed(&format!("{BASE}{CI}"), &own);
    let with = |trust: &str| {
        let mut account = account();
        account
            .roles
            .insert(format!("arn:aws:iam::{ACCOUNT}:role/strong"), role(trust));
        audit(&config, &account)
    };
    let found = with(lambda);
    let found = of(&found, "privilege-escalation");
    assert!(
        found
            .iter()
            .any(|finding| finding.message.contains("role/strong")
                && finding.message.contains("No iam:PassedToService"))
    );
    let ec2 = with(&lambda.replace("lambda.amazonaws.com", "firehose.amazonaws.com"));
    assert!(!fires(&ec2, "privilege-escalation"));
}

#[test]
fn creating_repositories() {
    assert!(fires(
        &ci(&statement(&allow("ecr:CreateRepository", "*"))),
        "create-repository"
    ));
    assert!(!fires(
        &ci(&statement(&allow("ecr:PutImage", "*"))),
        "create-repository"
    ));
}

#[test]
fn another_repository() {
    let text = |subject: &str| {
        json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
            "Principal": { "Federated": format!("arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com") },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": { "StringEquals": { "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                "token.actions.githubusercontent.com:sub": subject } } }] })
        .to_string()
    };
    let role = "[role.ci]\ntrust_policy = \"own.json\"\n";
    let of_subject = |subject: &str| {
        audit(
            &parsed(&format!("{BASE}{role}"), &text(subject)),
            &account(),
        )
    };
    assert!(fires(
        &of_subject("repo:Other/thing:ref:refs/heads/main"),
        "other-repository"
    ));
    assert!(!fires(
        &of_subject("repo:Octo/app:ref:refs/heads/main"),
        "other-repository"
    ));
}

fn live_role(name: &str, document: &str) -> (String, Role) {
    let permissions = Permissions {
        inline_policies: BTreeMap::from([("p".to_owned(), document.to_owned())]),
        ..Permissions::default()
    };
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let role = Role {
        name: name.to_owned(),
        trust: trust.to_owned(),
        permissions,
        ..Role::default()
    };
    (format!("arn:aws:iam::{ACCOUNT}:role/{name}"), role)
}

#[test]
fn undeclared_access() {
    let config = parsed(
        &format!("{BASE}[repository.app]\nimage_tag_mutability = \"IMMUTABLE\"\n"),
        PULL,
    );
    let with = |document: &str| {
        let mut account = account();
        account.roles.extend([live_role("other", document)]);
        audit(&config, &account)
    };
    let push = with(&statement(&allow(
        "ecr:PutImage",
        "arn:aws:ecr:*:*:repository/*",
    )));
    assert_eq!(of(&push, "undeclared-access")[0].severity, Severity::Medium);
    assert_eq!(
        of(&with(&statement(&allow("*", "*"))), "undeclared-access")[0].severity,
        Severity::Info
    );
    assert!(!fires(
        &with(&statement(&allow(
            "ecr:PutImage",
            "arn:aws:ecr:*:*:repository/another"
        ))),
        "undeclared-access"
    ));
    assert!(!fires(
        &with(&statement(&allow("ecr:BatchGetImage", "*"))),
        "undeclared-access"
    ));
}

#[test]
fn a_live_role_that_may_do_more_than_is_declared() {
    let config = parsed(&format!("{BASE}{CI}"), PULL);
    let with = |document: &str| {
        let mut account = account();
        let (arn, mut role) = live_role("ci", document);
        role.trust = config.roles["ci"].trust.document.text().to_owned();
        account.roles.insert(arn, role);
        audit(&config, &account)
    };
    assert!(fires(
        &with(&statement(&allow("ecr:*", "*"))),
        "wider-than-declared"
    ));
    assert!(!fires(&with(PULL), "wider-than-declared"));
}

#[test]
fn roles_for_github_that_are_not_declared() {
    let config = parsed(&format!("{BASE}{CI}"), PULL);
    let (arn, mut role) = live_role("other", PULL);
    let mut account = account();
    account.roles.insert(arn.clone(), role.clone());
    assert!(!fires(&audit(&config, &account), "undeclared-trust"));
    role.trust = config.roles["ci"].trust.document.text().to_owned();
    account.roles.insert(arn, role);
    assert_eq!(
        of(&audit(&config, &account), "undeclared-trust")[0].severity,
        Severity::Medium
    );
}

#[test]
fn a_role_that_is_not_declared_names_our_repository_in_whatever_letter_case() {
    let config = parsed(BASE, PULL);
    let repository = config.github.as_ref().unwrap().full_name();
    let every_ref = |repository: &str| {
        let provider =
            format!("arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com");
        let conditions = json!({
            "StringEquals": { "token.actions.githubusercontent.com:aud": "sts.amazonaws.com" },
            "StringLike": { "token.actions.githubusercontent.com:sub": format!("repo:{repository}:*") },
        });
        let (arn, mut role) = live_role("other", PULL);
        role.trust = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": { "Federated": provider }, "Condition": conditions }] })
        .to_string();
        let mut account = account();
        account.roles.insert(arn, role);
        audit(&config, &account)
    };
    let mended = "With the letter case mended: ";
    let found = every_ref(&repository);
    assert!(!of(&found, "O6")[0].message.starts_with(mended));
    let found = every_ref(&repository.to_ascii_uppercase());
    assert!(of(&found, "O6")[0].message.starts_with(mended));
    assert!(of(&found, "O6")[0].message.contains(&repository));
    assert_eq!(of(&found, "O16")[0].address, "role/other");
}

#[test]
fn principals_that_are_gone() {
    let config = parsed(BASE, PULL);
    let with = |id: &str| {
        let mut account = account();
        let (arn, mut role) = live_role("other", PULL);
        role.id = "AROAEXAMPLEOTHER0000A".to_owned();
        role.trust = statement(
            &json!({ "Effect": "Allow", "Principal": { "AWS": id }, "Action": "sts:AssumeRole" })
                .to_string(),
        );
        account.roles.insert(arn, role);
        audit(&config, &account)
    };
    assert!(fires(
        &with("AROAEXAMPLEGONE00000A"),
        "unresolved-principal"
    ));
    assert!(!fires(
        &with("AROAEXAMPLEOTHER0000A"),
        "unresolved-principal"
    ));
}

#[test]
fn older_versions_of_a_policy() {
    let config = parsed(
        &format!("{BASE}[policy.push]\ndocument = \"own.json\"\n"),
        PULL,
    );
    let with = |versions: u32| {
        let mut account = account();
        let policy = ManagedPolicy {
            document: PULL.to_owned(),
            versions,
            attachments: 0,
        };
        account
            .policies
            .insert(format!("arn:aws:iam::{ACCOUNT}:policy/push"), policy);
        audit(&config, &account)
    };
    assert!(fires(&with(2), "extra-versions"));
    assert!(!fires(&with(1), "extra-versions"));
}

#[test]
fn drift_says_what_apply_would_do_and_what_would_declare_it() {
    let config = parsed(&format!("{BASE}{CI}"), PULL);
    let mut account = account();
    assert!(!fires(&audit(&config, &account), "drift"));
    let field = Field {
        path: "max_session_duration".to_owned(),
        live: json!(7200),
        declared: json!(3600),
    };
    account.drift.push(Drift {
        address: "role/ci".to_owned(),
        verb: "change".to_owned(),
        fields: vec![field],
        accept: Some("[role.ci]\nmax_session_duration = 7200".to_owned()),
        ..Drift::default()
    });
    let audit = audit(&config, &account);
    let found = of(&audit, "drift");
    assert_eq!(
        found[0].accept.as_deref(),
        Some("[role.ci]\nmax_session_duration = 7200")
    );
    assert!(found[0].revert.is_some());
}

#[test]
fn what_is_ours_and_no_longer_declared_is_drift() {
    let mut account = account();
    account.drift.push(Drift {
        address: "cluster/old".to_owned(),
        verb: "delete".to_owned(),
        ..Drift::default()
    });
    let audit = audit(&parsed(BASE, PULL), &account);
    let [found] = of(&audit, "drift")[..] else {
        panic!("{audit:?}")
    };
    let revert = found.revert.as_deref().unwrap();
    assert!(
        revert.contains("provision apply cluster/old --allow deletes"),
        "{revert}"
    );
    assert!(found.accept.is_some());
}

#[test]
fn an_acceptance_holds_until_its_last_day() {
    let accept = |until: &str| {
        let own = statement(&allow("ecr:CreateRepository", "*"));
        let audit_table = format!(
            "[audit]\naccept = [{{ rule = \"create-repository\", address = \"role/ci\", until = \"{until}\", reason = \"migration\" }}]\n"
        );
        audit(
            &parsed(&format!("{BASE}{CI}{audit_table}"), &own),
            &account(),
        )
    };
    let valid = accept("2026-11-24");
    assert!(!fires(&valid, "create-repository") && !fires(&valid, "expired-acceptance"));
    assert_eq!(valid.accepted.len(), 1);
    let past = accept("2026-11-23");
    assert!(fires(&past, "create-repository") && fires(&past, "expired-acceptance"));
}

const MUTABLE: &str = "image_tag_mutability = \"MUTABLE\"";
const IMMUTABLE: &str = "image_tag_mutability = \"IMMUTABLE\"";
const SAFE: &str = "readonly_root_filesystem = true";

fn serving(repository: &str, container: &str, account: &Account) -> Audit {
    audit(
        &parsed(&format!("{BASE}{}", services(repository, container)), PULL),
        account,
    )
}

#[test]
fn plain_credentials() {
    let audit = serving(
        IMMUTABLE,
        "readonly_root_filesystem = true\nenvironment = { JWT_SECRET_KEY = \"hunter2hunter2\" }",
        &account(),
    );
    assert_eq!(of(&audit, "plain-credential").len(), 2);
    assert!(!format!("{:?}", audit.findings).contains("hunter2"));
    assert!(!fires(
        &serving(
            IMMUTABLE,
            "readonly_root_filesystem = true\nenvironment = { DJANGO_ENV = \"staging\" }",
            &account()
        ),
        "plain-credential"
    ));
}

/// A service that runs this container on this processor.
fn running(container: ContainerDefinition, architecture: &str) -> Account {
    let mut account = account();
    let arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/app-production:3";
    account.services.insert(
        "app-production".to_owned(),
        Service {
            arn: String::new(),
            task_definition: arn.to_owned(),
        },
    );
    let definition = TaskDefinition {
        family: "app-production".to_owned(),
        architecture: architecture.to_owned(),
        containers: vec![ContainerDefinition {
            name: "web".to_owned(),
            ..container
        }],
        ..TaskDefinition::default()
    };
    account.task_definitions.insert(arn.to_owned(), definition);
    account
}

#[test]
fn a_credential_in_a_revision_that_is_still_there() {
    let container = ContainerDefinition {
        credentials: vec!["JWT_SECRET_KEY".to_owned()],
        ..ContainerDefinition::default()
    };
    assert!(fires(
        &serving(IMMUTABLE, SAFE, &running(container, "X86_64")),
        "plain-credential"
    ));
    assert!(!fires(
        &serving(
            IMMUTABLE,
            SAFE,
            &running(ContainerDefinition::default(), "X86_64")
        ),
        "plain-credential"
    ));
}

#[test]
fn containers_that_reach_out() {
    assert!(fires(&serving(IMMUTABLE, "", &account()), "writable-root"));
    assert!(!fires(
        &serving(IMMUTABLE, SAFE, &account()),
        "writable-root"
    ));
    let on_instances = format!(
        "{BASE}{}",
        services(IMMUTABLE, "privileged = true\nmemory = 128")
    )
    .replace("launch_type = \"FARGATE\"", "launch_type = \"EC2\"")
    .replace("cpu = 256", "network_mode = \"awsvpc\"\ncpu = 256");
    assert!(fires(
        &audit(&parsed(&on_instances, PULL), &account()),
        "privileged-container"
    ));
    assert!(!fires(
        &serving(IMMUTABLE, SAFE, &account()),
        "privileged-container"
    ));
}

#[test]
fn tags_that_can_be_moved() {
    let mutable = serving(MUTABLE, SAFE, &account());
    let fixed = serving(IMMUTABLE, SAFE, &account());
    for rule in [
        "mutable-image-tag",
        "mutable-production-tags",
        "separate-build",
    ] {
        assert!(fires(&mutable, rule), "{rule}");
        assert!(!fires(&fixed, rule), "{rule}");
    }
    let by_tag = ContainerDefinition {
        image: format!("{IMAGE}:prod"),
        ..ContainerDefinition::default()
    };
    let by_tag = serving(MUTABLE, SAFE, &running(by_tag, "X86_64"));
    assert!(
        of(&by_tag, "mutable-image-tag")
            .iter()
            .any(|finding| finding.severity == Severity::Medium)
    );
}

const LIFECYCLE: &str = r#"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}]}"#;

/// The account in which production runs the digest `used`.
fn with_images(images: Vec<Image>, architecture: &str) -> Account {
    let container = ContainerDefinition {
        image: format!("{IMAGE}@sha256:used"),
        ..ContainerDefinition::default()
    };
    let mut account = running(container, architecture);
    account.repositories.insert(
        "app".to_owned(),
        Repository {
            images: Some(images),
            ..Repository::default()
        },
    );
    account
}

fn image(digest: &str, pushed: i64) -> Image {
    Image {
        digest: format!("sha256:{digest}"),
        tags: Vec::new(),
        pushed,
        architectures: vec!["ARM64".to_owned()],
    }
}

#[test]
fn a_lifecycle_rule_that_expires_what_runs() {
    let repository = format!("{IMMUTABLE}\nlifecycle_policy = \"lifecycle.json\"");
    let with = |images| serving(&repository, SAFE, &with_images(images, "ARM64"));
    assert!(fires(
        &with(vec![image("used", 1), image("new", 2)]),
        "lifecycle-expires"
    ));
    assert!(!fires(
        &with(vec![image("used", 2), image("old", 1)]),
        "lifecycle-expires"
    ));
}

#[test]
fn images_for_another_processor() {
    let with = |architecture| {
        serving(
            IMMUTABLE,
            SAFE,
            &with_images(vec![image("used", 1)], architecture),
        )
    };
    assert!(fires(&with("X86_64"), "image-architecture"));
    assert!(!fires(&with("ARM64"), "image-architecture"));
}

#[test]
fn logs_that_never_expire() {
    let text = format!("{BASE}[log_group.app]\n");
    assert!(fires(
        &audit(&parsed(&text, PULL), &account()),
        "log-retention"
    ));
    let text = format!("{BASE}[log_group.app]\nretention_in_days = 30\n");
    assert!(!fires(
        &audit(&parsed(&text, PULL), &account()),
        "log-retention"
    ));
}

#[test]
fn execution_roles() {
    assert!(!fires(
        &serving(IMMUTABLE, SAFE, &account()),
        "execution-role"
    ));
    let text = format!("{BASE}{}", services(IMMUTABLE, SAFE)).replace("start.json", "own.json");
    let wide = audit(
        &parsed(
            &text,
            &statement(&allow("secretsmanager:GetSecretValue", "*")),
        ),
        &account(),
    );
    assert!(fires(&wide, "execution-role"));
}

#[test]
fn repositories_open_to_others() {
    let policy = |principal: &str| {
        json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": "ecr:BatchGetImage" }] })
            .to_string()
    };
    let with = |principal: &str| {
        let text = format!("{BASE}[repository.app]\npolicy = \"repository.json\"\n");
        audit(&parsed(&text, &policy(principal)), &account())
    };
    assert!(fires(
        &with("arn:aws:iam::999999999999:root"),
        "repository-open"
    ));
    assert!(fires(&with("*"), "repository-open"));
    assert!(!fires(
        &with("arn:aws:iam::123456789012:root"),
        "repository-open"
    ));
}

#[test]
fn secrets_that_grow_old() {
    let config = parsed(&format!("{BASE}[secret.key]\n"), PULL);
    let with = |changed: i64, rotates: bool| {
        let mut account = account();
        account.secrets.insert(
            "key".to_owned(),
            Secret {
                changed: Some(changed),
                rotates,
                ..Secret::default()
            },
        );
        audit(&config, &account)
    };
    let old = NOW - 400 * 86_400;
    assert!(fires(&with(old, false), "secret-unrotated"));
    assert!(!fires(&with(old, true), "secret-unrotated"));
    assert!(!fires(&with(NOW - 86_400, false), "secret-unrotated"));
}

#[test]
fn variables_that_were_dropped() {
    let secrets = |name: &str| {
        let from = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:key-AbCdEf".to_owned();
        ContainerDefinition {
            secrets: BTreeMap::from([(name.to_owned(), from)]),
            ..ContainerDefinition::default()
        }
    };
    let declared = "readonly_root_filesystem = true\nsecrets = { JWT_SECRET_KEY = \"arn:aws:secretsmanager:eu-west-1:123456789012:secret:key-AbCdEf\" }";
    assert!(fires(
        &serving(
            IMMUTABLE,
            declared,
            &running(secrets("JWT_PUBLIC_KEY"), "X86_64")
        ),
        "secret-removed"
    ));
    assert!(!fires(
        &serving(
            IMMUTABLE,
            declared,
            &running(secrets("JWT_SECRET_KEY"), "X86_64")
        ),
        "secret-removed"
    ));
}

#[test]
fn quotas() {
    let config = parsed(BASE, PULL);
    let with = |roles: i64| {
        let mut account = account();
        account.quotas =
            BTreeMap::from([("Roles".to_owned(), roles), ("RolesQuota".to_owned(), 1000)]);
        audit(&config, &account)
    };
    assert!(fires(&with(800), "quota"));
    assert!(!fires(&with(799), "quota"));
    assert_eq!(of(&with(1000), "quota")[0].severity, Severity::Medium);
}

/// Every test of this file.
pub(super) const CASES: &[fn()] = &[
    unknown_actions,
    actions_that_take_no_such_resource,
    condition_keys_that_an_action_never_has,
    superfluous_statements,
    passing_roles,
    ways_to_more_permissions,
    passing_an_existing_role_to_a_new_function,
    creating_repositories,
    another_repository,
    undeclared_access,
    a_live_role_that_may_do_more_than_is_declared,
    roles_for_github_that_are_not_declared,
    principals_that_are_gone,
    older_versions_of_a_policy,
    drift_says_what_apply_would_do_and_what_would_declare_it,
    what_is_ours_and_no_longer_declared_is_drift,
    an_acceptance_holds_until_its_last_day,
    plain_credentials,
    a_credential_in_a_revision_that_is_still_there,
    containers_that_reach_out,
    tags_that_can_be_moved,
    a_lifecycle_rule_that_expires_what_runs,
    images_for_another_processor,
    logs_that_never_expire,
    execution_roles,
    repositories_open_to_others,
    secrets_that_grow_old,
    variables_that_were_dropped,
    quotas,
];

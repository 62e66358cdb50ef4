//! The rules O1 to O28: each table row is a trust policy, the rules that must fire and those that must not.

use serde_json::{Value, json};

use super::*;
use crate::reach::{GithubFacts, Permissions, Role};

const GITHUB: &str = "token.actions.githubusercontent.com";
const PROVIDER: &str =
    "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
const NAMES: &str = "repository = \"Octo/app\"";
const IDS: &str = "repository = \"Octo/app\"\nowner_id = 7\nrepository_id = 42";

fn infra(github: &str, more: &str) -> String {
    format!(
        r#"
[project]
name = "app"
account_id = "123456789012"
region = "eu-west-1"
[github]
{github}
[oidc_provider."token.actions.githubusercontent.com"]
client_ids = ["sts.amazonaws.com"]
[role.deploy]
trust_policy = "trust.json"
{more}
"#
    )
}

fn key(claim: &str) -> String {
    format!("{GITHUB}:{claim}")
}

/// A trust policy with one statement for GitHub.
fn policy(condition: &Value) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Federated": PROVIDER },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": condition,
        }],
    })
    .to_string()
}

/// Conditions on the audience and on the subject as a pattern.
fn like(subject: &str) -> Value {
    json!({ "StringEquals": { key("aud"): "sts.amazonaws.com" }, "StringLike": { key("sub"): subject } })
}

fn equals(subject: &str) -> Value {
    json!({ "StringEquals": { key("aud"): "sts.amazonaws.com", key("sub"): subject } })
}

fn with(mut condition: Value, operator: &str, claim: &str, value: &str) -> Value {
    condition[operator][claim] = json!(value);
    condition
}

/// The audit of one trust policy; every request in it is confirmed, those on the mended text on the mended text.
fn judge(github: &str, text: &str) -> Audit {
    judge_in(github, text, "", &account())
}

fn judge_in(github: &str, text: &str, more: &str, account: &Account) -> Audit {
    let config = config(
        &infra(github, more),
        &[
            ("trust.json", text),
            ("write.json", WRITE),
            ("read.json", READ),
        ],
    );
    let audit = audit(&config, account);
    let plain = trust(text);
    let mended = trust(&text.replace("octo/APP", "Octo/app"));
    for finding in &audit.findings {
        assert!(!finding.evidence.is_empty(), "{finding:?}");
        if finding.rule.starts_with('O') && finding.rule != "O16" && finding.rule != "O7" {
            confirm(
                finding,
                if finding.message.starts_with("With the letter case mended") {
                    &mended
                } else {
                    &plain
                },
            );
        }
    }
    audit
}

const WRITE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecr:PutImage","Resource":"arn:aws:ecr:eu-west-1:123456789012:repository/app"}]}"#;
const READ: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecr:DescribeImages","Resource":"arn:aws:ecr:eu-west-1:123456789012:repository/app"}]}"#;

fn fires(rule: &str, condition: &Value) {
    assert!(
        !of(&judge(NAMES, &policy(condition)), rule).is_empty(),
        "{rule} is silent on {condition}"
    );
}

fn silent(rule: &str, condition: &Value) {
    let audit = judge(NAMES, &policy(condition));
    assert!(
        of(&audit, rule).is_empty(),
        "{rule} fires on {condition}: {:?}",
        of(&audit, rule)
    );
}

fn main() -> Value {
    equals("repo:Octo/app:ref:refs/heads/main")
}

#[test]
fn a_trust_policy_for_one_branch_has_nothing_above_info() {
    let audit = judge(
        IDS,
        &policy(
            &json!({ "StringEquals": { key("aud"): "sts.amazonaws.com", key("sub"): [
        "repo:Octo/app:ref:refs/heads/main", "repo:Octo@7/app@42:ref:refs/heads/main"] } }),
        ),
    );
    assert!(
        audit
            .findings
            .iter()
            .all(|finding| finding.severity == Severity::Info),
        "{:?}",
        audit.findings
    );
    assert!(of(&audit, "O17").is_empty() && of(&audit, "O18").is_empty());
}

#[test]
fn o1_no_constraint() {
    fires(
        "O1",
        &json!({ "StringEquals": { key("aud"): "sts.amazonaws.com" } }),
    );
    silent("O1", &main());
}

#[test]
fn o2_any_owner() {
    for subject in ["*", "repo:*", "*:ref:refs/heads/main", "repo:*/app:*"] {
        fires("O2", &like(subject));
    }
    for subject in [
        "repo:Octo*",
        "repo:Octo/*",
        "repo:Octo/app:*",
        "repo:Other/app:*",
    ] {
        silent("O2", &like(subject));
    }
    let guarded = with(
        like("repo:*"),
        "StringEquals",
        &key("repository"),
        "Octo/app",
    );
    silent("O2", &guarded);
    silent("O1", &guarded);
}

#[test]
fn o3_prefix_of_an_owner() {
    fires("O3", &like("repo:Octo*"));
    fires("O3", &like("repo:Oct*:*"));
    silent("O3", &like("repo:Octo/*"));
    silent("O3", &like("repo:*"));
}

#[test]
fn o4_prefix_of_a_repository() {
    fires("O4", &like("repo:Octo/app*"));
    silent("O4", &like("repo:Octo/app:*"));
    silent("O4", &like("repo:Octo@7/app@*"));
}

#[test]
fn o5_a_whole_organisation() {
    fires("O5", &like("repo:Octo/*"));
    fires("O5", &like("repo:Octo/*:ref:refs/heads/main"));
    silent("O5", &like("repo:Octo/app*"));
}

#[test]
fn o6_every_ref() {
    fires("O6", &like("repo:Octo/app:*"));
    fires("O6", &like("repo:Octo/app:ref:refs/heads/*"));
    fires("O6", &like("repo:Octo/app:environment:*"));
    silent("O6", &like("repo:Octo/app:ref:refs/tags/v*"));
    silent("O6", &main());
    silent(
        "O6",
        &with(
            like("repo:Octo/app:ref:*"),
            "StringEquals",
            &key("ref"),
            "refs/heads/main",
        ),
    );
}

#[test]
fn o7_pull_requests_that_write() {
    let text = policy(&equals("repo:Octo/app:pull_request"));
    let write = judge_in(
        NAMES,
        &text,
        "inline_policies = { x = \"write.json\" }",
        &account(),
    );
    assert_eq!(of(&write, "O7").len(), 1);
    let read = judge_in(
        NAMES,
        &text,
        "inline_policies = { x = \"read.json\" }",
        &account(),
    );
    assert!(of(&read, "O7").is_empty());
    let branch = judge_in(
        NAMES,
        &policy(&main()),
        "inline_policies = { x = \"write.json\" }",
        &account(),
    );
    assert!(of(&branch, "O7").is_empty());
}

#[test]
fn o8_wildcard_under_string_equals() {
    fires("O8", &equals("repo:Octo/app:*"));
    silent("O8", &like("repo:Octo/app:*"));
    silent("O8", &main());
}

#[test]
fn o9_for_all_values() {
    let audit = judge(
        NAMES,
        &policy(&with(
            main(),
            "ForAllValues:StringEquals",
            &key("environment"),
            "production",
        )),
    );
    assert_eq!(of(&audit, "O9")[0].severity, Severity::High);
    let condition = json!({ "ForAllValues:StringEquals": { key("aud"): "sts.amazonaws.com" },
        "StringEquals": { key("sub"): "repo:Octo/app:ref:refs/heads/main" } });
    assert_eq!(
        of(&judge(NAMES, &policy(&condition)), "O9")[0].severity,
        Severity::Low
    );
    silent(
        "O9",
        &with(
            main(),
            "ForAnyValue:StringEquals",
            &key("environment"),
            "production",
        ),
    );
}

#[test]
fn o10_weak_guards() {
    fires(
        "O10",
        &json!({ "StringEquals": { key("aud"): "sts.amazonaws.com" },
        "StringEqualsIfExists": { key("repository"): "Octo/app" } }),
    );
    fires(
        "O10",
        &json!({ "StringEquals": { key("aud"): "sts.amazonaws.com" },
        "StringNotLike": { key("sub"): "repo:Evil/*" } }),
    );
    silent(
        "O10",
        &with(
            main(),
            "StringEqualsIfExists",
            &key("repository"),
            "Octo/app",
        ),
    );
}

#[test]
fn o11_audience() {
    fires(
        "O11",
        &json!({ "StringEquals": { key("sub"): "repo:Octo/app:ref:refs/heads/main" } }),
    );
    silent("O11", &main());
}

#[test]
fn o12_unlisted_audience() {
    let other = json!({ "StringEquals": { key("aud"): "https://github.com/Octo", key("sub"): "repo:Octo/app:ref:refs/heads/main" } });
    fires("O12", &other);
    silent("O12", &main());
    silent(
        "O12",
        &json!({ "StringEquals": { key("sub"): "repo:Octo/app:ref:refs/heads/main" } }),
    );
}

#[test]
fn o13_foreign_keys() {
    fires(
        "O13",
        &with(main(), "StringEquals", &key("repository_owner"), "Octo"),
    );
    fires(
        "O13",
        &with(
            main(),
            "StringEquals",
            "token.actions.githubusercontent.com/github-org:sub",
            "repo:Octo/app:*",
        ),
    );
    silent(
        "O13",
        &with(main(), "StringEquals", &key("repository"), "Octo/app"),
    );
    silent(
        "O13",
        &with(main(), "StringEquals", "aws:RequestedRegion", "eu-west-1"),
    );
}

#[test]
fn o14_ref_and_environment() {
    let both = json!({ "StringEquals": { key("aud"): "sts.amazonaws.com",
        key("sub"): ["repo:Octo/app:ref:refs/heads/main", "repo:Octo/app:environment:production"] } });
    fires("O14", &both);
    silent("O14", &equals("repo:Octo/app:environment:production"));
}

fn github(facts: GithubFacts) -> Account {
    let facts = GithubFacts {
        repository: "Octo/app".to_owned(),
        ..facts
    };
    Account {
        github: Some(facts),
        ..account()
    }
}

#[test]
fn o15_unprotected_environment() {
    let text = policy(&equals("repo:Octo/app:environment:production"));
    let facts = |protected| {
        github(GithubFacts {
            environments: Some([("production".to_owned(), protected)].into()),
            ..GithubFacts::default()
        })
    };
    assert_eq!(
        of(&judge_in(NAMES, &text, "", &facts(false)), "O15").len(),
        1
    );
    assert!(of(&judge_in(NAMES, &text, "", &facts(true)), "O15").is_empty());
    assert!(of(&judge(NAMES, &text), "O15").is_empty());
}

#[test]
fn o16_letter_case_and_the_other_rules_on_the_mended_text() {
    let audit = judge(NAMES, &policy(&like("repo:octo/APP:*")));
    let found = of(&audit, "O16");
    assert_eq!(found.len(), 1);
    let [
        Evidence::Request {
            allowed: false,
            request: refused,
            ..
        },
        Evidence::Request {
            allowed: true,
            request,
            ..
        },
    ] = found[0].evidence.as_slice()
    else {
        panic!("{found:?}")
    };
    assert_eq!(refused, request);
    assert!(
        of(&audit, "O6")
            .iter()
            .any(|finding| finding.message.starts_with("With the letter case mended"))
    );
    silent("O16", &like("repo:Octo/app:*"));
    silent("O16", &like("repo:other/app:*"));
}

#[test]
fn o17_by_names_although_the_ids_are_known() {
    assert_eq!(of(&judge(IDS, &policy(&main())), "O17").len(), 1);
    silent("O17", &main());
}

#[test]
fn o18_the_other_form() {
    let minting = |prefix: &str| {
        github(GithubFacts {
            subject_prefix: Some(prefix.to_owned()),
            ..GithubFacts::default()
        })
    };
    let old = policy(&main());
    let new = policy(&equals("repo:Octo@7/app@42:ref:refs/heads/main"));
    let severity = |text: &str, prefix: &str| {
        of(&judge_in(IDS, text, "", &minting(prefix)), "O18")
            .first()
            .map(|finding| finding.severity)
    };
    assert_eq!(severity(&old, "repo:Octo@7/app@42"), Some(Severity::High));
    assert_eq!(severity(&old, "repo:Octo/app"), None);
    assert_eq!(severity(&new, "repo:Octo/app"), Some(Severity::High));
    assert_eq!(severity(&new, "repo:Octo@7/app@42"), None);
    assert_eq!(of(&judge(NAMES, &old), "O18")[0].severity, Severity::Info);
}

#[test]
fn o19_wildcard_ids() {
    fires("O19", &like("repo:Octo@*/app@*:ref:refs/heads/main"));
    fires("O19", &like("repo:Octo@7/app@*:ref:refs/heads/main"));
    silent("O19", &equals("repo:Octo@7/app@42:ref:refs/heads/main"));
    silent("O19", &like("repo:Octo/app:*"));
}

fn guarded(claim: &str, value: &str) -> Value {
    json!({ "StringEquals": { key("aud"): "sts.amazonaws.com" }, "StringLike": { key("sub"): "repo:*", key(claim): value } })
}

#[test]
fn o20_a_workflow_alone() {
    let commit = "Octo/flows/.github/workflows/deploy.yml@0123456789012345678901234567890123456789";
    fires("O20", &guarded("job_workflow_ref", commit));
    silent(
        "O20",
        &with(main(), "StringEquals", &key("job_workflow_ref"), commit),
    );
    silent("O2", &guarded("job_workflow_ref", commit));
}

#[test]
fn o21_a_ref_that_moves() {
    let flow = "Octo/flows/.github/workflows/deploy.yml";
    fires(
        "O21",
        &with(
            main(),
            "StringEquals",
            &key("job_workflow_ref"),
            &format!("{flow}@refs/heads/main"),
        ),
    );
    let commit = format!("{flow}@0123456789012345678901234567890123456789");
    silent(
        "O21",
        &with(main(), "StringEquals", &key("job_workflow_ref"), &commit),
    );
}

#[test]
fn o22_a_claim_of_the_callers_choice() {
    fires("O22", &like("environment:production:*"));
    fires("O22", &guarded("ref", "refs/heads/main"));
    silent("O22", &like("workflow:deploy:repo:Octo/app:*"));
    silent("O22", &main());
}

#[test]
fn o23_an_actor_alone() {
    fires("O23", &guarded("actor", "octocat"));
    fires("O23", &guarded("workflow", "Deploy"));
    silent(
        "O23",
        &with(main(), "StringEquals", &key("actor"), "octocat"),
    );
}

#[test]
fn o24_a_customised_template() {
    let customised = |claims: &[&str]| {
        github(GithubFacts {
            claims: claims.iter().map(|claim| (*claim).to_owned()).collect(),
            ..GithubFacts::default()
        })
    };
    let text = policy(&main());
    assert_eq!(
        of(
            &judge_in(
                NAMES,
                &text,
                "",
                &customised(&["repository_id", "environment"])
            ),
            "O24"
        )
        .len(),
        1
    );
    assert!(
        of(
            &judge_in(NAMES, &text, "", &customised(&["repo", "context"])),
            "O24"
        )
        .is_empty()
    );
    assert!(of(&judge_in(NAMES, &text, "", &customised(&[])), "O24").is_empty());
}

fn with_door(principal: &Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "Federated": PROVIDER }, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": main() },
        { "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" },
    ] })
    .to_string()
}

#[test]
fn o25_a_second_door() {
    for principal in [
        json!("*"),
        json!({ "AWS": "*" }),
        json!({ "AWS": "arn:aws:iam::123456789012:root" }),
    ] {
        let audit = judge(NAMES, &with_door(&principal));
        assert_eq!(of(&audit, "O25").len(), 1, "{principal}");
        assert_eq!(of(&audit, "O25")[0].severity, Severity::Critical);
    }
    for principal in [
        json!({ "AWS": "arn:aws:iam::123456789012:role/breakglass" }),
        json!({ "Service": "ecs-tasks.amazonaws.com" }),
    ] {
        assert!(
            of(&judge(NAMES, &with_door(&principal)), "O25").is_empty(),
            "{principal}"
        );
    }
}

#[test]
fn o26_thumbprints() {
    let text = infra(NAMES, "").replace(
        "client_ids = [\"sts.amazonaws.com\"]",
        "client_ids = [\"sts.amazonaws.com\"]\nthumbprints = [\"6938fd4d98bab03faadb97b34396831e3780aea1\"]",
    );
    let files = [("trust.json", policy(&main()))];
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    assert_eq!(
        of(&audit(&config(&text, &files), &account()), "O26").len(),
        1
    );
    silent("O26", &main());
}

#[test]
fn o27_what_iam_refuses() {
    fires(
        "O27",
        &json!({ "StringEquals": { key("aud"): "sts.amazonaws.com" } }),
    );
    fires("O27", &like("*"));
    silent("O27", &like("repo:Octo/*"));
}

#[test]
fn o28_another_call() {
    let call = |action: &str| policy(&main()).replace("sts:AssumeRoleWithWebIdentity", action);
    for action in ["sts:*", "sts:AssumeRole"] {
        assert_eq!(of(&judge(NAMES, &call(action)), "O28").len(), 1, "{action}");
    }
    silent("O28", &main());
}

#[test]
fn a_live_role_that_is_not_declared_is_judged_too() {
    let role = Role {
        name: "other".to_owned(),
        trust: policy(&like("repo:Stranger/*")),
        permissions: Permissions::default(),
        ..Role::default()
    };
    let mut account = account();
    account
        .roles
        .insert("arn:aws:iam::123456789012:role/other".to_owned(), role);
    let config = config(&infra(NAMES, ""), &[("trust.json", &policy(&main()))]);
    let audit = audit(&config, &account);
    let found = of(&audit, "O5");
    assert_eq!(found[0].address, "role/other");
    assert_eq!(found[0].location, config.project.position);
}

/// Every test of this file.
pub(super) const CASES: &[fn()] = &[
    a_trust_policy_for_one_branch_has_nothing_above_info,
    o1_no_constraint,
    o2_any_owner,
    o3_prefix_of_an_owner,
    o4_prefix_of_a_repository,
    o5_a_whole_organisation,
    o6_every_ref,
    o7_pull_requests_that_write,
    o8_wildcard_under_string_equals,
    o9_for_all_values,
    o10_weak_guards,
    o11_audience,
    o12_unlisted_audience,
    o13_foreign_keys,
    o14_ref_and_environment,
    o15_unprotected_environment,
    o16_letter_case_and_the_other_rules_on_the_mended_text,
    o17_by_names_although_the_ids_are_known,
    o18_the_other_form,
    o19_wildcard_ids,
    o20_a_workflow_alone,
    o21_a_ref_that_moves,
    o22_a_claim_of_the_callers_choice,
    o23_an_actor_alone,
    o24_a_customised_template,
    o25_a_second_door,
    o26_thumbprints,
    o27_what_iam_refuses,
    o28_another_call,
    a_live_role_that_is_not_declared_is_judged_too,
];

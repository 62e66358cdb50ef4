//! What is not ours, or not managed: it stays as it is, whatever the command.

use provision::sandbox::{Service, Store, Table};
use serde_json::{Value, json};

use super::project::{NO_CHANGES, Project};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// A list of thumbprints that infra.toml does not name may change.
pub(crate) fn thumbprints_are_left_alone() {
    let project = Project::seed();
    project.edit(
        "thumbprints = [\"6938fd4d98bab03faadb97b34396831e3780aea1\"]\n",
        "",
    );
    project.apply();
    let input = json!({
        "OpenIDConnectProviderArn":
            "arn:aws:iam::633607774026:oidc-provider/token.actions.githubusercontent.com",
        "ThumbprintList": ["1c58a3a8518e8759bf075b76b750d4f2df264fcd"],
    });
    project.ask(Service::Iam, "UpdateOpenIDConnectProviderThumbprint", input);
    let plan = project.run(&["plan", "--detailed-exitcode"]);
    assert_eq!((plan.code, plan.stdout.trim_end()), (Some(0), NO_CHANGES));
}

/// Near names without a mark, and another project's mark: neither plan, apply nor destroy minds.
pub(crate) fn look_alikes_stay_as_they_are() {
    let project = Project::seed();
    project.apply();
    let before = names(&project.sandbox().snapshot());
    for (service, operation, input) in look_alikes() {
        project.ask(service, operation, input);
    }
    let made = project.sandbox().snapshot();
    let plan = project.run(&["plan", "--detailed-exitcode"]);
    assert_eq!((plan.code, plan.stdout.trim_end()), (Some(0), NO_CHANGES));
    let apply = project.run(&["-vv", "apply", "--yes"]);
    assert_eq!(
        (apply.code, apply.writes()),
        (Some(0), Vec::<String>::new())
    );
    let destroy = project.run(&["destroy", "--yes", "--allow", "deletes"]);
    assert_eq!(destroy.code, Some(0), "{}", destroy.stderr);
    let after = project.sandbox().snapshot();
    let mut kept = 0;
    for (table, name) in names(&made) {
        if before.contains(&(table, name.clone())) {
            continue;
        }
        kept += 1;
        assert_eq!(
            after.get(table, &name),
            made.get(table, &name),
            "{table:?} {name}"
        );
    }
    assert!(kept >= 9, "only {kept} look-alikes were made");
    for table in [
        Table::Role,
        Table::Policy,
        Table::OidcProvider,
        Table::Repository,
    ] {
        for (name, _) in after.rows(table) {
            let other = !before.contains(&(table, name.to_owned()));
            assert!(other, "{table:?} {name} is left of ours");
        }
    }
}

/// Every record of the tables that we write.
fn names(store: &Store) -> Vec<(Table, String)> {
    let tables = [
        Table::Role,
        Table::Policy,
        Table::OidcProvider,
        Table::Repository,
        Table::LogGroup,
        Table::Secret,
        Table::Cluster,
        Table::TaskDefinition,
    ];
    let rows = tables.into_iter().flat_map(|table| {
        let rows = store.rows(table);
        rows.map(move |(name, _)| (table, name.to_owned()))
    });
    rows.collect()
}

fn look_alikes() -> Vec<(Service, &'static str, Value)> {
    let theirs = json!([{ "Key": "provision:owner", "Value": "back-end@us-east-1" }]);
    let document = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let document = document.replace(
        "[]",
        r#"[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]"#,
    );
    vec![
        (
            Service::Iam,
            "CreateRole",
            json!({ "RoleName": "GitHubActions-ECR-Push-2",
            "AssumeRolePolicyDocument": TRUST }),
        ),
        (
            Service::Iam,
            "CreateRole",
            json!({ "RoleName": "ecsTaskExecutionRole-2",
            "AssumeRolePolicyDocument": TRUST, "Tags": theirs }),
        ),
        (
            Service::Iam,
            "CreatePolicy",
            json!({ "PolicyName": "GitHubActions-ECR-Push-Policy-2",
            "PolicyDocument": document, "Tags": theirs }),
        ),
        (
            Service::Iam,
            "CreateOpenIDConnectProvider",
            json!({
            "Url": "https://token.actions.example.com", "ClientIDList": ["sts.amazonaws.com"] }),
        ),
        (
            Service::Ecr,
            "CreateRepository",
            json!({ "repositoryName": "back-end-2" }),
        ),
        (
            Service::Ecr,
            "CreateRepository",
            json!({ "repositoryName": "back-end/cache",
            "tags": theirs }),
        ),
        (
            Service::Logs,
            "CreateLogGroup",
            json!({ "logGroupName": "/ecs/back-end-staging-2",
            "tags": { "provision:owner": "back-end@us-east-1" } }),
        ),
        (
            Service::SecretsManager,
            "CreateSecret",
            json!({ "Name": "back-end/jwt-secret-key",
            "SecretString": "x", "ClientRequestToken": "a".repeat(32) }),
        ),
        (
            Service::Ecs,
            "CreateCluster",
            json!({ "clusterName": "operationcode-2" }),
        ),
        (
            Service::Ecs,
            "RegisterTaskDefinition",
            json!({ "family": "back-end-staging",
            "containerDefinitions": [{ "name": "web", "image": "public.example/web:1",
                "memory": 128 }] }),
        ),
    ]
}

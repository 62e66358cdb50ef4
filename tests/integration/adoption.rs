//! An account in which the seed's own shell commands were run: what `plan` says of it, what is
//! refused, what taking it over changes, and the infra.toml that `init --from-live` writes for it.

use std::fs;

use serde_json::{Value, json};

use super::account::{account, assert_holds};
use super::project::Project;
use super::seed::{push_policy, trust};
use crate::emulators::Server;

const PROVIDER: &str =
    "arn:aws:iam::633607774026:oidc-provider/token.actions.githubusercontent.com";
const POLICY: &str = "arn:aws:iam::633607774026:policy/GitHubActions-ECR-Push-Policy";

/// Runs one command of the AWS CLI.
fn aws(server: &Server, arguments: &[&str]) {
    let output = server
        .command("aws")
        .unwrap()
        .args(arguments)
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "aws {arguments:?}: {complaint}");
}

/// The seed's own commands, and the repository that they take for granted.
fn run_the_seeds_commands(server: &Server) {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, document: &Value| {
        let path = directory.path().join(name);
        fs::write(&path, format!("{document:#}\n")).unwrap();
        format!("file://{}", path.display())
    };
    let trust_policy = file("github-actions-trust-policy.json", &trust(PROVIDER));
    let push_policy = file("ecr-push-policy.json", &push_policy());
    let (role, name) = ("GitHubActions-ECR-Push", "GitHubActions-ECR-Push-Policy");
    let commands: [&[&str]; 5] = [
        &[
            "iam",
            "create-open-id-connect-provider",
            "--url",
            "https://token.actions.githubusercontent.com",
            "--client-id-list",
            "sts.amazonaws.com",
            "--thumbprint-list",
            "6938fd4d98bab03faadb97b34396831e3780aea1",
        ],
        &[
            "iam",
            "create-role",
            "--role-name",
            role,
            "--assume-role-policy-document",
            &trust_policy,
            "--description",
            "Allows GitHub Actions to push Docker images to ECR",
        ],
        &[
            "iam",
            "create-policy",
            "--policy-name",
            name,
            "--policy-document",
            &push_policy,
        ],
        &[
            "iam",
            "attach-role-policy",
            "--role-name",
            role,
            "--policy-arn",
            POLICY,
        ],
        &["ecr", "create-repository", "--repository-name", "back-end"],
    ];
    for command in commands {
        aws(server, command);
    }
}

/// `init --from-live` in an empty directory writes what `plan` then only wants to adopt.
pub(crate) fn an_empty_directory_is_filled_from_the_account(server: &Server) {
    run_the_seeds_commands(server);
    let before = account(server);
    let mut project = Project::empty();
    project.set("AWS_ENDPOINT_URL", server.url());
    let init = [
        "--region",
        "us-east-2",
        "init",
        "--from-live",
        "--name",
        "back-end",
    ];
    project.run(&init).with(0);
    assert!(project.path("infra.toml").exists() && project.path("policies").is_dir());
    let planned = project.run(&["plan", "--format", "json"]).with(0);
    let plan: Value = serde_json::from_str(&planned.stdout).unwrap();
    assert_eq!(plan["hazards"], json!(["adopts"]));
    let mut changed = Vec::new();
    for change in plan["resource_changes"].as_array().unwrap() {
        if change["change"]["actions"] == json!(["no-op"]) {
            continue;
        }
        changed.push(change["address"].as_str().unwrap());
        assert_eq!(change["change"]["actions"], json!(["update"]));
        assert_eq!(change["hazards"], json!(["adopts"]));
        let fields: Vec<&Value> = change["changes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| &field["path"])
            .collect();
        assert_eq!(fields, [&json!("owner")], "{change}");
    }
    changed.sort_unstable();
    let unmarked = [
        "policy/GitHubActions-ECR-Push-Policy",
        "repository/back-end",
        "role/GitHubActions-ECR-Push",
    ];
    assert_eq!(changed, unmarked);
    project.run(&init).with(3);
    assert_eq!(account(server), before, "init or plan wrote");
}

/// The project's own infra.toml takes over what the commands made.
pub(crate) fn nothing_is_made_again(server: &Server) {
    let before = account(server);
    let mut project = Project::seed("moto", server);
    project.set("AWS_ENDPOINT_URL", server.url());
    let planned = project.run(&["plan"]).with(0);
    assert_eq!(
        planned.last_line(),
        "Plan: 8 to add, 3 to change, 0 to destroy."
    );
    let shown: Vec<&str> = planned
        .stdout
        .split("\n\n")
        .filter(|block| block.starts_with('~'))
        .collect();
    assert_eq!(
        shown
            .iter()
            .map(|block| block.trim_end())
            .collect::<Vec<_>>()[..2],
        [
            "~ policy/GitHubActions-ECR-Push-Policy  ! adopts\n    \
             owner: (none) → \"back-end@us-east-2\"\n    tags.team: (none) → \"platform\"",
            "~ role/GitHubActions-ECR-Push  ! adopts\n    \
             owner: (none) → \"back-end@us-east-2\"\n    tags.team: (none) → \"platform\"",
        ]
    );
    assert!(
        shown[2].starts_with("~ repository/back-end  ! adopts\n"),
        "{}",
        shown[2]
    );

    let refused = project.run(&["apply", "--yes"]).with(3);
    assert!(
        refused.stderr.contains("--allow adopts"),
        "{}",
        refused.stderr
    );
    assert_eq!(account(server), before, "a refused apply wrote");

    let applied = project
        .run(&["apply", "--yes", "--allow", "adopts"])
        .with(0);
    assert_eq!(
        applied.last_line(),
        "Apply complete: 8 added, 3 changed, 0 destroyed."
    );
    let after = account(server);
    assert_holds(
        "the provider, which is used and not adopted",
        &after["providers"],
        &before["providers"],
    );
    for (table, name, kept) in [
        (
            "roles",
            "GitHubActions-ECR-Push",
            &["id", "trust", "description", "attached", "inline"][..],
        ),
        (
            "policies",
            "GitHubActions-ECR-Push-Policy",
            &["id", "versions", "document"][..],
        ),
        (
            "repositories",
            "back-end",
            &["created", "mutability", "encryption"][..],
        ),
    ] {
        let (old, new) = (&before[table][name], &after[table][name]);
        for field in kept {
            assert_eq!(new[*field], old[*field], "{table} {name}: {field}");
        }
        let ours = json!({ "provision:owner": "back-end@us-east-2", "team": "platform" });
        assert_eq!(new["tags"], ours, "{table} {name}");
    }
    assert_eq!(
        after["policies"]["GitHubActions-ECR-Push-Policy"]["versions"],
        json!(["v1"])
    );
    let planned = project.run(&["plan", "--detailed-exitcode"]).with(0);
    assert_eq!(
        planned.last_line(),
        "No changes. Your infrastructure matches infra.toml."
    );
}

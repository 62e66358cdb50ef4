//! The audit by the built binary in the sandbox: the seed's own documents, the hardened example, the formats, the
//! snapshot, the exit codes, and what thousands of roles cost.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "the helpers of these tests fail as loudly as the tests themselves"
)]

mod emulators;

#[path = "audit/drift.rs"]
mod drift;
#[path = "audit/github.rs"]
mod github;
#[path = "audit/permissions.rs"]
mod permissions;
#[path = "audit/reach.rs"]
mod reach;
#[path = "audit/sarif.rs"]
mod sarif;
#[path = "audit/scale.rs"]
mod scale;
#[path = "audit/unread.rs"]
mod unread;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Runs the binary in a directory, with nothing of this machine's environment but what is given.
fn run_with(directory: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_provision"))
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .env("HOME", directory)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn run(directory: &Path, arguments: &[&str]) -> Output {
    run_with(directory, arguments, &[])
}

fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|error| {
        panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr))
    })
}

/// A copy of an infra.toml and of its policies.
fn copy(from: &Path) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::copy(from.join("infra.toml"), directory.path().join("infra.toml")).unwrap();
    fs::create_dir(directory.path().join("policies")).unwrap();
    for entry in fs::read_dir(from.join("policies")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(
            entry.path(),
            directory.path().join("policies").join(entry.file_name()),
        )
        .unwrap();
    }
    directory
}

fn seed() -> tempfile::TempDir {
    copy(&project())
}

/// How often each operation was asked for, by what `-vv` prints.
fn requests(errors: &str) -> BTreeMap<String, usize> {
    let mut requests: BTreeMap<String, usize> = BTreeMap::new();
    for line in errors.lines() {
        if let Some((_, rest)) = line.split_once("operation=") {
            let rest = rest.trim_start_matches('"');
            let operation = rest.split(['"', ' ']).next().unwrap();
            *requests.entry(operation.to_owned()).or_default() += 1;
        }
    }
    requests
}

fn rules(audit: &Value) -> BTreeSet<&str> {
    let findings = audit["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap())
        .collect()
}

fn finding<'a>(audit: &'a Value, rule: &str) -> &'a Value {
    let findings = audit["findings"].as_array().unwrap();
    findings
        .iter()
        .find(|finding| finding["rule"] == rule)
        .unwrap_or_else(|| panic!("no {rule} in {audit:#}"))
}

/// The findings 1 to 6 and 9 that the seed's instructions lead to.
fn assert_the_seeds_findings(audit: &Value) {
    for rule in [
        "O16",
        "O6",
        "separate-build",
        "O26",
        "no-such-resource",
        "O18",
        "mutable-image-tag",
    ] {
        assert!(rules(audit).contains(rule), "{rule}: {:?}", rules(audit));
    }
    let dead = finding(audit, "O16");
    assert_eq!(dead["address"], "role/GitHubActions-ECR-Push");
    assert_eq!(
        dead["location"]["path"],
        "policies/github-actions-trust.json"
    );
    let every = finding(audit, "O6");
    assert_eq!(every["severity"], "high");
    assert!(
        every["message"]
            .as_str()
            .unwrap()
            .starts_with("With the letter case mended")
    );
    assert!(
        every["remedy"]
            .as_str()
            .unwrap()
            .contains("[role.github-production]")
    );
    for rule in ["O26", "O18"] {
        assert_eq!(finding(audit, rule)["severity"], "info");
    }
}

#[test]
fn the_seeds_own_documents_have_the_findings_that_they_are_known_for() {
    let directory = seed();
    let before = run(
        directory.path(),
        &["audit", "--sandbox", "--format", "json"],
    );
    assert_eq!(before.status.code(), Some(2));
    assert_the_seeds_findings(&json(&before));
    let applied = run(directory.path(), &["apply", "--yes", "--sandbox"]);
    assert!(applied.status.success(), "{applied:?}");
    let after = run(
        directory.path(),
        &["audit", "--sandbox", "--format", "json"],
    );
    assert_the_seeds_findings(&json(&after));
    assert!(
        !rules(&json(&after)).contains("drift"),
        "{:?}",
        rules(&json(&after))
    );
    let lenient = run(
        directory.path(),
        &["audit", "--sandbox", "--fail-on", "critical"],
    );
    assert_eq!(lenient.status.code(), Some(0));
}

#[test]
fn the_hardened_example_has_nothing_above_info() {
    let directory = copy(&project().join("examples/hardened"));
    for applied in [false, true] {
        if applied {
            let applied = run(directory.path(), &["apply", "--yes", "--sandbox"]);
            assert!(applied.status.success(), "{applied:?}");
        }
        let output = run(
            directory.path(),
            &["audit", "--sandbox", "--format", "json", "--fail-on", "low"],
        );
        let audit = json(&output);
        assert_eq!(output.status.code(), Some(0), "{:#}", audit["findings"]);
        assert!(
            audit["findings"]
                .as_array()
                .unwrap()
                .iter()
                .all(|finding| finding["severity"] == "info")
        );
    }
}

#[test]
fn a_snapshot_holds_no_secret_is_its_owners_alone_and_gives_the_same_audit() {
    let directory = seed();
    let at = directory.path();
    let infra = fs::read_to_string(at.join("infra.toml")).unwrap();
    let canary = "hunter2-canary-of-the-audit";
    let with = infra.replace(
        "DJANGO_ENV = \"{{environment}}\"",
        &format!("DJANGO_ENV = \"x\", JWT_SECRET_KEY_OLD = \"{canary}\""),
    );
    assert_ne!(with, infra);
    fs::write(at.join("infra.toml"), with).unwrap();
    assert!(run(at, &["apply", "--yes", "--sandbox"]).status.success());
    let saved = run(at, &["snapshot", "--out", "account.json", "--sandbox"]);
    assert!(saved.status.success(), "{saved:?}");
    let file = at.join("account.json");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(!fs::read_to_string(&file).unwrap().contains(canary));
    let live = run(at, &["audit", "--sandbox", "--format", "json"]);
    let saved = run(
        at,
        &["audit", "--snapshot", "account.json", "--format", "json"],
    );
    assert_eq!(json(&live), json(&saved));
    assert!(rules(&json(&live)).contains("plain-credential"));
    for output in [&live, &saved] {
        assert!(!String::from_utf8_lossy(&output.stdout).contains(canary));
    }
}

#[test]
fn what_could_not_be_read_is_listed_and_the_exit_code_is_one() {
    let directory = seed();
    let saved = run(
        directory.path(),
        &["snapshot", "--out", "account.json", "--sandbox"],
    );
    assert!(saved.status.success(), "{saved:?}");
    let file = directory.path().join("account.json");
    let mut account: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    account["unread"] = json!([{ "what": "the quotas of IAM", "reason": "AccessDenied" }]);
    fs::write(&file, account.to_string()).unwrap();
    let output = run(directory.path(), &["audit", "--snapshot", "account.json"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stdout)
            .contains("not read: the quotas of IAM: AccessDenied")
    );
}

#[test]
fn in_github_actions_each_finding_stands_beside_its_line() {
    let directory = seed();
    let summary = directory.path().join("summary.md");
    let environment = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
    ];
    let output = run_with(directory.path(), &["audit", "--sandbox"], &environment);
    let annotations = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        annotations.contains("::error file=policies/github-actions-trust.json,line="),
        "{annotations}"
    );
    assert!(annotations.contains("title=O16 role/GitHubActions-ECR-Push::"));
    assert!(
        fs::read_to_string(summary)
            .unwrap()
            .contains("### provision audit")
    );
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            sources(&path, found);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

/// The operations that the source sends: the first arguments of `read` and `write`, and ECS's list.
fn operations_of_the_source() -> BTreeSet<String> {
    let mut files = Vec::new();
    for module in ["aws", "kinds", "rollout"] {
        sources(&project().join("src").join(module), &mut files);
    }
    let mut found = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let text = text.split("\n#[cfg(test)]").next().unwrap();
        let calls = text
            .split(".read(")
            .skip(1)
            .chain(text.split(".write(").skip(1));
        for call in calls {
            let literal = call
                .trim_start()
                .strip_prefix('"')
                .and_then(|rest| rest.split('"').next());
            found.extend(
                literal
                    .filter(|literal| literal.contains(':'))
                    .map(str::to_owned),
            );
        }
        if file.ends_with("ecs_wire.rs") {
            for line in text.lines() {
                let mut words = line.split_whitespace();
                if let (Some("read" | "write"), Some(name), Some("=")) =
                    (words.next(), words.next(), words.next())
                {
                    found.insert(format!("ecs:{name}"));
                }
            }
        }
    }
    found
}

#[test]
fn the_table_of_permissions_knows_every_operation_that_the_code_can_send() {
    let known = provision::permissions::operations();
    let missing: Vec<String> = operations_of_the_source()
        .into_iter()
        .filter(|operation| !known.contains(operation.as_str()))
        .collect();
    assert!(missing.is_empty(), "not in src/permissions.rs: {missing:?}");
}

#[test]
fn permissions_are_scoped_to_what_is_declared() {
    let directory = seed();
    let policy = json(&run(directory.path(), &["permissions", "plan"]));
    let text = policy.to_string();
    assert!(
        text.contains("arn:aws:ecs:us-east-2:633607774026:service/operationcode/*"),
        "{policy:#}"
    );
    for write in [
        "iam:CreateRole",
        "ecr:PutLifecyclePolicy",
        "iam:PassRole",
        "ecs:UpdateService",
    ] {
        assert!(!text.contains(write), "{write}");
    }
    let apply = json(&run(directory.path(), &["permissions", "apply"]));
    let pass = apply["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .find(|statement| statement["Sid"] == "PassRole")
        .unwrap();
    assert!(pass["Condition"]["StringEquals"]["iam:PassedToService"].is_array());
    assert_eq!(
        run(directory.path(), &["permissions", "fly"]).status.code(),
        Some(64)
    );
}

/// Sets after how many requests moto begins to enforce IAM.
fn enforce_after(server: &emulators::Server, requests: u32) {
    let url = server.url();
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let body = requests.to_string();
    let head = format!(
        "POST /moto-api/reset-auth HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/octet-stream\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("200"), "{answer}");
}

fn aws(server: &emulators::Server, arguments: &[&str]) -> String {
    let output = server
        .command("aws")
        .unwrap()
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The policy as moto can enforce it: it asks for every action on `*`, and has a name of its own for the tagging API.
fn for_moto(policy: &Value, without: &str) -> String {
    let mut policy = policy.clone();
    let statements = policy["Statement"].as_array_mut().unwrap();
    for statement in statements.iter_mut() {
        statement["Resource"] = json!("*");
        let actions = statement["Action"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|action| *action != without);
        let renamed: Vec<Value> = actions
            .map(|action| {
                if action == "tag:GetResources" {
                    json!("tagging:GetResources")
                } else {
                    action.clone()
                }
            })
            .collect();
        statement["Action"] = json!(renamed);
    }
    policy.to_string()
}

#[test]
fn plan_and_audit_run_under_exactly_the_policies_that_permissions_prints() {
    let server = match emulators::Server::moto() {
        Ok(server) => server,
        Err(reason) => return println!("skipped: {reason}"),
    };
    let directory = seed();
    let at = directory.path();
    let (subnet, group) = server.network().unwrap();
    let infra = fs::read_to_string(at.join("infra.toml")).unwrap();
    let infra = infra
        .replace(
            "subnet-0a1b2c3d4e5f60718\", \"subnet-0f1e2d3c4b5a69788",
            &subnet,
        )
        .replace("sg-0123456789abcdef0", &group);
    fs::write(at.join("infra.toml"), infra).unwrap();
    let url = server.url();
    let github =
        github::Server::start(github::answers("repo:OperationCode/back-end", &Value::Null));
    let provision = |arguments: &[&str], key: &str, secret: &str| {
        let mut all = arguments.to_vec();
        all.extend(["--endpoint-url", &url]);
        let environment = [
            ("AWS_ACCESS_KEY_ID", key),
            ("AWS_SECRET_ACCESS_KEY", secret),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("GITHUB_API_URL", github.url.as_str()),
            ("GITHUB_TOKEN", github::TOKEN),
        ];
        run_with(at, &all, &environment)
    };
    let applied = provision(&["apply", "--yes"], "AKIASANDBOXSANDBOX00", "none");
    assert!(applied.status.success(), "{applied:?}");
    aws(&server, &["iam", "create-user", "--user-name", "ci"]);
    let query = [
        "--query",
        "AccessKey.[AccessKeyId,SecretAccessKey]",
        "--output",
        "text",
    ];
    let made = aws(
        &server,
        &[
            &["iam", "create-access-key", "--user-name", "ci"],
            &query[..],
        ]
        .concat(),
    );
    let (key, secret) = made.split_once('\t').unwrap();
    let under = |command: &str, without: &str| {
        let policy = json(&run(at, &["permissions", command]));
        let document = for_moto(&policy, without);
        let put = [
            "iam",
            "put-user-policy",
            "--user-name",
            "ci",
            "--policy-name",
            "p",
            "--policy-document",
            &document,
        ];
        enforce_after(&server, u32::MAX);
        aws(&server, &put);
        enforce_after(&server, 0);
        provision(&[command], key, secret)
    };
    let plan = under("plan", "");
    assert_eq!(plan.status.code(), Some(0), "{plan:?}");
    assert!(String::from_utf8_lossy(&plan.stdout).contains("No changes."));
    let audit = under("audit", "");
    assert_eq!(audit.status.code(), Some(2), "{audit:?}");
    let text = String::from_utf8_lossy(&audit.stdout);
    assert!(!text.contains("not read"), "{audit:?}");
    assert!(
        text.contains(" O15 role/GitHubActions-ECR-Push"),
        "GitHub was asked: {audit:?}"
    );
    assert!(!format!("{audit:?}").contains(github::TOKEN));
    // Without one of its actions it says what it could not read: the policy is enforced.
    assert_eq!(
        under("plan", "iam:GetAccountAuthorizationDetails")
            .status
            .code(),
        Some(1)
    );
    assert_eq!(
        under("audit", "iam:GetAccountSummary").status.code(),
        Some(1)
    );
}

//! What an account of thousands of roles costs: requests, memory and processor time.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::{finding, requests, rules, run, seed};

/// Roles and policies of others.
const ROLES: usize = 5000;
const POLICIES: usize = 2000;
/// Items of a page of IAM.
const PAGE: usize = 1000;
/// The most memory, in MiB.
const MEMORY: u64 = 300;
/// The most processor time of an optimised build, in seconds.
const SECONDS: f64 = 10.0;
/// How many times slower the test profile may be: our code is not optimised in it. With
/// `--config .cargo/optimised.toml` the audit took 5.3 s; without it 16 to 22 s, and 32 s beside other builds.
const SLOWER: f64 = 5.0;
/// The resources that CloudTrail is asked about: `audit::events` says why no more.
const ASKED: usize = 40;

/// The entry of a table with this name; the keys are the sandbox's own.
fn named(table: &Value, field: &str, name: &str) -> Value {
    let mut entries = table.as_object().unwrap().values();
    entries.find(|entry| entry[field] == name).unwrap().clone()
}

/// Adds roles and policies of others to a sandbox in which something was applied.
fn crowd(sandbox: &Path, roles: usize, policies: usize) {
    const ACCOUNT: &str = "633607774026";
    let mut state: Value = serde_json::from_str(&fs::read_to_string(sandbox).unwrap()).unwrap();
    let tables = state["tables"].as_object_mut().unwrap();
    let role = named(&tables["role"], "RoleName", "GitHubActions-ECR-Push");
    let policy = named(
        &tables["policy"],
        "PolicyName",
        "GitHubActions-ECR-Push-Policy",
    );
    let document = |index: usize| {
        json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": ["s3:GetObject", "logs:*", "iam:PassRole"], "Resource": format!("arn:aws:s3:::bucket-{index}/*") },
            { "Effect": "Allow", "Action": ["ecr:PutImage"], "Resource": format!("arn:aws:ecr:us-east-2:{ACCOUNT}:repository/app-{index}*") },
            { "Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": { "Bool": { "aws:SecureTransport": "false" } } },
        ] })
        .to_string()
    };
    for index in 0..policies {
        let (mut one, name) = (policy.clone(), format!("other-policy-{index}"));
        one["PolicyName"] = json!(name);
        one["Arn"] = json!(format!("arn:aws:iam::{ACCOUNT}:policy/{name}"));
        one["Tags"] = json!([]);
        for version in one["_versions"].as_array_mut().unwrap() {
            version["Document"] = json!(document(index));
        }
        tables["policy"][&name] = one;
    }
    for index in 0..roles {
        let (mut one, name) = (role.clone(), format!("other-role-{index}"));
        one["RoleName"] = json!(name);
        one["RoleId"] = json!(format!("AROA{index:017}"));
        one["Arn"] = json!(format!("arn:aws:iam::{ACCOUNT}:role/{name}"));
        one["Tags"] = json!([]);
        one["_attached"] = json!([format!(
            "arn:aws:iam::{ACCOUNT}:policy/other-policy-{}",
            index % policies
        )]);
        if index % 10 == 0 {
            let trust = role["AssumeRolePolicyDocument"].as_str().unwrap();
            one["AssumeRolePolicyDocument"] = json!(trust.replace(
                "operationcode/back-end",
                &format!("organisation-{index}/app")
            ));
        } else {
            one["AssumeRolePolicyDocument"] = json!(json!({ "Version": "2012-10-17", "Statement": [
                { "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" }] }).to_string());
        }
        tables["role"][&name] = one;
    }
    fs::write(sandbox, state.to_string()).unwrap();
}

/// What a run printed, and what it took.
struct Cost {
    stdout: String,
    requests: BTreeMap<String, usize>,
    seconds: f64,
    memory: u64,
}

/// Audits a directory's sandbox, looking at the process while it runs.
#[expect(
    clippy::disallowed_methods,
    reason = "another process is waited for, in real time"
)]
fn cost(at: &Path) -> Cost {
    let mut child = Command::new(env!("CARGO_BIN_EXE_provision"))
        .args(["audit", "--sandbox", "--format", "json", "-vv"])
        .current_dir(at)
        .env_clear()
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipes = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let stdout = thread::spawn(move || {
        let mut text = String::new();
        pipes.0.read_to_string(&mut text).unwrap();
        text
    });
    let stderr = thread::spawn(move || {
        let mut text = String::new();
        pipes.1.read_to_string(&mut text).unwrap();
        text
    });
    let proc = Path::new("/proc").join(child.id().to_string());
    let mut memory = 0;
    let seconds = loop {
        let status = fs::read_to_string(proc.join("status")).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        memory = memory.max(peak.map_or(0, |text| {
            text.trim().trim_end_matches(" kB").parse().unwrap()
        }));
        let stat = fs::read_to_string(proc.join("stat")).unwrap_or_default();
        let fields: Vec<&str> = stat
            .rsplit(") ")
            .next()
            .unwrap_or_default()
            .split(' ')
            .collect();
        // A process that has ended and was not waited for yet still tells its times, in hundredths of a second.
        if fields[0] == "Z" {
            let ticks: f64 =
                fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
            break ticks / 100.0;
        }
        thread::sleep(Duration::from_millis(20));
    };
    child.wait().unwrap();
    let requests = requests(&stderr.join().unwrap());
    Cost {
        stdout: stdout.join().unwrap(),
        requests,
        seconds,
        memory: memory / 1024,
    }
}

#[test]
fn an_account_of_thousands_of_roles_costs_its_pages_and_little_more() {
    if !cfg!(target_os = "linux") {
        return println!("skipped: processor time is read from /proc");
    }
    let directory = seed();
    let at = directory.path();
    assert!(run(at, &["apply", "--yes", "--sandbox"]).status.success());
    let alone = cost(at);
    crowd(&at.join(".provision/sandbox.json"), ROLES, POLICIES);
    let crowded = cost(at);
    let audit: Value = serde_json::from_str(&crowded.stdout).unwrap();
    assert_eq!(audit["unread"], json!([]));
    assert!(rules(&audit).contains("undeclared-trust"));
    assert!(
        finding(&audit, "undeclared-trust")["evidence"]
            .as_array()
            .unwrap()
            .len()
            > 1
    );
    println!(
        "{ROLES} roles, {POLICIES} policies: {:.1} s of processor, {} MiB, {:?}",
        crowded.seconds, crowded.memory, crowded.requests
    );

    // The floor: performance.md's for one project, and what the audit reads beyond a plan.
    let floor = [
        ("ecr:DescribeImages", 1),
        ("ecr:DescribeRepositories", 1),
        ("ecr:GetLifecyclePolicy", 1),
        ("ecr:GetRepositoryPolicy", 1),
        ("ecs:DescribeClusters", 1),
        ("ecs:DescribeServices", 1),
        ("ecs:DescribeTaskDefinition", 2),
        ("ecs:ListTaskDefinitions", 2),
        ("iam:GetAccountAuthorizationDetails", 1),
        ("iam:GetAccountSummary", 1),
        ("iam:GetOpenIDConnectProvider", 1),
        ("iam:ListRoles", 1),
        ("logs:DescribeLogGroups", 1),
        ("secretsmanager:DescribeSecret", 2),
        ("sts:GetCallerIdentity", 1),
        ("tagging:GetResources", 2),
    ];
    let mut floor: BTreeMap<String, usize> =
        floor.map(|(name, count)| (name.to_owned(), count)).into();
    assert_eq!(alone.requests, floor);
    // The project's own two roles and its policy are in the account too, and AWS's policy of the execution role.
    floor.insert(
        "iam:GetAccountAuthorizationDetails".to_owned(),
        (ROLES + POLICIES + 4).div_ceil(PAGE),
    );
    floor.insert("iam:ListRoles".to_owned(), (ROLES + 2).div_ceil(PAGE));
    floor.insert("cloudtrail:LookupEvents".to_owned(), ASKED);
    assert_eq!(crowded.requests, floor);
    assert!(crowded.memory <= MEMORY, "{} MiB", crowded.memory);
    let most = if cfg!(debug_assertions) {
        SECONDS * SLOWER
    } else {
        SECONDS
    };
    assert!(crowded.seconds <= most, "{:.1} s", crowded.seconds);
}

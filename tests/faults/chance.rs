//! Random configurations: valid by construction, over few names, so that two of them have much in
//! common and differ in anything that can differ.

use std::fmt::Write as _;
use std::sync::Arc;

use provision::config::Config;

use super::configs::{self, ACCOUNT, REGION};
use super::sweeps::Random;

const POLICIES: [&str; 3] = ["p", "q", "bounds"];
const ROLES: [&str; 2] = ["one", "two"];
const DOCUMENTS: [&str; 6] = [
    "push",
    "push-more",
    "read",
    "list",
    "deny-list",
    "everything",
];

/// A configuration by chance.
pub(crate) fn config(random: &mut Random) -> Arc<Config> {
    configs::parsed(&text(random))
}

fn text(random: &mut Random) -> String {
    let mut text = format!(
        "[project]\nname = \"sweep\"\naccount_id = \"{ACCOUNT}\"\nregion = \"{REGION}\"\n\
         tags = {{ team = \"{}\" }}\n\n[github]\nrepository = \"Org/app\"\n",
        random.pick(&["blue", "red"])
    );
    let clients = random.pick(&[r#"["sts.amazonaws.com"]"#, r#"["sts.amazonaws.com", "x"]"#]);
    let _ = writeln!(
        text,
        "\n[oidc_provider.\"token.actions.githubusercontent.com\"]\nclient_ids = {clients}"
    );
    let mut policies: Vec<&str> = Vec::new();
    for name in POLICIES {
        if random.percent(75) {
            policies.push(name);
            let document = random.pick(&DOCUMENTS);
            let _ = writeln!(
                text,
                "\n[policy.{name}]\ndocument = \"policies/{document}.json\""
            );
        }
    }
    for name in ROLES {
        if random.percent(85) {
            role(&mut text, name, &policies, random);
        }
    }
    if random.percent(85) {
        pipeline(&mut text, random);
    }
    text
}

fn role(text: &mut String, name: &str, policies: &[&str], random: &mut Random) {
    let trust = random.pick(&[
        r#"{ github = { branches = ["main"] } }"#,
        r#"{ github = { environments = ["production"] } }"#,
        r#"{ github = { branches = ["main"], environments = ["production"] } }"#,
        r#"{ service = "ecs-tasks.amazonaws.com" }"#,
    ]);
    let _ = writeln!(text, "\n[role.{name}]\ntrust = {trust}");
    let mut attached: Vec<String> = policies
        .iter()
        .filter(|_| random.percent(50))
        .map(|name| format!("\"{name}\""))
        .collect();
    if random.percent(20) {
        attached.push("\"AmazonEC2ContainerRegistryReadOnly\"".to_owned());
    }
    let _ = writeln!(text, "managed_policies = [{}]", attached.join(", "));
    if random.percent(50) {
        let (key, document) = (random.pick(&["main", "more"]), random.pick(&DOCUMENTS));
        let _ = writeln!(
            text,
            "inline_policies = {{ {key} = \"policies/{document}.json\" }}"
        );
    }
    if random.percent(25)
        && let Some(bounds) = policies.last()
    {
        let _ = writeln!(text, "permissions_boundary = \"{bounds}\"");
    }
    if random.percent(30) {
        let _ = writeln!(
            text,
            "max_session_duration = 7200\ndescription = \"a role\""
        );
    }
}

/// Repository, log group, secret, cluster and service.
fn pipeline(text: &mut String, random: &mut Random) {
    let _ = writeln!(text, "\n[repository.images]");
    let _ = writeln!(
        text,
        "image_tag_mutability = \"{}\"",
        random.pick(&["MUTABLE", "IMMUTABLE"])
    );
    if random.percent(50) {
        text.push_str("lifecycle_policy = \"policies/lifecycle.json\"\n");
    }
    if random.percent(40) {
        text.push_str("policy = \"policies/repository.json\"\n");
    }
    let retention = random.pick(&["", "retention_in_days = 30\n", "retention_in_days = 7\n"]);
    let _ = write!(text, "\n[log_group.\"/ecs/web\"]\n{retention}");
    let value = random.pick(&["", "generate = { bytes = 32, encoding = \"base64\" }\n"]);
    let _ = write!(text, "\n[secret.\"web/key\"]\n{value}");
    let insights = random.pick(&["enabled", "disabled"]);
    let _ = writeln!(text, "\n[cluster.web]\ncontainer_insights = \"{insights}\"");
    text.push_str(
        "\n[role.execution]\ntrust = { service = \"ecs-tasks.amazonaws.com\" }\n\
         managed_policies = [\"AmazonECSTaskExecutionRolePolicy\"]\n",
    );
    if random.percent(80) {
        let (count, minimum) = (random.below(3), random.pick(&[50, 100]));
        let (memory, mode) = (random.pick(&[512, 1024]), random.pick(&["plain", "fancy"]));
        let _ = write!(
            text,
            "\n[service.web]\ncluster = \"web\"\ndesired_count = {count}\nlaunch_type = \"FARGATE\"\n\
             network = {{ subnets = [\"subnet-0a1b2c3d\"], security_groups = [\"sg-0a1b2c3d\"], assign_public_ip = false }}\n\
             deployment = {{ minimum_healthy_percent = {minimum}, maximum_percent = 200 }}\n\
             \n[service.web.task]\nfamily = \"web\"\ncpu = 256\nmemory = {memory}\narchitecture = \"ARM64\"\nexecution_role = \"execution\"\n\
             \n[service.web.task.container.web]\nimage = {{ repository = \"images\", tag = \"live\" }}\nport_mappings = [8000]\n\
             environment = {{ MODE = \"{mode}\" }}\nsecrets = {{ KEY = \"web/key\" }}\nlog_group = \"/ecs/web\"\n"
        );
    }
}

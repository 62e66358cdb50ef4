//! The configurations of the sweeps: two worlds (tiny has one of each kind, small has several), each
//! declared in six ways, so that there is a transition from every way to every other.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::Arc;

use provision::config::{self, Config};

/// How much there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Size {
    Tiny,
    Small,
    /// The calls that the others have no need of: keys, thumbprints, capacity, a replaced service.
    Rare,
}

/// In which of the six ways it is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// Nothing but the project.
    Empty,
    /// Everything.
    Full,
    /// Everything, with every field changed that can be.
    Changed,
    /// Half of it.
    Halved,
    /// Everything under other names.
    Renamed,
    /// Everything, and what others left lying about without an owner.
    Adopting,
}

impl Way {
    /// The ways in which a world of this size is declared.
    pub(crate) fn of(size: Size) -> &'static [Self] {
        match size {
            Size::Tiny | Size::Small => &[
                Self::Empty,
                Self::Full,
                Self::Changed,
                Self::Halved,
                Self::Renamed,
                Self::Adopting,
            ],
            Size::Rare => &[Self::Full, Self::Changed],
        }
    }
}

impl Size {
    pub(crate) const ALL: [Self; 3] = [Self::Tiny, Self::Small, Self::Rare];
}

/// The account and region of every world.
pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const REGION: &str = "eu-west-1";

/// The text of infra.toml.
pub(crate) fn text(size: Size, way: Way) -> String {
    if size == Size::Rare {
        return rare(way);
    }
    let mut text = format!(
        "[project]\nname = \"sweep\"\naccount_id = \"{ACCOUNT}\"\nregion = \"{REGION}\"\n\
         tags = {{ team = \"{}\" }}\n\n[github]\nrepository = \"Org/app\"\n",
        if way == Way::Changed { "red" } else { "blue" }
    );
    let count = match size {
        Size::Small => 2,
        Size::Tiny | Size::Rare => 1,
    };
    if way == Way::Empty {
        return text;
    }
    text.push_str(&shared(way));
    for index in 0..count {
        let halved = way == Way::Halved && index + 1 == count;
        text.push_str(&one(way, index, halved));
    }
    if way == Way::Adopting {
        text.push_str(LEGACY);
    }
    text
}

fn prefix(way: Way) -> &'static str {
    if way == Way::Renamed { "new" } else { "app" }
}

fn shared(way: Way) -> String {
    let changed = way == Way::Changed;
    let p = prefix(way);
    let clients = if changed {
        r#"["sts.amazonaws.com", "other"]"#
    } else {
        r#"["sts.amazonaws.com"]"#
    };
    let insights = if changed { "disabled" } else { "enabled" };
    format!(
        "\n[oidc_provider.\"token.actions.githubusercontent.com\"]\nclient_ids = {clients}\n\
         \n[cluster.{p}]\ncontainer_insights = \"{insights}\"\n\
         \n[role.{p}-execution]\ntrust = {{ service = \"ecs-tasks.amazonaws.com\" }}\n\
         managed_policies = [\"AmazonECSTaskExecutionRolePolicy\"]\n"
    )
}

/// One pipeline: policy, role, repository, log group, secret, service.
fn one(way: Way, index: usize, halved: bool) -> String {
    let p = format!("{}-{index}", prefix(way));
    let cluster = prefix(way);
    let changed = way == Way::Changed;
    let pick = |before: &'static str, after: &'static str| if changed { after } else { before };
    let mut text = format!(
        "\n[policy.{p}-push]\ndocument = \"{}\"\n",
        pick("policies/push.json", "policies/push-more.json")
    );
    let inline = pick("read", "list");
    let _ = write!(
        text,
        "\n[role.{p}-push]\ntrust = {{ github = {{ {} }} }}\ndescription = \"{}\"\n\
         max_session_duration = {}\nmanaged_policies = [{}]\ninline_policies = {{ {inline} = \"policies/{inline}.json\" }}\n",
        pick(r#"branches = ["main"]"#, r#"environments = ["production"]"#),
        pick("pushes", "pushes images"),
        pick("3600", "7200"),
        pick(
            "\"PUSH\", \"AmazonEC2ContainerRegistryReadOnly\"",
            "\"PUSH\""
        )
        .replace("PUSH", &format!("{p}-push")),
    );
    if changed {
        let _ = writeln!(text, "permissions_boundary = \"{p}-push\"");
    }
    let _ = write!(
        text,
        "\n[repository.{p}]\nimage_tag_mutability = \"{}\"\n{}",
        pick("MUTABLE", "IMMUTABLE"),
        pick(
            "lifecycle_policy = \"policies/lifecycle.json\"\n",
            "policy = \"policies/repository.json\"\n"
        ),
    );
    if halved {
        return text;
    }
    let _ = write!(
        text,
        "\n[log_group.\"/ecs/{p}\"]\n{}\n[secret.\"{p}/key\"]\n{}",
        pick("retention_in_days = 30\n", ""),
        pick(
            "generate = { bytes = 32, encoding = \"base64\" }\n",
            "recovery_window_in_days = 7\n"
        ),
    );
    let _ = write!(
        text,
        "\n[service.{p}]\ncluster = \"{cluster}\"\ndesired_count = {}\nlaunch_type = \"FARGATE\"\n\
         network = {{ subnets = [\"subnet-0a1b2c3d\"{}], security_groups = [\"sg-0a1b2c3d\"], assign_public_ip = false }}\n\
         deployment = {{ minimum_healthy_percent = {}, maximum_percent = 200, circuit_breaker = {{ enable = true, rollback = true }} }}\n\
         \n[service.{p}.task]\nfamily = \"{p}\"\ncpu = {}\nmemory = {}\narchitecture = \"ARM64\"\nexecution_role = \"{cluster}-execution\"\n\
         \n[service.{p}.task.container.web]\nimage = {{ repository = \"{p}\", tag = \"live\" }}\nport_mappings = [8000]\n\
         environment = {{ MODE = \"{}\", API_TOKEN = \"canary-{}-7d1e0c\" }}\nsecrets = {{ KEY = \"{p}/key\" }}\nlog_group = \"/ecs/{p}\"\n",
        pick("1", "2"),
        pick("", ", \"subnet-0e5f6a7b\""),
        pick("100", "50"),
        pick("256", "512"),
        pick("512", "1024"),
        pick("plain", "fancy"),
        pick("old", "new"),
    );
    text
}

/// What the other worlds have no need of, in two ways.
fn rare(way: Way) -> String {
    let changed = way == Way::Changed;
    let pick = |before: &'static str, after: &'static str| if changed { after } else { before };
    format!(
        "[project]\nname = \"sweep\"\naccount_id = \"{ACCOUNT}\"\nregion = \"{REGION}\"\ntags = {{ {} }}\n\
         \n[oidc_provider.\"token.actions.githubusercontent.com\"]\nclient_ids = [\"sts.amazonaws.com\"]\nthumbprints = [\"{}\"]\n\
         \n[policy.rare]\ndocument = \"policies/read.json\"\n\
         \n[role.rare]\ntrust = {{ service = \"ecs-tasks.amazonaws.com\" }}\n\
         \n[log_group.\"/rare/logs\"]\n{}\n\
         \n[secret.\"rare/key\"]\ndescription = \"{}\"\n\
         \n[cluster.rare]\ncapacity_providers = [{}]\n\
         \n[repository.rare]\n{}\n\
         \n[service.rare]\ncluster = \"rare\"\nlaunch_type = \"FARGATE\"\n{}\ndesired_count = 1\n\
         network = {{ subnets = [\"subnet-0a1b2c3d\"], security_groups = [\"sg-0a1b2c3d\"] }}\n\
         \n[service.rare.task]\ncpu = 256\nmemory = 512\n\
         \n[service.rare.task.container.web]\nimage = \"nginx:1.27\"\n",
        pick("team = \"blue\", stray = \"x\"", "team = \"blue\""),
        pick(
            "6938fd4d98bab03faadb97b34396831e3780aea1",
            "1c58a3a8518e8759bf075b76b750d4f2df264fcd"
        ),
        pick(
            "kms_key_id = \"arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000000\"",
            "deletion_protection_enabled = true"
        ),
        pick("one", "two"),
        pick("\"FARGATE\"", "\"FARGATE\", \"FARGATE_SPOT\""),
        pick("policy = \"policies/repository.json\"", ""),
        pick("name = \"rare\"", "name = \"rare-again\""),
    )
}

/// What others left lying about, as the configuration that adopts it declares it.
const LEGACY: &str = r#"
[policy.legacy-policy]
document = "policies/read.json"

[role.legacy-role]
trust = { service = "ecs-tasks.amazonaws.com" }
managed_policies = ["legacy-policy"]

[repository.legacy]

[log_group."/legacy/logs"]
retention_in_days = 14

[secret."legacy/key"]

[cluster.legacy]
"#;

fn document(name: &str) -> Option<&'static str> {
    Some(match name {
        "push.json" => {
            r#"{"Version": "2012-10-17", "Statement": [
              {"Effect": "Allow", "Action": ["ecr:PutImage", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart"], "Resource": "arn:aws:ecr:eu-west-1:111122223333:repository/app*"},
              {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}]}"#
        }
        "push-more.json" => {
            r#"{"Version": "2012-10-17", "Statement": [
              {"Effect": "Allow", "Action": ["ecr:PutImage", "ecr:BatchGetImage", "ecr:ListImages"], "Resource": "*"},
              {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}]}"#
        }
        "read.json" => {
            r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": "*"}}"#
        }
        "list.json" => {
            r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ecr:ListImages", "Resource": "*"}}"#
        }
        "deny-list.json" => {
            r#"{"Version": "2012-10-17", "Statement": [
              {"Effect": "Deny", "Action": "ecr:ListImages", "Resource": "*"},
              {"Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": "*"}]}"#
        }
        "everything.json" => {
            r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["ecr:*", "logs:PutLogEvents"], "Resource": "*"}}"#
        }
        "lifecycle.json" => {
            r#"{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 10}, "action": {"type": "expire"}}]}"#
        }
        "repository.json" => {
            r#"{"Version": "2012-10-17", "Statement": [{"Sid": "Read", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "ecr:BatchGetImage"}]}"#
        }
        _ => return None,
    })
}

/// The checked configuration.
pub(crate) fn config(size: Size, way: Way) -> Arc<Config> {
    parsed(&text(size, way))
}

/// The checked configuration of this text; the documents that it names are those of this file.
pub(crate) fn parsed(text: &str) -> Arc<Config> {
    let mut read = |path: &Path| -> io::Result<String> {
        path.file_name()
            .and_then(|name| document(&name.to_string_lossy()))
            .map(str::to_owned)
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    };
    match config::parse("infra.toml", text, &mut read) {
        Ok(config) => Arc::new(config),
        Err(diagnostics) => {
            let all: Vec<String> = diagnostics.iter().map(|one| one.render(false)).collect();
            panic!("the sweep's own infra.toml:\n{}\n{text}", all.join("\n"));
        }
    }
}

//! The first infra.toml of a new project: what a repository needs to push images, with nothing that
//! the audit would find.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::{Files, Project};

/// What may be pushed to one repository.
const PUSH_POLICY: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:CompleteLayerUpload",
        "ecr:GetDownloadUrlForLayer",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart"
      ],
      "Resource": "{{repository.NAME.arn}}"
    },
    {
      "Effect": "Allow",
      "Action": "ecr:GetAuthorizationToken",
      "Resource": "*"
    }
  ]
}
"#;

const LIFECYCLE: &str = r#"{
  "rules": [
    {
      "rulePriority": 1,
      "description": "Untagged images go after two weeks",
      "selection": {
        "tagStatus": "untagged",
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": 14
      },
      "action": { "type": "expire" }
    }
  ]
}
"#;

const GITHUB: &str = r#"[oidc_provider."token.actions.githubusercontent.com"]
client_ids = ["sts.amazonaws.com"]

[policy.NAME-push]
document = "policies/push.json"

[role.NAME-push]
description = "Lets GitHub Actions push images"
trust = { github = { branches = ["main"] } }
managed_policies = ["NAME-push"]

"#;

const REST: &str = r#"[repository.NAME]
image_tag_mutability = "MUTABLE"
lifecycle_policy = "policies/lifecycle.json"

[cluster.NAME]

[log_group."/ecs/NAME"]
retention_in_days = 30

[role.NAME-task-execution]
description = "Lets ECS pull images and write logs"
trust = { service = "ecs-tasks.amazonaws.com" }
managed_policies = ["AmazonECSTaskExecutionRolePolicy"]

# A service: name your subnets and security groups, and remove the signs.
#
# [service.NAME]
# cluster = "NAME"
# desired_count = 1
# launch_type = "FARGATE"
# network = { subnets = ["subnet-..."], security_groups = ["sg-..."] }
# deployment = { circuit_breaker = { enable = true, rollback = true } }
#
# [service.NAME.task]
# family = "NAME"
# cpu = 256
# memory = 512
# architecture = "ARM64"
# execution_role = "NAME-task-execution"
#
# [service.NAME.task.container.web]
# image = { repository = "NAME", tag = "main" }
# port_mappings = [8000]
# log_group = "/ecs/NAME"
"#;

/// infra.toml and what it names.
pub(super) fn files(project: &Project) -> Files {
    let name = repository_name(&project.name);
    let mut text = head(project);
    if project.github.is_some() {
        text.push_str(&GITHUB.replace("NAME", &name));
    }
    text.push_str(&REST.replace("NAME", &name));
    let mut files = vec![
        (PathBuf::from("infra.toml"), text),
        (
            PathBuf::from("policies/lifecycle.json"),
            LIFECYCLE.to_owned(),
        ),
    ];
    if project.github.is_some() {
        let policy = PUSH_POLICY.replace("NAME", &name);
        files.push((PathBuf::from("policies/push.json"), policy));
    }
    files
}

/// The tables that every infra.toml begins with.
pub(super) fn head(project: &Project) -> String {
    let mut text = format!(
        "[project]\nname = {:?}\naccount_id = {:?}\nregion = {:?}\n\n",
        project.name, project.account_id, project.region
    );
    if let Some(repository) = &project.github {
        let _ = writeln!(text, "[github]\nrepository = {repository:?}\n");
    }
    text
}

/// The project's name as the name of a repository: ECR takes lower case, single separators between
/// letters and digits, and no less than two characters.
fn repository_name(project: &str) -> String {
    let words: Vec<String> = project
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let name = words.join("-");
    if name.len() < 2 {
        format!("app-{name}")
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;

    use super::*;
    use crate::config;

    #[test]
    fn what_is_written_is_valid() {
        for github in [None, Some("OperationCode/back-end".to_owned())] {
            let project = Project {
                name: "back-end".to_owned(),
                account_id: "633607774026".to_owned(),
                region: "us-east-2".to_owned(),
                github,
            };
            let files = files(&project);
            let mut read = |path: &Path| {
                let found = files.iter().find(|(name, _)| name == path);
                found
                    .map(|(_, text)| text.clone())
                    .ok_or(io::Error::from(io::ErrorKind::NotFound))
            };
            let parsed = config::parse("infra.toml", &files[0].1, &mut read);
            assert_eq!(parsed.map(|_| ()), Ok(()));
        }
    }

    #[test]
    fn any_name_of_a_project_gives_one_of_a_repository() {
        for (project, repository) in [
            ("back-end", "back-end"),
            ("My-App", "my-app"),
            ("a__b--c", "a-b-c"),
            ("i", "app-i"),
        ] {
            assert_eq!(repository_name(project), repository);
        }
    }
}

//! Checks of the project, of GitHub and of the environments.

use super::super::diagnostic::nearest;
use super::super::model::{Check, Environment, Github, Seconds};
use super::super::node::{Node, Value};
use super::super::reader::Reader;
use super::super::tables::{CheckTable, EnvironmentTable, GithubTable, ProjectTable};

/// The regions that are known when this was written, for hints; others of the right form are taken.
const REGIONS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// Checks `[project]`.
pub(in super::super) fn project(project: &ProjectTable, node: &Node, reader: &mut Reader<'_>) {
    let ProjectTable {
        name,
        account_id,
        region,
        tags,
        ignore_tags,
        lock,
    } = project;
    let letter = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    // The mark NAME@REGION has to fit into a tag's value.
    let name_fits = (1..=128).contains(&name.len()) && name.chars().all(letter);
    let message = format!("`{name}` is no name of a project.");
    let hint = "A name has 1 to 128 letters, digits and `_./-`: it becomes part of a tag.";
    reader.demand(name_fits, node, &["name"], &message, hint);

    let digits = account_id.len() == 12 && account_id.chars().all(|c| c.is_ascii_digit());
    let message = format!("`{account_id}` is no account id.");
    let hint = "It has twelve digits, in quotes: aws sts get-caller-identity shows it.";
    reader.demand(digits, node, &["account_id"], &message, hint);

    let message = format!("`{region}` is no region.");
    let hint = match nearest(region, REGIONS.iter().copied()) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => "A region is written like us-east-2.".to_owned(),
    };
    reader.demand(is_region(region), node, &["region"], &message, &hint);

    super::tags(node, &["tags"], tags, reader);
    reader.once(node, &["ignore_tags"], ignore_tags);
    if let Some(lock) = lock {
        let hint = "Write \"ssm:/provision/NAME\": letters, digits and `_.-` between slashes, \
                    not under /aws or /ssm.";
        if let Some(name) = lock.strip_prefix("ssm:") {
            let message = format!("`{name}` is no name of a parameter.");
            reader.demand(is_parameter(name), node, &["lock"], &message, hint);
        } else {
            let message = "`lock` must name an SSM parameter.";
            reader.demand(false, node, &["lock"], message, hint);
        }
    }
}

/// Longest name of a parameter, and most levels of it, that Systems Manager takes.
const LONGEST_PARAMETER: usize = 1011;
const MOST_LEVELS: usize = 15;

/// Whether a text is the full name of a parameter that may be made.
fn is_parameter(text: &str) -> bool {
    let Some(levels) = text.strip_prefix('/') else {
        return false;
    };
    let letter = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let is_level = |level: &str| !level.is_empty() && level.chars().all(letter);
    let first = levels.to_ascii_lowercase();
    text.len() <= LONGEST_PARAMETER
        && levels.split('/').all(is_level)
        && levels.split('/').count() <= MOST_LEVELS
        && !["aws", "ssm"]
            .iter()
            .any(|reserved| first.starts_with(reserved))
}

/// Whether a text has the form of a region: a part of the world, directions, a number.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [first, middle @ .., last] = parts.as_slice() else {
        return false;
    };
    let word = |part: &&str| part.len() >= 2 && part.chars().all(|c| c.is_ascii_lowercase());
    let number = !last.is_empty() && last.len() <= 2 && last.chars().all(|c| c.is_ascii_digit());
    word(first) && !middle.is_empty() && middle.iter().all(word) && number
}

/// Checks `[github]`.
pub(in super::super) fn github(
    table: &GithubTable,
    node: &Node,
    reader: &mut Reader<'_>,
) -> Option<Github> {
    let GithubTable {
        repository,
        repository_id,
        owner_id,
    } = table;
    if repository_id.is_some() != owner_id.is_some() {
        let hint = "Give both or none: gh api repos/OWNER/NAME --jq '.id, .owner.id' shows them.";
        let message = "`repository_id` and `owner_id` belong together.";
        reader.error(&node.at, message, hint.to_owned());
    }
    let letter = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let part = |text: &str| !text.is_empty() && text.chars().all(letter);
    match repository.split_once('/') {
        Some((owner, name)) if part(owner) && part(name) => Some(Github {
            owner: owner.to_owned(),
            name: name.to_owned(),
            repository_id: *repository_id,
            owner_id: *owner_id,
        }),
        _ => {
            let message = format!("`{repository}` is no GitHub repository.");
            let hint = "Write OWNER/NAME, in GitHub's letter case, without a host.".to_owned();
            reader.error_at(node, &["repository"], message, hint);
            None
        }
    }
}

/// The names of placeholders that `vars` may not take.
const RESERVED: &[&str] = &["account_id", "region", "partition", "environment"];

/// Checks one `[environment.*]` table and gives its checks in their form.
pub(in super::super) fn environment(
    name: &str,
    table: &EnvironmentTable,
    node: &Node,
    reader: &mut Reader<'_>,
) -> Vec<Check> {
    let letters = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !letters || name.is_empty() || name.len() > 64 {
        let message = format!("`{name}` is no name of an environment.");
        let hint = "A name has 1 to 64 letters, digits, `-` and `_`: it becomes part of others.";
        reader.error(&node.at, message, hint.to_owned());
    }
    for entry in node.get("vars").map_or(&[][..], Node::entries) {
        let key = &entry.key;
        if RESERVED.contains(&key.as_str()) || key.contains(['.', '{', '}']) || key.trim() != key {
            let message = format!("`{key}` cannot be the name of a var.");
            let hint = "It has a meaning of its own in {{...}}. Choose another name.".to_owned();
            reader.error(&entry.key_at, message, hint);
        }
    }
    let list = node.follow(&["validate"]);
    let checks = table.validate.iter().enumerate();
    checks
        .filter_map(|(index, it)| check(it, list.follow(&[&index.to_string()]), reader))
        .collect()
}

/// How long a URL may take to answer unless `timeout` says: a health page answers at once.
const HTTP_TIMEOUT: Seconds = Seconds(20);
/// How long a program may take unless `timeout` says: a smoke test ends within minutes.
const COMMAND_TIMEOUT: Seconds = Seconds(600);

fn check(table: &CheckTable, node: &Node, reader: &mut Reader<'_>) -> Option<Check> {
    let CheckTable {
        http,
        status,
        command,
        alarm,
        timeout,
    } = table;
    if status.is_some() && http.is_none() {
        let hint = "Add `http = \"https://...\"`, or leave `status` out.";
        reader.demand(
            false,
            node,
            &["status"],
            "`status` goes with `http` only.",
            hint,
        );
    }
    match (http, command, alarm) {
        (Some(url), None, None) => {
            let scheme = url.starts_with("https://") || url.starts_with("http://");
            let message = format!("`{url}` is no URL.");
            let hint = "It begins with https:// or http://.";
            reader.demand(scheme, node, &["http"], &message, hint);
            reader.range(node, &["status"], *status, 100..=599);
            Some(Check::Http {
                url: url.clone(),
                status: status.unwrap_or(200),
                timeout: timeout.unwrap_or(HTTP_TIMEOUT),
            })
        }
        (None, Some(command), None) => {
            let hint = "Write [\"PROGRAM\", \"ARGUMENT\"].";
            reader.demand(
                !command.is_empty(),
                node,
                &["command"],
                "`command` is empty.",
                hint,
            );
            Some(Check::Command {
                words: command.clone(),
                timeout: timeout.unwrap_or(COMMAND_TIMEOUT),
            })
        }
        (None, None, Some(alarm)) => {
            let hint = "Leave `timeout` out: an alarm is only read.";
            let message = "`timeout` goes with `http` and `command` only.";
            reader.demand(timeout.is_none(), node, &["timeout"], message, hint);
            Some(Check::Alarm(alarm.clone()))
        }
        _ => {
            let hint = "Write { http = \"...\" }, { command = [...] } or { alarm = \"...\" }.";
            let message = "A check is exactly one of `http`, `command` and `alarm`.";
            reader.error(&node.at, message, hint.to_owned());
            None
        }
    }
}

/// Checks that every `after` names another environment, and that none comes after itself.
pub(in super::super) fn order(environments: &[(&Environment, &Node)], reader: &mut Reader<'_>) {
    let after = |name: &str| {
        let found = environments.iter().find(|(it, _)| it.name == name);
        found.and_then(|(it, _)| it.after.as_deref())
    };
    let mut reported: Vec<&str> = Vec::new();
    for (environment, node) in environments {
        let Some(first) = environment.after.as_deref() else {
            continue;
        };
        if !environments.iter().any(|(other, _)| other.name == first) {
            let known = environments.iter().map(|(other, _)| other.name.as_str());
            let hint = match nearest(first, known) {
                Some(near) => format!("Did you mean `{near}`?"),
                None => format!("Declare it: [environment.{first}]."),
            };
            let message = format!("There is no environment named `{first}`.");
            reader.error_at(node, &["after"], message, hint);
            continue;
        }
        let mut way = vec![environment.name.as_str()];
        let mut next = Some(first);
        while let Some(name) = next {
            way.push(name);
            if name == environment.name && reported.contains(&name) {
                break;
            }
            if name == environment.name {
                reported.extend(&way);
                let message = format!("`after` goes in a circle: {}.", way.join(" → "));
                let hint = "Take `after` out of the environment that is deployed first.".to_owned();
                reader.error_at(node, &["after"], message, hint);
                break;
            }
            // A circle that this environment is not in is reported by those that are.
            next = after(name).filter(|_| way.len() <= environments.len());
        }
    }
}

/// Reports an environment's table that is none.
pub(in super::super) fn is_table(node: &Node, name: &str, reader: &mut Reader<'_>) -> bool {
    let table = matches!(node.value, Value::Table(_));
    let message = format!("`environment.{name}` must be a table.");
    reader.demand(
        table,
        node,
        &[],
        &message,
        &format!("Write [environment.{name}]."),
    );
    table
}

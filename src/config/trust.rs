//! The short forms of a trust policy: `trust = { service = ... }` and `trust = { github = { ... } }`.

use serde_json::{Map, Value, json};

use super::model::{Github, SourceDocument};
use super::node::Node;
use super::reader::Reader;
use super::tables::{GithubTrustTable, TrustTable};
use crate::policy::{Document, PolicyKind};

/// The issuer of GitHub's tokens.
const GITHUB_ISSUER: &str = "token.actions.githubusercontent.com";

/// The trust policy of a short form, or an error at its node.
pub(super) fn document(
    trust: &TrustTable,
    node: &Node,
    reader: &mut Reader<'_>,
) -> Option<SourceDocument> {
    let statement = match (&trust.service, &trust.github) {
        (Some(service), None) => service_statement(service, node, reader)?,
        (None, Some(github)) => github_statement(github, node, reader)?,
        _ => {
            let hint = "Write { service = \"...\" } or { github = { branches = [\"main\"] } }.";
            let message = "`trust` needs exactly one of `service` and `github`.";
            reader.error(&node.at, message, hint.to_owned());
            return None;
        }
    };
    let text = json!({ "Version": "2012-10-17", "Statement": [statement] });
    let text = serde_json::to_string_pretty(&text).unwrap_or_default();
    match Document::parse(&text, PolicyKind::Trust) {
        Ok(document) => Some(SourceDocument {
            path: reader.source.path.clone(),
            document: document.at_home(&reader.declared.home()),
        }),
        Err(errors) => {
            for error in errors {
                reader.error(&node.at, error.message, error.hint);
            }
            None
        }
    }
}

fn service_statement(service: &str, node: &Node, reader: &mut Reader<'_>) -> Option<Value> {
    let suffix = ".amazonaws.com";
    if !service.ends_with(suffix) && !service.ends_with(".amazonaws.com.cn") {
        let message = format!("`{service}` is no service of AWS.");
        let hint = if service.contains('.') {
            "Write it as ecs-tasks.amazonaws.com.".to_owned()
        } else {
            format!("Did you mean `{service}{suffix}`?")
        };
        reader.error_at(node, &["service"], message, hint);
        return None;
    }
    Some(json!({
        "Effect": "Allow",
        "Principal": { "Service": service },
        "Action": "sts:AssumeRole",
    }))
}

fn github_statement(
    trust: &GithubTrustTable,
    node: &Node,
    reader: &mut Reader<'_>,
) -> Option<Value> {
    let Some(github) = reader.declared.github.clone() else {
        let hint = "Add `[github]` with `repository = \"OWNER/NAME\"`.".to_owned();
        reader.error_at(
            node,
            &["github"],
            "`trust.github` needs a [github] table.",
            hint,
        );
        return None;
    };
    let Some(provider) = reader.declared.get("oidc_provider", GITHUB_ISSUER) else {
        let hint = format!("Declare it: [oidc_provider.\"{GITHUB_ISSUER}\"].");
        let message = "`trust.github` needs GitHub's OIDC provider.";
        reader.error_at(node, &["github"], message, hint);
        return None;
    };
    let arn = provider.arn.clone();
    let contexts = contexts(trust);
    if contexts.is_empty() {
        let hint = "Name `branches`, `tags`, `environments`, or `pull_requests = true`.".to_owned();
        reader.error_at(node, &["github"], "`trust.github` trusts nothing.", hint);
        return None;
    }
    let subjects = subjects(&github, &contexts);
    let audience = reader.declared.partition().audience();
    Some(json!({
        "Effect": "Allow",
        "Principal": { "Federated": arn },
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": conditions(audience, subjects),
    }))
}

/// What follows the repository in a subject. A colon in a value is written `%3A` in a token.
fn contexts(trust: &GithubTrustTable) -> Vec<String> {
    let GithubTrustTable {
        branches,
        tags,
        environments,
        pull_requests,
    } = trust;
    let value = |text: &String| text.replace(':', "%3A");
    let branches = branches
        .iter()
        .map(|it| format!("ref:refs/heads/{}", value(it)));
    let tags = tags.iter().map(|it| format!("ref:refs/tags/{}", value(it)));
    let environments = environments
        .iter()
        .map(|it| format!("environment:{}", value(it)));
    let pull_request = pull_requests.then(|| "pull_request".to_owned());
    branches
        .chain(tags)
        .chain(environments)
        .chain(pull_request)
        .collect()
}

/// Both forms of the subject where the ids are given, else the form with names only.
fn subjects(github: &Github, contexts: &[String]) -> Vec<String> {
    let Github {
        owner,
        name,
        repository_id,
        owner_id,
    } = github;
    let mut prefixes = vec![format!("repo:{owner}/{name}")];
    if let (Some(repository_id), Some(owner_id)) = (repository_id, owner_id) {
        prefixes.push(format!("repo:{owner}@{owner_id}/{name}@{repository_id}"));
    }
    let subject = |prefix: &String| {
        let prefix = prefix.clone();
        contexts
            .iter()
            .map(move |context| format!("{prefix}:{context}"))
    };
    prefixes.iter().flat_map(subject).collect()
}

/// The audience exactly; the subjects exactly, or as patterns where one of them is a pattern.
fn conditions(audience: &str, subjects: Vec<String>) -> Value {
    let pattern = subjects.iter().any(|subject| subject.contains(['*', '?']));
    let subject_key = format!("{GITHUB_ISSUER}:sub");
    let subjects = match subjects.as_slice() {
        [only] => Value::from(only.as_str()),
        _ => Value::from(subjects),
    };
    let mut equals = Map::new();
    equals.insert(format!("{GITHUB_ISSUER}:aud"), audience.into());
    if pattern {
        return json!({ "StringEquals": equals, "StringLike": { subject_key: subjects } });
    }
    equals.insert(subject_key, subjects);
    json!({ "StringEquals": equals })
}

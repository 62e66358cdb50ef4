//! What `policy check` says of a document beyond its grammar: limits, and the rules on who on GitHub may assume a role
//! that need no account. Most rules ask the engine whether a token of some shape is accepted, so that a finding can
//! show the subject that gets in.

use serde::Serialize;
use serde_json::{Value, json};

use super::actions;
use super::document::{Document, PolicyKind};
use super::find::{Query, find};
use super::operator::{Comparison, Quantifier};
use super::relate::{Answer, Grants};
use super::statement::{Condition, Effect, Principal, Statement};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// IAM refuses the document.
    Error,
    /// Anyone on GitHub may assume the role.
    Critical,
    /// Somebody else may.
    High,
    /// More than is usually meant.
    Medium,
    /// Worth a look.
    Low,
    /// Good to know.
    Info,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Info => "info",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Line of the statement, 1-based; 1 where it is about the whole document.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// The issuer of GitHub's tokens; its condition keys begin with it.
const GITHUB: &str = "token.actions.githubusercontent.com";

/// Condition keys of GitHub's tokens that AWS evaluates (whats-new 2026/01, "AWS STS supports validation of identity
/// provider claims").
const CLAIMS: &[&str] = &[
    "sub",
    "aud",
    "actor",
    "actor_id",
    "job_workflow_ref",
    "repository",
    "repository_id",
    "repository_owner_id",
    "workflow",
    "ref",
    "environment",
    "enterprise_id",
];

/// Claims that say which repository runs.
const REPOSITORY_CLAIMS: &[&str] = &["sub", "repository", "repository_id", "job_workflow_ref"];

/// All findings of a document.
#[must_use]
pub fn findings(document: &Document) -> Vec<Finding> {
    let mut out = limits(document);
    match document.kind() {
        PolicyKind::Trust => out.extend(trust(document)),
        PolicyKind::Identity => out.extend(unknown_actions(document)),
        PolicyKind::Resource => {}
    }
    out.sort_by_key(|finding| (finding.line, finding.severity, finding.rule));
    out
}

/// "IAM and AWS STS quotas": the defaults; an account's own come from `GetAccountSummary`.
fn limits(document: &Document) -> Vec<Finding> {
    let size = document.size();
    let (limit, what, hint) = match document.kind() {
        // Raised on request, up to 8,192; inline policies share 10,240 per role.
        PolicyKind::Trust => (
            2_048,
            "a trust policy",
            "Ask for a higher quota, or name fewer subjects.",
        ),
        PolicyKind::Identity => (
            6_144,
            "a managed policy",
            "Split the policy, or use wildcards.",
        ),
        PolicyKind::Resource => return Vec::new(),
    };
    if size <= limit {
        return Vec::new();
    }
    let message =
        format!("The document has {size} characters without whitespace; {what} may have {limit}.");
    vec![Finding {
        rule: "size",
        severity: Severity::Error,
        line: 1,
        message,
        hint: Some(hint.to_owned()),
    }]
}

/// Patterns of actions that match no action that exists.
fn unknown_actions(document: &Document) -> Vec<Finding> {
    let mut out = Vec::new();
    for statement in document.statements() {
        for pattern in &statement.actions.list {
            let Some((service, name)) = pattern.split_once(':') else {
                continue;
            };
            if service.contains(['*', '?'])
                || name.contains(['*', '?'])
                || actions::find(pattern).is_some()
            {
                continue;
            }
            let hint = if actions::service_exists(service) {
                super::values::nearest(name, actions::names_of(service))
                    .map(|near| format!("Did you mean `{service}:{near}`?"))
            } else {
                super::values::nearest(service, actions::service_names())
                    .map(|near| format!("Did you mean `{near}:`?"))
            };
            out.push(Finding {
                rule: "unknown-action",
                severity: Severity::Low,
                line: statement.line,
                message: format!("No action is known as `{pattern}`."),
                hint,
            });
        }
    }
    out
}

fn trust(document: &Document) -> Vec<Finding> {
    let mut out = Vec::new();
    let mut oidc = false;
    for statement in document
        .statements()
        .iter()
        .filter(|statement| statement.effect == Effect::Allow)
    {
        if trusts_github(statement) {
            oidc = true;
            out.extend(subject_rules(statement));
            out.extend(operator_rules(statement));
            out.extend(claim_rules(statement));
        }
    }
    for statement in document
        .statements()
        .iter()
        .filter(|statement| statement.effect == Effect::Allow)
    {
        out.extend(action_rules(statement));
        if oidc && !trusts_github(statement) && second_door(statement) {
            out.push(finding(
                statement,
                "O25",
                Severity::Critical,
                "A second statement lets others assume the role: everyone, a whole account, or any provider.",
                "Name the one principal that is meant, or remove the statement.",
            ));
        }
    }
    out
}

fn finding(
    statement: &Statement,
    rule: &'static str,
    severity: Severity,
    message: &str,
    hint: &str,
) -> Finding {
    Finding {
        rule,
        severity,
        line: statement.line,
        message: message.to_owned(),
        hint: Some(hint.to_owned()),
    }
}

fn trusts_github(statement: &Statement) -> bool {
    statement.principals.as_ref().is_some_and(|principals| {
        !principals.negated
            && principals.list.iter().any(
                |entry| matches!(entry, Principal::Federated(arn) if arn.ends_with(&format!("oidc-provider/{GITHUB}"))),
            )
    })
}

fn second_door(statement: &Statement) -> bool {
    statement.conditions.is_empty()
        && statement.principals.as_ref().is_some_and(|principals| {
            principals.negated
                || principals.list.iter().any(|entry| match entry {
                    Principal::Everyone | Principal::Account(_) => true,
                    Principal::Federated(arn) => arn == "*",
                    Principal::Aws(_) | Principal::Service(_) | Principal::CanonicalUser(_) => {
                        false
                    }
                })
        })
}

/// The claim that a condition is about, where it is one of GitHub's tokens.
fn claim(condition: &Condition) -> Option<String> {
    let key = condition.key.to_ascii_lowercase();
    key.strip_prefix(&format!("{GITHUB}:")).map(str::to_owned)
}

/// Whether a token with these claims is accepted; the claims are a `Condition` element over GitHub's keys.
fn accepted(statement: &Statement, condition: &Value) -> Option<String> {
    let query = Query {
        condition: Some(condition.clone()),
        ..Query::default()
    };
    let alone = alone(statement)?;
    match find(&Grants::of(&alone), PolicyKind::Trust, &query) {
        Answer::Some(witnesses) => {
            let request = witnesses.into_iter().next()?.request;
            let subject = request
                .context
                .get(&format!("{GITHUB}:sub"))
                .and_then(|values| values.first());
            Some(subject.cloned().unwrap_or_default())
        }
        Answer::None | Answer::Unknown(_) => None,
    }
}

/// The statement as a document of its own.
fn alone(statement: &Statement) -> Option<Document> {
    let mut object = serde_json::Map::new();
    object.insert("Effect".to_owned(), json!("Allow"));
    let actions = if statement.actions.negated {
        "NotAction"
    } else {
        "Action"
    };
    object.insert(actions.to_owned(), json!(statement.actions.list));
    let mut principal: std::collections::BTreeMap<&str, Vec<&str>> =
        std::collections::BTreeMap::new();
    for entry in &statement.principals.as_ref()?.list {
        let (kind, value) = entry.tagged();
        principal.entry(kind).or_default().push(value);
    }
    object.insert("Principal".to_owned(), json!(principal));
    let mut conditions = serde_json::Map::new();
    for condition in &statement.conditions {
        let keys = conditions
            .entry(condition.operator.to_string())
            .or_insert_with(|| json!({}));
        if let Some(keys) = keys.as_object_mut() {
            keys.insert(condition.key.clone(), json!(condition.values));
        }
    }
    object.insert("Condition".to_owned(), Value::Object(conditions));
    let text = json!({"Version": "2012-10-17", "Statement": [object]}).to_string();
    Document::read(&text, PolicyKind::Trust).ok()
}

/// O1 to O8, O19: which repositories and which of their runs get in.
fn subject_rules(statement: &Statement) -> Vec<Finding> {
    let claims: Vec<String> = statement.conditions.iter().filter_map(claim).collect();
    if !claims
        .iter()
        .any(|name| REPOSITORY_CLAIMS.contains(&name.as_str()))
    {
        return vec![finding(
            statement,
            "O1",
            Severity::Critical,
            "No condition says which repository may assume the role: every repository on GitHub may.",
            "Add a condition on token.actions.githubusercontent.com:sub.",
        )];
    }
    let mut out = Vec::new();
    let stranger = json!({"StringLike": {format!("{GITHUB}:sub"): "repo:q7z-stranger/*"}});
    if let Some(subject) = accepted(statement, &stranger) {
        let message = format!("Any owner's repositories get in, such as `{subject}`.");
        out.push(finding(
            statement,
            "O2",
            Severity::Critical,
            &message,
            "Name the owner and the repository.",
        ));
        return out;
    }
    for condition in &statement.conditions {
        if claim(condition).as_deref() != Some("sub") || condition.operator.negated {
            continue;
        }
        for value in &condition.values {
            out.extend(pattern_rule(statement, condition, value));
        }
    }
    out
}

/// One pattern of subjects: what its wildcards let in.
fn pattern_rule(statement: &Statement, condition: &Condition, value: &str) -> Option<Finding> {
    if condition.operator.comparison == Comparison::StringEquals {
        let operator = &condition.operator;
        let message =
            format!("`{value}` under {operator} is no pattern: no token has such a subject.");
        return value.contains(['*', '?']).then(|| {
            finding(
                statement,
                "O8",
                Severity::Medium,
                &message,
                "Use StringLike.",
            )
        });
    }
    let rest = value.strip_prefix("repo:")?;
    let (owner, rest) = rest.split_once('/').unwrap_or((rest, ""));
    if owner.contains(['*', '?']) && !owner.contains('@') {
        let start = owner.trim_end_matches('*');
        let message =
            format!("`{value}` lets in every owner whose name begins so, such as `{start}-evil`.");
        return Some(
            finding(
                statement,
                "O3",
                Severity::High,
                &message,
                "Write the owner's whole name.",
            )
            .severe(Severity::Critical),
        );
    }
    let (name, context) = rest.split_once(':').unwrap_or((rest, ""));
    if owner.contains("@*") || name.contains("@*") {
        let message = format!(
            "`{value}` has wildcards for the ids, so a new owner or repository of that name gets in."
        );
        return Some(finding(
            statement,
            "O19",
            Severity::High,
            &message,
            "Write the ids.",
        ));
    }
    if name == "*" {
        let message = format!("`{value}` lets in every repository of `{owner}`.");
        return Some(finding(
            statement,
            "O5",
            Severity::Medium,
            &message,
            "Name the repositories.",
        ));
    }
    if name.contains(['*', '?']) {
        let message = format!(
            "`{value}` lets in every repository whose name begins so, such as `{owner}/{}-other`.",
            name.trim_end_matches('*')
        );
        return Some(finding(
            statement,
            "O4",
            Severity::High,
            &message,
            "End the name with a colon before the wildcard.",
        ));
    }
    context_rule(statement, value, context)
}

/// What the end of a pattern lets in: the part that names a branch, a tag or an environment.
fn context_rule(statement: &Statement, value: &str, context: &str) -> Option<Finding> {
    match context {
        "*" => {
            let message =
                format!("`{value}` lets in every branch, tag, pull request and environment.");
            Some(finding(
                statement,
                "O6",
                Severity::Medium,
                &message,
                "Name the branches or environments that are meant.",
            ))
        }
        "pull_request" => {
            let message =
                format!("`{value}` lets in every pull request from within the repository.");
            Some(finding(
                statement,
                "O7",
                Severity::Medium,
                &message,
                "Keep roles that write from pull requests.",
            ))
        }
        _ => None,
    }
}

impl Finding {
    fn severe(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }
}

/// O9 to O13: operators that guard nothing, the audience, and keys that are not GitHub's.
fn operator_rules(statement: &Statement) -> Vec<Finding> {
    let mut out = Vec::new();
    let mut guarded = false;
    let mut audience = false;
    for condition in &statement.conditions {
        let Some(name) = claim(condition) else {
            continue;
        };
        audience |= name == "aud";
        if !CLAIMS.contains(&name.as_str()) {
            let message = format!(
                "`{}` is not a condition key of GitHub's tokens: it is always absent.",
                condition.key
            );
            out.push(finding(
                statement,
                "O13",
                Severity::High,
                &message,
                "Use sub, or a claim that AWS evaluates.",
            ));
        }
        let operator = condition.operator;
        if operator.quantifier == Some(Quantifier::ForAllValues) {
            let always = name == "sub" || name == "aud";
            let severity = if always {
                Severity::Low
            } else {
                Severity::High
            };
            let message = format!("`{operator}` on `{name}` is true where the claim is absent.");
            out.push(finding(
                statement,
                "O9",
                severity,
                &message,
                "Remove the prefix ForAllValues.",
            ));
        }
        let weak = operator.if_exists || operator.negated;
        guarded |= REPOSITORY_CLAIMS.contains(&name.as_str()) && !weak;
    }
    let any = statement
        .conditions
        .iter()
        .filter_map(claim)
        .any(|name| REPOSITORY_CLAIMS.contains(&name.as_str()));
    if any && !guarded {
        out.push(finding(
            statement,
            "O10",
            Severity::High,
            "Only IfExists or negated operators say which repository may: all others get in.",
            "Say which repository may, with StringEquals or StringLike on sub.",
        ));
    }
    if !audience {
        out.push(finding(
            statement,
            "O11",
            Severity::Low,
            "The audience is not checked.",
            "Add StringEquals token.actions.githubusercontent.com:aud = sts.amazonaws.com.",
        ));
    }
    out
}

/// O20 to O23: claims that do not say which repository runs.
fn claim_rules(statement: &Statement) -> Vec<Finding> {
    let mut out = Vec::new();
    let claims: Vec<String> = statement.conditions.iter().filter_map(claim).collect();
    let has = |name: &str| claims.iter().any(|known| known == name);
    let repository = has("sub") || has("repository") || has("repository_id");
    if has("job_workflow_ref") && !repository {
        out.push(finding(
            statement,
            "O20",
            Severity::High,
            "Only job_workflow_ref is checked: every repository that calls the workflow gets in.",
            "Add a condition on sub or repository_id.",
        ));
    }
    let references = statement
        .conditions
        .iter()
        .filter(|one| claim(one).as_deref() == Some("job_workflow_ref"));
    for value in references.flat_map(|condition| &condition.values) {
        let fixed = value
            .rsplit('@')
            .next()
            .is_some_and(|end| end.len() == 40 && end.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if !fixed {
            let message = format!("`{value}` ends in a reference that can move.");
            out.push(finding(
                statement,
                "O21",
                Severity::Medium,
                &message,
                "End it in a commit's SHA.",
            ));
        }
    }
    for name in ["workflow", "environment", "ref", "head_ref", "actor"] {
        if has(name) && !repository && !has("job_workflow_ref") {
            let rule = if name == "actor" { "O23" } else { "O22" };
            let message = format!("`{name}` is set by whoever runs a workflow, in any repository.");
            out.push(finding(
                statement,
                rule,
                Severity::High,
                &message,
                "Add a condition on sub or repository_id.",
            ));
        }
    }
    out
}

/// O28: more actions than the trust is for.
fn action_rules(statement: &Statement) -> Vec<Finding> {
    let mut out = Vec::new();
    for action in &statement.actions.list {
        let lower = action.to_ascii_lowercase();
        if lower == "sts:*" || lower == "*" || statement.actions.negated {
            let message = format!("`{action}` is more than assuming the role needs.");
            out.push(finding(
                statement,
                "O28",
                Severity::Low,
                &message,
                "Name the action.",
            ));
        } else if trusts_github(statement) && lower == "sts:assumerole" {
            out.push(finding(
                statement,
                "O28",
                Severity::Low,
                "A token of GitHub assumes with sts:AssumeRoleWithWebIdentity, not with sts:AssumeRole.",
                "Write sts:AssumeRoleWithWebIdentity.",
            ));
        }
    }
    out
}

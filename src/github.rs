//! What GitHub says of the repository, over its REST API: its names and ids, its environments, the form of its subjects.
//! All of it is optional: what cannot be read is a note. The token goes to that API alone and is never shown.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use serde_json::Value;

use crate::aws::{Timeouts, plain_connector};
use crate::reach::GithubFacts;

/// The API of github.com; an Enterprise Server says its own in `GITHUB_API_URL`.
const BASE: &str = "https://api.github.com";
/// The version of the API whose fields are read here.
const VERSION: &str = "2026-03-10";
/// Environments a page: the most that GitHub gives.
const PAGE: usize = 100;
/// Pages of environments that are read: a thousand environments are more than anybody protects by hand.
const MOST_PAGES: usize = 10;
/// How long GitHub may take for all of its answers together: nothing waits for it longer than for AWS's operation.
const PATIENCE: Duration = Duration::from_mins(1);

/// The way to GitHub.
pub struct Access {
    base: String,
    token: String,
    connector: SharedHttpConnector,
}

impl fmt::Debug for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Access to {}", self.base)
    }
}

/// What was answered, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// What GitHub says; none where it does not show the repository.
    pub facts: Option<GithubFacts>,
    /// What it did not say, a sentence each.
    pub notes: Vec<String>,
}

impl Access {
    /// By these variables: `GITHUB_TOKEN` or `GH_TOKEN`, and `GITHUB_API_URL`. None without a token.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let filled = |name: &str| {
            variable(name)
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
        };
        let token = filled("GITHUB_TOKEN").or_else(|| filled("GH_TOKEN"))?;
        let base = filled("GITHUB_API_URL").unwrap_or_else(|| BASE.to_owned());
        let base = base.trim_end_matches('/').to_owned();
        let connector = plain_connector(&base, &Timeouts::default());
        Some(Self {
            base,
            token,
            connector,
        })
    }

    /// Asks for a repository.
    pub async fn read(&self, owner: &str, name: &str) -> Answer {
        let late = || Answer {
            facts: None,
            notes: vec![format!(
                "GitHub did not answer within {} s.",
                PATIENCE.as_secs()
            )],
        };
        tokio::time::timeout(PATIENCE, self.ask(owner, name))
            .await
            .unwrap_or_else(|_| late())
    }

    async fn ask(&self, owner: &str, name: &str) -> Answer {
        let mut answer = Answer::default();
        let path = format!("/repos/{owner}/{name}");
        let repository = match self.get(&path).await {
            Ok(repository) => repository,
            Err(reason) => {
                answer.notes.push(format!(
                    "GitHub does not show the repository {owner}/{name}: {reason}"
                ));
                return answer;
            }
        };
        let text = |pointer: &str| Some(repository.pointer(pointer)?.as_str()?.to_owned());
        let number = |pointer: &str| repository.pointer(pointer)?.as_u64();
        let mut facts = GithubFacts {
            repository: text("/full_name").unwrap_or_else(|| format!("{owner}/{name}")),
            default_branch: text("/default_branch"),
            repository_id: number("/id"),
            owner_id: number("/owner/id"),
            ..GithubFacts::default()
        };
        if !facts
            .repository
            .eq_ignore_ascii_case(&format!("{owner}/{name}"))
        {
            answer.notes.push(format!(
                "GitHub calls {owner}/{name} {} now.",
                facts.repository
            ));
        }
        match self.environments(&path).await {
            Ok(environments) => facts.environments = Some(environments),
            Err(reason) => answer
                .notes
                .push(format!("GitHub does not show the environments: {reason}")),
        }
        match self
            .get(&format!("{path}/actions/oidc/customization/sub"))
            .await
        {
            Ok(template) => {
                facts.subject_prefix = prefix(&template, &facts);
                match self.claims(owner, &template).await {
                    Ok(claims) => facts.claims = claims,
                    Err(reason) => answer.notes.push(format!(
                        "GitHub does not show the organisation's form of subjects: {reason}"
                    )),
                }
            }
            Err(reason) => answer.notes.push(format!(
                "GitHub does not show the form of the subjects: {reason}"
            )),
        }
        answer.facts = Some(facts);
        answer
    }

    /// Each environment, and whether something keeps any branch from using it.
    async fn environments(&self, path: &str) -> Result<BTreeMap<String, bool>, String> {
        let mut out = BTreeMap::new();
        for page in 1..=MOST_PAGES {
            let answer = self
                .get(&format!("{path}/environments?per_page={PAGE}&page={page}"))
                .await?;
            let list = answer.get("environments").and_then(Value::as_array);
            let list = list.ok_or_else(|| "the answer has no environments.".to_owned())?;
            out.extend(list.iter().filter_map(|one| {
                Some((one.get("name")?.as_str()?.to_owned(), is_protected(one)))
            }));
            if list.len() < PAGE {
                return Ok(out);
            }
        }
        Err(format!("there are more than {}.", MOST_PAGES * PAGE))
    }

    /// The claims of a customised subject: the repository's, else its organisation's; none for the default.
    async fn claims(&self, owner: &str, template: &Value) -> Result<Vec<String>, String> {
        if template.get("use_default").and_then(Value::as_bool) != Some(false) {
            return Ok(Vec::new());
        }
        let own = listed(template);
        if !own.is_empty() {
            return Ok(own);
        }
        let of_owner = self
            .get(&format!("/orgs/{owner}/actions/oidc/customization/sub"))
            .await?;
        Ok(listed(&of_owner))
    }

    /// One answer as JSON; else why there is none, without the token.
    async fn get(&self, path: &str) -> Result<Value, String> {
        let mut request = HttpRequest::new(SdkBody::empty());
        request
            .set_uri(format!("{}{path}", self.base))
            .map_err(|error| format!("{error}."))?;
        let headers = [
            ("accept", "application/vnd.github+json".to_owned()),
            ("authorization", format!("Bearer {}", self.token)),
            (
                "user-agent",
                concat!("provision/", env!("CARGO_PKG_VERSION")).to_owned(),
            ),
            ("x-github-api-version", VERSION.to_owned()),
        ];
        for (name, value) in headers {
            let set = request.headers_mut().try_insert(name, value);
            set.map_err(|_| format!("the header {name} cannot be written."))?;
        }
        let response = self.connector.call(request).await;
        let response = response.map_err(|error| {
            if error.is_timeout() {
                "it did not answer in time.".to_owned()
            } else {
                format!("{} cannot be reached.", self.base)
            }
        })?;
        let status = response.status().as_u16();
        let body = ByteStream::new(response.into_body()).collect().await;
        let body = body
            .map_err(|_| "its answer broke off.".to_owned())?
            .into_bytes();
        match status {
            200 => serde_json::from_slice(&body).map_err(|_| "its answer is no JSON.".to_owned()),
            301 | 307 | 308 => {
                Err("it was renamed or transferred: write its new name under [github].".to_owned())
            }
            401 => Err("401: the token is not valid.".to_owned()),
            403 | 429 => Err(format!(
                "{status}: the token may not read it, or asked too often."
            )),
            404 => Err("404: it is not there, or the token may not see it.".to_owned()),
            other => Err(format!("HTTP {other}.")),
        }
    }
}

/// Whether reviewers, a rule on branches or an app decide who uses the environment. A wait alone keeps nobody out.
fn is_protected(environment: &Value) -> bool {
    let rules = environment
        .get("protection_rules")
        .and_then(Value::as_array);
    let kinds = rules
        .into_iter()
        .flatten()
        .filter_map(|rule| rule.get("type")?.as_str());
    let branches = environment
        .get("deployment_branch_policy")
        .is_some_and(Value::is_object);
    branches || kinds.into_iter().any(|kind| kind != "wait_timer")
}

/// The start of the subjects. The flag may say no where the prefix has the ids already: the prefix is right.
fn prefix(template: &Value, facts: &GithubFacts) -> Option<String> {
    let told = template.get("sub_claim_prefix").and_then(Value::as_str);
    if let Some(told) = told
        .map(|text| text.trim_end_matches(':'))
        .filter(|text| !text.is_empty())
    {
        return Some(told.to_owned());
    }
    let flag = template
        .get("use_immutable_subject")
        .and_then(Value::as_bool);
    let names = &facts.repository;
    match (
        flag?,
        names.split_once('/'),
        facts.owner_id,
        facts.repository_id,
    ) {
        (true, Some((owner, name)), Some(owner_id), Some(id)) => {
            Some(format!("repo:{owner}@{owner_id}/{name}@{id}"))
        }
        (true, ..) => None,
        (false, ..) => Some(format!("repo:{names}")),
    }
}

fn listed(template: &Value) -> Vec<String> {
    let keys = template.get("include_claim_keys").and_then(Value::as_array);
    keys.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_prefix_is_believed_before_the_flag() {
        let facts = GithubFacts {
            repository: "Octo/app".to_owned(),
            owner_id: Some(1),
            repository_id: Some(2),
            ..GithubFacts::default()
        };
        let of = |template: Value| prefix(&template, &facts);
        let told =
            json!({ "use_immutable_subject": false, "sub_claim_prefix": "repo:Octo@1/app@2" });
        assert_eq!(of(told).as_deref(), Some("repo:Octo@1/app@2"));
        assert_eq!(
            of(json!({ "use_immutable_subject": true })).as_deref(),
            Some("repo:Octo@1/app@2")
        );
        assert_eq!(
            of(json!({ "use_immutable_subject": false })).as_deref(),
            Some("repo:Octo/app")
        );
        assert_eq!(of(json!({ "use_default": true })), None);
    }

    #[test]
    fn a_wait_protects_nothing() {
        let with = |kind: &str| json!({ "protection_rules": [{ "type": kind }] });
        assert!(!is_protected(&with("wait_timer")));
        assert!(!is_protected(
            &json!({ "protection_rules": [], "deployment_branch_policy": null })
        ));
        assert!(is_protected(&with("required_reviewers")) && is_protected(&with("branch_policy")));
    }

    #[test]
    fn no_token_no_access_and_the_token_is_not_shown() {
        assert!(Access::of(|_| None).is_none());
        assert!(Access::of(|name| (name == "GITHUB_TOKEN").then(String::new)).is_none());
        let access = Access::of(|name| (name == "GH_TOKEN").then(|| "canary".to_owned()));
        let shown = format!("{access:?}");
        assert!(shown.contains(BASE) && !shown.contains("canary"), "{shown}");
    }
}

//! GitHub asked over HTTP: a small server stands in for its API, and the audit rests on what it says.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use provision::audit;
use provision::github::{Access, Answer};
use provision::reach::{Account, Facts};
use serde_json::{Value, json};

use super::project;

pub(crate) const TOKEN: &str = "ghp-canary-of-the-audit-0123456789";

/// GitHub's API, as far as it is told what to answer: path → status and body; anything else is 404.
pub(crate) struct Server {
    pub(crate) url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn start(answers: BTreeMap<String, (u16, Value)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let head: Vec<String> = lines
                    .map(|line| line.unwrap())
                    .take_while(|line| !line.is_empty())
                    .collect();
                let target = head[0].split(' ').nth(1).unwrap();
                let path = target.split('?').next().unwrap();
                let (status, body) = answers
                    .get(path)
                    .cloned()
                    .unwrap_or((404, json!({ "message": "Not Found" })));
                let body = body.to_string();
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
                stream.write_all(answer.as_bytes()).unwrap();
                seen.lock().unwrap().push(head.join("\n"));
            }
        });
        Self { url, heads }
    }

    fn ask(&self, owner: &str, name: &str) -> Answer {
        let access = Access::of(|variable| match variable {
            "GITHUB_TOKEN" => Some(TOKEN.to_owned()),
            "GITHUB_API_URL" => Some(self.url.clone()),
            _ => None,
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let answer = runtime.block_on(access.unwrap().read(owner, name));
        assert!(!format!("{answer:?}").contains(TOKEN));
        answer
    }
}

/// What GitHub says of the seed's repository, which was renamed in letter case only.
pub(crate) fn answers(prefix: &str, claims: &Value) -> BTreeMap<String, (u16, Value)> {
    let path = "/repos/OperationCode/back-end";
    let repository = json!({ "full_name": "OperationCode/back-end", "id": 42, "owner": { "id": 7 }, "default_branch": "trunk" });
    let environments = json!({ "total_count": 2, "environments": [
        { "name": "production", "protection_rules": [{ "type": "required_reviewers" }], "deployment_branch_policy": null },
        { "name": "staging", "protection_rules": [{ "type": "wait_timer" }], "deployment_branch_policy": null },
    ] });
    let mut template = json!({ "use_default": claims.is_null(), "use_immutable_subject": false, "sub_claim_prefix": prefix });
    if !claims.is_null() {
        template["include_claim_keys"] = claims.clone();
    }
    BTreeMap::from([
        (path.to_owned(), (200, repository)),
        (format!("{path}/environments"), (200, environments)),
        (
            format!("{path}/actions/oidc/customization/sub"),
            (200, template),
        ),
    ])
}

#[test]
fn the_repository_its_environments_and_its_subjects_are_read() {
    let server = Server::start(answers("repo:OperationCode@7/back-end@42", &Value::Null));
    let answer = server.ask("operationcode", "back-end");
    // The path is asked for as it is declared, and this server knows the other letter case only.
    assert_eq!(answer.facts, None);
    assert!(answer.notes[0].contains("404"), "{answer:?}");
    let answer = server.ask("OperationCode", "back-end");
    assert!(answer.notes.is_empty(), "{answer:?}");
    let facts = answer.facts.unwrap();
    assert_eq!(facts.default_branch.as_deref(), Some("trunk"));
    assert_eq!((facts.owner_id, facts.repository_id), (Some(7), Some(42)));
    assert_eq!(
        facts.subject_prefix.as_deref(),
        Some("repo:OperationCode@7/back-end@42")
    );
    assert!(facts.claims.is_empty());
    let environments = facts.environments.unwrap();
    assert_eq!(
        environments,
        BTreeMap::from([
            ("production".to_owned(), true),
            ("staging".to_owned(), false)
        ])
    );
    let heads = server.heads.lock().unwrap();
    for head in heads.iter() {
        assert!(
            head.to_lowercase()
                .contains(&format!("authorization: bearer {TOKEN}")),
            "{head}"
        );
        assert!(
            head.to_lowercase().contains("user-agent: provision/"),
            "{head}"
        );
    }
}

#[test]
fn an_organisation_may_have_the_template() {
    let mut all = answers("repo:OperationCode/back-end", &json!([]));
    let claims = json!({ "include_claim_keys": ["repository_id", "environment"] });
    all.insert(
        "/orgs/OperationCode/actions/oidc/customization/sub".to_owned(),
        (200, claims),
    );
    let facts = Server::start(all)
        .ask("OperationCode", "back-end")
        .facts
        .unwrap();
    assert_eq!(facts.claims, ["repository_id", "environment"]);
}

#[test]
fn what_github_does_not_show_is_a_note() {
    for (status, word) in [
        (401, "not valid"),
        (403, "may not read"),
        (404, "404"),
        (500, "HTTP 500"),
        (301, "renamed"),
    ] {
        for end in ["", "/environments", "/actions/oidc/customization/sub"] {
            let mut all = answers("repo:OperationCode/back-end", &Value::Null);
            all.insert(
                format!("/repos/OperationCode/back-end{end}"),
                (status, json!({})),
            );
            let answer = Server::start(all).ask("OperationCode", "back-end");
            assert_eq!(answer.notes.len(), 1, "{answer:?}");
            assert!(
                answer.notes[0].starts_with("GitHub does not show ")
                    && answer.notes[0].contains(word),
                "{answer:?}"
            );
            assert_eq!(answer.facts.is_none(), end.is_empty());
        }
    }
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let server = Server {
        url,
        heads: Arc::default(),
    };
    let answer = server.ask("OperationCode", "back-end");
    assert!(answer.notes[0].contains("cannot be reached"), "{answer:?}");
}

/// The rules that fire on an example where GitHub says this, each with its severity.
fn judged(example: &str, facts: Answer) -> BTreeMap<String, (String, String)> {
    let config = provision::config::load(&project().join(example)).unwrap();
    let mut account = Account::empty(&config.project.account_id, &config.project.region, "aws");
    account.github = facts.facts;
    let audit = audit::run(&Facts::new(&config, &account), 1_795_500_000);
    let findings = audit.findings.into_iter();
    findings
        .map(|finding| {
            (
                finding.rule.to_owned(),
                (finding.severity.name().to_owned(), finding.message),
            )
        })
        .collect()
}

#[test]
fn the_audit_is_sure_where_github_was_asked() {
    let asked = |prefix: &str, claims: Value| {
        let answer = Server::start(answers(prefix, &claims)).ask("OperationCode", "back-end");
        judged("infra.toml", answer)
    };
    let unasked = judged("infra.toml", Answer::default());
    assert_eq!(unasked["O18"].0, "info");
    assert!(!unasked.contains_key("O15") && !unasked.contains_key("O24"));
    let ids = asked("repo:OperationCode@7/back-end@42", Value::Null);
    assert_eq!(ids["O18"].0, "high");
    assert!(ids["O15"].1.contains("staging"), "{ids:?}");
    let names = asked(
        "repo:OperationCode/back-end",
        json!(["repository_id", "environment"]),
    );
    assert!(!names.contains_key("O18"));
    assert_eq!(names["O24"].0, "medium");
    // The letter case is GitHub's, whatever infra.toml says.
    assert_eq!(names["O16"].0, "medium");
}

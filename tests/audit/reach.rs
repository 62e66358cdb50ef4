//! Which git refs reach production, and who may do what: the table, the graph, the remedies, `can` and `who-can`.

use serde_json::Value;

use super::drift::accept;
use super::{copy, json, project, run, seed};

#[test]
fn reach_follows_the_mended_trust_policy_to_production() {
    let directory = seed();
    let output = run(directory.path(), &["audit", "--sandbox", "--reach"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    let row = |cells: &[&str]| {
        // Columns are two spaces or more apart.
        let split = |line: &str| -> Vec<String> {
            let cells = line.split("  ").map(str::trim);
            cells
                .filter(|cell| !cell.is_empty())
                .map(str::to_owned)
                .collect()
        };
        assert!(
            text.lines().any(|line| split(line) == cells),
            "{cells:?}: {text}"
        );
    };
    row(&["role/GitHubActions-ECR-Push"]);
    row(&["from", "for example", "trust policy"]);
    row(&[
        "OperationCode/back-end: any other branch",
        "repo:OperationCode/back-end:ref:refs/heads/any",
        "statement 1, once its letter case is mended",
    ]);
    row(&["may", "by", "runs in"]);
    row(&[
        "push images to repository/back-end",
        "statement 1 of policy/GitHubActions-ECR-Push-Policy",
        "service/back-end-production (production), service/back-end-staging",
    ]);
    row(&["flowchart LR"]);
    let blind = text
        .lines()
        .find(|line| line.starts_with("IAM has no condition on an image's tag: "))
        .unwrap();
    assert!(
        blind.contains("any other branch, any tag, pull requests")
            && blind.contains("can replace :prod of repository/back-end"),
        "{blind}"
    );
    // Every edge of the graph has its statement, every subject a token.
    let graph = text.split("flowchart LR").nth(1).unwrap();
    let edges: Vec<&str> = graph.lines().filter(|line| line.contains("-->")).collect();
    assert!(
        edges
            .iter()
            .all(|edge| edge.contains("statement ") || edge.contains("|image|")),
        "{graph}"
    );
    assert!(
        graph.contains("<br/>repo:OperationCode/back-end:ref:refs/tags/any\""),
        "{graph}"
    );
}

#[test]
fn the_remedies_are_lines_of_infra_toml_that_stand_in_it() {
    let directory = seed();
    let at = directory.path();
    let answer = json(&run(
        at,
        &["audit", "--sandbox", "--reach", "--format", "json"],
    ));
    let lines = answer["remedies"].as_str().unwrap();
    let parsed: toml::Table = lines.parse().unwrap();
    for name in ["github-staging", "github-production"] {
        assert!(parsed["role"].get(name).is_some(), "{lines}");
    }
    assert_eq!(
        parsed["repository"]["back-end"]["image_tag_mutability"].as_str(),
        Some("IMMUTABLE")
    );
    assert_eq!(
        parsed["repository"]["back-end-production"]["image_tag_mutability"].as_str(),
        Some("IMMUTABLE")
    );
    accept(at, lines);
    let valid = run(at, &["validate"]);
    assert!(valid.status.success(), "{valid:?}");
    // The finding has the same lines.
    let audit = json(&run(at, &["audit", "--sandbox", "--format", "json"]));
    let findings = audit["findings"].as_array().unwrap().iter();
    let remedies = findings
        .filter(|finding| finding["rule"] == "O6")
        .map(|finding| &finding["remedy"]);
    for remedy in remedies {
        remedy.as_str().unwrap().parse::<toml::Table>().unwrap();
    }
}

#[test]
fn a_policy_that_only_its_letter_case_makes_dead_is_answered_for_as_it_is_and_mended() {
    let directory = seed();
    let ask = |arguments: &[&str]| {
        let output = run(directory.path(), &[arguments, &["--sandbox"]].concat());
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let branch = "repo:OperationCode/back-end:ref:refs/heads/any";
    let push = ask(&["can", branch, "ecr:PutImage", "back-end"]);
    assert!(push.starts_with("no: nothing lets"), "{push}");
    assert!(
        push.contains(
            "once the letter case of a trust policy is mended, yes: role/GitHubActions-ECR-Push"
        ),
        "{push}"
    );
    let pass = ask(&["can", branch, "iam:PassRole", "role/ecsTaskExecutionRole"]);
    assert!(pass.starts_with("no: ") && !pass.contains("yes"), "{pass}");
    let who = ask(&["who-can", "ecr:PutImage", "back-end"]);
    assert!(who.contains("from any other branch of OperationCode/back-end, for example repo:OperationCode/back-end:ref:refs/heads/any"), "{who}");
    assert!(who.contains("only once its letter case is mended"), "{who}");
    assert!(!who.contains("other repositories"), "{who}");
}

#[test]
fn the_hardened_example_keeps_every_branch_away_from_production() {
    let directory = copy(&project().join("examples/hardened"));
    let answer = json(&run(
        directory.path(),
        &["audit", "--sandbox", "--reach", "--format", "json"],
    ));
    assert_eq!(answer["remedies"], Value::Null);
    let edges = answer["reach"]["edges"].as_array().unwrap();
    assert!(!edges.is_empty());
    assert!(
        edges.iter().all(|edge| edge["subjects"]
            .as_str()
            .unwrap()
            .starts_with("environment ")),
        "{edges:#?}"
    );
}

#[test]
fn can_and_who_can_name_the_statements_and_a_token() {
    let directory = copy(&project().join("examples/hardened"));
    assert!(
        run(directory.path(), &["apply", "--yes", "--sandbox"])
            .status
            .success()
    );
    let ask = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.push("--sandbox");
        let output = run(directory.path(), &all);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let who = ask(&["who-can", "ecr:PutImage", "back-end"]);
    assert!(
        who.contains("role/github-build")
            && who.contains("repo:OperationCode/back-end:environment:staging"),
        "{who}"
    );
    let production = "repo:OperationCode/back-end:environment:production";
    assert!(
        ask(&[
            "can",
            production,
            "ecs:UpdateService",
            "service/back-end-production"
        ])
        .starts_with("yes")
    );
    let branch = "repo:OperationCode/back-end:ref:refs/heads/any";
    assert!(
        ask(&[
            "can",
            branch,
            "ecs:UpdateService",
            "service/back-end-production"
        ])
        .starts_with("no")
    );
    assert!(
        ask(&[
            "can",
            branch,
            "iam:PassRole",
            "role/back-end-execution-production"
        ])
        .starts_with("no")
    );
    assert!(
        ask(&[
            "can",
            "role/github-deploy-staging",
            "ecr:PutImage",
            "back-end"
        ])
        .starts_with("no")
    );
}

//! What could not be read is listed and never clean: every read of the audit, refused in turn.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Output;

use super::{run, run_with, seed};

/// Reads without which the audit is whole: what they would tell is a note where it is missing.
const OPTIONAL: [&str; 3] = [
    "cloudtrail:LookupEvents",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
];

/// A project whose services run, with drift, so that everything is asked for.
fn running() -> tempfile::TempDir {
    let directory = seed();
    let at = directory.path();
    let all: [&[&str]; 5] = [
        &["apply", "--yes"],
        &["sandbox", "push", "back-end:staging"],
        &["deploy", "staging"],
        &["sandbox", "push", "back-end:prod"],
        &[
            "deploy",
            "production",
            "--tag",
            "prod",
            "--allow",
            "unproved",
        ],
    ];
    for arguments in all {
        let output = run(at, &[arguments, &["--sandbox"]].concat());
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }
    let infra = fs::read_to_string(at.join("infra.toml")).unwrap();
    fs::write(
        at.join("infra.toml"),
        infra.replace("retention_in_days = 30", "retention_in_days = 60"),
    )
    .unwrap();
    directory
}

/// The operations that a run asks for, as its own log names them.
fn operations(at: &Path) -> BTreeSet<String> {
    let output = run_with(at, &["audit", "--sandbox", "-vv"], &[("NO_COLOR", "1")]);
    let log = String::from_utf8(output.stderr).unwrap();
    let named = log.lines().filter_map(|line| {
        let (_, rest) = line.split_once("operation=")?;
        Some(
            rest.trim_start_matches('"')
                .split(['"', ' '])
                .next()?
                .to_owned(),
        )
    });
    named.collect()
}

fn refused(at: &Path, operation: &str) -> Output {
    let name = operation.replace("tagging:", "tag:");
    let fault = format!(
        "[[fault]]\noperation = \"{name}\"\nkind = \"access_denied\"\ntimes = \"forever\"\n"
    );
    fs::write(at.join("faults.toml"), fault).unwrap();
    run(
        at,
        &[
            "audit",
            "--sandbox",
            "--sandbox-faults",
            "faults.toml",
            "--fail-on",
            "critical",
        ],
    )
}

#[test]
fn a_read_that_is_refused_is_listed_and_the_exit_code_is_one_whichever_it_is() {
    let directory = running();
    let at = directory.path();
    let asked = operations(at);
    assert!(asked.len() >= 19, "{asked:?}");
    assert!(
        OPTIONAL.iter().all(|operation| asked.contains(*operation)),
        "{asked:?}"
    );
    for operation in &asked {
        let output = refused(at, operation);
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        let action = operation.split(':').nth(1).unwrap();
        assert!(text.contains(action), "{operation}: {text}");
        if OPTIONAL.contains(&operation.as_str()) {
            assert_eq!(output.status.code(), Some(0), "{operation}: {text}");
            assert!(text.contains("note: "), "{operation}: {text}");
        } else {
            assert_eq!(output.status.code(), Some(1), "{operation}: {text}");
            let listed = text.contains("not read: ") || operation == "sts:GetCallerIdentity";
            assert!(listed, "{operation}: {text}");
        }
    }
}

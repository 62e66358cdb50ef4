//! The other evaluator: npm's iam-simulate as a process, asked line by line.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use crate::npm;

/// The package, pinned.
const PACKAGE: &str = "@cloud-copilot/iam-simulate@0.1.173";

/// Its answers to these lines, or `None` where the test is skipped (which is said).
pub(crate) fn ask(lines: Vec<String>) -> Option<Vec<String>> {
    let folder = npm::package("iam-simulate", PACKAGE)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policy/simulate.mjs");
    let script = if script.exists() {
        script
    } else {
        Path::new(file!()).with_file_name("simulate.mjs")
    };
    let mut child = Command::new("node")
        .arg(script)
        .arg(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node runs");
    let mut input = child.stdin.take().expect("a pipe");
    let writer = thread::spawn(move || {
        for line in lines {
            writeln!(input, "{line}").expect("node reads");
        }
    });
    let output = BufReader::new(child.stdout.take().expect("a pipe"));
    let answers: Vec<String> = output.lines().map(|line| line.expect("text")).collect();
    writer.join().expect("the writer ends");
    assert!(child.wait().expect("node ends").success(), "node failed");
    Some(answers)
}

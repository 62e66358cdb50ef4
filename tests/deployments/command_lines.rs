//! The command lines in README.md, in docs and in examples are ones that provision takes: each command
//! is there, and so is each of its flags.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The pages and the workflows.
fn pages() -> Vec<PathBuf> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![project.join("README.md")];
    for directory in ["docs", "examples/workflows"] {
        let entries = fs::read_dir(project.join(directory)).unwrap();
        pages.extend(entries.map(|entry| entry.unwrap().path()));
    }
    pages.sort();
    pages
}

/// What stands between backticks, or after `run:`, and begins with `provision`.
fn command_lines(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let steps = text.lines().filter_map(|line| line.split_once("run: "));
    let lines = quoted.chain(steps.map(|(_, line)| line));
    let lines = lines.filter(|line| line.starts_with("provision "));
    lines.map(str::to_owned).collect()
}

/// What `provision help` says of a command; none where there is no such command.
fn help(words: &[&str]) -> Option<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
    let output = command.arg("help").args(words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(said)
}

#[test]
fn every_command_and_every_flag_on_the_pages_is_there() {
    let mut checked = 0;
    for page in pages() {
        for line in command_lines(&fs::read_to_string(&page).unwrap()) {
            let words: Vec<&str> = line.split_whitespace().skip(1).collect();
            let is_name =
                |word: &&&str| word.starts_with(|letter: char| letter.is_ascii_lowercase());
            let names: Vec<&str> = words.iter().take_while(is_name).take(2).copied().collect();
            let place = format!("{}: `{line}`", page.display());
            // The second word is a command of its own, or what the first one is about.
            let help = help(&names).or_else(|| help(names.get(..1).unwrap_or_default()));
            let help = help.unwrap_or_else(|| panic!("{place}: no such command"));
            let own = words.iter().take_while(|word| **word != "--");
            for flag in own.filter(|word| word.starts_with("--")) {
                let flag = flag.split('=').next().unwrap();
                let is_there = help
                    .split_whitespace()
                    .any(|word| word.trim_end_matches(',').split(['=', '[']).next() == Some(flag));
                assert!(is_there, "{place}: {flag} is not there");
                checked += 1;
            }
        }
    }
    assert!(checked > 10, "only {checked} flags were found");
}

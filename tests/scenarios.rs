//! Golden transcripts: scripts of commands with what they print, run by the built binary in the
//! sandbox. They are documentation that is checked, README.md's among them. `PROVISION_BLESS=1`
//! writes them anew.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of these tests fail as loudly as the tests themselves"
)]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use similar::TextDiff;

/// Stands in a transcript for lines that are left out.
const LEFT_OUT: &str = "...";

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn blessing() -> bool {
    std::env::var_os("PROVISION_BLESS").is_some_and(|value| value == "1")
}

/// Runs a command line in a directory as a user would, and gives what a terminal would show: both
/// streams in their order, and the exit code where it is not 0. `$PROJECT` is the project.
fn shell(directory: &Path, line: &str) -> String {
    let output = directory.join(".output");
    let file = File::create(&output).unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_provision"));
    let path = format!("{}:/usr/bin:/bin", binary.parent().unwrap().display());
    let status = Command::new("sh")
        .args(["-c", line])
        .current_dir(directory)
        .env_clear()
        .env("PATH", path)
        .env("HOME", directory)
        .env("PROJECT", project())
        .stdin(Stdio::null())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .status()
        .unwrap();
    let mut text = fs::read_to_string(&output).unwrap();
    fs::remove_file(&output).unwrap();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    match status.code() {
        Some(0) => {}
        Some(code) => writeln!(text, "[exit {code}]").unwrap(),
        None => writeln!(text, "[{status}]").unwrap(),
    }
    text
}

/// The transcript of a script: its comments and commands, each with what it prints now.
fn transcript(directory: &Path, script: &str) -> String {
    let mut out = String::new();
    let mut comments = false;
    for line in script.lines() {
        if let Some(typed) = line.strip_prefix("$ ") {
            let gap = if out.is_empty() || comments { "" } else { "\n" };
            write!(out, "{gap}{line}\n{}", shell(directory, typed)).unwrap();
            comments = false;
        } else if line.starts_with("# ") {
            let gap = if out.is_empty() || comments { "" } else { "\n" };
            writeln!(out, "{gap}{line}").unwrap();
            comments = true;
        }
    }
    out
}

fn difference(wanted: &str, found: &str) -> String {
    TextDiff::from_lines(wanted, found)
        .unified_diff()
        .context_radius(3)
        .header("wanted", "found")
        .to_string()
}

#[test]
fn scenarios_print_what_their_transcripts_say() {
    let mut paths: Vec<PathBuf> = fs::read_dir(project().join("tests/scenarios"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    let mut failures = String::new();
    for path in paths {
        let wanted = fs::read_to_string(&path).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let found = transcript(directory.path(), &wanted);
        if found == wanted {
            continue;
        }
        if blessing() {
            fs::write(&path, found).unwrap();
        } else {
            let name = path.file_name().unwrap().to_string_lossy();
            writeln!(failures, "{name}:\n{}", difference(&wanted, &found)).unwrap();
        }
    }
    assert!(
        failures.is_empty(),
        "{failures}\nPROVISION_BLESS=1 writes them anew."
    );
}

/// Whether `found` is `wanted`, in which a line `...` stands for any lines.
fn matches(wanted: &[&str], found: &[&str]) -> bool {
    match wanted.split_first() {
        None => found.is_empty(),
        Some((&LEFT_OUT, rest)) => (0..=found.len()).any(|skip| matches(rest, &found[skip..])),
        Some((line, rest)) => {
            found.first().is_some_and(|first| first == line) && matches(rest, &found[1..])
        }
    }
}

/// The commands of README.md and what it says they print: the blocks that are marked `console`.
fn readme_commands(readme: &str) -> Vec<(String, Vec<String>)> {
    let mut commands: Vec<(String, Vec<String>)> = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        match (inside, line) {
            (false, "```console") => inside = true,
            (true, "```") => inside = false,
            (true, line) => match line.strip_prefix("$ ") {
                Some(typed) => commands.push((typed.to_owned(), Vec::new())),
                None => commands.last_mut().unwrap().1.push(line.to_owned()),
            },
            (false, _) => {}
        }
    }
    commands
}

#[test]
fn the_readme_is_true() {
    let readme = fs::read_to_string(project().join("README.md")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    shell(
        directory.path(),
        "cp -r \"$PROJECT\"/infra.toml \"$PROJECT\"/policies .",
    );
    let commands = readme_commands(&readme);
    assert!(!commands.is_empty());
    for (typed, wanted) in commands {
        let found = shell(
            directory.path(),
            &typed.replace("cargo run -q --", "provision"),
        );
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let lines: Vec<&str> = found.lines().collect();
        assert!(
            matches(&wanted, &lines),
            "$ {typed}\n{}",
            difference(&(wanted.join("\n") + "\n"), &found)
        );
    }
}

#[test]
fn left_out_lines_match_any() {
    assert!(matches(&["a", LEFT_OUT, "d"], &["a", "b", "c", "d"]));
    assert!(matches(&[LEFT_OUT], &[]));
    assert!(!matches(&["a", LEFT_OUT, "d"], &["a", "b"]));
}

/// Ctrl-C ends no process in the middle of its work: the calls in flight end, and the next run goes on.
#[test]
#[cfg(unix)]
fn after_ctrl_c_the_calls_in_flight_end_and_the_next_run_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let provision = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("infra.toml");
        command.current_dir(directory.path()).arg("-c").arg(config);
        let sandbox = "--sandbox=.provision/sandbox.json";
        command.arg(sandbox).args(words).stdout(Stdio::null());
        command
    };
    let mut running = provision(&["apply", "--yes"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(running.stderr.take().unwrap()).lines();
    // Once something was made the run is in the midst of its calls.
    assert!(lines.any(|line| line.unwrap().contains("created")));
    let pid = running.id().to_string();
    Command::new("kill").args(["-INT", &pid]).status().unwrap();
    let rest: Vec<String> = lines.map(|line| line.unwrap()).collect();
    let ended = running.wait().unwrap();
    // It may have been done before the signal came; it never dies of it.
    assert!(matches!(ended.code(), Some(0 | 1)), "{ended}: {rest:?}");
    if ended.code() == Some(1) {
        assert!(
            rest.iter().any(|line| line.contains("goes on from here")),
            "{rest:?}"
        );
    }
    assert!(
        provision(&["apply", "--yes"])
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    );
    let plan = provision(&["plan", "--detailed-exitcode"])
        .status()
        .unwrap();
    assert_eq!(plan.code(), Some(0));
}

/// What is followed is what other processes do meanwhile.
#[test]
fn logs_that_are_followed_show_what_others_write() {
    let directory = tempfile::tempdir().unwrap();
    let made = shell(
        directory.path(),
        "cp -r \"$PROJECT\"/infra.toml \"$PROJECT\"/policies . && provision --sandbox -q apply --yes > out.txt && \
         provision --sandbox sandbox push back-end:staging > out.txt && provision --sandbox -q deploy staging > out.txt && \
         provision --sandbox -q run staging -- before > out.txt",
    );
    assert_eq!(made, "");
    let mut following = Command::new(env!("CARGO_BIN_EXE_provision"))
        .current_dir(directory.path())
        .args(["--sandbox", "logs", "staging", "--follow", "--since", "1h"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    assert!(next().ends_with("the sandbox runs: before"));
    shell(
        directory.path(),
        "provision --sandbox -q run staging -- meanwhile",
    );
    assert!(next().ends_with("the sandbox runs: meanwhile"));
    shell(
        directory.path(),
        "provision --sandbox -q run staging -- after",
    );
    assert!(next().ends_with("the sandbox runs: after"));
    following.kill().unwrap();
    following.wait().unwrap();
}

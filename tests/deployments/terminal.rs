//! What a terminal shows while a rollout goes on, and what stands there at the end; and that a run
//! without one, in CI or with -q, rewrites nothing. The terminal is Python's pty module.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs a command line on a terminal of its own, wide enough that no line is broken, and writes what
/// comes from it.
const PTY: &str = r#"import os, pty, sys
wide = 'stty cols 400 rows 50 && exec "$@"'
sys.exit(os.waitstatus_to_exitcode(pty.spawn(["sh", "-c", wide, "sh", *sys.argv[1:]])))
"#;

/// A directory with a sandbox in which staging runs an image and another one is pushed.
fn stage() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::copy(
        project.join("infra.toml"),
        directory.path().join("infra.toml"),
    )
    .unwrap();
    fs::create_dir(directory.path().join("policies")).unwrap();
    for entry in fs::read_dir(project.join("policies")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        fs::copy(&path, directory.path().join("policies").join(name)).unwrap();
    }
    for words in [
        &["apply", "--yes"][..],
        &["sandbox", "push", "back-end:staging"],
        &["deploy", "staging"],
        &["sandbox", "push", "back-end:staging"],
    ] {
        let output = command(directory.path(), Path::new(env!("CARGO_BIN_EXE_provision")))
            .arg("--sandbox")
            .args(words)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    directory
}

fn command(directory: &Path, program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(directory)
        .env_clear()
        .env("PATH", "/usr/bin:/bin:/usr/local/bin")
        .env("HOME", directory)
        .env("TERM", "xterm-256color")
        .stdin(Stdio::null());
    command
}

/// Deploys on a terminal with these flags and this environment.
fn on_terminal(flags: &[&str], environment: &[(&str, &str)]) -> Option<Output> {
    let directory = stage();
    let script = directory.path().join("terminal.py");
    fs::write(&script, PTY).unwrap();
    let output = command(directory.path(), Path::new("python3"))
        .envs(environment.iter().copied())
        .arg(&script)
        .arg(env!("CARGO_BIN_EXE_provision"))
        .args(["--sandbox", "--sandbox-rollout", "breaker-rollback"])
        .args(flags)
        .args(["deploy", "staging"])
        .output();
    match output {
        Ok(output) => Some(output),
        Err(error) => {
            eprintln!("skipped: python3 does not run: {error}");
            None
        }
    }
}

/// What stands on a terminal after it got these characters: only as much of a terminal as a progress
/// line needs.
fn screen(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let (mut row, mut column) = (0_usize, 0_usize);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\r' => column = 0,
            '\n' => {
                row += 1;
                if row == lines.len() {
                    lines.push(String::new());
                }
            }
            '\u{1b}' => {
                letters.next();
                let mut number = String::new();
                let code = loop {
                    match letters.next() {
                        Some(digit) if digit.is_ascii_digit() || ";?".contains(digit) => {
                            number.push(digit);
                        }
                        code => break code,
                    }
                };
                let count = number.parse().unwrap_or(1_usize);
                match code {
                    Some('A') => row = row.saturating_sub(count),
                    Some('B') => row = (row + count).min(lines.len() - 1),
                    Some('K') if number == "2" => lines[row].clear(),
                    Some('K') => {
                        lines[row] = lines[row].chars().take(column).collect();
                    }
                    Some('J') => {
                        lines[row] = lines[row].chars().take(column).collect();
                        lines.truncate(row + 1);
                    }
                    _ => {}
                }
            }
            letter => {
                let mut line: Vec<char> = lines[row].chars().collect();
                line.resize(line.len().max(column + 1), ' ');
                line[column] = letter;
                column += 1;
                lines[row] = line.into_iter().collect();
            }
        }
    }
    lines
}

fn has_colors(text: &str) -> bool {
    text.contains("\u{1b}[3") || text.contains("\u{1b}[1m")
}

fn rewrites(text: &str) -> bool {
    text.contains("\u{1b}[2K") || text.contains("\u{1b}[1A")
}

#[test]
fn a_terminal_shows_how_the_rollout_stands_and_ends_clean() {
    let Some(output) = on_terminal(&[], &[]) else {
        return;
    };
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(rewrites(&text) && has_colors(&text), "{text}");
    assert!(text.contains("service/back-end-staging ["), "{text}");
    assert!(text.contains("0 of 1 tasks running"), "{text}");
    let left = screen(&text);
    let shown = left.join("\n");
    assert!(!shown.contains("service/back-end-staging ["), "{shown}");
    assert!(shown.contains("event: "), "{shown}");
    assert!(shown.contains("rolled-back back-end-staging:3"), "{shown}");
    assert!(shown.contains("3 tasks stopped: "), "{shown}");
    assert!(shown.contains("hint: "), "{shown}");
}

#[test]
fn colours_are_left_out_where_nobody_wants_them() {
    for (flags, environment) in [
        (&["--color", "never"][..], &[][..]),
        (&[], &[("NO_COLOR", "1")]),
    ] {
        let Some(output) = on_terminal(flags, environment) else {
            return;
        };
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(rewrites(&text), "{text}");
        assert!(!has_colors(&text), "{flags:?} {environment:?}: {text}");
    }
}

#[test]
fn in_ci_and_when_quiet_nothing_is_rewritten() {
    for (flags, environment, progress) in [
        (&[][..], &[("CI", "true")][..], true),
        (&[], &[("GITHUB_ACTIONS", "true")], true),
        (&["-q"], &[], false),
    ] {
        let Some(output) = on_terminal(flags, environment) else {
            return;
        };
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!rewrites(&text), "{flags:?} {environment:?}: {text}");
        assert_eq!(text.contains("rollout IN_PROGRESS"), progress, "{text}");
        assert!(text.contains("rolled-back back-end-staging:3"), "{text}");
    }
}

//! A copy of the project's own infra.toml and policies, fit for an emulator, and runs of the binary
//! in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::emulators::{ACCOUNT, REGION, Server};

/// Known gaps: emulator → check → reason.
type Gaps = BTreeMap<String, BTreeMap<String, String>>;

/// What the project's own infra.toml says of the circuit breaker.
const BREAKER: &str = ", circuit_breaker = { enable = true, rollback = true }";

/// A run of the binary that has ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// The run, which has to end with this code.
    pub(crate) fn with(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// The last line of what was printed.
    pub(crate) fn last_line(&self) -> &str {
        self.stdout.lines().last().unwrap_or_default()
    }
}

/// A directory with an infra.toml, and the environment in which the binary runs there.
pub(crate) struct Project {
    directory: TempDir,
    environment: BTreeMap<String, String>,
}

impl Project {
    /// An empty directory.
    pub(crate) fn empty() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut environment = BTreeMap::new();
        for (name, value) in [
            ("AWS_ACCESS_KEY_ID", "AKIASANDBOXSANDBOX00"),
            ("AWS_SECRET_ACCESS_KEY", "none"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ] {
            environment.insert(name.to_owned(), value.to_owned());
        }
        Self {
            directory,
            environment,
        }
    }

    /// The project's own infrastructure, in the emulator's account and network, without what its
    /// known gaps make impossible: that is said in the test's output.
    pub(crate) fn seed(name: &str, server: &Server) -> Self {
        let project = Self::copy();
        let path = project.path("infra.toml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, adapt(&text, name, server)).unwrap();
        project
    }

    /// The project's own infrastructure as it is.
    pub(crate) fn copy() -> Self {
        let project = Self::empty();
        let source = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::create_dir(project.path("policies")).unwrap();
        for entry in fs::read_dir(source.join("policies")).unwrap() {
            let entry = entry.unwrap();
            let copy = project.path("policies").join(entry.file_name());
            fs::copy(entry.path(), copy).unwrap();
        }
        fs::copy(source.join("infra.toml"), project.path("infra.toml")).unwrap();
        project
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Changes infra.toml.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let path = self.path("infra.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "infra.toml has no {from}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    /// Sets a variable for the runs to come.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.environment.insert(name.to_owned(), value.into());
    }

    /// Removes a variable.
    pub(crate) fn unset(&mut self, name: &str) {
        self.environment.remove(name);
    }

    /// The binary with these arguments, about to run here.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
        command
            .args(arguments)
            .current_dir(self.directory.path())
            .env_clear()
            .envs(&self.environment)
            .env("HOME", self.directory.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let output = self.command(arguments).output().unwrap();
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Whether the table of known gaps has this check.
pub(crate) fn has_gap(emulator: &str, check: &str) -> bool {
    let gaps: Gaps = toml::from_str(include_str!("../emulators/gaps.toml")).unwrap();
    gaps.get(emulator)
        .is_some_and(|checks| checks.contains_key(check))
}

fn adapt(text: &str, name: &str, server: &Server) -> String {
    let (subnet, group) = server.network().unwrap();
    let mut text = replaced(text, "\"633607774026\"", &format!("{ACCOUNT:?}"));
    text = replaced(&text, "\"us-east-2\"", &format!("{REGION:?}"));
    text = replaced(&text, "subnet-0a1b2c3d4e5f60718\", \"", "");
    text = replaced(&text, "subnet-0f1e2d3c4b5a69788", &subnet);
    text = replaced(&text, "sg-0123456789abcdef0", &group);
    if has_gap(name, "service/breaker") {
        println!("{name}: without the circuit breaker (known gap service/breaker)");
        text = replaced(&text, BREAKER, "");
    }
    text
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "infra.toml has no {from}");
    text.replace(from, to)
}

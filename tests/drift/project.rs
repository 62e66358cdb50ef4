//! A copy of the project in a sandbox in which it was applied, the binary run in it, and the hands of
//! somebody else on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use provision::clock::VirtualClock;
use provision::sandbox::{Sandbox, Service};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What `plan` says where nothing differs.
pub(crate) const NO_CHANGES: &str = "No changes. Your infrastructure matches infra.toml.";
/// Where the sandbox is kept, and a copy of it as it was after the first apply.
const STATE: &str = "sandbox.json";
const APPLIED: &str = "applied.json";

/// A run of the binary that has ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// The requests of a run under `-vv`.
    pub(crate) fn requests(&self) -> Vec<String> {
        let lines = self
            .stderr
            .lines()
            .filter(|line| line.contains(" request "));
        let named = lines.filter_map(|line| line.split("operation=\"").nth(1)?.split('"').next());
        named.map(str::to_owned).collect()
    }

    /// Those of them that ask for a change.
    pub(crate) fn writes(&self) -> Vec<String> {
        const READS: [&str; 4] = ["Get", "List", "Describe", "BatchGet"];
        let is_read = |request: &String| {
            let operation = request.split(':').nth(1).unwrap_or_default();
            READS.iter().any(|prefix| operation.starts_with(prefix))
        };
        self.requests()
            .into_iter()
            .filter(|request| !is_read(request))
            .collect()
    }
}

/// A directory with an infra.toml and a sandbox.
pub(crate) struct Project {
    directory: TempDir,
}

impl Project {
    /// A directory with these files.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("policies")).unwrap();
        for (name, text) in files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        Self { directory }
    }

    /// The project's own infrastructure, not applied yet.
    pub(crate) fn seed() -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"));
        let project = Self::of(&[("infra.toml", &read(&source.join("infra.toml")))]);
        for entry in fs::read_dir(source.join("policies")).unwrap() {
            let entry = entry.unwrap();
            let copy = project.path("policies").join(entry.file_name());
            fs::copy(entry.path(), copy).unwrap();
        }
        project
    }

    /// The same, applied when images had been pushed, so that its services run.
    pub(crate) fn applied() -> Self {
        let project = Self::seed();
        let made = project.run(&["apply", "--yes", "repository/back-end"]);
        assert_eq!(made.code, Some(0), "{}", made.stderr);
        for tag in ["staging", "prod"] {
            let manifest = json!({ "schemaVersion": 2, "annotations": { "for": tag } });
            let input = json!({ "repositoryName": "back-end", "imageTag": tag,
                "imageManifest": manifest.to_string() });
            project.ask(Service::Ecr, "PutImage", input);
        }
        project.apply();
        fs::copy(project.path(STATE), project.path(APPLIED)).unwrap();
        project
    }

    /// Applies for the first time.
    pub(crate) fn apply(&self) {
        let applied = self.run(&["apply", "--yes"]);
        assert_eq!(applied.code, Some(0), "{}", applied.stderr);
    }

    /// The account as it was after the first apply.
    pub(crate) fn begin_anew(&self) {
        fs::copy(self.path(APPLIED), self.path(STATE)).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Changes infra.toml.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let path = self.path("infra.toml");
        let text = read(&path);
        assert!(text.contains(from), "infra.toml has no {from}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    /// The account, opened by somebody else.
    pub(crate) fn sandbox(&self) -> Sandbox {
        let clock = Arc::new(VirtualClock::default());
        Sandbox::open(&self.path(STATE), "633607774026", "us-east-2", clock).unwrap()
    }

    /// Does something as somebody else.
    pub(crate) fn ask(&self, service: Service, operation: &str, input: Value) -> Value {
        let sandbox = self.sandbox();
        let ask = |service, operation: &str, input| {
            let answer = sandbox.ask(service, operation, input);
            answer.unwrap_or_else(|error| panic!("{operation}: {error:?}"))
        };
        let text = input.to_string();
        let Some(name) = text
            .split("ARN OF ")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
        else {
            return ask(service, operation, input);
        };
        let described = ask(
            Service::SecretsManager,
            "DescribeSecret",
            json!({ "SecretId": name }),
        );
        let arn = described["ARN"].as_str().unwrap_or_default();
        let text = text.replace(&format!("ARN OF {name}"), arn);
        ask(service, operation, serde_json::from_str(&text).unwrap())
    }

    /// Runs the binary in the sandbox.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let output = Command::new(env!("CARGO_BIN_EXE_provision"))
            .arg(format!("--sandbox={STATE}"))
            .args(arguments)
            .current_dir(self.directory.path())
            .env_clear()
            .env("HOME", self.directory.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

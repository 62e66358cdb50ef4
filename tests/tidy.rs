//! The habits of the code as tests: the table of layers, sizes of files and functions, names, and
//! what never stands in a committed file.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "the helpers of these tests fail as loudly as the tests themselves"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Most lines of a file: beyond it nobody reads it in one go.
const LONGEST_FILE: usize = 700;
/// Most lines of a function: one screen.
const LONGEST_FUNCTION: usize = 70;
/// Most lines of a file of tests: their tables of cases are looked up, not read.
const LONGEST_TEST_FILE: usize = 1000;
/// Most files over 400 lines, of a hundred: most files are to be shorter.
const LONG_FILES_PERCENT: usize = 15;

struct Source {
    path: String,
    text: String,
}

impl Source {
    /// Whether it holds tests only.
    fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.ends_with("/tests.rs")
            || self.path.contains("/tests/")
    }

    /// The lines of code before the unit tests, numbered from 1, without comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = self
            .text
            .find("\n#[cfg(test)]\nmod tests {")
            .unwrap_or(self.text.len());
        self.text[..end]
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name == ".git" {
            continue;
        }
        if path.is_dir() {
            if !matches!(name.as_str(), "target" | ".provision") {
                walk(&path, found);
            }
        } else {
            found.push(path);
        }
    }
}

/// Every text file of the project, by its path from the top.
fn texts() -> Vec<Source> {
    let mut paths = Vec::new();
    walk(&root(), &mut paths);
    paths
        .into_iter()
        .filter_map(|path| {
            let text = fs::read_to_string(&path).ok()?;
            let path = path
                .strip_prefix(root())
                .unwrap()
                .to_string_lossy()
                .replace('\\', "/");
            Some(Source { path, text })
        })
        .collect()
}

fn rust() -> Vec<Source> {
    let all = texts().into_iter();
    all.filter(|source| {
        source.path.ends_with(".rs")
            && (source.path.starts_with("src/") || source.path.starts_with("tests/"))
    })
    .collect()
}

fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

/// The rows of the table of layers. `policy` is below `config`, which reads its documents; `error`
/// and `redact` are below all.
fn rows() -> BTreeMap<&'static str, u8> {
    BTreeMap::from([
        ("main", 7),
        ("cli", 7),
        ("report", 6),
        ("apply", 5),
        ("audit", 5),
        ("permissions", 5),
        ("github", 5),
        ("reach", 4),
        ("kinds", 4),
        ("rollout", 4),
        ("plan", 3),
        ("kinds/*", 3),
        ("kind", 2),
        ("lock", 2),
        ("aws", 1),
        ("config", 1),
        ("sandbox", 1),
        ("clock", 0),
        ("policy", 0),
        ("diff", 0),
        ("error", 0),
        ("planted", 0),
        ("redact", 0),
    ])
}

/// The module of the table to which a file belongs.
fn module(path: &str) -> String {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    let first = inner.split('/').next().unwrap_or_default();
    let list = matches!(inner, "kinds/mod" | "kinds/law") || inner.starts_with("kinds/law/");
    if first == "kinds" && !list {
        "kinds/*".to_owned()
    } else {
        first.to_owned()
    }
}

/// The modules of this crate that a line names.
fn named(line: &str) -> Vec<String> {
    line.split("crate::")
        .skip(1)
        .map(|rest| {
            let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
            let name = &rest[..end.unwrap_or(rest.len())];
            // A kind by its module, not the list of them nor the law.
            let inner = rest.strip_prefix("kinds::").unwrap_or_default();
            let is_kind = inner.starts_with(|letter: char| letter.is_ascii_lowercase())
                && !inner.starts_with("law");
            if is_kind { "kinds/*" } else { name }.to_owned()
        })
        .collect()
}

#[test]
fn modules_import_only_from_rows_below_their_own() {
    let rows = rows();
    let mut violations = Vec::new();
    for source in rust()
        .iter()
        .filter(|source| source.path.starts_with("src/") && !source.is_test())
    {
        let own = module(&source.path);
        if own == "lib" {
            continue;
        }
        let Some(row) = rows.get(own.as_str()) else {
            violations.push(format!("{}: {own} is in no row of the table", source.path));
            continue;
        };
        for (line, text) in source.code() {
            for other in named(text) {
                let same = own == other || (own == "kinds/*" && other.starts_with("kinds"));
                if !same && rows.get(other.as_str()).is_some_and(|below| below >= row) {
                    violations.push(format!("{}:{line}: {own} names {other}", source.path));
                }
            }
        }
    }
    assert_none(&violations);
}

#[test]
fn the_sdk_is_named_only_where_aws_is_reached() {
    let mut violations = Vec::new();
    for source in rust()
        .iter()
        .filter(|source| source.path.starts_with("src/") && !source.is_test())
    {
        let module = module(&source.path);
        for (line, text) in source.code().filter(|(_, text)| text.contains("aws_sdk_")) {
            let private = !text.trim_start().starts_with("pub");
            let allowed = match module.as_str() {
                "aws" => true,
                "kinds/*" | "rollout" => private,
                _ => false,
            };
            if !allowed {
                violations.push(format!("{}:{line}: {}", source.path, text.trim()));
            }
        }
    }
    assert_none(&violations);
}

#[test]
fn kinds_never_import_one_another() {
    const KINDS: &[&str] = &[
        "oidc_provider",
        "policy",
        "role",
        "repository",
        "log_group",
        "secret",
        "cluster",
        "service",
    ];
    let mut violations = Vec::new();
    for source in rust()
        .iter()
        .filter(|source| module(&source.path) == "kinds/*" && !source.is_test())
    {
        let own = source
            .path
            .trim_start_matches("src/kinds/")
            .split(['/', '.'])
            .next()
            .unwrap();
        for (line, text) in source.code() {
            for kind in KINDS.iter().filter(|kind| **kind != own) {
                let inside = text.contains(&format!("crate::kinds::{kind}::"))
                    || text
                        .trim_start()
                        .starts_with(&format!("use super::{kind}::"));
                if inside && KINDS.contains(&own) {
                    violations.push(format!("{}:{line}: {own} names {kind}", source.path));
                }
            }
        }
    }
    assert_none(&violations);
}

#[test]
fn files_can_be_read_in_one_go() {
    let sources = rust();
    let long = |source: &&Source| source.text.lines().count() > 400;
    let violations: Vec<String> = sources
        .iter()
        .filter(|source| {
            let most = if source.is_test() {
                LONGEST_TEST_FILE
            } else {
                LONGEST_FILE
            };
            source.text.lines().count() > most
        })
        .map(|source| format!("{}: {} lines", source.path, source.text.lines().count()))
        .collect();
    assert_none(&violations);
    let over: Vec<String> = sources
        .iter()
        .filter(long)
        .map(|source| format!("{}: {} lines", source.path, source.text.lines().count()))
        .collect();
    assert!(
        over.len() * 100 <= sources.len() * LONG_FILES_PERCENT,
        "{}",
        over.join("\n")
    );
}

/// The functions of a formatted file: line, name, number of lines. A function ends at the first line
/// that is its own indentation and a closing brace.
fn functions(source: &Source) -> Vec<(usize, String, usize)> {
    let lines: Vec<&str> = source.text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let indent = &line[..line.len() - trimmed.len()];
        let Some((before, rest)) = trimmed.split_once("fn ") else {
            continue;
        };
        let name = rest.split(['(', '<']).next().unwrap_or_default();
        let qualifiers = ["", "pub ", "async ", "const ", "pub async ", "pub const "];
        let visible = before
            .strip_prefix("pub(")
            .and_then(|rest| rest.split_once(") "));
        let before = visible.map_or(before, |(_, rest)| rest);
        if !qualifiers.contains(&before) {
            continue;
        }
        let end = lines[index..]
            .iter()
            .position(|line| *line == format!("{indent}}}"));
        if let Some(length) = end.filter(|_| !trimmed.ends_with(';')) {
            found.push((index + 1, name.to_owned(), length + 1));
        }
    }
    found
}

#[test]
fn functions_fit_one_screen() {
    let mut violations = Vec::new();
    // A table of cases in a test is one list, however long.
    for source in rust().iter().filter(|source| !source.is_test()) {
        for (line, name, length) in functions(source) {
            if length > LONGEST_FUNCTION {
                violations.push(format!("{}:{line}: {name} has {length} lines", source.path));
            }
        }
    }
    assert_none(&violations);
}

#[test]
fn functions_are_found_and_measured() {
    let text = "pub(super) async fn one(\n    a: u8,\n) {\n    two();\n}\n\nimpl X {\n    fn two() {}\n}\n";
    let source = Source {
        path: "src/x.rs".to_owned(),
        text: text.to_owned(),
    };
    assert_eq!(functions(&source)[0], (1, "one".to_owned(), 5));
}

#[test]
fn modules_say_what_they_own() {
    let violations: Vec<String> = rust()
        .iter()
        .filter(|source| {
            !source.text.starts_with("//!")
                && (!source.is_test() || source.path.starts_with("tests/"))
        })
        .map(|source| format!("{}: begins without //!", source.path))
        .collect();
    assert_none(&violations);
}

#[test]
fn one_concept_has_one_word() {
    const BANNED: &[&str] = &[
        "Provider", "Backend", "Engine", "Manager", "Visitor", "Helper", "Util",
    ];
    /// Words of AWS's own, the SDK's traits among them.
    const THEIRS: &[&str] = &["OidcProvider", "CapacityProvider"];
    const FILES: &[&str] = &[
        "util", "utils", "helper", "helpers", "common", "misc", "repo", "ctx",
    ];
    let mut violations = Vec::new();
    for source in rust() {
        let stem = Path::new(&source.path)
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        if FILES.contains(&stem.as_str()) {
            violations.push(format!("{}: {stem} says nothing", source.path));
        }
        for (line, text) in source.code() {
            for keyword in ["struct ", "enum ", "trait "] {
                let Some((_, rest)) = text.split_once(keyword) else {
                    continue;
                };
                let name = rest
                    .split(|letter: char| !letter.is_alphanumeric())
                    .next()
                    .unwrap_or_default();
                let theirs = THEIRS.iter().any(|word| name.contains(word));
                if !theirs && BANNED.iter().any(|word| name.ends_with(word)) {
                    violations.push(format!("{}:{line}: {name}", source.path));
                }
            }
        }
    }
    assert_none(&violations);
}

#[test]
fn nothing_is_left_unfinished() {
    // Put together here, so that this file does not hold them.
    let marks =
        ["FIX", "TO"].map(|start| format!("{start}{}", if start == "FIX" { "ME" } else { "DO" }));
    let mut violations = Vec::new();
    for source in rust()
        .iter()
        .filter(|source| source.path != "tests/tidy.rs")
    {
        for (index, line) in source.text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark.as_str())) || line.contains("#[ignore") {
                violations.push(format!("{}:{}: {}", source.path, index + 1, line.trim()));
            }
        }
    }
    assert_none(&violations);
}

#[test]
fn no_file_names_a_package_registry_or_a_path_of_a_machine() {
    // In two halves, so that this file does not hold them.
    let banned: Vec<String> = [
        ("index.", "crates.io"),
        ("static.", "crates.io"),
        ("pypi", ".org"),
        ("python", "hosted.org"),
        ("registry.", "npmjs.org"),
        ("proxy.", "golang.org"),
        ("/ro", "ot/"),
        ("/ho", "me/"),
        ("/wo", "rk/"),
    ]
    .map(|(one, other)| format!("{one}{other}"))
    .into();
    let mut violations = Vec::new();
    for source in texts().iter().filter(|source| source.path != "Cargo.lock") {
        for (index, line) in source.text.lines().enumerate() {
            if banned.iter().any(|word| line.contains(word.as_str())) {
                violations.push(format!("{}:{}: {}", source.path, index + 1, line.trim()));
            }
        }
    }
    assert_none(&violations);
}

#[test]
fn every_test_file_is_run() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let mut violations = Vec::new();
    for entry in fs::read_dir(root().join("tests")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".rs") && !manifest.contains(&format!("path = \"tests/{name}\"")) {
            violations.push(format!("tests/{name} is not declared in Cargo.toml"));
        }
    }
    assert_none(&violations);
}

/// Compiles src/planted.rs alone with this feature, as a release build would or not; gives what the
/// compiler says where it refuses.
fn compile_planted(feature: &str, release: bool, program: &str) -> Result<(), String> {
    let directory = tempfile::tempdir().unwrap();
    let main = directory.path().join("main.rs");
    let planted = root().join("src/planted.rs");
    let text = format!(
        "#[path = \"{}\"]\nmod planted;\n{program}",
        planted.display()
    );
    fs::write(&main, text).unwrap();
    let assertions = if release { "off" } else { "on" };
    let output = Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()))
        .args(["--edition=2024", "--emit=metadata", "--out-dir"])
        .arg(directory.path())
        .arg(format!("--cfg=feature={feature:?}"))
        .arg(format!("-Cdebug-assertions={assertions}"))
        .arg(main)
        .output()
        .unwrap();
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8(output.stderr).unwrap())
}

#[test]
fn no_release_build_can_have_the_planted_bugs() {
    const PLANTS: &str = "fn main() { planted::plant(Some(planted::Bug::UntagThenTag)); }";
    const ASKS: &str = "fn main() { assert!(!planted::planted(planted::Bug::UntagThenTag)); }";
    let refused = compile_planted("planted-bugs", true, ASKS).unwrap_err();
    assert!(
        refused.contains("no release build can have it"),
        "{refused}"
    );
    // The tests' own feature does nothing there: no bug can be planted.
    let absent = compile_planted("planted-bugs-in-tests", true, PLANTS).unwrap_err();
    assert!(absent.contains("cannot find function `plant`"), "{absent}");
    for (feature, release, program) in [
        ("planted-bugs-in-tests", true, ASKS),
        ("planted-bugs", false, PLANTS),
        ("planted-bugs-in-tests", false, PLANTS),
        ("none", true, ASKS),
    ] {
        compile_planted(feature, release, program)
            .unwrap_or_else(|said| panic!("{feature}: {said}"));
    }
}

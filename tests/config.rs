//! infra.toml as users meet it: the project's own file, broken files and their diagnostics, the
//! schema and the reference. `PROVISION_BLESS=1` rewrites the golden files.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of a test fails the test"
)]

use std::fs;
use std::path::{Path, PathBuf};

use provision::config::{self, Config, Diagnostic};

fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a text with a golden file, or writes the file.
fn golden(path: &Path, text: &str) -> Result<(), String> {
    if std::env::var_os("PROVISION_BLESS").is_some() {
        fs::write(path, text).unwrap();
        return Ok(());
    }
    let known = fs::read_to_string(path).unwrap_or_default();
    if known == text {
        return Ok(());
    }
    let path = path.display();
    Err(format!(
        "{path} differs from:\n{text}\nRun PROVISION_BLESS=1 cargo test --test config."
    ))
}

/// Parses `infra.toml` of a folder under the path `infra.toml`.
fn parse_in(folder: &Path, text: &str) -> Result<Config, Vec<Diagnostic>> {
    config::parse("infra.toml", text, &mut |path| {
        fs::read_to_string(folder.join(path))
    })
}

fn seed_text() -> String {
    fs::read_to_string(top().join("infra.toml")).unwrap()
}

fn seed() -> Config {
    parse_in(&top(), &seed_text()).unwrap_or_else(|errors| panic!("{}", render(&errors)))
}

fn render(diagnostics: &[Diagnostic]) -> String {
    let texts: Vec<String> = diagnostics
        .iter()
        .map(|it| it.render(false) + "\n")
        .collect();
    texts.join("\n")
}

#[path = "config/broken.rs"]
mod broken;
#[path = "config/mutations.rs"]
mod mutations;
#[path = "config/seed.rs"]
mod seed_tests;

#[test]
fn the_schema_is_the_one_that_is_checked_in() {
    let text = format!("{:#}\n", config::schema());
    golden(&top().join("infra.schema.json"), &text).unwrap();
}

#[test]
fn the_reference_is_the_one_that_is_checked_in() {
    golden(&top().join("docs/configuration.md"), &config::reference()).unwrap();
}

//! What is said now, against what a file beside this one holds. `PROVISION_BLESS=1` writes the file; read the difference
//! before it is kept. The unit tests of the engine call it too.

use std::path::PathBuf;

use similar::TextDiff;

pub(crate) fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/policy")
        .join(file)
}

pub(crate) fn read(file: &str) -> String {
    std::fs::read_to_string(path(file)).expect("the file can be read")
}

/// Fails where the file holds another text.
pub(crate) fn holds(file: &str, now: &str) {
    if std::env::var_os("PROVISION_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(path(file), now).expect("the file can be written");
        return;
    }
    let known = read(file);
    let diff = TextDiff::from_lines(known.as_str(), now);
    assert!(
        known == now,
        "{file}:\n{}",
        diff.unified_diff().context_radius(12)
    );
}

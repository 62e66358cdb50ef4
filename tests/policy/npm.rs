//! Packages of npm that some gates need, installed once under target/.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// One installation at a time: the tests of a binary run side by side.
static INSTALLING: Mutex<()> = Mutex::new(());

/// The folder where a pinned package is installed, or `None` after saying why the test is skipped.
pub(crate) fn package(name: &str, pinned: &str) -> Option<PathBuf> {
    let _turn = INSTALLING.lock().expect("nobody panicked");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target")
        .join("npm")
        .join(name);
    if Command::new("node")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_err()
    {
        println!("skipped: node is not installed");
        return None;
    }
    let marker = folder.join("installed");
    if std::fs::read_to_string(&marker).is_ok_and(|text| text == pinned) {
        return Some(folder);
    }
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    let output = Command::new("npm")
        .args([
            "install",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--prefix",
        ])
        .arg(&folder)
        .arg(pinned)
        .output();
    match output {
        Ok(output) if output.status.success() => {
            std::fs::write(&marker, pinned).expect("the marker can be written");
            Some(folder)
        }
        Ok(output) => {
            println!(
                "skipped: npm could not install {pinned}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            None
        }
        Err(error) => {
            println!("skipped: npm is not installed: {error}");
            None
        }
    }
}

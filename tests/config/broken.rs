//! Every folder under tests/broken holds an infra.toml that is wrong in one way, with the
//! documents that it names, and the diagnostics that it gets.

use std::collections::BTreeSet;
use std::fs;

use super::{golden, parse_in, render, top};

/// The number of broken files that the project promises to keep.
const LEAST: usize = 60;

#[test]
fn every_broken_file_gets_its_diagnostics() {
    let mut wrong = Vec::new();
    let mut first_messages = BTreeSet::new();
    let mut count = 0;
    let mut folders: Vec<_> = fs::read_dir(top().join("tests/broken"))
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    folders.sort();
    for folder in folders {
        count += 1;
        let text = fs::read_to_string(folder.join("infra.toml")).unwrap();
        let Err(diagnostics) = parse_in(&folder, &text) else {
            wrong.push(format!("{} is not broken.", folder.display()));
            continue;
        };
        for diagnostic in &diagnostics {
            assert!(
                diagnostic.position.line > 0,
                "{}: no line",
                folder.display()
            );
            assert!(
                diagnostic.position.column > 0,
                "{}: no column",
                folder.display()
            );
        }
        if !first_messages.insert(diagnostics[0].message.clone()) {
            wrong.push(format!(
                "{} repeats another one's message.",
                folder.display()
            ));
        }
        if let Err(difference) = golden(&folder.join("expected.txt"), &render(&diagnostics)) {
            wrong.push(difference);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= LEAST, "{count} broken files, {LEAST} are promised");
}

//! What is said of a document by itself: for each in `judged.txt`, its errors as IAM stores it, as it is read for its
//! meaning, and as a file of that kind; then its canonical form.

use std::fmt::Write as _;

use provision::policy::{Document, PolicyKind, SyntaxError};

use crate::golden;

type Reading = fn(&str, PolicyKind) -> Result<Document, Vec<SyntaxError>>;

/// The ways to read a document, the strictest first.
const READINGS: [(&str, Reading); 3] = [
    ("stored", Document::parse),
    ("as a file", Document::read_as),
    ("for its meaning", Document::read),
];

fn judged(kind: PolicyKind, text: &str) -> String {
    let mut out = String::new();
    let mut last = String::new();
    let mut canonical = None;
    for (name, reading) in READINGS {
        let said = match reading(text, kind) {
            Ok(document) => {
                canonical = Some(document);
                ": no error\n".to_owned()
            }
            Err(errors) => errors.iter().fold("\n".to_owned(), |mut said, error| {
                let SyntaxError {
                    line,
                    column,
                    message,
                    hint,
                } = error;
                let hint = hint.as_deref().unwrap_or("no hint");
                let _ = writeln!(said, ">   {line}:{column} {message} {hint}");
                said
            }),
        };
        if said != last {
            let _ = write!(out, "> {name}{said}");
        }
        last = said;
    }
    if let Some(document) = canonical {
        let _ = writeln!(out, "> {}", document.canonical());
        if text.contains('\n') {
            let lines: Vec<usize> = document.statements().iter().map(|one| one.line).collect();
            let _ = writeln!(
                out,
                "> sent as {}, statements at lines {lines:?}",
                document.minified()
            );
        }
        let pretty = document.pretty();
        // The text for diffs is the same JSON, over lines.
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        assert_eq!(value(&pretty), value(text), "{text}");
        assert!(pretty.contains("\n  \"Statement\": "), "{pretty}");
    }
    let of = PolicyKind::of(text).map_or("none", PolicyKind::name);
    let _ = write!(out, "> its elements are of kind {of}");
    out
}

#[test]
fn each_document_is_judged_in_these_words() {
    const FILE: &str = "judged.txt";
    let mut now = Vec::new();
    for block in golden::read(FILE).trim_end().split("\n\n") {
        let given = block.lines().take_while(|line| !line.starts_with("> "));
        let given: Vec<&str> = given.collect();
        let (head, text) = given.split_at(2);
        let kind = serde_json::from_value(head[1].into()).expect("a kind");
        let said = judged(kind, &text.join("\n"));
        now.push(format!("{}\n{said}", given.join("\n")));
    }
    golden::holds(FILE, &format!("{}\n", now.join("\n\n")));
}

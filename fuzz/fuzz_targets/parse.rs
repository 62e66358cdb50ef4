//! Any text either parses or gives errors at places within it, and what parses keeps its canonical form.
#![no_main]
#![allow(
    dead_code,
    unused_imports,
    reason = "the library's module stands here as a part of a program"
)]

#[path = "../../src/policy/mod.rs"]
mod policy;

use libfuzzer_sys::fuzz_target;
use policy::{Document, PolicyKind, lint};

fuzz_target!(|text: &str| {
    let lines = text.matches('\n').count() + 1;
    for kind in [
        PolicyKind::Identity,
        PolicyKind::Trust,
        PolicyKind::Resource,
    ] {
        match Document::read(text, kind) {
            Ok(document) => {
                let again =
                    Document::read(&document.canonical(), kind).expect("the canonical form parses");
                assert_eq!(document.canonical(), again.canonical());
                let minified = Document::read(&document.minified(), kind).expect("so does this");
                assert_eq!(document, minified);
                let _ = (document.denied(), document.size(), lint::findings(&document));
            }
            Err(errors) => {
                assert!(!errors.is_empty());
                for error in errors {
                    assert!((1..=lines).contains(&error.line) && error.column >= 1);
                }
            }
        }
        let _ = Document::parse(text, kind);
        let _ = Document::parse_encoded(text, kind);
    }
    let _ = PolicyKind::of(text);
});

//! Any text either parses or gives errors at places within it, and what parses keeps its canonical form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use provision::policy::{Document, PolicyKind};

fuzz_target!(|text: &str| {
    for kind in [
        PolicyKind::Identity,
        PolicyKind::Trust,
        PolicyKind::Resource,
    ] {
        if let Ok(document) = Document::read(text, kind) {
            let again =
                Document::read(&document.canonical(), kind).expect("the canonical form parses");
            assert_eq!(document.canonical(), again.canonical());
        }
        let _ = Document::parse_encoded(text, kind);
    }
});

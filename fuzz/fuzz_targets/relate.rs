//! Two documents in one text, split at the first NUL: no panic, no hang, and the relation turned around is its mirror.
#![no_main]
#![allow(
    dead_code,
    unused_imports,
    reason = "the library's module stands here as a part of a program"
)]

#[path = "../../src/policy/mod.rs"]
mod policy;

use libfuzzer_sys::fuzz_target;
use policy::{Document, PolicyKind};

mod mirror;

fuzz_target!(|text: &str| {
    let Some((a, b)) = text.split_once('\0') else {
        return;
    };
    for kind in [
        PolicyKind::Identity,
        PolicyKind::Trust,
        PolicyKind::Resource,
    ] {
        if let (Ok(a), Ok(b)) = (Document::read(a, kind), Document::read(b, kind)) {
            mirror::check(&a, &b);
        }
    }
});

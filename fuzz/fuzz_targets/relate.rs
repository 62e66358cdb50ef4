//! Two documents in one text, split at the first NUL: no panic, no hang, and the relation turned around is its mirror.
#![no_main]

use libfuzzer_sys::fuzz_target;
use provision::policy::{Document, PolicyKind, Relation, relate};

fuzz_target!(|text: &str| {
    let Some((a, b)) = text.split_once('\0') else {
        return;
    };
    for kind in [
        PolicyKind::Identity,
        PolicyKind::Trust,
        PolicyKind::Resource,
    ] {
        let (Ok(a), Ok(b)) = (Document::read(a, kind), Document::read(b, kind)) else {
            continue;
        };
        let (there, back) = (relate(&a, &b).relation, relate(&b, &a).relation);
        let mirror = match there {
            Relation::Wider => Relation::Narrower,
            Relation::Narrower => Relation::Wider,
            same => same,
        };
        assert!(mirror == back || there == Relation::Unknown || back == Relation::Unknown);
    }
});

//! What people are told of a change: for each pair of documents in `said.txt`, the sentences and the requests that
//! prove them, word for word.

use std::fmt::Write as _;

use provision::policy::{Document, PolicyKind, describe, relate};

use crate::golden;
use crate::pairs::{self, Pair, SHORT};

/// What is told of a pair now.
fn told(pair: &Pair) -> String {
    let (kind, documents) = pair.documents();
    let kind: PolicyKind = serde_json::from_value(kind.into()).expect("a kind");
    let [before, after] = documents.map(|text| {
        Document::read(&text, kind).unwrap_or_else(|errors| panic!("{text}: {errors:?}"))
    });
    let comparison = relate(&before, &after);
    let mut out = String::new();
    for line in describe::text(&before, &after, &comparison).lines() {
        let _ = writeln!(out, "> {line}");
    }
    for witness in comparison.gained.iter().chain(&comparison.lost) {
        let request = serde_json::to_string(&witness.request).expect("JSON");
        let _ = writeln!(out, ">   {request}");
    }
    for (short, long) in SHORT {
        out = out.replace(long, short);
    }
    out.trim_end().to_owned()
}

#[test]
fn each_change_is_told_in_these_words() {
    let pairs = pairs::read();
    let block = |pair: &Pair| format!("{}\n{}", pair.0, told(pair));
    let blocks: Vec<String> = pairs.iter().map(block).collect();
    golden::holds(pairs::FILE, &format!("{}\n", blocks.join("\n\n")));
    println!("{} pairs told as before", pairs.len());
}

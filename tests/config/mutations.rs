//! Whatever stands in infra.toml or in a document, parsing ends with a configuration or with
//! diagnostics that can be rendered; it never panics.

use std::fs;

use proptest::prelude::*;

use super::{parse_in, render, seed_text, top};
use provision::config;

/// Pieces that mean something to the parser, placed anywhere.
const PIECES: &[&str] = &[
    "{{",
    "}}",
    "{{environment}}",
    "{{role.x.arn}}",
    "\"",
    "\"\"\"",
    "'",
    "[",
    "]",
    "[[",
    "{",
    "}",
    "=",
    ".",
    ",",
    "\n",
    "#",
    "é",
    "\u{0}",
    "\u{1f600}",
    "-1",
    "1e999",
    "9223372036854775808",
    "true",
    "1979-05-27",
    "environments = []",
    "arn:",
    "ssm:",
    "\r\n",
    "\\u00e9",
    "nan",
    "0x7fffffffffffffff",
];

fn mutated(text: &str, edits: &[(prop::sample::Index, usize, usize)]) -> String {
    let mut text = text.to_owned();
    for (place, length, piece) in edits {
        let at = text.floor_char_boundary(place.index(text.len() + 1));
        let end = text.ceil_char_boundary((at + length).min(text.len()));
        text.replace_range(at..end, PIECES[piece % PIECES.len()]);
    }
    text
}

fn edits() -> impl Strategy<Value = Vec<(prop::sample::Index, usize, usize)>> {
    prop::collection::vec(
        (any::<prop::sample::Index>(), 0..40_usize, any::<usize>()),
        1..6,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_infra_toml_never_panics(edits in edits()) {
        if let Err(diagnostics) = parse_in(&top(), &mutated(&seed_text(), &edits)) {
            prop_assert!(!diagnostics.is_empty());
            render(&diagnostics);
        }
    }

    #[test]
    fn a_mutated_document_never_panics(edits in edits(), which in 0..4_usize) {
        let names = ["ecr-push", "github-actions-trust", "read-jwt-secret", "ecr-lifecycle"];
        let folder = top();
        let result = config::parse("infra.toml", &seed_text(), &mut |path| {
            let text = fs::read_to_string(folder.join(path))?;
            let chosen = path.to_string_lossy().contains(names[which]);
            Ok(if chosen { mutated(&text, &edits) } else { text })
        });
        if let Err(diagnostics) = result {
            render(&diagnostics);
        }
    }

    #[test]
    fn any_text_at_all_never_panics(text in any::<String>()) {
        if let Err(diagnostics) = parse_in(&top(), &text) {
            render(&diagnostics);
        }
    }
}

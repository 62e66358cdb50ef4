//! The texts of documents: what JSON they may be, and where it is said to break off.

use provision::policy::{Document, PolicyKind, SyntaxError};

/// What is wrong with this text of a policy: line, column and words of the first error.
fn first(text: &str) -> Option<(usize, usize, String)> {
    let errors: Vec<SyntaxError> = Document::read(text, PolicyKind::Identity).err()?;
    let first = errors.into_iter().next()?;
    Some((first.line, first.column, first.message))
}

/// A policy whose only sid is this text between quotes.
fn with_sid(sid: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"{sid}","Effect":"Allow","Action":"s3:*","Resource":"*"}}]}}"#
    )
}

#[test]
fn escapes_are_read_as_json_reads_them() {
    for (escaped, meant) in [
        (r"a\u0062c", "abc"),
        (r"\ud83d\ude00", "\u{1f600}"),
        (r"\ud800\udc00", "\u{10000}"),
        (r"\udbff\udfff", "\u{10ffff}"),
        (r"\u00E9\u20aC", "\u{e9}\u{20ac}"),
        (r"\u0041", "A"),
        (r"\/x", "/x"),
        (r"a\nb\rc\td", "a\nb\rc\td"),
        (r"\b\f", "\u{8}\u{c}"),
        (r#"\"\\"#, "\"\\"),
    ] {
        let document = Document::read(&with_sid(escaped), PolicyKind::Identity);
        let document = document.unwrap_or_else(|errors| panic!("{escaped}: {errors:?}"));
        let sid = document.statements()[0].sid.as_deref();
        assert_eq!(sid, Some(meant), "{escaped}");
    }
    for broken in [
        r"\ud83d",
        r"\ud83dx",
        r"\ud83d\n",
        r"\ud83d\u0041",
        r"\ude00",
        r"\u12",
        r"\u12g4",
        r"\u+123",
        r"\x",
    ] {
        let (line, column, message) = first(&with_sid(broken)).unwrap_or_default();
        assert_eq!((line, column), (1, 46), "{broken}: {message}");
        let words = ["This is not a character", "is not an escape of JSON"];
        assert!(
            words.iter().any(|words| message.contains(words)),
            "{broken}: {message}"
        );
    }
}

#[test]
fn what_is_no_json_is_told_with_its_place() {
    for (text, line, column, words) in [
        ("", 1, 1, "The document is empty."),
        (" \n\t\r ", 1, 1, "The document is empty."),
        (
            "\u{feff}{}",
            1,
            1,
            "The document begins with a byte order mark.",
        ),
        ("{} x", 1, 4, "There is text after the end of the document."),
        (
            "{\n  'a': 1}",
            2,
            3,
            "Expected a key in double quotes, found `\\'`.",
        ),
        ("{\"a\": 'b'}", 1, 7, "Expected a value, found `'`."),
        (
            "{\"a\" 1}",
            1,
            6,
            "Expected `:` after the key `a`, found `1`.",
        ),
        (
            "{\"a\": 1 \"b\": 2}",
            1,
            9,
            "Expected `,` or `}`, found `\\\"`.",
        ),
        ("{\"a\": [1 2]}", 1, 10, "Expected `,` or `]`, found `2`."),
        ("{\"a\": [1,\n ]}", 1, 9, "There is a comma before `]`."),
        ("{\"a\": 1,}", 1, 8, "There is a comma before `}`."),
        ("{\"a\": yes}", 1, 7, "Expected a value, found `yes`."),
        ("{\"a\": 01}", 1, 7, "`01` is not a number."),
        ("{\"a\": -}", 1, 7, "`-` is not a number."),
        ("{\"a\": 1.e}", 1, 7, "`1.e` is not a number."),
        ("{\"a\": }", 1, 7, "Expected a value, found `}`."),
        (
            "{\"a\":",
            1,
            6,
            "Expected a value, found the end of the document.",
        ),
        ("{\"a\": \"b", 1, 7, "This string has no end."),
        (
            "{\"a\": \"b\n\"}",
            1,
            9,
            "A string holds a line break or control character.",
        ),
        ("{\"a\": \"b\\", 1, 9, "The document ends inside an escape."),
        (
            "{\"\u{e9}\u{e9}\":\n\n  x}",
            3,
            3,
            "Expected a value, found `x`.",
        ),
    ] {
        let (at_line, at_column, message) = first(text).unwrap_or_default();
        assert_eq!(
            (at_line, at_column, message.as_str()),
            (line, column, words),
            "{text:?}"
        );
    }
}

#[test]
fn values_are_nested_so_deep_and_no_deeper() {
    let nested = |deep: usize| format!("{{\"a\": {}1{}}}", "[".repeat(deep), "]".repeat(deep));
    let deepest = |deep: usize| {
        first(&nested(deep))
            .is_some_and(|(.., message)| message.contains("nested more than 32 deep"))
    };
    assert!(!deepest(31));
    assert!(deepest(32) && deepest(33) && deepest(40));
}

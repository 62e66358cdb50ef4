//! Credentials in running text, such as what a program prints: judged word by word.

use super::{HIDDEN, is_credential, is_random, is_token};

/// A line in which every word that looks like a credential is replaced by [`HIDDEN`]: after
/// `NAME=`, `NAME:` and `--NAME` by the name too.
#[must_use]
pub fn hide_line(line: &str) -> String {
    let mut shown = String::new();
    let mut name = "";
    for piece in line.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        let space = piece.get(word.len()..).unwrap_or_default();
        shown.push_str(&hide_word(name, word));
        shown.push_str(space);
        // A scheme stands between the name of a header and its value.
        if !matches!(word, "Bearer" | "Basic" | "=" | ":") {
            name = name_of(word);
        }
    }
    shown
}

/// The name that a word gives to the one after it.
fn name_of(word: &str) -> &str {
    let flag = word.strip_prefix("--").filter(|_| !word.contains('='));
    let label = word.strip_suffix(':').or(word.strip_suffix('='));
    let name = flag.or(label).unwrap_or_default();
    name.trim_matches(|letter: char| "\"'{,".contains(letter))
}

fn hide_word(name: &str, word: &str) -> String {
    let is_bare = |word: &str| matches!(word, "Bearer" | "Basic" | "=" | ":" | "");
    if is_bare(word) {
        return word.to_owned();
    }
    if let Some((name, value)) = word.split_once(['=', ':'])
        && !value.is_empty()
        && !value.starts_with("//")
        && is_credential(
            name.trim_matches(|letter: char| "\"'{,-".contains(letter)),
            value,
        )
    {
        let separator = word.get(name.len()..=name.len()).unwrap_or_default();
        return format!("{name}{separator}{HIDDEN}");
    }
    let hidden =
        is_token(word) || is_random(word) || (!name.is_empty() && is_credential(name, word));
    if hidden {
        HIDDEN.to_owned()
    } else {
        word.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_running_text_are_hidden() {
        for (line, shown) in [
            ("checking https://api.example.org/healthz ... 200", None),
            (
                "JWT_SECRET_KEY=hunter2 is set",
                Some("JWT_SECRET_KEY=(hidden) is set"),
            ),
            (
                "Authorization: Bearer abc",
                Some("Authorization: Bearer (hidden)"),
            ),
            (
                "curl --password hunter2 x",
                Some("curl --password (hidden) x"),
            ),
            (
                "AWS says AKIAIOSFODNN7EXAMPLE may not",
                Some("AWS says (hidden) may not"),
            ),
            ("  3 of 3 checks passed\tin 2 s", None),
            ("12:03:44 GET /login -> 500", None),
        ] {
            assert_eq!(hide_line(line), shown.unwrap_or(line));
        }
    }
}

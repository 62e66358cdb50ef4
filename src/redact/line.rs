//! Credentials in lines of free text, such as those of a log: only the words that look like one are
//! hidden, so that the line still says what happened.

use super::{HIDDEN, is_credential, is_random, is_token, names_credential};

/// Words after which a credential follows in headers: `Authorization: Bearer ...`.
const SCHEMES: &[&str] = &["bearer", "basic", "token", "digest"];

/// A line of text in which every word that looks like a credential, by its shape or by the name that
/// stands before it, is replaced by [`HIDDEN`].
#[must_use]
pub fn hide_line(text: &str) -> String {
    if text.contains("PRIVATE KEY-----") {
        return HIDDEN.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    let mut name = String::new();
    while let Some((gap, word, after)) = next_word(rest) {
        shown.push_str(gap);
        // `NAME=`, `NAME: ` and `"NAME": "` name what follows; anything else between ends that.
        if !gap
            .chars()
            .all(|letter| letter.is_whitespace() || "\"':=>".contains(letter))
        {
            name.clear();
        }
        let hidden = word_hidden(&name, word);
        let is_scheme = SCHEMES.contains(&word.to_ascii_lowercase().as_str());
        if is_scheme && names_credential(&name) {
            // The scheme itself is no secret; what follows it is.
            shown.push_str(word);
        } else {
            shown.push_str(&hidden);
            let flag = word.strip_prefix("--").filter(|flag| !flag.contains('='));
            name = match flag {
                Some(flag) => flag.to_owned(),
                None if names_what_follows(word, after) => {
                    word.trim_end_matches([':', '=']).to_owned()
                }
                None => String::new(),
            };
        }
        rest = after;
    }
    shown.push_str(rest);
    shown
}

/// The next word of a text, what is before it and what is after it.
fn next_word(text: &str) -> Option<(&str, &str, &str)> {
    let inside = |letter: char| !letter.is_whitespace() && !"\"'`,(){}[]<>;".contains(letter);
    let begin = text.find(|letter| inside(letter) && !":=".contains(letter))?;
    let (gap, rest) = text.split_at(begin);
    let end = rest.find(|letter| !inside(letter)).unwrap_or(rest.len());
    let (word, after) = rest.split_at(end);
    Some((gap, word, after))
}

/// Whether a word is the name of the next one: it ends in `:` or `=`, or these follow its quote.
fn names_what_follows(word: &str, after: &str) -> bool {
    word.ends_with([':', '='])
        || after
            .trim_start_matches(['"', '\''])
            .trim_start()
            .starts_with([':', '='])
}

/// A word with what is a credential in it hidden.
fn word_hidden(name: &str, word: &str) -> String {
    if word.contains("://") {
        // A URL: its password, and the parameters of its query.
        let pairs = word.split(['?', '&', '#']).skip(1);
        let told = pairs
            .filter_map(|pair| pair.split_once('='))
            .any(|(name, value)| is_credential(name, value));
        let hides = told || is_token(word) || names_credential(name);
        return if hides {
            HIDDEN.to_owned()
        } else {
            word.to_owned()
        };
    }
    if let Some((own, value)) = word
        .split_once(['=', ':'])
        .filter(|(_, value)| !value.is_empty())
    {
        if is_credential(own, value) {
            let sign = word.get(own.len()..=own.len()).unwrap_or("=");
            return format!("{own}{sign}{HIDDEN}");
        }
        if is_token(value) || is_random(word) {
            return HIDDEN.to_owned();
        }
    }
    let names = !name.is_empty() && is_credential(name, word);
    if names || is_token(word) || is_random(word) {
        HIDDEN.to_owned()
    } else {
        word.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::hide_line;

    #[test]
    fn credentials_are_hidden_and_the_rest_is_kept() {
        for (line, shown) in [
            ("fatal: the application exits with code 1", None),
            ("GET /healthz 200 in 12ms from 10.0.0.1:41000", None),
            (
                "DB_PASSWORD=hunter2 rejected",
                Some("DB_PASSWORD=(hidden) rejected"),
            ),
            ("password: hunter2", Some("password: (hidden)")),
            (
                r#"{"user":"root","password":"hunter2","port":5432}"#,
                Some(r#"{"user":"root","password":"(hidden)","port":5432}"#),
            ),
            (
                r#"{"token": "abc", "level": "error"}"#,
                Some(r#"{"token": "(hidden)", "level": "error"}"#),
            ),
            (
                "Authorization: Bearer abcdef",
                Some("Authorization: Bearer (hidden)"),
            ),
            (
                "cannot reach postgres://app:hunter2@db:5432/app",
                Some("cannot reach (hidden)"),
            ),
            (
                "GET https://example.com/a?token=abcdef&x=1",
                Some("GET (hidden)"),
            ),
            (
                "key AKIAIOSFODNN7EXAMPLE is not allowed",
                Some("key (hidden) is not allowed"),
            ),
            ("-----BEGIN RSA PRIVATE KEY-----", Some("(hidden)")),
            ("the password is wrong", None),
            (
                "curl --password hunter2 x",
                Some("curl --password (hidden) x"),
            ),
            ("checking https://api.example.org/healthz ... 200", None),
            (
                "JWT_SECRET_KEY=hunter2 is set",
                Some("JWT_SECRET_KEY=(hidden) is set"),
            ),
            ("  3 of 3 checks passed\tin 2 s", None),
            ("12:03:44 GET /login -> 500", None),
            ("password: ", None),
        ] {
            assert_eq!(hide_line(line), shown.unwrap_or(line), "{line}");
        }
    }

    #[test]
    fn random_words_are_hidden_wherever_they_stand() {
        let line = hide_line("session zX9q+3Jf/Kd82LmPvB7tRwY1Qe5= began");
        assert_eq!(line, "session (hidden) began");
    }

    #[test]
    fn any_text_is_kept_but_for_what_is_hidden() {
        for line in [
            "",
            "  ",
            "a  b\tc",
            "ä ö: ü",
            "x=",
            "=x",
            "::",
            "\"\"",
            "a: : b",
        ] {
            assert_eq!(hide_line(line), line);
        }
    }
}

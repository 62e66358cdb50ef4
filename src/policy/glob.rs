//! Patterns: wildcards, policy variables, and the fields of ARN patterns; and matching them against text.
//! Sources: IAM User Guide, "IAM policy elements: Variables and tags", "IAM JSON policy elements: Resource",
//! "IAM JSON policy elements: Condition operators" (string and ARN sections).

use super::shape::FIELD_COLONS;

/// One item of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Token {
    /// This character.
    Letter(char),
    /// `?`: one character; `colon` says whether it may be a colon.
    One { colon: bool },
    /// `*`: any characters, none too.
    Many { colon: bool },
    /// `${key}` or `${key, 'default'}`: the request's single value of a key, taken literally.
    Variable {
        key: String,
        default: Option<String>,
    },
}

/// How the text of a pattern is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Reading {
    /// `*` and `?` are wildcards and not letters.
    pub(super) wildcards: bool,
    /// `${...}` is a variable (Version 2012-10-17) and not literal text.
    pub(super) variables: bool,
}

/// Reads a pattern as one string.
pub(super) fn parse(text: &str, reading: Reading) -> Vec<Token> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if reading.variables
            && letter == '$'
            && let Some((inside, after)) = variable(rest)
        {
            out.push(inside);
            rest = after;
            continue;
        }
        out.push(match letter {
            '*' if reading.wildcards => Token::Many { colon: true },
            '?' if reading.wildcards => Token::One { colon: true },
            other => Token::Letter(other),
        });
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
    }
    out
}

/// Reads `${...}` at the start of a text: "Policy variables with default values", and `${*}`, `${?}`, `${$}`
/// for the characters themselves.
fn variable(text: &str) -> Option<(Token, &str)> {
    let body = text.strip_prefix("${")?;
    let end = body.find('}')?;
    let (inside, after) = (body.get(..end)?, body.get(end + 1..)?);
    let token = match inside {
        "*" => Token::Letter('*'),
        "?" => Token::Letter('?'),
        "$" => Token::Letter('$'),
        _ => {
            let (key, default) = match inside.split_once(',') {
                Some((key, default)) => (
                    key,
                    default
                        .trim()
                        .strip_prefix('\'')
                        .and_then(|text| text.strip_suffix('\'')),
                ),
                None => (inside, None),
            };
            Token::Variable {
                key: key.trim().to_ascii_lowercase(),
                default: default.map(str::to_owned),
            }
        }
    };
    Some((token, after))
}

/// Reads a resource pattern. "IAM JSON policy elements: Resource": wildcards stay within the ARN field that they
/// stand in, but in the last one, which may hold colons; a lone `*` is every resource. A pattern with fewer fields
/// ends in `*` for those that are left out.
pub(super) fn parse_resource(text: &str, variables: bool) -> Vec<Token> {
    let tokens = parse(
        text,
        Reading {
            wildcards: true,
            variables,
        },
    );
    let colons = colons(&tokens);
    if colons >= FIELD_COLONS {
        return confine(tokens);
    }
    if !text.starts_with("arn:") {
        return tokens;
    }
    let mut padded = tokens;
    for _ in colons..FIELD_COLONS {
        padded.extend([Token::Letter(':'), Token::Many { colon: true }]);
    }
    confine(padded)
}

/// Reads the value of an ARN condition: "each of the six colon-delimited components of the ARN is checked
/// separately". `None` where there are fewer: such a value matches nothing.
pub(super) fn parse_arn(text: &str, variables: bool) -> Option<Vec<Token>> {
    let tokens = parse(
        text,
        Reading {
            wildcards: true,
            variables,
        },
    );
    (colons(&tokens) >= FIELD_COLONS).then(|| confine(tokens))
}

fn colons(tokens: &[Token]) -> usize {
    tokens
        .iter()
        .filter(|token| **token == Token::Letter(':'))
        .count()
}

/// Keeps wildcards of the first five fields from matching a colon.
fn confine(tokens: Vec<Token>) -> Vec<Token> {
    let mut seen = 0;
    tokens
        .into_iter()
        .map(|token| {
            if token == Token::Letter(':') {
                seen += 1;
            }
            match token {
                Token::One { .. } => Token::One {
                    colon: seen >= FIELD_COLONS,
                },
                Token::Many { .. } => Token::Many {
                    colon: seen >= FIELD_COLONS,
                },
                other => other,
            }
        })
        .collect()
}

/// Puts the values of variables in. `None` where the pattern matches nothing: a variable has neither value nor default,
/// so that "the value is effectively null" ("Policy variables with no value"), or no text of `longest` characters holds
/// all the letters. A long value in many places would else take all memory.
pub(super) fn expand(
    tokens: &[Token],
    longest: usize,
    value: &dyn Fn(&str) -> Option<String>,
) -> Option<Vec<Token>> {
    let mut out = Vec::with_capacity(tokens.len());
    let mut left = longest;
    for token in tokens {
        match token {
            Token::Variable { key, default } => {
                let text = value(key).or_else(|| default.clone())?;
                left = left.checked_sub(text.chars().count())?;
                out.extend(text.chars().map(Token::Letter));
            }
            Token::Letter(_) | Token::One { .. } => {
                left = left.checked_sub(1)?;
                out.push(token.clone());
            }
            Token::Many { .. } => out.push(token.clone()),
        }
    }
    Some(out)
}

/// Whether the text matches the pattern; a variable that is left matches nothing. `fold` ignores ASCII case.
pub(super) fn matches(tokens: &[Token], text: &str, fold: bool) -> bool {
    if tokens == [Token::Many { colon: true }] {
        return true;
    }
    let letters: Vec<char> = text.chars().map(|letter| folded(letter, fold)).collect();
    let (mut tokens, mut rest) = (tokens, letters.as_slice());
    let within = |token: &Token| {
        matches!(
            token,
            Token::One { colon: false } | Token::Many { colon: false }
        )
    };
    // While some wildcard stops at a colon, all before it do, and the first colons face each other.
    while tokens.iter().any(within) {
        let colon = tokens.iter().position(|token| *token == Token::Letter(':'));
        let Some(end) = colon else {
            return !rest.contains(&':') && run(tokens, rest, fold);
        };
        let Some(at) = rest.iter().position(|letter| *letter == ':') else {
            return false;
        };
        let (field, after) = tokens.split_at(end);
        let (part, other) = rest.split_at(at);
        if !run(field, part, fold) {
            return false;
        }
        tokens = after.get(1..).unwrap_or_default();
        rest = other.get(1..).unwrap_or_default();
    }
    run(tokens, rest, fold)
}

fn folded(letter: char, fold: bool) -> char {
    if fold {
        letter.to_ascii_lowercase()
    } else {
        letter
    }
}

/// As [`matches`], where no wildcard minds colons: each `*` takes as little as lets the letters after it follow, for
/// what an earlier one could take more a later one takes as well.
fn run(tokens: &[Token], text: &[char], fold: bool) -> bool {
    let (mut token, mut letter) = (0, 0);
    // Where to go on when a letter does not fit: after the last `*`, which takes one letter more.
    let mut back: Option<(usize, usize, Option<Anchor>)> = None;
    loop {
        let found = text.get(letter).copied();
        match (tokens.get(token), found) {
            (None, None) => return true,
            (Some(Token::Many { .. }), _) => {
                token += 1;
                if token == tokens.len() {
                    return true;
                }
                back = Some((token, letter, None));
                continue;
            }
            (Some(wanted), Some(found)) if fits(wanted, found, fold) => {
                token += 1;
                letter += 1;
                continue;
            }
            _ => {}
        }
        let Some((after, from, anchor)) = &mut back else {
            return false;
        };
        let next = if text.len() <= SHORT {
            (*from < text.len()).then_some(*from + 1)
        } else {
            let segment = tokens.get(*after..).unwrap_or_default();
            let anchor = anchor.get_or_insert_with(|| Anchor::of(segment, fold));
            anchor.next(text, *from + 1)
        };
        let Some(next) = next else {
            return false;
        };
        *from = next;
        (token, letter) = (*after, next);
    }
}

/// Texts up to this length are looked at letter by letter: that is faster than to make an anchor. The tests' texts are
/// shorter than that, and some are to be looked at either way.
const SHORT: usize = if cfg!(test) { 4 } else { 128 };

/// The longest text without wildcards between a `*` and the next one. Places where it does not stand are passed over:
/// looked at letter by letter, two long texts of the same letter take the product of their lengths.
struct Anchor {
    /// Its distance from the `*`.
    at: usize,
    letters: Vec<char>,
}

impl Anchor {
    /// That of the tokens after a `*`.
    fn of(after: &[Token], fold: bool) -> Self {
        let segment = after
            .iter()
            .take_while(|token| !matches!(token, Token::Many { .. }));
        let (mut best, mut begin) = (0..0, 0);
        for (place, token) in segment.enumerate() {
            match token {
                // Of several as long the last: what differs, differs more often at an end.
                Token::Letter(_) if place + 1 - begin >= best.len() => best = begin..place + 1,
                Token::Letter(_) => {}
                _ => begin = place + 1,
            }
        }
        let at = best.start;
        let letters = after.get(best).unwrap_or_default().iter();
        let letters = letters.filter_map(|token| match token {
            Token::Letter(letter) => Some(folded(*letter, fold)),
            _ => None,
        });
        Self {
            at,
            letters: letters.collect(),
        }
    }

    /// The first place from here on where the tokens after the `*` may begin.
    fn next(&self, text: &[char], from: usize) -> Option<usize> {
        let rest = text.get(from + self.at..)?;
        if self.letters.is_empty() {
            return Some(from);
        }
        let found = rest
            .windows(self.letters.len())
            .position(|window| window == self.letters)?;
        Some(from + found)
    }
}

fn fits(wanted: &Token, letter: char, fold: bool) -> bool {
    match wanted {
        Token::Letter(wanted) => folded(*wanted, fold) == letter,
        Token::One { .. } => true,
        Token::Many { .. } | Token::Variable { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same question, answered letter by letter with all ways tried.
    fn plainly(tokens: &[Token], text: &[char]) -> bool {
        match (tokens.split_first(), text.split_first()) {
            (None, rest) => rest.is_none(),
            (Some((Token::Many { .. }, after)), rest) => {
                plainly(after, text) || rest.is_some_and(|(_, rest)| plainly(tokens, rest))
            }
            (Some((token, after)), Some((letter, rest))) => {
                fits(token, *letter, false) && plainly(after, rest)
            }
            (Some(_), None) => false,
        }
    }

    #[test]
    fn what_is_passed_over_would_not_have_matched() {
        let letters = ['a', 'b', '*', '?'];
        let reading = Reading {
            wildcards: true,
            variables: false,
        };
        let word = |letters: &[char], number: usize, length: u32| -> String {
            let base = letters.len();
            (0..length)
                .map(|place| letters[number / base.pow(place) % base])
                .collect()
        };
        let texts: Vec<String> = (0..=6)
            .flat_map(|length| (0..2_usize.pow(length)).map(move |number| (number, length)))
            .map(|(number, length)| word(&letters[..2], number, length))
            .collect();
        for number in 0..4_usize.pow(6) {
            let pattern = word(&letters, number, 6);
            let tokens = parse(&pattern, reading);
            for text in &texts {
                let plain: Vec<char> = text.chars().collect();
                let expected = plainly(&tokens, &plain);
                assert_eq!(matches(&tokens, text, false), expected, "{pattern} {text}");
                assert_eq!(
                    matches(&tokens, &text.to_ascii_uppercase(), true),
                    expected,
                    "{pattern} {text}"
                );
            }
        }
    }
}

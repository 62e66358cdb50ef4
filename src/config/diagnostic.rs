//! What is wrong in a file that the user wrote: where, what, and what to do about it.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::Position;

/// One error, with the line of source that it is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Diagnostic {
    /// Where it begins; line 0 stands for the file as a whole.
    pub position: Position,
    /// How many characters of the line it covers.
    pub length: usize,
    /// What is wrong: one sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The resources that it concerns, such as `service/back-end-staging`.
    pub addresses: Vec<String>,
    /// The text of the line.
    #[serde(skip)]
    source_line: String,
}

impl Diagnostic {
    /// An error about a whole file, such as one that cannot be read.
    #[must_use]
    pub fn about_file(path: &str, message: impl Into<String>) -> Self {
        Self {
            position: Position {
                path: path.to_owned(),
                line: 0,
                column: 0,
            },
            length: 0,
            message: message.into(),
            hint: None,
            addresses: Vec::new(),
            source_line: String::new(),
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }

    /// The text for people: message, `PATH:LINE:COLUMN`, the line, the hint.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let title = Level::ERROR.primary_title(self.message.as_str());
        let mut group = Group::with_title(title);
        let position = &self.position;
        if position.line == 0 {
            group = group.element(Origin::path(position.path.as_str()));
        } else {
            group = group.element(
                Snippet::source(self.source_line.as_str())
                    .line_start(position.line)
                    .path(position.path.as_str())
                    .annotation(AnnotationKind::Primary.span(self.span())),
            );
        }
        if !self.addresses.is_empty() {
            group = group.element(
                Level::NOTE
                    .with_name("in")
                    .message(self.addresses.join(", ")),
            );
        }
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.with_name("hint").message(hint.as_str()));
        }
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer.render(&[group])
    }

    /// The bytes of the source line that are underlined.
    fn span(&self) -> Range<usize> {
        let offset = |characters: usize| {
            let mut indices = self.source_line.char_indices();
            indices
                .nth(characters)
                .map_or(self.source_line.len(), |(index, _)| index)
        };
        let first = self.position.column.saturating_sub(1);
        offset(first)..offset(first + self.length.max(1))
    }
}

/// A text that the user wrote, under the path that messages print.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: String,
    pub(super) text: String,
    /// Bytes that no message shows, because a secret may stand there.
    private: Vec<Range<usize>>,
}

impl Source {
    pub(super) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
            private: Vec::new(),
        }
    }

    /// Hides these bytes from now on.
    pub(super) fn hide(&mut self, private: Vec<Range<usize>>) {
        self.private = private;
    }

    /// The position of a byte offset; one beyond the end is the end.
    pub(super) fn position(&self, offset: usize) -> Position {
        let (line, start) = self.line_of(offset);
        let before = self.text.get(start..self.floor(offset)).unwrap_or_default();
        Position {
            path: self.path.clone(),
            line,
            column: before.chars().count() + 1,
        }
    }

    /// An error about a range of bytes; of one that spans lines, only the first is shown.
    pub(super) fn diagnostic(&self, at: &Range<usize>, message: impl Into<String>) -> Diagnostic {
        let position = self.position(at.start);
        let source_line = self.line(position.line, at);
        let covered = self
            .text
            .get(self.floor(at.start)..self.floor(at.end))
            .unwrap_or_default();
        let covered = covered.lines().next().unwrap_or_default();
        Diagnostic {
            length: covered.chars().count().max(1),
            position,
            message: message.into(),
            hint: None,
            addresses: Vec::new(),
            source_line,
        }
    }

    /// The byte offset of a position that counts from 1, columns in characters.
    pub(super) fn offset(&self, line: usize, column: usize) -> usize {
        let mut start = 0;
        for (index, text) in self.text.split_inclusive('\n').enumerate() {
            if index + 1 == line {
                let within = text.char_indices().nth(column.saturating_sub(1));
                return start + within.map_or(text.trim_end().len(), |(offset, _)| offset);
            }
            start += text.len();
        }
        self.text.len()
    }

    /// The text of a line, with stars for what is private and not underlined.
    fn line(&self, number: usize, underlined: &Range<usize>) -> String {
        let start = self.offset(number, 1);
        let line = self
            .text
            .get(start..)
            .and_then(|rest| rest.split('\n').next());
        let line = line.unwrap_or_default().trim_end_matches('\r');
        let show = |(offset, letter): (usize, char)| {
            let place = start + offset;
            let private = self.private.iter().any(|range| range.contains(&place));
            if private && !underlined.contains(&place) {
                '*'
            } else {
                letter
            }
        };
        line.char_indices().map(show).collect()
    }

    /// The number of the line of an offset, and where that line begins.
    fn line_of(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..self.floor(offset)).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |index| index + 1);
        (before.matches('\n').count() + 1, start)
    }

    fn floor(&self, offset: usize) -> usize {
        self.text.floor_char_boundary(offset)
    }
}

/// The known word that a mistyped one most resembles, if one does.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Below this similarity a suggestion misleads more often than it helps.
    const LEAST: f64 = 0.72;
    let word = word.to_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for candidate in known {
        let other = candidate.to_lowercase();
        let slip = word.len() >= 3 && strsim::damerau_levenshtein(&word, &other) <= 1;
        let score = strsim::jaro_winkler(&word, &other)
            .max(strsim::normalized_damerau_levenshtein(&word, &other))
            .max(if slip { LEAST } else { 0.0 });
        if score >= LEAST && best.is_none_or(|(known, _)| score > known) {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Words in backticks, as a list that ends in "or".
pub(super) fn alternatives<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

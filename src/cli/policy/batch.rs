//! `--batch`: a case a line in, an answer a line out, in order and as they come.

use std::fs::File;
use std::io::{BufRead, BufReader, stdin};
use std::path::Path;

use super::file::unreadable;
use crate::error::{ErrorKind, Result};
use crate::policy::PolicyKind;
use crate::policy::batch::{Answer, Line};
use crate::report::Screen;

/// What the lines of a batch held.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    broadens: bool,
    failed: bool,
}

impl Seen {
    /// 1 where a line had no answer, 3 where broadening is denied and there is some, else 0.
    pub(super) fn exit_code(self, deny_broadening: bool) -> u8 {
        let Self { broadens, failed } = self;
        if failed {
            ErrorKind::Failed.exit_code()
        } else if deny_broadening && broadens {
            ErrorKind::Refused.exit_code()
        } else {
            0
        }
    }
}

/// Answers every line but blank ones; a line without an answer says why and stops nothing.
pub(super) fn run(
    path: &Path,
    kind: Option<PolicyKind>,
    screen: &Screen,
    answer: impl Fn(Line<'_>) -> Answer,
) -> Result<Seen> {
    let input: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(BufReader::new(stdin()))
    } else {
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        Box::new(BufReader::new(file))
    };
    let mut seen = Seen::default();
    for (place, line) in input.split(b'\n').enumerate() {
        let line = line.map_err(|error| unreadable(path, &error))?;
        let text = String::from_utf8_lossy(&line);
        if text.trim().is_empty() {
            continue;
        }
        let answer = answer(Line {
            text: text.trim_end_matches('\r'),
            number: place + 1,
            kind,
        });
        seen.broadens |= answer.broadens;
        seen.failed |= answer.failed;
        screen.result(&format!("{}\n", answer.line))?;
    }
    Ok(seen)
}

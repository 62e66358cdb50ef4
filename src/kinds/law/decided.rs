//! What the law has decided already: the search over orders asks the same again and again, and an
//! answer takes milliseconds. An answer follows from its key alone, so that nothing is forgotten by it.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::kind::Refusal;

/// Answers that are remembered: those of the largest search, a few megabytes.
const MOST_ANSWERS: usize = 4_000;

type Answer = Result<(), Refusal>;

/// The answer for this key, worked out once.
pub(super) fn once(key: String, decide: impl FnOnce() -> Answer) -> Answer {
    thread_local! {
        static ANSWERS: RefCell<HashMap<String, Answer>> = RefCell::default();
    }
    let known = ANSWERS.with_borrow(|answers| answers.get(&key).cloned());
    known.unwrap_or_else(|| {
        let answer = decide();
        ANSWERS.with_borrow_mut(|answers| {
            if answers.len() >= MOST_ANSWERS {
                answers.clear();
            }
            answers.insert(key, answer.clone());
        });
        answer
    })
}

//! What a comparison costs, in steps of search: the pairs of `tests/policy/said.txt`, against `steps.txt`.
//! A change there is a change of the engine's speed, which no correct answer would show.

use std::fmt::Write as _;

use super::*;

#[path = "../../../tests/policy/golden.rs"]
mod golden;
#[path = "../../../tests/policy/pairs.rs"]
mod pairs;

/// Steps of a question about what is outside.
fn steps(question: &mut Question<'_, '_>, inside: usize, excluded: usize) -> u64 {
    if let Some((space, _)) = &question.space {
        space.work.refill(WORK);
    }
    question.outside(&[inside], &[excluded]);
    let left = question.space.as_ref().map(|(space, _)| space.work.left());
    WORK - left.unwrap_or(WORK)
}

#[test]
fn each_comparison_costs_so_many_steps() {
    let mut now = String::new();
    for pair in pairs::read() {
        let (kind, documents) = pair.documents();
        let kind: PolicyKind = serde_json::from_value(kind.into()).unwrap();
        let [a, b] = documents.map(|text| Document::read(&text, kind).unwrap());
        let (a, b) = (Grants::of(&a), Grants::of(&b));
        let both = [&a, &b];
        let mut question = Question::new(&both);
        let gained = steps(&mut question, 1, 0);
        let lost = steps(&mut question, 0, 1);
        let title = pair.0.lines().next().unwrap_or_default();
        let _ = writeln!(now, "{gained:>7} {lost:>7} {title}");
    }
    golden::holds("steps.txt", &now);
}

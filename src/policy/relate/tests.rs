//! What a comparison costs, in steps of search: the pairs of `tests/policy/said.txt`, against `steps.txt`.
//! A change there is a change of the engine's speed, which no correct answer would show. `PROVISION_BLESS=1` writes it.

use std::fmt::Write as _;
use std::path::Path;

use super::*;

#[expect(dead_code, reason = "what is told of a pair is a test of its own")]
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
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policy/steps.txt");
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
        let _ = writeln!(now, "{gained:>7} {lost:>7} {}", pair.title());
    }
    if std::env::var_os("PROVISION_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, now).unwrap();
        return;
    }
    let known = std::fs::read_to_string(&path).unwrap();
    let wrong: Vec<(&str, &str)> = known
        .lines()
        .zip(now.lines())
        .filter(|(known, now)| known != now)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(known.lines().count(), now.lines().count());
}

//! Two programs at once on the tiny world, under many interleavings of their writes: with one
//! configuration all settles; with two, whoever says 0 was right when it said so.

use std::sync::Arc;

use provision::sandbox::Script;

use super::{Case, Push, Random, Sweep, seed};
use crate::drive::{Drive, Ran};
use crate::journey::{Bench, Journey, Setting, Terms};
use crate::records;
use crate::roads::{Road, Roads, key};

pub(super) const SWEEP: Sweep = Sweep {
    name: "two",
    title: "two appliers, interleavings of their writes, tiny",
    push: Push::About(5_000),
    cases,
};

/// Orders tried for each pair: all of them where there are fewer, else this many by chance.
const MOST_ORDERS: usize = 290;

fn cases(roads: &Roads) -> Vec<Case> {
    let mut cases = Vec::new();
    for ((size, from, to), one) in roads.tiny() {
        for ((_, start, other_to), other) in roads.tiny() {
            // Each pair once, the one of a configuration with itself too.
            if start != from || other_to < to {
                continue;
            }
            let what = key("two", (size, from, to), &format!("{other_to:?}"));
            let mut random = Random(seed(&what));
            for order in orders([one.writes(), other.writes()], &mut random) {
                let words: String = order
                    .iter()
                    .map(|second| if *second { 'b' } else { 'a' })
                    .collect();
                let key = format!("{what}/{words}");
                let (one, other) = (one.clone(), other.clone());
                let case = Case::new(key, move |bench| {
                    let terms = Terms {
                        further: 2,
                        two: true,
                        others: !Arc::ptr_eq(&one, &other),
                        spare_writes: one.writes() + other.writes(),
                        seed: seed(&words),
                        ..Terms::default()
                    };
                    Box::pin(both(
                        bench,
                        [one.clone(), other.clone()],
                        order.clone(),
                        terms,
                    ))
                });
                cases.push(case);
            }
        }
    }
    cases
}

/// Orders of so many writes of the first and of the second.
fn orders([first, second]: [u64; 2], random: &mut Random) -> Vec<Vec<bool>> {
    let mut all = Vec::new();
    let mut order: Vec<bool> = Vec::new();
    order.extend((0..first).map(|_| false));
    order.extend((0..second).map(|_| true));
    // In lexicographic order, as long as they are few.
    loop {
        all.push(order.clone());
        if all.len() > MOST_ORDERS {
            break;
        }
        if !next(&mut order) {
            return all;
        }
    }
    let mut some = std::collections::BTreeSet::new();
    while some.len() < MOST_ORDERS {
        let mut order = order.clone();
        random.shuffle(&mut order);
        some.insert(order);
    }
    some.into_iter().collect()
}

/// The next order; false after the last.
fn next(order: &mut [bool]) -> bool {
    let Some(pivot) = (1..order.len())
        .rev()
        .find(|at| !order[at - 1] && order[*at])
    else {
        return false;
    };
    order.swap(pivot - 1, pivot);
    order[pivot..].sort_unstable();
    true
}

async fn both(bench: &Bench, roads: [Arc<Road>; 2], order: Vec<bool>, terms: Terms) -> Vec<String> {
    let [one, other] = &roads;
    let same = Arc::ptr_eq(one, other);
    let mut setting = one.setting.clone();
    if !same {
        // Between two goals nobody's access lies within one of them.
        setting.goal = None;
        setting.adopts |= other.setting.adopts;
    }
    let twin = same.then_some(&one.twin);
    let mut journey = Journey::begin(bench, &setting, twin, terms);
    let pair = bench.pair().await;
    pair.arrange(&order);
    let [(first, first_end), (second, second_end)] = {
        let [a, b] = &pair.drives;
        let (a, b) = futures::join!(
            run(a, &one.setting, pair, 0),
            run(b, &other.setting, pair, 1)
        );
        [a, b]
    };
    for (ran, end, road) in [(&first, first_end, one), (&second, second_end, other)] {
        journey.judge(ran, 0);
        // Whoever says 0 was right at that moment.
        if ran.exit == Some(0) {
            journey.count("promise", "8 honest exit");
            for (name, words) in records::differences(&road.twin.end, &end) {
                journey
                    .broken
                    .push(format!("8: exit 0, and another end: {name} {words}"));
            }
        }
    }
    if same {
        let outcome = [first.exit, second.exit];
        journey.count(
            "two appliers, one configuration",
            &format!("exits {outcome:?}"),
        );
        journey.settle(first).await;
        return journey.finish().err().unwrap_or_default();
    }
    judge_different(&mut journey, &roads, [&first, &second]);
    // The first one's configuration once more, alone.
    let ran = journey.run(&Script::default()).await;
    journey.settle(ran).await;
    journey.finish().err().unwrap_or_default()
}

/// Two configurations: the world is exactly one of them, or nobody who ended last says 0.
fn judge_different(journey: &mut Journey<'_>, roads: &[Arc<Road>; 2], runs: [&Ran; 2]) {
    let now = records::end_state(&journey.bench.drive.sandbox.snapshot());
    let is = roads.each_ref().map(|road| road.twin.end == now);
    let exits = runs.map(|ran| ran.exit);
    let outcome = match (is, exits.contains(&Some(0))) {
        ([true, _] | [_, true], _) => "the world is exactly one of them",
        (_, false) => "neither, and both say so",
        (_, true) => "neither: one had ended well, the other wrote on and says so",
    };
    journey.count("two appliers, two configurations", outcome);
    if is == [false, false] && exits == [Some(0), Some(0)] {
        journey
            .broken
            .push("8: both say 0, and the world is neither".to_owned());
    }
}

/// One of the two, until it has ended, and the world at that moment.
async fn run(
    drive: &Drive,
    setting: &Setting,
    pair: &crate::journey::Pair,
    side: usize,
) -> (Ran, std::collections::BTreeMap<String, serde_json::Value>) {
    let ran = drive.apply(&setting.declared).await;
    pair.end(side);
    let end = records::end_state(&drive.sandbox.snapshot());
    (ran, end)
}

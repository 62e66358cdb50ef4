//! The same world shown in other orders, other spellings and pages of one item: the same calls in
//! the same order with the same hazards, byte by byte, and the same end. (What a plan shows of a document
//! as it is keeps the account's spelling.)

use std::sync::Arc;

use provision::plan::Plan;
use provision::sandbox::Script;

use super::{Case, Push, Sweep, seed};
use crate::journey::{Bench, Terms, travel};
use crate::roads::{Road, Roads, key};

pub(super) const SWEEP: Sweep = Sweep {
    name: "view",
    title: "lists shuffled, re-spelt, one a page",
    push: Push::About(304),
    cases,
};

/// How many orders and spellings of each transition are tried.
const VIEWS: u64 = 8;

fn cases(roads: &Roads) -> Vec<Case> {
    let mut cases = Vec::new();
    for (transition, road) in roads.all() {
        for number in 1..=VIEWS {
            let key = key("view", transition, &number.to_string());
            let road = road.clone();
            let view = Script {
                seed: seed(&key),
                shuffle: true,
                respell: true,
                page_size: (number == 1).then_some(1),
                ..Script::default()
            };
            let case = Case::new(key, move |bench| {
                Box::pin(see(bench, road.clone(), view.clone()))
            });
            cases.push(case);
        }
    }
    cases
}

async fn see(bench: &Bench, road: Arc<Road>, view: Script) -> Vec<String> {
    let mut said = Vec::new();
    for script in [Script::default(), view.clone()] {
        bench.drive.reset(&road.setting.start);
        bench.drive.sandbox.play(script);
        said.push(match bench.drive.plan(&road.setting.declared).await {
            Ok(plan) => what(&plan),
            Err(error) => format!("{error:?}"),
        });
    }
    bench.ledger.count("promise", "10 same in, same out");
    let mut broken = Vec::new();
    if let [plain, other] = &said[..]
        && plain != other
    {
        broken.push(format!(
            "10: another plan: {}",
            first_difference(plain, other)
        ));
    }
    let terms = Terms {
        seed: view.seed,
        ..Terms::default()
    };
    let scripts = [view];
    let traveled = travel(bench, &road.setting, &scripts, Some(&road.twin), terms);
    broken.extend(traveled.await.err().unwrap_or_default());
    broken
}

/// The first lines that differ.
fn first_difference(one: &str, other: &str) -> String {
    let lines = one.lines().zip(other.lines());
    let differing = lines.filter(|(one, other)| one != other).take(2);
    let words: Vec<String> = differing
        .map(|(one, other)| {
            let at = one
                .bytes()
                .zip(other.bytes())
                .take_while(|(a, b)| a == b)
                .count();
            let from = at.saturating_sub(60);
            let part = |line: &str| line.chars().skip(from).take(200).collect::<String>();
            format!("{:?} and {:?}", part(one), part(other))
        })
        .collect();
    words.join("; ")
}

/// What the plan does, as text.
fn what(plan: &Plan) -> String {
    let steps = plan.steps.iter();
    let steps =
        steps.map(|step| format!("{} {} {:?}", step.address, step.call.json(), step.hazards));
    let actions = plan.actions.iter();
    let actions = actions.map(|action| format!("{} {:?}", action.address, action.hazards));
    steps.chain(actions).collect::<Vec<_>>().join("\n")
}

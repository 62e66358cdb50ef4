//! Random configurations without faults: made from nothing, then changed into another.

use super::{Case, Push, Random, Sweep, seed};
use crate::access;
use crate::chance;
use crate::drive::Declared;
use crate::journey::{Bench, Setting, Terms, travel};
use crate::neighbours;
use crate::roads::Roads;

pub(super) const SWEEP: Sweep = Sweep {
    name: "random",
    title: "random configurations, made and then changed into another",
    push: Push::All,
    cases,
};

/// How many configurations; each case makes one and changes it into another.
const CONFIGURATIONS: u64 = 2_000;

fn cases(_: &Roads) -> Vec<Case> {
    (0..CONFIGURATIONS / 2)
        .map(|number| {
            let key = format!("random/{number}");
            Case::new(key, move |bench| Box::pin(change(bench, number)))
        })
        .collect()
}

async fn change(bench: &Bench, number: u64) -> Vec<String> {
    let mut random = Random(seed(&format!("random/{number}")));
    let mut setting = Setting {
        start: neighbours::alone(&bench.drive),
        declared: Declared::of(chance::config(&mut random)),
        adopts: false,
        goal: None,
    };
    let terms = Terms {
        seed: random.next(),
        ..Terms::default()
    };
    for _ in 0..2 {
        let first = match travel(bench, &setting, &[], None, terms).await {
            Ok(first) => first,
            // No order of these changes is lawful: that is said before anything is done.
            Err(broken) if broken.iter().any(|line| line.contains("Split this")) => {
                bench.ledger.count("random", "needs --allow interrupts");
                return Vec::new();
            }
            Err(broken) => return broken,
        };
        // Once more, now that the goal is known: who may do what lies between at every write.
        setting.goal = Some(access::of(&first.last));
        if let Err(broken) = travel(bench, &setting, &[], Some(&first), terms).await {
            return broken;
        }
        setting = Setting {
            start: first.last,
            declared: Declared::of(chance::config(&mut random)),
            adopts: false,
            goal: None,
        };
    }
    bench.ledger.count("random", "made and changed");
    Vec::new()
}

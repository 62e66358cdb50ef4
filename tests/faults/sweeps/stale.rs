//! Reads that lag behind each write, in each shape, for a while or for the rest of the run.

use provision::sandbox::{Script, Shape, Stale, Times};

use super::{Case, Push, Sweep};
use crate::journey::{Denial, Terms};
use crate::roads::{Roads, key};

pub(super) const SWEEP: Sweep = Sweep {
    name: "stale",
    title: "reads that lag behind a write, tiny",
    push: Push::About(4_800),
    cases,
};

const SHAPES: [Shape; 4] = [
    Shape::Missing,
    Shape::Previous,
    Shape::Phantom,
    Shape::Principal,
];

fn cases(roads: &Roads) -> Vec<Case> {
    let depths = [1, 2, 3, 5].map(Times::Count);
    let mut cases = Vec::new();
    for (transition, road) in roads.tiny() {
        for nth in 1..=road.writes() {
            for shape in SHAPES {
                for reads in depths.into_iter().chain([Times::FOREVER]) {
                    let stale = Stale {
                        operation: "*".to_owned(),
                        shape,
                        reads,
                        nth: Some(nth),
                    };
                    let script = Script {
                        stale: Some(stale),
                        ..Script::default()
                    };
                    let depth = match reads {
                        Times::Count(count) => count.to_string(),
                        Times::Word(_) => "forever".to_owned(),
                    };
                    let terms = Terms {
                        further: 2,
                        spare_writes: road.writes(),
                        denial: (shape == Shape::Missing).then(|| Denial {
                            write: nth,
                            reads: reads.count(),
                        }),
                        ..Terms::default()
                    };
                    let key = key("stale", transition, &format!("{nth}/{shape:?}/{depth}"));
                    cases.push(Case::of_road(key, road, vec![script], terms));
                }
            }
        }
    }
    cases
}

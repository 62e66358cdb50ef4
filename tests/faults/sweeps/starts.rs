//! Every state between two writes of the tiny world as a start: onward to what was declared, and back
//! to what was before.

use std::sync::Arc;

use super::{Case, Push, Sweep};
use crate::configs::{Size, Way};
use crate::journey::{Setting, Terms};
use crate::roads::{Road, Roads, Transition, key};

pub(super) const SWEEP: Sweep = Sweep {
    name: "start",
    title: "every state on the way as a start, onward and back, tiny",
    push: Push::All,
    cases,
};

fn cases(roads: &Roads) -> Vec<Case> {
    let mut cases = Vec::new();
    for (transition, road) in roads.tiny() {
        for at in 0..road.twin.states.len() {
            for onward in [true, false] {
                cases.extend(case(roads, transition, road, at, onward));
            }
        }
    }
    cases
}

fn case(
    roads: &Roads,
    transition: Transition,
    road: &Arc<Road>,
    at: usize,
    onward: bool,
) -> Option<Case> {
    let (_, from, to) = transition;
    let target = if onward {
        road
    } else {
        roads.get((Size::Tiny, from, from))?
    };
    // What was adopted on the way is ours: going back deletes it, and no journey without faults
    // shows such an end.
    let [adopts, adopted] = [from, to].map(|way| way == Way::Adopting);
    if !onward && adopted {
        return None;
    }
    let setting = Setting {
        start: road.twin.states.get(at)?.clone(),
        adopts: adopts || adopted,
        ..target.setting.clone()
    };
    let mut twin = target.twin.clone();
    // As many writes as either way takes in all.
    twin.written += road.twin.written;
    let start = Arc::new(Road { setting, twin });
    let direction = if onward { "onward" } else { "back" };
    let what = key("start", transition, &format!("{at}/{direction}"));
    let terms = Terms {
        stays: true,
        // No journey without faults goes back from here: detours and old versions of policies that
        // have to go first may take some writes more.
        spare_writes: if onward { 0 } else { 12 },
        ..Terms::default()
    };
    let mut case = Case::of_road(what.clone(), &start, Vec::new(), terms);
    case.cell = Some(what);
    Some(case)
}

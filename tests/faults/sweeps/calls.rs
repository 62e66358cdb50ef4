//! Every request of every transition of the tiny world, with every fault.

use provision::sandbox::{Fault, FaultKind, Script, Times};

use super::{Case, Push, Sweep};
use crate::claims;
use crate::journey::Terms;
use crate::roads::{Roads, key};

pub(super) const SWEEP: Sweep = Sweep {
    name: "call",
    title: "every request x every fault, tiny",
    push: Push::Part,
    cases,
};

/// What goes wrong with one request: each kind once, and one that outlasts all retries. An endpoint
/// that lacks an operation altogether is no passing fault.
pub(crate) fn faults(call: u64, operation: &str) -> Vec<(String, Fault)> {
    let once = claims::kinds().map(|kind| (format!("{kind:?}"), Fault::at(call, kind)));
    let mut for_good = Fault::at(call, FaultKind::Throttled).times(Times::FOREVER);
    operation.clone_into(&mut for_good.operation);
    once.chain([("ThrottledForGood".to_owned(), for_good)])
        .collect()
}

/// After a crash alone one further run has to do, after any other fault two.
pub(crate) fn further(kind: FaultKind) -> u32 {
    match kind {
        FaultKind::CrashBefore | FaultKind::CrashAfter => 1,
        _ => 2,
    }
}

fn cases(roads: &Roads) -> Vec<Case> {
    let mut cases = Vec::new();
    for (transition, road) in roads.tiny_and_rare() {
        for (position, asked) in road.twin.asked.iter().enumerate() {
            let call = position as u64 + 1;
            let operation = &asked.operation;
            for (name, fault) in faults(call, operation) {
                let terms = Terms {
                    further: further(fault.kind),
                    ..Terms::default()
                };
                let key = key("call", transition, &format!("{call}/{operation}/{name}"));
                let scripts = vec![Script::of(vec![fault])];
                let mut case = Case::of_road(key, road, scripts, terms);
                let of_call = asked.call.as_deref().unwrap_or_default();
                case.cell = Some(format!("{of_call} {operation} {name}").trim().to_owned());
                cases.push(case);
            }
        }
    }
    cases
}

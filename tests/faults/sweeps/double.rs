//! A crash around every write, then one around every write of the recovery.

use provision::sandbox::{Fault, FaultKind, Script};

use super::{Case, Push, Sweep};
use crate::journey::Terms;
use crate::roads::{Roads, key};

pub(super) const SWEEP: Sweep = Sweep {
    name: "double",
    title: "a crash around a write, then another in the recovery, tiny",
    push: Push::About(7_600),
    cases,
};

/// The operations that write, for the script of the second crash.
const WRITES: &str = "write:*";

fn cases(roads: &Roads) -> Vec<Case> {
    const CRASHES: [FaultKind; 2] = [FaultKind::CrashBefore, FaultKind::CrashAfter];
    let mut cases = Vec::new();
    for (transition, road) in roads.tiny() {
        let writes = road.twin.asked.iter().enumerate();
        let writes = writes.filter(|(_, asked)| asked.writes);
        for (nth, (position, asked)) in writes.enumerate() {
            for first in CRASHES {
                let done = nth as u64 + u64::from(first == FaultKind::CrashAfter);
                for again in 1..=road.writes().saturating_sub(done) {
                    for second in CRASHES {
                        let mut fault = Fault::on(WRITES, second);
                        fault.nth = again;
                        let what = format!(
                            "{}/{}/{first:?}/{again}/{second:?}",
                            position + 1,
                            asked.operation
                        );
                        let scripts = vec![
                            Script::of(vec![Fault::at(position as u64 + 1, first)]),
                            Script::of(vec![fault]),
                        ];
                        let terms = Terms {
                            further: 1,
                            ..Terms::default()
                        };
                        let key = key("double", transition, &what);
                        cases.push(Case::of_road(key, road, scripts, terms));
                    }
                }
            }
        }
    }
    cases
}

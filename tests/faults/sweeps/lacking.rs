//! Endpoints that lack an operation altogether: the few that may be lacking are done without, and
//! said; without any other one nothing is planned, nothing is written, and exit 1 names it.

use std::collections::BTreeSet;
use std::sync::Arc;

use provision::sandbox::{Fault, FaultKind, Script, Times};

use super::{Case, Push, Sweep, seed};
use crate::journey::{Bench, Journey, Terms, tail};
use crate::roads::{Road, Roads, key};

pub(super) const SWEEP: Sweep = Sweep {
    name: "lacking",
    title: "an endpoint without one operation, tiny",
    push: Push::All,
    cases,
};

/// What an endpoint may lack without harm (promise 12).
const MAY_LACK: [&str; 4] = [
    "tag:GetResources",
    "ecs:ListServiceDeployments",
    "ecs:ListServiceRevisions",
    "ecs:DescribeServiceRevisions",
];

fn cases(roads: &Roads) -> Vec<Case> {
    let mut cases = Vec::new();
    for (transition, road) in roads.tiny() {
        let asked = road.twin.asked.iter().filter(|asked| !asked.writes);
        let operations: BTreeSet<&String> = asked.map(|asked| &asked.operation).collect();
        for operation in operations {
            let key = key("lacking", transition, operation);
            let (road, operation) = (road.clone(), operation.clone());
            let terms = Terms {
                further: 1,
                seed: seed(&key),
                ..Terms::default()
            };
            let case = Case::new(key, move |bench| {
                Box::pin(lack(bench, road.clone(), operation.clone(), terms))
            });
            cases.push(case);
        }
    }
    cases
}

async fn lack(bench: &Bench, road: Arc<Road>, operation: String, terms: Terms) -> Vec<String> {
    let mut journey = Journey::begin(bench, &road.setting, Some(&road.twin), terms);
    let fault = Fault::on(&operation, FaultKind::UnknownOperation).times(Times::FOREVER);
    let ran = journey.run(&Script::of(vec![fault])).await;
    let exit = ran.exit;
    if MAY_LACK.contains(&operation.as_str()) {
        if exit != Some(0) {
            let said = tail(&ran.said);
            journey.broken.push(format!(
                "12: {operation} may be lacking, and then exit {exit:?}: {said}"
            ));
        }
    } else {
        let named = ran.said.contains(&operation.replace("tag:", "tagging:"));
        if exit != Some(1) || !named {
            journey.broken.push(format!(
                "12: without {operation} exit {exit:?}, named: {named}"
            ));
        }
        if ran.planned == Some(0) {
            journey
                .broken
                .push(format!("12: without {operation} a plan is shown as empty"));
        }
    }
    journey.settle(ran).await;
    journey.finish().err().unwrap_or_default()
}

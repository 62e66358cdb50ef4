//! Rollouts through `apply`: every behaviour of ECS, with faults at every call of a roll. Exit 0 only
//! where the rollout that was started ended SUCCESSFUL with the digest that was sent.

use std::sync::Arc;

use provision::sandbox::{Behaviour, Fault, FaultKind, RolloutScript, Script, Store, Table, Times};
use serde_json::Value;

use super::{Case, Push, Sweep, seed};
use crate::access;
use crate::configs::{Size, Way};
use crate::drive::Ran;
use crate::journey::{Bench, Journey, Setting, Terms, Twin, travel};
use crate::ledger::Ledger;
use crate::neighbours;
use crate::regime::runtime;
use crate::roads::{Road, Roads};

pub(super) const SWEEP: Sweep = Sweep {
    name: "roll",
    title: "rollouts through apply, every behaviour x 10 faults x every call of a roll",
    push: Push::All,
    cases,
};

/// The faults of a roll; whatever else may happen to a request is in the sweep over every call.
const FAULTS: [FaultKind; 10] = [
    FaultKind::CrashBefore,
    FaultKind::CrashAfter,
    FaultKind::LostReply,
    FaultKind::LostRequest,
    FaultKind::ResetAfter,
    FaultKind::Throttled,
    FaultKind::UnavailableAfter,
    FaultKind::AccessDenied,
    FaultKind::TokenExpired,
    FaultKind::TruncatedBody,
];

/// Calls of a roll at which something goes wrong: registering, updating, and so many looks at how it
/// goes, with what runs beside it. The later looks are the same again.
const MOST_CALLS: usize = 26;

/// How ECS behaves, with its name in keys, and the exit code where nothing else goes wrong.
fn behaviours() -> Vec<(&'static str, Behaviour, u8)> {
    vec![
        ("quick", Behaviour::Quick, 0),
        ("slow", Behaviour::Slow, 0),
        ("breaker_rollback", Behaviour::BreakerRollback, 4),
        ("breaker", Behaviour::Breaker, 4),
        ("stuck", Behaviour::Stuck, 4),
        ("flapping", Behaviour::Flapping, 4),
        ("another", Behaviour::Another, 4),
        // The rollout succeeds; the number of tasks is declared, and is not as declared.
        ("autoscaled", Behaviour::Autoscaled(3), 1),
        ("pause", Behaviour::Pause, 4),
    ]
}

/// The settled world whose image was pushed, on its way to another task definition.
pub(crate) async fn ground(bench: &Bench, roads: &Roads) -> Result<Road, Vec<String>> {
    let transition = (Size::Tiny, Way::Full, Way::Changed);
    let road = roads.get(transition).expect("the road of every transition");
    bench.drive.reset(&road.setting.start);
    neighbours::push_image(&bench.drive.sandbox, "app-0", "live");
    let mut setting = Setting {
        start: bench.drive.sandbox.snapshot(),
        ..road.setting.clone()
    };
    let twin = travel(bench, &setting, &[], None, Terms::default()).await?;
    setting.goal = Some(access::of(&twin.last));
    Ok(Road { setting, twin })
}

fn cases(roads: &Roads) -> Vec<Case> {
    let (ground, rolls) = runtime().block_on(async {
        let bench = Bench::new(Arc::new(Ledger::default())).await;
        let ground = ground(&bench, roads).await.expect("a quick rollout ends");
        let mut rolls = Vec::new();
        for (name, behaviour, exit) in behaviours() {
            let asked = roll(&bench, &ground, &behaviour).await;
            rolls.push((name, behaviour, exit, asked));
        }
        (Arc::new(ground), rolls)
    });
    let mut cases = Vec::new();
    for (name, behaviour, exit, asked) in rolls {
        cases.push(case(
            format!("roll/{name}/free"),
            &ground,
            &behaviour,
            exit,
            None,
        ));
        for (call, operation) in asked {
            for kind in FAULTS {
                let key = format!("roll/{name}/{call}/{operation}/{kind:?}");
                let fault = Some((call, kind));
                cases.push(case(key, &ground, &behaviour, exit, fault));
            }
        }
    }
    cases
}

/// The requests of a roll without faults, by number: from the first one that has to do with the new
/// revision on.
async fn roll(bench: &Bench, ground: &Road, behaviour: &Behaviour) -> Vec<(u64, String)> {
    let mut journey = Journey::begin(bench, &ground.setting, None, Terms::default());
    journey.run(&script(behaviour, None)).await;
    let asked = std::mem::take(&mut journey.watch.seen().asked);
    asked
        .into_iter()
        .zip(1_u64..)
        .map(|(asked, number)| (number, asked.operation))
        .skip_while(|(_, operation)| operation != "ecs:RegisterTaskDefinition")
        .take(MOST_CALLS)
        .collect()
}

fn script(behaviour: &Behaviour, fault: Option<(u64, FaultKind)>) -> Script {
    Script {
        fault: fault
            .map(|(call, kind)| Fault::at(call, kind))
            .into_iter()
            .collect(),
        rollout: vec![RolloutScript {
            service: "*".to_owned(),
            behaviour: behaviour.clone(),
            times: Times::FOREVER,
        }],
        ..Script::default()
    }
}

fn case(
    key: String,
    ground: &Arc<Road>,
    behaviour: &Behaviour,
    exit: u8,
    fault: Option<(u64, FaultKind)>,
) -> Case {
    let terms = Terms {
        further: 2,
        spare_writes: 4,
        seed: seed(&key),
        ..Terms::default()
    };
    let script = script(behaviour, fault);
    let ground = ground.clone();
    let expected = fault.is_none().then_some(exit);
    Case::new(key, move |bench| {
        Box::pin(follow(
            bench,
            ground.clone(),
            script.clone(),
            expected,
            terms,
        ))
    })
}

async fn follow(
    bench: &Bench,
    ground: Arc<Road>,
    script: Script,
    expected: Option<u8>,
    terms: Terms,
) -> Vec<String> {
    // A rollout that is followed for its whole time asks more than its twin.
    let twin = Twin {
        asked: vec![ground.twin.asked.clone(); 4].concat(),
        ..ground.twin.clone()
    };
    let mut journey = Journey::begin(bench, &ground.setting, Some(&twin), terms);
    let ran = journey.run(&script).await;
    let judged = judge(&mut journey, &ground.setting.start, &ran, expected);
    journey.broken.extend(judged);
    journey.settle(ran).await;
    journey.finish().err().unwrap_or_default()
}

/// The exit code against ECS's own records of the rollouts that this run started.
fn judge(journey: &mut Journey<'_>, start: &Store, ran: &Ran, expected: Option<u8>) -> Vec<String> {
    let store = journey.bench.drive.sandbox.snapshot();
    let started: Vec<&Value> = store
        .rows(Table::ServiceDeployment)
        .filter(|(key, _)| !start.has(Table::ServiceDeployment, key))
        .map(|(_, record)| record)
        .collect();
    let ended: Vec<&str> = started
        .iter()
        .filter_map(|record| record.get("status")?.as_str())
        .collect();
    let exit = ran
        .exit
        .map_or("killed".to_owned(), |exit| format!("exit {exit}"));
    let last = ended.last().copied().unwrap_or("none started");
    journey.count("rollouts", &format!("{last}: {exit}"));
    journey.count("promise", "8 honest exit");
    let mut broken = Vec::new();
    let well = ended.iter().all(|status| *status == "SUCCESSFUL");
    if ran.exit == Some(0) && !(well && runs_the_digest(&store)) {
        broken.push(format!("8: exit 0, and the rollouts ended {ended:?}"));
    }
    if ran.exit == Some(4) && well {
        broken.push(format!("8: exit 4, and the rollouts ended {ended:?}"));
    }
    if expected.is_some() && ran.exit != expected {
        broken.push(format!(
            "8: {exit} where {expected:?} must be: {}",
            ran.said
        ));
    }
    broken
}

/// Whether the service runs the image that was pushed, by its digest.
fn runs_the_digest(store: &Store) -> bool {
    let digests: Vec<&str> = store
        .rows(Table::Image)
        .filter_map(|(key, _)| key.split('\n').nth(1))
        .collect();
    let services = store.rows(Table::Service);
    let running = services.filter_map(|(_, service)| service.get("taskDefinition")?.as_str());
    running.into_iter().all(|arn| {
        let name = arn.rsplit('/').next().unwrap_or_default();
        let definition = store.rows(Table::TaskDefinition).find(|(_, record)| {
            let own = record.get("taskDefinitionArn").and_then(Value::as_str);
            own.is_some_and(|own| own.ends_with(&format!("/{name}")))
        });
        definition.is_some_and(|(_, record)| {
            let text = record.to_string();
            digests.iter().any(|digest| text.contains(digest))
        })
    })
}

//! The teeth of the sweeps: with a bug planted where the true code is, the sweep that is named for it
//! must fail. Each is run until the first case that catches it.

use std::sync::Arc;
use std::time::Instant;

use provision::planted::{Bug, plant};

use super::journey::Bench;
use super::ledger::Ledger;
use super::regime::{fits, runtime};
use super::roads::Failure;
use super::sweeps::{Case, Sweep};

/// A planted bug, and the cases of which one has to catch it.
struct Tooth {
    bug: Bug,
    /// The keys; the first part is the sweep.
    keys: &'static str,
    /// How what is broken begins: the number of the promise.
    promise: &'static str,
}

const fn tooth(bug: Bug, keys: &'static str, promise: &'static str) -> Tooth {
    Tooth { bug, keys, promise }
}

const TEETH: &[Tooth] = &[
    tooth(Bug::UntagThenTag, "view/Tiny/Full>Changed/*", "4:"),
    tooth(Bug::CreateThenTag, "view/Tiny/Empty>Full/*", "4:"),
    tooth(Bug::DeleteByNamePrefix, "view/Tiny/Empty>Full/*", "3:"),
    tooth(
        Bug::ExistsIsSuccess,
        "call/Tiny/Full>Changed/*/ecr:TagResource/ThrottledForGood",
        "8:",
    ),
    tooth(Bug::FirstPageOnly, "view/Tiny/*/1", "10:"),
    tooth(Bug::StableIsSuccess, "roll/breaker*/free", "8:"),
    tooth(Bug::TrustBeforeBoundary, "plan/*", "5:"),
    tooth(Bug::RemoveBeforeAdd, "plan/*", "6:"),
    tooth(
        Bug::DeniedListIsEmpty,
        "call/Tiny/*/tag:GetResources/AccessDenied",
        "12:",
    ),
    tooth(
        Bug::RegistersBlindly,
        "call/Tiny/*/ecs:RegisterTaskDefinition/LostReply",
        "7:",
    ),
    tooth(Bug::ComparesRawJson, "view/Tiny/*", "1:"),
    tooth(
        Bug::PartialIsSuccess,
        "permanent/Tiny/Empty>Full/*/Denied",
        "8:",
    ),
    tooth(
        Bug::NoFinalLook,
        "outside/Tiny/Empty>Full/*/edit role",
        "8:",
    ),
    tooth(Bug::SaysTheSecret, "view/Tiny/Empty>Full/*", "9:"),
];

/// Whether a line says that this promise was broken; a case of many worlds names the world first.
fn breaks(line: &str, promise: &str) -> bool {
    line.starts_with(promise) || line.contains(&format!(": {promise}"))
}

/// Cases that are tried at most for one bug: a sweep that needs more has hardly any teeth.
const MOST_TRIED: usize = 60;

/// Plants each bug in turn; what no case catches is a failure. Gives their number too.
pub(crate) fn bite(sweeps: &[(&Sweep, Vec<Case>)]) -> (usize, Vec<Failure>) {
    let mut failures = Vec::new();
    runtime().block_on(async {
        let bench = Bench::new(Arc::new(Ledger::default())).await;
        for tooth in TEETH {
            if let Err(missed) = try_one(&bench, sweeps, tooth).await {
                failures.push(missed);
            }
        }
    });
    (TEETH.len(), failures)
}

async fn try_one(
    bench: &Bench,
    sweeps: &[(&Sweep, Vec<Case>)],
    tooth: &Tooth,
) -> Result<(), Failure> {
    let Tooth { bug, keys, promise } = tooth;
    let began = Instant::now();
    let name = keys.split('/').next().unwrap_or_default();
    let cases = sweeps.iter().filter(|(sweep, _)| sweep.name == name);
    let cases = cases.flat_map(|(_, cases)| cases);
    let cases: Vec<&Case> = cases.filter(|case| fits(keys, &case.key)).collect();
    let mut seen = Vec::new();
    for (number, case) in cases.iter().take(MOST_TRIED).enumerate() {
        plant(Some(*bug));
        let broken = (case.play)(bench).await;
        plant(None);
        if let Some(broken) = broken.iter().find(|line| breaks(line, promise)) {
            println!(
                "teeth: {bug:?}: caught by sweep {name}, case {} of {}: {}: {}; {:.1} s",
                number + 1,
                cases.len(),
                case.key,
                broken
                    .chars()
                    .take(160)
                    .collect::<String>()
                    .replace('\n', " "),
                began.elapsed().as_secs_f64()
            );
            return Ok(());
        }
        seen.extend(broken);
    }
    let mut broken = vec![format!(
        "no case of {keys} broke promise {promise} ({} tried)",
        cases.len().min(MOST_TRIED)
    )];
    println!("teeth: {bug:?}: MISSED by sweep {name}");
    broken.extend(seen.into_iter().take(3));
    Err((format!("teeth/{bug:?}"), broken))
}

//! The roads: every transition between two ways of declaring a world, travelled without faults. They
//! are the twins that all other journeys are compared with.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::access;
use super::configs::{self, Size, Way};
use super::drive::Declared;
use super::journey::{Bench, Setting, Terms, Twin, travel};
use super::neighbours;

/// A transition between two ways of declaring a world.
pub(crate) type Transition = (Size, Way, Way);

/// A transition with what is needed to travel it.
pub(crate) struct Road {
    pub(crate) setting: Setting,
    pub(crate) twin: Twin,
}

impl Road {
    /// The number of its writes.
    pub(crate) fn writes(&self) -> u64 {
        self.twin.asked.iter().filter(|asked| asked.writes).count() as u64
    }
}

/// All of them.
#[derive(Default)]
pub(crate) struct Roads(BTreeMap<Transition, Arc<Road>>);

/// A failure of a journey without faults: its key, and what broke.
pub(crate) type Failure = (String, Vec<String>);

impl Roads {
    /// Travels every transition of every world without a fault; gives also what failed.
    pub(crate) async fn travel(bench: &Bench) -> (Self, Vec<Failure>) {
        let mut roads = Self::default();
        let mut failures = Vec::new();
        for size in Size::ALL {
            roads.of_size(bench, size, &mut failures).await;
        }
        (roads, failures)
    }

    async fn of_size(&mut self, bench: &Bench, size: Size, failures: &mut Vec<Failure>) {
        let declared: BTreeMap<Way, Arc<Declared>> = Way::of(size)
            .iter()
            .map(|way| (*way, Declared::of(configs::config(size, *way))))
            .collect();
        let bare = neighbours::alone(&bench.drive);
        let mut settled = BTreeMap::new();
        for (way, declared) in &declared {
            let setting = Setting {
                start: bare.clone(),
                declared: declared.clone(),
                adopts: *way == Way::Adopting,
                goal: None,
            };
            match travel(bench, &setting, &[], None, Terms::default()).await {
                Ok(twin) => {
                    settled.insert(*way, twin.last);
                }
                Err(broken) => failures.push((format!("settle/{size:?}/{way:?}"), broken)),
            }
        }
        for (from, start) in &settled {
            for (to, declared) in &declared {
                let setting = Setting {
                    start: start.clone(),
                    declared: declared.clone(),
                    adopts: *to == Way::Adopting || *from == Way::Adopting,
                    goal: None,
                };
                match road(bench, setting).await {
                    Ok(road) => {
                        self.0.insert((size, *from, *to), Arc::new(road));
                    }
                    Err(broken) => failures.push((free(size, *from, *to), broken)),
                }
            }
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The road of a transition.
    pub(crate) fn get(&self, transition: Transition) -> Option<&Arc<Road>> {
        self.0.get(&transition)
    }

    /// The transitions of the tiny world that do something.
    pub(crate) fn tiny(&self) -> impl Iterator<Item = (Transition, &Arc<Road>)> {
        self.0
            .iter()
            .map(|(transition, road)| (*transition, road))
            .filter(|((size, from, to), _)| *size == Size::Tiny && from != to)
    }

    /// The same, and those of the calls that the tiny world has no need of.
    pub(crate) fn tiny_and_rare(&self) -> impl Iterator<Item = (Transition, &Arc<Road>)> {
        self.all()
            .filter(|((size, from, to), _)| *size != Size::Small && from != to)
    }

    /// All roads of every world.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Transition, &Arc<Road>)> {
        self.0.iter().map(|(transition, road)| (*transition, road))
    }
}

fn free(size: Size, from: Way, to: Way) -> String {
    format!("free/{size:?}/{from:?}>{to:?}")
}

/// The key of a case on a transition.
pub(crate) fn key(sweep: &str, (size, from, to): Transition, rest: &str) -> String {
    format!("{sweep}/{size:?}/{from:?}>{to:?}/{rest}")
}

/// Travels without faults, and once more with what the first journey showed to be the goal.
pub(crate) async fn road(bench: &Bench, mut setting: Setting) -> Result<Road, Vec<String>> {
    let terms = Terms {
        stays: true,
        keeps_states: true,
        seed: 1,
        ..Terms::default()
    };
    let first = travel(bench, &setting, &[], None, Terms::default()).await?;
    setting.goal = Some(access::of(&first.last));
    let twin = travel(bench, &setting, &[], Some(&first), terms).await?;
    Ok(Road { setting, twin })
}

//! The sweeps: which journeys, with which faults. Each is a file here and a line in `SWEEPS`.

pub(crate) mod calls;
mod deployments;
mod double;
mod lacking;
mod outside;
mod pages;
mod permanent;
pub(crate) mod pure;
mod random;
mod rollouts;
mod stale;
mod starts;
mod two;
mod views;

use std::sync::Arc;

use futures::future::LocalBoxFuture;
use tokio::task::unconstrained;

use super::journey::{Bench, Terms, travel};
use super::roads::{Road, Roads};
use provision::sandbox::Script;

/// How much of a sweep each push takes; the full tier takes all of it, the quick one a few cases.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Push {
    /// Every case.
    All,
    /// One part in rotation, and the first case of every cell of the ledger.
    Part,
    /// About so many, evenly.
    About(usize),
}

/// One sweep.
pub(crate) struct Sweep {
    /// Its name: the first part of its keys.
    pub(crate) name: &'static str,
    /// What it does, for people.
    pub(crate) title: &'static str,
    pub(crate) push: Push,
    pub(crate) cases: fn(&Roads) -> Vec<Case>,
}

/// Every sweep, in the order in which they run.
pub(crate) const SWEEPS: &[Sweep] = &[
    pure::SWEEP,
    views::SWEEP,
    random::SWEEP,
    starts::SWEEP,
    calls::SWEEP,
    double::SWEEP,
    stale::SWEEP,
    lacking::SWEEP,
    pages::SWEEP,
    rollouts::SWEEP,
    permanent::SWEEP,
    two::SWEEP,
    outside::SWEEP,
    deployments::SWEEP,
    deployments::RIVALS,
];

/// What went wrong in a case; empty where every promise was kept.
pub(crate) type Broken = Vec<String>;

/// A case under way.
pub(crate) type Playing<'a> = LocalBoxFuture<'a, Broken>;

/// One case of a sweep, by its replay key.
pub(crate) struct Case {
    pub(crate) key: String,
    /// The cell of the ledger that it is to fill, where the sweep claims some.
    pub(crate) cell: Option<String>,
    pub(crate) play: Box<dyn for<'a> Fn(&'a Bench) -> Playing<'a> + Send + Sync>,
}

impl Case {
    /// A case that is played in this way, without Tokio's turns: these depend on what the core did before, and let a
    /// timeout pass where nobody waits.
    pub(crate) fn new<F>(key: String, play: F) -> Self
    where
        F: for<'a> Fn(&'a Bench) -> Playing<'a> + Send + Sync + 'static,
    {
        Self {
            key,
            cell: None,
            play: Box::new(move |bench| Box::pin(unconstrained(play(bench)))),
        }
    }

    /// A case that travels a road under these scripts.
    pub(crate) fn of_road(
        key: String,
        road: &Arc<Road>,
        scripts: Vec<Script>,
        terms: Terms,
    ) -> Self {
        let road = road.clone();
        let terms = Terms {
            seed: seed(&key),
            ..terms
        };
        Self::new(key, move |bench| {
            let (road, scripts) = (road.clone(), scripts.clone());
            Box::pin(async move {
                let traveled = travel(bench, &road.setting, &scripts, Some(&road.twin), terms);
                traveled.await.err().unwrap_or_default()
            })
        })
    }
}

/// A number that follows from a key (FNV-1a).
pub(crate) fn seed(key: &str) -> u64 {
    key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Chance that is the same every time (`SplitMix64`).
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `most`.
    pub(crate) fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % (most.max(1) as u64)).unwrap_or_default()
    }

    /// Whether something happens that does so in so many of a hundred cases.
    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let at = self.below(all.len());
        all.get(at).expect("there is one to pick")
    }

    /// Puts them in another order.
    pub(crate) fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, self.below(at + 1));
        }
    }
}

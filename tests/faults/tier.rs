//! Which cases a run takes: the quick tier a few of each sweep, the push tier a part of the large
//! ones, the full tier all; a shard of them, one sweep, or one case by its key. Variables say which.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::sweeps::{Case, Push, SWEEPS};

/// How much is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Size {
    /// A minute or so: some cases of each sweep. What `cargo test` runs.
    #[default]
    Quick,
    /// What `just faults` runs.
    Push,
    /// Every case.
    Full,
}

/// What this run was asked for.
#[derive(Debug, Default)]
pub(crate) struct Tier {
    /// `PROVISION_FAULTS=quick|push|full`.
    size: Size,
    /// `PROVISION_FAULTS_REPLAY=KEY`: this case alone.
    replay: Option<String>,
    /// `PROVISION_FAULTS_FROM=KEY`: goes on from this case, which a run that was stopped has named.
    from: Option<String>,
    /// `PROVISION_FAULTS_SWEEP=NAME`: this sweep alone.
    sweep: Option<String>,
    /// `PROVISION_FAULTS_SHARD=i/n`: the cases whose number leaves the rest i, from 0.
    shard: Option<(usize, usize)>,
    /// `PROVISION_FAULTS_PART=0..12`: which part of a sweep that goes by rotation.
    part: usize,
}

/// In how many parts a sweep goes by rotation: with the first case of each cell of the ledger, a part of the sweep over
/// every request is more than a fifth of the 24,000 cases that reliability.md counted on. Each request has 20 cases there,
/// one a fault: a number that shares no divisor with 20 brings every fault into every part.
const PARTS: usize = 13;
/// Cases of each sweep in the quick tier.
const QUICK: usize = 12;

impl Tier {
    /// As the environment says.
    pub(crate) fn from_environment() -> Self {
        let text = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let number = |text: &str| text.parse::<usize>().ok();
        let size = match text("PROVISION_FAULTS").as_deref() {
            None | Some("quick") => Size::Quick,
            Some("push") => Size::Push,
            Some("full") => Size::Full,
            Some(other) => panic!("PROVISION_FAULTS={other} is not quick, push or full"),
        };
        let shard = text("PROVISION_FAULTS_SHARD").map(|text| {
            let parts = text.split_once('/');
            let parts = parts.and_then(|(part, of)| Some((number(part)?, number(of)?)));
            parts.filter(|(part, of)| part < of).unwrap_or_else(|| {
                panic!("PROVISION_FAULTS_SHARD={text} is not PART/PARTS, counted from 0")
            })
        });
        let part = text("PROVISION_FAULTS_PART").map_or(0, |text| {
            number(&text).unwrap_or_else(|| panic!("PROVISION_FAULTS_PART={text} is no number"))
        });
        Self {
            size,
            replay: text("PROVISION_FAULTS_REPLAY"),
            from: text("PROVISION_FAULTS_FROM"),
            sweep: text("PROVISION_FAULTS_SWEEP"),
            shard,
            part: part % PARTS,
        }
    }

    /// Whether it is a tier at all, and not a part of one.
    pub(crate) fn is_whole(&self) -> bool {
        [&self.replay, &self.from, &self.sweep]
            .iter()
            .all(|part| part.is_none())
            && self.shard.is_none()
    }

    /// Whether its ledger has to be complete.
    pub(crate) fn claims(&self) -> bool {
        self.is_whole() && self.size != Size::Quick
    }

    /// Whether it is no shard, or the first one: a sweep that is not sharded runs there.
    pub(crate) fn is_unsharded(&self) -> bool {
        self.shard.is_none_or(|(part, _)| part == 0)
    }

    /// In words.
    pub(crate) fn words(&self) -> String {
        let mut words = match self.size {
            Size::Quick => "quick tier".to_owned(),
            Size::Push => format!("push tier, part {} of 0 to {}", self.part, PARTS - 1),
            Size::Full => "full tier".to_owned(),
        };
        if let Some((part, of)) = self.shard {
            let _ = write!(words, ", shard {part} of {of}");
        }
        if let Some(sweep) = &self.sweep {
            let _ = write!(words, ", sweep {sweep} alone");
        }
        words
    }

    /// Whether this sweep is to run at all.
    pub(crate) fn takes(&self, sweep: &str) -> bool {
        let of_replay = |key: &String| sweep_of(key) == sweep;
        let place = |name: &str| SWEEPS.iter().position(|sweep| sweep.name == name);
        self.replay.as_ref().is_none_or(of_replay)
            && self.sweep.as_ref().is_none_or(|only| only == sweep)
            && self
                .from
                .as_ref()
                .is_none_or(|from| place(sweep_of(from)) <= place(sweep))
    }

    /// The cases of a sweep that this run takes.
    pub(crate) fn choose(&self, cases: Vec<Case>, push: Push) -> Vec<Case> {
        if let Some(key) = &self.replay {
            return cases.into_iter().filter(|case| case.key == *key).collect();
        }
        let all = cases.len();
        let mut cells = BTreeSet::new();
        let mut taken = Vec::new();
        for (index, case) in cases.into_iter().enumerate() {
            let cell = case.cell.clone();
            let fills = cell.is_some_and(|cell| cells.insert(cell));
            let chosen = match (self.size, push) {
                (Size::Quick, _) => evenly(index, QUICK, all),
                (Size::Full, _) | (Size::Push, Push::All) => true,
                (Size::Push, Push::Part) => index % PARTS == self.part || fills,
                (Size::Push, Push::About(most)) => evenly(index, most, all),
            };
            if chosen {
                taken.push(case);
            }
        }
        let from = self.from.as_ref();
        let begins = from.and_then(|from| taken.iter().position(|case| case.key == *from));
        let taken = taken.split_off(begins.unwrap_or_default());
        let mine = |index: usize| self.shard.is_none_or(|(part, of)| index % of == part);
        let taken = taken.into_iter().enumerate();
        taken
            .filter(|(index, _)| mine(*index))
            .map(|(_, case)| case)
            .collect()
    }
}

/// The sweep of a case.
fn sweep_of(key: &str) -> &str {
    key.split('/').next().unwrap_or_default()
}

/// Whether the case of this number is one of `most` of `all`, spread evenly: there a running share
/// passes a whole number.
fn evenly(index: usize, most: usize, all: usize) -> bool {
    most >= all || (index * most) / all != ((index + 1) * most) / all
}

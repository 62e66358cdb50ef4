//! The world of the dry run: specs by address as the calls so far leave them, and who refers to whom.

use std::collections::{BTreeMap, BTreeSet};

use super::kind_of;
use crate::error::Result;
use crate::kind::{Address, AnyKind, AnySpec, Snapshot};

/// The world between two calls. Keeps a second snapshot for the world after the call at trial, so
/// that the law can look at both without a copy.
#[derive(Clone)]
pub(crate) struct World {
    /// As it is.
    pub(crate) now: Snapshot,
    /// As it would be after the call at trial; equal to `now` between trials.
    pub(crate) trial: Snapshot,
    refers: BTreeMap<Address, Vec<Address>>,
    referrers: BTreeMap<Address, BTreeSet<Address>>,
    known: BTreeSet<Address>,
}

impl World {
    /// The world as it is live. References to what is neither live nor in the goal do not count.
    pub(crate) fn new(kinds: &[&dyn AnyKind], live: &Snapshot, goal: &Snapshot) -> Result<Self> {
        let known = live.addresses().chain(goal.addresses()).cloned().collect();
        let mut world = Self {
            now: live.clone(),
            trial: live.clone(),
            refers: BTreeMap::new(),
            referrers: BTreeMap::new(),
            known,
        };
        for (address, spec) in live.iter() {
            let refers = kind_of(kinds, &address.kind)?.refers(spec);
            world.set_refers(address, refers);
        }
        Ok(world)
    }

    /// The resources that the one at this address needs.
    pub(crate) fn refers(&self, address: &Address) -> &[Address] {
        self.refers
            .get(address)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// The first of these that the world is about but does not have yet.
    pub(crate) fn missing<'a>(&self, refers: &'a [Address]) -> Option<&'a Address> {
        refers
            .iter()
            .find(|address| self.known.contains(address) && !self.now.contains(address))
    }

    /// One that refers to this address, other than itself.
    pub(crate) fn referrer(&self, address: &Address) -> Option<&Address> {
        self.referrers
            .get(address)?
            .iter()
            .find(|referrer| *referrer != address)
    }

    /// Makes the trial's spec the present one.
    pub(crate) fn accept(
        &mut self,
        address: &Address,
        spec: Option<AnySpec>,
        refers: Vec<Address>,
    ) {
        self.now.set(address, spec);
        self.set_refers(address, refers);
    }

    fn set_refers(&mut self, address: &Address, refers: Vec<Address>) {
        for old in self.refers.remove(address).unwrap_or_default() {
            if let Some(referrers) = self.referrers.get_mut(&old) {
                referrers.remove(address);
            }
        }
        for new in &refers {
            self.referrers
                .entry(new.clone())
                .or_default()
                .insert(address.clone());
        }
        if !refers.is_empty() {
            self.refers.insert(address.clone(), refers);
        }
    }
}

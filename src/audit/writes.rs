//! What counts as writing: every action but those whose names say that they read.

use crate::policy::Witness;
use crate::reach::{Requests, State};

/// Beginnings of the names of actions that change nothing.
const READS: &[&str] = &[
    "*:Get*",
    "*:List*",
    "*:Describe*",
    "*:BatchGet*",
    "*:BatchCheck*",
    "*:Head*",
    "*:Lookup*",
    "*:Search*",
    "*:View*",
    "*:Requests*",
    "*:Scan*",
    "*:Filter*",
    "*:Validate*",
    "*:Simulate*",
    "*:Select*",
];

/// A request that changes something and that the holder may make, with the policy that allows it.
pub(super) fn write(state: &State) -> Option<(String, Witness)> {
    let reads = Requests::of(READS, &["*"]);
    let witness = Requests::witnesses(&state.grants(), &[], &[&reads])
        .into_iter()
        .next()?;
    let policy = state
        .held(&witness)
        .map(|held| held.name.clone())
        .unwrap_or_default();
    Some((policy, witness))
}

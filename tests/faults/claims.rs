//! What a whole tier claims to have met. What it has not met fails it.

use std::collections::BTreeSet;

use provision::sandbox::FaultKind;

use super::ledger::Ledger;
use super::roads::{Failure, Roads};
use super::sweeps::pure;

/// How often each promise has to have been judged before "passed" means anything.
const LEAST_JUDGEMENTS: u64 = 10_000;

/// The promises, as the ledger names them.
const PROMISES: [&str; 12] = [
    "1 settles",
    "2 same end",
    "3 nobody else's",
    "4 always owned",
    "5 never wider",
    "6 never narrower",
    "7 no more than needed",
    "8 honest exit",
    "9 no secret",
    "10 same in, same out",
    "11 bounded",
    "12 fails closed",
];

/// Every call of every kind, but for those that are refused before they are sent (`SetFixed`,
/// `SetPath`): what they would change is immutable.
const CALLS: [&str; 54] = [
    "cluster/Create",
    "cluster/Delete",
    "cluster/PutCapacityProviders",
    "cluster/SetContainerInsights",
    "cluster/Tag",
    "cluster/Untag",
    "log_group/AssociateKey",
    "log_group/Create",
    "log_group/Delete",
    "log_group/DeleteRetention",
    "log_group/DisassociateKey",
    "log_group/PutRetention",
    "log_group/SetDeletionProtection",
    "log_group/Tag",
    "log_group/Untag",
    "oidc_provider/AddClientId",
    "oidc_provider/Create",
    "oidc_provider/Delete",
    "oidc_provider/RemoveClientId",
    "oidc_provider/SetThumbprints",
    "oidc_provider/Tag",
    "policy/Create",
    "policy/Delete",
    "policy/SetDocument",
    "policy/Tag",
    "policy/Untag",
    "repository/Create",
    "repository/Delete",
    "repository/DeleteLifecyclePolicy",
    "repository/DeletePolicy",
    "repository/PutLifecyclePolicy",
    "repository/SetMutability",
    "repository/SetPolicy",
    "repository/Tag",
    "repository/Untag",
    "role/Attach",
    "role/Create",
    "role/Delete",
    "role/DeleteBoundary",
    "role/DeleteInline",
    "role/Detach",
    "role/PutBoundary",
    "role/PutInline",
    "role/SetTrustPolicy",
    "role/Tag",
    "role/Untag",
    "role/Update",
    "secret/Create",
    "secret/Delete",
    "secret/Tag",
    "secret/Update",
    "service/Create",
    "service/Delete",
    "service/Update",
];

/// The classes of errors, as `-vv` names them.
const CLASSES: [&str; 14] = [
    "NotFound",
    "Exists",
    "AccessDenied",
    "Credentials",
    "Throttled",
    "Conflict",
    "InUse",
    "Quota",
    "Unsettled",
    "Passing",
    "Unsupported",
    "Invalid",
    "Unreadable",
    "Other",
];

/// Every kind of fault that one request may meet.
pub(crate) fn kinds() -> impl Iterator<Item = FaultKind> {
    FaultKind::ALL
        .into_iter()
        .filter(|kind| *kind != FaultKind::UnknownOperation)
}

/// What was claimed and not met.
pub(crate) fn unmet(ledger: &Ledger, roads: &Roads, claimed: &BTreeSet<String>) -> Vec<Failure> {
    let mut missing = Vec::new();
    let promises = ledger.cells("promise");
    for promise in PROMISES {
        let number = promises.get(promise).copied().unwrap_or_default();
        if number < LEAST_JUDGEMENTS {
            missing.push(format!("promise {promise} was judged only {number} times"));
        }
    }
    let with_faults = |what: &str| {
        kinds()
            .map(move |kind| format!("{what} {kind:?}"))
            .collect::<Vec<_>>()
    };
    let calls = CALLS.iter().flat_map(|call| with_faults(call));
    missing.extend(ledger.empty("call x fault", calls));
    let operations: BTreeSet<&String> = roads
        .all()
        .flat_map(|(_, road)| &road.twin.asked)
        .map(|asked| &asked.operation)
        .collect();
    let requests = operations
        .iter()
        .flat_map(|operation| with_faults(operation));
    missing.extend(ledger.empty("request x fault", requests));
    missing.extend(ledger.empty("error class", CLASSES.map(str::to_owned)));
    missing.extend(ledger.empty("cell", claimed.iter().cloned()));
    let alone = ledger.cells("plan alone");
    let of = |cell: &str| alone.get(cell).copied().unwrap_or_default();
    let (edited, interrupting) = (
        of("edited worlds"),
        of("edited worlds that need --allow interrupts"),
    );
    if pure::too_many_interrupt(edited, interrupting) {
        missing.push(format!(
            "{interrupting} of {edited} edited worlds need --allow interrupts"
        ));
    }
    missing
        .into_iter()
        .map(|what| (format!("ledger: {what}"), vec!["an empty cell".to_owned()]))
        .collect()
}

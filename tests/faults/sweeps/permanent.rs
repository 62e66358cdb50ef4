//! One resource after another that fails for good: all else settles, exit 1 names it, nothing is
//! deleted for it, and the run ends.

use std::collections::BTreeSet;
use std::sync::Arc;

use provision::kind::{Address, Snapshot};
use provision::kinds::KINDS;
use provision::plan::kind_of;
use provision::sandbox::{Fault, FaultKind, Script, Times};

use super::{Case, Push, Sweep, seed};
use crate::configs::{Size, Way};
use crate::drive::Ran;
use crate::journey::{Bench, Journey, Terms, tail};
use crate::records;
use crate::roads::{Road, Roads, key};

pub(super) const SWEEP: Sweep = Sweep {
    name: "permanent",
    title: "each resource in turn fails for good, tiny and small",
    push: Push::All,
    cases,
};

/// How a resource fails for good: no write to it is allowed, none gets through, or it cannot be read.
#[derive(Clone, Copy, Debug)]
enum Failure {
    Denied,
    Broken,
    Unreadable,
}

fn cases(roads: &Roads) -> Vec<Case> {
    let mut cases = Vec::new();
    for size in [Size::Tiny, Size::Small] {
        for (from, to) in [(Way::Empty, Way::Full), (Way::Full, Way::Changed)] {
            let transition = (size, from, to);
            let Some(road) = roads.get(transition) else {
                continue;
            };
            for address in road.setting.declared.desired.addresses() {
                for way in [Failure::Denied, Failure::Broken, Failure::Unreadable] {
                    if matches!(way, Failure::Unreadable) && from == Way::Empty {
                        continue;
                    }
                    let key = key("permanent", transition, &format!("{address}/{way:?}"));
                    let (road, address) = (road.clone(), address.clone());
                    let terms = Terms {
                        further: 1,
                        seed: seed(&key),
                        ..Terms::default()
                    };
                    let case = Case::new(key, move |bench| {
                        Box::pin(fail(bench, road.clone(), address.clone(), way, terms))
                    });
                    cases.push(case);
                }
            }
        }
    }
    cases
}

/// Every request about this resource fails, as far as it writes or reads.
fn script(address: &Address, way: Failure) -> Script {
    let fault = |operation: &str, kind: FaultKind| {
        let mut fault = Fault::on(operation, kind).times(Times::FOREVER);
        fault.resource = Some(address.name.clone());
        fault
    };
    let kinds_of = operations(&address.kind);
    Script::of(match way {
        Failure::Denied => kinds_of
            .iter()
            .map(|operation| fault(operation, FaultKind::AccessDenied))
            .collect(),
        Failure::Broken => kinds_of
            .iter()
            .map(|operation| fault(operation, FaultKind::InternalBefore))
            .collect(),
        Failure::Unreadable => reads(&address.kind)
            .iter()
            .map(|operation| fault(operation, FaultKind::AccessDenied))
            .collect(),
    })
}

/// The writes that are about a kind.
fn operations(kind: &str) -> &'static [&'static str] {
    match kind {
        "oidc_provider" => &["write:*OpenIDConnectProvider"],
        "policy" => &[
            "iam:CreatePolicy*",
            "iam:DeletePolicy*",
            "iam:TagPolicy",
            "iam:UntagPolicy",
        ],
        "role" => &[
            "write:*Role",
            "write:*RolePolicy",
            "write:*RoleDescription",
            "write:*AssumeRolePolicy",
            "write:*RolePermissionsBoundary",
        ],
        "repository" => &[
            "ecr:Create*",
            "ecr:Put*",
            "ecr:Set*",
            "ecr:Delete*",
            "ecr:Tag*",
            "ecr:Untag*",
        ],
        "log_group" => &[
            "logs:Create*",
            "logs:Put*",
            "logs:Delete*",
            "logs:Tag*",
            "logs:Untag*",
        ],
        "secret" => &[
            "secretsmanager:Create*",
            "secretsmanager:Put*",
            "secretsmanager:Update*",
            "secretsmanager:Delete*",
            "secretsmanager:Tag*",
            "secretsmanager:Untag*",
        ],
        "cluster" => &[
            "ecs:CreateCluster",
            "ecs:UpdateCluster*",
            "ecs:PutCluster*",
            "ecs:DeleteCluster",
            "ecs:TagResource",
            "ecs:UntagResource",
        ],
        _ => &[
            "ecs:CreateService",
            "ecs:UpdateService",
            "ecs:DeleteService",
            "ecs:RegisterTaskDefinition",
            "ecs:TagResource",
            "ecs:UntagResource",
        ],
    }
}

/// Reads that are about one resource of a kind.
fn reads(kind: &str) -> &'static [&'static str] {
    match kind {
        "oidc_provider" => &["iam:GetOpenIDConnectProvider"],
        "policy" => &["iam:GetPolicy*", "iam:ListPolicyTags"],
        "role" => &["iam:GetRole*", "iam:ListRole*"],
        "repository" => &["ecr:Get*", "ecr:Describe*"],
        "log_group" => &["logs:*"],
        "secret" => &["secretsmanager:Describe*", "secretsmanager:List*"],
        "cluster" => &["ecs:DescribeClusters"],
        _ => &["ecs:DescribeServices", "ecs:DescribeTaskDefinition"],
    }
}

async fn fail(
    bench: &Bench,
    road: Arc<Road>,
    address: Address,
    way: Failure,
    terms: Terms,
) -> Vec<String> {
    let mut journey = Journey::begin(bench, &road.setting, Some(&road.twin), terms);
    let ran = journey.run(&script(&address, way)).await;
    let met = journey.met_faults();
    if met > 0 {
        journey.count("permanent", &format!("{} {way:?}", address.kind));
        let judged = judge(&journey, &road, &address, way, &ran);
        journey.broken.extend(judged);
    }
    journey.settle(ran).await;
    journey.finish().err().unwrap_or_default()
}

fn judge(
    journey: &Journey<'_>,
    road: &Road,
    address: &Address,
    way: Failure,
    ran: &Ran,
) -> Vec<String> {
    let mut broken = Vec::new();
    if ran.exit != Some(1) {
        broken.push(format!(
            "8: {address} fails for good, and then exit {:?}",
            ran.exit
        ));
    }
    // A list that cannot be read is named by its operation, which `journey` looks for.
    let name = &address.name;
    let is_unread = matches!(way, Failure::Unreadable);
    if !is_unread && !ran.said.contains(name.as_str()) {
        broken.push(format!("12: {address} is not named in {}", tail(&ran.said)));
    }
    if matches!(way, Failure::Unreadable) {
        if ran.planned.is_some() {
            broken.push(format!("12: a plan although {address} cannot be read"));
        }
        return broken;
    }
    let mut waits = dependents(&road.setting.declared.desired, address);
    // What a role may do follows from its policies: they may have no lawful order without it.
    if let Some(spec) = road.setting.declared.desired.get(address)
        && address.kind == "role"
        && let Ok(kind) = kind_of(KINDS, &address.kind)
    {
        waits.extend(kind.refers(spec));
    }
    let now = records::end_state(&journey.bench.drive.sandbox.snapshot());
    for (record, words) in records::differences(&road.twin.end, &now) {
        let whose = records::address(&record);
        let concerned = whose.as_ref().is_some_and(|whose| waits.contains(whose));
        if !concerned {
            broken.push(format!(
                "1: {address} fails, and {record} does not settle: {words}"
            ));
        }
    }
    broken
}

/// This resource and all that needs it, near and far.
fn dependents(desired: &Snapshot, address: &Address) -> BTreeSet<Address> {
    let mut found = BTreeSet::from([address.clone()]);
    loop {
        let before = found.len();
        for (other, spec) in desired.iter() {
            let Ok(kind) = kind_of(KINDS, &other.kind) else {
                continue;
            };
            if kind.refers(spec).iter().any(|to| found.contains(to)) {
                found.insert(other.clone());
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

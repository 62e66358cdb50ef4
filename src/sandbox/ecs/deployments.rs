//! Service deployments and revisions as they are read, stopped and continued.

use serde_json::{Value, json};

use super::super::error::{Answer, ServiceError};
use super::super::player::Player;
use super::super::protocol::Call;
use super::super::store::Table;
use super::super::world::{Members as _, World, set, shown};
use super::rollouts::{self, Failure, Phase, Rollout};
use super::services::{find, key};
use super::{hooks, invalid, missing, page};

pub(super) fn answer(call: &Call, world: &mut World<'_>, _player: &mut Player) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "ListServiceDeployments" => list(call, world),
        "DescribeServiceDeployments" => describe(call, world),
        "DescribeServiceRevisions" => revisions(call, world),
        "StopServiceDeployment" => stop(call, world),
        "ContinueServiceDeployment" => resume(call, world),
        _ => return None,
    })
}

/// The service that an ARN of a service deployment belongs to: where it is kept.
fn service_key(arn: &str) -> String {
    let mut parts = arn.split('/').skip(1);
    format!(
        "{}\n{}",
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default()
    )
}

/// A service deployment by its ARN, and where it is kept.
fn by_arn<'w>(arn: &str, world: &'w World<'_>) -> Option<(String, &'w Value)> {
    let prefix = format!("{}\n", service_key(arn));
    let mut records = world.store.under(Table::ServiceDeployment, &prefix);
    let found = records.find(|(_, record)| record.str("serviceDeploymentArn") == arn);
    found.map(|(key, record)| (key.to_owned(), record))
}

/// The newest first.
fn list(call: &Call, world: &World<'_>) -> Answer {
    find(call, world, "service")?;
    let wanted = call.input.texts("status");
    let created = call.input.get("createdAt");
    let bound = |name: &str| {
        created
            .and_then(|created| created.get(name))
            .and_then(Value::as_f64)
    };
    let prefix = format!("{}\n", key(call, "service"));
    let records = world
        .store
        .under(Table::ServiceDeployment, &prefix)
        .filter(|(_, record)| {
            let at = record
                .get("createdAt")
                .and_then(Value::as_f64)
                .unwrap_or(0.0);
            (wanted.is_empty() || wanted.contains(&record.str("status")))
                && bound("after").is_none_or(|after| at >= after)
                && bound("before").is_none_or(|before| at <= before)
        });
    let mut briefs: Vec<(String, Value)> = records
        .map(|(key, record)| (key.to_owned(), brief(record)))
        .collect();
    briefs.reverse();
    // The key counts up while time counts down, so that tokens stay in order.
    let number = |key: &str| {
        key.rsplit('\n')
            .next()
            .and_then(|text| text.parse::<u64>().ok())
            .unwrap_or(0)
    };
    let rows = briefs
        .into_iter()
        .map(|(key, brief)| (format!("{:012}", 999_999_999_999 - number(&key)), brief));
    page(call, world, "serviceDeployments", 20, rows)
}

fn brief(record: &Value) -> Value {
    let mut brief = json!({
        "targetServiceRevisionArn": record.get("targetServiceRevision").map(|target| target.str("arn")),
    });
    let fields = [
        "serviceDeploymentArn",
        "serviceArn",
        "clusterArn",
        "startedAt",
        "createdAt",
        "finishedAt",
        "status",
        "statusReason",
    ];
    for field in fields {
        if let Some(value) = record.member(field) {
            set(&mut brief, field, value.clone());
        }
    }
    brief
}

/// At most twenty ARNs at a time (facts.md section 4).
fn arns<'c>(call: &'c Call, member: &str) -> Result<Vec<&'c str>, ServiceError> {
    let arns = call.input.texts(member);
    if arns.is_empty() || arns.len() > 20 {
        return Err(invalid(&format!(
            "{member} must have between 1 and 20 elements."
        )));
    }
    Ok(arns)
}

fn describe(call: &Call, world: &World<'_>) -> Answer {
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for arn in arns(call, "serviceDeploymentArns")? {
        match by_arn(arn, world) {
            Some((_, record)) => found.push(shown(record)),
            None => failures.push(missing(arn)),
        }
    }
    Ok(json!({ "serviceDeployments": found, "failures": failures }))
}

fn revisions(call: &Call, world: &World<'_>) -> Answer {
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for arn in arns(call, "serviceRevisionArns")? {
        match world.store.get(Table::ServiceRevision, arn) {
            Some(revision) => found.push(shown(revision)),
            None => failures.push(missing(arn)),
        }
    }
    Ok(json!({ "serviceRevisions": found, "failures": failures }))
}

/// The rollout that an ARN names, which must be under way.
fn under_way(call: &Call, world: &World<'_>) -> Result<(String, Rollout), ServiceError> {
    let arn = call.input.str("serviceDeploymentArn");
    let (record, _) = by_arn(arn, world).ok_or_else(|| {
        ServiceError::new(
            "ServiceDeploymentNotFoundException",
            "The service deployment was not found.",
        )
    })?;
    let key = service_key(arn);
    match Rollout::load(world, &key).filter(|rollout| rollout.record == record) {
        Some(rollout) if !matches!(rollout.phase, Phase::RollingBack | Phase::Draining) => {
            Ok((key, rollout))
        }
        _ => {
            let message = "The service deployment is not in a state that allows this.";
            Err(ServiceError::new("ConflictException", message))
        }
    }
}

fn stop(call: &Call, world: &mut World<'_>) -> Answer {
    let (key, rollout) = under_way(call, world)?;
    match call.input.text("stopType").unwrap_or("ROLLBACK") {
        "ROLLBACK" => rollouts::go_back(
            world,
            &key,
            &rollout,
            Failure::said("Service deployment stopped by a request to roll back."),
        ),
        "ABORT" => rollouts::give_up(world, &key, &rollout, "STOPPED", Failure::STOPPED),
        _ => return Err(invalid("stopType is ROLLBACK or ABORT.")),
    }
    Ok(json!({ "serviceDeploymentArn": call.input.str("serviceDeploymentArn") }))
}

fn resume(call: &Call, world: &mut World<'_>) -> Answer {
    let (key, rollout) = under_way(call, world)?;
    let record = world.store.get(Table::ServiceDeployment, &rollout.record);
    let hook = call.input.str("hookId");
    let waits = record.is_some_and(|record| {
        record
            .list("lifecycleHookDetails")
            .iter()
            .any(|detail| detail.str("hookId") == hook && detail.str("status") == "AWAITING_ACTION")
    });
    if rollout.phase != Phase::Paused || !waits {
        return Err(invalid("The hook does not wait for an action."));
    }
    let action = call.input.text("action").unwrap_or("CONTINUE");
    hooks::decide(world, &key, &rollout, action, "SUCCEEDED");
    Ok(json!({ "serviceDeploymentArn": call.input.str("serviceDeploymentArn") }))
}

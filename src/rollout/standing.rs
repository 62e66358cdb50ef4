//! How the watched rollout stands: by its service deployment, else by the deployment in
//! `DescribeServices`, else by the numbers of tasks.

use serde_json::Value;

use super::count;
use super::deployment::{Found, describe, find};
use super::event::Progress;
use super::outcome::{Ending, Evidence};
use super::send::primary;
use crate::aws::ecs::{self, text};
use crate::aws::{Aws, Error};
use crate::kind::RolloutHandle;

/// How a rollout stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It goes on.
    Running(Progress),
    /// It has ended, with ECS's words on it.
    Ended(Ending, Option<String>),
}

/// The rollout that is watched, and what is known of it so far.
pub(super) struct Watched<'a> {
    handle: &'a RolloutHandle,
    /// When its deployment was made, in seconds since the epoch.
    since: Option<f64>,
    service_deployment: Option<String>,
    /// Whether the endpoint has service deployments, as far as known.
    lacking: bool,
    /// Whether its deployment was seen to have failed: what comes after it is then a rollback.
    failed: bool,
    evidence: Evidence,
}

impl<'a> Watched<'a> {
    pub(super) fn new(handle: &'a RolloutHandle) -> Self {
        Self {
            handle,
            since: None,
            service_deployment: None,
            lacking: false,
            failed: false,
            evidence: Evidence::Deployment,
        }
    }

    /// The same, where it is known which service deployment it is.
    pub(super) fn known(handle: &'a RolloutHandle, service_deployment: String) -> Self {
        Self {
            service_deployment: Some(service_deployment),
            ..Self::new(handle)
        }
    }

    pub(super) fn handle(&self) -> &'a RolloutHandle {
        self.handle
    }

    pub(super) fn evidence(&self) -> Evidence {
        self.evidence
    }

    /// The service deployment's ARN, or else the deployment's id.
    pub(super) fn deployment(&self) -> Option<String> {
        self.service_deployment
            .clone()
            .or_else(|| self.handle.deployment.clone())
    }

    /// How it stands now. `service` is what `DescribeServices` says.
    pub(super) async fn look(&mut self, aws: &Aws, service: &Value) -> Result<Standing, Error> {
        let ours = our_deployment(self.handle, service);
        self.since = self
            .since
            .or_else(|| ours.and_then(|ours| ours.get("createdAt")?.as_f64()));
        if self.service_deployment.is_none() && !self.lacking {
            match find(aws, self.handle, self.since).await? {
                Found::Ours(arn) => self.service_deployment = Some(arn),
                Found::NotListed => {}
                Found::Lacking => self.lacking = true,
            }
        }
        let described = match &self.service_deployment {
            Some(arn) => describe(aws, arn).await?,
            None => None,
        };
        let standing = match described {
            Some(deployment) => {
                self.evidence = Evidence::ServiceDeployment;
                let standing = by_service_deployment(self.handle, service, &deployment);
                if matches!(standing, Standing::Ended(Ending::Stopped, _)) {
                    // Whoever took its place may have done so since the service was read.
                    self.look_again(aws, standing, &deployment).await?
                } else {
                    standing
                }
            }
            None => self.by_deployment(service, ours),
        };
        Ok(unless_scaled_to_zero(self.handle, service, standing))
    }

    async fn look_again(
        &self,
        aws: &Aws,
        standing: Standing,
        deployment: &Value,
    ) -> Result<Standing, Error> {
        let handle = self.handle;
        let now = ecs::service(aws, &handle.cluster, &handle.service).await?;
        Ok(now.map_or(standing, |now| {
            by_service_deployment(handle, &now, deployment)
        }))
    }

    fn by_deployment(&mut self, service: &Value, ours: Option<&Value>) -> Standing {
        let Some(ours) = ours else {
            return replaced(service, self.failed);
        };
        let reason = text(ours, "rolloutStateReason").map(str::to_owned);
        let state = text(ours, "rolloutState");
        self.failed |= state == Some("FAILED");
        let is_primary = text(ours, "status") == Some("PRIMARY");
        match state {
            Some("FAILED") if is_primary => Standing::Ended(Ending::Failed, reason),
            _ if !is_primary => replaced(service, self.failed),
            Some("COMPLETED") => Standing::Ended(Ending::Succeeded, reason),
            Some(state) => Standing::Running(progress(service, state)),
            None => {
                self.evidence = Evidence::Counts;
                by_counts(service, ours)
            }
        }
    }
}

/// The deployment that our call was answered with.
fn our_deployment<'a>(handle: &RolloutHandle, service: &'a Value) -> Option<&'a Value> {
    let deployments = service.get("deployments")?.as_array()?;
    deployments.iter().find(|one| is_ours(handle, one))
}

/// Whether a deployment of `DescribeServices` is the one that our call was answered with; where it had
/// no id, whether it is of our task definition.
pub(super) fn is_ours(handle: &RolloutHandle, deployment: &Value) -> bool {
    match &handle.deployment {
        Some(id) => text(deployment, "id") == Some(id),
        None => text(deployment, "taskDefinition") == Some(&handle.task_definition),
    }
}

fn by_service_deployment(handle: &RolloutHandle, service: &Value, deployment: &Value) -> Standing {
    let status = text(deployment, "status").unwrap_or("UNKNOWN");
    let rollback = deployment
        .get("rollback")
        .and_then(|one| text(one, "reason"));
    let reason = text(deployment, "statusReason").or(rollback);
    let reason = with_failed_hook(reason, deployment);
    match status {
        // It did succeed, but what it brought is being replaced already.
        "SUCCESSFUL" if is_superseded(handle, service) => {
            Standing::Ended(Ending::Superseded, reason)
        }
        "SUCCESSFUL" => Standing::Ended(Ending::Succeeded, reason),
        "ROLLBACK_SUCCESSFUL" => Standing::Ended(Ending::RolledBack, reason),
        "ROLLBACK_FAILED" => Standing::Ended(Ending::RollbackFailed, reason),
        "STOPPED" if is_triggered(deployment) => Standing::Ended(Ending::Failed, reason),
        "STOPPED" if is_superseded(handle, service) => Standing::Ended(Ending::Superseded, reason),
        "STOPPED" => Standing::Ended(Ending::Stopped, reason),
        _ => {
            // On its way back it waits for nobody, whatever the hook says.
            let goes_on = matches!(status, "PENDING" | "IN_PROGRESS");
            if let Some(hook) = paused_at(deployment).filter(|_| goes_on) {
                return Standing::Ended(Ending::Paused, Some(hook));
            }
            let mut progress = progress(service, status);
            progress.step = text(deployment, "lifecycleStage").map(str::to_owned);
            progress.traffic = traffic(deployment);
            Standing::Running(progress)
        }
    }
}

/// Whether the circuit breaker or an alarm stopped it: said so, or with its failures all counted.
fn is_triggered(deployment: &Value) -> bool {
    let monitors = ["deploymentCircuitBreaker", "alarms"];
    monitors.iter().any(|monitor| {
        let Some(monitor) = deployment.get(*monitor) else {
            return false;
        };
        let threshold = count(monitor, "threshold");
        text(monitor, "status") == Some("TRIGGERED")
            || (threshold > 0 && count(monitor, "failureCount") >= threshold)
    })
}

fn is_superseded(handle: &RolloutHandle, service: &Value) -> bool {
    primary(service).is_some_and(|primary| !is_ours(handle, primary))
}

/// The share of production traffic that the new revision has; none where no traffic is shifted.
fn traffic(deployment: &Value) -> Option<i64> {
    let target = deployment.get("targetServiceRevision")?;
    let weight = target.get("requestedProductionTrafficWeight")?.as_f64()?;
    // A weight is between 0 and 100.
    format!("{weight:.0}").parse().ok()
}

/// The hook that waits for an answer, in words.
fn paused_at(deployment: &Value) -> Option<String> {
    let hooks = deployment.get("lifecycleHookDetails")?.as_array()?;
    let hook = hooks.iter().find(|hook| waits(hook))?;
    let stage = text(deployment, "lifecycleStage").unwrap_or("a stage");
    let id = text(hook, "hookId").unwrap_or("without an id");
    Some(format!("hook {id} at {stage}"))
}

/// ECS's words on an ending, and the hook that failed or got no answer, where they do not name it.
fn with_failed_hook(reason: Option<&str>, deployment: &Value) -> Option<String> {
    let hooks = deployment
        .get("lifecycleHookDetails")
        .and_then(Value::as_array);
    let failed = hooks
        .into_iter()
        .flatten()
        .find(|hook| matches!(text(hook, "status"), Some("FAILED" | "TIMED_OUT")));
    let Some(failed) = failed else {
        return reason.map(str::to_owned);
    };
    let name = text(failed, "targetArn").or_else(|| text(failed, "hookId"));
    let name = name.unwrap_or("without an id");
    if reason.is_some_and(|reason| reason.contains(name)) {
        return reason.map(str::to_owned);
    }
    let stage = text(deployment, "lifecycleStage").unwrap_or("a stage");
    let status = text(failed, "status").unwrap_or_default();
    let hook = format!("hook {name} at {stage} is {status}");
    let reason = reason.map(|reason| reason.trim_end_matches('.'));
    Some(reason.map_or_else(|| hook.clone(), |reason| format!("{reason}; {hook}")))
}

/// Whether a hook waits for somebody to answer it.
pub(super) fn waits(hook: &Value) -> bool {
    text(hook, "status") == Some("AWAITING_ACTION") && text(hook, "targetType") == Some("PAUSE")
}

/// Ours is no longer the primary one, or gone.
fn replaced(service: &Value, failed: bool) -> Standing {
    let primary = primary(service);
    let reason = primary.and_then(|primary| text(primary, "rolloutStateReason"));
    let is_rollback = failed
        || reason.is_some_and(|reason| {
            let reason = reason.to_ascii_lowercase();
            reason.contains("rolling back") || reason.contains("rolled back")
        });
    if !is_rollback {
        return Standing::Ended(Ending::Superseded, reason.map(str::to_owned));
    }
    match primary.and_then(|primary| text(primary, "rolloutState")) {
        Some("IN_PROGRESS") => Standing::Running(progress(service, "rolling back")),
        _ => Standing::Ended(Ending::RolledBack, reason.map(str::to_owned)),
    }
}

fn by_counts(service: &Value, ours: &Value) -> Standing {
    let deployments = service.get("deployments").and_then(Value::as_array);
    let is_alone = deployments.is_some_and(|all| all.len() == 1);
    let desired = count(ours, "desiredCount");
    if is_alone && count(ours, "runningCount") == desired && count(ours, "pendingCount") == 0 {
        Standing::Ended(Ending::Succeeded, None)
    } else {
        Standing::Running(progress(service, "IN_PROGRESS"))
    }
}

/// A success without tasks is none, unless none were asked for.
fn unless_scaled_to_zero(handle: &RolloutHandle, service: &Value, standing: Standing) -> Standing {
    let is_empty = count(service, "desiredCount") == 0 && handle.desired_count > 0;
    match standing {
        Standing::Ended(Ending::Succeeded, reason) if is_empty => {
            Standing::Ended(Ending::ScaledToZero, reason)
        }
        other => other,
    }
}

fn progress(service: &Value, state: &str) -> Progress {
    let deployment = primary(service).unwrap_or(service);
    Progress {
        state: state.to_owned(),
        step: None,
        traffic: None,
        running: count(deployment, "runningCount"),
        desired: count(deployment, "desiredCount"),
        failed: count(deployment, "failedTasks"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Standing, by_counts, by_service_deployment, replaced, unless_scaled_to_zero};
    use crate::kind::RolloutHandle;
    use crate::rollout::Ending;

    fn handle() -> RolloutHandle {
        RolloutHandle {
            cluster: "c".to_owned(),
            service: "web".to_owned(),
            deployment: Some("ecs-svc/1".to_owned()),
            task_definition: "arn:web:2".to_owned(),
            digest: None,
            desired_count: 2,
        }
    }

    fn service(id: &str) -> Value {
        json!({
            "desiredCount": 2, "runningCount": 2,
            "deployments": [{
                "id": id, "status": "PRIMARY", "desiredCount": 2, "runningCount": 1,
                "failedTasks": 1, "rolloutState": "IN_PROGRESS",
            }],
        })
    }

    fn ending(standing: &Standing) -> Option<Ending> {
        match standing {
            Standing::Ended(ending, _) => Some(*ending),
            Standing::Running(_) => None,
        }
    }

    #[test]
    fn every_status_of_a_service_deployment_is_told_apart() {
        for (status, ours, other) in [
            (
                "SUCCESSFUL",
                Some(Ending::Succeeded),
                Some(Ending::Superseded),
            ),
            (
                "ROLLBACK_SUCCESSFUL",
                Some(Ending::RolledBack),
                Some(Ending::RolledBack),
            ),
            (
                "ROLLBACK_FAILED",
                Some(Ending::RollbackFailed),
                Some(Ending::RollbackFailed),
            ),
            ("STOPPED", Some(Ending::Stopped), Some(Ending::Superseded)),
            ("PENDING", None, None),
            ("IN_PROGRESS", None, None),
            ("STOP_REQUESTED", None, None),
            ("ROLLBACK_REQUESTED", None, None),
            ("ROLLBACK_IN_PROGRESS", None, None),
            ("A_STATUS_TO_COME", None, None),
        ] {
            let deployment = json!({"status": status});
            for (id, wanted) in [("ecs-svc/1", ours), ("ecs-svc/2", other)] {
                let standing = by_service_deployment(&handle(), &service(id), &deployment);
                assert_eq!(ending(&standing), wanted, "{status} {id}");
            }
        }
    }

    #[test]
    fn what_monitors_stopped_has_failed() {
        for monitor in [
            json!({"deploymentCircuitBreaker": {"status": "TRIGGERED"}}),
            json!({"deploymentCircuitBreaker": {"failureCount": 3, "threshold": 3}}),
            json!({"alarms": {"status": "TRIGGERED"}}),
        ] {
            let mut deployment = monitor;
            deployment["status"] = json!("STOPPED");
            let standing = by_service_deployment(&handle(), &service("ecs-svc/1"), &deployment);
            assert_eq!(ending(&standing), Some(Ending::Failed), "{deployment}");
        }
    }

    #[test]
    fn steps_and_traffic_are_told() {
        let deployment = json!({
            "status": "IN_PROGRESS", "lifecycleStage": "PRODUCTION_TRAFFIC_SHIFT",
            "targetServiceRevision": {"requestedProductionTrafficWeight": 25.0},
        });
        let standing = by_service_deployment(&handle(), &service("ecs-svc/1"), &deployment);
        let Standing::Running(progress) = standing else {
            unreachable!("{standing:?}");
        };
        assert_eq!(
            progress.to_string(),
            "IN_PROGRESS, PRODUCTION_TRAFFIC_SHIFT: 1 of 2 tasks running, 1 failed, 25 % of the traffic"
        );
    }

    #[test]
    fn only_a_pause_that_waits_is_a_pause() {
        let deployment = |kind: &str, status: &str| {
            json!({
                "status": "IN_PROGRESS", "lifecycleStage": "POST_SCALE_UP",
                "lifecycleHookDetails": [{"hookId": "h", "targetType": kind, "status": status}],
            })
        };
        for (kind, status, wanted) in [
            ("PAUSE", "AWAITING_ACTION", Some(Ending::Paused)),
            ("PAUSE", "SUCCEEDED", None),
            ("AWS_LAMBDA", "IN_PROGRESS", None),
        ] {
            let deployment = deployment(kind, status);
            let standing = by_service_deployment(&handle(), &service("ecs-svc/1"), &deployment);
            assert_eq!(ending(&standing), wanted, "{kind} {status}");
        }
        let mut back = deployment("PAUSE", "AWAITING_ACTION");
        back["status"] = json!("ROLLBACK_IN_PROGRESS");
        let standing = by_service_deployment(&handle(), &service("ecs-svc/1"), &back);
        assert_eq!(ending(&standing), None);
    }

    #[test]
    fn a_hook_that_failed_is_named_once_with_its_stage() {
        let function = "arn:aws:lambda:us-east-2:633607774026:function:smoke";
        let mut deployment = json!({
            "status": "ROLLBACK_FAILED", "lifecycleStage": "POST_SCALE_UP",
            "statusReason": "Nothing to go back to.",
            "lifecycleHookDetails": [
                {"hookId": "h1", "targetType": "PAUSE", "status": "SUCCEEDED"},
                {"hookId": "h2", "targetType": "AWS_LAMBDA", "targetArn": function, "status": "FAILED"},
            ],
        });
        let reason = |deployment: &Value| match by_service_deployment(
            &handle(),
            &service("ecs-svc/1"),
            deployment,
        ) {
            Standing::Ended(_, reason) => reason.unwrap(),
            Standing::Running(progress) => unreachable!("{progress}"),
        };
        assert_eq!(
            reason(&deployment),
            format!("Nothing to go back to; hook {function} at POST_SCALE_UP is FAILED")
        );
        let words = format!("POST_SCALE_UP lifecycle hook(s) failed: {function}.");
        deployment["statusReason"] = json!(words);
        assert_eq!(reason(&deployment), words);
        deployment["statusReason"] = json!(null);
        deployment["lifecycleHookDetails"][1] =
            json!({"hookId": "h2", "targetType": "PAUSE", "status": "TIMED_OUT"});
        assert_eq!(reason(&deployment), "hook h2 at POST_SCALE_UP is TIMED_OUT");
    }

    #[test]
    fn a_deployment_that_is_replaced_went_back_or_was_superseded() {
        let mut other = service("ecs-svc/2");
        assert_eq!(ending(&replaced(&other, false)), Some(Ending::Superseded));
        assert_eq!(ending(&replaced(&other, true)), None);
        other["deployments"][0]["rolloutState"] = json!("COMPLETED");
        assert_eq!(ending(&replaced(&other, true)), Some(Ending::RolledBack));
        let reason = "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/2.";
        other["deployments"][0]["rolloutStateReason"] = json!(reason);
        assert_eq!(ending(&replaced(&other, false)), Some(Ending::RolledBack));
    }

    #[test]
    fn counts_are_a_success_only_once_nothing_else_runs() {
        let mut alone = service("ecs-svc/1");
        let ours = alone["deployments"][0].clone();
        assert_eq!(ending(&by_counts(&alone, &ours)), None);
        alone["deployments"][0]["runningCount"] = json!(2);
        let ours = alone["deployments"][0].clone();
        assert_eq!(ending(&by_counts(&alone, &ours)), Some(Ending::Succeeded));
        let deployments = alone["deployments"].as_array_mut().unwrap();
        deployments.push(json!({"status": "ACTIVE"}));
        assert_eq!(ending(&by_counts(&alone, &ours)), None);
    }

    #[test]
    fn success_without_tasks_is_none_unless_none_were_asked_for() {
        let success = || Standing::Ended(Ending::Succeeded, None);
        let empty = json!({"desiredCount": 0});
        let found = unless_scaled_to_zero(&handle(), &empty, success());
        assert_eq!(ending(&found), Some(Ending::ScaledToZero));
        let mut none = handle();
        none.desired_count = 0;
        let found = unless_scaled_to_zero(&none, &empty, success());
        assert_eq!(ending(&found), Some(Ending::Succeeded));
    }
}

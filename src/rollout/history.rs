//! What the service deployments of a service say of its past: which revisions succeeded one after
//! another, what is under way, and whether the service has gone back. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use super::back::UnderWay;
use crate::aws::ecs::{self, text};

/// One deployment of the past, or the one that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Past {
    deployment: String,
    status: String,
    task_definition: String,
}

/// The deployments of a service, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct History {
    past: Vec<Past>,
    /// Older revisions that may have run, newest first, for endpoints without service deployments.
    older: Vec<String>,
}

/// The way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The newest deployment is under way: stop it.
    Stop(UnderWay),
    /// It is going back already.
    Follow(UnderWay),
    /// The service has gone back already.
    Already,
    /// ARNs of revisions to go back to, best first.
    Revisions(Vec<String>),
}

impl History {
    /// From the service deployments, newest first, and the task definitions of their revisions.
    pub(super) fn of(list: &[Value], definitions: &BTreeMap<String, String>) -> Self {
        let past = list.iter().filter_map(|one| {
            let target = text(one, "targetServiceRevisionArn").unwrap_or_default();
            Some(Past {
                deployment: text(one, "serviceDeploymentArn")?.to_owned(),
                status: text(one, "status").unwrap_or("UNKNOWN").to_owned(),
                task_definition: definitions.get(target).cloned().unwrap_or_default(),
            })
        });
        Self {
            past: past.collect(),
            older: Vec::new(),
        }
    }

    /// From the deployments of `DescribeServices` and the family's ACTIVE revisions, newest first:
    /// a revision with a greater number than the one that runs was left behind.
    pub(super) fn without_deployments(deployments: &[&Value], family: Vec<String>) -> Self {
        let is_primary = |one: &&&Value| text(one, "status") == Some("PRIMARY");
        let Some(primary) = deployments.iter().find(is_primary) else {
            return Self::default();
        };
        let runs = text(primary, "taskDefinition").unwrap_or_default();
        let number = |arn: &str| ecs::revision_of(arn).map_or(0, |(_, number)| number);
        let mut past = Vec::new();
        let has_ended = text(primary, "rolloutState").is_none_or(|state| state != "IN_PROGRESS");
        let status = if has_ended {
            "SUCCESSFUL"
        } else {
            "IN_PROGRESS"
        };
        if family.iter().any(|arn| number(arn) > number(runs)) {
            // As if it had been: what runs, what was left behind, and what runs once more.
            for (status, arn) in [(status, runs), ("FAILED", ""), ("SUCCESSFUL", runs)] {
                past.push(Past {
                    deployment: String::new(),
                    status: status.to_owned(),
                    task_definition: arn.to_owned(),
                });
            }
        }
        let others = deployments
            .iter()
            .filter_map(|one| text(one, "taskDefinition"))
            .map(str::to_owned);
        let mut older: Vec<String> = others.chain(family).collect();
        older.retain(|arn| number(arn) < number(runs));
        older.sort_by_key(|arn| std::cmp::Reverse(number(arn)));
        older.dedup();
        Self { past, older }
    }

    /// What succeeded and is not what runs, newest first, each once: a rollback may go there by name.
    pub(super) fn others(&self, runs: &str) -> Vec<String> {
        let succeeded = self.past.iter().filter(|one| one.status == "SUCCESSFUL");
        let succeeded = succeeded.map(|one| &one.task_definition);
        let mut others: Vec<String> = Vec::new();
        for arn in succeeded.chain(&self.older) {
            if arn != runs && !arn.is_empty() && !others.contains(arn) {
                others.push(arn.clone());
            }
        }
        others
    }

    /// The way back from what runs.
    pub(super) fn way_back(&self, runs: &str) -> Way {
        let Some((newest, before)) = self.past.split_first() else {
            return Way::Revisions(self.older.clone());
        };
        let succeeded = stack(before);
        let is_return = succeeded.contains(&newest.task_definition.as_str())
            && before
                .first()
                .is_some_and(|last| last.task_definition != newest.task_definition);
        let under_way = UnderWay {
            deployment: newest.deployment.clone(),
            task_definition: newest.task_definition.clone(),
        };
        match newest.status.as_str() {
            "ROLLBACK_REQUESTED" | "ROLLBACK_IN_PROGRESS" | "STOP_REQUESTED" => {
                Way::Follow(under_way)
            }
            // A rollback that was sent by a run that did not see its end.
            "PENDING" | "IN_PROGRESS" if is_return => {
                Way::Revisions(vec![newest.task_definition.clone()])
            }
            "PENDING" | "IN_PROGRESS" => Way::Stop(under_way),
            "ROLLBACK_SUCCESSFUL" => Way::Already,
            "SUCCESSFUL" if is_return => Way::Already,
            _ => {
                // Not what the newest one brought, even if it ended well; where a rollback failed,
                // what it was to bring back is the first to try once more.
                let left = [newest.task_definition.as_str(), runs];
                let left = if newest.status == "ROLLBACK_FAILED" {
                    left.get(..1).unwrap_or_default()
                } else {
                    left.as_slice()
                };
                let all = stack(&self.past);
                let back = all.into_iter().rev().filter(|arn| !left.contains(arn));
                let mut back: Vec<String> = back.map(str::to_owned).collect();
                back.extend(self.older.iter().cloned());
                Way::Revisions(back)
            }
        }
    }
}

/// The revisions that succeeded, oldest first. Where one came again, what came after it has been gone
/// back from, and is left out.
fn stack(past: &[Past]) -> Vec<&str> {
    let mut stack: Vec<&str> = Vec::new();
    for one in past.iter().rev().filter(|one| one.status == "SUCCESSFUL") {
        let arn = one.task_definition.as_str();
        match stack.iter().position(|before| *before == arn) {
            Some(at) => stack.truncate(at + 1),
            None if arn.is_empty() => {}
            None => stack.push(arn),
        }
    }
    stack
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{History, Past, Way};

    /// A past from words such as `"1 SUCCESSFUL"`, oldest first.
    fn history(words: &[&str]) -> History {
        let past = words.iter().rev().enumerate().map(|(number, words)| {
            let (revision, status) = words.split_once(' ').unwrap();
            Past {
                deployment: format!("deployment-{number}"),
                status: status.to_owned(),
                task_definition: revision.to_owned(),
            }
        });
        History {
            past: past.collect(),
            older: Vec::new(),
        }
    }

    fn revisions(all: &[&str]) -> Way {
        Way::Revisions(all.iter().map(|one| (*one).to_owned()).collect())
    }

    #[test]
    fn the_way_back_is_what_succeeded_before() {
        let past = history(&["1 SUCCESSFUL", "2 SUCCESSFUL", "3 SUCCESSFUL"]);
        assert_eq!(past.way_back("3"), revisions(&["2", "1"]));
        let past = history(&["1 SUCCESSFUL", "2 FAILED", "3 SUCCESSFUL"]);
        assert_eq!(past.way_back("3"), revisions(&["1"]));
        assert_eq!(history(&["1 SUCCESSFUL"]).way_back("1"), revisions(&[]));
        assert_eq!(history(&[]).way_back("1"), revisions(&[]));
    }

    #[test]
    fn after_a_failure_without_rollback_it_is_the_last_success() {
        for status in ["STOPPED", "ROLLBACK_FAILED"] {
            let last = format!("3 {status}");
            let past = history(&["1 SUCCESSFUL", "2 SUCCESSFUL", &last]);
            assert_eq!(past.way_back("3"), revisions(&["2", "1"]), "{status}");
        }
        // ECS was on its way back to it.
        let past = history(&["1 SUCCESSFUL", "2 SUCCESSFUL", "3 ROLLBACK_FAILED"]);
        assert_eq!(past.way_back("2"), revisions(&["2", "1"]));
    }

    #[test]
    fn what_is_under_way_is_stopped_and_what_goes_back_is_followed() {
        for status in ["PENDING", "IN_PROGRESS"] {
            let last = format!("2 {status}");
            let past = history(&["1 SUCCESSFUL", &last]);
            assert!(matches!(past.way_back("2"), Way::Stop(one) if one.task_definition == "2"));
        }
        for status in [
            "ROLLBACK_REQUESTED",
            "ROLLBACK_IN_PROGRESS",
            "STOP_REQUESTED",
        ] {
            let last = format!("2 {status}");
            let past = history(&["1 SUCCESSFUL", &last]);
            assert!(matches!(past.way_back("1"), Way::Follow(_)), "{status}");
        }
    }

    #[test]
    fn a_second_rollback_does_not_go_further_nor_to_and_fro() {
        let past = history(&[
            "1 SUCCESSFUL",
            "2 SUCCESSFUL",
            "3 SUCCESSFUL",
            "2 SUCCESSFUL",
        ]);
        assert_eq!(past.way_back("2"), Way::Already);
        let past = history(&["1 SUCCESSFUL", "2 SUCCESSFUL", "3 ROLLBACK_SUCCESSFUL"]);
        assert_eq!(past.way_back("2"), Way::Already);
        // It was sent, and whoever sent it did not see the end.
        let past = history(&["1 SUCCESSFUL", "2 SUCCESSFUL", "1 IN_PROGRESS"]);
        assert_eq!(past.way_back("1"), revisions(&["1"]));
        // What was gone back from is no way back from what came next.
        let past = history(&[
            "1 SUCCESSFUL",
            "2 SUCCESSFUL",
            "1 SUCCESSFUL",
            "3 SUCCESSFUL",
        ]);
        assert_eq!(past.way_back("3"), revisions(&["1"]));
    }

    #[test]
    fn whatever_succeeded_may_be_gone_back_to_by_name() {
        let past = history(&[
            "1 SUCCESSFUL",
            "2 FAILED",
            "3 SUCCESSFUL",
            "1 SUCCESSFUL",
            "4 SUCCESSFUL",
        ]);
        assert_eq!(past.others("4"), ["1", "3"]);
    }

    #[test]
    fn the_same_revision_once_more_is_no_going_back() {
        let past = history(&["1 SUCCESSFUL", "2 SUCCESSFUL", "2 IN_PROGRESS"]);
        assert!(matches!(past.way_back("2"), Way::Stop(_)));
        let past = history(&["1 SUCCESSFUL", "2 SUCCESSFUL", "2 SUCCESSFUL"]);
        assert_eq!(past.way_back("2"), revisions(&["1"]));
    }

    #[test]
    fn without_service_deployments_the_numbers_of_revisions_tell() {
        let arn = |number: u64| format!("arn:aws:ecs:r:1:task-definition/web:{number}");
        let primary = |number: u64, state: &str| json!({"status": "PRIMARY", "taskDefinition": arn(number), "rolloutState": state});
        let family = || vec![arn(3), arn(2), arn(1)];
        let now = primary(3, "COMPLETED");
        let past = History::without_deployments(&[&now], family());
        assert_eq!(past.way_back(&arn(3)), Way::Revisions(vec![arn(2), arn(1)]));
        let now = primary(2, "COMPLETED");
        let past = History::without_deployments(&[&now], family());
        assert_eq!(past.way_back(&arn(2)), Way::Already);
        let now = primary(2, "IN_PROGRESS");
        let past = History::without_deployments(&[&now], family());
        assert_eq!(past.way_back(&arn(2)), Way::Revisions(vec![arn(2)]));
    }
}

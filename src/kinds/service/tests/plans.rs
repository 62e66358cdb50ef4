//! The calls between two specs, and that their effects add up to the second one.

use proptest::prelude::*;
use serde_json::json;

use super::super::calls::{Call, calls, effect, hazards};
use super::super::spec::Spec;
use super::{declared, seed_with};
use crate::kind::{Address, Hazard, RefusalCause};

fn fold(before: Option<Spec>, after: Option<&Spec>) -> Option<Spec> {
    let made = calls(before.as_ref(), after);
    made.iter()
        .fold(before, |spec, call| effect(spec, call).unwrap())
}

fn base() -> Spec {
    declared(&seed_with(&[]))
}

fn all_hazards(before: &Spec, after: &Spec) -> Vec<Hazard> {
    calls(Some(before), Some(after))
        .iter()
        .flat_map(hazards)
        .collect()
}

#[test]
fn equal_specs_mean_no_calls() {
    assert!(calls(Some(&base()), Some(&base())).is_empty());
}

#[test]
fn everything_that_differs_goes_in_one_update() {
    let before = base();
    let after = declared(&seed_with(&[
        (
            "desired_count = 1",
            "desired_count = 3\nenable_ecs_managed_tags = true",
        ),
        ("cpu = 256", "cpu = 512"),
        ("memory = 512", "memory = 1024"),
        ("team = \"platform\"", "group = \"platform\""),
    ]));
    let names: Vec<String> = calls(Some(&before), Some(&after))
        .iter()
        .map(|call| crate::kind::AnyCall::new(call.clone()).name())
        .collect();
    assert_eq!(names, ["Tag", "Update", "Untag"]);
    assert_eq!(
        fold(Some(before.clone()), Some(&after)),
        Some(after.clone())
    );
    assert_eq!(all_hazards(&before, &after), [Hazard::Deploys]);
}

#[test]
fn a_count_starts_no_deployment() {
    let after = declared(&seed_with(&[("desired_count = 1", "desired_count = 2")]));
    assert!(all_hazards(&base(), &after).is_empty());
    let after = declared(&seed_with(&[("\"sg-0a\"", "\"sg-0b\"")]));
    assert_eq!(all_hazards(&base(), &after), [Hazard::Deploys]);
}

#[test]
fn what_only_a_creation_sets_replaces_the_service() {
    let on_instances = seed_with(&[
        ("launch_type = \"FARGATE\"", "launch_type = \"EC2\""),
        ("cpu = 256", "cpu = 256\nnetwork_mode = \"awsvpc\""),
    ]);
    let after = declared(&on_instances);
    let made = calls(Some(&base()), Some(&after));
    assert!(matches!(made.as_slice(), [Call::Replace { .. }]));
    assert_eq!(
        all_hazards(&base(), &after),
        [Hazard::Replaces, Hazard::Deploys]
    );
    assert_eq!(fold(Some(base()), Some(&after)), Some(after));
}

#[test]
fn capacity_providers_take_the_place_of_a_launch_type_without_a_new_service() {
    let after = declared(&seed_with(&[(
        "launch_type = \"FARGATE\"",
        "capacity_provider_strategy = [{ capacity_provider = \"FARGATE_SPOT\", weight = 1 }]",
    )]));
    for (before, after) in [(base(), after.clone()), (after, base())] {
        let made = calls(Some(&before), Some(&after));
        assert!(matches!(made.as_slice(), [Call::Update { .. }]), "{made:?}");
        assert_eq!(fold(Some(before), Some(&after)), Some(after));
    }
}

#[test]
fn adopting_adds_the_mark_and_changes_nothing_else() {
    let mut before = base();
    before.owner = None;
    let made = calls(Some(&before), Some(&base()));
    assert!(matches!(made.as_slice(), [Call::Tag { tags, .. }] if tags.len() == 1));
    assert_eq!(fold(Some(before), Some(&base())), Some(base()));
}

#[test]
fn another_controller_refuses_a_new_task_definition() {
    let mut before = base();
    before
        .settings
        .insert("deployment_controller".into(), json!("CODE_DEPLOY"));
    let mut after = before.clone();
    after.task.settings.insert("cpu".into(), json!(512));
    let made = calls(Some(&before), Some(&after));
    let refusal = effect(Some(before), &made[0]).unwrap_err();
    assert_eq!(refusal.cause, RefusalCause::Immutable);
}

#[test]
fn refers_to_all_that_the_tasks_need() {
    let refers = base().refers();
    let names: Vec<String> = refers.iter().map(Address::to_string).collect();
    assert_eq!(
        names,
        [
            "cluster/operationcode",
            "log_group//ecs/back-end-staging",
            "repository/back-end",
            "role/ecsTaskExecutionRole",
            "secret/back-end/staging/jwt",
        ]
    );
}

fn edited() -> impl Strategy<Value = Spec> {
    let count = prop_oneof![Just(None), (0..4).prop_map(Some)];
    let settings = prop::collection::btree_map(
        prop_oneof![
            Just("health_check_grace_period"),
            Just("load_balancers"),
            Just("enable_execute_command"),
            Just("propagate_tags"),
            Just("launch_type"),
            Just("scheduling_strategy"),
        ],
        prop_oneof![Just(json!(1)), Just(json!("x")), Just(json!([{"a": 1}]))],
        0..6,
    );
    let tags = prop::collection::btree_map("[a-c]", "[x-z]", 0..4);
    let owner = prop_oneof![Just(None), Just(Some("back-end@us-east-2".to_owned()))];
    let breaker = prop_oneof![Just(None), any::<bool>().prop_map(Some)];
    (count, settings, tags, owner, breaker).prop_map(|(count, settings, tags, owner, breaker)| {
        let mut spec = base();
        (spec.desired_count, spec.tags, spec.owner) = (count.or(Some(1)), tags, owner);
        let settings = settings.into_iter();
        spec.settings
            .extend(settings.map(|(key, value)| (key.to_owned(), value)));
        let mut deployment = json!({"maximum_percent": 200});
        if let Some(rollback) = breaker {
            deployment["circuit_breaker"] = json!({"enable": true, "rollback": rollback});
        }
        spec.settings.insert("deployment".into(), deployment);
        spec
    })
}

proptest! {
    #[test]
    fn effects_add_up_to_the_goal(before in edited(), mut after in edited()) {
        // The mark is never taken away.
        after.owner = after.owner.or(before.owner.clone());
        prop_assert_eq!(fold(Some(before), Some(&after)), Some(after.clone()));
        prop_assert_eq!(fold(None, Some(&after)), Some(after.clone()));
        prop_assert_eq!(fold(Some(after), None), None);
    }
}

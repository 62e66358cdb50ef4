//! No default of AWS is ever drift: each one filled in, left out and spelt otherwise.

use serde_json::{Value, json};

use super::super::calls::{calls, keep};
use super::{declared, live_definition, live_service, observed, seed_with};
use crate::config::Config;

fn drift(config: &Config, service: &Value, definition: &Value) -> Vec<String> {
    let live = observed(config, service, definition);
    let goal = keep(declared(config), Some(&live));
    let empty = std::collections::BTreeSet::new();
    let before = serde_json::to_value(&live).unwrap();
    let changes = crate::diff::diff(&before, &serde_json::to_value(&goal).unwrap(), &empty);
    assert_eq!(
        changes.is_empty(),
        calls(Some(&live), Some(&goal)).is_empty()
    );
    changes.into_iter().map(|change| change.path).collect()
}

/// Sets, or with null removes, what a JSON pointer names.
fn set(value: &mut Value, pointer: &str, to: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = value.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match to {
        Value::Null => parent.shift_remove(key),
        to => parent.insert(key.to_owned(), to),
    };
}

#[test]
fn what_aws_fills_in_is_not_drift() {
    let config = seed_with(&[]);
    assert_eq!(drift(&config, &live_service(), &live_definition()), [""; 0]);
}

#[test]
fn a_field_that_an_answer_lacks_counts_as_its_default() {
    let config = seed_with(&[]);
    for pointer in [
        "/platformVersion",
        "/deploymentConfiguration",
        "/deploymentConfiguration/deploymentCircuitBreaker",
        "/deploymentConfiguration/alarms",
        "/deploymentConfiguration/strategy",
        "/deploymentConfiguration/maximumPercent",
        "/networkConfiguration/awsvpcConfiguration/assignPublicIp",
        "/healthCheckGracePeriodSeconds",
        "/schedulingStrategy",
        "/deploymentController",
        "/propagateTags",
        "/enableExecuteCommand",
        "/enableECSManagedTags",
        "/availabilityZoneRebalancing",
        "/deployments",
        "/loadBalancers",
        "/roleArn",
    ] {
        let mut service = live_service();
        set(&mut service, pointer, Value::Null);
        assert_eq!(
            drift(&config, &service, &live_definition()),
            [""; 0],
            "{pointer}"
        );
    }
    for pointer in [
        "/networkMode",
        "/requiresCompatibilities",
        "/volumes",
        "/enableFaultInjection",
        "/containerDefinitions/0/cpu",
        "/containerDefinitions/0/essential",
        "/containerDefinitions/0/portMappings/0/protocol",
        "/containerDefinitions/0/portMappings/0/hostPort",
        "/containerDefinitions/0/mountPoints",
        "/containerDefinitions/0/systemControls",
        "/containerDefinitions/0/versionConsistency",
        "/containerDefinitions/0/logConfiguration/secretOptions",
        "/containerDefinitions/0/healthCheck/interval",
        "/containerDefinitions/0/healthCheck/timeout",
        "/containerDefinitions/0/healthCheck/retries",
        "/containerDefinitions/0/healthCheck/startPeriod",
    ] {
        let mut definition = live_definition();
        set(&mut definition, pointer, Value::Null);
        assert_eq!(
            drift(&config, &live_service(), &definition),
            [""; 0],
            "{pointer}"
        );
    }
}

#[test]
fn spellings_of_one_value_are_equal() {
    let config = seed_with(&[]);
    for (pointer, value) in [
        ("/cpu", json!(".25 vCPU")),
        ("/memory", json!("0.5 GB")),
        ("/containerDefinitions/0/portMappings/0/hostPort", json!(0)),
        ("/containerDefinitions/0/privileged", json!(false)),
        (
            "/containerDefinitions/0/linuxParameters",
            json!({"initProcessEnabled": false}),
        ),
        ("/containerDefinitions/0/user", json!("")),
        ("/taskRoleArn", json!("")),
    ] {
        let mut definition = live_definition();
        set(&mut definition, pointer, value);
        assert_eq!(
            drift(&config, &live_service(), &definition),
            [""; 0],
            "{pointer}"
        );
    }
    let mut service = live_service();
    set(&mut service, "/platformVersion", json!("1.4.0"));
    assert_eq!(drift(&config, &service, &live_definition()), [""; 0]);
}

#[test]
fn any_tag_and_any_digest_of_the_repository_are_equal() {
    let config = seed_with(&[]);
    let registry = "633607774026.dkr.ecr.us-east-2.amazonaws.com";
    for (image, paths) in [
        (format!("{registry}/back-end:prod"), vec![]),
        (format!("{registry}/back-end@sha256:00"), vec![]),
        (format!("{registry}/back-end"), vec![]),
        (
            format!("{registry}/other:prod"),
            vec!["task.container.web.image"],
        ),
        ("nginx:1".to_owned(), vec!["task.container.web.image"]),
    ] {
        let mut definition = live_definition();
        set(
            &mut definition,
            "/containerDefinitions/0/image",
            json!(image),
        );
        let mut found = drift(&config, &live_service(), &definition);
        found.dedup_by_key(|path| path.starts_with("task.container.web.image"));
        assert_eq!(found.len(), paths.len(), "{image}: {found:?}");
    }
}

#[test]
fn an_image_written_as_a_text_is_compared_to_the_letter() {
    let image = "633607774026.dkr.ecr.us-east-2.amazonaws.com/back-end:staging";
    let from = "{ repository = \"back-end\", tag = \"{{image_tag}}\" }";
    let config = seed_with(&[(from, &format!("\"{image}\""))]);
    assert_eq!(drift(&config, &live_service(), &live_definition()), [""; 0]);
    let mut definition = live_definition();
    set(
        &mut definition,
        "/containerDefinitions/0/image",
        json!(format!("{image}2")),
    );
    assert_eq!(
        drift(&config, &live_service(), &definition),
        ["task.container.web.image"]
    );
}

#[test]
fn what_differs_is_named_by_its_path() {
    let config = seed_with(&[]);
    for (pointer, value, path) in [
        ("/desiredCount", json!(4), "desired_count"),
        (
            "/enableExecuteCommand",
            json!(true),
            "enable_execute_command",
        ),
        (
            "/availabilityZoneRebalancing",
            json!("DISABLED"),
            "availability_zone_rebalancing",
        ),
        (
            "/deploymentConfiguration/maximumPercent",
            json!(150),
            "deployment.maximum_percent",
        ),
        (
            "/networkConfiguration/awsvpcConfiguration/assignPublicIp",
            json!("ENABLED"),
            "network.assign_public_ip",
        ),
        (
            "/tags",
            json!([{"key": "provision:owner", "value": "back-end@us-east-2"}]),
            "tags.team",
        ),
    ] {
        let mut service = live_service();
        set(&mut service, pointer, value);
        assert_eq!(drift(&config, &service, &live_definition()), [path]);
    }
    for (pointer, value, path) in [
        ("/cpu", json!("512"), "task.cpu"),
        (
            "/executionRoleArn",
            json!("arn:aws:iam::633607774026:role/x"),
            "task.execution_role",
        ),
        (
            "/containerDefinitions/0/environment/1/value",
            json!("1"),
            "task.container.web.environment.DEBUG",
        ),
        (
            "/containerDefinitions/0/secrets/0/valueFrom",
            json!("arn:aws:secretsmanager:us-east-2:633607774026:secret:other-a1B2c3"),
            "task.container.web.secrets.JWT_SECRET_KEY",
        ),
        (
            "/runtimePlatform/cpuArchitecture",
            json!("X86_64"),
            "task.architecture",
        ),
    ] {
        let mut definition = live_definition();
        *definition.pointer_mut(pointer).unwrap() = value;
        assert_eq!(drift(&config, &live_service(), &definition), [path]);
    }
}

#[test]
fn unknown_fields_of_live_are_kept() {
    let config = seed_with(&[("DEBUG = \"0\"", "DEBUG = \"1\"")]);
    let (mut service, mut definition) = (live_service(), live_definition());
    set(&mut definition, "/newField", json!({"a": [1]}));
    set(
        &mut definition,
        "/containerDefinitions/0/newContainerField",
        json!("x"),
    );
    set(
        &mut definition,
        "/containerDefinitions/0/healthCheck/newHealthField",
        json!(1),
    );
    set(
        &mut definition,
        "/runtimePlatform/newPlatformField",
        json!(1),
    );
    set(
        &mut service,
        "/deploymentConfiguration/newDeploymentField",
        json!(true),
    );
    set(&mut service, "/newServiceField", json!(true));
    let path = ["task.container.web.environment.DEBUG"];
    assert_eq!(drift(&config, &service, &definition), path);

    let live = observed(&config, &service, &definition);
    let goal = keep(declared(&config), Some(&live));
    let secrets = [(
        "back-end/staging/jwt".to_owned(),
        Some(
            "arn:aws:secretsmanager:us-east-2:633607774026:secret:back-end/staging/jwt-a1B2c3"
                .to_owned(),
        ),
    )];
    let names = super::Names::new(&config, secrets.into());
    let sent = super::super::answer::definition_of(&goal.task, &names, |_, _| "image".to_owned());
    let sent = sent.unwrap();
    for pointer in [
        "/newField",
        "/containerDefinitions/0/newContainerField",
        "/containerDefinitions/0/healthCheck/newHealthField",
        "/runtimePlatform/newPlatformField",
    ] {
        assert_eq!(
            sent.pointer(pointer),
            definition.pointer(pointer),
            "{pointer}"
        );
    }
}

#[test]
fn a_count_that_is_ignored_is_kept() {
    let config = seed_with(&[(
        "desired_count = 1",
        "desired_count = 1\nignore_desired_count = true",
    )]);
    let mut service = live_service();
    set(&mut service, "/desiredCount", json!(7));
    assert_eq!(drift(&config, &service, &live_definition()), [""; 0]);
}

#[test]
fn log_routers_run_as_root() {
    let router = "\n[service.\"back-end-{{environment}}\".task.container.log]\nimage = \"bit\"\nfirelens_configuration = { type = \"fluentbit\" }\n";
    let config = super::parse(&format!("{}{router}", super::SEED));
    let mut definition = live_definition();
    let containers = definition["containerDefinitions"].as_array_mut().unwrap();
    containers.insert(
        0,
        json!({
            "name": "log", "image": "bit", "essential": true, "cpu": 0, "user": "0",
            "environment": [], "firelensConfiguration": {"type": "fluentbit"},
        }),
    );
    assert_eq!(drift(&config, &live_service(), &definition), [""; 0]);
}

#[test]
fn daemons_have_their_own_defaults() {
    let network =
        "network = { subnets = [\"subnet-0b\", \"subnet-0a\"], security_groups = [\"sg-0a\"] }";
    let config = seed_with(&[
        (network, "scheduling_strategy = \"DAEMON\""),
        ("desired_count = 1\n", ""),
        ("launch_type = \"FARGATE\"", "launch_type = \"EC2\""),
    ]);
    let spec = declared(&config);
    assert_eq!(spec.desired_count, None);
    let deployment = json!({"maximum_percent": 100, "minimum_healthy_percent": 0});
    assert_eq!(spec.settings["deployment"], deployment);
    assert_eq!(spec.settings["availability_zone_rebalancing"], "DISABLED");
    assert_eq!(spec.task.settings["network_mode"], "bridge");
    assert!(!spec.settings.contains_key("platform_version"));
}

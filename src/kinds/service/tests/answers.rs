//! What is sent says the same as what it was made from.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::answer::{definition_of, task_of};
use super::super::names::{Names, Secrets};
use super::super::service_fields::SERVICE;
use super::super::shape::write;
use super::{declared, live_definition, live_service, observed, seed_with};

const JWT: &str =
    "arn:aws:secretsmanager:us-east-2:633607774026:secret:back-end/staging/jwt-a1B2c3";

fn secrets() -> Secrets {
    [("back-end/staging/jwt".to_owned(), Some(JWT.to_owned()))].into()
}

#[test]
fn a_registered_definition_reads_back_as_it_was_declared() {
    let config = seed_with(&[]);
    let names = Names::new(&config, secrets());
    let task = declared(&config).task;
    let image = format!("{}:staging", config.repository_url("back-end"));
    let sent = definition_of(&task, &names, |_, _| image.clone()).unwrap();
    assert_eq!(
        sent["containerDefinitions"][0]["secrets"][0]["valueFrom"],
        JWT
    );
    assert_eq!(sent["cpu"], "256");
    assert_eq!(sent["runtimePlatform"]["cpuArchitecture"], "ARM64");
    assert_eq!(task_of(&sent, None, &names).unwrap(), task);
}

#[test]
fn a_created_service_reads_back_as_it_was_declared() {
    let config = seed_with(&[]);
    let names = Names::new(&config, secrets());
    let spec = declared(&config);
    let mut sent = write(SERVICE, &spec.settings, &names).unwrap();
    let live = live_service();
    for field in [
        "serviceName",
        "clusterArn",
        "desiredCount",
        "tags",
        "status",
    ] {
        sent.insert(field.to_owned(), live[field].clone());
    }
    assert_eq!(
        observed(&config, &Value::Object(sent), &live_definition()),
        spec
    );
}

#[test]
fn a_secret_made_anew_is_drift_and_its_old_arn_is_not_ours() {
    let config = seed_with(&[]);
    let renewed = JWT.replace("a1B2c3", "z9Z9z9");
    let names = Names::new(
        &config,
        [("back-end/staging/jwt".to_owned(), Some(renewed))].into(),
    );
    assert_eq!(names.secret_text(JWT), JWT);
    let names = Names::new(&config, secrets());
    assert_eq!(
        names.secret_text(&format!("{JWT}:KEY::")),
        "back-end/staging/jwt:KEY::"
    );
    assert_eq!(names.secret_text("/a/parameter"), "ssm:/a/parameter");
    let foreign = JWT.replace("633607774026", "000000000000");
    assert_eq!(names.secret_text(&foreign), foreign);
}

#[test]
fn removals_are_said_in_the_words_of_update_service() {
    let config = seed_with(&[]);
    let names = Names::new(&config, BTreeMap::new());
    let changes = [
        ("load_balancers", Value::Null),
        ("service_connect", Value::Null),
        ("enable_execute_command", Value::Null),
        (
            "deployment",
            json!({"maximum_percent": 200, "circuit_breaker": null}),
        ),
    ];
    let changes = changes.map(|(key, value)| (key.to_owned(), value)).into();
    let sent = Value::Object(write(SERVICE, &changes, &names).unwrap());
    assert_eq!(
        sent,
        json!({
            "deploymentConfiguration": {
                "deploymentCircuitBreaker": {"enable": false, "rollback": false},
                "maximumPercent": 200,
            },
            "enableExecuteCommand": false,
            "loadBalancers": [],
            "serviceConnectConfiguration": {"enabled": false},
        })
    );
}

//! Fields of a service and of its task definition that this version does not know, at any depth: a
//! plan does not take them away, and neither an update nor a deployment loses them.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use provision::config;
use provision::sandbox::Table;
use serde_json::{Value, json};

use super::world::{CLUSTER, STAGING, World};

/// Puts a field beside others into every object below `value`, at every depth.
fn sprinkle(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                // Lists of pairs and maps of free names have no fields to come.
                let free = ["options", "environment", "secrets", "tags", "dockerLabels"];
                if !free.contains(&name.as_str()) {
                    sprinkle(field);
                }
            }
            fields.insert("futureField".to_owned(), json!({"depth": ["kept"]}));
        }
        Value::Array(items) => items.iter_mut().for_each(sprinkle),
        _ => {}
    }
}

/// How many of them there are in a record.
fn count(value: &Value) -> usize {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| usize::from(name == "futureField") + count(field))
            .sum(),
        Value::Array(items) => items.iter().map(count).sum(),
        _ => 0,
    }
}

/// The parts of a service that its owner sets.
const SETTINGS: [&str; 2] = ["deploymentConfiguration", "networkConfiguration"];

/// Puts them into the records of staging's service and of the revision that it runs.
fn plant(world: &World) -> (usize, usize) {
    let mut store = world.sandbox.snapshot();
    let key = format!("{CLUSTER}\n{STAGING}");
    store.update(Table::Service, &key, |service| {
        for field in SETTINGS {
            sprinkle(&mut service[field]);
        }
        service["futureField"] = json!({"depth": ["kept"]});
    });
    let arn = world.service(STAGING)["taskDefinition"].clone();
    let revisions: Vec<String> = store
        .rows(Table::TaskDefinition)
        .filter(|(_, one)| one["taskDefinitionArn"] == arn)
        .map(|(key, _)| key.to_owned())
        .collect();
    for key in revisions {
        store.update(Table::TaskDefinition, &key, |definition| {
            sprinkle(&mut definition["containerDefinitions"]);
            sprinkle(&mut definition["runtimePlatform"]);
            definition["futureField"] = json!({"depth": ["kept"]});
        });
    }
    world.sandbox.restore(&store);
    planted(world)
}

/// How many there are in the settings of the service, and in the revision that it runs.
fn planted(world: &World) -> (usize, usize) {
    let service = world.service(STAGING);
    let answer = world.ecs(
        "DescribeTaskDefinition",
        json!({"taskDefinition": service["taskDefinition"]}),
    );
    let settings: usize = SETTINGS.iter().map(|field| count(&service[*field])).sum();
    let whole = usize::from(service["futureField"].is_object());
    (settings + whole, count(&answer["taskDefinition"]))
}

#[tokio::test]
async fn a_plan_does_not_see_them_and_a_deployment_keeps_them() {
    let world = World::running().await;
    let before = plant(&world);
    assert!(before.0 > 3 && before.1 > 3, "{before:?}");
    let steps = world.plan().await;
    assert!(steps.is_empty(), "{steps:?}");
    world.push("staging");
    assert_eq!(world.deploy("staging").await.exit, 0);
    assert_eq!(planted(&world), before);
}

#[tokio::test]
async fn an_update_of_what_stands_beside_them_keeps_them() {
    let mut world = World::running().await;
    let before = plant(&world);
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(project.join("infra.toml")).unwrap();
    let changed = text
        .replace(
            "minimum_healthy_percent = 100",
            "minimum_healthy_percent = 50",
        )
        .replace("memory = 512", "memory = 1024")
        .replace("assign_public_ip = false", "assign_public_ip = true");
    assert_eq!(
        changed.matches("= 50").count(),
        1,
        "infra.toml says something else now"
    );
    assert_ne!(changed.matches("memory = 1024").count(), 0);
    fs::write(directory.path().join("infra.toml"), changed).unwrap();
    let policies = directory.path().join("policies");
    fs::create_dir(&policies).unwrap();
    for entry in fs::read_dir(project.join("policies")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, policies.join(path.file_name().unwrap())).unwrap();
    }
    world.config = Arc::new(config::load(&directory.path().join("infra.toml")).unwrap());
    assert!(!world.plan().await.is_empty());
    world.apply().await;
    assert_eq!(planted(&world), before);
    let configuration = &world.service(STAGING)["deploymentConfiguration"];
    assert_eq!(configuration["minimumHealthyPercent"], 50);
    assert!(world.plan().await.is_empty());
}

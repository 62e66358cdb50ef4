//! The tables of fields know everything that infra.toml can say.

use serde_json::{Map, Value};

use super::super::service_fields::SERVICE;
use super::super::shape::{Field, Shape};
use super::super::task_fields::{CONTAINER, TASK};
use super::{SEED, parse};

/// Keys of infra.toml that the spec has itself.
const TYPED: &[&str] = &[
    "name",
    "cluster",
    "desired_count",
    "ignore_desired_count",
    "tags",
    "task",
    "family",
    "execution_role",
    "task_role",
    "container",
    "image",
    "environment",
    "secrets",
    "log_group",
];

fn object(value: &impl serde::Serialize) -> Map<String, Value> {
    match serde_json::to_value(value).unwrap() {
        Value::Object(fields) => fields,
        other => panic!("{other}"),
    }
}

fn check(path: &str, fields: &[Field], written: &Map<String, Value>, typed: &[&str]) {
    for (key, value) in written {
        let field = fields.iter().find(|field| field.name == key);
        match field {
            Some(field) => check_value(&format!("{path}.{key}"), field.shape, value),
            None => assert!(typed.contains(&key.as_str()), "{path}.{key} is in no table"),
        }
    }
    for field in fields {
        assert!(
            written.contains_key(field.name),
            "{path}.{} is not in infra.toml",
            field.name
        );
    }
}

fn check_value(path: &str, shape: Shape, value: &Value) {
    match (shape, value) {
        (_, Value::Null) => {}
        (Shape::Table(fields), Value::Object(written)) => check(path, fields, written, &[]),
        (Shape::List(item) | Shape::Set(item), Value::Array(items)) => {
            for value in items {
                check_value(path, *item, value);
            }
        }
        (Shape::Table(_) | Shape::List(_) | Shape::Set(_), other) => panic!("{path}: {other}"),
        _ => {}
    }
}

/// A service in which every table of infra.toml stands once.
const EVERYTHING: &str = r#"
[service."back-end-{{environment}}".deployment]
circuit_breaker = { enable = true, rollback = true, threshold_configuration = { type = "COUNT", value = 3 } }
alarms = { alarm_names = ["a"] }
lifecycle_hooks = [{ target_type = "PAUSE", lifecycle_stages = ["POST_SCALE_UP"], timeout_configuration = { timeout = "10m", action = "ROLLBACK" } }]

[[service."back-end-{{environment}}".load_balancers]]
target_group_arn = "arn:aws:elasticloadbalancing:us-east-2:633607774026:targetgroup/a/0123456789abcdef"
container_name = "web"
container_port = 8000
"#;

#[test]
fn every_key_of_infra_toml_is_in_a_table() {
    let config = parse(&format!("{SEED}{EVERYTHING}"));
    let service = &config.services["back-end-staging"];
    check("service", SERVICE, &object(service), TYPED);
    check("task", TASK, &object(&service.task), TYPED);
    for container in service.task.container.values() {
        check("container", CONTAINER, &object(container), TYPED);
    }
}

use super::*;
use serde_json::json;

#[test]
fn names_tell() {
    for name in [
        "JWT_SECRET_KEY",
        "DB_PASSWORD",
        "dbPassword",
        "api-key",
        "SENTRY_DSN",
        "GITHUB_TOKEN",
    ] {
        assert!(names_credential(name), "{name}");
    }
    for name in [
        "JWT_PUBLIC_KEY",
        "DEBUG",
        "TOKEN_TTL",
        "KEY",
        "SECRET_ARN",
        "KEYBOARD",
        "PASSENGER_COUNT",
    ] {
        assert!(!names_credential(name), "{name}");
    }
}

#[test]
fn values_tell() {
    for value in [
        "AKIAIOSFODNN7EXAMPLE",
        "postgres://app:hunter2@db.internal/app",
        "mYx3Qz8vLk2Tn5Rb7Wc9Hd4Jf6Gs1Pa0",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "Zk9+Qm3/aT7xLw2Vb5Rn8Yc1Ue4Hs6Jd0Pf==",
        "-----BEGIN RSA PRIVATE KEY-----\nabc",
    ] {
        assert!(is_credential("VALUE", value), "{value}");
    }
    for value in [
        "staging",
        "0.2",
        "https://api.example.org/v1/things",
        "arn:aws:iam::123456789012:role/GitHubActions-ECR-Push",
        "back-end-production.internal.example.org",
        "arn:aws:ecs:us-east-2:123456789012:task-definition/back-end-staging:12",
        "operationcode-django-settings-production",
        "DEBUG,INFO,WARNING",
    ] {
        assert!(!is_credential("VALUE", value), "{value}");
    }
}

#[test]
fn switches_are_shown_whatever_their_name() {
    assert!(!is_credential("USE_SECRETS", "true"));
}

#[test]
fn a_reference_to_a_secret_is_shown() {
    let spec = json!({"containers": {"web": {
        "environment": {"DEBUG": "1", "API_TOKEN": "canary"},
        "secrets": {"JWT_SECRET_KEY": "back-end/staging/jwt-secret-key"},
    }}});
    let shown = hide("", &spec).to_string();
    assert!(shown.contains("back-end/staging/jwt-secret-key") && shown.contains("\"DEBUG\":\"1\""));
    assert!(!shown.contains("canary"));
}

#[test]
fn the_shape_of_aws_is_hidden_too() {
    let call = json!({"environment": [{"name": "API_TOKEN", "value": "canary"}]});
    assert!(!hide("", &call).to_string().contains("canary"));
}

#[test]
fn commands_are_read_word_by_word() {
    let shown = hide(
        "command",
        &json!([
            "run",
            "--password",
            "canary1",
            "DB_PASS=canary2",
            "--port",
            "80"
        ]),
    );
    assert_eq!(
        shown,
        json!(["run", "--password", HIDDEN, HIDDEN, "--port", "80"])
    );
}

#[test]
fn a_hidden_change_is_said() {
    let path = "container.web.environment.API_TOKEN";
    assert_eq!(
        hide_change(path, &json!("one"), &json!("two")),
        (json!(HIDDEN), json!(HIDDEN_CHANGED))
    );
    assert_eq!(
        hide_change(path, &Value::Null, &json!("two")),
        (Value::Null, json!(HIDDEN))
    );
    let (_, after) = hide_change(
        "environment",
        &json!({"API_TOKEN": "one"}),
        &json!({"API_TOKEN": "two"}),
    );
    assert_eq!(after, json!({"API_TOKEN": HIDDEN_CHANGED}));
}

#[test]
fn a_side_that_looks_harmless_is_hidden_with_the_other() {
    let path = "environment.API_TOKEN";
    assert_eq!(
        hide_change(path, &json!("true"), &json!("two")),
        (json!(HIDDEN), json!(HIDDEN_CHANGED))
    );
}

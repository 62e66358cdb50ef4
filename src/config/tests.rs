//! Tests of the parts that the broken files under tests/ do not show by themselves.

use super::declared::Declared;
use super::diagnostic::{Diagnostic, Source, nearest};
use super::model::{Partition, Seconds};
use super::names::fault_of_name;
use super::node::{Node, Value};
use super::placeholders::{Scope, Variables, expand};
use super::reader::{Decode, Reader};

fn in_environment(text: &str, document: bool) -> Result<String, Vec<String>> {
    let declared = Declared::default();
    let values = vec![("image_tag".to_owned(), Value::Text("a\"b".to_owned()))];
    let variables = Variables {
        environment: "staging".to_owned(),
        values,
    };
    let scope = Scope {
        declared: &declared,
        environment: Some(&variables),
        document,
    };
    match expand(text, scope) {
        Ok(expanded) => Ok(expanded.text),
        Err(faults) => Err(faults.into_iter().map(|fault| fault.message).collect()),
    }
}

#[test]
fn a_var_is_escaped_in_a_document_only() {
    assert_eq!(in_environment("x {{image_tag}}", false).unwrap(), "x a\"b");
    assert_eq!(
        in_environment("x {{ image_tag }}", true).unwrap(),
        "x a\\\"b"
    );
}

#[test]
fn braces_of_json_and_of_iam_are_left_alone() {
    let text = "{\"a\": {\"b\": \"${aws:username}\"}}";
    assert_eq!(in_environment(text, true).unwrap(), text);
}

#[test]
fn an_inner_environment_is_expanded_first() {
    let faults = in_environment("{{role.push-{{environment}}.arn}}", false).unwrap_err();
    assert_eq!(faults, ["There is no role named `push-staging`."]);
    let faults = in_environment("{{role.{{image_tag}}.arn}}", false).unwrap_err();
    assert_eq!(
        faults,
        ["`role.{{image_tag}}.arn` has a placeholder inside."]
    );
}

#[test]
fn every_wrong_placeholder_of_a_text_is_reported() {
    assert_eq!(
        in_environment("{{a}} {{b}} {{", false).unwrap_err().len(),
        3
    );
}

#[test]
fn an_offset_in_the_expanded_text_leads_back() {
    let declared = Declared::default();
    let scope = Scope {
        declared: &declared,
        environment: None,
        document: true,
    };
    let text = "a {{account_id}} b {{region}} c";
    let expanded = expand(text, scope).unwrap();
    for word in ["a", "b", "c"] {
        let offset = expanded
            .text
            .find(&format!("{word} "))
            .unwrap_or(expanded.text.len() - 1);
        let origin = expanded.origin(offset);
        assert!(text[origin..].starts_with(word), "{word} at {origin}");
    }
    assert_eq!(
        expanded.origin(expanded.text.find("us-east-1").unwrap() + 3),
        text.find("{{region").unwrap()
    );
}

fn read<T: Decode>(toml: &str) -> Result<T, Vec<Diagnostic>> {
    let source = Source::new("infra.toml", format!("value = {toml}"));
    let root = Node::parse(&source)?;
    let mut no_files = |_: &std::path::Path| Err(std::io::Error::other("no files"));
    let mut reader = Reader::new(source, &mut no_files);
    let value = reader.value("value", root.get("value").unwrap());
    value.ok_or(reader.diagnostics)
}

#[test]
fn durations_are_numbers_of_seconds_or_have_units() {
    for (text, seconds) in [
        ("30", 30),
        ("\"30s\"", 30),
        ("\"10m\"", 600),
        ("\"1h30m\"", 5400),
        ("\"90\"", 90),
    ] {
        assert_eq!(read::<Seconds>(text).unwrap(), Seconds(seconds), "{text}");
    }
    for text in [
        "-1",
        "\"\"",
        "\"m\"",
        "\"10x\"",
        "\"99999999999999999999s\"",
        "\"5m3\"",
        "1.5",
        "true",
    ] {
        assert!(read::<Seconds>(text).is_err(), "{text}");
    }
}

#[test]
fn a_message_shows_no_value_of_an_environment_variable() {
    let text = "[project]\nname = \"p\"\naccount_id = \"633607774026\"\nregion = \"us-east-2\"\n\
        [service.a.task.container.web]\n\
        environment = { KEY = \"hunter2{{nobody}}\", 'B=' = 'hunter3', C = 7 }\n\
        [secret.s]\nsecret_string = \"hunter4\"\n";
    let mut no_files = |_: &std::path::Path| Err(std::io::Error::other("no files"));
    let errors = super::parse("infra.toml", text, &mut no_files).unwrap_err();
    let shown: String = errors.iter().map(|error| error.render(false)).collect();
    assert!(
        shown.contains("KEY = \"*******{{nobody}}\", 'B=' = '*******', C = "),
        "{shown}"
    );
    assert!(shown.contains("secret_string = \"*******\""), "{shown}");
    assert!(!shown.contains("hunter"), "{shown}");
}

#[test]
fn columns_count_characters_and_lines_end_anywhere() {
    let source = Source::new("infra.toml", "é = 1\r\nü = 2");
    let offset = source.text.find('2').unwrap();
    let position = source.position(offset);
    assert_eq!((position.line, position.column), (2, 5));
    assert_eq!(source.offset(2, 5), offset);
    assert_eq!(source.position(1000).line, 2);
}

#[test]
fn the_nearest_name_is_near() {
    assert_eq!(nearest("wbe", ["web", "side"]), Some("web"));
    assert_eq!(
        nearest("execution_role_arn", ["execution_role", "task_role"]),
        Some("execution_role")
    );
    assert_eq!(nearest("zzz", ["web", "side"]), None);
}

#[test]
fn names_are_those_that_aws_takes() {
    for (kind, name) in [
        ("role", "GitHubActions-ECR-Push"),
        ("repository", "team/back-end.api_2"),
        ("log_group", "/ecs/back-end-staging"),
        ("secret", "back-end/staging/jwt-secret-key"),
        ("oidc_provider", "token.actions.githubusercontent.com"),
        ("oidc_provider", "oidc.eks.us-east-2.amazonaws.com/id/ABC"),
        ("service", "back-end_1"),
    ] {
        assert_eq!(fault_of_name(kind, name), None, "{kind} {name}");
    }
    for (kind, name) in [
        ("role", "a/b"),
        ("repository", "a"),
        ("repository", "a--b"),
        ("repository", "/a"),
        ("log_group", "aws/x"),
        ("secret", "a b"),
        ("service", ""),
        ("service", "a.b"),
        ("oidc_provider", "localhost"),
    ] {
        assert!(fault_of_name(kind, name).is_some(), "{kind} {name}");
    }
    assert!(fault_of_name("role", &"a".repeat(64)).is_none());
    assert!(fault_of_name("role", &"a".repeat(65)).is_some());
}

#[test]
fn a_partition_follows_from_the_region() {
    for (region, partition) in [
        ("us-east-2", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("eusc-de-east-1", "aws-eusc"),
        ("us-isob-east-1", "aws-iso-b"),
    ] {
        assert_eq!(Partition::of_region(region).as_str(), partition);
    }
}

//! The project's own infra.toml, and what the rules of environments and names make of it.

use provision::config::{Image, Seconds, SecretReference};

use super::{parse_in, render, seed, seed_text, top};

#[test]
fn the_seed_declares_its_resources() {
    let config = seed();
    let addresses: Vec<&str> = config.declarations.keys().map(String::as_str).collect();
    assert_eq!(
        addresses,
        [
            "cluster/operationcode",
            "log_group//ecs/back-end-production",
            "log_group//ecs/back-end-staging",
            "oidc_provider/token.actions.githubusercontent.com",
            "policy/GitHubActions-ECR-Push-Policy",
            "repository/back-end",
            "role/GitHubActions-ECR-Push",
            "role/ecsTaskExecutionRole",
            "secret/back-end/production/jwt-secret-key",
            "secret/back-end/staging/jwt-secret-key",
            "service/back-end-production",
            "service/back-end-staging",
        ]
    );
    assert_eq!(config.owner_mark(), "back-end@us-east-2");
}

#[test]
fn an_environment_lays_its_table_over() {
    let config = seed();
    assert_eq!(config.services["back-end-staging"].desired_count, Some(1));
    assert_eq!(
        config.services["back-end-production"].desired_count,
        Some(2)
    );
    assert_eq!(
        config.services["back-end-production"].task.family,
        "back-end-production"
    );
    assert_eq!(
        config.services_of("staging").collect::<Vec<_>>(),
        ["back-end-staging"]
    );
}

#[test]
fn names_and_placeholders_are_resolved() {
    let config = seed();
    let web = &config.services["back-end-production"].task.container["web"];
    let image = Image::Repository {
        name: "back-end".to_owned(),
        tag: "prod".to_owned(),
    };
    assert_eq!(web.image, image);
    let name = "back-end/production/jwt-secret-key".to_owned();
    let secret = SecretReference::Declared {
        name,
        suffix: String::new(),
    };
    assert_eq!(web.secrets["JWT_SECRET_KEY"], secret);
    assert_eq!(
        web.health_check.as_ref().map(|it| it.start_period),
        Some(Some(Seconds(40)))
    );
    let role = &config.roles["ecsTaskExecutionRole"];
    assert_eq!(
        role.managed_policies[0].arn,
        "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    );
    let inline = role.inline_policies["read-jwt-secret"].document.text();
    assert!(inline.contains(
        "arn:aws:secretsmanager:us-east-2:633607774026:secret:back-end/staging/jwt-secret-key-??????"
    ));
}

#[test]
fn the_trust_policy_keeps_the_seeds_mistake() {
    let text = seed().roles["GitHubActions-ECR-Push"]
        .trust
        .document
        .text()
        .to_owned();
    assert!(text.contains("repo:operationcode/back-end:*"), "{text}");
    assert!(
        text.contains(
            "arn:aws:iam::633607774026:oidc-provider/token.actions.githubusercontent.com"
        )
    );
}

#[test]
fn the_short_form_of_trust_writes_both_forms_of_the_subject() {
    let text = seed_text()
        .replace(
            "repository = \"OperationCode/back-end\"\n",
            "repository = \"OperationCode/back-end\"\nrepository_id = 7\nowner_id = 9\n",
        )
        .replace(
            "trust_policy = \"policies/github-actions-trust.json\"",
            "trust = { github = { branches = [\"main\"], environments = [\"a:b\"] } }",
        );
    let config = parse_in(&top(), &text).unwrap_or_else(|errors| panic!("{}", render(&errors)));
    let trust = &config.roles["GitHubActions-ECR-Push"].trust;
    let value: serde_json::Value = serde_json::from_str(trust.document.text()).unwrap();
    assert_eq!(
        value["Statement"][0]["Condition"],
        serde_json::json!({ "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": [
                "repo:OperationCode/back-end:ref:refs/heads/main",
                "repo:OperationCode/back-end:environment:a%3Ab",
                "repo:OperationCode@9/back-end@7:ref:refs/heads/main",
                "repo:OperationCode@9/back-end@7:environment:a%3Ab",
            ],
        } })
    );
}

#[test]
fn a_pattern_in_the_short_form_of_trust_is_matched_and_not_compared() {
    let text = seed_text().replace(
        "trust_policy = \"policies/github-actions-trust.json\"",
        "trust = { github = { tags = [\"v*\"] } }",
    );
    let config = parse_in(&top(), &text).unwrap_or_else(|errors| panic!("{}", render(&errors)));
    let trust = config.roles["GitHubActions-ECR-Push"]
        .trust
        .document
        .minified();
    assert!(trust.contains(
        "\"StringLike\":{\"token.actions.githubusercontent.com:sub\":\"repo:OperationCode/back-end:ref:refs/tags/v*\"}"
    ));
}

#[test]
fn the_partition_follows_the_region() {
    let text = seed_text().replace("us-east-2", "cn-north-1");
    let config = parse_in(&top(), &text).unwrap_or_else(|errors| panic!("{}", render(&errors)));
    assert_eq!(
        config.registry(),
        "633607774026.dkr.ecr.cn-north-1.amazonaws.com.cn"
    );
    assert_eq!(
        config.arn("role", "ecsTaskExecutionRole").as_deref(),
        Some("arn:aws-cn:iam::633607774026:role/ecsTaskExecutionRole")
    );
}

#[test]
fn a_var_that_is_a_number_stays_one() {
    let text = seed_text()
        .replace(
            "vars = { image_tag = \"staging\" }",
            "vars = { image_tag = \"staging\", count = 3 }",
        )
        .replace(
            "vars = { image_tag = \"prod\" }",
            "vars = { image_tag = \"prod\", count = 4 }",
        )
        .replace("desired_count = 1", "desired_count = \"{{count}}\"");
    let config = parse_in(&top(), &text).unwrap_or_else(|errors| panic!("{}", render(&errors)));
    assert_eq!(config.services["back-end-staging"].desired_count, Some(3));
}

#[test]
fn iams_own_variables_pass_untouched() {
    let config = provision::config::parse("infra.toml", &seed_text(), &mut |path| {
        let text = std::fs::read_to_string(top().join(path))?;
        Ok(text.replace(
            "{{repository.back-end.arn}}",
            "arn:aws:s3:::bucket/${aws:username}/*",
        ))
    });
    let config = config.unwrap_or_else(|errors| panic!("{}", render(&errors)));
    let text = config.policies["GitHubActions-ECR-Push-Policy"]
        .document
        .document
        .text()
        .to_owned();
    assert!(text.contains("bucket/${aws:username}/*"), "{text}");
}

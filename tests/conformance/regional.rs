//! ECR, CloudWatch Logs, Secrets Manager, parameters, and the tagging API.

use aws_types::SdkConfig;

use super::checks::{Checks, end, show};

pub(crate) async fn run(config: &SdkConfig, checks: &mut Checks) {
    repositories(config, checks).await;
    images(config, checks).await;
    log_groups(config, checks).await;
    secrets(config, checks).await;
    parameters(config, checks).await;
    tagging(config, checks).await;
}

async fn repositories(config: &SdkConfig, checks: &mut Checks) {
    use aws_sdk_ecr::types::Tag;
    let ecr = aws_sdk_ecr::Client::new(config);
    let owner = Tag::builder()
        .key("provision:owner")
        .value("x@y")
        .build()
        .unwrap();
    let made = ecr
        .create_repository()
        .repository_name("conform/web")
        .tags(owner)
        .send()
        .await;
    let uri = "633607774026.dkr.ecr.us-east-2.amazonaws.com/conform/web";
    checks.see(
        "repository/create",
        show(&made, |made| {
            made.repository()
                .unwrap()
                .repository_uri()
                .unwrap_or_default()
                .to_owned()
        }),
        uri,
    );
    let again = ecr
        .create_repository()
        .repository_name("conform/web")
        .send()
        .await;
    checks.see(
        "repository/create again",
        end(&again),
        "RepositoryAlreadyExistsException",
    );
    let odd = ecr
        .create_repository()
        .repository_name("Conform")
        .send()
        .await;
    checks.see(
        "repository/upper case",
        end(&odd),
        "InvalidParameterException",
    );
    let read = ecr
        .describe_repositories()
        .repository_names("conform/web")
        .send()
        .await;
    let shown = show(&read, |read| {
        let repository = &read.repositories()[0];
        let encryption = repository
            .encryption_configuration()
            .map(|encryption| encryption.encryption_type().as_str());
        format!(
            "{:?} {encryption:?}",
            repository
                .image_tag_mutability()
                .map(aws_sdk_ecr::types::ImageTagMutability::as_str)
        )
    });
    checks.see(
        "repository/defaults",
        shown,
        "Some(\"MUTABLE\") Some(\"AES256\")",
    );
    mutability(config, checks).await;
}

async fn mutability(config: &SdkConfig, checks: &mut Checks) {
    use aws_sdk_ecr::types::{ImageTagMutability, ImageTagMutabilityExclusionFilter};
    let ecr = aws_sdk_ecr::Client::new(config);
    let one = ecr
        .describe_repositories()
        .repository_names("conform/web")
        .repository_names("conform/none")
        .send()
        .await;
    checks.see(
        "repository/one of two missing",
        end(&one),
        "RepositoryNotFoundException",
    );
    let filter = ImageTagMutabilityExclusionFilter::builder().filter("staging");
    let filter = filter
        .filter_type(aws_sdk_ecr::types::ImageTagMutabilityExclusionFilterType::Wildcard)
        .build()
        .unwrap();
    let put = ecr
        .put_image_tag_mutability()
        .repository_name("conform/web");
    let put = put
        .image_tag_mutability(ImageTagMutability::ImmutableWithExclusion)
        .image_tag_mutability_exclusion_filters(filter);
    let put = put.send().await;
    checks.see(
        "repository/mutability with exclusion",
        show(&put, |put| {
            put.image_tag_mutability_exclusion_filters()
                .len()
                .to_string()
        }),
        "1",
    );
    let bare = ecr
        .put_image_tag_mutability()
        .repository_name("conform/web");
    let bare = bare
        .image_tag_mutability(ImageTagMutability::ImmutableWithExclusion)
        .send()
        .await;
    checks.see(
        "repository/exclusion without filter",
        end(&bare),
        "InvalidParameterException",
    );
    repository_texts(config, checks).await;
}

async fn repository_texts(config: &SdkConfig, checks: &mut Checks) {
    let ecr = aws_sdk_ecr::Client::new(config);
    let none = ecr
        .get_lifecycle_policy()
        .repository_name("conform/web")
        .send()
        .await;
    checks.see(
        "repository/no lifecycle",
        end(&none),
        "LifecyclePolicyNotFoundException",
    );
    let none = ecr
        .get_repository_policy()
        .repository_name("conform/web")
        .send()
        .await;
    checks.see(
        "repository/no policy",
        end(&none),
        "RepositoryPolicyNotFoundException",
    );
    let rule = r#"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":5},"action":{"type":"expire"}}]}"#;
    let put = ecr
        .put_lifecycle_policy()
        .repository_name("conform/web")
        .lifecycle_policy_text(rule)
        .send()
        .await;
    checks.see("repository/lifecycle", end(&put), "ok");
    let put = ecr
        .put_lifecycle_policy()
        .repository_name("conform/web")
        .lifecycle_policy_text(rule.replace("untagged", "none"));
    checks.see(
        "repository/bad lifecycle",
        end(&put.send().await),
        "InvalidParameterException",
    );
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::633607774026:root"},"Action":"ecr:BatchGetImage"}]}"#;
    let put = ecr
        .set_repository_policy()
        .repository_name("conform/web")
        .policy_text(policy)
        .send()
        .await;
    checks.see("repository/policy", end(&put), "ok");
    let put = ecr
        .set_repository_policy()
        .repository_name("conform/web")
        .policy_text("{")
        .send()
        .await;
    checks.see(
        "repository/bad policy",
        end(&put),
        "InvalidParameterException",
    );
    let tags = ecr
        .list_tags_for_resource()
        .resource_arn("arn:aws:ecr:us-east-2:633607774026:repository/conform/web")
        .send()
        .await;
    checks.see(
        "repository/tags",
        show(&tags, |tags| tags.tags()[0].value().to_owned()),
        "x@y",
    );
}

async fn images(config: &SdkConfig, checks: &mut Checks) {
    let ecr = aws_sdk_ecr::Client::new(config);
    let manifest = |size: u32| {
        let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{{"mediaType":"application/vnd.docker.container.image.v1+json","size":{size},"digest":"{digest}"}},"layers":[]}}"#
        )
    };
    let put = |size, tag: &str| {
        ecr.put_image()
            .repository_name("conform/web")
            .image_manifest(manifest(size))
            .image_tag(tag)
    };
    checks.see("image/push", end(&put(1, "sha-1").send().await), "ok");
    checks.see(
        "image/push again",
        end(&put(1, "sha-1").send().await),
        "ImageAlreadyExistsException",
    );
    checks.see(
        "image/move an immutable tag",
        end(&put(2, "sha-1").send().await),
        "ImageTagAlreadyExistsException",
    );
    checks.see(
        "image/push excluded tag",
        end(&put(1, "staging").send().await),
        "ok",
    );
    checks.see(
        "image/move an excluded tag",
        end(&put(3, "staging").send().await),
        "ok",
    );
    image_reads(config, checks).await;
}

async fn image_reads(config: &SdkConfig, checks: &mut Checks) {
    let ecr = aws_sdk_ecr::Client::new(config);
    let id = |tag: &str| {
        aws_sdk_ecr::types::ImageIdentifier::builder()
            .image_tag(tag)
            .build()
    };
    let read = ecr
        .describe_images()
        .repository_name("conform/web")
        .image_ids(id("sha-1"))
        .send()
        .await;
    checks.see(
        "image/describe",
        show(&read, |read| {
            read.image_details()[0].image_digest().unwrap_or_default()[..7].to_owned()
        }),
        "sha256:",
    );
    let missing = ecr
        .describe_images()
        .repository_name("conform/web")
        .image_ids(id("none"))
        .send()
        .await;
    checks.see("image/missing", end(&missing), "ImageNotFoundException");
    let batch = ecr
        .batch_get_image()
        .repository_name("conform/web")
        .image_ids(id("staging"))
        .image_ids(id("none"))
        .send()
        .await;
    let counts = show(&batch, |batch| {
        format!("{} {}", batch.images().len(), batch.failures().len())
    });
    checks.see("image/batch", counts, "1 1");
    let full = ecr
        .delete_repository()
        .repository_name("conform/web")
        .send()
        .await;
    checks.see(
        "repository/delete with images",
        end(&full),
        "RepositoryNotEmptyException",
    );
    let delete = ecr
        .delete_repository()
        .repository_name("conform/web")
        .force(true)
        .send()
        .await;
    checks.see("repository/delete by force", end(&delete), "ok");
    let gone = ecr
        .delete_repository()
        .repository_name("conform/web")
        .send()
        .await;
    checks.see(
        "repository/delete twice",
        end(&gone),
        "RepositoryNotFoundException",
    );
}

async fn log_groups(config: &SdkConfig, checks: &mut Checks) {
    let logs = aws_sdk_cloudwatchlogs::Client::new(config);
    let create = || logs.create_log_group().log_group_name("/conform/web");
    checks.see(
        "log group/create",
        end(&create().tags("provision:owner", "x@y").send().await),
        "ok",
    );
    checks.see(
        "log group/create again",
        end(&create().send().await),
        "ResourceAlreadyExistsException",
    );
    let odd = logs.create_log_group().log_group_name("a b").send().await;
    checks.see("log group/bad name", end(&odd), "InvalidParameterException");
    let retain = |days| {
        logs.put_retention_policy()
            .log_group_name("/conform/web")
            .retention_in_days(days)
    };
    checks.see(
        "log group/no such retention",
        end(&retain(31).send().await),
        "InvalidParameterException",
    );
    checks.see("log group/retention", end(&retain(30).send().await), "ok");
    let missing = logs
        .put_retention_policy()
        .log_group_name("/conform/none")
        .retention_in_days(30)
        .send()
        .await;
    checks.see(
        "log group/missing",
        end(&missing),
        "ResourceNotFoundException",
    );
    let read = logs
        .describe_log_groups()
        .log_group_name_prefix("/conform/")
        .send()
        .await;
    let shown = show(&read, |read| {
        let group = &read.log_groups()[0];
        let arn = group.arn().unwrap_or_default();
        format!(
            "{:?} {:?} {}",
            group.retention_in_days(),
            group
                .log_group_class()
                .map(aws_sdk_cloudwatchlogs::types::LogGroupClass::as_str),
            arn.ends_with(":*")
        )
    });
    checks.see(
        "log group/describe",
        shown,
        "Some(30) Some(\"STANDARD\") true",
    );
    log_group_tags(config, checks).await;
}

async fn log_group_tags(config: &SdkConfig, checks: &mut Checks) {
    let logs = aws_sdk_cloudwatchlogs::Client::new(config);
    let arn = "arn:aws:logs:us-east-2:633607774026:log-group:/conform/web";
    let tags = logs.list_tags_for_resource().resource_arn(arn).send().await;
    checks.see(
        "log group/tags",
        show(&tags, |tags| {
            format!(
                "{:?}",
                tags.tags().and_then(|tags| tags.get("provision:owner"))
            )
        }),
        "Some(\"x@y\")",
    );
    let tag = logs
        .tag_resource()
        .resource_arn(arn)
        .tags("a", "b")
        .send()
        .await;
    checks.see("log group/tag", end(&tag), "ok");
    let untag = logs
        .untag_resource()
        .resource_arn(arn)
        .tag_keys("a")
        .send()
        .await;
    checks.see("log group/untag", end(&untag), "ok");
    let never = logs
        .delete_retention_policy()
        .log_group_name("/conform/web")
        .send()
        .await;
    checks.see("log group/retain for ever", end(&never), "ok");
    let stream = || {
        logs.create_log_stream()
            .log_group_name("/conform/web")
            .log_stream_name("a/b")
    };
    checks.see("log stream/create", end(&stream().send().await), "ok");
    checks.see(
        "log stream/create again",
        end(&stream().send().await),
        "ResourceAlreadyExistsException",
    );
    let delete = || logs.delete_log_group().log_group_name("/conform/web");
    checks.see("log group/delete", end(&delete().send().await), "ok");
    checks.see(
        "log group/delete twice",
        end(&delete().send().await),
        "ResourceNotFoundException",
    );
}

async fn secrets(config: &SdkConfig, checks: &mut Checks) {
    let secrets = aws_sdk_secretsmanager::Client::new(config);
    let create = || secrets.create_secret().name("conform/key");
    let made = create().secret_string("one").send().await;
    let shape = show(&made, |made| {
        let arn = made.arn().unwrap_or_default();
        arn.rsplit_once('-')
            .map(|(head, end)| format!("{head} {}", end.len()))
            .unwrap_or_default()
    });
    checks.see(
        "secret/create",
        shape,
        "arn:aws:secretsmanager:us-east-2:633607774026:secret:conform/key 6",
    );
    checks.see(
        "secret/create again",
        end(&create().send().await),
        "ResourceExistsException",
    );
    let missing = secrets
        .describe_secret()
        .secret_id("conform/none")
        .send()
        .await;
    checks.see("secret/missing", end(&missing), "ResourceNotFoundException");
    let put = secrets
        .put_secret_value()
        .secret_id("conform/key")
        .secret_string("two")
        .send()
        .await;
    checks.see("secret/put", end(&put), "ok");
    let value = secrets
        .get_secret_value()
        .secret_id("conform/key")
        .version_stage("AWSPREVIOUS")
        .send()
        .await;
    checks.see(
        "secret/previous",
        show(&value, |value| {
            value.secret_string().unwrap_or_default().to_owned()
        }),
        "one",
    );
    secret_deletions(config, checks).await;
}

async fn secret_deletions(config: &SdkConfig, checks: &mut Checks) {
    let secrets = aws_sdk_secretsmanager::Client::new(config);
    let create = || secrets.create_secret().name("conform/key");
    let odd = secrets
        .delete_secret()
        .secret_id("conform/key")
        .recovery_window_in_days(3)
        .send()
        .await;
    checks.see(
        "secret/window too short",
        end(&odd),
        "InvalidParameterException",
    );
    let delete = secrets
        .delete_secret()
        .secret_id("conform/key")
        .recovery_window_in_days(7)
        .send()
        .await;
    checks.see("secret/delete", end(&delete), "ok");
    checks.see(
        "secret/create while deleted",
        end(&create().send().await),
        "InvalidRequestException",
    );
    let value = secrets
        .get_secret_value()
        .secret_id("conform/key")
        .send()
        .await;
    checks.see(
        "secret/value while deleted",
        end(&value),
        "InvalidRequestException",
    );
    let read = secrets
        .describe_secret()
        .secret_id("conform/key")
        .send()
        .await;
    checks.see(
        "secret/described while deleted",
        show(&read, |read| read.deleted_date().is_some().to_string()),
        "true",
    );
    let restore = secrets
        .restore_secret()
        .secret_id("conform/key")
        .send()
        .await;
    checks.see("secret/restore", end(&restore), "ok");
    let force = secrets
        .delete_secret()
        .secret_id("conform/key")
        .force_delete_without_recovery(true)
        .send()
        .await;
    checks.see("secret/delete by force", end(&force), "ok");
    empty_secrets(config, checks).await;
}

async fn empty_secrets(config: &SdkConfig, checks: &mut Checks) {
    let secrets = aws_sdk_secretsmanager::Client::new(config);
    let empty = secrets.create_secret().name("conform/empty").send().await;
    checks.see(
        "secret/without value",
        show(&empty, |empty| format!("{:?}", empty.version_id())),
        "None",
    );
    let value = secrets
        .get_secret_value()
        .secret_id("conform/empty")
        .send()
        .await;
    checks.see("secret/no value", end(&value), "ResourceNotFoundException");
    let _ = secrets
        .delete_secret()
        .secret_id("conform/empty")
        .force_delete_without_recovery(true)
        .send()
        .await;
}

async fn parameters(config: &SdkConfig, checks: &mut Checks) {
    let ssm = aws_sdk_ssm::Client::new(config);
    let put = || {
        ssm.put_parameter()
            .name("/conform/lock")
            .value("me")
            .r#type(aws_sdk_ssm::types::ParameterType::String)
    };
    checks.see(
        "parameter/put",
        end(&put().overwrite(false).send().await),
        "ok",
    );
    checks.see(
        "parameter/put again",
        end(&put().overwrite(false).send().await),
        "ParameterAlreadyExists",
    );
    let got = ssm.get_parameter().name("/conform/lock").send().await;
    let value = show(&got, |got| {
        let value = got.parameter().and_then(|one| one.value());
        value.unwrap_or_default().to_owned()
    });
    checks.see("parameter/keeps the first value", value, "me");
    let over = put().value("you").overwrite(true).send().await;
    checks.see(
        "parameter/overwrite",
        show(&over, |over| over.version().to_string()),
        "2",
    );
    let many = ssm
        .get_parameters()
        .names("/conform/lock")
        .names("/conform/none")
        .send()
        .await;
    let counts = show(&many, |many| {
        format!(
            "{} {}",
            many.parameters().len(),
            many.invalid_parameters().len()
        )
    });
    checks.see("parameter/get many", counts, "1 1");
    checks.see(
        "parameter/delete",
        end(&ssm.delete_parameter().name("/conform/lock").send().await),
        "ok",
    );
    checks.see(
        "parameter/delete again",
        end(&ssm.delete_parameter().name("/conform/lock").send().await),
        "ParameterNotFound",
    );
    checks.see(
        "parameter/missing",
        end(&ssm.get_parameter().name("/conform/lock").send().await),
        "ParameterNotFound",
    );
}

async fn tagging(config: &SdkConfig, checks: &mut Checks) {
    let logs = aws_sdk_cloudwatchlogs::Client::new(config);
    let ecr = aws_sdk_ecr::Client::new(config);
    let owner = aws_sdk_ecr::types::Tag::builder()
        .key("conform")
        .value("x@y")
        .build()
        .unwrap();
    let _ = logs
        .create_log_group()
        .log_group_name("/conform/tagged")
        .tags("conform", "x@y")
        .send()
        .await;
    let _ = ecr
        .create_repository()
        .repository_name("conform/tagged")
        .tags(owner)
        .send()
        .await;
    let tagging = aws_sdk_resourcegroupstagging::Client::new(config);
    let filter = aws_sdk_resourcegroupstagging::types::TagFilter::builder()
        .key("conform")
        .values("x@y")
        .build();
    let found = tagging
        .get_resources()
        .tag_filters(filter.clone())
        .send()
        .await;
    let arns =
        |found: &aws_sdk_resourcegroupstagging::operation::get_resources::GetResourcesOutput| {
            let list = found.resource_tag_mapping_list().iter();
            let mut ends: Vec<&str> = list
                .filter_map(|one| one.resource_arn()?.split(':').nth(2))
                .collect();
            ends.sort_unstable();
            ends.join(" ")
        };
    checks.see("tagging/by tag", show(&found, arns), "ecr logs");
    let typed = tagging
        .get_resources()
        .tag_filters(filter)
        .resource_type_filters("logs:log-group")
        .send()
        .await;
    checks.see("tagging/by type", show(&typed, arns), "logs");
    let _ = logs
        .delete_log_group()
        .log_group_name("/conform/tagged")
        .send()
        .await;
    let _ = ecr
        .delete_repository()
        .repository_name("conform/tagged")
        .send()
        .await;
}

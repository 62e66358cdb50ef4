//! Repositories: mutability of tags, lifecycle, policy, encryption, tags.

use serde_json::{Value, json};

use super::super::error::{Answer, ServiceError};
use super::super::protocol::Call;
use super::super::respell::{reorder, respell};
use super::super::store::Table;
use super::super::world::{
    Members as _, TagStyle, World, add_tags, last_part, remove_tags, set, shown, unset,
};
use super::{absent, bad_token, find, invalid, lifecycle};
use crate::policy::{Document, PolicyKind};

const TAGS: TagStyle = TagStyle {
    key: "Key",
    value: "Value",
    most: 50,
    invalid: "InvalidTagParameterException",
    too_many: "TooManyTagsException",
};

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "CreateRepository" => create(call, world),
        "DescribeRepositories" => describe(call, world),
        "DeleteRepository" => delete(call, world),
        "PutImageTagMutability" => put_mutability(call, world),
        "PutImageScanningConfiguration" => put_scanning(call, world),
        "PutLifecyclePolicy" => put_lifecycle(call, world),
        "GetLifecyclePolicy" => get_text(call, world, &LIFECYCLE),
        "DeleteLifecyclePolicy" => delete_text(call, world, &LIFECYCLE),
        "SetRepositoryPolicy" => set_policy(call, world),
        "GetRepositoryPolicy" => get_text(call, world, &POLICY),
        "DeleteRepositoryPolicy" => delete_text(call, world, &POLICY),
        "TagResource" => change_tags(call, world, |record| {
            add_tags(record, "_tags", call.input.list("tags"), &TAGS)
        }),
        "UntagResource" => change_tags(call, world, |record| {
            remove_tags(record, "_tags", &call.input.texts("tagKeys"), &TAGS);
            Ok(())
        }),
        "ListTagsForResource" => by_arn(call, world).map(|name| {
            let repository = world.store.get(Table::Repository, &name);
            json!({ "tags": repository.map(|repository| repository.list("_tags")) })
        }),
        _ => return None,
    })
}

/// `a/b-c.d_e`: parts of lower-case letters and digits, joined by single separators.
fn valid_name(name: &str) -> bool {
    let part = |part: &str| {
        part.split(['.', '_', '-']).all(|word| {
            !word.is_empty()
                && word
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        })
    };
    (2..=256).contains(&name.len()) && name.split('/').all(part)
}

fn create(call: &Call, world: &mut World<'_>) -> Answer {
    let (name, account) = (call.input.str("repositoryName"), world.account);
    if !valid_name(name) {
        return Err(invalid(
            "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*''",
        ));
    }
    if world.store.has(Table::Repository, name) {
        let message = format!(
            "The repository with name '{name}' already exists in the registry with id '{account}'"
        );
        return Err(ServiceError::new(
            "RepositoryAlreadyExistsException",
            message,
        ));
    }
    let mutability = check_mutability(call)?;
    let mut encryption = call.input.get("encryptionConfiguration").cloned();
    let by_key = |one: &&mut Value| {
        one.str("encryptionType").starts_with("KMS") && one.text("kmsKey").is_none()
    };
    if let Some(encryption) = encryption.as_mut().filter(by_key) {
        // Without a key of one's own the registry's is taken.
        set(
            encryption,
            "kmsKey",
            world.arn("kms", "key/00000000-0000-4000-8000-000000000ecb"),
        );
    }
    let (partition, region) = (world.partition(), world.region);
    let suffix = if partition == "aws-cn" {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    let mut repository = json!({
        "repositoryArn": world.arn("ecr", &format!("repository/{name}")),
        "registryId": account,
        "repositoryName": name,
        "repositoryUri": format!("{account}.dkr.ecr.{region}.{suffix}/{name}"),
        "createdAt": world.epoch(),
        "imageTagMutability": mutability,
        "imageScanningConfiguration":
            call.input.get("imageScanningConfiguration").cloned().unwrap_or_else(|| json!({ "scanOnPush": false })),
        "encryptionConfiguration": encryption.unwrap_or_else(|| json!({ "encryptionType": "AES256" })),
    });
    set_filters(&mut repository, call);
    add_tags(&mut repository, "_tags", call.input.list("tags"), &TAGS)?;
    world.store.put(Table::Repository, name, repository.clone());
    Ok(json!({ "repository": shown(&repository) }))
}

/// The mutability that the request asks for, and whether its exclusions are what AWS takes.
fn check_mutability(call: &Call) -> Result<&str, ServiceError> {
    let mutability = call.input.text("imageTagMutability").unwrap_or("MUTABLE");
    let filters = call.input.list("imageTagMutabilityExclusionFilters");
    let excludes = mutability.ends_with("_WITH_EXCLUSION");
    if ![
        "MUTABLE",
        "IMMUTABLE",
        "MUTABLE_WITH_EXCLUSION",
        "IMMUTABLE_WITH_EXCLUSION",
    ]
    .contains(&mutability)
    {
        return Err(invalid(
            "Invalid parameter at 'imageTagMutability' failed to satisfy constraint: 'Member must satisfy enum value set'",
        ));
    }
    if excludes == filters.is_empty() {
        return Err(invalid(
            "Invalid parameter at 'imageTagMutabilityExclusionFilters': exclusion filters go with a mutability with exclusion, and only with that.",
        ));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._*-".contains(c);
    let valid = |filter: &Value| {
        let text = filter.str("filter");
        (1..=128).contains(&text.len())
            && text.chars().all(allowed)
            && filter.str("filterType") == "WILDCARD"
    };
    // Five filters, and two wildcards in each, are what the service takes.
    let wild = |filter: &Value| filter.str("filter").matches('*').count() > 2;
    if filters.len() > 5 || !filters.iter().all(valid) || filters.iter().any(wild) {
        return Err(invalid(
            "Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: '^[0-9a-zA-Z._*-]{1,128}$'",
        ));
    }
    Ok(mutability)
}

fn set_filters(repository: &mut Value, call: &Call) {
    let filters = call.input.list("imageTagMutabilityExclusionFilters");
    if filters.is_empty() {
        unset(repository, "imageTagMutabilityExclusionFilters");
    } else {
        set(
            repository,
            "imageTagMutabilityExclusionFilters",
            filters.to_vec(),
        );
    }
}

fn describe(call: &Call, world: &World<'_>) -> Answer {
    let names = call.input.texts("repositoryNames");
    if !names.is_empty() {
        if names.len() > 100 {
            return Err(invalid(
                "Invalid parameter at 'repositoryNames' failed to satisfy constraint: 'Member must have length less than or equal to 100'",
            ));
        }
        let one = |name: &&str| {
            world
                .store
                .get(Table::Repository, name)
                .map(shown)
                .ok_or_else(|| absent(name, world))
        };
        let found: Result<Vec<Value>, ServiceError> = names.iter().map(one).collect();
        return Ok(json!({ "repositories": found? }));
    }
    let rows = world
        .store
        .rows(Table::Repository)
        .map(|(key, repository)| (key.to_owned(), repository));
    let size = call.input.page_size("maxResults", 100, 1000);
    let (found, next) = world
        .page(rows, call.input.text("nextToken"), size)
        .map_err(bad_token)?;
    let found: Vec<Value> = found.into_iter().map(shown).collect();
    let mut answer = json!({ "repositories": found });
    if let Some(next) = next {
        set(&mut answer, "nextToken", next);
    }
    Ok(answer)
}

fn delete(call: &Call, world: &mut World<'_>) -> Answer {
    let (name, repository) = find(call, world)?;
    let repository = shown(repository);
    let prefix = format!("{name}\n");
    let force = call.input.flag("force").unwrap_or(false);
    if !force && world.store.under(Table::Image, &prefix).next().is_some() {
        let account = world.account;
        let message = format!(
            "The repository with name '{name}' in registry with id '{account}' cannot be deleted because it still contains images"
        );
        return Err(ServiceError::new("RepositoryNotEmptyException", message));
    }
    for table in [Table::Image, Table::ImageTag, Table::Layer] {
        let keys: Vec<String> = world
            .store
            .under(table, &prefix)
            .map(|(key, _)| key.to_owned())
            .collect();
        for key in keys {
            world.store.remove(table, &key);
        }
    }
    world.store.remove(Table::Repository, name);
    Ok(json!({ "repository": repository }))
}

fn put_mutability(call: &Call, world: &mut World<'_>) -> Answer {
    let mutability = check_mutability(call)?;
    let (name, _) = find(call, world)?;
    world.store.update(Table::Repository, name, |repository| {
        set(repository, "imageTagMutability", mutability);
        set_filters(repository, call);
    });
    let mut answer = json!({ "registryId": world.account, "repositoryName": name, "imageTagMutability": mutability });
    set_filters(&mut answer, call);
    Ok(answer)
}

fn put_scanning(call: &Call, world: &mut World<'_>) -> Answer {
    let (name, _) = find(call, world)?;
    let scanning = call
        .input
        .get("imageScanningConfiguration")
        .cloned()
        .unwrap_or_else(|| json!({ "scanOnPush": false }));
    world.store.update(Table::Repository, name, |repository| {
        set(repository, "imageScanningConfiguration", scanning.clone());
    });
    Ok(
        json!({ "registryId": world.account, "repositoryName": name, "imageScanningConfiguration": scanning }),
    )
}

/// A text that a repository may have: where it is kept, how answers call it, what its absence is.
struct Text {
    field: &'static str,
    member: &'static str,
    absent: &'static str,
    what: &'static str,
}

const LIFECYCLE: Text = Text {
    field: "_lifecycle",
    member: "lifecyclePolicyText",
    absent: "LifecyclePolicyNotFoundException",
    what: "Lifecycle policy",
};

const POLICY: Text = Text {
    field: "_policy",
    member: "policyText",
    absent: "RepositoryPolicyNotFoundException",
    what: "Repository policy",
};

fn put_text(call: &Call, world: &mut World<'_>, kind: &Text) -> Answer {
    let (name, _) = find(call, world)?;
    let text = call.input.str(kind.member);
    world.store.update(Table::Repository, name, |repository| {
        set(repository, kind.field, text);
    });
    Ok(json!({ "registryId": world.account, "repositoryName": name, kind.member: text }))
}

fn text<'a>(
    repository: &'a Value,
    name: &str,
    kind: &Text,
    world: &World<'_>,
) -> Result<&'a str, ServiceError> {
    repository.text(kind.field).ok_or_else(|| {
        let (what, account) = (kind.what, world.account);
        let message = format!("{what} does not exist for the repository with name '{name}' in the registry with id '{account}'");
        ServiceError::new(kind.absent, message)
    })
}

fn get_text(call: &Call, world: &World<'_>, kind: &Text) -> Answer {
    let (name, repository) = find(call, world)?;
    let text = text(repository, name, kind, world)?;
    // Only the repository's policy is a document of IAM's language.
    let spelt = match (world.view.respell, kind.field == POLICY.field) {
        (false, _) => text.to_owned(),
        (true, true) => respell(world.seed, text),
        (true, false) => reorder(world.seed, text),
    };
    Ok(json!({ "registryId": world.account, "repositoryName": name, kind.member: spelt }))
}

fn delete_text(call: &Call, world: &mut World<'_>, kind: &Text) -> Answer {
    let (name, repository) = find(call, world)?;
    let text = text(repository, name, kind, world)?.to_owned();
    world.store.update(Table::Repository, name, |repository| {
        unset(repository, kind.field);
    });
    Ok(json!({ "registryId": world.account, "repositoryName": name, kind.member: text }))
}

fn put_lifecycle(call: &Call, world: &mut World<'_>) -> Answer {
    lifecycle::check(call.input.str("lifecyclePolicyText")).map_err(|problem| {
        invalid(&format!("Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: {problem}'"))
    })?;
    put_text(call, world, &LIFECYCLE)
}

fn set_policy(call: &Call, world: &mut World<'_>) -> Answer {
    let text = call.input.str("policyText");
    // The size that the service's model gives for the text.
    if text.len() > 10_240 {
        return Err(invalid(
            "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Member must have length less than or equal to 10240'",
        ));
    }
    Document::parse(text, PolicyKind::Resource).map_err(|errors| {
        let first = errors.first().map(|error| error.message.as_str()).unwrap_or_default();
        invalid(&format!("Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided: {first}'"))
    })?;
    put_text(call, world, &POLICY)
}

/// The name in the ARN that a request on tags gives.
fn by_arn(call: &Call, world: &World<'_>) -> Result<String, ServiceError> {
    let arn = call.input.str("resourceArn");
    let prefix = world.arn("ecr", "repository/");
    let Some(name) = arn.strip_prefix(&prefix) else {
        return Err(invalid(&format!(
            "Invalid parameter at 'resourceArn' failed to satisfy constraint: '{arn} is no ARN of a repository'"
        )));
    };
    if world.store.has(Table::Repository, name) {
        Ok(name.to_owned())
    } else {
        Err(absent(last_part(name), world))
    }
}

fn change_tags(
    call: &Call,
    world: &mut World<'_>,
    change: impl FnOnce(&mut Value) -> Result<(), ServiceError>,
) -> Answer {
    let name = by_arn(call, world)?;
    let mut repository = world
        .store
        .get(Table::Repository, &name)
        .cloned()
        .unwrap_or_default();
    change(&mut repository)?;
    world.store.put(Table::Repository, &name, repository);
    Ok(json!({}))
}

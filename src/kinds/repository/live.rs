//! Repositories as they are in the account, and the calls as requests.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecr::types::{
    EncryptionConfiguration, EncryptionType as SdkEncryptionType, ImageTagMutability,
    ImageTagMutabilityExclusionFilter, ImageTagMutabilityExclusionFilterType, Tag,
};
use futures::future::try_join_all;
use futures::try_join;

use super::{Call, JsonText, Repository, Spec};
use crate::aws::{Attempts, Aws, Error as AwsError, ecr, iam};
use crate::config::{Encryption, EncryptionType, TagMutability, Tags};
use crate::error::{Error, Result};
use crate::kind::{Address, Kind, OWNER_TAG, Scope};
use crate::kinds::identity::{document, gone, role_ids, still_ours};
use crate::kinds::regional::{self, Arns, Listed};
use crate::kinds::{Aside, tags};
use crate::planted::{Bug, planted};
use crate::policy::{Document, PolicyKind};

const ARNS: Arns = Arns {
    service: "ecr",
    before_name: "repository/",
    after_name: 0,
    emulated: false,
};

/// What is declared, and what carries our mark.
pub(super) async fn observe(aws: &Aws, scope: &Scope) -> Result<BTreeMap<String, Spec>> {
    let search = || search(aws, scope);
    let declared = scope.config.repositories.keys();
    let read = |names| read(aws, scope, names);
    regional::observe(aws, scope, Repository::NAME, ARNS, declared, read, search).await
}

/// The names of the undeclared repositories that carry our mark, by the tags of each.
async fn search(aws: &Aws, scope: &Scope) -> Result<BTreeSet<String>> {
    let config = &scope.config;
    let all = ecr::all(aws).await?;
    let undeclared: Vec<&ecr::Repository> = all
        .iter()
        .filter(|one| !config.repositories.contains_key(&one.name))
        .collect();
    let reads: Vec<_> = undeclared
        .iter()
        .map(|one| ecr::tags(aws, &one.arn))
        .collect();
    let tags = try_join_all(reads).await?;
    Ok(undeclared
        .into_iter()
        .zip(tags)
        .filter(|(_, tags)| tags.get(OWNER_TAG) == Some(&config.owner_mark()))
        .map(|(one, _)| one.name.clone())
        .collect())
}

/// The repositories of these names that are there.
async fn read(aws: &Aws, scope: &Scope, names: BTreeSet<String>) -> Result<BTreeMap<String, Spec>> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = async { Ok(ecr::repositories(aws, &names).await?) };
    let (found, listed) = try_join!(found, Listed::read(aws, scope, ARNS))?;
    let reads = found
        .into_values()
        .map(|repository| details(aws, scope, &listed, repository));
    Ok(try_join_all(reads).await?.into_iter().collect())
}

async fn details(
    aws: &Aws,
    scope: &Scope,
    listed: &Listed,
    repository: ecr::Repository,
) -> Result<(String, Spec)> {
    let config = &scope.config;
    let name = repository.name.clone();
    let address = Address::new(Repository::NAME, &name);
    let declared = config.repositories.get(&name);
    let own_tags = async {
        let believed = listed.believed(&name, declared.map(|one| &one.tags), config);
        match believed {
            Some(tags) => Ok(tags.clone()),
            None => Ok(ecr::tags(aws, &repository.arn).await?.as_ref().clone()),
        }
    };
    let images = async {
        let leaves = scope.destroy || declared.is_none();
        Ok(leaves && ecr::holds_images(aws, &name).await?)
    };
    let read = async {
        try_join!(
            async { Ok(ecr::lifecycle_policy(aws, &name).await?) },
            async { Ok(ecr::repository_policy(aws, &name).await?) },
            own_tags,
            images,
        )
    };
    let (lifecycle, policy, own, images) = read.await.map_err(|error: Error| error.at(&address))?;
    let live = tags::observed(own, declared.map(|one| &one.tags), config);
    let policy = match policy.as_ref() {
        Some(text) => Some(repository_policy(aws, text, &address).await?),
        None => None,
    };
    let spec = Spec {
        owner: live.owner,
        image_tag_mutability: mutability(&repository).map_err(|error| error.at(&address))?,
        mutability_exclusions: sorted(&repository.mutability_exclusions),
        lifecycle_policy: lifecycle
            .as_ref()
            .as_ref()
            .map(|text| JsonText::new(text.as_str())),
        policy,
        encryption: encryption(&repository).map_err(|error| error.at(&address))?,
        tags: live.tags,
        force_delete: Aside(declared.is_some_and(|one| one.force_delete)),
        holds_images: Aside(images),
    };
    Ok((name, spec))
}

/// A role that was made anew stands in the policy by its unique id.
async fn repository_policy(aws: &Aws, text: &str, address: &Address) -> Result<Document> {
    if text.contains("AROA") {
        let account = iam::account(aws).await?;
        return document(text, PolicyKind::Resource, &role_ids(&account), address);
    }
    document(text, PolicyKind::Resource, &BTreeMap::new(), address)
}

fn sorted(patterns: &[String]) -> Vec<String> {
    let mut patterns = patterns.to_vec();
    patterns.sort();
    patterns
}

fn mutability(repository: &ecr::Repository) -> Result<TagMutability> {
    match repository.image_tag_mutability.as_deref() {
        None => Ok(TagMutability::Mutable),
        Some(word) => TagMutability::from_text(word)
            .ok_or_else(|| regional::unknown_word("the image tag mutability", word)),
    }
}

fn encryption(repository: &ecr::Repository) -> Result<Encryption> {
    let r#type = match repository.encryption_type.as_deref() {
        None => EncryptionType::Aes256,
        Some(word) => EncryptionType::from_text(word)
            .ok_or_else(|| regional::unknown_word("the encryption", word))?,
    };
    Ok(Encryption {
        r#type,
        key: repository.kms_key.clone(),
    })
}

/// Sends the requests of one call.
pub(super) async fn perform(aws: &Aws, scope: &Scope, name: &str, call: &Call) -> Result<()> {
    match call {
        Call::Create {
            image_tag_mutability,
            mutability_exclusions,
            encryption,
            tags,
        } => {
            let tagging = (*image_tag_mutability, mutability_exclusions.as_slice());
            create(aws, name, tagging, encryption, tags).await?;
            if planted(Bug::CreateThenTag) {
                tag(aws, &arn(scope, name), tags).await?;
            }
            Ok(())
        }
        Call::SetMutability {
            image_tag_mutability,
            mutability_exclusions,
        } => Ok(set_mutability(aws, name, *image_tag_mutability, mutability_exclusions).await?),
        Call::PutLifecyclePolicy { lifecycle_policy } => {
            Ok(put_lifecycle_policy(aws, name, lifecycle_policy).await?)
        }
        Call::DeleteLifecyclePolicy => Ok(delete_lifecycle_policy(aws, name).await?),
        Call::SetPolicy { policy } => Ok(set_policy(aws, name, policy).await?),
        Call::DeletePolicy => Ok(delete_policy(aws, name).await?),
        Call::Tag { tags } => Ok(tag(aws, &arn(scope, name), tags).await?),
        Call::Untag { keys } => Ok(untag(aws, &arn(scope, name), keys).await?),
        Call::SetFixed { field } => Err(Error::bug(format!(
            "A change of the {field}, which ECR does not have, was to be performed."
        ))),
        Call::Delete { force } => delete(aws, scope, name, *force).await,
    }
}

fn arn(scope: &Scope, name: &str) -> String {
    let project = &scope.config.project;
    project.regional_arn("ecr", &format!("repository/{name}"))
}

async fn create(
    aws: &Aws,
    name: &str,
    (mutability, exclusions): (TagMutability, &[String]),
    encryption: &Encryption,
    tags: &Tags,
) -> Result<(), AwsError> {
    let tags = tag_list(tags)?;
    let tags = Some(tags).filter(|_| !planted(Bug::CreateThenTag));
    let filters = filters(exclusions)?;
    let encryption = EncryptionConfiguration::builder()
        .encryption_type(SdkEncryptionType::from(encryption.r#type.as_str()))
        .set_kms_key(encryption.key.clone())
        .build()
        .map_err(|error| AwsError::unreadable(error.to_string()))?;
    aws.write("ecr:CreateRepository", Attempts::Once, |clients| {
        clients
            .ecr
            .create_repository()
            .repository_name(name)
            .image_tag_mutability(ImageTagMutability::from(mutability.as_str()))
            .set_image_tag_mutability_exclusion_filters(filters.clone())
            .encryption_configuration(encryption.clone())
            .set_tags(tags.clone())
            .send()
    })
    .await?;
    Ok(())
}

fn filters(
    exclusions: &[String],
) -> Result<Option<Vec<ImageTagMutabilityExclusionFilter>>, AwsError> {
    if exclusions.is_empty() {
        return Ok(None);
    }
    let filters = exclusions.iter().map(|pattern| {
        ImageTagMutabilityExclusionFilter::builder()
            .filter_type(ImageTagMutabilityExclusionFilterType::Wildcard)
            .filter(pattern)
            .build()
            .map_err(|error| AwsError::unreadable(error.to_string()))
    });
    filters.collect::<Result<Vec<_>, _>>().map(Some)
}

fn tag_list(tags: &Tags) -> Result<Vec<Tag>, AwsError> {
    let tags = tags.iter().map(|(key, value)| {
        Tag::builder()
            .key(key)
            .value(value)
            .build()
            .map_err(|error| AwsError::unreadable(error.to_string()))
    });
    tags.collect()
}

async fn set_mutability(
    aws: &Aws,
    name: &str,
    mutability: TagMutability,
    exclusions: &[String],
) -> Result<(), AwsError> {
    let filters = filters(exclusions)?;
    aws.write(
        "ecr:PutImageTagMutability",
        Attempts::Idempotent,
        |clients| {
            clients
                .ecr
                .put_image_tag_mutability()
                .repository_name(name)
                .image_tag_mutability(ImageTagMutability::from(mutability.as_str()))
                .set_image_tag_mutability_exclusion_filters(filters.clone())
                .send()
        },
    )
    .await?;
    Ok(())
}

async fn put_lifecycle_policy(aws: &Aws, name: &str, policy: &JsonText) -> Result<(), AwsError> {
    aws.write("ecr:PutLifecyclePolicy", Attempts::Idempotent, |clients| {
        clients
            .ecr
            .put_lifecycle_policy()
            .repository_name(name)
            .lifecycle_policy_text(policy.minified())
            .send()
    })
    .await?;
    Ok(())
}

async fn delete_lifecycle_policy(aws: &Aws, name: &str) -> Result<(), AwsError> {
    let sent = aws.write(
        "ecr:DeleteLifecyclePolicy",
        Attempts::Idempotent,
        |clients| {
            clients
                .ecr
                .delete_lifecycle_policy()
                .repository_name(name)
                .send()
        },
    );
    gone(sent.await)
}

async fn set_policy(aws: &Aws, name: &str, policy: &Document) -> Result<(), AwsError> {
    aws.write("ecr:SetRepositoryPolicy", Attempts::Idempotent, |clients| {
        clients
            .ecr
            .set_repository_policy()
            .repository_name(name)
            .policy_text(policy.minified())
            .send()
    })
    .await?;
    Ok(())
}

async fn delete_policy(aws: &Aws, name: &str) -> Result<(), AwsError> {
    let sent = aws.write(
        "ecr:DeleteRepositoryPolicy",
        Attempts::Idempotent,
        |clients| {
            clients
                .ecr
                .delete_repository_policy()
                .repository_name(name)
                .send()
        },
    );
    gone(sent.await)
}

async fn tag(aws: &Aws, arn: &str, tags: &Tags) -> Result<(), AwsError> {
    let tags = tag_list(tags)?;
    aws.write("ecr:TagResource", Attempts::Idempotent, |clients| {
        clients
            .ecr
            .tag_resource()
            .resource_arn(arn)
            .set_tags(Some(tags.clone()))
            .send()
    })
    .await?;
    Ok(())
}

async fn untag(aws: &Aws, arn: &str, keys: &BTreeSet<String>) -> Result<(), AwsError> {
    aws.write("ecr:UntagResource", Attempts::Idempotent, |clients| {
        clients
            .ecr
            .untag_resource()
            .resource_arn(arn)
            .set_tag_keys(Some(keys.iter().cloned().collect()))
            .send()
    })
    .await?;
    Ok(())
}

async fn delete(aws: &Aws, scope: &Scope, name: &str, force: bool) -> Result<()> {
    match ecr::tags_now(aws, &arn(scope, name)).await {
        Ok(tags) => still_ours(&tags, &scope.config)?,
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let sent = aws.write("ecr:DeleteRepository", Attempts::Idempotent, |clients| {
        clients
            .ecr
            .delete_repository()
            .repository_name(name)
            .force(force)
            .send()
    });
    Ok(gone(sent.await)?)
}

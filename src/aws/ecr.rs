//! The reads of ECR, each at most once in a look, as plain values.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::try_join_all;

use super::{Aws, Error, pages};

/// Names a request, and the most that ECR takes.
const BATCH: usize = 100;
/// Repositories a page of the whole list: the most that ECR gives.
const PAGE: i32 = 1000;

/// A repository as ECR describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The name, namespaces included.
    pub name: String,
    /// The ARN.
    pub arn: String,
    /// `MUTABLE` and so on, as ECR spells it; none where the answer lacks it.
    pub image_tag_mutability: Option<String>,
    /// The patterns of the tags that are excepted from it.
    pub mutability_exclusions: Vec<String>,
    /// `AES256` and so on, as ECR spells it; none where the answer lacks it.
    pub encryption_type: Option<String>,
    /// The ARN of the KMS key.
    pub kms_key: Option<String>,
}

/// Those of these repositories that are there, by name.
pub async fn repositories(
    aws: &Aws,
    names: &BTreeSet<String>,
) -> Result<BTreeMap<String, Repository>, Error> {
    let names: Vec<&String> = names.iter().collect();
    let batches = names
        .chunks(BATCH)
        .map(|batch| named(aws, batch.iter().map(|name| (*name).clone()).collect()));
    let found = try_join_all(batches).await?;
    Ok(found.into_iter().flatten().collect())
}

/// One batch. ECR fails it whole where one name is missing: then the list of all is read instead.
async fn named(aws: &Aws, names: Vec<String>) -> Result<BTreeMap<String, Repository>, Error> {
    let key = format!("ecr:DescribeRepositories:{}", names.join(","));
    let batch = aws
        .look()
        .once(key, || async {
            match describe(aws, Some(&names), None).await {
                Ok((found, _)) => Ok(Some(found)),
                Err(error) if error.is_not_found() => Ok(None),
                Err(error) => Err(error),
            }
        })
        .await?;
    let found = match &*batch {
        Some(found) => found.clone(),
        None => all(aws)
            .await?
            .iter()
            .filter(|repository| names.contains(&repository.name))
            .cloned()
            .collect(),
    };
    let by_name = found.into_iter().map(|found| (found.name.clone(), found));
    Ok(by_name.collect())
}

/// Every repository of the registry.
pub async fn all(aws: &Aws) -> Result<Arc<Vec<Repository>>, Error> {
    aws.look()
        .once("ecr:DescribeRepositories", || {
            pages::all("ecr:DescribeRepositories", |token| {
                describe(aws, None, token)
            })
        })
        .await
}

async fn describe(
    aws: &Aws,
    names: Option<&[String]>,
    token: Option<String>,
) -> Result<(Vec<Repository>, Option<String>), Error> {
    let answer = aws
        .read("ecr:DescribeRepositories", |clients| {
            clients
                .ecr
                .describe_repositories()
                .set_repository_names(names.map(<[String]>::to_vec))
                .set_max_results(names.is_none().then_some(PAGE))
                .set_next_token(token.clone())
                .send()
        })
        .await?;
    let found = answer.repositories.unwrap_or_default();
    let found: Result<Vec<_>, _> = found.into_iter().map(repository).collect();
    Ok((found?, answer.next_token))
}

fn repository(described: aws_sdk_ecr::types::Repository) -> Result<Repository, Error> {
    let (Some(name), Some(arn)) = (described.repository_name, described.repository_arn) else {
        return Err(Error::unreadable(
            "ecr:DescribeRepositories names a repository by neither name nor ARN.",
        ));
    };
    let encryption = described.encryption_configuration;
    Ok(Repository {
        name,
        arn,
        image_tag_mutability: described
            .image_tag_mutability
            .map(|mutability| mutability.as_str().to_owned()),
        mutability_exclusions: described
            .image_tag_mutability_exclusion_filters
            .unwrap_or_default()
            .into_iter()
            .map(|filter| filter.filter)
            .collect(),
        encryption_type: encryption
            .as_ref()
            .map(|encryption| encryption.encryption_type.as_str().to_owned()),
        kms_key: encryption.and_then(|encryption| encryption.kms_key),
    })
}

/// The text of the lifecycle policy.
pub async fn lifecycle_policy(aws: &Aws, name: &str) -> Result<Arc<Option<String>>, Error> {
    aws.look()
        .once(format!("ecr:GetLifecyclePolicy:{name}"), || async {
            let answer = aws
                .read("ecr:GetLifecyclePolicy", |clients| {
                    clients
                        .ecr
                        .get_lifecycle_policy()
                        .repository_name(name)
                        .send()
                })
                .await;
            match answer {
                Ok(answer) => Ok(answer.lifecycle_policy_text),
                Err(error) if error.code == "LifecyclePolicyNotFoundException" => Ok(None),
                Err(error) => Err(error),
            }
        })
        .await
}

/// The text of the repository policy.
pub async fn repository_policy(aws: &Aws, name: &str) -> Result<Arc<Option<String>>, Error> {
    aws.look()
        .once(format!("ecr:GetRepositoryPolicy:{name}"), || async {
            let answer = aws
                .read("ecr:GetRepositoryPolicy", |clients| {
                    clients
                        .ecr
                        .get_repository_policy()
                        .repository_name(name)
                        .send()
                })
                .await;
            match answer {
                Ok(answer) => Ok(answer.policy_text),
                Err(error) if error.code == "RepositoryPolicyNotFoundException" => Ok(None),
                Err(error) => Err(error),
            }
        })
        .await
}

/// The tags of a repository, read from itself and anew: what a delete relies on.
pub async fn tags_now(aws: &Aws, arn: &str) -> Result<BTreeMap<String, String>, Error> {
    let answer = aws
        .read("ecr:ListTagsForResource", |clients| {
            clients
                .ecr
                .list_tags_for_resource()
                .resource_arn(arn)
                .send()
        })
        .await?;
    let tags = answer.tags.unwrap_or_default();
    Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

/// The tags of a repository, read from itself.
pub async fn tags(aws: &Aws, arn: &str) -> Result<Arc<BTreeMap<String, String>>, Error> {
    aws.look()
        .once(format!("ecr:ListTagsForResource:{arn}"), || {
            tags_now(aws, arn)
        })
        .await
}

/// Whether a repository holds any image.
pub async fn holds_images(aws: &Aws, name: &str) -> Result<bool, Error> {
    let answer = aws
        .read("ecr:ListImages", |clients| {
            clients
                .ecr
                .list_images()
                .repository_name(name)
                .max_results(1)
                .send()
        })
        .await?;
    // A page may be empty though others follow.
    Ok(answer.next_token.is_some() || !answer.image_ids.unwrap_or_default().is_empty())
}

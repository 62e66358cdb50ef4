//! The owner marks that the tagging API lists: what carries our mark, in a region, with its tags.
//! It lags behind, so a kind believes it only where it equals what is declared.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Aws, Class, Clients, Error};
use crate::planted::{Bug, planted};

/// Resources a page: the most that the API gives.
const PAGE: i32 = 100;

/// The types that are managed. Revisions of task definitions carry our mark too, and each deployment
/// adds one: with them the list would grow for ever.
const TYPES: [&str; 6] = [
    "ecr",
    "ecs:cluster",
    "ecs:service",
    "iam",
    "logs",
    "secretsmanager",
];

/// Tags by key, of resources by ARN; none where the endpoint does not have the API.
pub type Tagged = Option<BTreeMap<String, BTreeMap<String, String>>>;

/// What carries this owner mark in the project's region.
pub async fn owned(aws: &Aws, tag: &str, mark: &str) -> Result<Arc<Tagged>, Error> {
    read(aws, |clients| &clients.tagging, tag, mark).await
}

/// What carries this owner mark in IAM's home region, where IAM's resources are listed.
pub async fn owned_in_iam(aws: &Aws, tag: &str, mark: &str) -> Result<Arc<Tagged>, Error> {
    read(aws, |clients| &clients.tagging_iam, tag, mark).await
}

type Choose = fn(&Clients) -> &aws_sdk_resourcegroupstagging::Client;

/// Where both clients have one region, this is one read.
async fn read(aws: &Aws, choose: Choose, tag: &str, mark: &str) -> Result<Arc<Tagged>, Error> {
    let region = choose(&aws.clients)
        .config()
        .region()
        .map(ToString::to_string)
        .unwrap_or_default();
    aws.look()
        .once(format!("tagging:{region}:{mark}"), || async {
            match pages(aws, choose, tag, mark).await {
                Ok(all) => Ok(Some(all)),
                Err(error) if error.class == Class::Unsupported => Ok(None),
                Err(error)
                    if error.class == Class::AccessDenied && planted(Bug::DeniedListIsEmpty) =>
                {
                    Ok(Some(BTreeMap::new()))
                }
                Err(error) => Err(error),
            }
        })
        .await
}

async fn pages(
    aws: &Aws,
    choose: Choose,
    tag: &str,
    mark: &str,
) -> Result<BTreeMap<String, BTreeMap<String, String>>, Error> {
    let filter = aws_sdk_resourcegroupstagging::types::TagFilter::builder()
        .key(tag)
        .values(mark)
        .build();
    let mut all = BTreeMap::new();
    let mut token: Option<String> = None;
    loop {
        let page = aws
            .read("tagging:GetResources", |clients| {
                choose(&clients)
                    .get_resources()
                    .tag_filters(filter.clone())
                    .set_resource_type_filters(Some(TYPES.map(str::to_owned).to_vec()))
                    .resources_per_page(PAGE)
                    .set_pagination_token(token.clone())
                    .send()
            })
            .await?;
        for resource in page.resource_tag_mapping_list.unwrap_or_default() {
            let Some(arn) = resource.resource_arn else {
                continue;
            };
            let tags = resource.tags.unwrap_or_default();
            let tags = tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
            all.insert(arn, tags);
        }
        match page.pagination_token.filter(|token| !token.is_empty()) {
            Some(next) => token = Some(next),
            None => return Ok(all),
        }
    }
}

//! The reads of CloudWatch Logs, each at most once in a look, as plain values.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::try_join_all;

use super::{Aws, Error, pages};

/// Names a request, and groups a page: the most that CloudWatch takes and gives.
const BATCH: usize = 50;
/// The same, as the API counts.
const PAGE: i32 = 50;

/// The code of an endpoint that does not know the filter, or minds a name that is not there. Any
/// other refusal leaves the groups unread.
const MINDS_NAMES: &str = "InvalidParameterException";

/// A log group as CloudWatch describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogGroup {
    /// The name.
    pub name: String,
    /// The ARN, without the `:*` that stands for the streams.
    pub arn: String,
    /// Days; none: never expires.
    pub retention_in_days: Option<i32>,
    /// The ARN of the KMS key.
    pub kms_key_id: Option<String>,
    /// `STANDARD` and so on, as CloudWatch spells it; none where the answer lacks it.
    pub class: Option<String>,
    /// Whether CloudWatch refuses to delete the group.
    pub deletion_protection: bool,
}

/// Those of these log groups that are there, by name.
pub async fn log_groups(
    aws: &Aws,
    names: &BTreeSet<String>,
) -> Result<BTreeMap<String, LogGroup>, Error> {
    let names: Vec<&String> = names.iter().collect();
    let batches = names
        .chunks(BATCH)
        .map(|batch| named(aws, batch.iter().map(|name| (*name).clone()).collect()));
    let found = try_join_all(batches).await?;
    Ok(found.into_iter().flatten().collect())
}

/// One batch. An endpoint that does not know the filter gives every group, and one that minds a
/// missing name is asked for every group: what was not asked for is left out in both cases.
async fn named(aws: &Aws, names: Vec<String>) -> Result<BTreeMap<String, LogGroup>, Error> {
    let key = format!("logs:DescribeLogGroups:{}", names.join(","));
    let batch = aws
        .look()
        .once(key, || async {
            match list(aws, Some(&names)).await {
                Ok(found) => Ok(Some(found)),
                Err(error) if error.is_not_found() || error.code == MINDS_NAMES => Ok(None),
                Err(error) => Err(error),
            }
        })
        .await?;
    let every = match &*batch {
        Some(_) => None,
        None => Some(all(aws).await?),
    };
    let found = batch
        .iter()
        .flatten()
        .chain(every.iter().flat_map(|every| every.iter()));
    Ok(found
        .filter(|group| names.contains(&group.name))
        .map(|group| (group.name.clone(), group.clone()))
        .collect())
}

/// Every log group of the region.
pub async fn all(aws: &Aws) -> Result<Arc<Vec<LogGroup>>, Error> {
    aws.look()
        .once("logs:DescribeLogGroups", || list(aws, None))
        .await
}

async fn list(aws: &Aws, names: Option<&[String]>) -> Result<Vec<LogGroup>, Error> {
    pages::all("logs:DescribeLogGroups", |token| async move {
        let answer = aws
            .read("logs:DescribeLogGroups", |clients| {
                clients
                    .logs
                    .describe_log_groups()
                    .set_log_group_identifiers(names.map(<[String]>::to_vec))
                    .set_limit(names.is_none().then_some(PAGE))
                    .set_next_token(token.clone())
                    .send()
            })
            .await?;
        let groups = answer.log_groups.unwrap_or_default();
        let groups: Result<Vec<_>, _> = groups.into_iter().map(log_group).collect();
        Ok((groups?, answer.next_token))
    })
    .await
}

fn log_group(described: aws_sdk_cloudwatchlogs::types::LogGroup) -> Result<LogGroup, Error> {
    let arn = described.log_group_arn.or(described.arn);
    let (Some(name), Some(arn)) = (described.log_group_name, arn) else {
        return Err(Error::unreadable(
            "logs:DescribeLogGroups gives a group without name or ARN.",
        ));
    };
    Ok(LogGroup {
        name,
        arn: bare(&arn).to_owned(),
        retention_in_days: described.retention_in_days,
        kms_key_id: described.kms_key_id,
        class: described
            .log_group_class
            .map(|class| class.as_str().to_owned()),
        deletion_protection: described.deletion_protection_enabled.unwrap_or(false),
    })
}

/// A log group's ARN without the `:*` that some answers put at its end.
#[must_use]
pub fn bare(arn: &str) -> &str {
    arn.strip_suffix(":*").unwrap_or(arn)
}

/// The tags of a log group, read from itself and anew: what a delete relies on.
pub async fn tags_now(aws: &Aws, arn: &str) -> Result<BTreeMap<String, String>, Error> {
    let answer = aws
        .read("logs:ListTagsForResource", |clients| {
            clients
                .logs
                .list_tags_for_resource()
                .resource_arn(arn)
                .send()
        })
        .await?;
    Ok(answer.tags.unwrap_or_default().into_iter().collect())
}

/// The tags of a log group, read from itself.
pub async fn tags(aws: &Aws, arn: &str) -> Result<Arc<BTreeMap<String, String>>, Error> {
    aws.look()
        .once(format!("logs:ListTagsForResource:{arn}"), || {
            tags_now(aws, arn)
        })
        .await
}

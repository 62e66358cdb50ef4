//! The reads of Secrets Manager, each at most once in a look, as plain values.
//! No secret's value is ever read.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};

use super::{Aws, Error, pages};

/// Secrets a page: the most that Secrets Manager gives.
const PAGE: i32 = 100;

/// A secret as Secrets Manager describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretDescription {
    /// The name.
    pub name: String,
    /// The ARN, which ends in six characters of chance.
    pub arn: String,
    /// Free text; none where it is empty.
    pub description: Option<String>,
    /// The KMS key as it was given; none for `aws/secretsmanager`.
    pub kms_key_id: Option<String>,
    /// All tags.
    pub tags: BTreeMap<String, String>,
    /// Whether it is scheduled for deletion.
    pub scheduled_for_deletion: bool,
    /// The service that manages it, if one does.
    pub owning_service: Option<String>,
    /// When it was made: seconds since the Unix epoch, as all times here.
    pub created: Option<i64>,
    /// When its value or description changed last.
    pub changed: Option<i64>,
    /// When it is, or was asked, to be deleted.
    pub deleted: Option<i64>,
    /// Whether Secrets Manager rotates it.
    pub rotates: bool,
}

/// One secret, also one that is scheduled for deletion.
pub async fn secret(aws: &Aws, name: &str) -> Result<Arc<Option<SecretDescription>>, Error> {
    aws.look()
        .once(format!("secretsmanager:DescribeSecret:{name}"), || {
            secret_now(aws, name)
        })
        .await
}

/// One secret, read anew: what a delete relies on.
pub async fn secret_now(aws: &Aws, name: &str) -> Result<Option<SecretDescription>, Error> {
    let answer = aws
        .read("secretsmanager:DescribeSecret", |clients| {
            clients.secrets.describe_secret().secret_id(name).send()
        })
        .await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error),
    };
    let (Some(name), Some(arn)) = (answer.name, answer.arn) else {
        return Err(Error::unreadable(
            "secretsmanager:DescribeSecret gives a secret without name or ARN.",
        ));
    };
    Ok(Some(SecretDescription {
        name,
        arn,
        description: answer.description.filter(|text| !text.is_empty()),
        kms_key_id: answer.kms_key_id.filter(|key| !is_default_key(key)),
        tags: tags(answer.tags),
        scheduled_for_deletion: answer.deleted_date.is_some(),
        owning_service: answer.owning_service,
        created: answer.created_date.map(|date| date.secs()),
        changed: answer.last_changed_date.map(|date| date.secs()),
        deleted: answer.deleted_date.map(|date| date.secs()),
        rotates: answer.rotation_enabled.unwrap_or_default(),
    }))
}

fn is_default_key(key: &str) -> bool {
    key.is_empty() || key.ends_with("alias/aws/secretsmanager")
}

fn tags(list: Option<Vec<aws_sdk_secretsmanager::types::Tag>>) -> BTreeMap<String, String> {
    let pairs = list.unwrap_or_default().into_iter();
    pairs
        .filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())))
        .collect()
}

/// The names of every secret of the region that no service of AWS manages.
pub async fn all(aws: &Aws) -> Result<Arc<Vec<String>>, Error> {
    aws.look()
        .once("secretsmanager:ListSecrets", || {
            pages::all("secretsmanager:ListSecrets", |token| async move {
                let answer = aws
                    .read("secretsmanager:ListSecrets", |clients| {
                        clients
                            .secrets
                            .list_secrets()
                            .max_results(PAGE)
                            .set_next_token(token.clone())
                            .send()
                    })
                    .await?;
                let found = answer.secret_list.unwrap_or_default().into_iter();
                let names = found
                    .filter(|secret| secret.owning_service.is_none())
                    .filter_map(|secret| secret.name);
                Ok((names.collect(), answer.next_token))
            })
        })
        .await
}

/// The names of the secrets that carry this tag, as the list knows them; it lags minutes behind.
pub async fn names_tagged(aws: &Aws, tag: &str, value: &str) -> Result<Arc<Vec<String>>, Error> {
    let filters = [
        (FilterNameStringType::TagKey, tag),
        (FilterNameStringType::TagValue, value),
    ];
    let filters: Vec<Filter> = filters
        .into_iter()
        .map(|(key, value)| Filter::builder().key(key).values(value).build())
        .collect();
    let filters = &filters;
    aws.look()
        .once(format!("secretsmanager:ListSecrets:{tag}={value}"), || {
            pages::all("secretsmanager:ListSecrets", move |token| async move {
                let answer = aws
                    .read("secretsmanager:ListSecrets", |clients| {
                        clients
                            .secrets
                            .list_secrets()
                            .set_filters(Some(filters.clone()))
                            .max_results(PAGE)
                            .set_next_token(token.clone())
                            .send()
                    })
                    .await?;
                let found = answer.secret_list.unwrap_or_default();
                let names = found.into_iter().filter_map(|secret| secret.name);
                Ok((names.collect(), answer.next_token))
            })
        })
        .await
}

//! Log groups as they are in the account, and the calls as requests.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatchlogs::types::LogGroupClass as SdkClass;
use futures::future::try_join_all;
use futures::try_join;

use super::{Call, LogGroup, Spec};
use crate::aws::{Attempts, Aws, Error as AwsError, logs};
use crate::config::{LogGroupClass, Tags};
use crate::error::{Error, Result};
use crate::kind::{Address, Kind, Scope};
use crate::kinds::identity::{gone, still_ours};
use crate::kinds::regional::{self, Arns, Listed};
use crate::kinds::tags;

const ARNS: Arns = Arns {
    service: "logs",
    before_name: "log-group:",
    after_name: 0,
    emulated: true,
};

/// What is declared, and what carries our mark.
pub(super) async fn observe(aws: &Aws, scope: &Scope) -> Result<BTreeMap<String, Spec>> {
    let search = || async {
        let all = logs::all(aws).await?;
        Ok(all.iter().map(|one| one.name.clone()).collect())
    };
    let declared = scope.config.log_groups.keys();
    let read = |names| read(aws, scope, names);
    regional::observe(aws, scope, LogGroup::NAME, ARNS, declared, read, search).await
}

/// The log groups of these names that are there.
async fn read(aws: &Aws, scope: &Scope, names: BTreeSet<String>) -> Result<BTreeMap<String, Spec>> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = async { Ok(logs::log_groups(aws, &names).await?) };
    let (found, listed) = try_join!(found, Listed::read(aws, scope, ARNS))?;
    let reads = found
        .into_values()
        .map(|group| details(aws, scope, &listed, group));
    Ok(try_join_all(reads).await?.into_iter().collect())
}

async fn details(
    aws: &Aws,
    scope: &Scope,
    listed: &Listed,
    group: logs::LogGroup,
) -> Result<(String, Spec)> {
    let config = &scope.config;
    let address = Address::new(LogGroup::NAME, &group.name);
    let declared = config
        .log_groups
        .get(&group.name)
        .map(|declared| &declared.tags);
    let own = match listed.believed(&group.name, declared, config) {
        Some(tags) => tags.clone(),
        None => logs::tags(aws, &group.arn)
            .await
            .map_err(|error| Error::from(error).at(&address))?
            .as_ref()
            .clone(),
    };
    let class = match group.class.as_deref() {
        None => LogGroupClass::Standard,
        Some(word) => LogGroupClass::from_text(word)
            .ok_or_else(|| regional::unknown_word("the class", word).at(&address))?,
    };
    let live = tags::observed(own, declared, config);
    let spec = Spec {
        owner: live.owner,
        retention_in_days: group.retention_in_days,
        kms_key_id: group.kms_key_id,
        class,
        deletion_protection: group.deletion_protection,
        tags: live.tags,
    };
    Ok((group.name, spec))
}

/// Sends the requests of one call.
pub(super) async fn perform(aws: &Aws, scope: &Scope, name: &str, call: &Call) -> Result<()> {
    match call {
        Call::Create {
            class,
            kms_key_id,
            deletion_protection,
            tags,
        } => {
            let fixed = (*class, kms_key_id.as_ref(), *deletion_protection);
            Ok(create(aws, name, fixed, tags).await?)
        }
        Call::PutRetention { retention_in_days } => {
            Ok(put_retention(aws, name, *retention_in_days).await?)
        }
        Call::DeleteRetention => Ok(delete_retention(aws, name).await?),
        Call::AssociateKey { kms_key_id } => Ok(associate_key(aws, name, kms_key_id).await?),
        Call::DisassociateKey => Ok(disassociate_key(aws, name).await?),
        Call::SetDeletionProtection { enabled } => {
            Ok(set_deletion_protection(aws, name, *enabled).await?)
        }
        Call::Tag { tags } => Ok(tag(aws, &arn(scope, name), tags).await?),
        Call::Untag { keys } => Ok(untag(aws, &arn(scope, name), keys).await?),
        Call::SetFixed { field } => Err(Error::bug(format!(
            "A change of the {field}, which CloudWatch does not have, was to be performed."
        ))),
        Call::Delete => delete(aws, scope, name).await,
    }
}

fn arn(scope: &Scope, name: &str) -> String {
    let project = &scope.config.project;
    project.regional_arn("logs", &format!("log-group:{name}"))
}

async fn create(
    aws: &Aws,
    name: &str,
    (class, kms_key_id, deletion_protection): (LogGroupClass, Option<&String>, bool),
    tags: &Tags,
) -> Result<(), AwsError> {
    // AWS's defaults are left unsaid: not every endpoint knows these fields.
    let class = (class != LogGroupClass::Standard).then(|| SdkClass::from(class.as_str()));
    aws.write("logs:CreateLogGroup", Attempts::Once, |clients| {
        clients
            .logs
            .create_log_group()
            .log_group_name(name)
            .set_kms_key_id(kms_key_id.cloned())
            .set_log_group_class(class.clone())
            .set_deletion_protection_enabled(deletion_protection.then_some(true))
            .set_tags(Some(tags.clone().into_iter().collect()))
            .send()
    })
    .await?;
    Ok(())
}

async fn put_retention(aws: &Aws, name: &str, days: i32) -> Result<(), AwsError> {
    aws.write("logs:PutRetentionPolicy", Attempts::Idempotent, |clients| {
        clients
            .logs
            .put_retention_policy()
            .log_group_name(name)
            .retention_in_days(days)
            .send()
    })
    .await?;
    Ok(())
}

async fn delete_retention(aws: &Aws, name: &str) -> Result<(), AwsError> {
    aws.write(
        "logs:DeleteRetentionPolicy",
        Attempts::Idempotent,
        |clients| {
            clients
                .logs
                .delete_retention_policy()
                .log_group_name(name)
                .send()
        },
    )
    .await?;
    Ok(())
}

async fn associate_key(aws: &Aws, name: &str, key: &str) -> Result<(), AwsError> {
    aws.write("logs:AssociateKmsKey", Attempts::Idempotent, |clients| {
        clients
            .logs
            .associate_kms_key()
            .log_group_name(name)
            .kms_key_id(key)
            .send()
    })
    .await?;
    Ok(())
}

async fn disassociate_key(aws: &Aws, name: &str) -> Result<(), AwsError> {
    aws.write("logs:DisassociateKmsKey", Attempts::Idempotent, |clients| {
        clients
            .logs
            .disassociate_kms_key()
            .log_group_name(name)
            .send()
    })
    .await?;
    Ok(())
}

async fn set_deletion_protection(aws: &Aws, name: &str, enabled: bool) -> Result<(), AwsError> {
    aws.write(
        "logs:PutLogGroupDeletionProtection",
        Attempts::Idempotent,
        |clients| {
            clients
                .logs
                .put_log_group_deletion_protection()
                .log_group_identifier(name)
                .deletion_protection_enabled(enabled)
                .send()
        },
    )
    .await?;
    Ok(())
}

async fn tag(aws: &Aws, arn: &str, tags: &Tags) -> Result<(), AwsError> {
    aws.write("logs:TagResource", Attempts::Idempotent, |clients| {
        clients
            .logs
            .tag_resource()
            .resource_arn(arn)
            .set_tags(Some(tags.clone().into_iter().collect()))
            .send()
    })
    .await?;
    Ok(())
}

async fn untag(aws: &Aws, arn: &str, keys: &BTreeSet<String>) -> Result<(), AwsError> {
    aws.write("logs:UntagResource", Attempts::Idempotent, |clients| {
        clients
            .logs
            .untag_resource()
            .resource_arn(arn)
            .set_tag_keys(Some(keys.iter().cloned().collect()))
            .send()
    })
    .await?;
    Ok(())
}

async fn delete(aws: &Aws, scope: &Scope, name: &str) -> Result<()> {
    match logs::tags_now(aws, &arn(scope, name)).await {
        Ok(tags) => still_ours(&tags, &scope.config)?,
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let sent = aws.write("logs:DeleteLogGroup", Attempts::Idempotent, |clients| {
        clients.logs.delete_log_group().log_group_name(name).send()
    });
    Ok(gone(sent.await)?)
}

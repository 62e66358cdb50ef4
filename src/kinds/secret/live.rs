//! Secrets as they are in the account, and the calls as requests.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_secretsmanager::types::Tag;
use futures::future::try_join_all;

use super::{Call, RECOVERY_WINDOW, Secret, Spec, value};
use crate::aws::secrets::{self, SecretDescription};
use crate::aws::{self, Attempts, Aws, Class, Error as AwsError};
use crate::config::Tags;
use crate::error::{Error, Result};
use crate::kind::{Address, Kind, OWNER_TAG, Scope};
use crate::kinds::identity::{gone, still_ours};
use crate::kinds::regional::{self, Arns};
use crate::kinds::{Aside, tags};
use crate::planted::{Bug, planted};

const ARNS: Arns = Arns {
    service: "secretsmanager",
    before_name: "secret:",
    // A hyphen and six characters of chance.
    after_name: 7,
    emulated: true,
};

/// What is declared, and what carries our mark.
pub(super) async fn observe(aws: &Aws, scope: &Scope) -> Result<BTreeMap<String, Spec>> {
    let mark = scope.config.owner_mark();
    let mark = mark.as_str();
    let search = || async move {
        let names = secrets::names_tagged(aws, OWNER_TAG, mark).await?;
        Ok(names.iter().cloned().collect())
    };
    let declared = scope.config.secrets.keys();
    let read = |names| read(aws, scope, names);
    regional::observe(aws, scope, Secret::NAME, ARNS, declared, read, search).await
}

/// The secrets of these names that are there. One that is scheduled for deletion is not.
async fn read(aws: &Aws, scope: &Scope, names: BTreeSet<String>) -> Result<BTreeMap<String, Spec>> {
    let reads = names.iter().map(|name| async move {
        let found = secrets::secret(aws, name)
            .await
            .map_err(|error| Error::from(error).at(Address::new(Secret::NAME, name.as_str())))?;
        let there = found
            .as_ref()
            .as_ref()
            .filter(|found| !found.scheduled_for_deletion);
        Ok::<_, Error>(there.map(|found| (name.clone(), spec(scope, name, found))))
    });
    Ok(try_join_all(reads).await?.into_iter().flatten().collect())
}

fn spec(scope: &Scope, name: &str, found: &SecretDescription) -> Spec {
    let config = &scope.config;
    let declared = config.secrets.get(name);
    let live = tags::observed(
        found.tags.clone(),
        declared.map(|declared| &declared.tags),
        config,
    );
    Spec {
        owner: live.owner,
        description: found.description.clone(),
        kms_key_id: found.kms_key_id.clone(),
        tags: live.tags,
        generate: Aside(declared.and_then(|declared| declared.generate.clone())),
        recovery_window_in_days: Aside(
            declared.map_or(RECOVERY_WINDOW, |declared| declared.recovery_window_in_days),
        ),
    }
}

/// Sends the requests of one call; says whether that leaves a secret without a value.
pub(super) async fn perform(aws: &Aws, scope: &Scope, name: &str, call: &Call) -> Result<bool> {
    match call {
        Call::Create {
            description,
            kms_key_id,
            generate,
            tags,
        } => {
            let made = Made {
                description: description.as_ref(),
                kms_key_id: kms_key_id.as_ref(),
                value: generate.as_ref().map(value::generate).transpose()?,
                tags,
            };
            return create(aws, scope, name, &made).await;
        }
        Call::Update {
            description,
            kms_key_id,
        } => update(aws, name, description.as_ref(), kms_key_id.as_ref(), None).await?,
        Call::Tag { tags } => tag(aws, name, tags).await?,
        Call::Untag { keys } => untag(aws, name, keys).await?,
        Call::Delete {
            recovery_window_in_days,
        } => delete(aws, scope, name, *recovery_window_in_days).await?,
    }
    Ok(false)
}

/// What a creating call sends.
struct Made<'a> {
    description: Option<&'a String>,
    kms_key_id: Option<&'a String>,
    value: Option<aws::Secret<String>>,
    tags: &'a Tags,
}

async fn create(aws: &Aws, scope: &Scope, name: &str, made: &Made<'_>) -> Result<bool> {
    let list = tag_list(made.tags);
    let sent = aws
        .write("secretsmanager:CreateSecret", Attempts::Once, |clients| {
            clients
                .secrets
                .create_secret()
                .name(name)
                .set_description(made.description.cloned())
                .set_kms_key_id(made.kms_key_id.cloned())
                .set_secret_string(made.value.as_ref().map(|value| value.expose().clone()))
                .set_tags(Some(list.clone()))
                .send()
        })
        .await;
    if let Some(value) = made.value.as_ref().filter(|_| planted(Bug::SaysTheSecret)) {
        tracing::debug!(value = value.expose(), "made");
    }
    let error = match sent {
        Ok(_) => return Ok(made.value.is_none()),
        Err(error) if matches!(error.class, Class::Invalid | Class::Exists) => error,
        Err(error) => return Err(error.into()),
    };
    // Secrets Manager refuses the name of one that is scheduled for deletion as it refuses anything
    // that is not valid; an emulator says that it exists.
    match secrets::secret_now(aws, name).await? {
        Some(old) if old.scheduled_for_deletion => {
            restore(aws, scope, name, &old, made).await?;
            Ok(false)
        }
        _ => Err(error.into()),
    }
}

/// Takes one of ours back that is scheduled for deletion.
async fn restore(
    aws: &Aws,
    scope: &Scope,
    name: &str,
    old: &SecretDescription,
    made: &Made<'_>,
) -> Result<()> {
    if old.tags.get(OWNER_TAG) != Some(&scope.config.owner_mark()) {
        return Err(Error::refused(
            "A secret of this name is scheduled for deletion and does not carry our owner mark.",
        )
        .hint(format!(
            "Take it back with `aws secretsmanager restore-secret --secret-id {name}` and apply \
             again with --allow adopts, or wait until its recovery window has passed."
        )));
    }
    aws.write(
        "secretsmanager:RestoreSecret",
        Attempts::Idempotent,
        |clients| clients.secrets.restore_secret().secret_id(name).send(),
    )
    .await?;
    tag(aws, name, made.tags).await?;
    let kept = tags::apart(made.tags.clone()).tags;
    let before = tags::observed(old.tags.clone(), Some(&kept), &scope.config);
    let keys = tags::change((&before.tags, None), (&kept, None)).remove;
    if !keys.is_empty() {
        untag(aws, name, &keys).await?;
    }
    let value = made.value.as_ref();
    Ok(update(aws, name, made.description, made.kms_key_id, value).await?)
}

async fn update(
    aws: &Aws,
    name: &str,
    description: Option<&String>,
    kms_key_id: Option<&String>,
    value: Option<&aws::Secret<String>>,
) -> Result<(), AwsError> {
    // An empty text takes a description away, and gives the secret back to AWS's own key.
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    let attempts = match value {
        // Each one makes a version.
        Some(_) => Attempts::Once,
        None => Attempts::Idempotent,
    };
    aws.write("secretsmanager:UpdateSecret", attempts, |clients| {
        clients
            .secrets
            .update_secret()
            .secret_id(name)
            .description(text(description))
            .kms_key_id(text(kms_key_id))
            .set_secret_string(value.map(|value| value.expose().clone()))
            .send()
    })
    .await?;
    Ok(())
}

fn tag_list(tags: &Tags) -> Vec<Tag> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect()
}

async fn tag(aws: &Aws, name: &str, tags: &Tags) -> Result<(), AwsError> {
    let list = tag_list(tags);
    aws.write(
        "secretsmanager:TagResource",
        Attempts::Idempotent,
        |clients| {
            clients
                .secrets
                .tag_resource()
                .secret_id(name)
                .set_tags(Some(list.clone()))
                .send()
        },
    )
    .await?;
    Ok(())
}

async fn untag(aws: &Aws, name: &str, keys: &BTreeSet<String>) -> Result<(), AwsError> {
    aws.write(
        "secretsmanager:UntagResource",
        Attempts::Idempotent,
        |clients| {
            clients
                .secrets
                .untag_resource()
                .secret_id(name)
                .set_tag_keys(Some(keys.iter().cloned().collect()))
                .send()
        },
    )
    .await?;
    Ok(())
}

async fn delete(aws: &Aws, scope: &Scope, name: &str, days: i32) -> Result<()> {
    match secrets::secret_now(aws, name).await? {
        Some(found) if !found.scheduled_for_deletion => still_ours(&found.tags, &scope.config)?,
        _ => return Ok(()),
    }
    let sent = aws.write(
        "secretsmanager:DeleteSecret",
        Attempts::Idempotent,
        |clients| {
            let request = clients.secrets.delete_secret().secret_id(name);
            let request = match days {
                0 => request.force_delete_without_recovery(true),
                days => request.recovery_window_in_days(i64::from(days)),
            };
            request.send()
        },
    );
    Ok(gone(sent.await)?)
}

//! Policies as they are in the account, and the calls as requests.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::PolicyVersion;
use futures::future::try_join_all;

use super::{Call, Policy, Spec};
use crate::aws::iam::{self, Account};
use crate::aws::{Attempts, Aws, Error as AwsError, tagging};
use crate::config::Tags;
use crate::error::{Error, Result};
use crate::kind::{Address, Kind, OWNER_TAG, Performed, Scope};
use crate::kinds::identity::{self, Names};
use crate::kinds::{Aside, tags};
use crate::policy::{Document, PolicyKind};

/// What is declared, and what carries our mark.
pub(super) async fn observe(aws: &Aws, scope: &Scope) -> Result<BTreeMap<String, Spec>> {
    let config = &scope.config;
    let mark = config.owner_mark();
    let (account, tagged) = futures::try_join!(
        iam::account(aws),
        tagging::owned_in_iam(aws, OWNER_TAG, &mark)
    )?;
    let names = Names::new(&config.policies);
    let (declared, others): (Vec<_>, Vec<_>) = account
        .policies
        .values()
        .filter(|policy| !policy.arn.contains(":iam::aws:"))
        .map(|policy| (policy, names.declared(&policy.name)))
        .partition(|(_, declared)| declared.is_some());
    let reads = declared.into_iter().filter_map(|(policy, declared)| {
        let name = declared?;
        scope
            .wants(Policy::NAME, name)
            .then(|| declared_policy(aws, scope, &account, tagged.as_ref().as_ref(), policy, name))
    });
    let declared = try_join_all(reads).await?;
    let trusted = tagged.as_ref().as_ref().filter(|tagged| {
        tagged.keys().any(|arn| arn.contains(":iam::"))
            && declared.iter().all(|(_, spec)| {
                spec.owner.as_deref() != Some(mark.as_str()) || tagged.contains_key(&spec.arn.0)
            })
    });
    let reads = others
        .into_iter()
        .map(|(policy, _)| policy)
        .filter(|policy| trusted.is_none_or(|tagged| tagged.contains_key(&policy.arn)))
        .filter(|policy| scope.wants(Policy::NAME, &policy.name))
        .map(|policy| undeclared_policy(aws, scope, &account, policy));
    let owned = try_join_all(reads).await?.into_iter().flatten();
    Ok(declared.into_iter().chain(owned).collect())
}

type Tagged = BTreeMap<String, BTreeMap<String, String>>;

async fn declared_policy(
    aws: &Aws,
    scope: &Scope,
    account: &Account,
    tagged: Option<&Tagged>,
    policy: &iam::Policy,
    name: &str,
) -> Result<(String, Spec)> {
    let config = &scope.config;
    let declared = config.policies.get(name);
    let none = Tags::new();
    let wanted = declared.map_or(&none, |declared| &declared.tags);
    let listed = tagged
        .and_then(|tagged| tagged.get(&policy.arn))
        .filter(|listed| tags::as_declared(listed, wanted, config));
    let own = match listed {
        Some(listed) => listed.clone(),
        None => own_tags(aws, &policy.arn).await?,
    };
    let mut spec = spec(
        scope,
        account,
        policy,
        name,
        tags::observed(own, Some(wanted), config),
    )?;
    if spec.description != declared.and_then(|declared| declared.description.clone()) {
        let read = iam::policy_description(aws, &policy.arn).await?;
        spec.description.clone_from(&read);
    }
    Ok((name.to_owned(), spec))
}

async fn undeclared_policy(
    aws: &Aws,
    scope: &Scope,
    account: &Account,
    policy: &iam::Policy,
) -> Result<Option<(String, Spec)>> {
    let config = &scope.config;
    let own = tags::observed(own_tags(aws, &policy.arn).await?, None, config);
    if own.owner != Some(config.owner_mark()) {
        return Ok(None);
    }
    let spec = spec(scope, account, policy, &policy.name, own)?;
    Ok(Some((policy.name.clone(), spec)))
}

async fn own_tags(aws: &Aws, arn: &str) -> Result<BTreeMap<String, String>> {
    let read = iam::policy_tags(aws, arn).await?;
    Ok(read.map(|tags| tags.as_ref().clone()).unwrap_or_default())
}

fn spec(
    scope: &Scope,
    account: &Account,
    policy: &iam::Policy,
    name: &str,
    live: tags::LiveTags,
) -> Result<Spec> {
    let address = Address::new(Policy::NAME, name);
    let document = identity::document(
        &policy.document,
        PolicyKind::Identity,
        &BTreeMap::new(),
        &address,
    )?;
    // One spelling of the ARN everywhere: the roles' attachments are spelt as declared too.
    let declared = scope.config.arn(Policy::NAME, name);
    let arn = declared
        .filter(|arn| arn.eq_ignore_ascii_case(&policy.arn))
        .unwrap_or_else(|| policy.arn.clone());
    Ok(Spec {
        owner: live.owner,
        path: policy.path.clone(),
        description: policy.description.clone(),
        document,
        tags: live.tags,
        arn: Aside(arn),
        others: Aside(others(scope, account, policy)),
    })
}

/// Who uses the policy besides the roles of the plan. Users and groups are not read: the counts tell
/// that there are some.
fn others(scope: &Scope, account: &Account, policy: &iam::Policy) -> Vec<String> {
    let names = Names::new(&scope.config.roles);
    let mut others = Vec::new();
    let (mut attachments, mut boundaries) = (policy.attachments, policy.boundaries);
    for role in account.roles.values() {
        let attached = role.managed_policies.contains(&policy.arn);
        let bounds = role.permissions_boundary.as_ref() == Some(&policy.arn);
        attachments -= i32::from(attached);
        boundaries -= i32::from(bounds);
        if (attached || bounds) && !identity::in_plan(role, &names, scope) {
            others.push(format!("role {}", role.name));
        }
    }
    if attachments > 0 {
        others.push(format!("{attachments} users or groups"));
    }
    if boundaries > 0 {
        others.push(format!("the boundary of {boundaries} users"));
    }
    others
}

/// Sends the requests of one call.
pub(super) async fn perform(
    aws: &Aws,
    scope: &Scope,
    name: &str,
    call: &Call,
) -> Result<Performed> {
    match call {
        Call::Create { .. } => create(aws, name, call).await?,
        Call::SetDocument { arn, document } => set_document(aws, name, arn, document).await?,
        Call::Tag { arn, tags } => tag(aws, arn, tags).await?,
        Call::Untag { arn, keys } => untag(aws, arn, keys).await?,
        Call::SetFixed { field } => {
            return Err(Error::bug(format!(
                "A change of the {field}, which IAM does not have, was to be performed."
            )));
        }
        Call::Delete { arn } => return delete(aws, scope, arn).await,
    }
    Ok(Performed::default())
}

async fn tag(aws: &Aws, arn: &str, tags: &Tags) -> Result<(), AwsError> {
    let tags = iam::tag_list(tags)?;
    aws.write("iam:TagPolicy", Attempts::Idempotent, |clients| {
        clients
            .iam
            .tag_policy()
            .policy_arn(arn)
            .set_tags(Some(tags.clone()))
            .send()
    })
    .await?;
    Ok(())
}

async fn untag(aws: &Aws, arn: &str, keys: &BTreeSet<String>) -> Result<(), AwsError> {
    aws.write("iam:UntagPolicy", Attempts::Idempotent, |clients| {
        clients
            .iam
            .untag_policy()
            .policy_arn(arn)
            .set_tag_keys(Some(keys.iter().cloned().collect()))
            .send()
    })
    .await?;
    Ok(())
}

async fn create(aws: &Aws, name: &str, call: &Call) -> Result<()> {
    let Call::Create {
        arn: _,
        path,
        description,
        document,
        tags,
    } = call
    else {
        return Err(Error::bug(
            "Something else than a creating call was to create.",
        ));
    };
    let tags = iam::tag_list(tags)?;
    aws.write("iam:CreatePolicy", Attempts::Once, |clients| {
        clients
            .iam
            .create_policy()
            .policy_name(name)
            .path(path)
            .set_description(description.clone())
            .policy_document(document.minified())
            .set_tags(Some(tags.clone()))
            .send()
    })
    .await?;
    Ok(())
}

/// A document that is the default already is not made twice.
async fn set_document(aws: &Aws, name: &str, arn: &str, document: &Document) -> Result<()> {
    let versions = versions(aws, arn).await?;
    if let Some(default) = versions.iter().find(|version| version.is_default_version) {
        let id = default.version_id.as_deref().unwrap_or_default();
        if default_document(aws, name, arn, id).await? == *document {
            return Ok(());
        }
    }
    if versions.len() >= MOST_VERSIONS {
        delete_oldest(aws, arn, &versions).await?;
    }
    aws.write("iam:CreatePolicyVersion", Attempts::Once, |clients| {
        clients
            .iam
            .create_policy_version()
            .policy_arn(arn)
            .policy_document(document.minified())
            .set_as_default(true)
            .send()
    })
    .await?;
    Ok(())
}

/// The document of the default version; a version never changes, so the look may know it.
async fn default_document(aws: &Aws, name: &str, arn: &str, id: &str) -> Result<Document> {
    let account = iam::account(aws).await?;
    let known = account
        .policies
        .get(arn)
        .filter(|policy| policy.default_version == id);
    let text = match known {
        Some(policy) => policy.document.clone(),
        None => iam::policy_version(aws, arn, id).await?,
    };
    let address = Address::new(Policy::NAME, name);
    identity::document(&text, PolicyKind::Identity, &BTreeMap::new(), &address)
}

/// Versions of a managed policy that IAM keeps; the quota is fixed (facts.md section 3).
const MOST_VERSIONS: usize = 5;

async fn versions(aws: &Aws, arn: &str) -> Result<Vec<PolicyVersion>, AwsError> {
    let mut all = Vec::new();
    let mut marker: Option<String> = None;
    loop {
        let page = aws
            .read("iam:ListPolicyVersions", |clients| {
                clients
                    .iam
                    .list_policy_versions()
                    .policy_arn(arn)
                    .set_marker(marker.clone())
                    .send()
            })
            .await?;
        all.extend(page.versions.unwrap_or_default());
        match page.marker.filter(|_| page.is_truncated) {
            Some(next) => marker = Some(next),
            None if page.is_truncated => {
                return Err(AwsError::unreadable(
                    "a page of iam:ListPolicyVersions that is cut off without a marker",
                ));
            }
            None => return Ok(all),
        }
    }
}

async fn delete_oldest(aws: &Aws, arn: &str, versions: &[PolicyVersion]) -> Result<(), AwsError> {
    // `v10` is younger than `v9`; the number counts up for ever.
    let number = |version: &&PolicyVersion| {
        let id = version.version_id.as_deref().unwrap_or_default();
        id.trim_start_matches('v')
            .parse::<u64>()
            .unwrap_or(u64::MAX)
    };
    let oldest = versions
        .iter()
        .filter(|version| !version.is_default_version)
        .min_by_key(number)
        .and_then(|version| version.version_id.as_deref());
    match oldest {
        Some(id) => delete_version(aws, arn, id).await,
        None => Ok(()),
    }
}

async fn delete_version(aws: &Aws, arn: &str, id: &str) -> Result<(), AwsError> {
    let sent = aws
        .write("iam:DeletePolicyVersion", Attempts::Idempotent, |clients| {
            clients
                .iam
                .delete_policy_version()
                .policy_arn(arn)
                .version_id(id)
                .send()
        })
        .await;
    identity::gone(sent)
}

/// Deletes it, if it carries our mark.
async fn delete(aws: &Aws, scope: &Scope, arn: &str) -> Result<Performed> {
    let Some(tags) = iam::policy_tags_now(aws, arn).await? else {
        return Ok(Performed::unseen());
    };
    identity::still_ours(&tags, &scope.config)?;
    for version in versions(aws, arn).await? {
        if let Some(id) = version
            .version_id
            .as_deref()
            .filter(|_| !version.is_default_version)
        {
            delete_version(aws, arn, id).await?;
        }
    }
    let sent = aws
        .write("iam:DeletePolicy", Attempts::Idempotent, |clients| {
            clients.iam.delete_policy().policy_arn(arn).send()
        })
        .await;
    identity::gone(sent)?;
    Ok(Performed::default())
}

//! Roles as they are in the account, and the calls as requests.

use std::collections::{BTreeMap, BTreeSet};

use super::{Call, Role, Spec};
use crate::aws::iam;
use crate::aws::{Attempts, Aws, Error as AwsError};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::kind::{Address, Kind, OWNER_TAG, Performed, Scope};
use crate::kinds::identity::{self, Names};
use crate::kinds::{Aside, tags};
use crate::planted::{Bug, planted};
use crate::policy::PolicyKind;

/// IAM's default, counted where an answer lacks it.
const DEFAULT_SESSION_SECONDS: i32 = 3600;

/// What is declared, and what carries our mark.
pub(super) async fn observe(aws: &Aws, scope: &Scope) -> Result<BTreeMap<String, Spec>> {
    let account = iam::account(aws).await?;
    let names = Names::new(&scope.config.roles);
    let policies = policy_arns(&scope.config);
    let ids = identity::role_ids(&account);
    let mut live = BTreeMap::new();
    for role in account.roles.values() {
        if !identity::in_plan(role, &names, scope) {
            continue;
        }
        let name = names.declared(&role.name).unwrap_or(&role.name);
        let spec = spec(&scope.config, role, name, &ids, &policies)?;
        live.insert(name.to_owned(), spec);
    }
    if differs(scope, &live) {
        let summary = iam::account_summary(aws).await?;
        let most = summary.get("AttachedPoliciesPerRoleQuota");
        let most = most.and_then(|most| usize::try_from(*most).ok());
        for spec in live.values_mut() {
            spec.most_policies = Aside(most);
        }
    }
    Ok(live)
}

/// Whether a role that is there is to get a policy: only then are the account's quotas asked for.
fn differs(scope: &Scope, live: &BTreeMap<String, Spec>) -> bool {
    Role.declare(&scope.config)
        .into_iter()
        .any(|(name, declared)| {
            live.get(&name)
                .is_some_and(|live| !declared.managed_policies.is_subset(&live.managed_policies))
        })
}

/// The ARNs of the declared policies by their lower-case form: IAM keeps them unique so.
fn policy_arns(config: &Config) -> BTreeMap<String, String> {
    config
        .policies
        .keys()
        .filter_map(|name| config.arn("policy", name))
        .map(|arn| (arn.to_lowercase(), arn))
        .collect()
}

fn spec(
    config: &Config,
    role: &iam::Role,
    name: &str,
    ids: &BTreeMap<&str, &str>,
    policies: &BTreeMap<String, String>,
) -> Result<Spec> {
    let address = Address::new(Role::NAME, name);
    let declared = config.roles.get(name).map(|declared| &declared.tags);
    let live = tags::observed(role.tags.clone(), declared, config);
    let spelling = |arn: &String| policies.get(&arn.to_lowercase()).unwrap_or(arn).clone();
    let mut inline_policies = BTreeMap::new();
    for (name, text) in &role.inline_policies {
        let document = identity::document(text, PolicyKind::Identity, ids, &address)?;
        inline_policies.insert(name.clone(), document);
    }
    let owner = if planted(Bug::DeleteByNamePrefix) {
        Some(config.owner_mark())
    } else {
        live.owner
    };
    Ok(Spec {
        owner,
        path: role.path.clone(),
        description: role.description.clone(),
        max_session_duration: role.max_session_duration.unwrap_or(DEFAULT_SESSION_SECONDS),
        trust_policy: identity::document(&role.trust_policy, PolicyKind::Trust, ids, &address)?,
        permissions_boundary: role.permissions_boundary.as_ref().map(spelling),
        managed_policies: role
            .managed_policies
            .iter()
            .map(spelling)
            .collect::<BTreeSet<_>>(),
        inline_policies,
        tags: live.tags,
        arn: Aside(role.arn.clone()),
        instance_profiles: Aside(role.instance_profiles.clone()),
        most_policies: Aside::default(),
    })
}

/// Sends the request of one call.
pub(super) async fn perform(
    aws: &Aws,
    scope: &Scope,
    name: &str,
    call: &Call,
) -> Result<Performed> {
    match call {
        Call::Create { .. } => create(aws, name, call).await?,
        Call::Tag { tags } if planted(Bug::UntagThenTag) => {
            untag(aws, name, &BTreeSet::from([OWNER_TAG.to_owned()])).await?;
            let all = tags::with_owner(tags, Some(&scope.config.owner_mark()));
            tag(aws, name, &all).await?;
        }
        Call::Tag { tags } => tag(aws, name, tags).await?,
        Call::Untag { keys } => untag(aws, name, keys).await?,
        Call::Update {
            description,
            max_session_duration,
        } => update(aws, name, description.as_deref(), *max_session_duration).await?,
        Call::SetTrustPolicy { document } => set_trust(aws, name, &document.minified()).await?,
        Call::PutBoundary { arn } => put_boundary(aws, name, arn).await?,
        Call::Attach { arn } => attach(aws, name, arn).await?,
        Call::PutInline {
            name: inline,
            document,
        } => put_inline(aws, name, inline, &document.minified()).await?,
        Call::Detach { arn } => identity::gone(detach(aws, name, arn).await)?,
        Call::DeleteInline { name: inline } => {
            identity::gone(delete_inline(aws, name, inline).await)?;
        }
        Call::DeleteBoundary => identity::gone(delete_boundary(aws, name).await)?,
        Call::SetPath { .. } => {
            return Err(Error::bug(
                "A change of path, which IAM does not have, was to be performed.",
            ));
        }
        Call::Delete => return delete(aws, scope, name).await,
    }
    Ok(Performed::default())
}

async fn create(aws: &Aws, name: &str, call: &Call) -> Result<()> {
    let Call::Create {
        arn: _,
        path,
        description,
        max_session_duration,
        trust_policy,
        permissions_boundary,
        tags,
    } = call
    else {
        return Err(Error::bug(
            "Something else than a creating call was to create.",
        ));
    };
    let tags = iam::tag_list(tags)?;
    aws.write("iam:CreateRole", Attempts::Once, |clients| {
        clients
            .iam
            .create_role()
            .role_name(name)
            .path(path)
            .set_description(description.clone())
            .max_session_duration(*max_session_duration)
            .assume_role_policy_document(trust_policy.minified())
            .set_permissions_boundary(permissions_boundary.clone())
            .set_tags(Some(tags.clone()))
            .send()
    })
    .await?;
    Ok(())
}

/// Deletes it, if it carries our mark.
async fn delete(aws: &Aws, scope: &Scope, name: &str) -> Result<Performed> {
    let Some(tags) = iam::role_tags_now(aws, name).await? else {
        return Ok(Performed::unseen());
    };
    identity::still_ours(&tags, &scope.config)?;
    let sent = aws
        .write("iam:DeleteRole", Attempts::Idempotent, |clients| {
            clients.iam.delete_role().role_name(name).send()
        })
        .await;
    identity::gone(sent)?;
    Ok(Performed::default())
}

async fn tag(aws: &Aws, name: &str, tags: &BTreeMap<String, String>) -> Result<(), AwsError> {
    let tags = iam::tag_list(tags)?;
    aws.write("iam:TagRole", Attempts::Idempotent, |clients| {
        let request = clients.iam.tag_role().role_name(name);
        request.set_tags(Some(tags.clone())).send()
    })
    .await?;
    Ok(())
}

async fn untag(aws: &Aws, name: &str, keys: &BTreeSet<String>) -> Result<(), AwsError> {
    aws.write("iam:UntagRole", Attempts::Idempotent, |clients| {
        let request = clients.iam.untag_role().role_name(name);
        let keys = keys.iter().cloned().collect();
        request.set_tag_keys(Some(keys)).send()
    })
    .await?;
    Ok(())
}

/// IAM leaves alone what the request does not say: an empty description removes it.
async fn update(
    aws: &Aws,
    name: &str,
    description: Option<&str>,
    max_session_duration: i32,
) -> Result<(), AwsError> {
    aws.write("iam:UpdateRole", Attempts::Idempotent, |clients| {
        clients
            .iam
            .update_role()
            .role_name(name)
            .description(description.unwrap_or_default())
            .max_session_duration(max_session_duration)
            .send()
    })
    .await?;
    Ok(())
}

async fn set_trust(aws: &Aws, name: &str, document: &str) -> Result<(), AwsError> {
    let operation = "iam:UpdateAssumeRolePolicy";
    aws.write(operation, Attempts::Idempotent, |clients| {
        let request = clients.iam.update_assume_role_policy().role_name(name);
        request.policy_document(document).send()
    })
    .await?;
    Ok(())
}

async fn put_boundary(aws: &Aws, name: &str, arn: &str) -> Result<(), AwsError> {
    let operation = "iam:PutRolePermissionsBoundary";
    aws.write(operation, Attempts::Idempotent, |clients| {
        let request = clients.iam.put_role_permissions_boundary().role_name(name);
        request.permissions_boundary(arn).send()
    })
    .await?;
    Ok(())
}

async fn delete_boundary(aws: &Aws, name: &str) -> Result<(), AwsError> {
    let operation = "iam:DeleteRolePermissionsBoundary";
    aws.write(operation, Attempts::Idempotent, |clients| {
        let request = clients.iam.delete_role_permissions_boundary();
        request.role_name(name).send()
    })
    .await?;
    Ok(())
}

async fn attach(aws: &Aws, name: &str, arn: &str) -> Result<(), AwsError> {
    aws.write("iam:AttachRolePolicy", Attempts::Idempotent, |clients| {
        let request = clients.iam.attach_role_policy().role_name(name);
        request.policy_arn(arn).send()
    })
    .await?;
    Ok(())
}

async fn detach(aws: &Aws, name: &str, arn: &str) -> Result<(), AwsError> {
    aws.write("iam:DetachRolePolicy", Attempts::Idempotent, |clients| {
        let request = clients.iam.detach_role_policy().role_name(name);
        request.policy_arn(arn).send()
    })
    .await?;
    Ok(())
}

async fn put_inline(aws: &Aws, name: &str, inline: &str, document: &str) -> Result<(), AwsError> {
    aws.write("iam:PutRolePolicy", Attempts::Idempotent, |clients| {
        let request = clients.iam.put_role_policy().role_name(name);
        request.policy_name(inline).policy_document(document).send()
    })
    .await?;
    Ok(())
}

async fn delete_inline(aws: &Aws, name: &str, inline: &str) -> Result<(), AwsError> {
    aws.write("iam:DeleteRolePolicy", Attempts::Idempotent, |clients| {
        let request = clients.iam.delete_role_policy().role_name(name);
        request.policy_name(inline).send()
    })
    .await?;
    Ok(())
}

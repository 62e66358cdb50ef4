//! The reads of IAM, each at most once in a look, as plain values.
//! One batched read covers the account: an undeclared role that carries our mark shows nowhere else,
//! since the tagging API does not list roles.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_iam::types::{
    AttachedPolicy, EntityType, GroupDetail, ManagedPolicyDetail, PolicyDetail, RoleDetail, Tag,
    UserDetail,
};

use super::{Aws, Error};

/// Items a page: the most that IAM gives.
const PAGE: i32 = 1000;

/// Every role, and every managed policy that is ours or in use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The roles by name.
    pub roles: BTreeMap<String, Role>,
    /// The customer managed policies and the attached AWS managed ones, by ARN.
    pub policies: BTreeMap<String, Policy>,
    /// The users by ARN; none unless [`everyone`] was read.
    pub users: BTreeMap<String, User>,
    /// The groups by name; none unless [`everyone`] was read.
    pub groups: BTreeMap<String, Holder>,
}

/// What a user or a group holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// The ARNs of the attached managed policies.
    pub managed_policies: Vec<String>,
    /// The inline policies by name, URL-encoded.
    pub inline_policies: BTreeMap<String, String>,
}

/// A user as IAM describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// The unique id, `AIDA...`.
    pub id: String,
    /// The names of its groups.
    pub groups: Vec<String>,
    /// The ARN of the boundary.
    pub permissions_boundary: Option<String>,
    /// Its own policies.
    pub policies: Holder,
}

/// A role as IAM describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The name as it was created; letter case does not distinguish two roles.
    pub name: String,
    /// The unique id, `AROA...`.
    pub id: String,
    /// The ARN, path included.
    pub arn: String,
    /// Begins and ends with `/`.
    pub path: String,
    /// The trust policy, URL-encoded as IAM returns it.
    pub trust_policy: String,
    /// Free text.
    pub description: Option<String>,
    /// Seconds; none where the answer lacks it.
    pub max_session_duration: Option<i32>,
    /// The ARN of the boundary.
    pub permissions_boundary: Option<String>,
    /// The ARNs of the attached managed policies.
    pub managed_policies: Vec<String>,
    /// The inline policies by name, URL-encoded.
    pub inline_policies: BTreeMap<String, String>,
    /// All tags.
    pub tags: BTreeMap<String, String>,
    /// The names of the instance profiles that hold the role.
    pub instance_profiles: Vec<String>,
}

/// A managed policy as IAM describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The name; letter case does not distinguish two policies.
    pub name: String,
    /// The ARN, path included.
    pub arn: String,
    /// Begins and ends with `/`.
    pub path: String,
    /// Free text; the batched read may lack it.
    pub description: Option<String>,
    /// The default version, such as `v3`.
    pub default_version: String,
    /// The default version's document, URL-encoded.
    pub document: String,
    /// How many users, groups and roles it is attached to.
    pub attachments: i32,
    /// How many users and roles have it as their boundary.
    pub boundaries: i32,
    /// How many versions there are.
    pub versions: usize,
}

/// An OIDC provider as IAM describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcProvider {
    /// The audiences, in IAM's order.
    pub client_ids: Vec<String>,
    /// The thumbprints, in IAM's order.
    pub thumbprints: Vec<String>,
    /// All tags.
    pub tags: BTreeMap<String, String>,
}

/// The account's roles and policies.
pub async fn account(aws: &Aws) -> Result<Arc<Account>, Error> {
    aws.look()
        .once("iam:account", || async {
            let (details, roles) = futures::try_join!(details(aws, PLANNED), list_roles(aws))?;
            merge(details, &roles)
        })
        .await
}

/// The same with the users and groups. Read first in a look, it is what [`account`] then gives, so
/// that the account is paged through once.
pub async fn everyone(aws: &Aws) -> Result<Arc<Account>, Error> {
    aws.look()
        .once("iam:account", || async {
            let (details, roles) = futures::try_join!(details(aws, EVERYONE), list_roles(aws))?;
            merge(details, &roles)
        })
        .await
}

/// What a plan is about.
const PLANNED: &[EntityType] = &[
    EntityType::Role,
    EntityType::LocalManagedPolicy,
    EntityType::AwsManagedPolicy,
];

/// All that IAM has.
const EVERYONE: &[EntityType] = &[
    EntityType::User,
    EntityType::Group,
    EntityType::Role,
    EntityType::LocalManagedPolicy,
    EntityType::AwsManagedPolicy,
];

#[derive(Default)]
struct Details {
    roles: Vec<RoleDetail>,
    policies: Vec<ManagedPolicyDetail>,
    users: Vec<UserDetail>,
    groups: Vec<GroupDetail>,
}

async fn details(aws: &Aws, filter: &[EntityType]) -> Result<Details, Error> {
    let mut all = Details::default();
    let mut marker: Option<String> = None;
    loop {
        let page = aws
            .read("iam:GetAccountAuthorizationDetails", |clients| {
                clients
                    .iam
                    .get_account_authorization_details()
                    .set_filter(Some(filter.to_vec()))
                    .max_items(PAGE)
                    .set_marker(marker.clone())
                    .send()
            })
            .await?;
        let next = next_marker(
            "GetAccountAuthorizationDetails",
            page.is_truncated(),
            page.marker(),
        )?;
        all.roles.extend(page.role_detail_list.unwrap_or_default());
        all.policies.extend(page.policies.unwrap_or_default());
        all.users.extend(page.user_detail_list.unwrap_or_default());
        all.groups
            .extend(page.group_detail_list.unwrap_or_default());
        match next {
            Some(next) => marker = Some(next),
            None => return Ok(all),
        }
    }
}

/// What only `ListRoles` says of a role.
struct ListedRole {
    description: Option<String>,
    max_session_duration: Option<i32>,
}

async fn list_roles(aws: &Aws) -> Result<BTreeMap<String, ListedRole>, Error> {
    let mut all = BTreeMap::new();
    let mut marker: Option<String> = None;
    loop {
        let page = aws
            .read("iam:ListRoles", |clients| {
                clients
                    .iam
                    .list_roles()
                    .max_items(PAGE)
                    .set_marker(marker.clone())
                    .send()
            })
            .await?;
        let next = next_marker("ListRoles", page.is_truncated(), page.marker())?;
        all.extend(page.roles.into_iter().map(|role| {
            let listed = ListedRole {
                description: given(role.description),
                max_session_duration: role.max_session_duration,
            };
            (role.role_name, listed)
        }));
        match next {
            Some(next) => marker = Some(next),
            None => return Ok(all),
        }
    }
}

fn merge(details: Details, listed: &BTreeMap<String, ListedRole>) -> Result<Account, Error> {
    let mut account = Account::default();
    for detail in details.roles {
        let role = role(detail, listed)?;
        account.roles.insert(role.name.clone(), role);
    }
    for detail in details.policies {
        let policy = policy(detail)?;
        account.policies.insert(policy.arn.clone(), policy);
    }
    for detail in details.users {
        let arn = required(detail.arn.clone(), "Arn")?;
        account.users.insert(arn, user(detail)?);
    }
    for detail in details.groups {
        let name = required(detail.group_name, "GroupName")?;
        let policies = holder(detail.attached_managed_policies, detail.group_policy_list)?;
        account.groups.insert(name, policies);
    }
    Ok(account)
}

fn user(detail: UserDetail) -> Result<User, Error> {
    Ok(User {
        name: required(detail.user_name, "UserName")?,
        id: detail.user_id.unwrap_or_default(),
        groups: detail.group_list.unwrap_or_default(),
        permissions_boundary: detail
            .permissions_boundary
            .and_then(|boundary| boundary.permissions_boundary_arn),
        policies: holder(detail.attached_managed_policies, detail.user_policy_list)?,
    })
}

fn holder(
    attached: Option<Vec<AttachedPolicy>>,
    inline: Option<Vec<PolicyDetail>>,
) -> Result<Holder, Error> {
    let mut holder = Holder::default();
    for policy in attached.unwrap_or_default() {
        let arn = required(policy.policy_arn, "PolicyArn")?;
        holder.managed_policies.push(arn);
    }
    for policy in inline.unwrap_or_default() {
        let name = required(policy.policy_name, "PolicyName")?;
        let document = required(policy.policy_document, "PolicyDocument")?;
        holder.inline_policies.insert(name, document);
    }
    Ok(holder)
}

fn role(detail: RoleDetail, listed: &BTreeMap<String, ListedRole>) -> Result<Role, Error> {
    let name = required(detail.role_name, "RoleName")?;
    let mut inline_policies = BTreeMap::new();
    for inline in detail.role_policy_list.unwrap_or_default() {
        inline_policies.insert(
            required(inline.policy_name, "PolicyName")?,
            required(inline.policy_document, "PolicyDocument")?,
        );
    }
    let mut managed_policies = Vec::new();
    for attached in detail.attached_managed_policies.unwrap_or_default() {
        managed_policies.push(required(attached.policy_arn, "PolicyArn")?);
    }
    let listed = listed.get(&name);
    Ok(Role {
        id: detail.role_id.unwrap_or_default(),
        arn: required(detail.arn, "Arn")?,
        path: detail.path.unwrap_or_else(|| "/".to_owned()),
        trust_policy: required(
            detail.assume_role_policy_document,
            "AssumeRolePolicyDocument",
        )?,
        description: listed.and_then(|role| role.description.clone()),
        max_session_duration: listed.and_then(|role| role.max_session_duration),
        permissions_boundary: detail
            .permissions_boundary
            .and_then(|boundary| boundary.permissions_boundary_arn),
        managed_policies,
        inline_policies,
        tags: tags(detail.tags.unwrap_or_default()),
        instance_profiles: detail
            .instance_profile_list
            .unwrap_or_default()
            .into_iter()
            .map(|profile| profile.instance_profile_name)
            .collect(),
        name,
    })
}

fn policy(detail: ManagedPolicyDetail) -> Result<Policy, Error> {
    let arn = required(detail.arn, "Arn")?;
    // Some endpoints leave the name out of this answer; the ARN ends in it.
    let name = match detail.policy_name {
        Some(name) => name,
        None => arn.rsplit('/').next().unwrap_or_default().to_owned(),
    };
    let default = detail.default_version_id;
    let versions = detail.policy_version_list.unwrap_or_default();
    let count = versions.len();
    let version = versions
        .into_iter()
        .find(|version| version.is_default_version || version.version_id == default);
    let (default_version, document) = match version {
        Some(version) => (version.version_id.or(default), version.document),
        None => (default, None),
    };
    Ok(Policy {
        default_version: default_version.unwrap_or_default(),
        document: required(document, "Document of the default version")?,
        path: detail.path.unwrap_or_else(|| "/".to_owned()),
        description: given(detail.description),
        attachments: detail.attachment_count.unwrap_or(0),
        boundaries: detail.permissions_boundary_usage_count.unwrap_or(0),
        versions: count,
        name,
        arn,
    })
}

/// The OIDC provider with this ARN, or none.
pub async fn oidc_provider(aws: &Aws, arn: &str) -> Result<Option<Arc<OidcProvider>>, Error> {
    let read = aws
        .look()
        .once(format!("iam:oidc-provider:{arn}"), || {
            fetch_oidc_provider(aws, arn)
        })
        .await;
    found(read)
}

/// The same, read anew: what it says must not be older than the call that follows.
pub async fn oidc_provider_now(aws: &Aws, arn: &str) -> Result<Option<OidcProvider>, Error> {
    found(fetch_oidc_provider(aws, arn).await)
}

async fn fetch_oidc_provider(aws: &Aws, arn: &str) -> Result<OidcProvider, Error> {
    let output = aws
        .read("iam:GetOpenIDConnectProvider", |clients| {
            clients
                .iam
                .get_open_id_connect_provider()
                .open_id_connect_provider_arn(arn)
                .send()
        })
        .await?;
    Ok(OidcProvider {
        client_ids: output.client_id_list.unwrap_or_default(),
        thumbprints: output.thumbprint_list.unwrap_or_default(),
        tags: tags(output.tags.unwrap_or_default()),
    })
}

/// The ARNs of all OIDC providers.
pub async fn oidc_providers(aws: &Aws) -> Result<Arc<Vec<String>>, Error> {
    aws.look()
        .once("iam:oidc-providers", || async {
            let output = aws
                .read("iam:ListOpenIDConnectProviders", |clients| {
                    clients.iam.list_open_id_connect_providers().send()
                })
                .await?;
            let providers = output.open_id_connect_provider_list.unwrap_or_default();
            Ok(providers
                .into_iter()
                .filter_map(|provider| provider.arn)
                .collect())
        })
        .await
}

/// The tags of a policy, from the policy itself; none where it is not there.
pub async fn policy_tags(
    aws: &Aws,
    arn: &str,
) -> Result<Option<Arc<BTreeMap<String, String>>>, Error> {
    let read = aws
        .look()
        .once(format!("iam:policy-tags:{arn}"), || {
            fetch_policy_tags(aws, arn)
        })
        .await;
    found(read)
}

/// The same, read anew.
pub async fn policy_tags_now(
    aws: &Aws,
    arn: &str,
) -> Result<Option<BTreeMap<String, String>>, Error> {
    found(fetch_policy_tags(aws, arn).await)
}

async fn fetch_policy_tags(aws: &Aws, arn: &str) -> Result<BTreeMap<String, String>, Error> {
    let mut all = BTreeMap::new();
    let mut marker: Option<String> = None;
    loop {
        let page = aws
            .read("iam:ListPolicyTags", |clients| {
                clients
                    .iam
                    .list_policy_tags()
                    .policy_arn(arn)
                    .set_marker(marker.clone())
                    .send()
            })
            .await?;
        let next = next_marker("ListPolicyTags", page.is_truncated(), page.marker())?;
        all.extend(tags(page.tags));
        match next {
            Some(next) => marker = Some(next),
            None => return Ok(all),
        }
    }
}

/// The tags of a role, read anew; none where it is not there.
pub async fn role_tags_now(
    aws: &Aws,
    name: &str,
) -> Result<Option<BTreeMap<String, String>>, Error> {
    let read = aws
        .read("iam:GetRole", |clients| {
            clients.iam.get_role().role_name(name).send()
        })
        .await;
    let output = found(read)?;
    Ok(output
        .and_then(|output| output.role)
        .map(|role| tags(role.tags.unwrap_or_default())))
}

/// The description of a policy, for where the batched read lacks it.
pub async fn policy_description(aws: &Aws, arn: &str) -> Result<Arc<Option<String>>, Error> {
    aws.look()
        .once(format!("iam:policy-description:{arn}"), || async {
            let output = aws
                .read("iam:GetPolicy", |clients| {
                    clients.iam.get_policy().policy_arn(arn).send()
                })
                .await?;
            Ok(output.policy.and_then(|policy| given(policy.description)))
        })
        .await
}

/// The default version's document of a managed policy that the account does not use yet; none where
/// there is no such policy, or no such version by then.
pub async fn policy_document(aws: &Aws, arn: &str) -> Result<Arc<Option<String>>, Error> {
    aws.look()
        .once(format!("iam:policy-document:{arn}"), || async {
            let read = aws
                .read("iam:GetPolicy", |clients| {
                    clients.iam.get_policy().policy_arn(arn).send()
                })
                .await;
            let version = found(read)?
                .and_then(|output| output.policy)
                .and_then(|policy| policy.default_version_id);
            match version {
                Some(version) => found(policy_version(aws, arn, &version).await),
                None => Ok(None),
            }
        })
        .await
}

/// The document of one version of a policy, URL-encoded.
pub async fn policy_version(aws: &Aws, arn: &str, version: &str) -> Result<String, Error> {
    let output = aws
        .read("iam:GetPolicyVersion", |clients| {
            clients
                .iam
                .get_policy_version()
                .policy_arn(arn)
                .version_id(version)
                .send()
        })
        .await?;
    required(
        output.policy_version.and_then(|version| version.document),
        "Document",
    )
}

/// The account's quotas and counts by IAM's names, such as `AttachedPoliciesPerRoleQuota`.
pub async fn account_summary(aws: &Aws) -> Result<Arc<BTreeMap<String, i32>>, Error> {
    aws.look()
        .once("iam:account-summary", || async {
            let output = aws
                .read("iam:GetAccountSummary", |clients| {
                    clients.iam.get_account_summary().send()
                })
                .await?;
            let summary = output.summary_map.unwrap_or_default();
            Ok(summary
                .into_iter()
                .map(|(key, value)| (key.as_str().to_owned(), value))
                .collect())
        })
        .await
}

fn found<T>(read: Result<T, Error>) -> Result<Option<T>, Error> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Tags as requests of IAM take them.
pub fn tag_list(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>, Error> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect::<Result<_, _>>()
        .map_err(|error| Error::unreadable(format!("a tag without its key or value ({error})")))
}

fn tags(list: Vec<Tag>) -> BTreeMap<String, String> {
    list.into_iter().map(|tag| (tag.key, tag.value)).collect()
}

/// IAM and its emulators return an absent text as absent or as empty.
fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn required<T>(value: Option<T>, field: &str) -> Result<T, Error> {
    value.ok_or_else(|| Error::unreadable(format!("an answer of IAM without its {field}")))
}

/// The marker of the next page; none after the last.
fn next_marker(
    operation: &str,
    truncated: bool,
    marker: Option<&str>,
) -> Result<Option<String>, Error> {
    match (truncated, marker) {
        (false, _) => Ok(None),
        (true, Some(marker)) => Ok(Some(marker.to_owned())),
        (true, None) => Err(Error::unreadable(format!(
            "a page of iam:{operation} that is cut off without a marker"
        ))),
    }
}

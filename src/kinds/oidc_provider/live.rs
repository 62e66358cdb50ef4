//! OIDC providers as they are in the account, and the calls as requests.

use std::collections::BTreeMap;

use futures::future::try_join_all;

use super::{Call, OidcProvider, Spec};
use crate::aws::iam::{self, Account};
use crate::aws::{Attempts, Aws, Error as AwsError, tagging};
use crate::error::{Error, Result};
use crate::kind::{Address, Kind, OWNER_TAG, Performed, Scope};
use crate::kinds::identity::{self, Names};
use crate::kinds::{Aside, tags};
use crate::policy::{Document, PolicyKind, Principal};

/// What stands in a provider's ARN before its name.
const ARN_MARKER: &str = ":oidc-provider/";

/// What is declared, and what carries our mark.
pub(super) async fn observe(aws: &Aws, scope: &Scope) -> Result<BTreeMap<String, Spec>> {
    let mark = scope.config.owner_mark();
    let wanted = scope
        .config
        .oidc_providers
        .keys()
        .filter(|name| scope.wants(OidcProvider::NAME, name));
    let declared = try_join_all(wanted.map(|name| read(aws, scope, name.clone())));
    let (account, tagged, declared) = futures::try_join!(
        async { Ok(iam::account(aws).await?) },
        async { Ok(tagging::owned_in_iam(aws, OWNER_TAG, &mark).await?) },
        declared
    )?;
    let declared: Vec<(String, Spec)> = declared.into_iter().flatten().collect();
    let undeclared = undeclared(aws, scope, tagged.as_ref().as_ref(), &declared).await?;
    let mut live: BTreeMap<String, Spec> = declared.into_iter().chain(undeclared).collect();
    for (name, spec) in &mut live {
        spec.trusting = Aside(trusting(scope, &account, &arn(scope, name)));
    }
    Ok(live)
}

fn arn(scope: &Scope, name: &str) -> String {
    scope
        .config
        .project
        .iam_arn(&format!("oidc-provider/{name}"))
}

async fn read(aws: &Aws, scope: &Scope, name: String) -> Result<Option<(String, Spec)>> {
    let provider = iam::oidc_provider(aws, &arn(scope, &name)).await?;
    Ok(provider.map(|provider| {
        let spec = spec(scope, &name, &provider);
        (name, spec)
    }))
}

/// The providers that carry our mark without being declared. The tagging API is believed where it
/// lists what is known to be ours; else every provider is asked.
async fn undeclared(
    aws: &Aws,
    scope: &Scope,
    tagged: Option<&BTreeMap<String, BTreeMap<String, String>>>,
    declared: &[(String, Spec)],
) -> Result<Vec<(String, Spec)>> {
    let mark = scope.config.owner_mark();
    let ours = |spec: &Spec| spec.owner.as_deref() == Some(mark.as_str());
    let listed = tagged.filter(|tagged| {
        tagged.keys().any(|arn| arn.contains(":iam::"))
            && declared
                .iter()
                .all(|(name, spec)| !ours(spec) || tagged.contains_key(&arn(scope, name)))
    });
    let arns: Vec<String> = match listed {
        Some(listed) => listed.keys().cloned().collect(),
        None => iam::oidc_providers(aws).await?.as_ref().clone(),
    };
    let names = arns
        .iter()
        .filter_map(|arn| arn.split_once(ARN_MARKER))
        .map(|(_, name)| name)
        .filter(|name| !scope.config.oidc_providers.contains_key(*name))
        .filter(|name| scope.wants(OidcProvider::NAME, name));
    let read = try_join_all(names.map(|name| read(aws, scope, name.to_owned()))).await?;
    Ok(read
        .into_iter()
        .flatten()
        .filter(|(_, spec)| ours(spec))
        .collect())
}

/// Only keys that infra.toml declares are ours: a provider is shared with other stacks.
fn spec(scope: &Scope, name: &str, provider: &iam::OidcProvider) -> Spec {
    let declared = scope.config.oidc_providers.get(name);
    let declared = declared.map(|declared| &declared.tags);
    let mut live = tags::observed(provider.tags.clone(), declared, &scope.config);
    live.tags
        .retain(|key, _| declared.is_some_and(|declared| declared.contains_key(key)));
    Spec {
        owner: live.owner,
        client_ids: provider.client_ids.iter().cloned().collect(),
        thumbprints: Some(
            provider
                .thumbprints
                .iter()
                .map(|thumbprint| thumbprint.to_lowercase())
                .collect(),
        ),
        tags: live.tags,
        trusting: Aside::default(),
    }
}

/// The roles outside the plan whose trust policy names the provider; one that cannot be read may.
fn trusting(scope: &Scope, account: &Account, arn: &str) -> Vec<String> {
    let names = Names::new(&scope.config.roles);
    // Most of an account's roles are made from a few texts.
    let mut known: BTreeMap<&str, bool> = BTreeMap::new();
    account
        .roles
        .values()
        .filter(|role| !identity::in_plan(role, &names, scope))
        .filter(|role| {
            let text = role.trust_policy.as_str();
            *known.entry(text).or_insert_with(|| {
                Document::parse_encoded(text, PolicyKind::Trust)
                    .map_or(true, |document| trusts(&document, arn))
            })
        })
        .map(|role| role.name.clone())
        .collect()
}

fn trusts(document: &Document, arn: &str) -> bool {
    document
        .statements()
        .iter()
        .filter_map(|statement| statement.principals.as_ref())
        .any(|principals| {
            principals.negated
                || principals
                    .list
                    .iter()
                    .any(|one| matches!(one, Principal::Federated(named) if named == arn))
        })
}

/// Deletes it, if it carries our mark.
async fn remove(aws: &Aws, scope: &Scope, name: &str) -> Result<Performed> {
    let arn = arn(scope, name);
    let Some(provider) = iam::oidc_provider_now(aws, &arn).await? else {
        return Ok(Performed::unseen());
    };
    identity::still_ours(&provider.tags, &scope.config)
        .map_err(|error| error.at(Address::new(OidcProvider::NAME, name)))?;
    identity::gone(delete(aws, &arn).await)?;
    Ok(Performed::default())
}

/// Sends the request of one call.
pub(super) async fn perform(
    aws: &Aws,
    scope: &Scope,
    name: &str,
    call: &Call,
) -> Result<Performed> {
    let arn = arn(scope, name);
    match call {
        Call::Create { .. } => create(aws, name, call).await?,
        Call::Tag { tags } => tag(aws, &arn, tags).await?,
        Call::Untag { keys } => untag(aws, &arn, keys.iter().cloned().collect()).await?,
        Call::AddClientId {
            client_id,
            unmarked: _,
        } => add_client_id(aws, &arn, client_id).await?,
        Call::RemoveClientId { client_id } => {
            identity::gone(remove_client_id(aws, &arn, client_id).await)?;
        }
        Call::SetThumbprints { thumbprints } => {
            set_thumbprints(aws, &arn, thumbprints.iter().cloned().collect()).await?;
        }
        Call::Delete => return remove(aws, scope, name).await,
    }
    Ok(Performed::default())
}

async fn create(aws: &Aws, name: &str, call: &Call) -> Result<()> {
    let Call::Create {
        client_ids,
        thumbprints,
        tags,
    } = call
    else {
        return Err(Error::bug(
            "Something else than a creating call was to create.",
        ));
    };
    let tags = iam::tag_list(tags)?;
    let operation = "iam:CreateOpenIDConnectProvider";
    aws.write(operation, Attempts::Once, |clients| {
        clients
            .iam
            .create_open_id_connect_provider()
            .url(format!("https://{name}"))
            .set_client_id_list(Some(client_ids.iter().cloned().collect()))
            .set_thumbprint_list(
                thumbprints
                    .as_ref()
                    .map(|all| all.iter().cloned().collect()),
            )
            .set_tags(Some(tags.clone()))
            .send()
    })
    .await?;
    Ok(())
}

async fn tag(aws: &Aws, arn: &str, tags: &BTreeMap<String, String>) -> Result<(), AwsError> {
    let tags = iam::tag_list(tags)?;
    let operation = "iam:TagOpenIDConnectProvider";
    aws.write(operation, Attempts::Idempotent, |clients| {
        let request = clients.iam.tag_open_id_connect_provider();
        let request = request.open_id_connect_provider_arn(arn);
        request.set_tags(Some(tags.clone())).send()
    })
    .await?;
    Ok(())
}

async fn untag(aws: &Aws, arn: &str, keys: Vec<String>) -> Result<(), AwsError> {
    let operation = "iam:UntagOpenIDConnectProvider";
    aws.write(operation, Attempts::Idempotent, |clients| {
        let request = clients.iam.untag_open_id_connect_provider();
        let request = request.open_id_connect_provider_arn(arn);
        request.set_tag_keys(Some(keys.clone())).send()
    })
    .await?;
    Ok(())
}

async fn add_client_id(aws: &Aws, arn: &str, client_id: &str) -> Result<(), AwsError> {
    let operation = "iam:AddClientIDToOpenIDConnectProvider";
    aws.write(operation, Attempts::Idempotent, |clients| {
        let request = clients.iam.add_client_id_to_open_id_connect_provider();
        let request = request.open_id_connect_provider_arn(arn);
        request.client_id(client_id).send()
    })
    .await?;
    Ok(())
}

async fn remove_client_id(aws: &Aws, arn: &str, client_id: &str) -> Result<(), AwsError> {
    let operation = "iam:RemoveClientIDFromOpenIDConnectProvider";
    aws.write(operation, Attempts::Idempotent, |clients| {
        let request = clients.iam.remove_client_id_from_open_id_connect_provider();
        let request = request.open_id_connect_provider_arn(arn);
        request.client_id(client_id).send()
    })
    .await?;
    Ok(())
}

async fn set_thumbprints(aws: &Aws, arn: &str, thumbprints: Vec<String>) -> Result<(), AwsError> {
    let operation = "iam:UpdateOpenIDConnectProviderThumbprint";
    aws.write(operation, Attempts::Idempotent, |clients| {
        let request = clients.iam.update_open_id_connect_provider_thumbprint();
        let request = request.open_id_connect_provider_arn(arn);
        request
            .set_thumbprint_list(Some(thumbprints.clone()))
            .send()
    })
    .await?;
    Ok(())
}

async fn delete(aws: &Aws, arn: &str) -> Result<(), AwsError> {
    let operation = "iam:DeleteOpenIDConnectProvider";
    aws.write(operation, Attempts::Idempotent, |clients| {
        let request = clients.iam.delete_open_id_connect_provider();
        request.open_id_connect_provider_arn(arn).send()
    })
    .await?;
    Ok(())
}

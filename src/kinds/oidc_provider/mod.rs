//! `oidc_provider`: an OIDC provider of the account. One that stands without our mark is used, not
//! adopted: missing client ids are added, all else about it is its owner's.

mod live;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Aside, tags};
use crate::aws::Aws;
use crate::config::{Config, Tags};
use crate::error::Result;
use crate::kind::{Hazard, Kind, Owned, Performed, Refusal, Scope};

/// The kind `oidc_provider`.
#[derive(Clone, Copy, Debug)]
pub struct OidcProvider;

/// Everything managed about one OIDC provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spec {
    /// The owner mark.
    pub owner: Option<String>,
    /// The audiences.
    pub client_ids: BTreeSet<String>,
    /// Lower-case hexadecimal; none where infra.toml leaves them to AWS and they are not known yet.
    pub thumbprints: Option<BTreeSet<String>>,
    /// The tags whose keys are ours.
    pub tags: Tags,
    /// The roles outside the plan that trust it; what rests on them is not pulled away.
    #[serde(skip)]
    pub trusting: Aside<Vec<String>>,
}

impl Owned for Spec {
    fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }
}

/// One mutation of an OIDC provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Call {
    /// Makes it, with its tags and its owner mark.
    Create {
        /// The audiences.
        client_ids: BTreeSet<String>,
        /// Lower-case hexadecimal; none: AWS finds them.
        thumbprints: Option<BTreeSet<String>>,
        /// The owner mark among them.
        tags: Tags,
    },
    /// Adds or overwrites tags.
    Tag {
        /// The tags.
        tags: Tags,
    },
    /// Adds an audience.
    AddClientId {
        /// The audience.
        client_id: String,
        /// Whether the provider carries no owner mark: it is used, not adopted.
        unmarked: bool,
    },
    /// Sets the thumbprints.
    SetThumbprints {
        /// Lower-case hexadecimal.
        thumbprints: BTreeSet<String>,
    },
    /// Removes an audience.
    RemoveClientId {
        /// The audience.
        client_id: String,
    },
    /// Removes tags.
    Untag {
        /// Never the owner mark.
        keys: BTreeSet<String>,
    },
    /// Removes it.
    Delete,
}

impl Kind for OidcProvider {
    const NAME: &'static str = "oidc_provider";
    type Spec = Spec;
    type Call = Call;

    fn declare(&self, config: &Config) -> BTreeMap<String, Spec> {
        config
            .oidc_providers
            .iter()
            .map(|(name, provider)| {
                let spec = Spec {
                    owner: Some(config.owner_mark()),
                    client_ids: provider.client_ids.iter().cloned().collect(),
                    thumbprints: provider
                        .thumbprints
                        .as_ref()
                        .map(|list| list.iter().cloned().collect()),
                    tags: provider.tags.clone(),
                    trusting: Aside::default(),
                };
                (name.clone(), spec)
            })
            .collect()
    }

    async fn observe(&self, aws: &Aws, scope: &Scope) -> Result<BTreeMap<String, Spec>> {
        live::observe(aws, scope).await
    }

    fn keep(&self, mut desired: Spec, live: Option<&Spec>) -> Spec {
        let Some(live) = live else { return desired };
        desired.trusting = live.trusting.clone();
        if desired.thumbprints.is_none() {
            desired.thumbprints.clone_from(&live.thumbprints);
        }
        if desired.owner != live.owner {
            desired.owner.clone_from(&live.owner);
            desired.client_ids.extend(live.client_ids.iter().cloned());
            desired.thumbprints.clone_from(&live.thumbprints);
            desired.tags.clone_from(&live.tags);
        }
        desired
    }

    fn calls(&self, _: &str, before: Option<&Spec>, after: Option<&Spec>) -> Vec<Call> {
        match (before, after) {
            (None, None) => Vec::new(),
            (None, Some(after)) => vec![Call::Create {
                client_ids: after.client_ids.clone(),
                thumbprints: after.thumbprints.clone(),
                tags: tags::with_owner(&after.tags, after.owner.as_deref()),
            }],
            (Some(_), None) => vec![Call::Delete],
            (Some(before), Some(after)) => changes(before, after),
        }
    }

    fn effect(&self, spec: Option<Spec>, call: &Call) -> Result<Option<Spec>, Refusal> {
        effect(spec, call)
    }

    fn hazards(&self, call: &Call) -> Vec<Hazard> {
        match call {
            Call::AddClientId { unmarked: true, .. } => vec![Hazard::Foreign],
            _ => Vec::new(),
        }
    }

    async fn perform(
        &self,
        aws: &Aws,
        scope: &Scope,
        name: &str,
        call: &Call,
    ) -> Result<Performed> {
        live::perform(aws, scope, name, call).await
    }
}

/// What adds comes first.
fn changes(before: &Spec, after: &Spec) -> Vec<Call> {
    let Spec {
        owner,
        client_ids,
        thumbprints,
        tags,
        trusting: _,
    } = after;
    let mut calls = Vec::new();
    let change = tags::change(
        (&before.tags, before.owner.as_deref()),
        (tags, owner.as_deref()),
    );
    if !change.add.is_empty() {
        calls.push(Call::Tag { tags: change.add });
    }
    let unmarked = after.owner.is_none();
    for client_id in client_ids.difference(&before.client_ids) {
        let client_id = client_id.clone();
        calls.push(Call::AddClientId {
            client_id,
            unmarked,
        });
    }
    if let Some(thumbprints) = thumbprints.clone()
        && after.thumbprints != before.thumbprints
    {
        calls.push(Call::SetThumbprints { thumbprints });
    }
    for client_id in before.client_ids.difference(client_ids) {
        let client_id = client_id.clone();
        calls.push(Call::RemoveClientId { client_id });
    }
    if !change.remove.is_empty() {
        let keys = change.remove;
        calls.push(Call::Untag { keys });
    }
    calls
}

fn effect(spec: Option<Spec>, call: &Call) -> Result<Option<Spec>, Refusal> {
    match call {
        Call::Create {
            client_ids,
            thumbprints,
            tags,
        } => {
            if spec.is_some() {
                return Err(Refusal::not_yet("There is a provider of this URL already."));
            }
            let live = tags::apart(tags.clone());
            Ok(Some(Spec {
                owner: live.owner,
                client_ids: client_ids.clone(),
                thumbprints: thumbprints.clone(),
                tags: live.tags,
                trusting: Aside::default(),
            }))
        }
        Call::Delete => match spec {
            Some(spec) if !spec.trusting.0.is_empty() => Err(Refusal::blocked(format!(
                "It is not removed while roles outside this plan trust it: {}.",
                spec.trusting.0.join(", ")
            ))
            .hint("Change their trust policies first, or declare the provider.")),
            _ => Ok(None),
        },
        _ => {
            let mut spec =
                spec.ok_or_else(|| Refusal::not_yet("The provider is not there yet."))?;
            change(&mut spec, call);
            Ok(Some(spec))
        }
    }
}

fn change(spec: &mut Spec, call: &Call) {
    match call {
        Call::Tag { tags } => tags::add(&mut spec.tags, &mut spec.owner, tags),
        Call::AddClientId {
            client_id,
            unmarked: _,
        } => {
            spec.client_ids.insert(client_id.clone());
        }
        Call::SetThumbprints { thumbprints } => spec.thumbprints = Some(thumbprints.clone()),
        Call::RemoveClientId { client_id } => {
            spec.client_ids.remove(client_id);
        }
        Call::Untag { keys } => tags::remove(&mut spec.tags, keys),
        Call::Create { .. } | Call::Delete => {}
    }
}

#[cfg(test)]
mod tests;

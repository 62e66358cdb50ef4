//! What the kinds of the region share: which of their resources a run is about, and whose tags are
//! believed.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use futures::try_join;

use super::tags;
use crate::aws::{Aws, tagging};
use crate::config::{Config, Tags};
use crate::error::{Error, Result};
use crate::kind::{OWNER_TAG, Owned, Scope};

/// A kind's resources as the tagging API lists those that carry our mark.
pub(crate) struct Listed {
    /// Tags by name; none where the endpoint does not have the API.
    by_name: Option<BTreeMap<String, BTreeMap<String, String>>>,
}

/// How a kind's resources are spelt in ARNs: the service, and what stands before the name.
#[derive(Clone, Copy)]
pub(crate) struct Arns {
    /// Such as `ecr`.
    pub(crate) service: &'static str,
    /// Such as `repository/`.
    pub(crate) before_name: &'static str,
    /// Characters after the name that are not the name's (a secret's ARN ends in seven of them).
    pub(crate) after_name: usize,
    /// Whether the tagging API of every emulator lists the kind: moto's leaves ECR out.
    pub(crate) emulated: bool,
}

impl Arns {
    /// The name in an ARN of this kind; none for any other ARN.
    pub(crate) fn name<'a>(&self, arn: &'a str) -> Option<&'a str> {
        let mut parts = arn.splitn(6, ':');
        let service = parts.nth(2)?;
        let resource = parts.nth(2)?;
        let name = resource.strip_prefix(self.before_name)?;
        let name = name.strip_suffix(":*").unwrap_or(name);
        let end = name.len().checked_sub(self.after_name)?;
        (service == self.service).then(|| name.get(..end)).flatten()
    }
}

impl Listed {
    /// The list, read once a look for all kinds.
    pub(crate) async fn read(aws: &Aws, scope: &Scope, arns: Arns) -> Result<Self> {
        let mark = scope.config.owner_mark();
        let owned = tagging::owned(aws, OWNER_TAG, &mark).await?;
        let by_name = owned.as_ref().as_ref().map(|owned| {
            owned
                .iter()
                .filter_map(|(arn, tags)| Some((arns.name(arn)?.to_owned(), tags.clone())))
                .collect()
        });
        Ok(Self { by_name })
    }

    /// The tags of a declared resource, where the list says just what is declared; else it may lag.
    pub(crate) fn believed(
        &self,
        name: &str,
        declared: Option<&Tags>,
        config: &Config,
    ) -> Option<&BTreeMap<String, String>> {
        let tags = self.by_name.as_ref()?.get(name)?;
        tags::as_declared(tags, declared?, config).then_some(tags)
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        self.by_name.iter().flat_map(BTreeMap::keys)
    }

    /// Whether the endpoint does not list this kind: it lacks the API, or may leave the kind out.
    fn is_lacking(&self, aws: &Aws, arns: Arns) -> bool {
        match &self.by_name {
            None => true,
            Some(listed) => listed.is_empty() && !arns.emulated && !aws.is_genuine(),
        }
    }
}

/// What is declared and what carries our mark: `read` reads the resources of these names that are
/// there; `search` names what is ours one way or another, for endpoints that do not list it.
pub(crate) async fn observe<S, R, E>(
    aws: &Aws,
    scope: &Scope,
    kind: &str,
    arns: Arns,
    declared: impl Iterator<Item = &String> + Send,
    read: impl Fn(BTreeSet<String>) -> R + Sync,
    search: impl Fn() -> E + Sync,
) -> Result<BTreeMap<String, S>>
where
    S: Owned + Send,
    R: Future<Output = Result<BTreeMap<String, S>>> + Send,
    E: Future<Output = Result<BTreeSet<String>>> + Send,
{
    let mark = scope.config.owner_mark();
    let declared: BTreeSet<String> = declared.cloned().collect();
    let asked = |names: &BTreeSet<String>| -> BTreeSet<String> {
        let wanted = names.iter().filter(|name| scope.wants(kind, name));
        wanted.cloned().collect()
    };
    let undeclared = async {
        let listed = Listed::read(aws, scope, arns).await?;
        let names: BTreeSet<String> = listed.names().cloned().collect();
        let names = &names - &declared;
        let found = read(asked(&names)).await?;
        Ok::<_, Error>((listed, names, found))
    };
    let (mut found, (listed, names, others)) = try_join!(read(asked(&declared)), undeclared)?;
    found.extend(owned(others, &mark));
    if listed.is_lacking(aws, arns) {
        let rest = &(&search().await? - &declared) - &names;
        found.extend(owned(read(asked(&rest)).await?, &mark));
    }
    Ok(found)
}

/// Those that say themselves that they are ours.
fn owned<S: Owned>(found: BTreeMap<String, S>, mark: &str) -> impl Iterator<Item = (String, S)> {
    found
        .into_iter()
        .filter(move |(_, spec)| spec.owner() == Some(mark))
}

/// A word of AWS's that this version does not know: nothing is planned on what is not understood.
pub(crate) fn unknown_word(field: &str, word: &str) -> Error {
    Error::failed(format!(
        "AWS gives {field} as `{word}`, which is not known."
    ))
    .hint("Update provision.")
}

/// The KMS key as infra.toml spells it, where live names the same key by its ARN or its id.
pub(crate) fn keep_key(desired: &mut Option<String>, live: Option<&String>) {
    if let (Some(wanted), Some(found)) = (desired.as_ref(), live)
        && (found.ends_with(&format!(":key/{wanted}"))
            || wanted.ends_with(&format!(":key/{found}")))
    {
        *desired = Some(found.clone());
    }
}

#[cfg(test)]
mod tests;

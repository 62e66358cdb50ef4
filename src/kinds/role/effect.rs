//! What each call makes of a role; refuses what IAM refuses.

use std::collections::{BTreeMap, BTreeSet};

use super::{Call, Spec, belongs_to_aws};
use crate::kind::Refusal;
use crate::kinds::{Aside, tags};

/// The pure twin of performing the call.
pub(super) fn effect(spec: Option<Spec>, call: &Call) -> Result<Option<Spec>, Refusal> {
    if spec.as_ref().is_some_and(belongs_to_aws) {
        return Err(Refusal::blocked(
            "The role belongs to a service of AWS and is never changed.",
        ));
    }
    match call {
        Call::Create { .. } => create(spec.as_ref(), call).map(Some),
        Call::Delete => delete(spec.as_ref()).map(|()| None),
        _ => {
            let mut spec = spec.ok_or_else(|| Refusal::not_yet("The role is not there yet."))?;
            change(&mut spec, call)?;
            Ok(Some(spec))
        }
    }
}

fn create(spec: Option<&Spec>, call: &Call) -> Result<Spec, Refusal> {
    let Call::Create {
        arn,
        path,
        description,
        max_session_duration,
        trust_policy,
        permissions_boundary,
        tags,
    } = call
    else {
        return Err(Refusal::not_yet("The role is not there yet."));
    };
    if spec.is_some() {
        return Err(Refusal::not_yet("There is a role of this name already."));
    }
    let live = tags::apart(tags.clone());
    Ok(Spec {
        owner: live.owner,
        path: path.clone(),
        description: description.clone(),
        max_session_duration: *max_session_duration,
        trust_policy: trust_policy.clone(),
        permissions_boundary: permissions_boundary.clone(),
        managed_policies: BTreeSet::new(),
        inline_policies: BTreeMap::new(),
        tags: live.tags,
        arn: Aside(arn.clone()),
        instance_profiles: Aside::default(),
        most_policies: Aside::default(),
    })
}

fn delete(spec: Option<&Spec>) -> Result<(), Refusal> {
    let Some(spec) = spec else { return Ok(()) };
    let profiles = &spec.instance_profiles.0;
    if !profiles.is_empty() {
        return Err(Refusal::blocked(format!(
            "It is not deleted while it is in an instance profile: {}.",
            profiles.join(", ")
        ))
        .hint("Take it out first: aws iam remove-role-from-instance-profile."));
    }
    if !spec.managed_policies.is_empty() || !spec.inline_policies.is_empty() {
        return Err(Refusal::not_yet(
            "Its policies are detached and removed first.",
        ));
    }
    Ok(())
}

fn attach(spec: &mut Spec, arn: &str) -> Result<(), Refusal> {
    let full = (spec.most_policies.0).is_some_and(|most| spec.managed_policies.len() >= most);
    if full && !spec.managed_policies.contains(arn) {
        return Err(Refusal::blocked(format!(
            "The account allows {} managed policies on a role, and so many are attached.",
            spec.managed_policies.len()
        ))
        .hint("Declare fewer, or ask AWS for a higher quota of managed policies per role."));
    }
    spec.managed_policies.insert(arn.to_owned());
    Ok(())
}

fn change(spec: &mut Spec, call: &Call) -> Result<(), Refusal> {
    match call {
        Call::Tag { tags } => tags::add(&mut spec.tags, &mut spec.owner, tags),
        Call::Update {
            description,
            max_session_duration,
        } => {
            spec.description.clone_from(description);
            spec.max_session_duration = *max_session_duration;
        }
        Call::SetTrustPolicy { document } => spec.trust_policy = document.clone(),
        Call::PutBoundary { arn } => spec.permissions_boundary = Some(arn.clone()),
        Call::Attach { arn } => attach(spec, arn)?,
        Call::PutInline { name, document } => {
            spec.inline_policies.insert(name.clone(), document.clone());
        }
        Call::Detach { arn } => {
            spec.managed_policies.remove(arn);
        }
        Call::DeleteInline { name } => {
            spec.inline_policies.remove(name);
        }
        Call::DeleteBoundary => spec.permissions_boundary = None,
        Call::Untag { keys } => tags::remove(&mut spec.tags, keys),
        Call::SetPath { path } => {
            return Err(Refusal::immutable(format!(
                "IAM cannot change the path of a role to {path}."
            ))
            .hint("Put back what it was; or delete the role by hand (aws iam delete-role) and apply again."));
        }
        Call::Create { .. } | Call::Delete => {}
    }
    Ok(())
}

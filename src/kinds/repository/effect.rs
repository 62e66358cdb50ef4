//! What each call makes of a repository, and what ECR refuses.

use super::{Call, Spec};
use crate::kind::Refusal;
use crate::kinds::{Aside, tags};

pub(super) fn effect(spec: Option<Spec>, call: &Call) -> Result<Option<Spec>, Refusal> {
    match call {
        Call::Create {
            image_tag_mutability,
            mutability_exclusions,
            encryption,
            tags,
        } => {
            if spec.is_some() {
                return Err(Refusal::not_yet(
                    "There is a repository of this name already.",
                ));
            }
            let live = tags::apart(tags.clone());
            Ok(Some(Spec {
                owner: live.owner,
                image_tag_mutability: *image_tag_mutability,
                mutability_exclusions: mutability_exclusions.clone(),
                lifecycle_policy: None,
                policy: None,
                encryption: encryption.clone(),
                tags: live.tags,
                force_delete: Aside::default(),
                holds_images: Aside::default(),
            }))
        }
        Call::Delete { force } => delete(spec, *force),
        Call::SetFixed { field } => Err(Refusal::immutable(format!(
            "ECR cannot change the {field} of a repository."
        ))
        .hint(
            "Put back what it was; or copy the images away, delete the repository by hand (aws ecr \
             delete-repository), and apply again.",
        )),
        Call::SetMutability { .. }
        | Call::PutLifecyclePolicy { .. }
        | Call::DeleteLifecyclePolicy
        | Call::SetPolicy { .. }
        | Call::DeletePolicy
        | Call::Tag { .. }
        | Call::Untag { .. } => match spec {
            Some(mut spec) => {
                change(&mut spec, call);
                Ok(Some(spec))
            }
            None => Err(Refusal::not_yet("The repository is not there yet.")),
        },
    }
}

fn change(spec: &mut Spec, call: &Call) {
    match call {
        Call::SetMutability {
            image_tag_mutability,
            mutability_exclusions,
        } => {
            spec.image_tag_mutability = *image_tag_mutability;
            spec.mutability_exclusions.clone_from(mutability_exclusions);
        }
        Call::PutLifecyclePolicy { lifecycle_policy } => {
            spec.lifecycle_policy = Some(lifecycle_policy.clone());
        }
        Call::DeleteLifecyclePolicy => spec.lifecycle_policy = None,
        Call::SetPolicy { policy } => spec.policy = Some(policy.clone()),
        Call::DeletePolicy => spec.policy = None,
        Call::Tag { tags } => tags::add(&mut spec.tags, &mut spec.owner, tags),
        Call::Untag { keys } => tags::remove(&mut spec.tags, keys),
        Call::Create { .. } | Call::Delete { .. } | Call::SetFixed { .. } => {}
    }
}

fn delete(spec: Option<Spec>, force: bool) -> Result<Option<Spec>, Refusal> {
    match spec {
        Some(spec) if spec.holds_images.0 && !force => Err(Refusal::blocked(
            "It is not deleted while it holds images.",
        )
        .hint(
            "Declare it with `force_delete = true` and apply before it is removed from infra.toml; \
             or delete the images first (aws ecr batch-delete-image).",
        )),
        _ => Ok(None),
    }
}

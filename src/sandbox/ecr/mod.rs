//! ECR: repositories and their settings, and the images in them.

mod images;
mod layers;
mod lifecycle;
mod manifests;
mod repositories;

pub(super) use images::resolve;
pub(super) use layers::download;
pub(super) use manifests::architectures;

use super::error::{Answer, ServiceError};
use super::protocol::{Call, lacking};
use super::store::Table;
use super::world::{BadToken, Members as _, World};
use serde_json::Value;

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Answer {
    for operation in [repositories::answer, images::answer, layers::answer] {
        if let Some(answer) = operation(call, world) {
            return answer;
        }
    }
    Err(lacking(&format!("ecr:{}", call.operation)))
}

fn invalid(message: &str) -> ServiceError {
    ServiceError::new("InvalidParameterException", message)
}

fn bad_token(_: BadToken) -> ServiceError {
    invalid("Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'")
}

/// The error for a repository that is not there.
fn absent(name: &str, world: &World<'_>) -> ServiceError {
    let account = world.account;
    let message = format!(
        "The repository with name '{name}' does not exist in the registry with id '{account}'"
    );
    ServiceError::new("RepositoryNotFoundException", message)
}

/// The repository that the request names.
fn find<'c, 'w>(
    call: &'c Call,
    world: &'w World<'_>,
) -> Result<(&'c str, &'w Value), ServiceError> {
    let name = call.input.str("repositoryName");
    let ours = call
        .input
        .text("registryId")
        .is_none_or(|registry| registry == world.account);
    let repository = world.store.get(Table::Repository, name).filter(|_| ours);
    Ok((name, repository.ok_or_else(|| absent(name, world))?))
}

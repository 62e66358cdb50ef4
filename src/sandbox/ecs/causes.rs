//! Why the tasks of a definition could not start in this account: an image that is not there or is
//! for another architecture, a role that is gone.

use super::super::ecr;
use super::super::store::Table;
use super::super::world::{Members as _, World, last_part};
use super::behaviour::Cause;
use super::definitions;

/// What an image reference names in the account's own registry: repository, and tag or digest.
pub(super) fn own_image<'a>(image: &'a str, world: &World<'_>) -> Option<(&'a str, &'a str)> {
    let (host, path) = image.split_once('/')?;
    let registry = format!("{}.dkr.ecr.{}.", world.account, world.region);
    if !host.starts_with(&registry) {
        return None;
    }
    if let Some((name, digest)) = path.split_once('@') {
        return Some((name.split(':').next().unwrap_or(name), digest));
    }
    Some(path.split_once(':').unwrap_or((path, "latest")))
}

/// The digest that an image reference has now, where the account's own registry knows it.
pub(super) fn digest(image: &str, world: &World<'_>) -> Option<String> {
    let (repository, reference) = own_image(image, world)?;
    ecr::resolve(world.store, repository, reference)
}

/// Why tasks of this definition would not start; none where they would.
pub(super) fn natural(definition: &str, world: &World<'_>) -> Option<Cause> {
    let definition = definitions::resolve(definition, world)?;
    for role in [
        definition.text("executionRoleArn"),
        definition.text("taskRoleArn"),
    ]
    .into_iter()
    .flatten()
    {
        let own = role.starts_with(&world.global_arn("iam", "role/"));
        if own
            && !world
                .store
                .has(Table::Role, &last_part(role).to_lowercase())
        {
            return Some(Cause::Role);
        }
    }
    let platform = definition.get("runtimePlatform");
    let wanted = platform
        .and_then(|platform| platform.text("cpuArchitecture"))
        .unwrap_or("X86_64");
    for container in definition.list("containerDefinitions") {
        let Some((repository, reference)) = own_image(container.str("image"), world) else {
            continue;
        };
        let Some(digest) = ecr::resolve(world.store, repository, reference) else {
            return Some(Cause::Pull);
        };
        let architectures = ecr::architectures(world.store, repository, &digest);
        if !architectures.is_empty()
            && !architectures
                .iter()
                .any(|architecture| architecture == wanted)
        {
            return Some(Cause::Architecture);
        }
    }
    None
}

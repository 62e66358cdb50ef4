//! Images: which tags can be moved, and which image a reference means.

use crate::config::{Repository, TagMutability};
use crate::reach::{Account, Image};

/// Whether this tag of the repository can be moved.
pub(super) fn is_mutable(repository: &Repository, tag: &str) -> bool {
    let excluded = repository
        .mutability_exclusions
        .iter()
        .any(|pattern| matches(pattern, tag));
    match repository.image_tag_mutability {
        TagMutability::Mutable => true,
        TagMutability::Immutable => false,
        TagMutability::ImmutableWithExclusion => excluded,
        TagMutability::MutableWithExclusion => !excluded,
    }
}

/// Whether a tag matches a pattern of ECR, in which `*` is any text.
pub(super) fn matches(pattern: &str, tag: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| tag.strip_prefix(first)) else {
        return false;
    };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else {
        return rest.is_empty();
    };
    for piece in middle {
        let Some(at) = rest.find(piece) else {
            return false;
        };
        rest = rest.get(at + piece.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

/// Repository and tag of an image reference without a digest; the tag is `latest` where it names none.
pub(super) fn tag_of(image: &str) -> Option<(String, String)> {
    if image.contains('@') {
        return None;
    }
    let name = image
        .split_once(".amazonaws.com/")
        .map_or(image, |(_, name)| name);
    let (repository, tag) = match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, tag),
        _ => (name, "latest"),
    };
    Some((repository.to_owned(), tag.to_owned()))
}

/// The image that a reference means now.
pub(super) fn find<'a>(account: &'a Account, image: &str) -> Option<&'a Image> {
    let name = image
        .split_once(".amazonaws.com/")
        .map_or(image, |(_, name)| name);
    if let Some((rest, digest)) = name.split_once('@') {
        let repository = rest.split(':').next().unwrap_or(rest);
        return account
            .repositories
            .get(repository)?
            .images
            .as_ref()?
            .iter()
            .find(|one| one.digest == digest);
    }
    let (repository, tag) = tag_of(name)?;
    account
        .repositories
        .get(&repository)?
        .images
        .as_ref()?
        .iter()
        .find(|one| one.tags.contains(&tag))
}

/// The images that running services name, with the services.
pub(super) fn digests_in_use(account: &Account) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (key, service) in &account.services {
        let definition = account.task_definitions.get(&service.task_definition);
        for container in definition
            .iter()
            .flat_map(|definition| &definition.containers)
        {
            out.push((container.image.clone(), key.clone()));
        }
    }
    out
}

/// The name of the secret of a `valueFrom`, without the random end of its ARN.
pub(super) fn secret_name(from: &str) -> Option<String> {
    let (_, rest) = from.split_once(":secret:")?;
    let name = rest.split(':').next()?;
    Some(
        name.rsplit_once('-')
            .map_or(name, |(name, _)| name)
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_a_repository_and_a_tag_or_a_digest() {
        let host = "1.dkr.ecr.eu-west-1.amazonaws.com";
        assert_eq!(
            tag_of(&format!("{host}/a/b:prod")),
            Some(("a/b".to_owned(), "prod".to_owned()))
        );
        assert_eq!(
            tag_of("nginx"),
            Some(("nginx".to_owned(), "latest".to_owned()))
        );
        assert_eq!(tag_of(&format!("{host}/a@sha256:0")), None);
        assert_eq!(
            secret_name("arn:aws:secretsmanager:r:1:secret:app/key-AbCdEf:x::"),
            Some("app/key".to_owned())
        );
        assert!(
            matches("sha-*", "sha-1")
                && !matches("sha-*", "prod")
                && matches("*", "x")
                && matches("a*c", "abc")
        );
    }
}

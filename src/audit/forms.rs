//! The two forms of a repository's subject: by names, and by names with ids.

use crate::policy::Witness;
use crate::reach::GithubRepository;

use super::trust::Trust;

/// A token of the form with names that passes.
pub(super) fn by_names(trust: &Trust<'_>, repository: &GithubRepository) -> Option<Witness> {
    let [names, _] = repository.prefixes();
    trust
        .passing(&[&trust.subjects(&[format!("{names}:*")])], &[])
        .into_iter()
        .next()
}

/// A token of the form with ids that passes.
pub(super) fn by_ids(trust: &Trust<'_>, repository: &GithubRepository) -> Option<Witness> {
    let [_, ids] = repository.prefixes();
    trust
        .passing(&[&trust.subjects(&[format!("{ids}:*")])], &[])
        .into_iter()
        .next()
}

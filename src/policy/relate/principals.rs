//! The principal dimension: finitely many candidates stand for all principals that the documents tell apart.

use std::collections::BTreeSet;

use crate::policy::request::{Known, RequestPrincipal};
use crate::policy::statement::{Principal, Principals, is_account_id};

/// An account that no document is likely to name.
const OTHER_ACCOUNT: &str = "210987654321";

/// The principals named, one unnamed session or role for each role and account, and one stranger of each kind.
pub(super) fn candidates<'a>(all: impl Iterator<Item = &'a Principals>) -> Vec<RequestPrincipal> {
    let entries: BTreeSet<&Principal> = all.flat_map(|principals| &principals.list).collect();
    let mut named = Vec::new();
    let mut derived = Vec::new();
    let mut accounts: BTreeSet<&str> = BTreeSet::new();
    for entry in entries {
        match entry {
            Principal::Everyone => {}
            Principal::Account(account) => {
                accounts.insert(account);
            }
            Principal::Aws(arn) => {
                named.push(RequestPrincipal::Aws(arn.clone()));
                accounts.extend(
                    arn.split(':')
                        .nth(4)
                        .filter(|account| is_account_id(account)),
                );
                derived.extend(session_of(arn).map(RequestPrincipal::Aws));
            }
            Principal::Federated(arn) if arn == "*" => {}
            Principal::Federated(arn) => named.push(RequestPrincipal::Federated(arn.clone())),
            Principal::Service(host) if host == "*" => {}
            Principal::Service(host) => named.push(RequestPrincipal::Service(host.clone())),
            Principal::CanonicalUser(id) => named.push(RequestPrincipal::CanonicalUser(id.clone())),
        }
    }
    accounts.insert(OTHER_ACCOUNT);
    for account in accounts {
        derived.push(RequestPrincipal::Aws(format!(
            "arn:aws:iam::{account}:role/Example"
        )));
        derived.push(RequestPrincipal::Aws(format!(
            "arn:aws:iam::{account}:user/q7z"
        )));
    }
    derived.push(RequestPrincipal::Service(
        "example.amazonaws.com".to_owned(),
    ));
    derived.push(RequestPrincipal::Federated(format!(
        "arn:aws:iam::{OTHER_ACCOUNT}:oidc-provider/oidc.example.com"
    )));
    derived.push(RequestPrincipal::CanonicalUser(
        "0123456789abcdef".repeat(4),
    ));
    derived.push(RequestPrincipal::Anonymous);
    named.extend(derived);
    named
}

/// A session of a role, which the role's ARN names too.
fn session_of(arn: &str) -> Option<String> {
    let mut fields = arn.splitn(6, ':');
    let (Some("arn"), Some(partition), Some("iam"), Some(""), Some(account), Some(resource)) = (
        fields.next(),
        fields.next(),
        fields.next(),
        fields.next(),
        fields.next(),
        fields.next(),
    ) else {
        return None;
    };
    let name = resource.strip_prefix("role/")?.rsplit('/').next()?;
    Some(format!(
        "arn:{partition}:sts::{account}:assumed-role/{name}/q7z"
    ))
}

/// Whether the element names this principal.
pub(super) fn names(principals: &Principals, principal: &Known<'_>) -> bool {
    principals
        .list
        .iter()
        .any(|entry| principal.named_by(entry))
        != principals.negated
}

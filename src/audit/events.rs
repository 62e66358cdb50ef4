//! Who changed what a finding is about, when and from where, as far as `CloudTrail` tells. It is optional: what it does
//! not tell is a note, and the findings stand without it.

use std::collections::BTreeSet;

use crate::aws::{Aws, trail};
use crate::config::Config;
use crate::error::Error;
use crate::kind::{Scope, Snapshot};
use crate::kinds::KINDS;
use crate::reach::{Account, Event};

use super::date::timestamp;
use super::{Audit, Evidence, Finding, RULES};

/// Resources that `CloudTrail` is asked about: at its two requests a second they take twenty seconds, and whoever has
/// more drift than that mends it first.
const MOST_RESOURCES: usize = 40;
/// Changes of one resource that are told: the last one, and enough before it to see whether two are at odds.
const MOST_CHANGES: usize = 3;

/// Asks who changed what the audit found; the answers are kept with the account.
pub(super) async fn ask(
    aws: &Aws,
    config: &std::sync::Arc<Config>,
    account: &mut Account,
    audit: &Audit,
) {
    let wanted = wanted(config, account, audit);
    let (asked, left) = wanted.split_at(wanted.len().min(MOST_RESOURCES));
    let mut silent = Vec::new();
    for (place, address) in asked.iter().enumerate() {
        let Some((service, resource)) = filed(config, account, address) else {
            continue;
        };
        match trail::changes(aws, service, &resource).await {
            Ok(changes) if changes.list.is_empty() => {
                let newest = if changes.more {
                    " (its newest 50 events)"
                } else {
                    ""
                };
                silent.push(format!("{address}{newest}"));
            }
            Ok(changes) => {
                let told = changes.list.into_iter().take(MOST_CHANGES);
                account.events.extend(told.map(|change| Event {
                    resource: address.clone(),
                    name: change.name,
                    time: change.time,
                    who: change.who,
                    source: change.source,
                }));
            }
            Err(error) => {
                let rest = asked.get(place..).unwrap_or_default().join(", ");
                let error = Error::from(error);
                account.notes.push(format!(
                    "CloudTrail does not tell who changed {rest}: {error}"
                ));
                return;
            }
        }
    }
    if !silent.is_empty() {
        let list = silent.join(", ");
        account
            .notes
            .push(format!("CloudTrail's 90 days tell of no change of {list}."));
    }
    if !left.is_empty() {
        let (count, all) = (asked.len(), wanted.len());
        account.notes.push(format!(
            "CloudTrail was asked about {count} of {all} resources, since it answers two requests a second; not about {}.",
            left.join(", ")
        ));
    }
}

/// What is to be asked about, each resource once, that of the gravest finding first.
fn wanted(config: &std::sync::Arc<Config>, account: &Account, audit: &Audit) -> Vec<String> {
    let absent = |address: &str| {
        let mut drift = account.drift.iter();
        drift.any(|drift| drift.address == address && drift.verb == "create")
    };
    let new = is_new(config, account);
    let mut seen = BTreeSet::new();
    let accepted = audit.accepted.iter().map(|accepted| &accepted.finding);
    audit
        .findings
        .iter()
        .chain(accepted)
        .filter(|finding| is_change(finding) && !(new && absent(&finding.address)))
        .filter(|finding| seen.insert(finding.address.clone()))
        .map(|finding| finding.address.clone())
        .collect()
}

/// Whether nothing that is declared is there yet, so that nobody has removed anything.
fn is_new(config: &std::sync::Arc<Config>, account: &Account) -> bool {
    let declared = Snapshot::declare(KINDS, &Scope::everything(config.clone()));
    let absent = account.drift.iter().filter(|drift| drift.verb == "create");
    absent.count() == declared.addresses().count()
}

/// Whether the finding is of a rule that judges what somebody changed.
fn is_change(finding: &Finding) -> bool {
    let mut rules = RULES.iter();
    rules.any(|rule| rule.about().id == finding.rule && rule.asks_who())
}

/// The service, and the name under which `CloudTrail` files the events of a resource: IAM's policies and providers, ECR's
/// repositories and secrets by their ARNs, all else by its name.
fn filed(config: &Config, account: &Account, address: &str) -> Option<(&'static str, String)> {
    let (kind, name) = address.split_once('/')?;
    let arn = || account.arn(config, kind, name);
    let name = || name.to_owned();
    Some(match kind {
        "role" | "user" => ("iam", name()),
        "policy" | "oidc_provider" => ("iam", arn()?),
        "repository" => ("ecr", arn()?),
        "secret" if account.secrets.contains_key(&name()) => ("secretsmanager", arn()?),
        "secret" => ("secretsmanager", name()),
        "log_group" => ("logs", name()),
        "cluster" | "service" => ("ecs", name()),
        _ => return None,
    })
}

/// Puts what `CloudTrail` told into the findings of those rules.
pub(super) fn tell(account: &Account, audit: &mut Audit) {
    let accepted = audit
        .accepted
        .iter_mut()
        .map(|accepted| &mut accepted.finding);
    for finding in audit.findings.iter_mut().chain(accepted) {
        if !is_change(finding) {
            continue;
        }
        let events = account
            .events
            .iter()
            .filter(|event| event.resource == finding.address);
        finding.evidence.extend(events.map(|event| Evidence::Event {
            name: event.name.clone(),
            time: timestamp(event.time),
            who: event.who.clone(),
            source: event.source.clone(),
        }));
    }
}

#[cfg(test)]
mod tests {
    use crate::config;
    use crate::reach::{ManagedPolicy, Secret};

    use super::*;

    #[test]
    fn events_are_filed_under_the_arn_that_a_resource_has() {
        let text = r#"
            [project]
            name = "p"
            account_id = "123456789012"
            region = "eu-west-1"
            [policy.declared]
            path = "/team/"
            document = "declared.json"
            [repository.app]
            [secret."api/key"]
        "#;
        let document = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#;
        let config = config::parse("infra.toml", text, &mut |_| Ok(document.to_owned())).unwrap();
        let mut account = Account::empty("123456789012", "eu-west-1", "aws");
        let found = |account: &Account, address| filed(&config, account, address);
        let declared = "arn:aws:iam::123456789012:policy/team/declared";
        let repository = "arn:aws:ecr:eu-west-1:123456789012:repository/app";
        for (address, filed) in [
            ("policy/declared", Some(("iam", declared))),
            ("policy/other", None),
            ("role/other", Some(("iam", "other"))),
            ("repository/app", Some(("ecr", repository))),
            ("secret/api/key", Some(("secretsmanager", "api/key"))),
        ] {
            let filed = filed.map(|(service, name)| (service, name.to_owned()));
            assert_eq!(found(&account, address), filed, "{address}");
        }
        let moved = "arn:aws:iam::123456789012:policy/elsewhere/declared";
        let other = "arn:aws:iam::123456789012:policy/deep/down/other";
        for arn in [moved, other, "arn:aws:iam::aws:policy/other"] {
            let policy = ManagedPolicy::default();
            account.policies.insert(arn.to_owned(), policy);
        }
        let secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:api/key-AbCdEf";
        let live = Secret {
            arn: secret.to_owned(),
            ..Secret::default()
        };
        account.secrets.insert("api/key".to_owned(), live);
        for (address, service, name) in [
            ("policy/declared", "iam", moved),
            ("policy/other", "iam", other),
            ("secret/api/key", "secretsmanager", secret),
        ] {
            assert_eq!(
                found(&account, address),
                Some((service, name.to_owned())),
                "{address}"
            );
        }
    }
}

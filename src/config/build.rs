//! From the tables of the resources to the checked [`Config`].

use std::collections::BTreeMap;

use super::check;
use super::documents;
use super::expand::Item;
use super::model::{
    Acceptance, Cluster, Config, Declaration, OidcProvider, Policy, Repository, Role,
    SourceDocument,
};
use super::node::Node;
use super::reader::{Decode, Reader};
use super::tables::{AuditTable, OidcProviderTable, PolicyTable, RepositoryTable, RoleTable};
use super::trust;
use crate::policy::PolicyKind;

/// Reads and checks every resource, and enters it in the configuration.
pub(super) fn resources(items: &[Item], config: &mut Config, reader: &mut Reader<'_>) {
    for item in items {
        reader.address = Some(item.address());
        reader.variables.clone_from(&item.variables);
        let declaration = Declaration {
            position: reader.source.position(item.at.start),
            environment: item.variables.as_ref().map(|it| it.environment.clone()),
            key: item.key.clone(),
        };
        config.declarations.insert(item.address(), declaration);
        resource(item, config, reader);
    }
    reader.address = None;
    reader.variables = None;
    check_service_names(items, config, reader);
}

fn resource(item: &Item, config: &mut Config, reader: &mut Reader<'_>) {
    let Item {
        kind, name, node, ..
    } = item;
    let name = name.clone();
    match *kind {
        "oidc_provider" => enter(
            oidc_provider(&name, node, reader),
            name,
            &mut config.oidc_providers,
        ),
        "policy" => enter(policy(node, reader), name, &mut config.policies),
        "role" => enter(role(node, reader), name, &mut config.roles),
        "repository" => enter(repository(node, reader), name, &mut config.repositories),
        "log_group" => enter(
            checked(node, check::resources::log_group, reader),
            name,
            &mut config.log_groups,
        ),
        "secret" => enter(
            checked(node, check::resources::secret, reader),
            name,
            &mut config.secrets,
        ),
        "cluster" => enter(cluster(node, reader), name, &mut config.clusters),
        _ => enter(
            checked(node, check::service::service, reader),
            name,
            &mut config.services,
        ),
    }
}

fn enter<T>(value: Option<T>, name: String, map: &mut BTreeMap<String, T>) {
    if let Some(value) = value {
        map.insert(name, value);
    }
}

/// Reads a resource whose table is its checked form, and checks it.
fn checked<T: Decode>(
    node: &Node,
    check: fn(&T, &Node, &mut Reader<'_>),
    reader: &mut Reader<'_>,
) -> Option<T> {
    let value = T::decode(node, reader)?;
    check(&value, node, reader);
    Some(value)
}

fn oidc_provider(name: &str, node: &Node, reader: &mut Reader<'_>) -> Option<OidcProvider> {
    let OidcProviderTable {
        client_ids,
        thumbprints,
        tags,
    } = Decode::decode(node, reader)?;
    let mut provider = OidcProvider {
        url: name.to_owned(),
        client_ids,
        thumbprints,
        tags,
    };
    check::iam::oidc_provider(&provider, node, reader);
    provider.client_ids.sort();
    if let Some(prints) = &mut provider.thumbprints {
        for print in prints.iter_mut() {
            print.make_ascii_lowercase();
        }
        prints.sort();
    }
    Some(provider)
}

fn policy(node: &Node, reader: &mut Reader<'_>) -> Option<Policy> {
    let PolicyTable {
        document: _,
        description,
        path,
        tags,
    } = Decode::decode(node, reader)?;
    let document = documents::policy(node.follow(&["document"]), PolicyKind::Identity, reader)?;
    let policy = Policy {
        document,
        description,
        path,
        tags,
    };
    check::iam::policy(&policy, node, reader);
    Some(policy)
}

fn role(node: &Node, reader: &mut Reader<'_>) -> Option<Role> {
    let table = RoleTable::decode(node, reader)?;
    let trust = role_trust(&table, node, reader);
    let mut inline_policies = BTreeMap::new();
    for name in table.inline_policies.keys() {
        let at = node.follow(&["inline_policies", name]);
        if let Some(document) = documents::policy(at, PolicyKind::Identity, reader) {
            inline_policies.insert(name.clone(), document);
        }
    }
    let mut role = Role {
        trust: trust?,
        description: table.description,
        path: table.path,
        max_session_duration: table.max_session_duration,
        permissions_boundary: table.permissions_boundary,
        managed_policies: table.managed_policies,
        inline_policies,
        tags: table.tags,
    };
    check::iam::role(&role, node, reader);
    role.managed_policies.sort();
    Some(role)
}

fn role_trust(table: &RoleTable, node: &Node, reader: &mut Reader<'_>) -> Option<SourceDocument> {
    match (&table.trust_policy, &table.trust) {
        (Some(_), None) => {
            documents::policy(node.follow(&["trust_policy"]), PolicyKind::Trust, reader)
        }
        (None, Some(short)) => trust::document(short, node.follow(&["trust"]), reader),
        (Some(_), Some(_)) => {
            let message = "`trust` and `trust_policy` exclude each other.";
            reader.error_at(
                node,
                &["trust"],
                message,
                "Leave one of them out.".to_owned(),
            );
            None
        }
        (None, None) => {
            let hint = "Add trust_policy = \"FILE\", or trust = { service = \"...\" }.".to_owned();
            reader.error(
                &node.at,
                "The role has neither `trust_policy` nor `trust`.",
                hint,
            );
            None
        }
    }
}

fn repository(node: &Node, reader: &mut Reader<'_>) -> Option<Repository> {
    let table = RepositoryTable::decode(node, reader)?;
    let lifecycle_policy = match table.lifecycle_policy {
        Some(_) => Some(documents::lifecycle(
            node.follow(&["lifecycle_policy"]),
            reader,
        )?),
        None => None,
    };
    let policy = match table.policy {
        Some(_) => Some(documents::policy(
            node.follow(&["policy"]),
            PolicyKind::Resource,
            reader,
        )?),
        None => None,
    };
    let mut repository = Repository {
        image_tag_mutability: table.image_tag_mutability,
        mutability_exclusions: table.mutability_exclusions,
        lifecycle_policy,
        policy,
        encryption: table.encryption,
        force_delete: table.force_delete,
        tags: table.tags,
    };
    check::resources::repository(&repository, node, reader);
    repository.mutability_exclusions.sort();
    Some(repository)
}

fn cluster(node: &Node, reader: &mut Reader<'_>) -> Option<Cluster> {
    let mut cluster = checked(node, check::resources::cluster, reader)?;
    if let Some(providers) = &mut cluster.capacity_providers {
        providers.sort();
    }
    Some(cluster)
}

/// Reports two services of one cluster with the same name in AWS.
fn check_service_names(items: &[Item], config: &Config, reader: &mut Reader<'_>) {
    let mut taken: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for item in items {
        let Some(service) = (item.kind == "service")
            .then(|| config.services.get(&item.name))
            .flatten()
        else {
            continue;
        };
        let place = (service.cluster.arn.as_str(), service.name.as_str());
        if let Some(other) = taken.insert(place, &item.name) {
            let message = format!(
                "`service/{other}` has the name `{}` in this cluster already.",
                service.name
            );
            reader.address = Some(item.address());
            let hint = "Give one of them another `name`.".to_owned();
            reader.error_at(&item.node, &["name"], message, hint);
            reader.address = None;
        }
    }
}

/// Reads `[audit]`.
pub(super) fn acceptances(node: &Node, reader: &mut Reader<'_>) -> Vec<Acceptance> {
    let Some(AuditTable { accept }) = reader.value("audit", node) else {
        return Vec::new();
    };
    let list = node.follow(&["accept"]);
    let accepted = accept
        .into_iter()
        .enumerate()
        .map(|(index, it)| Acceptance {
            rule: it.rule,
            address: it.address,
            until: it.until.map(|day| day.0),
            reason: it.reason,
            position: reader
                .source
                .position(list.follow(&[&index.to_string()]).at.start),
        });
    accepted.collect()
}

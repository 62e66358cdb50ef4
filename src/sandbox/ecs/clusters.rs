//! Clusters: settings, capacity providers, tags.

use serde_json::{Value, json};

use super::super::error::{Answer, ServiceError};
use super::super::protocol::Call;
use super::super::store::Table;
use super::super::world::{Members as _, World, add_tags, last_part, set, unset, without};
use super::{TAGS, invalid, missing, page};

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "CreateCluster" => create(call, world),
        "DescribeClusters" => Ok(describe(call, world)),
        "ListClusters" => list(call, world),
        "UpdateCluster" | "UpdateClusterSettings" => update(call, world),
        "PutClusterCapacityProviders" => put_providers(call, world),
        "DeleteCluster" => delete(call, world),
        "ListAccountSettings" => Ok(json!({ "settings": [] })),
        _ => return None,
    })
}

/// The name of the cluster that the request means, which is `default` where it names none.
pub(super) fn name(call: &Call) -> &str {
    last_part(call.input.text("cluster").unwrap_or("default"))
}

/// The active cluster that the request means.
pub(super) fn find<'w>(call: &Call, world: &'w World<'_>) -> Result<&'w Value, ServiceError> {
    let cluster = world
        .store
        .get(Table::Cluster, name(call))
        .filter(|cluster| cluster.str("status") == "ACTIVE");
    cluster.ok_or_else(|| ServiceError::new("ClusterNotFoundException", "Cluster not found."))
}

fn create(call: &Call, world: &mut World<'_>) -> Answer {
    let name = call.input.text("clusterName").unwrap_or("default");
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if name.len() > 255 || !name.chars().all(allowed) {
        return Err(invalid("Identifier contains invalid characters."));
    }
    check_settings(call)?;
    check_providers(call)?;
    let mut cluster = json!({
        "clusterArn": world.arn("ecs", &format!("cluster/{name}")),
        "clusterName": name,
        "status": "ACTIVE",
        "tags": [],
        "settings": [{ "name": "containerInsights", "value": "disabled" }],
        "capacityProviders": [],
        "defaultCapacityProviderStrategy": [],
    });
    add_tags(&mut cluster, "tags", call.input.list("tags"), &TAGS)?;
    for field in [
        "settings",
        "configuration",
        "capacityProviders",
        "defaultCapacityProviderStrategy",
        "serviceConnectDefaults",
    ] {
        if let Some(value) = call.input.member(field) {
            set(&mut cluster, field, value.clone());
        }
    }
    let standing = world
        .store
        .get(Table::Cluster, name)
        .filter(|cluster| cluster.str("status") == "ACTIVE");
    match standing {
        // To ask for what is there already is no error.
        Some(standing) if *standing == cluster => {}
        Some(_) => {
            let message = "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).";
            return Err(invalid(message));
        }
        None => world.store.put(Table::Cluster, name, cluster.clone()),
    }
    Ok(json!({ "cluster": counted(&cluster, world) }))
}

fn check_settings(call: &Call) -> Result<(), ServiceError> {
    for setting in call.input.list("settings") {
        let known = setting.str("name") == "containerInsights"
            && ["enabled", "disabled", "enhanced"].contains(&setting.str("value"));
        if !known {
            return Err(invalid("Invalid cluster setting."));
        }
    }
    Ok(())
}

fn check_providers(call: &Call) -> Result<(), ServiceError> {
    let providers = call.input.texts("capacityProviders");
    for item in call.input.list("defaultCapacityProviderStrategy") {
        let name = item.str("capacityProvider");
        if !providers.contains(&name) {
            let message = format!(
                "The specified capacity provider '{name}' was not found in the cluster's capacity providers."
            );
            return Err(invalid(&message));
        }
    }
    Ok(())
}

/// A cluster with how many tasks and services it has now.
fn counted(cluster: &Value, world: &World<'_>) -> Value {
    let prefix = format!("{}\n", cluster.str("clusterName"));
    let services = world.store.under(Table::Service, &prefix);
    let services = services
        .filter(|(_, service)| service.str("status") == "ACTIVE")
        .count();
    let tasks = |status: &str| {
        world
            .store
            .under(Table::Task, &prefix)
            .filter(|(_, task)| task.str("lastStatus") == status)
            .count()
    };
    let mut cluster = without(cluster, &[]);
    set(&mut cluster, "registeredContainerInstancesCount", 0);
    set(&mut cluster, "runningTasksCount", tasks("RUNNING"));
    set(&mut cluster, "pendingTasksCount", tasks("PENDING"));
    set(&mut cluster, "activeServicesCount", services);
    set(&mut cluster, "statistics", json!([]));
    cluster
}

fn describe(call: &Call, world: &World<'_>) -> Value {
    let include = call.input.texts("include");
    let mut names: Vec<&str> = call.input.texts("clusters");
    if names.is_empty() {
        names.push("default");
    }
    let (mut clusters, mut failures) = (Vec::new(), Vec::new());
    for asked in names {
        let name = last_part(asked);
        let Some(cluster) = world.store.get(Table::Cluster, name) else {
            failures.push(missing(&world.arn("ecs", &format!("cluster/{name}"))));
            continue;
        };
        let mut cluster = counted(cluster, world);
        for (word, field) in [
            ("TAGS", "tags"),
            ("SETTINGS", "settings"),
            ("CONFIGURATIONS", "configuration"),
        ] {
            if !include.contains(&word) {
                // Without being asked for, tags and settings come as empty lists.
                let empty = field != "configuration";
                if empty {
                    set(&mut cluster, field, json!([]));
                } else {
                    unset(&mut cluster, field);
                }
            }
        }
        clusters.push(cluster);
    }
    json!({ "clusters": clusters, "failures": failures })
}

fn list(call: &Call, world: &World<'_>) -> Answer {
    let rows = world
        .store
        .rows(Table::Cluster)
        .filter(|(_, cluster)| cluster.str("status") == "ACTIVE");
    let rows = rows.map(|(key, cluster)| (key.to_owned(), json!(cluster.str("clusterArn"))));
    page(call, world, "clusterArns", 100, rows)
}

fn change(call: &Call, world: &mut World<'_>, fields: &[&str]) -> Answer {
    find(call, world)?;
    world.store.update(Table::Cluster, name(call), |cluster| {
        for field in fields {
            if let Some(value) = call.input.member(field) {
                set(cluster, field, value.clone());
            }
        }
    });
    Ok(json!({ "cluster": counted(find(call, world)?, world) }))
}

fn update(call: &Call, world: &mut World<'_>) -> Answer {
    check_settings(call)?;
    change(
        call,
        world,
        &["settings", "configuration", "serviceConnectDefaults"],
    )
}

fn put_providers(call: &Call, world: &mut World<'_>) -> Answer {
    check_providers(call)?;
    change(
        call,
        world,
        &["capacityProviders", "defaultCapacityProviderStrategy"],
    )
}

fn delete(call: &Call, world: &mut World<'_>) -> Answer {
    let cluster = find(call, world)?;
    let counted = counted(cluster, world);
    let prefix = format!("{}\n", cluster.str("clusterName"));
    let mut services = world.store.under(Table::Service, &prefix);
    if services.any(|(_, service)| service.str("status") != "INACTIVE") {
        let message = "The Cluster cannot be deleted while Services are active.";
        return Err(ServiceError::new(
            "ClusterContainsServicesException",
            message,
        ));
    }
    if counted.number("runningTasksCount") != Some(0) {
        let message = "The Cluster cannot be deleted while Tasks are active.";
        return Err(ServiceError::new("ClusterContainsTasksException", message));
    }
    let name = name(call);
    drop(services);
    world.store.update(Table::Cluster, name, |cluster| {
        set(cluster, "status", "INACTIVE");
    });
    let mut gone = counted;
    set(&mut gone, "status", "INACTIVE");
    Ok(json!({ "cluster": gone }))
}

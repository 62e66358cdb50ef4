//! The account as a whole: its quotas, and everything that it grants in one answer.

use serde_json::{Map, Value, json};

use super::super::error::Answer;
use super::super::protocol::Call;
use super::super::store::Table;
use super::super::world::{Members as _, World, set, shown, without};
use super::{
    QUOTAS, documents, invalid, managed, page, policies, profiles, role_policies, versions,
};

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "GetAccountSummary" => Ok(summary(world)),
        "GetAccountAuthorizationDetails" => details(call, world),
        "ListAccountAliases" => Ok(json!({ "AccountAliases": [], "IsTruncated": false })),
        "ListUsers" => listed(call, world, Table::User, "Users"),
        "ListGroups" => listed(call, world, Table::Group, "Groups"),
        _ => return None,
    })
}

fn summary(world: &World<'_>) -> Value {
    let mut numbers: Map<String, Value> = QUOTAS
        .iter()
        .map(|(name, most)| ((*name).to_owned(), json!(most)))
        .collect();
    let counts = [
        ("Roles", Table::Role),
        ("Policies", Table::Policy),
        ("InstanceProfiles", Table::InstanceProfile),
        ("Providers", Table::OidcProvider),
        ("Users", Table::User),
        ("Groups", Table::Group),
    ];
    for (name, table) in counts {
        numbers.insert(name.to_owned(), json!(world.store.rows(table).count()));
    }
    json!({ "SummaryMap": numbers })
}

fn listed(call: &Call, world: &World<'_>, table: Table, name: &str) -> Answer {
    let rows = world
        .store
        .rows(table)
        .map(|(key, record)| (key.to_owned(), shown(record)));
    page(call, world, name, rows)
}

/// What is looked at, before any of it is shown: a page shows a hundred of thousands.
enum Entity<'a> {
    User(&'a Value),
    Group(&'a Value),
    Role(&'a Value),
    Policy(Value),
}

/// Users, groups, roles, customer managed policies and the AWS managed ones in use, in this order
/// and in one sequence of pages.
fn details(call: &Call, world: &World<'_>) -> Answer {
    let filter = call.input.texts("Filter");
    let wants = |name: &str| filter.is_empty() || filter.contains(&name);
    let rows = |table, wanted: bool, prefix: &'static str| {
        let rows = world.store.rows(table).filter(move |_| wanted);
        rows.map(move |(key, record)| (format!("{prefix} {key}"), record))
    };
    let users = rows(Table::User, wants("User"), "1").map(|(key, user)| (key, Entity::User(user)));
    let groups =
        rows(Table::Group, wants("Group"), "2").map(|(key, group)| (key, Entity::Group(group)));
    let roles = rows(Table::Role, wants("Role"), "3").map(|(key, role)| (key, Entity::Role(role)));
    let own = rows(Table::Policy, wants("LocalManagedPolicy"), "4");
    let own = own.map(|(key, policy)| (key, Entity::Policy(policy.clone())));
    let provided: Vec<Value> = if wants("AWSManagedPolicy") {
        provided(world)
    } else {
        Vec::new()
    };
    let provided = provided
        .into_iter()
        .map(|policy| (format!("5 {}", policy.str("Arn")), Entity::Policy(policy)));
    let all = users.chain(groups).chain(roles).chain(own).chain(provided);
    let size = call.input.page_size("MaxItems", 100, 1000);
    let (entities, next) = world
        .page(all, call.input.text("Marker"), size)
        .map_err(|_| invalid("Invalid Marker.".to_owned()))?;
    let mut answer = json!({
        "UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": [],
        "IsTruncated": next.is_some(),
    });
    for entity in entities {
        let (list, shown) = match entity {
            Entity::User(user) => ("UserDetailList", shown(user)),
            Entity::Group(group) => ("GroupDetailList", shown(group)),
            Entity::Role(role) => ("RoleDetailList", role_detail(role, world)),
            Entity::Policy(policy) => ("Policies", policy_detail(&policy, world)),
        };
        if let Some(Value::Array(items)) = answer.get_mut(list) {
            items.push(shown);
        }
    }
    if let Some(next) = next {
        set(&mut answer, "Marker", next);
    }
    Ok(answer)
}

/// The AWS managed policies that something has.
fn provided(world: &World<'_>) -> Vec<Value> {
    let mut arns: Vec<&str> = Vec::new();
    let prefix = format!("arn:{}:iam::aws:policy/", world.partition());
    for table in [Table::Attachment, Table::Boundary] {
        let rows = world.store.under(table, &prefix);
        arns.extend(rows.filter_map(|(key, _)| key.split('\n').next()));
    }
    arns.sort_unstable();
    arns.dedup();
    arns.into_iter()
        .filter(|arn| managed::is_known(arn))
        .filter_map(|arn| managed::find(arn, world))
        .collect()
}

fn role_detail(role: &Value, world: &World<'_>) -> Value {
    let mut detail = without(role, &["Description", "MaxSessionDuration"]);
    set(
        &mut detail,
        "AssumeRolePolicyDocument",
        documents::show_trust(role, world),
    );
    let inline = role.get("_inline").and_then(Value::as_object);
    let inline: Vec<Value> = inline
        .into_iter()
        .flatten()
        .map(|(name, text)| {
            json!({ "PolicyName": name, "PolicyDocument": documents::show(text.as_str().unwrap_or_default(), world) })
        })
        .collect();
    set(&mut detail, "RolePolicyList", inline);
    let attached: Vec<Value> = role_policies::attached(role)
        .into_iter()
        .map(|(_, policy)| policy)
        .collect();
    set(&mut detail, "AttachedManagedPolicies", attached);
    let name = role.str("RoleName").to_lowercase();
    let held = world
        .store
        .rows(Table::InstanceProfile)
        .filter(|(_, profile)| profile.str("_role") == name);
    let held: Vec<Value> = held
        .map(|(_, profile)| profiles::show(profile, world))
        .collect();
    set(&mut detail, "InstanceProfileList", held);
    if role.get("Tags").is_none() {
        set(&mut detail, "Tags", json!([]));
    }
    detail
}

fn policy_detail(policy: &Value, world: &World<'_>) -> Value {
    let mut detail = without(&policies::show(policy, world), &["Tags"]);
    let versions = policy
        .list("_versions")
        .iter()
        .map(|version| versions::show(version, true, world));
    let versions: Vec<Value> = versions.collect();
    set(&mut detail, "PolicyVersionList", versions);
    detail
}

//! Customer managed policies: their life, their tags, who has them.

use serde_json::{Value, json};

use super::super::error::{Answer, ServiceError};
use super::super::protocol::Call;
use super::super::store::Table;
use super::super::world::{Members as _, World, set, unset, without};
use super::{
    delete_conflict, documents, exists, invalid, limit_exceeded, list_tags, managed, names,
};
use super::{no_such_entity, nothing, page, quota, required, tag, untag};
use crate::policy::PolicyKind;

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "CreatePolicy" => create(call, world),
        "GetPolicy" => find(call, world).map(|policy| json!({ "Policy": show(&policy, world) })),
        "ListPolicies" => list(call, world),
        "DeletePolicy" => delete(call, world),
        "TagPolicy" => change(call, world, |policy| tag(policy, call)),
        "UntagPolicy" => change(call, world, |policy| {
            untag(policy, call);
            Ok(())
        }),
        "ListPolicyTags" => find(call, world).and_then(|policy| list_tags(call, world, &policy)),
        "ListEntitiesForPolicy" => entities(call, world),
        _ => return None,
    })
}

/// The policy that the request names, the account's own or AWS's.
pub(super) fn find(call: &Call, world: &World<'_>) -> Result<Value, ServiceError> {
    let arn = required(call, "PolicyArn")?;
    if !arn.starts_with("arn:") {
        return Err(invalid(format!("ARN {arn} is not valid.")));
    }
    managed::find(arn, world).ok_or_else(|| no_such_entity(format!("Policy {arn} was not found.")))
}

/// Changes a customer managed policy; AWS's own are nobody's to change.
pub(super) fn change(
    call: &Call,
    world: &mut World<'_>,
    change: impl FnOnce(&mut Value) -> Result<(), ServiceError>,
) -> Answer {
    let mut policy = find(call, world)?;
    if managed::is_aws(policy.str("Arn")) {
        let message = "User is not authorized to change an AWS managed policy.";
        return Err(ServiceError::with_status(403, "AccessDenied", message));
    }
    change(&mut policy)?;
    let key = policy.str("PolicyName").to_lowercase();
    world.store.put(Table::Policy, &key, policy);
    Ok(nothing())
}

/// How many roles have the policy, and how many have it as a boundary.
pub(super) fn usage(arn: &str, world: &World<'_>) -> (usize, usize) {
    let prefix = format!("{arn}\n");
    let count = |table| world.store.under(table, &prefix).count();
    (count(Table::Attachment), count(Table::Boundary))
}

/// A policy as `GetPolicy` shows it.
pub(super) fn show(policy: &Value, world: &World<'_>) -> Value {
    let mut shown = without(policy, &[]);
    let (attached, boundaries) = usage(policy.str("Arn"), world);
    set(&mut shown, "AttachmentCount", attached);
    set(&mut shown, "PermissionsBoundaryUsageCount", boundaries);
    if policy.list("Tags").is_empty() {
        unset(&mut shown, "Tags");
    }
    shown
}

/// Checks a document and its size.
pub(super) fn check_document(text: &str) -> Result<(), ServiceError> {
    documents::check(text, PolicyKind::Identity)?;
    let most = quota("PolicySizeQuota");
    if i64::try_from(documents::size(text)).is_ok_and(|size| size > most) {
        return Err(limit_exceeded(format!(
            "Cannot exceed quota for PolicySize: {most}"
        )));
    }
    Ok(())
}

fn create(call: &Call, world: &mut World<'_>) -> Answer {
    let (name, text) = (
        required(call, "PolicyName")?,
        required(call, "PolicyDocument")?,
    );
    names::check_name("policyName", name, 128)?;
    let path = call.input.text("Path").unwrap_or("/");
    names::check_path(path)?;
    names::check_description(call.input.str("Description"))?;
    let key = name.to_lowercase();
    if world.store.has(Table::Policy, &key) {
        return Err(exists(format!(
            "A policy called {name} already exists. Duplicate names are not allowed."
        )));
    }
    check_document(text)?;
    let now = world.iso();
    let version =
        json!({ "VersionId": "v1", "IsDefaultVersion": true, "CreateDate": now, "Document": text });
    let mut policy = json!({
        "PolicyName": name,
        "PolicyId": world.unique_id("ANPA"),
        "Arn": world.global_arn("iam", &format!("policy{path}{name}")),
        "Path": path,
        "DefaultVersionId": "v1",
        "IsAttachable": true,
        "CreateDate": now,
        "UpdateDate": now,
        "_versions": [version],
        "_made": 1,
    });
    if let Some(description) = call.input.text("Description") {
        set(&mut policy, "Description", description);
    }
    tag(&mut policy, call)?;
    world.store.put(Table::Policy, &key, policy.clone());
    Ok(json!({ "Policy": without(&show(&policy, world), &["Description"]) }))
}

fn list(call: &Call, world: &World<'_>) -> Answer {
    let scope = call.input.text("Scope").unwrap_or("All");
    let prefix = call.input.text("PathPrefix").unwrap_or("/");
    let only_attached = call.input.flag("OnlyAttached").unwrap_or(false);
    let as_boundary = call.input.text("PolicyUsageFilter") == Some("PermissionsBoundary");
    let fits = |policy: &Value| {
        let (attached, boundaries) = usage(policy.str("Arn"), world);
        let used = if as_boundary {
            boundaries > 0
        } else {
            !only_attached || attached > 0
        };
        used && policy.str("Path").starts_with(prefix)
    };
    let own = world.store.rows(Table::Policy).filter(|_| scope != "AWS");
    let own = own.filter(|(_, policy)| fits(policy));
    let own = own.map(|(key, policy)| {
        (
            format!("customer {key}"),
            without(&show(policy, world), &["Tags", "Description"]),
        )
    });
    let aws = managed::known(world)
        .into_iter()
        .filter(|_| scope != "Local")
        .filter(|policy| fits(policy));
    let aws = aws.map(|policy| {
        let key = format!("provided {}", policy.str("PolicyName").to_lowercase());
        (
            key,
            without(&show(&policy, world), &["Tags", "Description"]),
        )
    });
    page(call, world, "Policies", own.chain(aws))
}

fn delete(call: &Call, world: &mut World<'_>) -> Answer {
    change(call, world, |_| Ok(()))?;
    let policy = find(call, world)?;
    let (attached, boundaries) = usage(policy.str("Arn"), world);
    if attached + boundaries > 0 {
        return Err(delete_conflict(
            "Cannot delete a policy attached to entities.",
        ));
    }
    if policy.list("_versions").len() > 1 {
        return Err(delete_conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        ));
    }
    world
        .store
        .remove(Table::Policy, &policy.str("PolicyName").to_lowercase());
    Ok(nothing())
}

/// Who has the policy; only roles can have one here.
fn entities(call: &Call, world: &World<'_>) -> Answer {
    let policy = find(call, world)?;
    let boundary = call.input.text("PolicyUsageFilter") == Some("PermissionsBoundary");
    let tables: &[Table] = match (boundary, call.input.text("PolicyUsageFilter")) {
        (true, _) => &[Table::Boundary],
        (false, Some(_)) => &[Table::Attachment],
        (false, None) => &[Table::Attachment, Table::Boundary],
    };
    let prefix = format!("{}\n", policy.str("Arn"));
    let roles_wanted = matches!(call.input.text("EntityFilter"), None | Some("Role"));
    let mut keys: Vec<String> = Vec::new();
    for table in tables.iter().filter(|_| roles_wanted) {
        let found = world.store.under(*table, &prefix);
        keys.extend(
            found
                .filter_map(|(key, _)| key.strip_prefix(&prefix))
                .map(str::to_owned),
        );
    }
    keys.sort();
    keys.dedup();
    let roles = keys.into_iter().filter_map(|key| {
        let role = world.store.get(Table::Role, &key)?;
        Some((
            key,
            json!({ "RoleName": role.str("RoleName"), "RoleId": role.str("RoleId") }),
        ))
    });
    let mut answer = page(call, world, "PolicyRoles", roles)?;
    set(&mut answer, "PolicyUsers", json!([]));
    set(&mut answer, "PolicyGroups", json!([]));
    Ok(answer)
}

//! How much of IAM's quotas is used: the account's, and those of each declared role and policy.

use crate::policy::Document;
use crate::reach::Facts;

/// Address, what is counted, how many, of how many. A quota that was not read says nothing.
pub(super) fn uses(facts: &Facts<'_>) -> Vec<(String, &'static str, i64, i64)> {
    let quotas = &facts.account.quotas;
    let quota = |name: &str| quotas.get(name).copied().unwrap_or_default();
    let project = format!("project/{}", facts.config.project.name);
    let mut out = Vec::new();
    for (count, limit, what) in [
        ("Roles", "RolesQuota", "roles of the account"),
        (
            "Policies",
            "PoliciesQuota",
            "managed policies of the account",
        ),
        (
            "PolicyVersionsInUse",
            "PolicyVersionsInUseQuota",
            "policy versions in use",
        ),
    ] {
        out.push((project.clone(), what, quota(count), quota(limit)));
    }
    let length = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let size = |document: &Document| length(document.size());
    for (name, role) in &facts.config.roles {
        let address = format!("role/{name}");
        let inline = role
            .inline_policies
            .values()
            .map(|source| size(&source.document))
            .sum();
        out.push((
            address.clone(),
            "managed policies",
            length(role.managed_policies.len()),
            quota("AttachedPoliciesPerRoleQuota"),
        ));
        out.push((
            address.clone(),
            "characters of the trust policy",
            size(&role.trust.document),
            quota("AssumeRolePolicySizeQuota"),
        ));
        out.push((
            address,
            "characters of inline policies",
            inline,
            quota("RolePolicySizeQuota"),
        ));
    }
    for (name, policy) in &facts.config.policies {
        out.push((
            format!("policy/{name}"),
            "characters",
            size(&policy.document.document),
            quota("PolicySizeQuota"),
        ));
    }
    out
}

//! Documents together: identity policies, a permissions boundary, a resource policy and a trust policy on one request.
//! Source: IAM User Guide, "Policy evaluation logic": "Evaluating identity-based policies with resource-based policies",
//! "... with permissions boundaries", and "Cross-account policy evaluation logic".

use super::document::Document;
use super::evaluate::{Decision, StatementRef, evaluate};
use super::request::{Request, RequestPrincipal};
use super::statement::{Effect, Principal};

/// The policies that apply to one request.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    /// Those of the principal.
    pub identity: Vec<Document>,
    /// The principal's boundary.
    pub boundary: Option<Document>,
    /// That of the resource.
    pub resource: Option<Document>,
    /// That of the role, where the request is to assume one; it is the role's resource policy.
    pub trust: Option<Document>,
}

/// Decides a request by all policies: a Deny anywhere denies. Within one account, the identity policies (within the
/// boundary) or the resource policy may allow; across two, both must. A role's trust policy must always allow.
#[must_use]
pub fn evaluate_together(policies: &Policies, request: &Request) -> Decision {
    let Policies {
        identity,
        boundary,
        resource,
        trust,
    } = policies;
    let mut allowed: Vec<StatementRef> = Vec::new();
    let mut denied: Vec<StatementRef> = Vec::new();
    let mut decide = |document: &Document| -> bool {
        match evaluate(document, request) {
            Decision::Denied(statements) => {
                denied.extend(statements);
                false
            }
            Decision::Allowed(statements) => {
                allowed.extend(statements);
                true
            }
            Decision::NotAllowed => false,
        }
    };
    let mut by_identity = false;
    for document in identity {
        // Every document is asked: a later one may deny.
        by_identity |= decide(document);
    }
    let within = boundary.as_ref().is_none_or(&mut decide);
    let by_resource = resource.as_ref().map(&mut decide);
    let by_trust = trust.as_ref().map(&mut decide);
    if !denied.is_empty() {
        return Decision::Denied(denied);
    }
    let own = by_identity && within;
    let resource_side = by_trust.or(by_resource);
    let document = trust.as_ref().or(resource.as_ref());
    let allow = match (resource_side, document) {
        (None, _) | (_, None) => own,
        (Some(side), Some(document)) => {
            side && (own || direct(document, request, within) || !needs_identity(request))
                || (trust.is_none() && own && same_account(request))
        }
    };
    if allow {
        Decision::Allowed(allowed)
    } else {
        Decision::NotAllowed
    }
}

/// Services, federated and anonymous principals have no identity policies: the resource's side decides alone ("AWS JSON
/// policy elements: Principal").
fn needs_identity(request: &Request) -> bool {
    matches!(request.principal, RequestPrincipal::Aws(_))
}

/// Whether the resource's side names the principal itself, which within one account needs no identity policy ("How AWS
/// enforcement code logic evaluates requests": resource-based policies). An account as principal delegates: there the
/// identity policies must allow too ("AWS JSON policy elements: Principal": "AWS account principals"). A boundary
/// limits what a resource policy gives to a role, not what it gives to one of the role's sessions or to a user
/// ("Permissions boundaries for IAM entities": "Evaluating effective permissions with boundaries").
fn direct(document: &Document, request: &Request, within: bool) -> bool {
    if !same_account(request) {
        return false;
    }
    let arn = request.principal.text();
    let names = |entry: &Principal| match entry {
        Principal::Everyone => within,
        Principal::Aws(text) if text == arn => within || !arn.contains(":role/"),
        Principal::Aws(_) => within && request.principal.named_by(entry),
        _ => false,
    };
    document.statements().iter().any(|statement| {
        statement.effect == Effect::Allow
            && statement.principals.as_ref().is_some_and(|principals| {
                if principals.negated {
                    within
                } else {
                    principals.list.iter().any(names)
                }
            })
            && super::evaluate::statement_matches(statement, document.has_variables(), request)
    })
}

/// Whether principal and resource are of one account; a resource without an account in its ARN (a bucket) counts as
/// the principal's unless the context says otherwise (`aws:ResourceAccount`).
fn same_account(request: &Request) -> bool {
    let Some(account) = request.principal.account() else {
        return false;
    };
    let owner = match request
        .context
        .get("aws:ResourceAccount")
        .and_then(|values| values.first())
    {
        Some(owner) => owner.as_str(),
        None => request.resource.split(':').nth(4).unwrap_or_default(),
    };
    owner.is_empty() || owner == account
}

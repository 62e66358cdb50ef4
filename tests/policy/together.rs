//! Policies that apply together to one request: who has to allow it, by account and by kind of principal.

use serde_json::{Value, json};

use crate::cases::answer;

const ROLE: &str = "arn:aws:iam::111111111111:role/R";
const SESSION: &str = "arn:aws:sts::111111111111:assumed-role/R/s";
const USER: &str = "arn:aws:iam::111111111111:user/U";

fn whole(statement: Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statement})
}

fn allow() -> Value {
    whole(json!({"Effect": "Allow", "Action": "*", "Resource": "*"}))
}

fn nothing() -> Value {
    whole(json!({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}))
}

/// A resource's policy that allows reading to these.
fn to(principal: Value) -> Value {
    whole(
        json!({"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": "*"}),
    )
}

/// Whether a request of this principal for an object of this account is allowed by these policies.
fn allowed(mut case: Value, principal: Value, owner: &str) -> bool {
    case["request"] = json!({"principal": principal, "action": "s3:GetObject", "resource": "arn:aws:s3:::a/x",
        "context": {"aws:ResourceAccount": owner}});
    answer(&case)
}

const OWN: &str = "111111111111";
const OTHER: &str = "222222222222";

#[test]
fn within_one_account_one_side_is_enough_and_across_two_both_are_asked() {
    let by_role = || to(json!({"AWS": ROLE}));
    for (policies, resource, owner, wanted) in [
        (vec![allow()], nothing_to(), OWN, true),
        (vec![allow()], nothing_to(), OTHER, false),
        (vec![], by_role(), OWN, true),
        (vec![], by_role(), OTHER, false),
        (vec![nothing()], by_role(), OTHER, false),
        (vec![nothing(), allow()], by_role(), OTHER, true),
        (vec![allow(), nothing()], by_role(), OTHER, true),
        (vec![], nothing_to(), OWN, false),
    ] {
        let case = json!({"policies": policies, "resource_policy": resource});
        assert_eq!(
            allowed(case.clone(), json!(ROLE), owner),
            wanted,
            "{owner} {case}"
        );
    }
}

/// A resource's policy that allows nothing to anybody here.
fn nothing_to() -> Value {
    to(json!({"AWS": "arn:aws:iam::333333333333:root"}))
}

#[test]
fn who_has_no_policies_of_its_own_is_let_in_by_the_resource_alone() {
    for (principal, named) in [
        (
            json!({"Service": "a.amazonaws.com"}),
            json!({"Service": "a.amazonaws.com"}),
        ),
        (
            json!({"Federated": "cognito-identity.amazonaws.com"}),
            json!({"Federated": "cognito-identity.amazonaws.com"}),
        ),
        (json!(null), json!("*")),
    ] {
        for owner in [OWN, OTHER] {
            let case = |resource: &Value| json!({"policies": [], "resource_policy": resource});
            assert!(
                allowed(case(&to(named.clone())), principal.clone(), owner),
                "{principal}"
            );
            assert!(
                !allowed(case(&nothing_to()), principal.clone(), owner),
                "{principal}"
            );
        }
    }
}

#[test]
fn a_boundary_limits_what_a_resource_gives_to_a_role_and_not_what_it_gives_to_a_session_or_user() {
    for (principal, named, wanted) in [
        (ROLE, json!({"AWS": ROLE}), false),
        (SESSION, json!({"AWS": SESSION}), true),
        (SESSION, json!({"AWS": ROLE}), false),
        (USER, json!({"AWS": USER}), true),
        (USER, json!("*"), false),
        (ROLE, json!("*"), false),
    ] {
        let case = |boundary: Value| json!({"policies": [], "boundary": boundary, "resource_policy": to(named.clone())});
        assert_eq!(
            allowed(case(nothing()), json!(principal), OWN),
            wanted,
            "{principal} {named}"
        );
        assert!(
            allowed(case(allow()), json!(principal), OWN),
            "{principal} {named}"
        );
        assert!(
            !allowed(case(allow()), json!(principal), OTHER),
            "{principal} {named}"
        );
    }
    let account = json!({"policies": [], "resource_policy": to(json!({"AWS": OWN}))});
    assert!(!allowed(account, json!(ROLE), OWN), "an account delegates");
    let others = whole(
        json!({"Effect": "Allow", "NotPrincipal": {"AWS": USER}, "Action": "s3:GetObject", "Resource": "*"}),
    );
    let case =
        |boundary: Value| json!({"policies": [], "boundary": boundary, "resource_policy": others});
    assert!(allowed(case(allow()), json!(ROLE), OWN));
    assert!(!allowed(case(nothing()), json!(ROLE), OWN));
    let denied = whole(json!([
        {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "*"},
        {"Effect": "Deny", "Principal": {"AWS": USER}, "Action": "s3:GetObject", "Resource": "*"}]));
    let case = json!({"policies": [], "resource_policy": denied});
    assert!(
        !allowed(case, json!(ROLE), OWN),
        "what allows another action, or denies, allows nothing"
    );
}

#[test]
fn a_role_is_assumed_only_where_its_trust_allows() {
    let trusts = |principal: Value| {
        whole(json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}))
    };
    for (policies, trust, owner, wanted) in [
        (vec![], json!({"AWS": USER}), OWN, true),
        (vec![], json!({"AWS": OWN}), OWN, false),
        (vec![allow()], json!({"AWS": OWN}), OWN, true),
        (vec![allow()], json!({"AWS": OTHER}), OWN, false),
        (vec![], json!({"AWS": USER}), OTHER, false),
        (vec![allow()], json!({"AWS": USER}), OTHER, true),
    ] {
        let resource = format!("arn:aws:iam::{owner}:role/T");
        let case = json!({"policies": policies, "trust": trusts(trust),
            "request": {"principal": USER, "action": "sts:AssumeRole", "resource": resource}});
        assert_eq!(answer(&case), wanted, "{case}");
    }
}

use proptest::prelude::*;

use super::*;
use crate::kind::RefusalCause;
use crate::kinds::documents::HOLD;
use crate::kinds::tests::{fold, lead};
use crate::policy::PolicyKind;

const OWNER: &str = "back-end@us-east-2";
const ACCOUNT: &str = "arn:aws:iam::123456789012";

fn document(effect: &str, action: &str) -> Document {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Action":"{action}","Resource":"*"}}]}}"#
    );
    Document::parse(&text, PolicyKind::Identity).unwrap()
}

fn trust(service: &str) -> Document {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"Service":"{service}"}}}}]}}"#
    );
    Document::parse(&text, PolicyKind::Trust).unwrap()
}

fn role() -> Spec {
    Spec {
        owner: Some(OWNER.to_owned()),
        path: "/".to_owned(),
        description: None,
        max_session_duration: 3600,
        trust_policy: trust("ecs-tasks.amazonaws.com"),
        permissions_boundary: None,
        managed_policies: BTreeSet::new(),
        inline_policies: BTreeMap::new(),
        tags: Tags::new(),
        arn: Aside(format!("{ACCOUNT}:role/push")),
        instance_profiles: Aside::default(),
        most_policies: Aside::default(),
    }
}

fn any_role() -> impl Strategy<Value = Spec> {
    let arn = prop::sample::select(vec![
        format!("{ACCOUNT}:policy/one"),
        format!("{ACCOUNT}:policy/team/two"),
        "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned(),
    ]);
    let inline = (
        prop::sample::select(vec!["Allow", "Deny"]),
        prop::sample::select(vec!["s3:GetObject", "ecr:PutImage", "logs:*"]),
    )
        .prop_map(|(effect, action)| document(effect, action));
    let service = prop::sample::select(vec!["ecs-tasks.amazonaws.com", "lambda.amazonaws.com"]);
    (
        service,
        prop::option::of(arn.clone()),
        prop::collection::btree_set(arn, 0..4),
        prop::collection::btree_map("[a-c]", inline, 0..3),
        prop::collection::btree_map("[a-c]", "[x-y]", 0..3),
        prop::option::of("[a-b]"),
        prop::sample::select(vec![3600, 7200]),
    )
        .prop_map(
            |(service, boundary, managed_policies, inline_policies, tags, description, max)| Spec {
                trust_policy: trust(service),
                permissions_boundary: boundary,
                managed_policies,
                inline_policies,
                tags,
                description,
                max_session_duration: max,
                ..role()
            },
        )
}

proptest! {
    #[test]
    fn calls_lead_from_before_to_after(
        before in prop::option::of(any_role()),
        after in prop::option::of(any_role()),
        adopted: bool,
    ) {
        let before = before.map(|spec| Spec {
            owner: spec.owner.filter(|_| !(adopted && after.is_some())),
            ..spec
        });
        lead(&Role, before.as_ref(), after.as_ref());
    }
}

#[test]
fn what_adds_comes_first_and_denies_before_the_rest() {
    let before = Spec {
        managed_policies: BTreeSet::from([format!("{ACCOUNT}:policy/old")]),
        ..role()
    };
    let after = Spec {
        managed_policies: BTreeSet::from([format!("{ACCOUNT}:policy/new")]),
        inline_policies: BTreeMap::from([
            ("a".to_owned(), document("Allow", "s3:GetObject")),
            ("b".to_owned(), document("Deny", "s3:PutObject")),
        ]),
        ..role()
    };
    let calls = Role.calls("push", Some(&before), Some(&after));
    let names: Vec<String> = calls
        .into_iter()
        .map(|call| crate::kind::AnyCall::new(call).name())
        .collect();
    assert_eq!(names, ["PutInline", "Attach", "PutInline", "Detach"]);
}

#[test]
fn a_left_over_hold_is_an_extra_inline_policy() {
    let live = Spec {
        inline_policies: BTreeMap::from([(HOLD.to_owned(), document("Deny", "*"))]),
        ..role()
    };
    let goal = Role.keep(role(), Some(&live));
    let calls = Role.calls("push", Some(&live), Some(&goal));
    assert_eq!(
        calls,
        [Call::DeleteInline {
            name: HOLD.to_owned()
        }]
    );
}

#[test]
fn a_hold_is_put_first_and_removed_last() {
    let with = |action: &str, service: &str| Spec {
        inline_policies: BTreeMap::from([("main".to_owned(), document("Allow", action))]),
        trust_policy: trust(service),
        ..role()
    };
    let before = with("s3:GetObject", "ecs-tasks.amazonaws.com");
    let after = with("ecr:PutImage", "lambda.amazonaws.com");
    let detours = Role.detours("push", Some(&before), Some(&after));
    assert_eq!(detours.len(), 4);
    for calls in detours.iter().skip(1) {
        let states = fold(&Role, Some(before.clone()), calls);
        let held: Vec<bool> = states
            .iter()
            .flatten()
            .map(|spec| spec.inline_policies.contains_key(HOLD))
            .collect();
        assert_eq!(held, [false, true, true, true, false]);
    }
}

#[test]
fn it_refers_to_what_it_needs_in_its_account() {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity",
              "Principal":{{"Federated":"{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"}}}},
            {{"Effect":"Allow","Action":"sts:AssumeRole",
              "Principal":{{"AWS":["{ACCOUNT}:role/ci/other","{ACCOUNT}:role/push","arn:aws:iam::999999999999:role/theirs"]}}}}]}}"#
    );
    let spec = Spec {
        trust_policy: Document::parse(&text, PolicyKind::Trust).unwrap(),
        permissions_boundary: Some(format!("{ACCOUNT}:policy/bounds")),
        managed_policies: BTreeSet::from([
            format!("{ACCOUNT}:policy/team/two"),
            "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned(),
        ]),
        ..role()
    };
    let refers: Vec<String> = Role.refers(&spec).iter().map(ToString::to_string).collect();
    assert_eq!(
        refers,
        [
            "oidc_provider/token.actions.githubusercontent.com",
            "policy/bounds",
            "policy/two",
            "role/other"
        ]
    );
}

#[test]
fn what_iam_refuses_is_refused() {
    let attached = Spec {
        managed_policies: BTreeSet::from([format!("{ACCOUNT}:policy/one")]),
        ..role()
    };
    let profiled = Spec {
        instance_profiles: Aside(vec!["web".to_owned()]),
        ..role()
    };
    let service = Spec {
        path: "/aws-service-role/ecs.amazonaws.com/".to_owned(),
        ..role()
    };
    let cause = |spec: Option<Spec>, call: &Call| Role.effect(spec, call).unwrap_err().cause;
    assert_eq!(cause(Some(attached), &Call::Delete), RefusalCause::NotYet);
    assert_eq!(cause(Some(profiled), &Call::Delete), RefusalCause::Blocked);
    assert_eq!(
        cause(Some(service), &Call::DeleteBoundary),
        RefusalCause::Blocked
    );
    assert_eq!(cause(None, &Call::DeleteBoundary), RefusalCause::NotYet);
    let moved = Spec {
        path: "/ci/".to_owned(),
        ..role()
    };
    let calls = Role.calls("push", Some(&role()), Some(&moved));
    let [call] = calls.as_slice() else {
        panic!("not one call: {calls:?}");
    };
    assert_eq!(cause(Some(role()), call), RefusalCause::Immutable);
}

#[test]
fn the_quota_of_attached_policies_is_kept() {
    let full = Spec {
        managed_policies: BTreeSet::from([format!("{ACCOUNT}:policy/one")]),
        most_policies: Aside(Some(1)),
        ..role()
    };
    let attach = |name: &str| Call::Attach {
        arn: format!("{ACCOUNT}:policy/{name}"),
    };
    let refusal = Role.effect(Some(full.clone()), &attach("two")).unwrap_err();
    assert_eq!(refusal.cause, RefusalCause::Blocked);
    assert!(Role.effect(Some(full), &attach("one")).is_ok());
}

use proptest::prelude::*;

use super::*;
use crate::kind::RefusalCause;
use crate::kinds::tests::lead;
use crate::policy::PolicyKind;

const OWNER: &str = "back-end@us-east-2";

fn document(action: &str) -> Document {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":["{action}"],"Resource":"*"}}]}}"#
    );
    Document::parse(&text, PolicyKind::Identity).unwrap()
}

fn policy(action: &str) -> Spec {
    Spec {
        owner: Some(OWNER.to_owned()),
        path: "/".to_owned(),
        description: None,
        document: document(action),
        tags: Tags::new(),
        arn: Aside("arn:aws:iam::123456789012:policy/push".to_owned()),
        others: Aside::default(),
    }
}

fn any_policy() -> impl Strategy<Value = Spec> {
    let action = prop::sample::select(vec!["ecr:PutImage", "ecr:BatchGetImage", "s3:GetObject"]);
    let tags = prop::collection::btree_map("[a-c]", "[x-y]", 0..3);
    (action, tags).prop_map(|(action, tags)| Spec {
        tags,
        ..policy(action)
    })
}

proptest! {
    #[test]
    fn calls_lead_from_before_to_after(
        before in prop::option::of(any_policy()),
        after in prop::option::of(any_policy()),
        adopted: bool,
    ) {
        let before = before.map(|spec| Spec {
            owner: spec.owner.filter(|_| !(adopted && after.is_some())),
            ..spec
        });
        lead(&Policy, before.as_ref(), after.as_ref());
    }
}

#[test]
fn a_creation_sets_the_mark_at_once() {
    let calls = Policy.calls("push", None, Some(&policy("s3:GetObject")));
    let [Call::Create { tags, .. }] = calls.as_slice() else {
        panic!("not one call: {calls:?}");
    };
    assert_eq!(
        tags.get(crate::kind::OWNER_TAG).map(String::as_str),
        Some(OWNER)
    );
}

#[test]
fn adopting_is_one_tag_call() {
    let live = Spec {
        owner: None,
        ..policy("s3:GetObject")
    };
    let goal = Policy.keep(policy("s3:GetObject"), Some(&live));
    let calls = Policy.calls("push", Some(&live), Some(&goal));
    assert!(matches!(calls.as_slice(), [Call::Tag { .. }]), "{calls:?}");
}

#[test]
fn text_of_equal_meaning_is_kept_and_noted() {
    let spelt = r#"{"Version":"2012-10-17","Statement":{"Sid":"A","Effect":"Allow","Resource":["*"],"Action":"S3:getobject"}}"#;
    let live = Spec {
        document: Document::parse(spelt, PolicyKind::Identity).unwrap(),
        ..policy("s3:GetObject")
    };
    let desired = policy("s3:GetObject");
    let goal = Policy.keep(desired.clone(), Some(&live));
    assert_eq!(goal.document.text(), spelt);
    assert!(Policy.calls("push", Some(&live), Some(&goal)).is_empty());
    assert_eq!(
        Policy.notes(&desired, Some(&live)),
        ["document: same meaning, only the text differs."]
    );
    assert!(Policy.notes(&desired, Some(&desired)).is_empty());
}

#[test]
fn what_is_fixed_at_creation_is_refused() {
    let after = Spec {
        path: "/team/".to_owned(),
        description: Some("x".to_owned()),
        ..policy("s3:GetObject")
    };
    let before = policy("s3:GetObject");
    let calls = Policy.calls("push", Some(&before), Some(&after));
    assert_eq!(calls.len(), 2);
    for call in calls {
        let refusal = Policy.effect(Some(before.clone()), &call).unwrap_err();
        assert_eq!(refusal.cause, RefusalCause::Immutable);
    }
}

#[test]
fn a_policy_that_others_use_is_not_deleted() {
    let spec = Spec {
        others: Aside(vec!["role legacy".to_owned()]),
        ..policy("s3:GetObject")
    };
    let call = Call::Delete {
        arn: spec.arn.0.clone(),
    };
    let refusal = Policy.effect(Some(spec), &call).unwrap_err();
    assert_eq!(refusal.cause, RefusalCause::Blocked);
    assert!(refusal.message.contains("role legacy"));
    assert_eq!(Policy.effect(None, &call), Ok(None));
}

#[test]
fn a_detour_goes_through_the_statements_of_both() {
    let (before, after) = (policy("s3:GetObject"), policy("ecr:PutImage"));
    let detours = Policy.detours("push", Some(&before), Some(&after));
    let [calls] = detours.as_slice() else {
        panic!("not one detour");
    };
    let [
        Call::SetDocument { document: both, .. },
        Call::SetDocument { document, .. },
    ] = calls.as_slice()
    else {
        panic!("not two documents: {calls:?}");
    };
    assert_eq!(both.statements().len(), 2);
    assert_eq!(*document, after.document);
}

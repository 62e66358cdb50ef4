use proptest::prelude::*;

use super::*;
use crate::kind::RefusalCause;
use crate::kinds::tests::lead;

fn group() -> Spec {
    Spec {
        owner: Some("back-end@us-east-2".to_owned()),
        retention_in_days: None,
        kms_key_id: None,
        class: LogGroupClass::Standard,
        deletion_protection: false,
        tags: Tags::new(),
    }
}

fn any_group() -> impl Strategy<Value = Spec> {
    let retention = prop::option::of(prop::sample::select(vec![7, 30]));
    let key = prop::option::of("arn:aws:kms:us-east-2:1:key/[a-b]");
    let tags = prop::collection::btree_map("[a-c]", "[x-y]", 0..3);
    (retention, key, any::<bool>(), tags).prop_map(|(retention, key, protected, tags)| Spec {
        retention_in_days: retention,
        kms_key_id: key,
        deletion_protection: protected,
        tags,
        ..group()
    })
}

proptest! {
    #[test]
    fn calls_lead_from_before_to_after(
        before in prop::option::of(any_group()),
        after in prop::option::of(any_group()),
        adopted: bool,
    ) {
        let before = before.map(|spec| Spec {
            owner: spec.owner.filter(|_| !(adopted && after.is_some())),
            deletion_protection: spec.deletion_protection && after.is_some(),
            ..spec
        });
        lead(&LogGroup, before.as_ref(), after.as_ref());
    }
}

#[test]
fn retention_that_is_not_declared_is_taken_away() {
    let live = Spec {
        retention_in_days: Some(30),
        ..group()
    };
    let calls = LogGroup.calls("web", Some(&live), Some(&group()));
    assert!(calls == [Call::DeleteRetention]);
}

#[test]
fn the_class_is_fixed() {
    let other = Spec {
        class: LogGroupClass::InfrequentAccess,
        ..group()
    };
    let calls = LogGroup.calls("web", Some(&group()), Some(&other));
    let refused = LogGroup.effect(Some(group()), &calls[0]).err().unwrap();
    assert_eq!(refused.cause, RefusalCause::Immutable);
}

#[test]
fn deletion_protection_blocks_a_delete() {
    let protected = Spec {
        deletion_protection: true,
        ..group()
    };
    let refused = LogGroup.effect(Some(protected), &Call::Delete).err();
    assert_eq!(refused.unwrap().cause, RefusalCause::Blocked);
}

use proptest::prelude::*;

use super::*;
use crate::config::Encoding;
use crate::kinds::tests::lead;

fn secret() -> Spec {
    Spec {
        owner: Some("back-end@us-east-2".to_owned()),
        description: None,
        kms_key_id: None,
        tags: Tags::new(),
        generate: Aside::default(),
        recovery_window_in_days: Aside(30),
    }
}

fn any_secret() -> impl Strategy<Value = Spec> {
    let description = prop::option::of("[a-b]");
    let key = prop::option::of("alias/[a-b]");
    let tags = prop::collection::btree_map("[a-c]", "[x-y]", 0..3);
    (description, key, tags).prop_map(|(description, kms_key_id, tags)| Spec {
        description,
        kms_key_id,
        tags,
        ..secret()
    })
}

proptest! {
    #[test]
    fn calls_lead_from_before_to_after(
        before in prop::option::of(any_secret()),
        after in prop::option::of(any_secret()),
        adopted: bool,
    ) {
        let before = before.map(|spec| Spec {
            owner: spec.owner.filter(|_| !(adopted && after.is_some())),
            ..spec
        });
        lead(&Secret, before.as_ref(), after.as_ref());
    }
}

#[test]
fn description_and_key_change_in_one_request() {
    let other = Spec {
        description: Some("Signs tokens".to_owned()),
        kms_key_id: Some("alias/jwt".to_owned()),
        ..secret()
    };
    let calls = Secret.calls("jwt", Some(&secret()), Some(&other));
    assert!(matches!(calls.as_slice(), [Call::Update { .. }]));
}

#[test]
fn how_a_value_is_made_makes_no_difference_afterwards() {
    let declared = Spec {
        generate: Aside(Some(Generate {
            bytes: 64,
            encoding: Encoding::Base64,
        })),
        ..secret()
    };
    assert!(
        Secret
            .calls("jwt", Some(&secret()), Some(&declared))
            .is_empty()
    );
    let calls = Secret.calls("jwt", None, Some(&declared));
    let shown = serde_json::to_string(&calls).unwrap();
    assert!(shown.contains(r#""generate":{"bytes":64,"encoding":"base64"}"#));
}

#[test]
fn a_delete_leaves_the_declared_window() {
    let short = Spec {
        recovery_window_in_days: Aside(7),
        ..secret()
    };
    assert!(
        Secret.calls("jwt", Some(&short), None)
            == [Call::Delete {
                recovery_window_in_days: 7
            }]
    );
}

use proptest::prelude::*;

use super::*;
use crate::config::EncryptionType;
use crate::kind::RefusalCause;
use crate::kinds::tests::lead;
use crate::policy::PolicyKind;

const OWNER: &str = "back-end@us-east-2";
const LIFECYCLE: &str = r#"{"rules": [{"rulePriority": 1, "action": {"type": "expire"}}]}"#;

fn document(principal: &str) -> Document {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"ecr:BatchGetImage"}}]}}"#
    );
    Document::parse(&text, PolicyKind::Resource).unwrap()
}

/// A repository as most are.
pub(in crate::kinds) fn repository() -> Spec {
    Spec {
        owner: Some(OWNER.to_owned()),
        image_tag_mutability: TagMutability::Mutable,
        mutability_exclusions: Vec::new(),
        lifecycle_policy: None,
        policy: None,
        encryption: Encryption {
            r#type: EncryptionType::Aes256,
            key: None,
        },
        tags: Tags::new(),
        force_delete: Aside(false),
        holds_images: Aside(false),
    }
}

fn any_repository() -> impl Strategy<Value = Spec> {
    let mutability = prop::sample::select(TagMutability::ALL);
    let lifecycle = prop::option::of(prop::sample::select(vec![LIFECYCLE, "{\"rules\": []}"]));
    let account = prop::option::of(prop::sample::select(vec!["111122223333", "444455556666"]));
    let tags = prop::collection::btree_map("[a-c]", "[x-y]", 0..3);
    (mutability, lifecycle, account, tags).prop_map(|(mutability, lifecycle, account, tags)| Spec {
        image_tag_mutability: mutability,
        lifecycle_policy: lifecycle.map(JsonText::new),
        policy: account.map(document),
        tags,
        ..repository()
    })
}

proptest! {
    #[test]
    fn calls_lead_from_before_to_after(
        before in prop::option::of(any_repository()),
        after in prop::option::of(any_repository()),
        adopted: bool,
    ) {
        let before = before.map(|spec| Spec {
            owner: spec.owner.filter(|_| !(adopted && after.is_some())),
            ..spec
        });
        lead(&Repository, before.as_ref(), after.as_ref());
    }
}

#[test]
fn a_lifecycle_policy_that_is_spelt_otherwise_is_kept() {
    let live = Spec {
        lifecycle_policy: Some(JsonText::new(
            r#"{"rules":[{"action":{"type":"expire"},"rulePriority":1}]}"#,
        )),
        ..repository()
    };
    let desired = Spec {
        lifecycle_policy: Some(JsonText::new(LIFECYCLE)),
        ..repository()
    };
    let goal = Repository.keep(desired, Some(&live));
    let text = |spec: &Spec| spec.lifecycle_policy.as_ref().unwrap().text().to_owned();
    assert_eq!(text(&goal), text(&live));
    assert!(Repository.calls("web", Some(&live), Some(&goal)).is_empty());
}

#[test]
fn encryption_is_fixed_but_aws_own_key_is_no_difference() {
    let kms = |key: Option<&str>| Spec {
        encryption: Encryption {
            r#type: EncryptionType::Kms,
            key: key.map(str::to_owned),
        },
        ..repository()
    };
    let live = kms(Some("arn:aws:kms:us-east-2:1:key/0a"));
    assert!(Repository.keep(kms(None), Some(&live)) == live);
    assert!(Repository.keep(kms(Some("0a")), Some(&live)) == live);
    let calls = Repository.calls("web", Some(&repository()), Some(&live));
    let refused = Repository.effect(Some(repository()), &calls[0]);
    assert_eq!(refused.err().unwrap().cause, RefusalCause::Immutable);
}

#[test]
fn images_block_a_delete_that_does_not_take_them() {
    let full = |force| Spec {
        holds_images: Aside(true),
        force_delete: Aside(force),
        ..repository()
    };
    let delete = |spec: Spec| {
        let calls = Repository.calls("web", Some(&spec), None);
        Repository.effect(Some(spec), &calls[0])
    };
    let refused = delete(full(false)).err().unwrap();
    assert_eq!(refused.cause, RefusalCause::Blocked);
    assert!(delete(full(true)) == Ok(None));
}

#[test]
fn a_policy_refers_to_the_roles_that_it_names() {
    let spec = Spec {
        policy: Some(document("arn:aws:iam::111122223333:role/ci/Push")),
        ..repository()
    };
    assert_eq!(Repository.refers(&spec), [Address::new("role", "Push")]);
}

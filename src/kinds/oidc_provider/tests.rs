use proptest::prelude::*;

use super::*;
use crate::kind::RefusalCause;
use crate::kinds::tests::lead;

const OWNER: &str = "back-end@us-east-2";

fn set(items: &[&str]) -> BTreeSet<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

fn provider(client_ids: &[&str]) -> Spec {
    Spec {
        owner: Some(OWNER.to_owned()),
        client_ids: set(client_ids),
        thumbprints: Some(set(&["aa"])),
        tags: Tags::new(),
        trusting: Aside::default(),
    }
}

proptest! {
    #[test]
    fn calls_lead_from_before_to_after(
        before in prop::collection::btree_set("[a-d]", 0..4),
        after in prop::collection::btree_set("[a-d]", 0..4),
        tags in prop::collection::btree_map("[a-b]", "[x-y]", 0..3),
    ) {
        let before = Spec { client_ids: before, ..provider(&[]) };
        let after = Spec { client_ids: after, tags, thumbprints: Some(set(&["bb"])), ..provider(&[]) };
        lead(&OidcProvider, Some(&before), Some(&after));
        lead(&OidcProvider, None, Some(&after));
        lead(&OidcProvider, Some(&before), None);
    }
}

#[test]
fn one_without_our_mark_is_used_not_adopted() {
    for owner in [None, Some("other@us-east-1".to_owned())] {
        let live = Spec {
            owner: owner.clone(),
            tags: Tags::from([("team".to_owned(), "theirs".to_owned())]),
            ..provider(&["theirs"])
        };
        let mut desired = provider(&["sts.amazonaws.com"]);
        desired.tags.insert("team".to_owned(), "ours".to_owned());
        desired.thumbprints = Some(set(&["cc"]));
        let goal = OidcProvider.keep(desired, Some(&live));
        let calls = OidcProvider.calls("host", Some(&live), Some(&goal));
        assert_eq!(
            calls,
            [Call::AddClientId {
                client_id: "sts.amazonaws.com".to_owned(),
                unmarked: owner.is_none(),
            }]
        );
    }
}

#[test]
fn adding_to_an_unmarked_one_is_a_hazard() {
    let call = |unmarked| Call::AddClientId {
        client_id: "a".to_owned(),
        unmarked,
    };
    assert_eq!(OidcProvider.hazards(&call(true)), [Hazard::Foreign]);
    assert!(OidcProvider.hazards(&call(false)).is_empty());
}

#[test]
fn thumbprints_are_left_alone_unless_given() {
    let live = provider(&["a"]);
    let desired = Spec {
        thumbprints: None,
        ..provider(&["a"])
    };
    assert_eq!(OidcProvider.keep(desired, Some(&live)), live);
}

#[test]
fn it_stays_while_a_role_outside_the_plan_trusts_it() {
    let spec = Spec {
        trusting: Aside(vec!["legacy".to_owned()]),
        ..provider(&["a"])
    };
    let refusal = OidcProvider.effect(Some(spec), &Call::Delete).unwrap_err();
    assert_eq!(refusal.cause, RefusalCause::Blocked);
    assert!(refusal.message.contains("legacy"));
}

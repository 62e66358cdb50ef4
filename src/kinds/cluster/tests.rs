use proptest::prelude::*;

use super::*;
use crate::kind::RefusalCause;
use crate::kinds::tests::lead;

fn cluster() -> Spec {
    Spec {
        owner: Some("back-end@us-east-2".to_owned()),
        container_insights: None,
        capacity_providers: None,
        default_capacity_provider_strategy: None,
        tags: Tags::new(),
        others: Aside::default(),
    }
}

fn item(provider: &str) -> CapacityProviderStrategyItem {
    CapacityProviderStrategyItem {
        capacity_provider: provider.to_owned(),
        weight: 1,
        base: 0,
    }
}

fn any_cluster() -> impl Strategy<Value = Spec> {
    let insights = prop::sample::select(ContainerInsights::ALL);
    let providers = prop::sample::select(vec!["FARGATE", "FARGATE_SPOT"]);
    let tags = prop::collection::btree_map("[a-c]", "[x-y]", 0..3);
    (insights, providers, tags).prop_map(|(insights, provider, tags)| Spec {
        container_insights: Some(insights),
        capacity_providers: Some(vec![provider.to_owned()]),
        default_capacity_provider_strategy: Some(vec![item(provider)]),
        tags,
        ..cluster()
    })
}

proptest! {
    #[test]
    fn calls_lead_from_before_to_after(
        before in prop::option::of(any_cluster()),
        after in prop::option::of(any_cluster()),
        adopted: bool,
    ) {
        let before = before.map(|spec| Spec {
            owner: spec.owner.filter(|_| !(adopted && after.is_some())),
            ..spec
        });
        lead(&Cluster, before.as_ref(), after.as_ref());
    }
}

#[test]
fn providers_and_strategy_change_in_one_request() {
    let with = |provider: &str| Spec {
        capacity_providers: Some(vec![provider.to_owned()]),
        default_capacity_provider_strategy: Some(vec![item(provider)]),
        ..cluster()
    };
    let calls = Cluster.calls("one", Some(&with("FARGATE")), Some(&with("FARGATE_SPOT")));
    assert!(matches!(
        calls.as_slice(),
        [Call::PutCapacityProviders { .. }]
    ));
}

#[test]
fn what_others_have_in_it_blocks_a_delete() {
    let shared = Spec {
        others: Aside(vec!["service billing".to_owned()]),
        ..cluster()
    };
    let refused = Cluster.effect(Some(shared), &Call::Delete).err().unwrap();
    assert_eq!(refused.cause, RefusalCause::Blocked);
    assert!(refused.message.contains("service billing"));
}

//! Random worlds of policies and roles with boundaries and Denies: every state on the way is judged
//! request by request, by an evaluation of its own, and from each of them the next plan goes on.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::config::Tags;
use crate::error::ErrorKind;
use crate::kind::AnySpec;
use crate::kinds::Aside;
use crate::plan::{Input, plan};
use crate::policy::{Effect, PolicyKind};

const MARK: &str = "back-end@us-east-2";
const ACCOUNT: &str = "arn:aws:iam::123456789012";
const POLICIES: [&str; 3] = ["p", "q", "r"];
const ROLES: [&str; 2] = ["one", "two"];
const SERVICES: [&str; 2] = ["ecs-tasks.amazonaws.com", "lambda.amazonaws.com"];
const ACTIONS: [&str; 3] = ["s3:GetObject", "ecr:PutImage", "logs:PutLogEvents"];

/// Which of `ACTIONS` a document allows and denies, as bits.
type Rules = (u8, u8);

fn set(bits: u8) -> impl Iterator<Item = &'static str> {
    ACTIONS
        .into_iter()
        .enumerate()
        .filter(move |(at, _)| bits & (1 << at) != 0)
        .map(|(_, action)| action)
}

fn document((allows, denies): Rules) -> Document {
    let one = |effect: &str, action: &str| serde_json::json!({"Effect": effect, "Action": action, "Resource": "*"});
    let mut statements: Vec<_> = set(allows).map(|action| one("Allow", action)).collect();
    statements.extend(set(denies).map(|action| one("Deny", action)));
    if statements.is_empty() {
        statements.push(one("Deny", "sqs:SendMessage"));
    }
    let text = serde_json::json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    Document::parse(&text, PolicyKind::Identity).unwrap()
}

fn trust(bits: u8) -> Document {
    let services: Vec<&str> = SERVICES
        .into_iter()
        .enumerate()
        .filter(|(at, _)| bits & (1 << at) != 0)
        .map(|(_, service)| service)
        .collect();
    let text = serde_json::json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": services}
    }]});
    Document::parse(&text.to_string(), PolicyKind::Trust).unwrap()
}

fn arn(name: &str) -> String {
    format!("{ACCOUNT}:policy/{name}")
}

fn rules() -> impl Strategy<Value = Rules> {
    (0u8..8, prop_oneof![3 => Just(0u8), 1 => 0u8..8])
}

fn role() -> impl Strategy<Value = role::Spec> {
    (
        1u8..4,
        prop::collection::btree_set(prop::sample::select(POLICIES.to_vec()), 0..3),
        prop::option::weighted(0.3, prop::sample::select(POLICIES.to_vec())),
        prop::option::weighted(0.5, rules()),
    )
        .prop_map(|(trusted, attached, boundary, inline)| role::Spec {
            owner: Some(MARK.to_owned()),
            path: "/".to_owned(),
            description: None,
            max_session_duration: 3600,
            trust_policy: trust(trusted),
            permissions_boundary: boundary.map(arn),
            managed_policies: attached.into_iter().map(arn).collect(),
            inline_policies: inline
                .map(|rules| BTreeMap::from([("main".to_owned(), document(rules))]))
                .unwrap_or_default(),
            tags: Tags::new(),
            arn: Aside(String::new()),
            instance_profiles: Aside::default(),
            most_policies: Aside::default(),
        })
}

fn world() -> impl Strategy<Value = Snapshot> {
    (
        [rules(), rules(), rules()],
        [
            prop::option::weighted(0.8, role()),
            prop::option::weighted(0.8, role()),
        ],
    )
        .prop_map(|(policies, roles)| {
            let policies = POLICIES.iter().zip(policies).map(|(name, rules)| {
                let spec = policy::Spec {
                    owner: Some(MARK.to_owned()),
                    path: "/".to_owned(),
                    description: None,
                    document: document(rules),
                    tags: Tags::new(),
                    arn: Aside(arn(name)),
                    others: Aside::default(),
                };
                (Address::new("policy", *name), AnySpec::new(spec))
            });
            let roles = ROLES.iter().zip(roles).filter_map(|(name, spec)| {
                Some((Address::new("role", *name), AnySpec::new(spec?)))
            });
            let all: Vec<_> = policies.chain(roles).collect();
            all.into_iter().collect()
        })
}

/// Every (role, service, action) that the world allows.
fn allowed(world: &Snapshot) -> BTreeSet<(&'static str, &'static str, &'static str)> {
    let mut all = BTreeSet::new();
    for name in ROLES {
        let Some(spec) = world.spec::<role::Spec>(&Address::new("role", name)) else {
            continue;
        };
        let managed = |arn: &String| {
            let name = arn.rsplit('/').next().unwrap();
            let policy = world.spec::<policy::Spec>(&Address::new("policy", name));
            &policy.unwrap().document
        };
        let own: Vec<&Document> = spec
            .managed_policies
            .iter()
            .map(managed)
            .chain(spec.inline_policies.values())
            .collect();
        let boundary = spec.permissions_boundary.as_ref().map(managed);
        let says = |document: &Document, effect: Effect, action: &str| {
            document.statements().iter().any(|statement| {
                statement.effect == effect
                    && (statement.actions.list.iter()).any(|one| one == action || one == "*")
            })
        };
        for action in ACTIONS {
            let denied = own
                .iter()
                .chain(boundary.iter())
                .any(|document| says(document, Effect::Deny, action));
            let granted = own
                .iter()
                .any(|document| says(document, Effect::Allow, action))
                && boundary.is_none_or(|document| says(document, Effect::Allow, action));
            for service in SERVICES {
                let text = spec.trust_policy.canonical();
                if granted && !denied && text.contains(service) {
                    all.insert((name, service, action));
                }
            }
        }
    }
    all
}

fn check(live: &Snapshot, desired: &Snapshot, depth: usize) -> Result<(), TestCaseError> {
    let law = IamLaw::default();
    let input = Input {
        kinds: KINDS,
        law: &law,
        desired,
        live,
        mark: MARK,
        runner: None,
        interrupts: false,
    };
    let plan = match plan(&input) {
        Ok(plan) => plan,
        Err(error) if error.kind == ErrorKind::Refused && depth == 0 => return Ok(()),
        Err(error) => return Err(TestCaseError::fail(format!("{error:?}"))),
    };
    let (before, after) = (allowed(live), allowed(&plan.goal));
    let mut now = live.clone();
    for step in &plan.steps {
        let kind = KINDS
            .iter()
            .find(|kind| kind.name() == step.address.kind)
            .unwrap();
        let next = kind.effect(now.get(&step.address), &step.call).unwrap();
        now.set(&step.address, next);
        let during = allowed(&now);
        let extra: Vec<_> = during
            .iter()
            .filter(|one| !before.contains(*one) && !after.contains(*one))
            .collect();
        let missing: Vec<_> = before
            .intersection(&after)
            .filter(|one| !during.contains(*one))
            .collect();
        prop_assert!(
            extra.is_empty(),
            "wider: {extra:?} after {} {:?}",
            step.address,
            step.call
        );
        prop_assert!(
            missing.is_empty(),
            "gap: {missing:?} after {} {:?}",
            step.address,
            step.call
        );
        if depth == 0 {
            check(&now, desired, 1)?;
        }
    }
    prop_assert!(now == plan.goal);
    Ok(())
}

/// As many as fit in a few seconds; `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    let asked = std::env::var("PROPTEST_CASES").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn no_state_on_the_way_is_wider_or_lacks_anything(live in world(), desired in world()) {
        check(&live, &desired, 0)?;
    }
}

//! The plan on a toy world: policies that are sets of permissions, roles that have policies
//! attached. Small enough for an oracle of its own, rich enough for swaps, moves and renames.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde::Serialize;

use super::*;
use crate::aws::Aws;
use crate::config::Config;
use crate::kind::{Kind, Owned, Performed, Scope};

mod odd;
mod order;

const MARK: &str = "toy@here";

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Grants {
    owner: Option<String>,
    permissions: BTreeSet<u8>,
    #[serde(skip)]
    held: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Member {
    owner: Option<String>,
    attached: BTreeSet<String>,
    path: u8,
}

impl Owned for Grants {
    fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }
}

impl Owned for Member {
    fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
enum PolicyCall {
    Create(BTreeSet<u8>),
    Tag,
    Set(BTreeSet<u8>),
    Delete,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
enum RoleCall {
    Create,
    Tag,
    Move(u8),
    Attach(String),
    Detach(String),
    Delete,
}

struct ToyPolicy;
struct ToyRole;

fn mark() -> String {
    MARK.to_owned()
}

fn absent<T>(spec: Option<T>) -> Result<T, Refusal> {
    spec.ok_or_else(|| Refusal::not_yet("It is not there yet."))
}

impl Kind for ToyPolicy {
    const NAME: &'static str = "policy";
    type Spec = Grants;
    type Call = PolicyCall;

    fn declare(&self, _: &Config) -> BTreeMap<String, Grants> {
        BTreeMap::new()
    }

    async fn observe(&self, _: &Aws, _: &Scope) -> Result<BTreeMap<String, Grants>> {
        Ok(BTreeMap::new())
    }

    fn keep(&self, desired: Grants, live: Option<&Grants>) -> Grants {
        Grants {
            held: live.is_some_and(|live| live.held),
            ..desired
        }
    }

    fn calls(&self, _: &str, before: Option<&Grants>, after: Option<&Grants>) -> Vec<PolicyCall> {
        let mut calls = Vec::new();
        match (before, after) {
            (None, Some(after)) => calls.push(PolicyCall::Create(after.permissions.clone())),
            (Some(_), None) => calls.push(PolicyCall::Delete),
            (Some(before), Some(after)) => {
                if before.owner != after.owner {
                    calls.push(PolicyCall::Tag);
                }
                if before.permissions != after.permissions {
                    calls.push(PolicyCall::Set(after.permissions.clone()));
                }
            }
            (None, None) => {}
        }
        calls
    }

    fn detours(
        &self,
        _: &str,
        before: Option<&Grants>,
        after: Option<&Grants>,
    ) -> Vec<Vec<PolicyCall>> {
        let (Some(before), Some(after)) = (before, after) else {
            return Vec::new();
        };
        let both = before
            .permissions
            .union(&after.permissions)
            .copied()
            .collect();
        vec![vec![
            PolicyCall::Set(both),
            PolicyCall::Set(after.permissions.clone()),
        ]]
    }

    fn effect(&self, spec: Option<Grants>, call: &PolicyCall) -> Result<Option<Grants>, Refusal> {
        match call {
            PolicyCall::Create(permissions) => Ok(Some(Grants {
                owner: Some(mark()),
                permissions: permissions.clone(),
                held: false,
            })),
            PolicyCall::Tag => Ok(Some(Grants {
                owner: Some(mark()),
                ..absent(spec)?
            })),
            PolicyCall::Set(permissions) => Ok(Some(Grants {
                permissions: permissions.clone(),
                ..absent(spec)?
            })),
            PolicyCall::Delete if spec.is_some_and(|spec| spec.held) => {
                Err(Refusal::blocked("It is attached to a role of others.")
                    .hint("Detach it there."))
            }
            PolicyCall::Delete => Ok(None),
        }
    }

    async fn perform(&self, _: &Aws, _: &Scope, _: &str, _: &PolicyCall) -> Result<Performed> {
        Ok(Performed::default())
    }
}

impl Kind for ToyRole {
    const NAME: &'static str = "role";
    type Spec = Member;
    type Call = RoleCall;

    fn declare(&self, _: &Config) -> BTreeMap<String, Member> {
        BTreeMap::new()
    }

    async fn observe(&self, _: &Aws, _: &Scope) -> Result<BTreeMap<String, Member>> {
        Ok(BTreeMap::new())
    }

    fn calls(&self, _: &str, before: Option<&Member>, after: Option<&Member>) -> Vec<RoleCall> {
        let mut calls = Vec::new();
        let none = BTreeSet::new();
        let attached = before.map_or(&none, |before| &before.attached);
        let wanted = after.map_or(&none, |after| &after.attached);
        match (before, after) {
            (None, Some(_)) => calls.push(RoleCall::Create),
            (Some(before), Some(after)) if before.owner != after.owner => calls.push(RoleCall::Tag),
            _ => {}
        }
        if let (Some(before), Some(after)) = (before, after)
            && before.path != after.path
        {
            calls.push(RoleCall::Move(after.path));
        }
        calls.extend(wanted.difference(attached).cloned().map(RoleCall::Attach));
        calls.extend(attached.difference(wanted).cloned().map(RoleCall::Detach));
        if after.is_none() {
            calls.push(RoleCall::Delete);
        }
        calls
    }

    fn effect(&self, spec: Option<Member>, call: &RoleCall) -> Result<Option<Member>, Refusal> {
        let mut member = match (spec, call) {
            (_, RoleCall::Create) => Member {
                owner: None,
                attached: BTreeSet::new(),
                path: 0,
            },
            (spec, _) => absent(spec)?,
        };
        match call {
            RoleCall::Create | RoleCall::Tag => member.owner = Some(mark()),
            RoleCall::Move(_) => return Err(Refusal::immutable("The path cannot change.")),
            RoleCall::Attach(name) => {
                member.attached.insert(name.clone());
            }
            RoleCall::Detach(name) => {
                member.attached.remove(name);
            }
            RoleCall::Delete if !member.attached.is_empty() => {
                return Err(Refusal::not_yet("Policies are attached."));
            }
            RoleCall::Delete => return Ok(None),
        }
        Ok(Some(member))
    }

    fn refers(&self, spec: &Member) -> Vec<Address> {
        spec.attached
            .iter()
            .map(|name| Address::new("policy", name))
            .collect()
    }

    async fn perform(&self, _: &Aws, _: &Scope, _: &str, _: &RoleCall) -> Result<Performed> {
        Ok(Performed::default())
    }
}

/// What a role may do in this world.
fn permissions(world: &Snapshot, role: &Address) -> BTreeSet<u8> {
    let attached = world
        .spec::<Member>(role)
        .map(|role| role.attached.clone())
        .unwrap_or_default();
    attached
        .iter()
        .filter_map(|name| world.spec::<Grants>(&Address::new("policy", name)))
        .flat_map(|policy| policy.permissions.iter().copied())
        .collect()
}

struct ToyLaw;

impl Law for ToyLaw {
    fn subjects(&self, world: &Snapshot, address: &Address) -> Vec<Address> {
        match address.kind.as_str() {
            "role" => vec![address.clone()],
            _ => world
                .iter()
                .filter(|(_, spec)| {
                    spec.get::<Member>()
                        .is_some_and(|role| role.attached.contains(&address.name))
                })
                .map(|(role, _)| role.clone())
                .collect(),
        }
    }

    fn holds(
        &self,
        subject: &Address,
        before: &Snapshot,
        after: &Snapshot,
        goal: &Snapshot,
    ) -> Result<(), Refusal> {
        let [before, after, goal] = [before, after, goal].map(|world| permissions(world, subject));
        if after
            .iter()
            .any(|one| !before.contains(one) && !goal.contains(one))
        {
            return Err(Refusal::new(
                RefusalCause::Wider,
                format!("{subject} would gain too much."),
            ));
        }
        if before
            .iter()
            .any(|one| !after.contains(one) && goal.contains(one))
        {
            return Err(Refusal::new(
                RefusalCause::Gap,
                format!("{subject} would lose what it keeps."),
            ));
        }
        Ok(())
    }

    fn broadens(&self, subject: &Address, before: &Snapshot, after: &Snapshot) -> bool {
        !permissions(after, subject).is_subset(&permissions(before, subject))
    }

    fn access(&self, _: &Address, _: &Snapshot, _: &Snapshot) -> Option<AccessChange> {
        None
    }
}

const TOYS: &[&dyn AnyKind] = &[&ToyPolicy, &ToyRole];

pub(super) fn input<'a>(desired: &'a Snapshot, live: &'a Snapshot) -> Input<'a> {
    Input {
        kinds: TOYS,
        law: &ToyLaw,
        desired,
        live,
        mark: MARK,
        runner: None,
        interrupts: false,
    }
}

pub(super) fn policy(permissions: &[u8]) -> AnySpec {
    let permissions = permissions.iter().copied().collect();
    AnySpec::new(Grants {
        owner: Some(mark()),
        permissions,
        held: false,
    })
}

pub(super) fn role(attached: &[&str]) -> AnySpec {
    let attached = attached.iter().map(|name| (*name).to_owned()).collect();
    AnySpec::new(Member {
        owner: Some(mark()),
        attached,
        path: 0,
    })
}

pub(super) fn world(specs: Vec<(&str, AnySpec)>) -> Snapshot {
    specs
        .into_iter()
        .map(|(address, spec)| (Address::parse(address).unwrap(), spec))
        .collect()
}

fn calls(plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .map(|step| format!("{} {}", step.address, step.call.json()))
        .collect()
}

#[test]
fn what_is_needed_comes_first_and_deletes_come_last_in_reverse() {
    let live = world(vec![
        ("policy/old", policy(&[1])),
        ("role/old", role(&["old"])),
    ]);
    let desired = world(vec![
        ("policy/new", policy(&[2])),
        ("role/new", role(&["new"])),
    ]);
    let plan = plan(&input(&desired, &live)).unwrap();
    assert_eq!(
        calls(&plan),
        [
            "policy/new {\"Create\":[2]}",
            "role/new \"Create\"",
            "role/new {\"Attach\":\"new\"}",
            "role/old {\"Detach\":\"old\"}",
            "role/old \"Delete\"",
            "policy/old \"Delete\"",
        ]
    );
    let verbs: Vec<_> = plan
        .actions
        .iter()
        .map(|action| (action.address.to_string(), action.verb()))
        .collect();
    assert_eq!(
        verbs,
        [
            ("policy/new".to_owned(), Verb::Create),
            ("role/new".to_owned(), Verb::Create),
            ("role/old".to_owned(), Verb::Delete),
            ("policy/old".to_owned(), Verb::Delete),
        ]
    );
    assert_eq!(plan.hazards(), BTreeSet::from([Hazard::Deletes]));
}

#[test]
fn two_policies_that_swap_go_by_way_of_what_both_held() {
    let live = world(vec![
        ("policy/a", policy(&[1])),
        ("policy/b", policy(&[2])),
        ("role/r", role(&["a", "b"])),
    ]);
    let desired = world(vec![
        ("policy/a", policy(&[2])),
        ("policy/b", policy(&[1])),
        ("role/r", role(&["a", "b"])),
    ]);
    let plan = plan(&input(&desired, &live)).unwrap();
    assert_eq!(
        calls(&plan),
        [
            "policy/a {\"Set\":[1,2]}",
            "policy/b {\"Set\":[1]}",
            "policy/a {\"Set\":[2]}"
        ]
    );
    assert!(
        plan.hazards().is_empty(),
        "the role's access is the same at every moment"
    );
}

#[test]
fn without_a_lawful_order_it_is_refused_or_marked_as_an_interruption() {
    // A law under which nothing may ever change hands: every step of the swap is a gap.
    struct Strict;
    impl Law for Strict {
        fn subjects(&self, world: &Snapshot, address: &Address) -> Vec<Address> {
            ToyLaw.subjects(world, address)
        }
        fn holds(
            &self,
            _: &Address,
            before: &Snapshot,
            after: &Snapshot,
            _: &Snapshot,
        ) -> Result<(), Refusal> {
            if before == after {
                Ok(())
            } else {
                Err(Refusal::new(
                    RefusalCause::Gap,
                    "role/r would lose something.",
                ))
            }
        }
        fn broadens(&self, _: &Address, _: &Snapshot, _: &Snapshot) -> bool {
            false
        }
        fn access(&self, _: &Address, _: &Snapshot, _: &Snapshot) -> Option<AccessChange> {
            None
        }
    }
    let live = world(vec![("policy/a", policy(&[1])), ("role/r", role(&["a"]))]);
    let desired = world(vec![("policy/a", policy(&[2])), ("role/r", role(&["a"]))]);
    let refused = plan(&Input {
        law: &Strict,
        ..input(&desired, &live)
    })
    .unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Refused);
    assert!(refused.message.contains("role/r"), "{refused}");
    let plan = plan(&Input {
        law: &Strict,
        interrupts: true,
        ..input(&desired, &live)
    })
    .unwrap();
    assert_eq!(plan.hazards(), BTreeSet::from([Hazard::Interrupts]));
}

#[test]
fn ownership_is_a_hazard() {
    let unmarked = AnySpec::new(Grants {
        owner: None,
        permissions: BTreeSet::from([1]),
        held: false,
    });
    let others = AnySpec::new(Grants {
        owner: Some("other@here".into()),
        permissions: BTreeSet::from([1]),
        held: false,
    });
    let desired = world(vec![("policy/a", policy(&[1])), ("policy/b", policy(&[1]))]);
    let live = world(vec![("policy/a", unmarked.clone()), ("policy/b", others)]);
    let plan_of_both = plan(&input(&desired, &live)).unwrap();
    let hazards: Vec<_> = plan_of_both
        .actions
        .iter()
        .map(|action| action.hazards.clone())
        .collect();
    assert_eq!(
        hazards,
        [
            BTreeSet::from([Hazard::Adopts]),
            BTreeSet::from([Hazard::Foreign])
        ]
    );
    let nothing = plan(&input(
        &Snapshot::new(),
        &world(vec![("policy/a", unmarked)]),
    ))
    .unwrap();
    assert!(
        nothing.is_empty(),
        "what does not carry our mark is never deleted"
    );
}

#[test]
fn what_aws_would_refuse_is_refused_before_any_write() {
    let held = AnySpec::new(Grants {
        owner: Some(mark()),
        permissions: BTreeSet::from([1]),
        held: true,
    });
    let error = plan(&input(&Snapshot::new(), &world(vec![("policy/a", held)]))).unwrap_err();
    assert_eq!(
        (error.kind, error.address.as_deref()),
        (ErrorKind::Refused, Some("policy/a"))
    );
    assert_eq!(error.hint.as_deref(), Some("Detach it there."));

    let moved = AnySpec::new(Member {
        owner: Some(mark()),
        attached: BTreeSet::new(),
        path: 1,
    });
    let error = plan(&input(
        &world(vec![("role/r", moved)]),
        &world(vec![("role/r", role(&[]))]),
    ))
    .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config);
}

#[test]
fn a_creation_left_half_done_is_finished_without_a_hazard() {
    let desired = world(vec![
        ("policy/a", policy(&[1])),
        ("policy/b", policy(&[2])),
        ("role/r", role(&["a", "b"])),
    ]);
    let half = world(vec![
        ("policy/a", policy(&[1])),
        ("policy/b", policy(&[2])),
        ("role/r", role(&["a"])),
    ]);
    assert!(plan(&input(&desired, &half)).unwrap().hazards().is_empty());
    let other = world(vec![
        ("policy/a", policy(&[1])),
        ("policy/b", policy(&[2])),
        ("role/r", role(&["b"])),
    ]);
    assert_eq!(
        plan(&input(&desired, &other)).unwrap().hazards(),
        BTreeSet::from([Hazard::Broadens])
    );
}

#[test]
fn calls_on_the_role_of_the_run_come_last() {
    let live = world(vec![
        ("policy/a", policy(&[1, 2])),
        ("role/own", role(&["a"])),
        ("role/z", role(&[])),
    ]);
    let desired = world(vec![
        ("policy/a", policy(&[1])),
        ("policy/b", policy(&[3])),
        ("role/own", role(&["a"])),
        ("role/z", role(&["b"])),
    ]);
    let own = Address::new("role", "own");
    let plan = plan(&Input {
        runner: Some(&own),
        ..input(&desired, &live)
    })
    .unwrap();
    assert_eq!(
        calls(&plan).last().map(String::as_str),
        Some("policy/a {\"Set\":[1]}")
    );
    assert!(plan.steps.last().unwrap().last);
    assert_eq!(plan.notes.len(), 1);
}

fn worlds() -> impl Strategy<Value = Snapshot> {
    let policies =
        prop::collection::btree_map("[abcd]", prop::collection::btree_set(0..5_u8, 0..4), 0..4);
    let roles =
        prop::collection::btree_map("[rst]", prop::collection::btree_set("[abcd]", 0..4), 0..3);
    (policies, roles).prop_map(|(policies, roles)| {
        let mut world = Snapshot::new();
        for (name, attached) in roles {
            let attached = attached
                .into_iter()
                .filter(|policy| policies.contains_key(policy))
                .collect();
            let spec = AnySpec::new(Member {
                owner: Some(mark()),
                attached,
                path: 0,
            });
            world.set(&Address::new("role", name), Some(spec));
        }
        for (name, permissions) in policies {
            let spec = AnySpec::new(Grants {
                owner: Some(mark()),
                permissions,
                held: false,
            });
            world.set(&Address::new("policy", name), Some(spec));
        }
        world
    })
}

/// Every state between the steps: within before ∪ goal, never without before ∩ goal; and from each
/// of them a new plan leads to the goal.
fn check_every_prefix(live: &Snapshot, desired: &Snapshot) -> Result<(), TestCaseError> {
    let first = match plan(&input(desired, live)) {
        Ok(plan) => plan,
        Err(error) if error.kind == ErrorKind::Refused => return Ok(()),
        Err(error) => return Err(TestCaseError::fail(error.to_string())),
    };
    let mut world = live.clone();
    for step in &first.steps {
        let kind = kind_of(TOYS, &step.address.kind).unwrap();
        let after = kind.effect(world.get(&step.address), &step.call).unwrap();
        world.set(&step.address, after);
        for (role, _) in world.iter().filter(|(address, _)| address.kind == "role") {
            let now = permissions(&world, role);
            let [before, goal] = [live, desired].map(|world| permissions(world, role));
            prop_assert!(
                now.iter()
                    .all(|one| before.contains(one) || goal.contains(one))
            );
            prop_assert!(before.intersection(&goal).all(|one| now.contains(one)));
        }
        let resumed = plan(&input(desired, &world));
        prop_assert!(
            resumed.is_ok(),
            "no plan from a prefix: {:?}",
            resumed.err()
        );
    }
    prop_assert_eq!(&world, desired);
    prop_assert!(plan(&input(desired, &world)).unwrap().is_empty());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_prefix_of_a_plan_is_lawful_and_can_be_resumed(live in worlds(), desired in worlds()) {
        check_every_prefix(&live, &desired)?;
    }
}

//! The plan alone, without the SDK: random worlds before and after, every state between two steps,
//! and a new plan from each. Most worlds are judged by a law that counts bits, so that hundreds of
//! thousands can be tried; some by the law of IAM itself.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use provision::error::ErrorKind;
use provision::kind::{AccessChange, Address, AnySpec, Law, Refusal, RefusalCause, Snapshot};
use provision::kinds::law::{self, IamLaw};
use provision::kinds::{KINDS, policy, role};
use provision::plan::{Input, Plan, kind_of, plan};
use provision::policy::{Document, Effect};

use super::{Case, Push, Random, Sweep, seed};
use crate::chance;
use crate::drive::Declared;
use crate::journey::Bench;
use crate::records::MARK;
use crate::roads::Roads;

pub(super) const SWEEP: Sweep = Sweep {
    name: "plan",
    title: "the plan alone: random worlds, every prefix, and a new plan from each; 1,000 worlds a case",
    // 148,000 worlds, with the states between their steps 810,000.
    push: Push::About(148),
    cases,
};

/// Worlds in all, in cases of so many; of each case this many are judged by the law of IAM itself,
/// which takes some milliseconds a step.
const WORLDS: u64 = 800_000;
const WORLDS_OF_A_CASE: u64 = 1_000;
const UNDER_IAM: u64 = 2;
/// Configurations that the worlds are mixed from.
const POOL: usize = 150;
/// Of ten thousand edited worlds, those that may need `--allow interrupts`: half a percent.
const MOST_INTERRUPTING: u64 = 50;

/// For each address, the specs that stand there in some configuration.
type Pool = BTreeMap<Address, Vec<AnySpec>>;

fn cases(_: &Roads) -> Vec<Case> {
    let mut random = Random(seed("pool"));
    let mut pool = Pool::new();
    for _ in 0..POOL {
        let declared = Declared::of(chance::config(&mut random));
        for (address, spec) in declared.desired.iter() {
            let specs = pool.entry(address.clone()).or_default();
            if !specs.contains(spec) {
                specs.push(spec.clone());
            }
        }
    }
    let pool = Arc::new(pool);
    (0..WORLDS / WORLDS_OF_A_CASE)
        .map(|number| {
            let pool = pool.clone();
            let key = format!("plan/{number}");
            Case::new(key, move |bench| {
                let pool = pool.clone();
                Box::pin(async move { worlds(bench, &pool, number) })
            })
        })
        .collect()
}

fn worlds(bench: &Bench, pool: &Pool, number: u64) -> Vec<String> {
    let mut random = Random(seed(&format!("plan/{number}")));
    let mut tally = Tally::default();
    let mut broken = Vec::new();
    for world in 0..WORLDS_OF_A_CASE {
        let live = mixed(pool, &mut random);
        // Every other world is one that somebody edited, as people do; the rest are unlike.
        let edits = world % 2 == 0;
        let desired = if edits {
            edited(&live, pool, &mut random)
        } else {
            mixed(pool, &mut random)
        };
        tally.under_iam = world < UNDER_IAM;
        if let Err(why) = check(&live, &desired, edits, &mut tally) {
            broken.push(format!("world {world}: {why}"));
        }
    }
    let counts = [
        ("5 never wider", tally.judged),
        ("6 never narrower", tally.judged),
        ("4 always owned", tally.steps),
        ("1 settles", tally.resumed),
    ];
    for (promise, number) in counts {
        bench.ledger.add("promise", promise, number);
    }
    for (cell, number) in [
        ("worlds", WORLDS_OF_A_CASE),
        ("worlds under the law of IAM", UNDER_IAM),
        ("steps", tally.steps),
        ("plans from a prefix", tally.resumed),
        ("edited worlds", tally.edited),
        (
            "edited worlds that need --allow interrupts",
            tally.interrupting,
        ),
        ("refused for another reason", tally.refused),
    ] {
        bench.ledger.add("plan alone", cell, number);
    }
    broken
}

/// What a case did.
#[derive(Default)]
struct Tally {
    under_iam: bool,
    steps: u64,
    judged: u64,
    resumed: u64,
    edited: u64,
    interrupting: u64,
    refused: u64,
}

/// A world of a few resources, each as in some configuration, with what they need as far as it was
/// picked; what misses what it needs is left out.
fn mixed(pool: &Pool, random: &mut Random) -> Snapshot {
    let mut world = Snapshot::new();
    for (address, specs) in pool {
        // Access is where order matters; the rest is there for what refers to it.
        let percent = match address.kind.as_str() {
            "role" | "policy" => 70,
            _ => 25,
        };
        if random.percent(percent) {
            world.set(address, Some(random.pick(specs).clone()));
        }
    }
    closed(world, pool)
}

/// The same world after one to three edits.
fn edited(world: &Snapshot, pool: &Pool, random: &mut Random) -> Snapshot {
    let addresses: Vec<&Address> = pool.keys().collect();
    let mut world = world.clone();
    for _ in 0..=random.below(3) {
        let address = *random.pick(&addresses);
        let specs = pool.get(address).map(Vec::as_slice).unwrap_or_default();
        let spec = random.percent(85).then(|| random.pick(specs).clone());
        world.set(address, spec);
    }
    closed(world, pool)
}

/// Leaves out what refers to a resource that could be there and is not.
fn closed(mut world: Snapshot, pool: &Pool) -> Snapshot {
    loop {
        let dangling: Vec<Address> = world
            .iter()
            .filter(|(address, spec)| {
                let kind = kind_of(KINDS, &address.kind).expect("a kind of the list");
                let refers = kind.refers(spec);
                refers
                    .iter()
                    .any(|to| pool.contains_key(to) && !world.contains(to))
            })
            .map(|(address, _)| address.clone())
            .collect();
        if dangling.is_empty() {
            return world;
        }
        for address in dangling {
            world.set(&address, None);
        }
    }
}

fn planned(live: &Snapshot, desired: &Snapshot, under_iam: bool) -> provision::error::Result<Plan> {
    thread_local! {
        static LAW: IamLaw = iam();
    }
    LAW.with(|iam| {
        let law: &dyn Law = if under_iam { iam } else { &Bits };
        plan(&Input {
            kinds: KINDS,
            law,
            desired,
            live,
            mark: MARK,
            runner: None,
            interrupts: false,
        })
    })
}

/// A law that counts: who may come and what they may then do, as bits.
struct Bits;

impl Law for Bits {
    fn subjects(&self, world: &Snapshot, address: &Address) -> Vec<Address> {
        law::subjects(world, address)
            .into_iter()
            .filter(|subject| subject.kind == "role")
            .collect()
    }

    fn holds(
        &self,
        subject: &Address,
        before: &Snapshot,
        after: &Snapshot,
        goal: &Snapshot,
    ) -> Result<(), Refusal> {
        let [before, after, goal] = [before, after, goal].map(|world| may_one(world, subject));
        if after & !(before | goal) != 0 {
            return Err(Refusal::new(RefusalCause::Wider, "it would gain something"));
        }
        if before & goal & !after != 0 {
            return Err(Refusal::new(RefusalCause::Gap, "it would lose something"));
        }
        Ok(())
    }

    fn broadens(&self, subject: &Address, before: &Snapshot, after: &Snapshot) -> bool {
        may_one(after, subject) & !may_one(before, subject) != 0
    }

    fn access(&self, _: &Address, _: &Snapshot, _: &Snapshot) -> Option<AccessChange> {
        None
    }
}

/// The documents of AWS's own policies in these worlds, as far as they say what matters here.
fn iam() -> IamLaw {
    let aws = |name: &str, action: &str| {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"{action}","Resource":"*"}}}}"#
        );
        let document = Document::parse(&text, provision::policy::PolicyKind::Identity);
        (
            format!("arn:aws:iam::aws:policy/{name}"),
            document.expect("a valid document"),
        )
    };
    IamLaw {
        documents: [
            aws("AmazonEC2ContainerRegistryReadOnly", "ecr:BatchGetImage"),
            aws(
                "service-role/AmazonECSTaskExecutionRolePolicy",
                "logs:PutLogEvents",
            ),
        ]
        .into(),
        ..IamLaw::default()
    }
}

/// Plans, walks through every state, and plans anew from each.
fn check(
    live: &Snapshot,
    desired: &Snapshot,
    edits: bool,
    tally: &mut Tally,
) -> Result<(), String> {
    tally.edited += u64::from(edits);
    let first = match planned(live, desired, tally.under_iam) {
        Ok(plan) => plan,
        Err(error) if error.kind == ErrorKind::Refused => {
            let hint = error.hint.as_deref().unwrap_or_default();
            if hint.contains("interrupts") {
                tally.interrupting += u64::from(edits);
            } else {
                tally.refused += 1;
            }
            return Ok(());
        }
        Err(error) => return Err(format!("no plan: {error:?}")),
    };
    let mut world = live.clone();
    let bounds = [live, &first.goal].map(may);
    for (position, step) in first.steps.iter().enumerate() {
        tally.steps += 1;
        let kind = kind_of(KINDS, &step.address.kind).map_err(|error| error.to_string())?;
        let after = kind
            .effect(world.get(&step.address), &step.call)
            .map_err(|refusal| format!("a planned call is refused: {}", refusal.message))?;
        if after.as_ref().is_some_and(|spec| spec.owner().is_none())
            && step.address.kind != "oidc_provider"
        {
            return Err(format!("4: {} without a mark", step.address));
        }
        world.set(&step.address, after);
        judge(&bounds, &world, tally)
            .map_err(|why| format!("{why} after {} {:?}", step.address, step.call))?;
        if position + 1 < first.steps.len() {
            tally.resumed += 1;
            planned(&world, desired, tally.under_iam)
                .map_err(|error| format!("no plan from prefix {position}: {error:?}"))?;
        }
    }
    if world != first.goal {
        return Err("the steps do not end at the goal".to_owned());
    }
    match planned(&world, desired, tally.under_iam) {
        Ok(plan) if plan.is_empty() => Ok(()),
        other => Err(format!("1: not empty at the end: {other:?}")),
    }
}

/// By role: who may come to it and what it may then do, as bits.
type May = BTreeMap<Address, u32>;

fn judge([before, goal]: &[May; 2], world: &Snapshot, tally: &mut Tally) -> Result<(), String> {
    let now = may(world);
    for role in now.keys().chain(before.keys()).collect::<BTreeSet<_>>() {
        tally.judged += 1;
        let of = |world: &May| world.get(role).copied().unwrap_or_default();
        let [was, is, will] = [of(before), of(&now), of(goal)];
        if is & !(was | will) != 0 {
            return Err(format!("5: {role} gains {:b}", is & !(was | will)));
        }
        if was & will & !is != 0 {
            return Err(format!("6: {role} loses {:b}", was & will & !is));
        }
    }
    Ok(())
}

/// What may be done in these worlds.
const ACTIONS: [&str; 5] = [
    "ecr:PutImage",
    "ecr:BatchGetImage",
    "ecr:ListImages",
    "ecr:GetAuthorizationToken",
    "logs:PutLogEvents",
];
/// Who may come, by the words that name them in a trust policy.
const DOORS: [&str; 3] = ["refs/heads/main", "environment:production", "ecs-tasks"];

fn may(world: &Snapshot) -> May {
    world
        .of_kind("role")
        .map(|(address, _)| (address.clone(), may_one(world, address)))
        .collect()
}

/// By an evaluation of its own: these documents hold plain actions on everything, so that words in
/// them decide. Five bits for each door.
fn may_one(world: &Snapshot, address: &Address) -> u32 {
    let Some(role) = world.spec::<role::Spec>(address) else {
        return 0;
    };
    let managed = |arn: &String| -> Option<(u8, u8)> {
        let name = arn.rsplit('/').next()?;
        let declared = world.spec::<policy::Spec>(&Address::new("policy", name));
        match declared {
            Some(policy) => Some(bits(&policy.document)),
            None if name.contains("ReadOnly") => Some((0b0_0010, 0)),
            None if name.contains("TaskExecution") => Some((0b1_0000, 0)),
            None => None,
        }
    };
    let inline = role.inline_policies.values().map(bits);
    let own = role
        .managed_policies
        .iter()
        .filter_map(managed)
        .chain(inline);
    let (mut allows, mut denies) = own.fold((0, 0), |(allows, denies), (more, less)| {
        (allows | more, denies | less)
    });
    if let Some((bound, less)) = role.permissions_boundary.as_ref().and_then(managed) {
        allows &= bound;
        denies |= less;
    }
    let granted = u32::from(allows & !denies);
    let open = u32::from(doors(&role.trust_policy));
    (0..DOORS.len())
        .filter(|door| open & (1 << door) != 0)
        .map(|door| granted << (door * ACTIONS.len()))
        .sum()
}

/// Who may come by this trust policy, as bits.
fn doors(trust: &Document) -> u8 {
    remembered(trust, |trust| {
        let named = (0_u8..)
            .zip(DOORS)
            .filter(|(_, door)| trust.text().contains(door));
        (named.map(|(at, _)| 1 << at).sum(), 0)
    })
    .0
}

/// What a document allows and denies, as bits.
fn bits(document: &Document) -> (u8, u8) {
    remembered(document, |document| {
        let mut bits = (0, 0);
        for statement in document.statements() {
            for (at, action) in ACTIONS.iter().enumerate() {
                let names = |one: &String| {
                    one.eq_ignore_ascii_case(action)
                        || one
                            .strip_suffix('*')
                            .is_some_and(|head| action.starts_with(head))
                };
                if statement.actions.list.iter().any(names) {
                    match statement.effect {
                        Effect::Allow => bits.0 |= 1 << at,
                        Effect::Deny => bits.1 |= 1 << at,
                    }
                }
            }
        }
        bits
    })
}

/// Works something out of a document once for each text.
fn remembered(document: &Document, work: impl FnOnce(&Document) -> (u8, u8)) -> (u8, u8) {
    thread_local! {
        static SEEN: RefCell<HashMap<String, (u8, u8)>> = RefCell::default();
    }
    SEEN.with_borrow_mut(|seen| {
        if let Some(bits) = seen.get(document.text()) {
            return *bits;
        }
        let bits = work(document);
        seen.insert(document.text().to_owned(), bits);
        bits
    })
}

/// Whether too many edited worlds needed `--allow interrupts`.
pub(crate) fn too_many_interrupt(edited: u64, interrupting: u64) -> bool {
    interrupting * 10_000 > edited * MOST_INTERRUPTING
}

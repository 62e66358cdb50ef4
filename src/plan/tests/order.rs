//! The loop that puts calls in order, asked call by call: what is kept for last, and what waits.

use super::*;
use crate::plan::schedule::is_unfinished;

/// A call on a policy of the toy world that allows only this.
fn set(name: &str, permission: u8) -> Pending<'static> {
    let call = AnyCall::new(PolicyCall::Set(BTreeSet::from([permission])));
    Pending::new(&ToyPolicy, Address::new("policy", name), call)
}

/// A call on the role of the toy world, a part of a detour.
fn detour(call: RoleCall, late: bool) -> Pending<'static> {
    Pending {
        in_order: true,
        late,
        ..Pending::new(&ToyRole, Address::new("role", "r"), AnyCall::new(call))
    }
}

/// The addresses of the calls that were taken, and of those that were left.
fn taken(live: &Snapshot, calls: Vec<Pending<'static>>) -> (Vec<String>, Vec<String>) {
    let input = input(live, live);
    let world = World::new(TOYS, live, live).unwrap();
    let (scheduled, left) = schedule(&input, live, world, calls, false);
    let taken = scheduled.steps.iter().map(|step| step.address.to_string());
    let left = left.iter().map(|(pending, _)| pending.address.to_string());
    (taken.collect(), left.collect())
}

#[test]
fn what_is_kept_for_last_comes_before_the_calls_of_the_run_itself() {
    let live = world(vec![
        ("policy/both", policy(&[1])),
        ("policy/late", policy(&[1])),
        ("policy/plain", policy(&[1])),
        ("policy/run", policy(&[1])),
    ]);
    let marked = |name, late, runner| Pending {
        late,
        runner,
        ..set(name, 2)
    };
    let calls = vec![
        marked("both", true, true),
        marked("run", false, true),
        marked("late", true, false),
        marked("plain", false, false),
    ];
    assert_eq!(
        taken(&live, calls),
        (
            ["policy/plain", "policy/late", "policy/both", "policy/run"]
                .map(str::to_owned)
                .to_vec(),
            Vec::new()
        )
    );
}

#[test]
fn the_last_call_of_a_detour_waits_for_its_first_one() {
    let live = world(vec![("policy/a", policy(&[1])), ("role/r", role(&["a"]))]);
    // The world is about a policy b that is not there: the first call can never be taken.
    let about_b = world(vec![
        ("policy/a", policy(&[1])),
        ("policy/b", policy(&[1])),
        ("role/r", role(&["a"])),
    ]);
    let calls = || {
        vec![
            detour(RoleCall::Attach("b".to_owned()), false),
            detour(RoleCall::Detach("a".to_owned()), true),
        ]
    };
    let input = input(&about_b, &live);
    let schedule = |calls| {
        let world = World::new(TOYS, &live, &about_b).unwrap();
        let (scheduled, left) = schedule(&input, &Snapshot::new(), world, calls, false);
        (scheduled.steps.len(), left.len())
    };
    assert_eq!(schedule(calls()), (0, 2));
    // What waits for others than its own resource does not hold it up.
    let mut others = calls();
    if let Some(first) = others.first_mut() {
        first.address = Address::new("role", "absent");
    }
    assert_eq!(schedule(others), (1, 1));
    // In order does not mean last: the second is taken in the same pass as the first.
    let at_once = vec![
        detour(RoleCall::Attach("a".to_owned()), false),
        detour(RoleCall::Detach("a".to_owned()), false),
    ];
    assert_eq!(schedule(at_once), (2, 0));
}

#[test]
fn a_creation_counts_as_unfinished_from_its_first_call_to_before_its_last() {
    let (push, goal) = (Address::new("role", "push"), role(&["a", "b"]));
    let unfinished =
        |live: &AnySpec, goal: Option<&AnySpec>| is_unfinished(&ToyRole, &push, live, goal, MARK);
    assert!(unfinished(&role(&[]), Some(&goal)));
    assert!(unfinished(&role(&["a"]), Some(&goal)));
    assert!(
        !unfinished(&role(&["a", "b"]), Some(&goal)),
        "the whole of it"
    );
    assert!(
        !unfinished(&role(&["b"]), Some(&goal)),
        "not in the order of its calls"
    );
    assert!(!unfinished(&role(&["a"]), None));
    let mine = |mark| is_unfinished(&ToyRole, &push, &role(&["a"]), Some(&goal), mark);
    assert!(mine(MARK) && !mine("another@here"));
}

#[test]
fn the_world_knows_who_refers_to_whom_after_every_call() {
    let live = world(vec![
        ("policy/a", policy(&[1])),
        ("policy/b", policy(&[1])),
        ("role/r", role(&["a", "b"])),
    ]);
    let [a, b] = ["a", "b"].map(|name| Address::new("policy", name));
    let r = Address::new("role", "r");
    let mut now = World::new(TOYS, &live, &live).unwrap();
    assert_eq!(now.refers(&r), [a.clone(), b.clone()]);
    assert_eq!((now.referrer(&a), now.referrer(&b)), (Some(&r), Some(&r)));
    assert_eq!(now.referrer(&r), None);
    now.accept(&r, Some(role(&["b"])), vec![b.clone()]);
    assert_eq!(now.refers(&r), std::slice::from_ref(&b));
    assert_eq!((now.referrer(&a), now.referrer(&b)), (None, Some(&r)));
    now.accept(&a, Some(policy(&[1])), vec![a.clone()]);
    assert_eq!(
        now.referrer(&a),
        None,
        "who refers to itself holds nobody up"
    );
    now.accept(&b, None, Vec::new());
    assert_eq!(now.missing(&[a.clone(), b.clone()]), Some(&b));
    assert_eq!(now.missing(&[a, Address::new("policy", "of others")]), None);
}

#[test]
fn what_is_still_used_is_not_deleted_and_what_is_read_is_told() {
    let live = world(vec![
        ("policy/a", policy(&[1])),
        ("policy/b", policy(&[1])),
        ("role/r", role(&["a", "b"])),
    ]);
    let delete = Pending::new(
        &ToyPolicy,
        Address::new("policy", "a"),
        AnyCall::new(PolicyCall::Delete),
    );
    let goal = world(vec![("policy/b", policy(&[1])), ("role/r", role(&["b"]))]);
    let input = input(&goal, &live);
    let schedule = |calls| {
        let world = World::new(TOYS, &live, &goal).unwrap();
        schedule(&input, &goal, world, calls, false)
    };
    let (_, left) = schedule(vec![delete.clone()]);
    let why: Vec<&str> = left
        .iter()
        .map(|(_, refusal)| refusal.message.as_str())
        .collect();
    assert_eq!(why, ["role/r still uses it."]);
    // Deleted first in the list: it waits for the call that lets go of it.
    let detach = detour(RoleCall::Detach("a".to_owned()), false);
    let (scheduled, left) = schedule(vec![delete, detach]);
    assert!(left.is_empty());
    let steps: Vec<(String, Vec<String>)> = scheduled
        .steps
        .iter()
        .map(|step| {
            (
                step.address.to_string(),
                step.reads.iter().map(ToString::to_string).collect(),
            )
        })
        .collect();
    let reads = |names: &[&str]| names.iter().map(|name| format!("policy/{name}")).collect();
    assert_eq!(
        steps,
        [
            ("role/r".to_owned(), reads(&["a", "b"])),
            ("policy/a".to_owned(), Vec::new())
        ]
    );
}

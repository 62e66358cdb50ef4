//! The search on the toy world of the plan's tests: which orders and detours it tries, and no others.

use std::cell::RefCell;

use super::super::tests::{input, policy, role, world};
use super::*;
use crate::kind::Refusal;

/// The calls of a plan between these two worlds.
fn pending<'a>(input: &Input<'a>) -> Vec<Pending<'a>> {
    super::super::pending(input, input.desired)
}

/// What was attempted: of each schedule its calls in order, each by its resource's name and its own.
fn attempts<'a>(
    search: impl FnOnce(&dyn Fn(Vec<Pending<'a>>) -> Option<Scheduled>),
) -> Vec<Vec<String>> {
    let seen = RefCell::new(Vec::new());
    search(&|calls: Vec<Pending<'a>>| {
        let words = |call: &Pending<'_>| format!("{} {}", call.address.name, call.call.json());
        seen.borrow_mut().push(calls.iter().map(words).collect());
        None
    });
    seen.into_inner()
}

#[test]
fn permutations_come_in_order_until_the_last() {
    let mut order = [0, 1, 2];
    let mut seen = vec![order];
    while next_permutation(&mut order) {
        seen.push(order);
    }
    assert_eq!(
        seen,
        [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0]
        ]
    );
    for [first, second, third] in [
        [[1, 1, 2], [1, 2, 1], [2, 1, 1]],
        [[1, 2, 2], [2, 1, 2], [2, 2, 1]],
    ] {
        let mut twins = first;
        assert!(next_permutation(&mut twins) && twins == second, "{first:?}");
        assert!(next_permutation(&mut twins) && twins == third, "{first:?}");
        assert!(!next_permutation(&mut twins), "{first:?}");
    }
}

/// So many policies from one permission to another.
fn changed(count: usize) -> [Snapshot; 2] {
    [1, 2].map(|permission| {
        let name = |at: usize| Address::new("policy", format!("p{at}"));
        (0..count)
            .map(|at| (name(at), policy(&[permission])))
            .collect()
    })
}

#[test]
fn orders_are_tried_up_to_a_number_of_calls_and_of_attempts() {
    let tried = |count: usize| {
        let [live, desired] = changed(count);
        let input = input(&desired, &live);
        let pending = pending(&input);
        let entangled = desired.addresses().cloned().collect();
        let tried = attempts(|attempt| assert!(orders(&pending, &entangled, attempt).is_none()));
        tried.len()
    };
    assert_eq!([1, 2, 5].map(tried), [0, 1, 119]);
    assert_eq!(tried(MOST_SEARCHED_CALLS), MOST_ATTEMPTS);
    assert_eq!(tried(MOST_SEARCHED_CALLS + 1), 0);
}

#[test]
fn what_is_entangled_is_tried_before_all_others() {
    let [live, desired] = changed(3);
    let input = input(&desired, &live);
    let pending = pending(&input);
    let entangled = ["p0", "p2"].map(|name| Address::new("policy", name));
    let tried = attempts(|attempt| assert!(orders(&pending, &entangled.into(), attempt).is_none()));
    let set = |name: &str| format!("{name} {{\"Set\":[2]}}");
    assert_eq!(tried, [["p2", "p0", "p1"].map(set)]);
}

#[test]
fn what_moves_the_same_roles_near_and_far_is_entangled() {
    let at = |permission: u8| {
        world(vec![
            ("policy/a", policy(&[permission])),
            ("policy/b", policy(&[permission])),
            ("policy/c", policy(&[permission])),
            ("policy/z", policy(&[permission])),
            ("role/ab", role(&["a", "b"])),
            ("role/bc", role(&["b", "c"])),
            ("role/z", role(&["z"])),
        ])
    };
    let (live, desired) = (at(1), at(2));
    let input = input(&desired, &live);
    let pending = pending(&input);
    let left = pending
        .first()
        .map(|call| (call.clone(), Refusal::not_yet("Not yet.")));
    let found = entangled(&input, &pending, &left.into_iter().collect());
    let names: Vec<&str> = found.iter().map(|address| address.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
}

#[test]
fn detours_are_tried_one_by_one_then_all_at_once_then_in_pairs() {
    let tried = |count: usize| {
        let [live, desired] = changed(count);
        let input = input(&desired, &live);
        let pending = pending(&input);
        let entangled = desired.addresses().cloned().collect();
        attempts(|attempt| {
            assert!(detours(&input, &desired, &pending, &entangled, attempt).is_none());
        })
    };
    let straight = |name: &str| vec![format!("{name} {{\"Set\":[2]}}")];
    let around = |name: &str| {
        vec![
            format!("{name} {{\"Set\":[1,2]}}"),
            format!("{name} {{\"Set\":[2]}}"),
        ]
    };
    assert_eq!(tried(1), [around("p0")]);
    assert_eq!(
        tried(3),
        [
            [around("p0"), straight("p1"), straight("p2")].concat(),
            [around("p1"), straight("p0"), straight("p2")].concat(),
            [around("p2"), straight("p0"), straight("p1")].concat(),
            [around("p0"), around("p1"), around("p2")].concat(),
            [around("p0"), around("p1"), straight("p2")].concat(),
            [around("p0"), around("p2"), straight("p1")].concat(),
            [around("p1"), around("p2"), straight("p0")].concat(),
        ]
    );
}

#[test]
fn the_last_call_of_a_detour_is_kept_for_last_and_the_run_itself_is_known() {
    let [live, desired] = changed(2);
    let own = Address::new("policy", "p1");
    let input = Input {
        runner: Some(&own),
        ..input(&desired, &live)
    };
    let pending = pending(&input);
    let marks = RefCell::new(Vec::new());
    let entangled = desired.addresses().cloned().collect();
    let found = detours(&input, &desired, &pending, &entangled, |calls| {
        let of = |call: &Pending<'_>| (call.in_order, call.late, call.runner);
        marks
            .borrow_mut()
            .push(calls.iter().map(of).collect::<Vec<_>>());
        None
    });
    assert!(found.is_none());
    let plain = |runner| vec![(false, false, runner)];
    let around = |runner| vec![(true, false, runner), (true, true, runner)];
    let marks = marks.into_inner();
    assert_eq!(
        marks.get(..2),
        Some(
            &[
                [around(false), plain(true)].concat(),
                [around(true), plain(false)].concat()
            ][..]
        )
    );
}

use std::collections::{BTreeMap, BTreeSet};

use super::*;

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn patterns_match_whole_keys() {
    assert!(matches("cost:*", "cost:centre"));
    assert!(matches("*", ""));
    assert!(matches("a?c*", "abc"));
    assert!(!matches("cost:*", "precost:x"));
    assert!(!matches("a?", "a"));
}

#[test]
fn a_change_adds_the_mark_and_never_removes_it() {
    let before = tags(&[("team", "web"), ("old", "1")]);
    let after = tags(&[("team", "platform")]);
    let change = change((&before, None), (&after, Some("back-end@us-east-2")));
    assert_eq!(
        change.add,
        tags(&[("team", "platform"), (OWNER_TAG, "back-end@us-east-2")])
    );
    assert_eq!(change.remove, BTreeSet::from(["old".to_owned()]));
}

#[test]
fn removing_keys_leaves_the_owner() {
    let (mut all, mut owner) = (tags(&[("a", "1")]), Some("x@y".to_owned()));
    let keys = BTreeSet::from(["a".to_owned(), OWNER_TAG.to_owned()]);
    remove(&mut all, &keys);
    add(&mut all, &mut owner, &BTreeMap::new());
    assert_eq!((all, owner.as_deref()), (tags(&[]), Some("x@y")));
}

#[test]
fn the_tags_of_a_creating_call_come_apart_again() {
    let declared = tags(&[("team", "web")]);
    let live = apart(with_owner(&declared, Some("x@y")));
    assert_eq!(live.owner.as_deref(), Some("x@y"));
    assert_eq!(live.tags, declared);
}

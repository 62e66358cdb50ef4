//! A kind that does odd things, so that the plan has to say what is odd about them.

use super::*;

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Odd {
    owner: Option<String>,
    word: &'static str,
}

impl Owned for Odd {
    fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
enum Call {
    Make(&'static str),
    Set(&'static str),
    Refuse(&'static str),
    Remove,
}

struct Oddity;

impl Kind for Oddity {
    const NAME: &'static str = "odd";
    type Spec = Odd;
    type Call = Call;

    fn declare(&self, _: &Config) -> BTreeMap<String, Odd> {
        BTreeMap::new()
    }

    async fn observe(&self, _: &Aws, _: &Scope) -> Result<BTreeMap<String, Odd>> {
        Ok(BTreeMap::new())
    }

    fn calls(&self, _: &str, before: Option<&Odd>, after: Option<&Odd>) -> Vec<Call> {
        match (before, after.map(|after| after.word)) {
            (None, Some(word)) => vec![Call::Make(word)],
            (Some(_), Some("forgotten")) => Vec::new(),
            (Some(_), Some("anew")) => vec![Call::Remove, Call::Make("anew")],
            (Some(_), Some(word)) if word.starts_with("No") => {
                vec![Call::Refuse(word), Call::Refuse(word)]
            }
            (Some(_), Some(word)) => vec![Call::Set(word)],
            (_, None) => vec![Call::Remove],
        }
    }

    fn effect(&self, spec: Option<Odd>, call: &Call) -> Result<Option<Odd>, Refusal> {
        match (spec, call) {
            (None, Call::Make(word)) => Ok(Some(odd(word))),
            (Some(spec), Call::Set(word)) => Ok(Some(Odd { word, ..spec })),
            (Some(_), Call::Remove) => Ok(None),
            (_, Call::Refuse(word)) => Err(Refusal::blocked(*word).hint("Do something else.")),
            _ => Err(Refusal::not_yet("Not now.")),
        }
    }

    async fn perform(&self, _: &Aws, _: &Scope, _: &str, _: &Call) -> Result<Performed> {
        Ok(Performed::default())
    }
}

fn odd(word: &'static str) -> Odd {
    Odd {
        owner: Some(mark()),
        word,
    }
}

fn planned(pairs: &[(&str, &'static str, &'static str)]) -> Result<Plan> {
    let side = |of: fn(&(&str, &'static str, &'static str)) -> &'static str| {
        let specs = pairs
            .iter()
            .map(|pair| (pair.0, AnySpec::new(odd(of(pair)))));
        world(specs.collect())
    };
    let (live, desired) = (side(|pair| pair.1), side(|pair| pair.2));
    let kinds: [&dyn AnyKind; 1] = [&Oddity];
    plan(&Input {
        kinds: &kinds,
        ..input(&desired, &live)
    })
}

#[test]
fn a_dry_run_that_does_not_end_as_declared_is_a_bug() {
    let error = planned(&[("odd/a", "was", "forgotten")]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Bug);
    assert_eq!(error.address.as_deref(), Some("odd/a"));
}

#[test]
fn each_refusal_is_said_once_and_the_first_one_s_hint() {
    let pairs = [
        ("odd/a", "was", "No."),
        ("odd/b", "was", "No."),
        ("odd/c", "was", "Not this either."),
        ("odd/d", "was", "is"),
    ];
    let error = planned(&pairs).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert_eq!(error.address.as_deref(), Some("odd/a"));
    assert_eq!(error.message, "No.\nodd/c: Not this either.");
    assert_eq!(error.hint.as_deref(), Some("Do something else."));
}

#[test]
fn what_is_removed_on_the_way_is_replaced_and_what_is_not_is_changed() {
    let pairs = [
        ("odd/a", "was", "anew"),
        ("odd/b", "was", "is"),
        ("odd/c", "same", "same"),
    ];
    let plan = planned(&pairs).unwrap();
    let seen: Vec<_> = plan
        .actions
        .iter()
        .map(|action| {
            (
                action.address.name.as_str(),
                action.verb(),
                action.changes.len(),
            )
        })
        .collect();
    assert_eq!(seen, [("a", Verb::Replace, 1), ("b", Verb::Change, 1)]);
    assert_eq!(plan.hazards(), BTreeSet::from([Hazard::Replaces]));
    let unchanged: Vec<_> = plan
        .unchanged
        .addresses()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(unchanged, ["c"]);
    assert!(!plan.is_empty());
    let of_actions = Plan {
        steps: Vec::new(),
        ..plan
    };
    assert!(!of_actions.is_empty());
    assert!(Plan::default().is_empty());
}

#[test]
fn what_is_used_without_our_mark_is_not_adopted() {
    let nobodys = |word| vec![("odd/a", AnySpec::new(Odd { owner: None, word }))];
    let (live, desired) = (world(nobodys("was")), world(nobodys("is")));
    let kinds: [&dyn AnyKind; 1] = [&Oddity];
    let used = plan(&Input {
        kinds: &kinds,
        ..input(&desired, &live)
    });
    assert_eq!(used.unwrap().hazards(), BTreeSet::new());
}

/// A law that says of everybody whose access may move that it has changed.
struct Telling;

impl Law for Telling {
    fn subjects(&self, _: &Snapshot, address: &Address) -> Vec<Address> {
        vec![address.clone(), Address::new("odd", "z")]
    }

    fn holds(&self, _: &Address, _: &Snapshot, _: &Snapshot, _: &Snapshot) -> Result<(), Refusal> {
        Ok(())
    }

    fn broadens(&self, _: &Address, _: &Snapshot, _: &Snapshot) -> bool {
        false
    }

    fn access(&self, subject: &Address, _: &Snapshot, _: &Snapshot) -> Option<AccessChange> {
        Some(AccessChange {
            subject: subject.name.clone(),
            ..AccessChange::default()
        })
    }
}

#[test]
fn an_action_says_what_it_means_for_itself_and_for_who_has_none_of_their_own() {
    let odds = |words: [&'static str; 3]| {
        let names = ["odd/a", "odd/b", "odd/z"].into_iter();
        let specs = names.zip(words.map(|word| AnySpec::new(odd(word))));
        world(specs.collect())
    };
    let (live, desired) = (odds(["was", "was", "as"]), odds(["is", "is", "as"]));
    let kinds: [&dyn AnyKind; 1] = [&Oddity];
    let plan = plan(&Input {
        kinds: &kinds,
        law: &Telling,
        ..input(&desired, &live)
    })
    .unwrap();
    let said: Vec<Vec<&str>> = plan
        .actions
        .iter()
        .map(|action| {
            action
                .access
                .iter()
                .map(|one| one.subject.as_str())
                .collect()
        })
        .collect();
    assert_eq!(said, [["a", "z"], ["b", "z"]]);
}

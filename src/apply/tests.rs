//! Runs of `apply` in a toy world whose calls end as a script says: what is begun and what is not,
//! how long is waited, and what is said at the end.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use serde::Serialize;

use super::*;
use crate::aws::Connection;
use crate::clock::{Clock, VirtualClock};
use crate::config::{self, Config};
use crate::kind::{AccessChange, Hazard, Kind, Owned, Refusal};
use crate::sandbox::Sandbox;

const MARK: &str = "toy@us-east-2";
/// What has this value is made in two calls.
const IN_TWO: i32 = 10;
/// Where this value is declared, any other one is as good.
const LEFT_OPEN: i32 = 20;

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Toy {
    owner: Option<String>,
    value: i32,
    needs: Vec<String>,
}

impl Owned for Toy {
    fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }
}

fn toy(value: i32, needs: &[&str]) -> Toy {
    Toy {
        owner: Some(MARK.to_owned()),
        value,
        needs: needs.iter().map(|need| (*need).to_owned()).collect(),
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
enum Call {
    Create(Toy),
    Set(i32),
    Delete,
}

/// How a call ends.
#[derive(Clone, Debug)]
enum End {
    /// After this many seconds, as it should.
    Slow(u64),
    /// Not done, and that is certain.
    Fails(ErrorKind),
    /// Done, and nobody is told.
    Unclear,
    /// Not done, and that is not known.
    Lost,
    /// Done, and what is there is something else.
    Elsewise,
    /// Done; somebody then sets the flag that stops the run.
    Stops,
    /// Nothing was to be seen of what it deletes.
    Unseen,
}

#[derive(Default)]
struct Cloud {
    things: BTreeMap<String, Toy>,
    ends: BTreeMap<String, VecDeque<End>>,
    /// What reads show instead, as many of them as there are.
    shown: VecDeque<BTreeMap<String, Toy>>,
    journal: Vec<String>,
    looks: u32,
    /// What each look was about, where not about everything.
    looked_for: Vec<Vec<String>>,
    /// From this look on nothing can be read.
    unreadable: Option<u32>,
}

struct Things {
    cloud: Mutex<Cloud>,
    stop: AtomicBool,
    clock: Arc<VirtualClock>,
    deploys: bool,
}

impl Things {
    fn cloud(&self) -> MutexGuard<'_, Cloud> {
        self.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kind for Things {
    const NAME: &'static str = "thing";
    type Spec = Toy;
    type Call = Call;

    fn declare(&self, _: &Config) -> BTreeMap<String, Toy> {
        BTreeMap::new()
    }

    async fn observe(&self, _: &Aws, scope: &Scope) -> Result<BTreeMap<String, Toy>> {
        let mut cloud = self.cloud();
        cloud.looks += 1;
        if let Some(only) = &scope.only {
            cloud
                .looked_for
                .push(only.iter().map(|one| one.name.clone()).collect());
        }
        if cloud.unreadable.is_some_and(|from| cloud.looks >= from) {
            return Err(Error::failed("It cannot be read."));
        }
        let mut seen = cloud
            .shown
            .pop_front()
            .unwrap_or_else(|| cloud.things.clone());
        seen.retain(|name, _| scope.wants("thing", name));
        Ok(seen)
    }

    fn keep(&self, desired: Toy, live: Option<&Toy>) -> Toy {
        match live {
            Some(live) if desired.value == LEFT_OPEN => live.clone(),
            _ => desired,
        }
    }

    fn calls(&self, _: &str, before: Option<&Toy>, after: Option<&Toy>) -> Vec<Call> {
        match (before, after) {
            (None, Some(after)) if after.value == IN_TWO => {
                let first = Toy {
                    value: IN_TWO - 1,
                    ..after.clone()
                };
                vec![Call::Create(first), Call::Set(IN_TWO)]
            }
            (None, Some(after)) => vec![Call::Create(after.clone())],
            (Some(before), Some(after)) if before != after => vec![Call::Set(after.value)],
            (Some(_), None) => vec![Call::Delete],
            _ => Vec::new(),
        }
    }

    fn effect(&self, spec: Option<Toy>, call: &Call) -> Result<Option<Toy>, Refusal> {
        match (spec, call) {
            (None, Call::Create(toy)) => Ok(Some(toy.clone())),
            (Some(toy), Call::Set(value)) => Ok(Some(Toy {
                value: *value,
                ..toy
            })),
            (Some(_), Call::Delete) => Ok(None),
            _ => Err(Refusal::not_yet("Not so.")),
        }
    }

    fn refers(&self, spec: &Toy) -> Vec<Address> {
        let needs = spec.needs.iter();
        needs.map(|need| Address::new("thing", need)).collect()
    }

    fn hazards(&self, _: &Call) -> Vec<Hazard> {
        self.deploys
            .then_some(Hazard::Deploys)
            .into_iter()
            .collect()
    }

    async fn perform(&self, _: &Aws, _: &Scope, name: &str, call: &Call) -> Result<Performed> {
        let mut cloud = self.cloud();
        cloud.journal.push(name.to_owned());
        let end = cloud.ends.get_mut(name).and_then(VecDeque::pop_front);
        let unclear = || Error::failed("Who knows.").uncertain(true);
        match end {
            Some(End::Fails(kind)) => return Err(Error::new(kind, "It failed.")),
            Some(End::Lost) => return Err(unclear()),
            Some(End::Unseen) => return Ok(Performed::unseen()),
            _ => {}
        }
        let before = cloud.things.get(name).cloned();
        // Performed again it is the same as once.
        match Kind::effect(self, before, call).unwrap_or_else(|_| cloud.things.get(name).cloned()) {
            Some(toy) => cloud.things.insert(name.to_owned(), toy),
            None => cloud.things.remove(name),
        };
        match end {
            Some(End::Slow(seconds)) => self.clock.advance(Duration::from_secs(seconds)),
            Some(End::Unclear) => return Err(unclear()),
            Some(End::Elsewise) => {
                cloud.things.insert(name.to_owned(), toy(-1, &[]));
                return Err(unclear());
            }
            Some(End::Stops) => self.stop.store(true, Ordering::Relaxed),
            _ => {}
        }
        Ok(Performed {
            notes: vec![format!("made {name}")],
            ..Performed::default()
        })
    }
}

/// Nothing is forbidden.
struct Lawless;

impl Law for Lawless {
    fn subjects(&self, _: &Snapshot, _: &Address) -> Vec<Address> {
        Vec::new()
    }

    fn holds(&self, _: &Address, _: &Snapshot, _: &Snapshot, _: &Snapshot) -> Result<(), Refusal> {
        Ok(())
    }

    fn broadens(&self, _: &Address, _: &Snapshot, _: &Snapshot) -> bool {
        false
    }

    fn access(&self, _: &Address, _: &Snapshot, _: &Snapshot) -> Option<AccessChange> {
        None
    }
}

/// A world with what is there, what is declared, and how calls end.
struct World {
    things: Things,
    desired: Snapshot,
}

/// What a run came to.
struct Came {
    outcome: Outcome,
    events: Vec<String>,
    journal: Vec<String>,
    /// Looks at the account after the plan.
    looks: u32,
    /// What those were about that were not about everything.
    looked_for: Vec<Vec<String>>,
    took: u64,
    error: Option<Error>,
}

fn snapshot(toys: &[(&str, Toy)]) -> Snapshot {
    let toys = toys.iter();
    toys.map(|(name, toy)| (Address::new("thing", *name), AnySpec::new(toy.clone())))
        .collect()
}

impl World {
    fn new(there: &[(&str, Toy)], declared: &[(&str, Toy)]) -> Self {
        let things = Things {
            cloud: Mutex::default(),
            stop: AtomicBool::new(false),
            clock: Arc::new(VirtualClock::default()),
            deploys: false,
        };
        things.cloud().things = map(there);
        Self {
            things,
            desired: snapshot(declared),
        }
    }

    fn ends(self, name: &str, ends: impl IntoIterator<Item = End>) -> Self {
        let ends = ends.into_iter().collect();
        self.things.cloud().ends.insert(name.to_owned(), ends);
        self
    }

    /// What the reads after the plan show, before they show what is there.
    fn shows(self, shown: impl IntoIterator<Item = BTreeMap<String, Toy>>) -> Self {
        self.things.cloud().shown = shown.into_iter().collect();
        self
    }

    async fn run(self) -> Came {
        self.run_within(Limits::default()).await
    }

    async fn run_within(self, limits: Limits) -> Came {
        let Self { things, desired } = self;
        let mut connection = Connection::new("us-east-2", "us-east-1");
        let sandbox = Sandbox::in_memory("633607774026", "us-east-2", things.clock.clone());
        connection.http_client = Some(SharedHttpClient::new(sandbox));
        let time: Arc<dyn Clock> = things.clock.clone();
        let account = "633607774026".to_owned();
        let aws = Aws::connect(&connection, account, "aws".to_owned(), time, 4).await;
        let text =
            "[project]\nname = \"toy\"\naccount_id = \"633607774026\"\nregion = \"us-east-2\"\n";
        let config = config::parse("infra.toml", text, &mut |_| Ok(String::new())).unwrap();
        let scope = Scope::everything(Arc::new(config));
        let live: Snapshot = {
            let cloud = things.cloud();
            let toys: Vec<_> = cloud.things.iter().collect();
            let toys = toys.into_iter();
            toys.map(|(name, toy)| (Address::new("thing", name), AnySpec::new(toy.clone())))
                .collect()
        };
        let kinds: [&dyn AnyKind; 1] = [&things];
        let events = Mutex::new(Vec::new());
        let on_event = |event: Event<'_>| {
            let words = match event {
                Event::Started(step) => format!("started {}", step.address.name),
                Event::Finished(step) => format!("finished {}", step.address.name),
                Event::Already(step) => format!("already {}", step.address.name),
                Event::Failed(step, _) => format!("failed {}", step.address.name),
                Event::Note(address, note) => format!("note {}: {note}", address.name),
                Event::Rollout(address, _) => format!("rollout {}", address.name),
                Event::Waiting(why) => format!("waiting {why}"),
            };
            events.lock().unwrap().push(words);
        };
        let run = Run {
            kinds: &kinds,
            law: &Lawless,
            aws: &aws,
            scope: &scope,
            desired: &desired,
            live: &live,
            mark: MARK,
            runner: None,
            interrupts: false,
            limits,
            stop: &things.stop,
            on_event: &on_event,
        };
        let input = Input {
            kinds: &kinds,
            law: &Lawless,
            desired: &desired,
            live: &live,
            mark: MARK,
            runner: None,
            interrupts: false,
        };
        let plan = plan::plan(&input).unwrap();
        let begun = aws.clock().now();
        let outcome = apply(&run, &plan).await;
        let took = aws.clock().now().saturating_sub(begun).as_secs();
        let cloud = things.cloud();
        let failures = outcome.failures.iter().map(|(_, error)| error.clone());
        Came {
            error: failures.chain(outcome.unverified.clone()).next(),
            outcome,
            events: events.lock().unwrap().clone(),
            journal: cloud.journal.clone(),
            looks: cloud.looks,
            looked_for: cloud.looked_for.clone(),
            took,
        }
    }
}

fn map(toys: &[(&str, Toy)]) -> BTreeMap<String, Toy> {
    let toys = toys.iter();
    toys.map(|(name, toy)| ((*name).to_owned(), toy.clone()))
        .collect()
}

fn names<'a>(addresses: impl IntoIterator<Item = &'a Address>) -> Vec<&'a str> {
    addresses
        .into_iter()
        .map(|address| address.name.as_str())
        .collect()
}

fn not_done(came: &Came) -> Vec<(&str, &str)> {
    let list = came.outcome.not_done.iter();
    list.map(|(address, why)| (address.name.as_str(), why.as_str()))
        .collect()
}

/// `b` needs `a`; `c` stands alone.
fn three() -> Vec<(&'static str, Toy)> {
    vec![
        ("a", toy(1, &[])),
        ("b", toy(1, &["a"])),
        ("c", toy(1, &[])),
    ]
}

#[tokio::test]
async fn all_is_done_in_order_and_looked_at_once() {
    let came = World::new(&[], &three()).run().await;
    assert_eq!(came.journal, ["a", "c", "b"]);
    assert_eq!(names(&came.outcome.done), ["a", "b", "c"]);
    assert_eq!(came.outcome.exit_code(), 0);
    assert_eq!((came.looks, came.took), (1, 0));
    assert!(came.outcome.left.is_empty() && came.outcome.unverified.is_none());
    let notes: Vec<&str> = came
        .outcome
        .notes
        .iter()
        .map(|note| note.1.as_str())
        .collect();
    assert_eq!(notes, ["made a", "made c", "made b"]);
    assert!(
        came.events.contains(&"note a: made a".to_owned()),
        "{:?}",
        came.events
    );
    let position = |words: &str| came.events.iter().position(|event| event == words).unwrap();
    assert!(position("finished a") < position("started b"));
}

#[tokio::test]
async fn what_waits_for_a_failure_is_not_begun_and_the_rest_goes_on() {
    let mut declared = three();
    declared.push(("d", toy(1, &["c"])));
    let came = World::new(&[], &declared)
        .ends("a", [End::Fails(ErrorKind::Failed)])
        .run()
        .await;
    assert_eq!(came.journal, ["a", "c", "d"]);
    assert_eq!(names(&came.outcome.done), ["c", "d"]);
    assert_eq!(
        not_done(&came),
        [("b", "it waits for what failed: thing/a")]
    );
    assert_eq!(came.outcome.exit_code(), 1);
    // What was given up is no news at the end, and nothing is waited for.
    assert!(came.outcome.left.is_empty() && came.took == 0);
    assert!(came.events.contains(&"failed a".to_owned()));
}

#[tokio::test]
async fn further_calls_of_what_failed_are_not_made() {
    let came = World::new(
        &[("a", toy(1, &[])), ("b", toy(1, &[]))],
        &[("b", toy(2, &[]))],
    )
    .ends("a", [End::Fails(ErrorKind::Refused)])
    .run()
    .await;
    assert_eq!(came.journal.iter().filter(|name| *name == "a").count(), 1);
    assert_eq!(names(&came.outcome.done), ["b"]);
    assert_eq!(came.outcome.exit_code(), 3);
}

#[tokio::test]
async fn a_rollout_that_failed_was_sent_all_the_same() {
    let came = World::new(&[], &three())
        .ends("a", [End::Fails(ErrorKind::Rollout)])
        .run()
        .await;
    // Its effect counts as made, so that what needs it goes on.
    assert!(came.journal.contains(&"b".to_owned()), "{:?}", came.journal);
    assert_eq!(came.outcome.exit_code(), 4);
}

#[tokio::test]
async fn a_resource_that_changed_stops_the_run() {
    let came = World::new(&[], &three())
        .ends("a", [End::Fails(ErrorKind::Changed)])
        .run()
        .await;
    assert!(!came.journal.contains(&"b".to_owned()));
    // Nothing is looked at any more: who runs it has to look.
    assert_eq!((came.looks, came.outcome.exit_code()), (0, 1));
    assert_eq!(
        not_done(&came),
        [("b", "it waits for what failed: thing/a")]
    );
}

#[tokio::test]
async fn a_stop_ends_what_is_in_flight_and_begins_nothing() {
    let came = World::new(&[], &three())
        .ends("a", [End::Stops])
        .run()
        .await;
    assert_eq!(came.journal, ["a", "c"]);
    assert!(came.outcome.stopped);
    assert_eq!(not_done(&came), [("b", "the run was stopped")]);
    assert_eq!((came.looks, came.outcome.exit_code()), (0, 1));
    assert_eq!(names(&came.outcome.done), ["a", "c"]);

    let world = World::new(&[], &three());
    world.things.stop.store(true, Ordering::Relaxed);
    let came = world.run().await;
    assert!(came.journal.is_empty() && came.outcome.stopped);
    assert_eq!(came.outcome.not_done.len(), 3);
}

#[tokio::test]
async fn a_run_has_a_limit_beyond_which_nothing_is_begun() {
    let limit = Limits::default().run.as_secs();
    let run = |seconds| {
        World::new(&[], &three())
            .ends("a", [End::Slow(seconds)])
            .run()
    };
    let within = run(limit).await;
    assert_eq!((within.outcome.exit_code(), within.journal.len()), (0, 3));
    let beyond = run(limit + 1).await;
    assert_eq!(beyond.journal, ["a", "c"]);
    assert_eq!(not_done(&beyond), [("b", "the run ended before its turn")]);
    assert_eq!(beyond.outcome.exit_code(), 1);
    let message = beyond.error.unwrap().message;
    assert_eq!(message, "The run took longer than 1800 s.");
    // One whose last call took long is done.
    let done = World::new(&[], &[("a", toy(1, &[]))]);
    let done = done.ends("a", [End::Slow(limit + 1)]).run().await;
    assert_eq!(done.outcome.exit_code(), 0);
}

#[tokio::test]
async fn a_step_needs_a_young_look() {
    let age = Limits::default().look_age.as_secs();
    let run = |seconds| {
        World::new(&[], &three())
            .ends("a", [End::Slow(seconds)])
            .run()
    };
    assert_eq!(run(age).await.looks, 1);
    let old = run(age + 1).await;
    assert_eq!((old.looks, old.outcome.exit_code()), (2, 0));
    assert_eq!(old.journal, ["a", "c", "b"]);
}

#[tokio::test]
async fn an_old_look_that_shows_somebody_else_s_work_stops_the_run() {
    let made = |b: Toy| map(&[("a", toy(1, &[])), ("b", b), ("c", toy(1, &[]))]);
    let slow = || World::new(&[], &three()).ends("a", [End::Slow(31)]);
    let other = slow().shows([made(toy(7, &["a"]))]).run().await;
    assert_eq!(other.journal, ["a", "c"]);
    assert_eq!(other.outcome.exit_code(), 1);
    assert_eq!(other.error.unwrap().kind, ErrorKind::Changed);
    assert_eq!(other.looks, 1);

    let world = slow();
    world.things.cloud().shown = VecDeque::from([made(toy(1, &["a"]))]);
    let already = world.run().await;
    assert_eq!(already.journal, ["a", "c"]);
    assert_eq!(names(&already.outcome.already), ["b"]);
    assert!(already.events.contains(&"already b".to_owned()));
    assert_eq!(names(&already.outcome.done), ["a", "c"]);
}

#[tokio::test]
async fn an_unclear_call_is_looked_at_and_not_repeated_where_it_was_done() {
    let came = World::new(&[], &three())
        .ends("a", [End::Unclear])
        .run()
        .await;
    assert_eq!(came.journal, ["a", "c", "b"]);
    assert_eq!(came.outcome.exit_code(), 0);
    assert_eq!((came.looks, came.took), (2, 2));
}

#[tokio::test]
async fn an_unclear_call_is_made_again_where_it_was_not_done() {
    let one = [("a", toy(1, &[]))];
    let came = World::new(&[], &one)
        .ends("a", [End::Lost, End::Lost])
        .run()
        .await;
    assert_eq!(came.journal, ["a", "a", "a"]);
    assert_eq!(came.outcome.exit_code(), 0);
    // 2 s before the first look, 4 s before the second.
    assert_eq!(came.took, 6);

    let ends = std::iter::repeat_n(End::Lost, 9);
    let came = World::new(&[], &one).ends("a", ends).run().await;
    assert_eq!(came.journal.len(), 6);
    assert_eq!(came.outcome.exit_code(), 1);
    let error = came.error.unwrap();
    assert_eq!(
        (error.message.as_str(), error.uncertain),
        ("Who knows.", false)
    );
    assert_eq!(error.address.as_deref(), Some("thing/a"));
}

#[tokio::test]
async fn an_unclear_call_that_left_something_else_stops_the_run() {
    let came = World::new(&[], &three())
        .ends("a", [End::Elsewise])
        .run()
        .await;
    assert_eq!(came.outcome.exit_code(), 1);
    assert_eq!(came.error.unwrap().kind, ErrorKind::Changed);
    // 2, 4, 8, 16 and 32 s: five looks.
    assert_eq!((came.looks, came.took), (5, 62));
    assert!(!came.journal.contains(&"b".to_owned()));
}

#[tokio::test]
async fn an_unclear_call_was_done_where_only_what_is_left_open_differs() {
    let came = World::new(&[], &[("a", toy(LEFT_OPEN, &[]))])
        .ends("a", [End::Elsewise])
        .run()
        .await;
    assert_eq!((came.journal.len(), came.looks), (1, 2));
    assert_eq!(came.outcome.exit_code(), 0);
}

#[tokio::test]
async fn a_final_look_that_cannot_be_made_is_no_success() {
    let world = World::new(&[], &three());
    world.things.cloud().unreadable = Some(1);
    let came = world.run().await;
    assert_eq!(came.error.unwrap().message, "It cannot be read.");
    assert_eq!((came.outcome.exit_code(), came.took), (1, 126));

    // After a failure that one is the news, and its kind decides.
    let world = World::new(&[], &three()).ends("a", [End::Fails(ErrorKind::Refused)]);
    world.things.cloud().unreadable = Some(1);
    let came = world.run().await;
    assert!(came.outcome.unverified.is_none());
    assert_eq!((came.outcome.exit_code(), came.took), (3, 0));
}

#[tokio::test]
async fn an_unclear_call_that_starts_a_rollout_is_made_again_to_learn_its_name() {
    let mut world = World::new(&[("a", toy(1, &[]))], &[("a", toy(2, &[]))]);
    world.things.deploys = true;
    let came = world.ends("a", [End::Unclear]).run().await;
    assert_eq!(came.journal, ["a", "a"]);
    assert_eq!(came.outcome.exit_code(), 0);
}

#[tokio::test]
async fn the_final_look_is_believed_at_once_or_twice_in_a_row() {
    let one = [("a", toy(1, &[]))];
    let gone = || map(&[]);
    let there = || map(&one);
    let late = World::new(&[], &one)
        .shows([gone(), there(), gone()])
        .run()
        .await;
    // Differs, equals, differs again, equals twice.
    assert_eq!((late.looks, late.took), (5, 2 + 2 + 2 + 10));
    assert_eq!(late.outcome.exit_code(), 0);
    assert!(
        late.events
            .contains(&"waiting for AWS to show what was written".to_owned())
    );
}

#[tokio::test]
async fn only_what_differed_is_read_again() {
    let all = [("a", toy(1, &[])), ("b", toy(1, &[])), ("c", toy(1, &[]))];
    let [a, b, _] = all.clone();
    let came = World::new(&[], &all)
        .shows([map(&[a]), map(&[b])])
        .run()
        .await;
    // Differ in b and c; in c; in nothing, twice: there, and at last everywhere.
    assert_eq!((came.looks, came.outcome.exit_code()), (4, 0));
    assert_eq!(came.looked_for, vec![["b", "c"]; 2]);
}

#[tokio::test]
async fn the_last_look_is_at_everything() {
    let there = [("a", toy(1, &[]))];
    let declared = [("b", toy(1, &[]))];
    let world = World::new(&there, &declared).ends("a", [End::Unseen]);
    // `a` was said to be gone, by the delete and by the first look; only the second one tells the truth.
    let never = std::iter::repeat_n(map(&[there[0].clone(), declared[0].clone()]), 99);
    let came = world.shows([map(&[])].into_iter().chain(never)).run().await;
    assert_eq!(names(&came.outcome.left), ["a"]);
    assert_eq!(came.outcome.exit_code(), 1);
    // `b` alone; then everything, which says that `a` is there; then both.
    assert_eq!(came.looked_for[..2], [vec!["b"], vec!["a", "b"]]);
}

#[tokio::test]
async fn what_never_shows_is_named_after_all_waits() {
    let one = [("a", toy(1, &[]))];
    let never = std::iter::repeat_n(map(&[]), 99);
    let came = World::new(&[], &one).shows(never).run().await;
    assert_eq!(names(&came.outcome.left), ["a"]);
    assert_eq!(came.outcome.exit_code(), 1);
    // Three times 2 s, then 10 s each until two minutes have passed.
    assert_eq!((came.took, came.looks), (126, 16));
}

#[tokio::test]
async fn a_delete_that_saw_nothing_makes_the_final_look_hold_twice() {
    let world = World::new(&[("a", toy(1, &[]))], &[]).ends("a", [End::Unseen]);
    let came = world.shows([map(&[]), map(&[])]).run().await;
    assert_eq!((came.looks, came.took), (2, 2));
    assert!(came.outcome.unseen);
    assert_eq!(came.outcome.exit_code(), 0);
}

#[tokio::test]
async fn what_this_run_wrote_may_be_shown_late() {
    let one = [("a", toy(IN_TWO, &[]))];
    let slow = || World::new(&[], &one).ends("a", [End::Slow(31)]);
    let late = slow().shows([map(&[]), map(&[])]).run().await;
    assert_eq!(late.journal, ["a", "a"]);
    assert_eq!((late.outcome.exit_code(), late.took), (0, 31 + 2 + 2));
    assert!(
        late.events
            .contains(&"waiting for AWS to show what was written".to_owned())
    );

    let never = slow().shows(std::iter::repeat_n(map(&[]), 99)).run().await;
    assert_eq!(never.journal, ["a"]);
    assert_eq!(never.error.unwrap().kind, ErrorKind::Changed);
    assert_eq!(never.took, 31 + 126);
}

fn outcome(kinds: &[ErrorKind]) -> Outcome {
    let address = Address::new("thing", "a");
    let errors = kinds.iter();
    Outcome {
        failures: errors
            .map(|kind| (address.clone(), Error::new(*kind, "")))
            .collect(),
        ..Outcome::default()
    }
}

#[test]
fn one_beats_three_beats_four() {
    use ErrorKind::{Failed, Refused, Rollout, Usage};
    let a = || Address::new("thing", "a");
    assert_eq!(outcome(&[]).exit_code(), 0);
    assert_eq!(outcome(&[Rollout]).exit_code(), 4);
    assert_eq!(outcome(&[Rollout, Refused]).exit_code(), 3);
    assert_eq!(outcome(&[Rollout, Refused, Failed]).exit_code(), 1);
    assert_eq!(outcome(&[Usage]).exit_code(), 64);
    let mut one = outcome(&[]);
    one.left.push(a());
    assert_eq!(one.exit_code(), 1);
    // After a failure its own kind decides, whatever is left.
    let mut rolled = outcome(&[Rollout]);
    rolled.left.push(a());
    rolled.stopped = true;
    rolled.not_done.push((a(), String::new()));
    assert_eq!(rolled.exit_code(), 4);
    let mut stopped = outcome(&[]);
    stopped.stopped = true;
    assert_eq!(stopped.exit_code(), 1);
    let mut waiting = outcome(&[]);
    waiting.not_done.push((a(), String::new()));
    assert_eq!(waiting.exit_code(), 1);
    let mut unverified = outcome(&[]);
    unverified.unverified = Some(Error::refused(""));
    assert_eq!(unverified.exit_code(), 3);
    unverified.not_done.push((a(), String::new()));
    assert_eq!(unverified.exit_code(), 3);
}

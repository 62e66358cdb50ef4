use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::config::Tags;
use crate::kind::{AnyKind, AnySpec, Hazard};
use crate::kinds::Aside;
use crate::plan::{Input, Plan, plan};
use crate::policy::{Effect, PolicyKind};

const MARK: &str = "back-end@us-east-2";
const ACCOUNT: &str = "arn:aws:iam::123456789012";
const MANAGED: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

fn statement(effect: &str, action: &str) -> serde_json::Value {
    serde_json::json!({"Effect": effect, "Action": action, "Resource": "*"})
}

fn identity(statements: &[serde_json::Value]) -> Document {
    let text = serde_json::json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    Document::parse(&text, PolicyKind::Identity).unwrap()
}

fn allow(actions: &[&str]) -> Document {
    let all: Vec<_> = actions
        .iter()
        .map(|action| statement("Allow", action))
        .collect();
    identity(&all)
}

fn trust(services: &[&str]) -> Document {
    let text = serde_json::json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": services}
    }]});
    Document::parse(&text.to_string(), PolicyKind::Trust).unwrap()
}

fn policy_arn(name: &str) -> String {
    format!("{ACCOUNT}:policy/{name}")
}

fn policy(name: &str, document: Document) -> (Address, AnySpec) {
    let spec = policy::Spec {
        owner: Some(MARK.to_owned()),
        path: "/".to_owned(),
        description: None,
        document,
        tags: Tags::new(),
        arn: Aside(policy_arn(name)),
        others: Aside::default(),
    };
    (Address::new("policy", name), AnySpec::new(spec))
}

fn role_spec(trusted: &[&str]) -> role::Spec {
    role::Spec {
        owner: Some(MARK.to_owned()),
        path: "/".to_owned(),
        description: None,
        max_session_duration: 3600,
        trust_policy: trust(trusted),
        permissions_boundary: None,
        managed_policies: BTreeSet::new(),
        inline_policies: BTreeMap::new(),
        tags: Tags::new(),
        arn: Aside(format!("{ACCOUNT}:role/push")),
        instance_profiles: Aside::default(),
        most_policies: Aside::default(),
    }
}

fn role(spec: role::Spec) -> (Address, AnySpec) {
    (Address::new("role", "push"), AnySpec::new(spec))
}

fn with_inline(trusted: &[&str], document: Document) -> (Address, AnySpec) {
    let mut spec = role_spec(trusted);
    spec.inline_policies.insert("main".to_owned(), document);
    role(spec)
}

fn attached(arns: &[String]) -> (Address, AnySpec) {
    let mut spec = role_spec(&["ecs-tasks.amazonaws.com"]);
    spec.managed_policies = arns.iter().cloned().collect();
    role(spec)
}

fn world<const N: usize>(specs: [(Address, AnySpec); N]) -> Snapshot {
    specs.into_iter().collect()
}

fn planned(live: &Snapshot, desired: &Snapshot) -> Plan {
    plan(&Input {
        kinds: KINDS,
        law: &IamLaw::default(),
        desired,
        live,
        mark: MARK,
        runner: None,
        interrupts: false,
    })
    .unwrap_or_else(|error| panic!("{error:?}"))
}

fn calls(plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .map(|step| format!("{} {}", step.address, step.call.name()))
        .collect()
}

/// Who may do what, asked request by request and not through the law.
fn may(world: &Snapshot, service: &str, action: &str) -> bool {
    let Some(spec) = world.spec::<role::Spec>(&Address::new("role", "push")) else {
        return false;
    };
    let documents: Vec<&Document> = spec
        .managed_policies
        .iter()
        .filter_map(|arn| {
            let name = arn.rsplit('/').next()?;
            world.spec::<policy::Spec>(&Address::new("policy", name))
        })
        .map(|policy| &policy.document)
        .chain(spec.inline_policies.values())
        .collect();
    let says = |document: &Document, effect: Effect| {
        document.statements().iter().any(|statement| {
            statement.effect == effect
                && statement
                    .actions
                    .list
                    .iter()
                    .any(|one| one == action || one == "*")
        })
    };
    let trusted = spec.trust_policy.statements().iter().any(|statement| {
        statement.principals.as_ref().is_some_and(|principals| {
            principals
                .list
                .iter()
                .any(|one| one.tagged() == ("Service", service))
        })
    });
    trusted
        && documents
            .iter()
            .any(|document| says(document, Effect::Allow))
        && !documents
            .iter()
            .any(|document| says(document, Effect::Deny))
}

const SERVICES: [&str; 3] = [
    "ecs-tasks.amazonaws.com",
    "lambda.amazonaws.com",
    "ec2.amazonaws.com",
];
const ACTIONS: [&str; 3] = ["s3:GetObject", "ecr:PutImage", "logs:PutLogEvents"];

/// After every step each pair is within before and after, and what both have stays.
fn never_wider_nor_narrower(plan: &Plan, live: &Snapshot) {
    let mut now = live.clone();
    for step in &plan.steps {
        let kind: &&dyn AnyKind = KINDS
            .iter()
            .find(|kind| kind.name() == step.address.kind)
            .unwrap();
        let next = kind.effect(now.get(&step.address), &step.call).unwrap();
        now.set(&step.address, next);
        for service in SERVICES {
            for action in ACTIONS {
                let [before, during, after] =
                    [live, &now, &plan.goal].map(|world| may(world, service, action));
                assert!(
                    !during || before || after,
                    "{service} may {action} meanwhile"
                );
                assert!(
                    during || !(before && after),
                    "{service} may not {action} meanwhile"
                );
            }
        }
    }
    assert_eq!(now, plan.goal);
}

#[test]
fn permissions_that_move_between_policies_are_never_missing() {
    let both = || attached(&[policy_arn("one"), policy_arn("two")]);
    let (a, b) = (allow(&["s3:GetObject"]), allow(&["ecr:PutImage"]));
    let live = world([policy("one", a.clone()), policy("two", b.clone()), both()]);
    let desired = world([policy("one", b), policy("two", a), both()]);
    let plan = planned(&live, &desired);
    never_wider_nor_narrower(&plan, &live);
    assert!(!plan.hazards().contains(&Hazard::Broadens));
}

#[test]
fn a_role_that_changes_hands_is_held_meanwhile() {
    let live = world([with_inline(
        &["lambda.amazonaws.com"],
        allow(&["s3:GetObject"]),
    )]);
    let desired = world([with_inline(
        &["ec2.amazonaws.com"],
        allow(&["ecr:PutImage"]),
    )]);
    let plan = planned(&live, &desired);
    never_wider_nor_narrower(&plan, &live);
    let calls = calls(&plan);
    assert_eq!(
        calls.first().map(String::as_str),
        Some("role/push PutInline")
    );
    assert_eq!(
        calls.last().map(String::as_str),
        Some("role/push DeleteInline")
    );
    assert_eq!(calls.len(), 4);
}

#[test]
fn attachments_change_before_the_trust_where_that_is_narrower() {
    let mut before = role_spec(&["lambda.amazonaws.com"]);
    before.managed_policies = BTreeSet::from([policy_arn("one"), policy_arn("two")]);
    let mut after = role_spec(&["lambda.amazonaws.com", "ec2.amazonaws.com"]);
    after.managed_policies = BTreeSet::from([policy_arn("two")]);
    let policies = || {
        [
            policy("one", allow(&["s3:GetObject"])),
            policy("two", allow(&["ecr:PutImage"])),
        ]
    };
    let live: Snapshot = policies().into_iter().chain([role(before)]).collect();
    let desired: Snapshot = policies().into_iter().chain([role(after)]).collect();
    let plan = planned(&live, &desired);
    never_wider_nor_narrower(&plan, &live);
    assert_eq!(
        calls(&plan),
        ["role/push Detach", "role/push SetTrustPolicy"]
    );
    assert!(plan.hazards().contains(&Hazard::Broadens));
}

#[test]
fn a_deny_stays_until_what_it_holds_back_is_gone() {
    let deny = identity(&[statement("Deny", "s3:GetObject")]);
    let both = attached(&[policy_arn("one"), policy_arn("two")]);
    let live = world([
        policy("one", deny),
        policy("two", allow(&["s3:GetObject"])),
        both,
    ]);
    let desired = world([attached(&[])]);
    let plan = planned(&live, &desired);
    never_wider_nor_narrower(&plan, &live);
}

#[test]
fn only_what_is_gained_broadens() {
    let law = IamLaw::default();
    let push = Address::new("role", "push");
    let at = |actions: &[&str]| world([with_inline(&["lambda.amazonaws.com"], allow(actions))]);
    let (one, two) = (at(&["s3:GetObject"]), at(&["s3:GetObject", "ecr:PutImage"]));
    assert!(law.broadens(&push, &one, &two));
    assert!(!law.broadens(&push, &two, &one));
    assert!(!law.broadens(&push, &Snapshot::new(), &two));
    let change = law.access(&push, &one, &two).unwrap();
    assert_eq!(
        (change.relation.as_str(), change.gained.len()),
        ("wider", 1)
    );
    assert!(
        change
            .gained
            .iter()
            .any(|example| example.text.to_lowercase().contains("ecr:putimage"))
    );

    assert_eq!(law.access(&push, &one, &one), None);
}

#[test]
fn a_boundary_counts() {
    let law = IamLaw::default();
    let push = Address::new("role", "push");
    let bounded = |boundary: Option<&str>| {
        let mut spec = role_spec(&["lambda.amazonaws.com"]);
        spec.inline_policies
            .insert("main".to_owned(), allow(&["s3:GetObject"]));
        spec.permissions_boundary = boundary.map(policy_arn);
        world([policy("bounds", allow(&["ecr:PutImage"])), role(spec)])
    };
    assert!(law.broadens(&push, &bounded(Some("bounds")), &bounded(None)));
    assert!(!law.broadens(&push, &bounded(None), &bounded(Some("bounds"))));
    assert!(law.broadens(&push, &bounded(Some("unknown")), &bounded(None)));
    let bounds = Address::new("policy", "bounds");
    assert_eq!(law.subjects(&bounded(Some("bounds")), &bounds), [push]);
    assert!(law.subjects(&bounded(None), &bounds).is_empty());
}

#[test]
fn an_unknown_policy_broadens_where_it_changes() {
    let law = IamLaw::default();
    let push = Address::new("role", "push");
    let (without, with) = (
        world([attached(&[])]),
        world([attached(&[MANAGED.to_owned()])]),
    );
    assert!(law.broadens(&push, &without, &with));
    assert!(law.broadens(&push, &with, &without));
    let told = law.access(&push, &without, &with).unwrap();
    assert_eq!(told.relation, "unknown");
    assert_eq!(
        told.reason.unwrap(),
        format!("the document of {MANAGED} is not known.")
    );
    let unread = IamLaw {
        unread: BTreeMap::from([(MANAGED.to_owned(), "it may not be read.".to_owned())]),
        ..IamLaw::default()
    };
    let told = unread.access(&push, &without, &with).unwrap();
    assert!(
        told.reason
            .unwrap()
            .ends_with("is not known: it may not be read.")
    );
    let mut trusted = role_spec(&["ecs-tasks.amazonaws.com"]);
    trusted.managed_policies.insert(MANAGED.to_owned());
    trusted
        .inline_policies
        .insert("deny".to_owned(), identity(&[statement("Deny", "s3:*")]));
    assert!(!law.broadens(&push, &with, &world([role(trusted)])));
    let known = IamLaw {
        documents: BTreeMap::from([(MANAGED.to_owned(), allow(&["s3:GetObject"]))]),
        unread: BTreeMap::new(),
    };
    assert!(!known.broadens(&push, &with, &without));
    assert_eq!(
        known.access(&push, &without, &with).unwrap().relation,
        "wider"
    );
}

#[test]
fn a_policy_that_others_use_is_a_subject_itself() {
    let shared = |document: Document| {
        let (address, spec) = policy("one", document);
        let mut spec = spec.get::<policy::Spec>().unwrap().clone();
        spec.others = Aside(vec!["role legacy".to_owned()]);
        world([(address, AnySpec::new(spec))])
    };
    let law = IamLaw::default();
    let address = Address::new("policy", "one");
    let (before, after) = (shared(allow(&["s3:GetObject"])), shared(allow(&["s3:*"])));
    assert_eq!(
        law.subjects(&before, &address),
        std::slice::from_ref(&address)
    );
    assert!(law.broadens(&address, &before, &after));
    assert!(!law.broadens(&address, &after, &before));
}

/// What the law says of these three worlds, in words.
fn held(subject: &Address, worlds: [&Snapshot; 3]) -> Result<(), (RefusalCause, String)> {
    let [before, after, goal] = worlds;
    let held = IamLaw::default().holds(subject, before, after, goal);
    held.map_err(|refusal| (refusal.cause, refusal.message))
}

/// The policy `one`, which others use too.
fn shared(actions: &[&str]) -> Snapshot {
    let (address, spec) = policy("one", allow(actions));
    let mut spec = spec.get::<policy::Spec>().unwrap().clone();
    spec.others = Aside(vec!["role legacy".to_owned()]);
    world([(address, AnySpec::new(spec))])
}

#[test]
fn a_policy_that_others_use_stays_between_what_it_was_and_what_it_will_be() {
    let one = Address::new("policy", "one");
    let [get, put, both, all] = [
        &["s3:GetObject"][..],
        &["ecr:PutImage"],
        &["s3:GetObject", "ecr:PutImage"],
        &["s3:GetObject", "ecr:PutImage", "logs:PutLogEvents"],
    ]
    .map(shared);
    assert_eq!(held(&one, [&get, &both, &put]), Ok(()));
    assert_eq!(held(&one, [&both, &get, &get]), Ok(()));
    assert_eq!(held(&one, [&both, &both, &get]), Ok(()));
    let (cause, message) = held(&one, [&get, &all, &put]).unwrap_err();
    assert_eq!(cause, RefusalCause::Wider);
    assert!(
        message.starts_with(
            "policy/one would meanwhile allow what it does not allow at the end: logs:"
        ),
        "{message}"
    );
    let (cause, message) = held(&one, [&both, &put, &all]).unwrap_err();
    assert_eq!(cause, RefusalCause::Gap);
    assert!(
        message.starts_with("policy/one would meanwhile lack what it keeps: s3:GetObject on "),
        "{message}"
    );
}

#[test]
fn a_role_stays_between_what_it_was_and_what_it_will_be() {
    let push = Address::new("role", "push");
    let at = |service: &str, actions: &[&str]| world([with_inline(&[service], allow(actions))]);
    let (lambda, ec2) = ("lambda.amazonaws.com", "ec2.amazonaws.com");
    let [get, put] = [["s3:GetObject"], ["ecr:PutImage"]];
    let (before, goal) = (at(lambda, &get), at(ec2, &put));
    let (cause, message) = held(&push, [&before, &at(ec2, &get), &goal]).unwrap_err();
    assert_eq!(cause, RefusalCause::Wider);
    assert!(
        message.starts_with(
            "role/push would meanwhile allow what it does not allow at the end: s3:GetObject on "
        ) && message.ends_with(" by ec2.amazonaws.com."),
        "{message}"
    );
    let kept = at(lambda, &["s3:GetObject", "ecr:PutImage"]);
    let (cause, message) = held(&push, [&kept, &at(lambda, &put), &at(lambda, &get)]).unwrap_err();
    assert_eq!(cause, RefusalCause::Gap);
    assert!(
        message.starts_with("role/push would meanwhile lack what it keeps: s3:GetObject on "),
        "{message}"
    );
}

#[test]
fn a_boundary_that_nobody_knows_is_undecided_where_it_changes() {
    let push = Address::new("role", "push");
    let bounded = |boundary: Option<&str>, actions: &[&str]| {
        let mut spec = role_spec(&["lambda.amazonaws.com"]);
        spec.inline_policies
            .insert("main".to_owned(), allow(actions));
        spec.permissions_boundary = boundary.map(policy_arn);
        world([role(spec)])
    };
    let (get, put) = (&["s3:GetObject"][..], &["ecr:PutImage"][..]);
    let (unknown, none) = (bounded(Some("unknown"), get), bounded(None, get));
    let (cause, message) = held(&push, [&unknown, &none, &bounded(None, put)]).unwrap_err();
    assert_eq!(cause, RefusalCause::Wider);
    assert_eq!(
        message,
        format!(
            "Whether role/push would meanwhile allow more could not be decided: the document of {} is not known.",
            policy_arn("unknown")
        )
    );
    // The same boundary everywhere: what is compared is what it bounds.
    let law = IamLaw::default();
    assert!(law.broadens(&push, &unknown, &bounded(Some("unknown"), put)));
    let both = bounded(Some("unknown"), &["s3:GetObject", "ecr:PutImage"]);
    assert!(!law.broadens(&push, &both, &unknown));
    let told = law.access(&push, &unknown, &none).unwrap();
    assert_eq!((told.relation.as_str(), told.gained.len()), ("unknown", 0));
    assert_eq!(told.subject, "role/push");
    // Where a step changes nothing, or is the last one, nothing has to be known.
    assert_eq!(held(&push, [&unknown, &unknown, &none]), Ok(()));
    assert_eq!(held(&push, [&unknown, &none, &none]), Ok(()));
}

/// The sentences of a change: what is gained, and what is lost.
fn told(
    subject: &Address,
    before: &Snapshot,
    after: &Snapshot,
) -> (String, Vec<String>, Vec<String>) {
    let change = IamLaw::default().access(subject, before, after).unwrap();
    assert_eq!(change.subject, subject.to_string());
    let texts = |examples: &[crate::kind::AccessExample]| {
        examples
            .iter()
            .map(|example| example.text.clone())
            .collect()
    };
    (
        change.relation.clone(),
        texts(&change.gained),
        texts(&change.lost),
    )
}

#[test]
fn a_change_says_who_may_do_what_by_which_statement() {
    let push = Address::new("role", "push");
    let at = |service: &str, action: &str| {
        let named = serde_json::json!({"Sid": "Main", "Effect": "Allow", "Action": action, "Resource": "*"});
        world([with_inline(&[service], identity(&[named]))])
    };
    let before = at("lambda.amazonaws.com", "s3:GetObject");
    let (relation, gained, lost) =
        told(&push, &before, &at("lambda.amazonaws.com", "ecr:PutImage"));
    assert_eq!(relation, "incomparable");
    for (texts, action) in [(gained, "ecr:PutImage"), (lost, "s3:GetObject")] {
        assert_eq!(texts.len(), 1, "{texts:?}");
        assert!(texts[0].starts_with("`push` "), "{texts:?}");
        assert!(texts[0].contains(action), "{texts:?}");
        assert!(texts[0].ends_with(" (statement 1 Main)"), "{texts:?}");
    }
    let (relation, gained, lost) = told(&push, &before, &at("ec2.amazonaws.com", "s3:GetObject"));
    assert_eq!(
        (relation.as_str(), gained.len(), lost.len()),
        ("incomparable", 1, 1)
    );
    assert!(gained[0].contains("ec2.amazonaws.com"), "{gained:?}");
    assert!(
        gained[0].ends_with(" on `push` (statement 1)"),
        "{gained:?}"
    );
}

#[test]
fn what_is_compared_apart_is_told_together() {
    let push = Address::new("role", "push");
    let at = |services: &[&str], actions: &[&str]| world([with_inline(services, allow(actions))]);
    let (one, two) = (
        ["lambda.amazonaws.com"],
        ["lambda.amazonaws.com", "ec2.amazonaws.com"],
    );
    let (get, both) = (["s3:GetObject"], ["s3:GetObject", "ecr:PutImage"]);
    let relation = |before: &Snapshot, after: &Snapshot| told(&push, before, after).0;
    assert_eq!(relation(&at(&one, &get), &at(&two, &both)), "wider");
    assert_eq!(relation(&at(&two, &both), &at(&one, &get)), "narrower");
    assert_eq!(relation(&at(&one, &get), &at(&two, &get)), "wider");
    assert_eq!(relation(&at(&one, &get), &at(&one, &both)), "wider");
    assert_eq!(relation(&at(&two, &get), &at(&one, &both)), "incomparable");
}

#[test]
fn a_policy_that_others_use_is_told_as_what_whoever_has_it_may_do() {
    let one = Address::new("policy", "one");
    let (get, both) = (
        shared(&["s3:GetObject"]),
        shared(&["s3:GetObject", "ecr:PutImage"]),
    );
    let (relation, gained, lost) = told(&one, &get, &both);
    assert_eq!((relation.as_str(), lost.len()), ("wider", 0));
    assert!(gained[0].starts_with("whoever has `one` "), "{gained:?}");
    assert_eq!(IamLaw::default().access(&one, &get, &get), None);
    assert_eq!(IamLaw::default().access(&one, &Snapshot::new(), &get), None);
}

#[test]
fn a_policy_of_aws_is_not_the_declared_one_of_the_same_name() {
    let push = Address::new("role", "push");
    let theirs = "arn:aws:iam::aws:policy/one".to_owned();
    let at = |arns: &[String]| world([policy("one", allow(&["ecr:PutImage"])), attached(arns)]);
    let law = IamLaw {
        documents: BTreeMap::from([(theirs.clone(), allow(&["s3:GetObject"]))]),
        unread: BTreeMap::new(),
    };
    let gained = law.access(&push, &at(&[]), &at(&[theirs])).unwrap().gained;
    assert_eq!(gained.len(), 1);
    assert!(
        gained[0].text.contains("s3:GetObject"),
        "{}",
        gained[0].text
    );
}

#[test]
fn a_repository_is_a_subject_where_it_has_a_policy() {
    use crate::kinds::repository::{Spec, tests::repository};
    let statement =
        serde_json::json!({"Effect": "Allow", "Principal": "*", "Action": "ecr:PutImage"});
    let text = serde_json::json!({"Version": "2012-10-17", "Statement": statement}).to_string();
    let public = Document::parse(&text, PolicyKind::Resource).unwrap();
    let images = Address::new("repository", "images");
    let at = |policy: Option<Document>| {
        let spec = Spec {
            policy,
            ..repository()
        };
        world([(images.clone(), AnySpec::new(spec))])
    };
    let law = IamLaw::default();
    let (closed, open) = (at(None), at(Some(public)));
    assert_eq!(law.subjects(&closed, &images), []);
    assert_eq!(law.subjects(&open, &images), std::slice::from_ref(&images));
    assert!(law.broadens(&images, &closed, &open));
    let (relation, gained, _) = told(&images, &closed, &open);
    assert_eq!(relation, "wider");
    assert!(gained[0].contains("may now `ecr:PutImage`"), "{gained:?}");
    assert!(!gained[0].contains("`images`"), "{gained:?}");
}

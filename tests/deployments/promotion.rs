//! Production takes only the digest that staging has proved: random histories of staging, and after
//! each of their steps an attempt to promote, judged on the sandbox's own records.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use provision::rollout::{Selection, Until};
use provision::sandbox::{Behaviour, Cause, Script, Service};
use serde_json::{Value, json};

use super::world::{CLUSTER, PRODUCTION, STAGING, World, following};

/// Histories that are tried: every step of each is one attempt to promote.
const HISTORIES: u32 = 60;

/// What happens to staging.
#[derive(Clone, Debug)]
enum Step {
    /// A build pushes an image.
    Push,
    /// A build moves the tag back to an older image.
    MoveTag(usize),
    /// A deployment, which goes so and is or is not waited for.
    Deploy(Behaviour, bool),
    /// A rollback.
    Rollback,
    /// Somebody sets the number of tasks.
    Scale(i64),
    /// Somebody else deploys one of the revisions.
    Another(usize, Behaviour),
    /// Time passes, in seconds.
    Wait(u64),
}

fn behaviour() -> impl Strategy<Value = Behaviour> {
    prop_oneof![
        4 => Just(Behaviour::Quick),
        1 => Just(Behaviour::Slow),
        1 => Just(Behaviour::BreakerRollback),
        1 => Just(Behaviour::Breaker),
        1 => Just(Behaviour::RollbackFails),
        1 => Just(Behaviour::Aborted),
        1 => Just(Behaviour::Stuck),
        1 => Just(Behaviour::Flapping),
        1 => Just(Behaviour::Another),
        1 => Just(Behaviour::Pause),
        1 => Just(Behaviour::HookFails),
        1 => Just(Behaviour::Autoscaled(0)),
        1 => Just(Behaviour::Fails(Cause::OutOfMemory)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Push),
        1 => (0_usize..4).prop_map(Step::MoveTag),
        5 => (behaviour(), any::<bool>()).prop_map(|(how, waits)| Step::Deploy(how, waits)),
        1 => Just(Step::Rollback),
        1 => (0_i64..3).prop_map(Step::Scale),
        1 => ((0_usize..4), behaviour()).prop_map(|(which, how)| Step::Another(which, how)),
        2 => (1_u64..400).prop_map(Step::Wait),
    ]
}

/// Does one step to staging.
async fn happen(world: &World, step: &Step, digests: &mut Vec<String>) {
    match step {
        Step::Push => digests.push(world.push("staging")),
        Step::MoveTag(which) => {
            let Some(digest) = digests.get(*which % digests.len().max(1)) else {
                return;
            };
            let image = world.sandbox.ask(
                Service::Ecr,
                "BatchGetImage",
                json!({"repositoryName": "back-end", "imageIds": [{"imageDigest": digest}]}),
            );
            let manifest = &image.unwrap()["images"][0]["imageManifest"];
            let put = json!({
                "repositoryName": "back-end", "imageManifest": manifest, "imageTag": "staging",
            });
            let _ = world.sandbox.ask(Service::Ecr, "PutImage", put);
        }
        Step::Deploy(behaviour, waits) => {
            world.sandbox.play(Script::rollouts(behaviour.clone()));
            let mut following = following();
            following.timeout = Duration::from_mins(2);
            if !waits {
                following.until = Until::None;
            }
            world
                .deploy_with("staging", &Selection::Declared, following)
                .await;
        }
        Step::Rollback => {
            world.rollback("staging", None).await;
        }
        Step::Scale(tasks) => {
            let scale = json!({"cluster": CLUSTER, "service": STAGING, "desiredCount": tasks});
            world.ecs("UpdateService", scale);
        }
        Step::Another(which, behaviour) => {
            world.sandbox.play(Script::rollouts(behaviour.clone()));
            let list = json!({"familyPrefix": STAGING, "status": "ACTIVE"});
            let list = world.ecs("ListTaskDefinitions", list);
            let arns = list["taskDefinitionArns"].as_array().unwrap();
            let arn = &arns[which % arns.len()];
            let update = json!({"cluster": CLUSTER, "service": STAGING, "taskDefinition": arn});
            world.ecs("UpdateService", update);
        }
        Step::Wait(seconds) => world.clock.advance(Duration::from_secs(*seconds)),
    }
}

/// The image that staging has proved by the sandbox's own records: its last deployment ended well or
/// went back, the revision that it is on has been brought by a successful one, and all its tasks run.
fn proved(world: &World) -> Option<String> {
    let service = world.service(STAGING);
    let deployments = world.deployments(STAGING);
    let revision = |deployment: &Value| {
        let arn = &deployment["targetServiceRevisionArn"];
        let answer = world.ecs(
            "DescribeServiceRevisions",
            json!({"serviceRevisionArns": [arn]}),
        );
        answer["serviceRevisions"][0]["taskDefinition"].clone()
    };
    let newest = deployments.first()?;
    let ended = newest["status"] == "SUCCESSFUL" || newest["status"] == "ROLLBACK_SUCCESSFUL";
    let succeeded = deployments
        .iter()
        .any(|one| one["status"] == "SUCCESSFUL" && revision(one) == service["taskDefinition"]);
    let (running, desired) = (&service["runningCount"], &service["desiredCount"]);
    let image = world.image(STAGING);
    let is_digest = image.contains('@');
    let runs = running == desired && running.as_i64() > Some(0);
    (ended && succeeded && runs && is_digest).then_some(image)
}

#[test]
fn production_takes_only_what_staging_has_run_to_success_and_runs_now() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let tried = std::cell::Cell::new((0_u32, 0_u32));
    let mut runner = TestRunner::new_with_rng(
        Config {
            cases: HISTORIES,
            failure_persistence: None,
            ..Config::default()
        },
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let histories = prop::collection::vec(step(), 1..8);
    runner
        .run(&histories, |history| {
            runtime.block_on(async {
                let world = World::running().await;
                let mut digests = Vec::new();
                for step in &history {
                    happen(&world, step, &mut digests).await;
                    world.sandbox.play(Script::default());
                    let before = world.image(PRODUCTION);
                    let sent = world.deployments(PRODUCTION).len();
                    let proof = proved(&world);
                    let ran = world.promote().await;
                    let after = world.image(PRODUCTION);
                    let (shipped, refused) = tried.get();
                    if let Some(image) = &proof {
                        tried.set((shipped + 1, refused));
                        prop_assert_eq!(ran.exit, 0, "{:?}", ran);
                        prop_assert_eq!(&after, image);
                    } else {
                        tried.set((shipped, refused + 1));
                        prop_assert_eq!(ran.exit, 3, "{:?}", ran);
                        prop_assert_eq!(&after, &before);
                        prop_assert_eq!(world.deployments(PRODUCTION).len(), sent);
                    }
                }
                Ok(())
            })
        })
        .unwrap();
    let (shipped, refused) = tried.get();
    assert!(
        shipped > HISTORIES / 2 && refused > HISTORIES / 2,
        "{shipped} shipped, {refused} refused: the test looks at one side only"
    );
}

#[tokio::test]
async fn the_evidence_stays_on_the_revision() {
    let world = World::running().await;
    let digest = world.push("staging");
    assert_eq!(world.deploy("staging").await.exit, 0);
    let deployment = world.deployments(STAGING)[0]["serviceDeploymentArn"].clone();
    let ran = world.promote().await;
    assert_eq!(ran.exit, 0, "{ran:?}");
    let service = world.service(PRODUCTION);
    let answer = world.ecs(
        "DescribeTaskDefinition",
        json!({"taskDefinition": service["taskDefinition"], "include": ["TAGS"]}),
    );
    let tags = answer["tags"].as_array().unwrap();
    let value = |key: &str| {
        let tag = tags.iter().find(|tag| tag["key"] == key);
        tag.map(|tag| tag["value"].clone()).unwrap_or_default()
    };
    assert_eq!(value("provision:proved-by"), deployment);
    assert_eq!(value("provision:proved-in"), "staging");
    assert_eq!(value("provision:proved-digest"), digest.as_str());
    assert!(value("provision:proved-since").is_string());
    assert!(
        ran.said.contains(deployment.as_str().unwrap()),
        "{}",
        ran.said
    );
}

#[tokio::test]
async fn what_is_not_proved_goes_to_production_only_where_that_is_allowed() {
    let world = World::running().await;
    world.push("prod");
    let before = world.image(PRODUCTION);
    let ran = world.deploy("production").await;
    assert_eq!(ran.exit, 3, "{ran:?}");
    assert_eq!(world.image(PRODUCTION), before);
    let order = provision::rollout::DeployOrder {
        environment: "production",
        service: None,
        selection: &Selection::Declared,
        force: false,
        unproved: true,
        following: following(),
    };
    let ran = world
        .play(&world.client, async |run| {
            provision::rollout::deploy(run, &order).await
        })
        .await;
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert!(ran.said.contains("Unproved"), "{}", ran.said);
    assert_ne!(world.image(PRODUCTION), before);
}

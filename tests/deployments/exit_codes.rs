//! Every behaviour of reliability.md under deploy, promote and rollback: none ends in a wrong exit
//! code, and what is said names the ending.

use std::time::Duration;

use provision::rollout::Until;
use provision::sandbox::{Behaviour, Cause, Fault, FaultKind, Script, Times};

use super::world::{PRODUCTION, STAGING, World, following};

/// A behaviour, the exit code, and the word for the ending.
fn behaviours() -> Vec<(Behaviour, u8, &'static str)> {
    vec![
        (Behaviour::Quick, 0, "succeeded"),
        (Behaviour::Slow, 0, "succeeded"),
        (Behaviour::BreakerRollback, 4, "rolled-back"),
        (Behaviour::Breaker, 4, "failed"),
        (Behaviour::Stuck, 4, "timed-out"),
        (Behaviour::Flapping, 4, "timed-out"),
        (Behaviour::Another, 4, "superseded"),
        (Behaviour::Autoscaled(3), 0, "succeeded"),
        (Behaviour::Pause, 4, "paused"),
        // Beyond the nine.
        (Behaviour::Autoscaled(0), 4, "scaled-to-zero"),
        (Behaviour::RollbackFails, 4, "rollback-failed"),
        (Behaviour::Aborted, 4, "stopped"),
        (Behaviour::Alarm, 4, "failed"),
        (Behaviour::HookFails, 4, "rolled-back"),
        (Behaviour::Fails(Cause::OutOfMemory), 4, "rolled-back"),
        (Behaviour::Fails(Cause::Architecture), 4, "rolled-back"),
    ]
}

#[tokio::test]
async fn deploy_promote_and_rollback_end_as_their_rollout_does() {
    for (behaviour, exit, result) in behaviours() {
        let world = World::running().await;
        world.push("staging");
        world.sandbox.play(Script::rollouts(behaviour.clone()));
        let ran = world.deploy("staging").await;
        assert_eq!(
            (ran.exit, ran.reports[0].result),
            (exit, result),
            "deploy: {ran:?}"
        );

        let world = World::running().await;
        world.push("staging");
        assert_eq!(world.deploy("staging").await.exit, 0);
        world.sandbox.play(Script::rollouts(behaviour.clone()));
        let ran = world.promote().await;
        assert_eq!(
            (ran.exit, ran.reports[0].result),
            (exit, result),
            "promote: {ran:?}"
        );

        let world = World::running().await;
        world.push("staging");
        assert_eq!(world.deploy("staging").await.exit, 0);
        world.sandbox.play(Script::rollouts(behaviour.clone()));
        let ran = world.rollback("staging", None).await;
        assert_eq!(
            (ran.exit, ran.reports[0].result),
            (exit, result),
            "rollback: {ran:?}"
        );
    }
}

#[tokio::test]
async fn endpoints_without_service_deployments_end_the_same() {
    for (behaviour, exit, result) in behaviours() {
        if matches!(
            behaviour,
            Behaviour::Pause | Behaviour::RollbackFails | Behaviour::Aborted
        ) {
            // Only the service deployment tells these apart.
            continue;
        }
        let world = World::running().await;
        world.push("staging");
        let mut script = Script::rollouts(behaviour.clone());
        script.fault = ["ecs:ListServiceDeployments", "ecs:DescribeServiceRevisions"]
            .map(|name| Fault::on(name, FaultKind::UnknownOperation).times(Times::FOREVER))
            .to_vec();
        world.sandbox.play(script);
        let ran = world.deploy("staging").await;
        assert_eq!((ran.exit, ran.reports[0].result), (exit, result), "{ran:?}");
        let outcome = ran.reports[0].outcome.as_ref().unwrap();
        assert_eq!(outcome.evidence.name(), "deployment in DescribeServices");
    }
}

#[tokio::test]
async fn how_far_a_rollout_is_followed_is_told() {
    let deploy = async |behaviour: Behaviour, until: Until| {
        let world = World::running().await;
        world.push("staging");
        world.sandbox.play(Script::rollouts(behaviour));
        let mut following = following();
        following.until = until;
        let ran = world
            .deploy_with(
                "staging",
                &provision::rollout::Selection::Declared,
                following,
            )
            .await;
        (ran.exit, ran.reports[0].result)
    };
    assert_eq!(deploy(Behaviour::Stuck, Until::None).await, (0, "started"));
    assert_eq!(deploy(Behaviour::Pause, Until::Paused).await, (0, "paused"));
    assert_eq!(
        deploy(Behaviour::Quick, Until::Paused).await,
        (0, "succeeded")
    );
    assert_eq!(
        deploy(Behaviour::Quick, Until::Stable).await,
        (0, "succeeded")
    );
    assert_eq!(deploy(Behaviour::Pause, Until::Stable).await, (4, "paused"));
}

#[tokio::test]
async fn a_rollback_of_what_is_under_way_stops_it() {
    for behaviour in [Behaviour::Stuck, Behaviour::Slow, Behaviour::Pause] {
        let world = World::running().await;
        let before = world.image(STAGING);
        world.push("staging");
        world.sandbox.play(Script::rollouts(behaviour.clone()));
        let mut none = following();
        none.until = Until::None;
        let selection = provision::rollout::Selection::Declared;
        assert_eq!(world.deploy_with("staging", &selection, none).await.exit, 0);
        world.clock.advance(Duration::from_secs(20));
        let revisions = world.revisions(STAGING);
        let ran = world.rollback("staging", None).await;
        assert_eq!(
            (ran.exit, ran.reports[0].result),
            (0, "rolled-back"),
            "{ran:?}"
        );
        assert_eq!(world.image(STAGING), before);
        assert!(before.ends_with(&ran.reports[0].digest), "{ran:?}");
        assert_eq!(
            world.deployments(STAGING)[0]["status"],
            "ROLLBACK_SUCCESSFUL"
        );
        assert_eq!(
            world.revisions(STAGING),
            revisions,
            "a rollback registers nothing"
        );
        // Again it stays there.
        let again = world.rollback("staging", None).await;
        assert_eq!((again.exit, again.reports[0].result), (0, "unchanged"));
        assert_eq!(world.image(STAGING), before);
    }
}

#[tokio::test]
async fn a_rollback_goes_where_it_is_told() {
    let world = World::running().await;
    let first = world.image(STAGING);
    let mut images = vec![first.clone()];
    for _ in 0..2 {
        world.push("staging");
        assert_eq!(world.deploy("staging").await.exit, 0);
        images.push(world.image(STAGING));
    }
    let revisions = world.revisions(STAGING);
    let digest = first.split_once('@').unwrap().1;
    for (to, wanted) in [
        (Some(digest), &images[0]),
        (Some("back-end-staging:3"), &images[1]),
        (Some("4"), &images[2]),
        (None, &images[1]),
    ] {
        let ran = world.rollback("staging", to).await;
        assert_eq!(
            (ran.exit, ran.reports[0].result),
            (0, "succeeded"),
            "{to:?} {ran:?}"
        );
        assert_eq!(world.image(STAGING), *wanted, "{to:?}");
    }
    assert_eq!(
        world.revisions(STAGING),
        revisions,
        "no revision was made or removed"
    );
    for (to, exit) in [("99", 1), ("other:1", 64), ("nonsense", 64)] {
        assert_eq!(world.rollback("staging", Some(to)).await.exit, exit, "{to}");
    }
    let gone = format!("sha256:{}", "0".repeat(64));
    assert_eq!(world.rollback("staging", Some(&gone)).await.exit, 1);
}

#[tokio::test]
async fn without_a_previous_revision_a_rollback_says_so_and_touches_nothing() {
    let world = World::applied().await;
    world.push("staging");
    assert_eq!(world.deploy("staging").await.exit, 0);
    let image = world.image(STAGING);
    let before = world.deployments(STAGING).len();
    let ran = world.rollback("staging", None).await;
    assert_eq!(ran.exit, 1, "{ran:?}");
    let error = ran.error.unwrap();
    assert!(error.message.contains("no earlier revision"), "{error:?}");
    assert_eq!(world.image(STAGING), image);
    assert_eq!(world.deployments(STAGING).len(), before);
    assert_ne!(world.image(PRODUCTION), "");
}

//! What a deployment costs: the exact list of its requests, and the time between its polls.

use provision::sandbox::{Behaviour, Script};

use super::world::World;

/// The requests since the last look, in order, each as `service:Operation`.
fn requests(world: &World) -> Vec<(String, f64)> {
    let trace = world.sandbox.take_trace();
    trace
        .iter()
        .map(|entry| {
            (
                format!("{}:{}", entry.service.name(), entry.operation),
                entry.at,
            )
        })
        .collect()
}

fn names(requests: &[(String, f64)]) -> Vec<&str> {
    requests.iter().map(|(name, _)| name.as_str()).collect()
}

#[tokio::test]
async fn a_deployment_sends_these_requests_and_no_others() {
    let world = World::running().await;
    world.push("staging");
    let _ = world.sandbox.take_trace();
    assert_eq!(world.deploy("staging").await.exit, 0);
    let sent = requests(&world);
    assert_eq!(
        names(&sent),
        [
            // Who this is, and what runs.
            "sts:GetCallerIdentity",
            "ecs:DescribeServices",
            "ecs:DescribeTaskDefinition",
            // The digest of the tag.
            "ecr:DescribeImages",
            // The checks: the manifest and the processor in it, the log group, the roles and what they may,
            // the secret.
            "ecr:BatchGetImage",
            "ecr:GetDownloadUrlForLayer",
            "logs:DescribeLogGroups",
            "iam:GetAccountAuthorizationDetails",
            "iam:ListRoles",
            "secretsmanager:DescribeSecret",
            // The revision: the secret's ARN in it, those that are there, and a new one.
            "secretsmanager:DescribeSecret",
            "ecs:ListTaskDefinitions",
            "ecs:DescribeTaskDefinition",
            "ecs:RegisterTaskDefinition",
            "ecs:UpdateService",
            // Two polls, and which service deployment it is.
            "ecs:DescribeServices",
            "ecs:ListServiceDeployments",
            "ecs:DescribeServiceRevisions",
            "ecs:DescribeServiceDeployments",
            "ecs:DescribeServices",
            "ecs:DescribeServiceDeployments",
        ]
    );
}

#[tokio::test]
async fn a_deployment_of_a_revision_that_is_there_registers_none() {
    let world = World::running().await;
    world.push("staging");
    assert_eq!(world.deploy("staging").await.exit, 0);
    assert_eq!(world.rollback("staging", None).await.exit, 0);
    let _ = world.sandbox.take_trace();
    let ran = world.deploy("staging").await;
    assert_eq!(ran.reports[0].result, "succeeded", "{ran:?}");
    let sent = requests(&world);
    let count = |name: &str| sent.iter().filter(|(sent, _)| sent == name).count();
    assert_eq!(count("ecs:RegisterTaskDefinition"), 0);
    assert_eq!(count("ecs:UpdateService"), 1);
    // Once more there is nothing to do, and nothing is written.
    assert_eq!(world.deploy("staging").await.reports[0].result, "unchanged");
    assert!(world.sandbox.take_trace().iter().all(|entry| entry.reads));
}

#[tokio::test]
async fn polls_are_at_least_five_seconds_apart() {
    let world = World::running().await;
    world.push("staging");
    world.sandbox.play(Script::rollouts(Behaviour::Slow));
    let _ = world.sandbox.take_trace();
    assert_eq!(world.deploy("staging").await.exit, 0);
    let sent = requests(&world);
    let update = sent
        .iter()
        .position(|(name, _)| name == "ecs:UpdateService")
        .unwrap();
    let polls: Vec<f64> = sent[update..]
        .iter()
        .filter(|(name, _)| name == "ecs:DescribeServices")
        .map(|(_, at)| *at)
        .collect();
    assert!(polls.len() > 40, "{polls:?}");
    assert!(
        polls.windows(2).all(|pair| pair[1] - pair[0] >= 4.999),
        "{polls:?}"
    );
    // A poll is two requests, once it is known which deployment it is.
    let rest: Vec<&str> = sent[update + 5..]
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    for pair in rest.chunks(2) {
        let wanted = ["ecs:DescribeServices", "ecs:DescribeServiceDeployments"];
        assert_eq!(pair, wanted);
    }
}

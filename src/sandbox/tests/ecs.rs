//! ECS: what it fills in, and how rollouts end.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{
    AwsVpcConfiguration, Compatibility, ContainerDefinition, DeploymentCircuitBreaker,
    DeploymentConfiguration, DeploymentLifecycleHookAction, LaunchType, NetworkConfiguration,
    NetworkMode, ServiceDeploymentStatus, StopServiceDeploymentStopType,
};

use super::super::{Behaviour, Cause, Sandbox, Script};
use super::{ACCOUNT, config};
use crate::clock::VirtualClock;

struct Stage {
    sandbox: Sandbox,
    clock: Arc<VirtualClock>,
    ecs: Client,
}

impl Stage {
    /// A cluster, and a service that has reached its first steady state.
    async fn set() -> Self {
        let clock = Arc::new(VirtualClock::default());
        let sandbox = Sandbox::in_memory(ACCOUNT, "us-east-2", Arc::<VirtualClock>::clone(&clock));
        let ecs = Client::new(&config(&sandbox));
        ecs.create_cluster().cluster_name("c").send().await.unwrap();
        let stage = Self {
            sandbox,
            clock,
            ecs,
        };
        stage.register("public/web:1").await;
        let breaker = DeploymentCircuitBreaker::builder()
            .enable(true)
            .rollback(true)
            .build();
        let deployment = DeploymentConfiguration::builder()
            .deployment_circuit_breaker(breaker)
            .build();
        let network = AwsVpcConfiguration::builder()
            .subnets("subnet-0a")
            .build()
            .unwrap();
        let network = NetworkConfiguration::builder()
            .awsvpc_configuration(network)
            .build();
        let create = stage
            .ecs
            .create_service()
            .cluster("c")
            .service_name("web")
            .task_definition("web:1")
            .desired_count(2);
        let create = create
            .launch_type(LaunchType::Fargate)
            .network_configuration(network)
            .client_token("t");
        create
            .deployment_configuration(deployment)
            .send()
            .await
            .unwrap();
        stage.wait(10);
        stage
    }

    async fn register(&self, image: &str) -> String {
        let container = ContainerDefinition::builder()
            .name("web")
            .image(image)
            .build();
        let request = self
            .ecs
            .register_task_definition()
            .family("web")
            .container_definitions(container);
        let request = request
            .cpu("0.25 vCPU")
            .memory("512")
            .network_mode(NetworkMode::Awsvpc);
        let made = request
            .requires_compatibilities(Compatibility::Fargate)
            .send()
            .await
            .unwrap();
        made.task_definition.unwrap().task_definition_arn.unwrap()
    }

    fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Deploys a new revision under a behaviour and gives the service deployment's ARN.
    async fn deploy(&self, behaviour: Behaviour) -> String {
        self.sandbox.play(Script::rollouts(behaviour));
        let arn = self.register("public/web:2").await;
        let update = self
            .ecs
            .update_service()
            .cluster("c")
            .service("web")
            .task_definition(arn);
        let service = update.send().await.unwrap().service.unwrap();
        assert_eq!(service.deployments().len(), 2);
        let listed = self
            .ecs
            .list_service_deployments()
            .cluster("c")
            .service("web")
            .send()
            .await
            .unwrap();
        listed.service_deployments()[0]
            .service_deployment_arn
            .clone()
            .unwrap()
    }

    async fn status(&self, arn: &str) -> ServiceDeploymentStatus {
        let described = self
            .ecs
            .describe_service_deployments()
            .service_deployment_arns(arn)
            .send()
            .await
            .unwrap();
        described.service_deployments()[0].status.clone().unwrap()
    }

    async fn service(&self) -> aws_sdk_ecs::types::Service {
        let described = self
            .ecs
            .describe_services()
            .cluster("c")
            .services("web")
            .send()
            .await
            .unwrap();
        described.services()[0].clone()
    }
}

#[tokio::test]
async fn a_definition_is_stored_with_the_defaults_of_ecs() {
    let stage = Stage::set().await;
    let described = stage
        .ecs
        .describe_task_definition()
        .task_definition("web")
        .send()
        .await
        .unwrap();
    let definition = described.task_definition.unwrap();
    assert_eq!(definition.cpu(), Some("256"));
    let container = &definition.container_definitions()[0];
    assert_eq!((container.essential, container.cpu), (Some(true), 0));
    assert!(container.environment.is_some() && container.version_consistency.is_some());
    let bad = stage
        .ecs
        .register_task_definition()
        .family("x")
        .cpu("256")
        .memory("4096");
    let container = ContainerDefinition::builder()
        .name("web")
        .image("i")
        .build();
    let bad = bad
        .container_definitions(container)
        .network_mode(NetworkMode::Awsvpc);
    let bad = bad
        .requires_compatibilities(Compatibility::Fargate)
        .send()
        .await;
    assert!(bad.unwrap_err().into_service_error().is_client_exception());
}

#[tokio::test]
async fn every_behaviour_comes_to_its_own_end() {
    use ServiceDeploymentStatus as Status;
    let in_progress = [
        (Behaviour::Slow, 100, "web:2"),
        (Behaviour::Stuck, 5000, "web:2"),
        (Behaviour::Flapping, 5000, "web:2"),
    ];
    let ends = [
        (Behaviour::Quick, 10, Status::Successful, "web:2"),
        (Behaviour::Slow, 300, Status::Successful, "web:2"),
        (
            Behaviour::BreakerRollback,
            20,
            Status::RollbackInProgress,
            "web:1",
        ),
        (
            Behaviour::Fails(Cause::Exit),
            30,
            Status::RollbackInProgress,
            "web:1",
        ),
        (Behaviour::Breaker, 30, Status::Stopped, "web:2"),
        (Behaviour::Another, 10, Status::Stopped, "web:1"),
        (Behaviour::Autoscaled(5), 10, Status::Successful, "web:2"),
    ];
    let going = in_progress.map(|(behaviour, seconds, definition)| {
        (behaviour, seconds, Status::InProgress, definition)
    });
    for (behaviour, seconds, status, definition) in going.into_iter().chain(ends) {
        let desired = if matches!(behaviour, Behaviour::Autoscaled(_)) {
            5
        } else {
            2
        };
        let stage = Stage::set().await;
        let arn = stage.deploy(behaviour.clone()).await;
        stage.wait(seconds);
        assert_eq!(stage.status(&arn).await, status, "{behaviour:?}");
        let service = stage.service().await;
        assert_eq!(service.desired_count, desired, "{behaviour:?}");
        assert!(
            service.task_definition().unwrap().ends_with(definition),
            "{behaviour:?}"
        );
    }
}

#[tokio::test]
async fn a_rollback_ends_with_the_old_revision_and_the_reasons_of_its_tasks() {
    let stage = Stage::set().await;
    let arn = stage.deploy(Behaviour::Fails(Cause::OutOfMemory)).await;
    stage.wait(20);
    stage.status(&arn).await;
    stage.wait(20);
    assert_eq!(
        stage.status(&arn).await,
        ServiceDeploymentStatus::RollbackSuccessful
    );
    assert_eq!(stage.service().await.running_count, 2);
    let stopped = stage
        .ecs
        .list_tasks()
        .cluster("c")
        .desired_status(aws_sdk_ecs::types::DesiredStatus::Stopped);
    let stopped = stopped.send().await.unwrap();
    let described = stage
        .ecs
        .describe_tasks()
        .cluster("c")
        .set_tasks(stopped.task_arns)
        .send()
        .await
        .unwrap();
    let killed = described
        .tasks()
        .iter()
        .filter(|task| task.containers()[0].exit_code == Some(137))
        .count();
    assert_eq!(killed, 3);
}

#[tokio::test]
async fn a_pause_waits_for_somebody() {
    let stage = Stage::set().await;
    for (action, end) in [
        (
            DeploymentLifecycleHookAction::Continue,
            ServiceDeploymentStatus::Successful,
        ),
        (
            DeploymentLifecycleHookAction::Rollback,
            ServiceDeploymentStatus::RollbackSuccessful,
        ),
    ] {
        let arn = stage.deploy(Behaviour::Pause).await;
        stage.wait(60);
        let described = stage
            .ecs
            .describe_service_deployments()
            .service_deployment_arns(&arn)
            .send()
            .await
            .unwrap();
        let hook = described.service_deployments()[0].lifecycle_hook_details()[0]
            .hook_id
            .clone()
            .unwrap();
        let request = stage
            .ecs
            .continue_service_deployment()
            .service_deployment_arn(&arn)
            .hook_id(hook);
        request.action(action).send().await.unwrap();
        stage.wait(10);
        assert_eq!(stage.status(&arn).await, end);
    }
    let arn = stage.deploy(Behaviour::Pause).await;
    stage.wait(5);
    stage.status(&arn).await;
    stage.wait(1441 * 60);
    stage.status(&arn).await;
    stage.wait(10);
    assert_eq!(
        stage.status(&arn).await,
        ServiceDeploymentStatus::RollbackSuccessful
    );
}

#[tokio::test]
async fn a_stopped_deployment_goes_back() {
    let stage = Stage::set().await;
    let arn = stage.deploy(Behaviour::Stuck).await;
    stage.wait(30);
    let stop = stage
        .ecs
        .stop_service_deployment()
        .service_deployment_arn(&arn);
    stop.stop_type(StopServiceDeploymentStopType::Rollback)
        .send()
        .await
        .unwrap();
    stage.wait(10);
    assert_eq!(
        stage.status(&arn).await,
        ServiceDeploymentStatus::RollbackSuccessful
    );
    let again = stage
        .ecs
        .stop_service_deployment()
        .service_deployment_arn(&arn)
        .send()
        .await;
    assert!(
        again
            .unwrap_err()
            .into_service_error()
            .is_conflict_exception()
    );
}

#[tokio::test]
async fn an_image_that_is_missing_or_for_another_machine_does_not_start() {
    let stage = Stage::set().await;
    let ecr = aws_sdk_ecr::Client::new(&config(&stage.sandbox));
    ecr.create_repository()
        .repository_name("web")
        .send()
        .await
        .unwrap();
    let image = format!("{ACCOUNT}.dkr.ecr.us-east-2.amazonaws.com/web:staging");
    let arn = stage.register(&image).await;
    stage
        .ecs
        .update_service()
        .cluster("c")
        .service("web")
        .task_definition(arn)
        .send()
        .await
        .unwrap();
    stage.wait(6);
    assert_eq!(stage.service().await.deployments()[0].failed_tasks, 1);
    let manifest = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","layers":[]}"#;
    let push = ecr
        .put_image()
        .repository_name("web")
        .image_manifest(manifest)
        .image_tag("staging");
    let pushed = push
        .send()
        .await
        .unwrap()
        .image
        .unwrap()
        .image_id
        .unwrap()
        .image_digest
        .unwrap();
    stage.wait(1);
    stage.service().await;
    stage.wait(5);
    assert_eq!(
        stage.service().await.deployments()[0].rollout_state,
        Some(aws_sdk_ecs::types::DeploymentRolloutState::Completed)
    );
    let listed = ecr
        .describe_images()
        .repository_name("web")
        .send()
        .await
        .unwrap();
    assert_eq!(
        listed.image_details()[0].image_digest(),
        Some(pushed.as_str())
    );
}

#[tokio::test]
async fn a_service_is_made_once_and_looked_up_ten_at_a_time() {
    let stage = Stage::set().await;
    let create = stage
        .ecs
        .create_service()
        .cluster("c")
        .service_name("web")
        .task_definition("web:1");
    let again = create
        .desired_count(2)
        .client_token("other")
        .send()
        .await
        .unwrap_err();
    assert!(again.into_service_error().is_invalid_parameter_exception());
    let gone = stage
        .ecs
        .describe_services()
        .cluster("none")
        .services("web")
        .send()
        .await
        .unwrap_err();
    assert!(gone.into_service_error().is_cluster_not_found_exception());
    let eleven: Vec<String> = (0..11).map(|number| format!("s{number}")).collect();
    assert!(
        stage
            .ecs
            .describe_services()
            .cluster("c")
            .set_services(Some(eleven))
            .send()
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_service_drains_before_it_is_gone() {
    let stage = Stage::set().await;
    assert!(
        stage
            .ecs
            .delete_service()
            .cluster("c")
            .service("web")
            .send()
            .await
            .is_err()
    );
    stage
        .ecs
        .delete_service()
        .cluster("c")
        .service("web")
        .force(true)
        .send()
        .await
        .unwrap();
    assert_eq!(stage.service().await.status(), Some("DRAINING"));
    let busy = stage
        .ecs
        .delete_cluster()
        .cluster("c")
        .send()
        .await
        .unwrap_err();
    assert!(
        busy.into_service_error()
            .is_cluster_contains_services_exception()
    );
    stage.wait(5);
    assert_eq!(stage.service().await.status(), Some("INACTIVE"));
    stage
        .ecs
        .delete_cluster()
        .cluster("c")
        .send()
        .await
        .unwrap();
}

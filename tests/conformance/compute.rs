//! ECS: clusters, task definitions, services.

use aws_sdk_ecs::Client;
use aws_sdk_ecs::error::SdkError;
use aws_sdk_ecs::operation::create_service::builders::CreateServiceFluentBuilder;
use aws_sdk_ecs::operation::describe_services::{DescribeServicesError, DescribeServicesOutput};
use aws_sdk_ecs::operation::register_task_definition::builders::RegisterTaskDefinitionFluentBuilder;
use aws_sdk_ecs::types::{
    AwsVpcConfiguration, ClusterField, Compatibility, ContainerDefinition, ContainerOverride,
    KeyValuePair, LaunchType, NetworkConfiguration, NetworkMode, PortMapping, ServiceField, Tag,
    TaskDefinitionField, TaskField, TaskOverride, TaskStopCode,
};
use aws_types::SdkConfig;

use super::checks::{Checks, end, show};

/// What `DescribeServices` answered.
type Described = Result<DescribeServicesOutput, SdkError<DescribeServicesError>>;

/// A subnet and a security group.
type Network = (String, String);

pub(crate) async fn run(config: &SdkConfig, network: &Network, checks: &mut Checks) {
    let ecs = Client::new(config);
    clusters(&ecs, checks).await;
    definitions(&ecs, checks).await;
    services(&ecs, network, checks).await;
    tasks(&ecs, network, checks).await;
    limits(&ecs, checks).await;
    updates(&ecs, checks).await;
    deployments(&ecs, checks).await;
    deletions(&ecs, checks).await;
}

fn owner() -> Tag {
    Tag::builder().key("provision:owner").value("x@y").build()
}

async fn clusters(ecs: &Client, checks: &mut Checks) {
    let made = ecs
        .create_cluster()
        .cluster_name("conform")
        .tags(owner())
        .send()
        .await;
    let arn = "arn:aws:ecs:us-east-2:633607774026:cluster/conform";
    checks.see(
        "cluster/create",
        show(&made, |made| {
            made.cluster()
                .unwrap()
                .cluster_arn()
                .unwrap_or_default()
                .to_owned()
        }),
        arn,
    );
    let again = ecs
        .create_cluster()
        .cluster_name("conform")
        .tags(owner())
        .send()
        .await;
    checks.see("cluster/create again", end(&again), "ok");
    let read = ecs
        .describe_clusters()
        .clusters("conform")
        .clusters("none")
        .include(ClusterField::Tags)
        .send()
        .await;
    let shown = show(&read, |read| {
        let cluster = &read.clusters()[0];
        let reason = read.failures().first().and_then(|failure| failure.reason());
        format!("{:?} {} {reason:?}", cluster.status(), cluster.tags().len())
    });
    checks.see(
        "cluster/describe",
        shown,
        "Some(\"ACTIVE\") 1 Some(\"MISSING\")",
    );
    let read = ecs.describe_clusters().clusters("conform").send().await;
    checks.see(
        "cluster/tags only when asked",
        show(&read, |read| read.clusters()[0].tags().len().to_string()),
        "0",
    );
    let read = ecs
        .describe_clusters()
        .clusters("conform")
        .include(ClusterField::Settings)
        .send()
        .await;
    let insights = show(&read, |read| {
        let setting = read.clusters()[0].settings().first();
        format!("{:?}", setting.and_then(|setting| setting.value()))
    });
    checks.see("cluster/default insights", insights, "Some(\"disabled\")");
    let missing = ecs.delete_cluster().cluster("none").send().await;
    checks.see(
        "cluster/delete missing",
        end(&missing),
        "ClusterNotFoundException",
    );
}

fn register(ecs: &Client) -> RegisterTaskDefinitionFluentBuilder {
    let variable = |name: &str| KeyValuePair::builder().name(name).value("1").build();
    let container = ContainerDefinition::builder()
        .name("web")
        .image("public/web:1")
        .environment(variable("B"));
    let container = container
        .environment(variable("A"))
        .port_mappings(PortMapping::builder().container_port(8000).build());
    let request = ecs
        .register_task_definition()
        .family("conform")
        .container_definitions(container.build());
    request
        .requires_compatibilities(Compatibility::Fargate)
        .network_mode(NetworkMode::Awsvpc)
}

async fn definitions(ecs: &Client, checks: &mut Checks) {
    let request = register(ecs).cpu("256").memory("512");
    let made = request.tags(owner()).send().await;
    let revision = show(&made, |made| {
        made.task_definition().unwrap().revision().to_string()
    });
    checks.see("definition/register", revision, "1");
    let read = ecs
        .describe_task_definition()
        .task_definition("conform")
        .include(TaskDefinitionField::Tags)
        .send()
        .await;
    let shown = |part: fn(&aws_sdk_ecs::types::TaskDefinition) -> String| {
        show(&read, |read| part(read.task_definition().unwrap()))
    };
    checks.see(
        "definition/tags",
        show(&read, |read| read.tags().len().to_string()),
        "1",
    );
    checks.see(
        "definition/status",
        shown(|one| {
            format!(
                "{:?}",
                one.status()
                    .map(aws_sdk_ecs::types::TaskDefinitionStatus::as_str)
            )
        }),
        "Some(\"ACTIVE\")",
    );
    checks.see(
        "definition/essential",
        shown(|one| format!("{:?}", one.container_definitions()[0].essential())),
        "Some(true)",
    );
    checks.see(
        "definition/cpu of a container",
        shown(|one| one.container_definitions()[0].cpu().to_string()),
        "0",
    );
    let port = shown(|one| {
        let port = &one.container_definitions()[0].port_mappings()[0];
        format!(
            "{:?} {:?}",
            port.host_port(),
            port.protocol()
                .map(aws_sdk_ecs::types::TransportProtocol::as_str)
        )
    });
    checks.see("definition/port", port, "Some(8000) Some(\"tcp\")");
    let lists = shown(|one| {
        let container = &one.container_definitions()[0];
        format!(
            "{} {}",
            container.mount_points.is_some(),
            container.volumes_from.is_some()
        )
    });
    checks.see("definition/empty lists appear", lists, "true true");
    checks.see(
        "definition/volumes appear",
        shown(|one| one.volumes.is_some().to_string()),
        "true",
    );
    let fits = shown(|one| {
        one.compatibilities()
            .iter()
            .any(|one| one.as_str() == "FARGATE")
            .to_string()
    });
    checks.see("definition/compatibilities", fits, "true");
    sizes(ecs, checks).await;
}

async fn sizes(ecs: &Client, checks: &mut Checks) {
    let pair = register(ecs).cpu("256").memory("4096").send().await;
    checks.see(
        "definition/no such Fargate size",
        end(&pair),
        "ClientException",
    );
    let bare = register(ecs).send().await;
    checks.see(
        "definition/Fargate without size",
        end(&bare),
        "ClientException",
    );
    let bridge = register(ecs)
        .cpu("256")
        .memory("512")
        .network_mode(NetworkMode::Bridge)
        .send()
        .await;
    checks.see(
        "definition/Fargate on bridge",
        end(&bridge),
        "ClientException",
    );
    let units = register(ecs).cpu("1 vCPU").memory("2 GB").send().await;
    let units = show(&units, |units| {
        let one = units.task_definition().unwrap();
        format!("{:?} {:?}", one.cpu(), one.memory())
    });
    checks.see("definition/units", units, "Some(\"1024\") Some(\"2048\")");
    let missing = ecs
        .describe_task_definition()
        .task_definition("none")
        .send()
        .await;
    checks.see("definition/missing", end(&missing), "ClientException");
}

fn create(ecs: &Client, network: &Network, name: &str) -> CreateServiceFluentBuilder {
    let network = AwsVpcConfiguration::builder()
        .subnets(&network.0)
        .security_groups(&network.1)
        .build()
        .unwrap();
    let network = NetworkConfiguration::builder()
        .awsvpc_configuration(network)
        .build();
    let request = ecs
        .create_service()
        .cluster("conform")
        .service_name(name)
        .task_definition("conform:1");
    request
        .desired_count(1)
        .launch_type(LaunchType::Fargate)
        .network_configuration(network)
}

async fn services(ecs: &Client, network: &Network, checks: &mut Checks) {
    let made = create(ecs, network, "web").tags(owner()).send().await;
    let arn = "arn:aws:ecs:us-east-2:633607774026:service/conform/web";
    checks.see(
        "service/create",
        show(&made, |made| {
            made.service()
                .unwrap()
                .service_arn()
                .unwrap_or_default()
                .to_owned()
        }),
        arn,
    );
    let again = create(ecs, network, "web").desired_count(2).send().await;
    checks.see(
        "service/create another of that name",
        end(&again),
        "InvalidParameterException",
    );
    let missing = create(ecs, network, "web").cluster("none").send().await;
    checks.see(
        "service/missing cluster",
        end(&missing),
        "ClusterNotFoundException",
    );
    let bare = create(ecs, network, "bare")
        .set_network_configuration(None)
        .send()
        .await;
    checks.see(
        "service/without network",
        end(&bare),
        "InvalidParameterException",
    );
    let open = AwsVpcConfiguration::builder()
        .subnets(&network.0)
        .build()
        .unwrap();
    let open = NetworkConfiguration::builder()
        .awsvpc_configuration(open)
        .build();
    let plain = create(ecs, network, "plain")
        .network_configuration(open)
        .send()
        .await;
    checks.see("service/without security groups", end(&plain), "ok");
    let _ = ecs
        .delete_service()
        .cluster("conform")
        .service("plain")
        .force(true)
        .send()
        .await;
    lookups(ecs, network, checks).await;
}

async fn lookups(ecs: &Client, network: &Network, checks: &mut Checks) {
    let definition = create(ecs, network, "odd")
        .task_definition("conform:99")
        .send()
        .await;
    checks.see(
        "service/missing definition",
        end(&definition),
        "ClientException",
    );
    for name in ["bare", "odd"] {
        let _ = ecs
            .delete_service()
            .cluster("conform")
            .service(name)
            .force(true)
            .send()
            .await;
    }
    let read = ecs
        .describe_services()
        .cluster("conform")
        .services("web")
        .services("none")
        .include(ServiceField::Tags)
        .send()
        .await;
    let shown = |part: fn(&aws_sdk_ecs::types::Service) -> String| {
        show(&read, |read| part(&read.services()[0]))
    };
    checks.see(
        "service/tags",
        shown(|one| one.tags().len().to_string()),
        "1",
    );
    let failure = show(&read, |read| {
        format!("{:?}", read.failures().first().and_then(|one| one.reason()))
    });
    checks.see("service/missing is a failure", failure, "Some(\"MISSING\")");
    defaults(&read, checks);
}

fn defaults(read: &Described, checks: &mut Checks) {
    let shown = |part: fn(&aws_sdk_ecs::types::Service) -> String| {
        show(read, |read| part(&read.services()[0]))
    };
    let percent = shown(|one| {
        let configuration = one.deployment_configuration().unwrap();
        format!(
            "{:?} {:?}",
            configuration.maximum_percent(),
            configuration.minimum_healthy_percent()
        )
    });
    checks.see("service/percents", percent, "Some(200) Some(100)");
    let breaker = shown(|one| {
        let breaker = one
            .deployment_configuration()
            .and_then(|one| one.deployment_circuit_breaker());
        format!(
            "{:?}",
            breaker.map(|breaker| (breaker.enable(), breaker.rollback()))
        )
    });
    checks.see("service/breaker", breaker, "Some((false, false))");
    checks.see(
        "service/platform",
        shown(|one| format!("{:?}", one.platform_version())),
        "Some(\"LATEST\")",
    );
    let public = shown(|one| {
        let network = one
            .network_configuration()
            .and_then(|one| one.awsvpc_configuration());
        format!(
            "{:?}",
            network
                .and_then(|one| one.assign_public_ip())
                .map(aws_sdk_ecs::types::AssignPublicIp::as_str)
        )
    });
    checks.see("service/public ip", public, "Some(\"DISABLED\")");
    checks.see(
        "service/scheduling",
        shown(|one| {
            format!(
                "{:?}",
                one.scheduling_strategy()
                    .map(aws_sdk_ecs::types::SchedulingStrategy::as_str)
            )
        }),
        "Some(\"REPLICA\")",
    );
    checks.see(
        "service/rebalancing",
        shown(|one| {
            format!(
                "{:?}",
                one.availability_zone_rebalancing()
                    .map(aws_sdk_ecs::types::AvailabilityZoneRebalancing::as_str)
            )
        }),
        "Some(\"ENABLED\")",
    );
    checks.see(
        "service/primary deployment",
        shown(|one| format!("{:?}", one.deployments()[0].status())),
        "Some(\"PRIMARY\")",
    );
}

async fn limits(ecs: &Client, checks: &mut Checks) {
    let names: Vec<String> = (0..11).map(|number| format!("s{number}")).collect();
    let many = ecs
        .describe_services()
        .cluster("conform")
        .set_services(Some(names))
        .send()
        .await;
    checks.see(
        "service/eleven at once",
        end(&many),
        "InvalidParameterException",
    );
    let missing = ecs
        .describe_services()
        .cluster("none")
        .services("web")
        .send()
        .await;
    checks.see(
        "service/describe in a missing cluster",
        end(&missing),
        "ClusterNotFoundException",
    );
}

async fn updates(ecs: &Client, checks: &mut Checks) {
    let update = || ecs.update_service().cluster("conform").service("web");
    let count = update().desired_count(2).send().await;
    let shown = show(&count, |count| {
        let service = count.service().unwrap();
        format!(
            "{} {}",
            service.desired_count(),
            service.deployments().len()
        )
    });
    checks.see("update/count starts no deployment", shown, "2 1");
    let _ = register(ecs).cpu("256").memory("512").send().await;
    let roll = update().task_definition("conform:2").send().await;
    let shown = show(&roll, |roll| {
        let service = roll.service().unwrap();
        let definition = service.task_definition().unwrap_or_default();
        format!(
            "{} {}",
            definition.rsplit('/').next().unwrap_or_default(),
            service.deployments().len()
        )
    });
    checks.see(
        "update/definition starts a deployment",
        shown,
        "conform:2 2",
    );
    let missing = ecs
        .update_service()
        .cluster("conform")
        .service("none")
        .desired_count(1)
        .send()
        .await;
    checks.see(
        "update/missing service",
        end(&missing),
        "ServiceNotFoundException",
    );
    let arn = "arn:aws:ecs:us-east-2:633607774026:service/conform/web";
    let tag = ecs
        .tag_resource()
        .resource_arn(arn)
        .tags(Tag::builder().key("a").value("b").build())
        .send()
        .await;
    checks.see("update/tag", end(&tag), "ok");
    let tags = ecs.list_tags_for_resource().resource_arn(arn).send().await;
    checks.see(
        "update/tags",
        show(&tags, |tags| tags.tags().len().to_string()),
        "2",
    );
}

async fn deployments(ecs: &Client, checks: &mut Checks) {
    let listed = ecs
        .list_service_deployments()
        .cluster("conform")
        .service("web")
        .send()
        .await;
    let arn = listed.as_ref().ok().and_then(|listed| {
        listed
            .service_deployments()
            .first()?
            .service_deployment_arn()
            .map(str::to_owned)
    });
    checks.see(
        "deployment/list",
        show(&listed, |_| arn.is_some().to_string()),
        "true",
    );
    let arn = arn.unwrap_or_else(|| {
        "arn:aws:ecs:us-east-2:633607774026:service-deployment/conform/web/x".to_owned()
    });
    let read = ecs
        .describe_service_deployments()
        .service_deployment_arns(&arn)
        .send()
        .await;
    let revision = read.as_ref().ok().and_then(|read| {
        read.service_deployments()
            .first()?
            .target_service_revision()?
            .arn()
            .map(str::to_owned)
    });
    checks.see(
        "deployment/describe",
        show(&read, |_| revision.is_some().to_string()),
        "true",
    );
    let revision = revision.unwrap_or_else(|| {
        "arn:aws:ecs:us-east-2:633607774026:service-revision/conform/web/1".to_owned()
    });
    let read = ecs
        .describe_service_revisions()
        .service_revision_arns(&revision)
        .send()
        .await;
    let definition = show(&read, |read| {
        let revision = read
            .service_revisions()
            .first()
            .and_then(|one| one.task_definition())
            .unwrap_or_default();
        revision.rsplit('/').next().unwrap_or_default().to_owned()
    });
    checks.see("deployment/revision", definition, "conform:2");
}

async fn deletions(ecs: &Client, checks: &mut Checks) {
    let busy = ecs.delete_cluster().cluster("conform").send().await;
    checks.see(
        "cluster/delete with services",
        end(&busy),
        "ClusterContainsServicesException",
    );
    let scaled = ecs
        .delete_service()
        .cluster("conform")
        .service("web")
        .send()
        .await;
    checks.see(
        "service/delete above zero",
        end(&scaled),
        "InvalidParameterException",
    );
    let force = ecs
        .delete_service()
        .cluster("conform")
        .service("web")
        .force(true)
        .send()
        .await;
    checks.see(
        "service/delete by force",
        show(&force, |force| {
            format!("{:?}", force.service().unwrap().status())
        }),
        "Some(\"DRAINING\")",
    );
    let read = ecs
        .describe_services()
        .cluster("conform")
        .services("web")
        .send()
        .await;
    checks.see(
        "service/still described",
        show(&read, |read| read.services().len().to_string()),
        "1",
    );
    revisions(ecs, checks).await;
}

async fn revisions(ecs: &Client, checks: &mut Checks) {
    let off = ecs
        .deregister_task_definition()
        .task_definition("conform:1")
        .send()
        .await;
    let status = show(&off, |off| {
        format!(
            "{:?}",
            off.task_definition()
                .unwrap()
                .status()
                .map(aws_sdk_ecs::types::TaskDefinitionStatus::as_str)
        )
    });
    checks.see("definition/deregister", status, "Some(\"INACTIVE\")");
    let read = ecs
        .describe_task_definition()
        .task_definition("conform:1")
        .send()
        .await;
    checks.see("definition/still described", end(&read), "ok");
    let listed = ecs
        .list_task_definitions()
        .family_prefix("conform")
        .send()
        .await;
    let names = show(&listed, |listed| {
        let first = listed
            .task_definition_arns()
            .first()
            .and_then(|arn| arn.rsplit('/').next());
        first.unwrap_or_default().to_owned()
    });
    checks.see("definition/list active", names, "conform:2");
    let missing = ecs
        .delete_service()
        .cluster("conform")
        .service("none")
        .send()
        .await;
    checks.see(
        "service/delete missing",
        end(&missing),
        "ServiceNotFoundException",
    );
}

/// One-off tasks, as `provision run` asks for them.
async fn tasks(ecs: &Client, network: &Network, checks: &mut Checks) {
    let vpc = AwsVpcConfiguration::builder().subnets(&network.0);
    let vpc = vpc.security_groups(&network.1).build().unwrap();
    let network = NetworkConfiguration::builder()
        .awsvpc_configuration(vpc)
        .build();
    let command = ContainerOverride::builder()
        .name("web")
        .command("true")
        .build();
    let overrides = TaskOverride::builder().container_overrides(command).build();
    let run = |token: &str| {
        ecs.run_task()
            .cluster("conform")
            .task_definition("conform:1")
            .launch_type(LaunchType::Fargate)
            .network_configuration(network.clone())
            .overrides(overrides.clone())
            .started_by("provision/conform")
            .client_token(token)
            .tags(owner())
    };
    let made = run("once").send().await;
    let arn = made.as_ref().ok().and_then(|made| {
        let task = made.tasks().first()?;
        task.task_arn().map(str::to_owned)
    });
    checks.see(
        "task/run",
        show(&made, |made| made.tasks().len().to_string()),
        "1",
    );
    let starter = show(&made, |made| {
        made.tasks()[0].started_by().unwrap_or_default().to_owned()
    });
    checks.see("task/started by", starter, "provision/conform");
    let again = run("once").send().await;
    let same = show(&again, |again| {
        (again.tasks()[0].task_arn() == arn.as_deref()).to_string()
    });
    checks.see("task/run with the same token", same, "true");
    let bare = ecs
        .run_task()
        .cluster("conform")
        .task_definition("conform:1")
        .launch_type(LaunchType::Fargate)
        .send()
        .await;
    checks.see(
        "task/run without network",
        end(&bare),
        "InvalidParameterException",
    );
    let missing = run("other").task_definition("none:1").send().await;
    checks.see(
        "task/run a missing definition",
        end(&missing),
        "ClientException",
    );
    let listed = ecs
        .list_tasks()
        .cluster("conform")
        .started_by("provision/conform")
        .send()
        .await;
    let found = show(&listed, |listed| {
        let arns = listed.task_arns().iter();
        let ours = arns.filter(|one| Some(one.as_str()) == arn.as_deref());
        ours.count().to_string()
    });
    checks.see("task/list by starter", found, "1");
    stop(ecs, arn.unwrap_or_default(), checks).await;
}

async fn stop(ecs: &Client, arn: String, checks: &mut Checks) {
    let executed = ecs
        .execute_command()
        .cluster("conform")
        .task(&arn)
        .command("true")
        .interactive(true)
        .send()
        .await;
    let ended = end(&executed);
    checks.see(
        "task/enter without being enabled",
        ended,
        "InvalidParameterException",
    );
    let stopped = ecs
        .stop_task()
        .cluster("conform")
        .task(&arn)
        .reason("enough")
        .send()
        .await;
    let shown = show(&stopped, |stopped| {
        format!("{:?}", stopped.task().unwrap().stopped_reason())
    });
    checks.see("task/stop", shown, "Some(\"enough\")");
    let read = ecs
        .describe_tasks()
        .cluster("conform")
        .tasks(&arn)
        .tasks("00000000000000000000000000000000")
        .include(TaskField::Tags)
        .send()
        .await;
    let status = show(&read, |read| {
        format!("{:?}", read.tasks()[0].desired_status())
    });
    checks.see("task/stopped", status, "Some(\"STOPPED\")");
    let code = show(&read, |read| {
        format!(
            "{:?}",
            read.tasks()[0].stop_code().map(TaskStopCode::as_str)
        )
    });
    checks.see("task/stop code", code, "Some(\"UserInitiated\")");
    let tags = show(&read, |read| read.tasks()[0].tags().len().to_string());
    checks.see("task/tags", tags, "1");
    let failure = show(&read, |read| {
        format!("{:?}", read.failures().first().and_then(|one| one.reason()))
    });
    checks.see("task/missing is a failure", failure, "Some(\"MISSING\")");
}

//! Services as they are read.

use serde_json::{Value, json};

use super::super::error::{Answer, ServiceError};
use super::super::protocol::Call;
use super::super::store::Table;
use super::super::world::{Members as _, World, last_part, set, without};
use super::{clusters, invalid, missing, page};

pub(super) fn answer(call: &Call, world: &mut World<'_>) -> Option<Answer> {
    Some(match call.operation.as_str() {
        "DescribeServices" => describe(call, world),
        "ListServices" => list(call, world),
        _ => return None,
    })
}

/// Where the service that a request names is kept.
pub(super) fn key(call: &Call, member: &str) -> String {
    format!(
        "{}\n{}",
        clusters::name(call),
        last_part(call.input.str(member))
    )
}

/// The service that a request names, in a cluster that is there; one that is gone is not found.
pub(super) fn find<'w>(
    call: &Call,
    world: &'w World<'_>,
    member: &str,
) -> Result<&'w Value, ServiceError> {
    clusters::find(call, world)?;
    let service = world.store.get(Table::Service, &key(call, member));
    service.ok_or_else(|| ServiceError::new("ServiceNotFoundException", "Service not found."))
}

/// A service as it is shown; its tags only where they were asked for.
pub(super) fn show(service: &Value, tags: bool) -> Value {
    if tags {
        without(service, &[])
    } else {
        without(service, &["tags"])
    }
}

/// At most ten at a time (facts.md section 4); those that are not there are failures in the answer.
fn describe(call: &Call, world: &World<'_>) -> Answer {
    clusters::find(call, world)?;
    let names = call.input.texts("services");
    if names.is_empty() {
        return Err(invalid("Services cannot be empty."));
    }
    if names.len() > 10 {
        return Err(invalid("Services cannot have more than 10 elements."));
    }
    let tags = call.input.texts("include").contains(&"TAGS");
    let (mut services, mut failures) = (Vec::new(), Vec::new());
    let cluster = clusters::name(call);
    for name in names {
        match world
            .store
            .get(Table::Service, &format!("{cluster}\n{}", last_part(name)))
        {
            Some(service) => services.push(show(service, tags)),
            None => failures.push(missing(
                &world.arn("ecs", &format!("service/{cluster}/{}", last_part(name))),
            )),
        }
    }
    if world.view.shuffle {
        super::super::random::shuffle(world.seed, &mut services, |service| {
            service.str("serviceName").to_owned()
        });
    }
    Ok(json!({ "services": services, "failures": failures }))
}

fn list(call: &Call, world: &World<'_>) -> Answer {
    clusters::find(call, world)?;
    let (launch, scheduling) = (
        call.input.text("launchType"),
        call.input.text("schedulingStrategy"),
    );
    let prefix = format!("{}\n", clusters::name(call));
    let rows = world
        .store
        .under(Table::Service, &prefix)
        .filter(|(_, service)| {
            service.str("status") != "INACTIVE"
                && launch.is_none_or(|launch| service.str("launchType") == launch)
                && scheduling
                    .is_none_or(|scheduling| service.str("schedulingStrategy") == scheduling)
        });
    page(
        call,
        world,
        "serviceArns",
        10,
        rows.map(|(key, service)| (key.to_owned(), json!(service.str("serviceArn")))),
    )
}

/// The service's defaults that ECS fills in where a request left them out (facts.md section 4).
pub(super) fn fill_in(service: &mut Value) {
    let daemon = service.str("schedulingStrategy") == "DAEMON";
    let mut configuration = service
        .get("deploymentConfiguration")
        .cloned()
        .unwrap_or_else(|| json!({}));
    let breaker = json!({ "enable": false, "rollback": false });
    let defaults = [
        ("deploymentCircuitBreaker", breaker),
        ("maximumPercent", json!(if daemon { 100 } else { 200 })),
        ("minimumHealthyPercent", json!(if daemon { 0 } else { 100 })),
        ("strategy", json!("ROLLING")),
        ("bakeTimeInMinutes", json!(0)),
    ];
    for (field, value) in defaults {
        if configuration.member(field).is_none() {
            set(&mut configuration, field, value);
        }
    }
    set(service, "deploymentConfiguration", configuration);
    let fargate = service.str("launchType") == "FARGATE"
        || service
            .list("capacityProviderStrategy")
            .iter()
            .any(|item| item.str("capacityProvider").starts_with("FARGATE"));
    if fargate {
        if service.member("platformVersion").is_none() {
            set(service, "platformVersion", "LATEST");
        }
        set(service, "platformFamily", "Linux");
    }
    if let Some(network) = service
        .get_mut("networkConfiguration")
        .and_then(|network| network.get_mut("awsvpcConfiguration"))
    {
        for (field, value) in [
            ("securityGroups", json!([])),
            ("assignPublicIp", json!("DISABLED")),
        ] {
            if network.member(field).is_none() {
                set(network, field, value);
            }
        }
    }
}

//! ECS: clusters, task definitions, services and their rollouts, tasks.

mod behaviour;
mod causes;
mod clusters;
mod containers;
mod definitions;
mod deployments;
mod hooks;
mod play;
mod rollouts;
mod run;
mod running;
mod services;
mod tags;
mod tasks;
mod traffic;
mod updates;

pub use behaviour::{Behaviour, Cause};
pub(super) use play::advance;

use serde_json::{Value, json};

use super::error::{Answer, ServiceError};
use super::player::Player;
use super::protocol::{Call, lacking};
use super::world::{BadToken, Members as _, TagStyle, World, set};

const TAGS: TagStyle = TagStyle {
    key: "key",
    value: "value",
    most: 50,
    invalid: "InvalidParameterException",
    too_many: "InvalidParameterException",
};

pub(super) fn answer(call: &Call, world: &mut World<'_>, player: &mut Player) -> Answer {
    let quiet = [
        clusters::answer,
        definitions::answer,
        services::answer,
        tasks::answer,
        tags::answer,
    ];
    for operation in quiet {
        if let Some(answer) = operation(call, world) {
            return answer;
        }
    }
    for operation in [updates::answer, deployments::answer, run::answer] {
        if let Some(answer) = operation(call, world, player) {
            return answer;
        }
    }
    Err(lacking(&format!("ecs:{}", call.operation)))
}

fn invalid(message: &str) -> ServiceError {
    ServiceError::new("InvalidParameterException", message)
}

fn client(message: &str) -> ServiceError {
    ServiceError::new("ClientException", message)
}

/// What could not be found among many: an answer, not an error.
fn missing(arn: &str) -> Value {
    json!({ "arn": arn, "reason": "MISSING" })
}

/// One page of ARNs.
fn page(
    call: &Call,
    world: &World<'_>,
    name: &str,
    most: usize,
    items: impl Iterator<Item = (String, Value)>,
) -> Answer {
    let size = call.input.page_size("maxResults", most, 100);
    let bad_token = |_: BadToken| invalid("Invalid token");
    let (items, next) = world
        .page(items, call.input.text("nextToken"), size)
        .map_err(bad_token)?;
    let mut answer = json!({ name: items });
    if let Some(next) = next {
        set(&mut answer, "nextToken", next);
    }
    Ok(answer)
}

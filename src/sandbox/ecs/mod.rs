//! ECS.

mod behaviour;

pub use behaviour::{Behaviour, Cause};

use super::error::Answer;
use super::player::Player;
use super::protocol::{Call, lacking};
use super::world::World;

pub(super) fn answer(call: &Call, _world: &mut World<'_>, _player: &mut Player) -> Answer {
    Err(lacking(&format!("ecs:{}", call.operation)))
}

pub(super) fn advance(_world: &mut World<'_>, _player: &mut Player) {}

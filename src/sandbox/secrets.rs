//! To come.

use super::error::Answer;
use super::protocol::{Call, lacking};
use super::world::World;

pub(super) fn answer(call: &Call, _world: &mut World<'_>) -> Answer {
    Err(lacking(&call.operation))
}

//! To come.

use super::error::Answer;
use super::protocol::{Call, lacking};
use super::world::World;

pub(super) fn answer(call: &Call, _world: &mut World<'_>) -> Answer {
    Err(lacking(&call.operation))
}

pub(super) fn layer(
    _store: &super::store::Store,
    _request: &aws_smithy_runtime_api::client::orchestrator::HttpRequest,
) -> Option<aws_smithy_runtime_api::client::orchestrator::HttpResponse> {
    None
}

//! ECS services, each with its task definition: what is declared, what is there, what leads from one
//! to the other. The image belongs to deployments and is kept.

mod answer;
mod calls;
mod declare;
mod deploy;
mod image;
mod names;
mod normalise;
mod observe;
mod perform;
mod register;
mod service_fields;
mod shape;
mod spec;
mod task_fields;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use self::calls::Call;
pub use self::declare::STREAM_PREFIX;
pub use self::deploy::{
    Digests, Registration, Standing, declared_tag, is_ours, is_there, register, revision, running,
    standings, start, tag_digest,
};
pub use self::image::twin;
pub(crate) use self::perform::client_token;
pub use self::spec::{Container, Image, Settings, Spec, Task};
use crate::aws::Aws;
use crate::config::Config;
use crate::error::Result;
use crate::kind::{Address, Hazard, Kind, Performed, Refusal, Scope};

/// The kind `service`.
#[derive(Clone, Copy, Debug)]
pub struct Service;

impl Kind for Service {
    const NAME: &'static str = "service";
    type Spec = Spec;
    type Call = Call;

    fn declare(&self, config: &Config) -> BTreeMap<String, Spec> {
        declare::declare(config)
    }

    async fn observe(&self, aws: &Aws, scope: &Scope) -> Result<BTreeMap<String, Spec>> {
        observe::observe(aws, scope).await
    }

    fn keep(&self, desired: Spec, live: Option<&Spec>) -> Spec {
        calls::keep(desired, live)
    }

    fn calls(&self, _name: &str, before: Option<&Spec>, after: Option<&Spec>) -> Vec<Call> {
        calls::calls(before, after)
    }

    fn effect(&self, spec: Option<Spec>, call: &Call) -> Result<Option<Spec>, Refusal> {
        calls::effect(spec, call)
    }

    fn refers(&self, spec: &Spec) -> Vec<Address> {
        spec.refers()
    }

    fn hazards(&self, call: &Call) -> Vec<Hazard> {
        calls::hazards(call)
    }

    async fn perform(
        &self,
        aws: &Aws,
        scope: &Scope,
        name: &str,
        call: &Call,
    ) -> Result<Performed> {
        perform::perform(aws, scope, name, call).await
    }
}

//! The way to AWS: clients, identity, looks (batched reads shared by all kinds), pacing, retries,
//! error classes and the clock. The only module in whose signatures SDK types may stand.

mod clock;
pub mod ecs;
mod ecs_wire;
mod error;
pub mod iam;
mod look;
mod revision_cache;
pub mod tagging;

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::sync::Semaphore;

pub use self::clock::{Clock, SystemClock};
pub use self::ecs_wire::Operation as EcsOperation;
pub use self::error::{Class, Error};
pub use self::look::Look;
pub use self::revision_cache::RevisionCache;

/// The SDK's clients, one per service and region.
#[derive(Clone, Debug)]
#[expect(
    missing_docs,
    reason = "each field is the client of the service that it is named after"
)]
pub struct Clients {
    pub sts: aws_sdk_sts::Client,
    pub iam: aws_sdk_iam::Client,
    pub ecr: aws_sdk_ecr::Client,
    pub ecs: aws_sdk_ecs::Client,
    pub logs: aws_sdk_cloudwatchlogs::Client,
    pub secrets: aws_sdk_secretsmanager::Client,
    pub ssm: aws_sdk_ssm::Client,
    /// The tagging API in the project's region.
    pub tagging: aws_sdk_resourcegroupstagging::Client,
    /// The tagging API in IAM's home region, where IAM's resources are listed.
    pub tagging_iam: aws_sdk_resourcegroupstagging::Client,
}

/// AWS as one run sees it. Shared by reference; its looks are taken and dropped inside.
#[derive(Debug)]
pub struct Aws {
    /// The clients, for `read` and `write` to call.
    pub clients: Clients,
    /// The account that infra.toml names.
    pub account_id: String,
    /// The project's region.
    pub region: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    clock: Arc<dyn Clock>,
    in_flight: Semaphore,
    look: Mutex<Arc<Look>>,
    revisions: RevisionCache,
}

/// How often a request may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempts {
    /// Once: its reply may be lost and a second one would do it twice or fail with "exists".
    Once,
    /// Again after throttling, timeouts, resets and 5xx: it is idempotent.
    Idempotent,
}

/// Requests in flight at once where `--parallelism` does not say otherwise: enough for the longest
/// chain to be four at every size (performance.md), and below what moto and ECS's buckets refuse.
pub const DEFAULT_PARALLELISM: usize = 16;

impl Aws {
    /// AWS through these clients.
    #[must_use]
    pub fn new(
        clients: Clients,
        account_id: String,
        region: String,
        partition: String,
        clock: Arc<dyn Clock>,
        parallelism: usize,
    ) -> Self {
        let look = Mutex::new(Arc::new(Look::new(clock.now())));
        let in_flight = Semaphore::new(parallelism.max(1));
        Self {
            clients,
            account_id,
            region,
            partition,
            clock,
            in_flight,
            look,
            revisions: RevisionCache::none(),
        }
    }

    /// The same, with the revisions of task definitions kept on disk. Only for AWS itself: the ARNs
    /// of a sandbox or an emulator stand for something else after every restart.
    #[must_use]
    pub fn with_revision_cache(mut self, revisions: RevisionCache) -> Self {
        self.revisions = revisions;
        self
    }

    /// The clock of this run.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The current look. What it holds was read at most once, at or after `Look::taken`.
    #[must_use]
    pub fn look(&self) -> Arc<Look> {
        self.look
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Drops the current look: what is read from here on is read anew.
    pub fn new_look(&self) -> Arc<Look> {
        let look = Arc::new(Look::new(self.clock.now()));
        *self.look.lock().unwrap_or_else(PoisonError::into_inner) = look.clone();
        look
    }

    /// Sends a read; again after throttling and passing faults.
    pub async fn read<T, E, F>(
        &self,
        operation: &'static str,
        send: impl Fn(Clients) -> F + Send,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        self.send(operation, Attempts::Idempotent, send).await
    }

    /// Sends a write, as often as `attempts` allows.
    pub async fn write<T, E, F>(
        &self,
        operation: &'static str,
        attempts: Attempts,
        send: impl Fn(Clients) -> F + Send,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        self.send(operation, attempts, send).await
    }

    async fn send<T, E, F>(
        &self,
        operation: &'static str,
        attempts: Attempts,
        send: impl Fn(Clients) -> F + Send,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let result = {
                let _permit = self.in_flight.acquire().await;
                send(self.clients.clone()).await
            };
            let error = match result {
                Ok(value) => return Ok(value),
                Err(error) => Error::from_sdk(operation, error),
            };
            if !error.may_retry(attempts, attempt) {
                return Err(error);
            }
            self.clock.sleep(error.backoff(attempt)).await;
        }
    }
}

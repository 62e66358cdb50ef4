//! The way to AWS: clients, identity, looks (batched reads shared by all kinds), pacing, retries,
//! error classes and the clock. The only module in whose signatures SDK types may stand.

pub mod alarms;
mod classify;
mod connect;
pub mod download;
pub mod ecr;
pub mod ecr_images;
pub mod ecs;
pub mod ecs_clusters;
mod ecs_wire;
mod error;
mod hint;
pub mod iam;
mod identity;
mod ledger;
pub mod live_tail;
pub mod log_events;
pub mod logs;
mod look;
mod pacing;
mod pages;
pub mod parameters;
mod retry;
mod revision_cache;
mod secret_value;
pub mod secrets;
pub mod tagging;
pub mod trail;
mod whole;

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::sync::{OnceCell, Semaphore};

use self::ledger::OpenLedger;
use self::pacing::Buckets;
use self::retry::Retry;
use crate::clock::Clock;

pub use self::connect::{Connection, Timeouts, plain_connector};
pub use self::ecs_wire::Operation as EcsOperation;
pub use self::error::{Class, Error};
pub use self::hint::iam_action;
pub use self::identity::Identity;
pub use self::ledger::Ledger;
pub use self::look::Look;
pub use self::pacing::Pacing;
pub use self::revision_cache::RevisionCache;
pub use self::secret_value::Secret;

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
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    pub secrets: aws_sdk_secretsmanager::Client,
    pub ssm: aws_sdk_ssm::Client,
    /// The tagging API in the project's region.
    pub tagging: aws_sdk_resourcegroupstagging::Client,
    /// The tagging API in IAM's home region, where IAM's resources are listed.
    pub tagging_iam: aws_sdk_resourcegroupstagging::Client,
    /// CloudTrail in the project's region.
    pub trail: aws_sdk_cloudtrail::Client,
    /// CloudTrail in IAM's home region, where IAM's events are kept.
    pub trail_iam: aws_sdk_cloudtrail::Client,
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
    identity: OnceCell<Identity>,
    buckets: Buckets,
    ledger: Arc<OpenLedger>,
    attempt_timeout: Duration,
    genuine: bool,
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
            identity: OnceCell::new(),
            buckets: Buckets::default(),
            ledger: Arc::new(OpenLedger::default()),
            attempt_timeout: Timeouts::default().attempt,
            genuine: false,
        }
    }

    /// AWS through this connection. Sends nothing.
    pub async fn connect(
        connection: &Connection,
        account_id: String,
        partition: String,
        clock: Arc<dyn Clock>,
        parallelism: usize,
    ) -> Self {
        let (clients, genuine) = connection.open(&clock).await;
        let region = connection.region.clone();
        let mut aws = Self::new(clients, account_id, region, partition, clock, parallelism);
        aws.attempt_timeout = connection.timeouts.attempt;
        aws.genuine = genuine;
        if genuine {
            aws.revisions = RevisionCache::of_this_user();
        }
        aws.pacing(if genuine {
            Pacing::Always
        } else {
            Pacing::OnceRefused
        })
    }

    /// The same, with the revisions of task definitions kept on disk. Only for AWS itself: the ARNs
    /// of a sandbox or an emulator stand for something else after every restart.
    #[must_use]
    pub fn with_revision_cache(mut self, revisions: RevisionCache) -> Self {
        self.revisions = revisions;
        self
    }

    /// Keeps within the published rates in this way.
    #[must_use]
    pub fn pacing(mut self, pacing: Pacing) -> Self {
        self.buckets = Buckets::new(pacing);
        self
    }

    /// Whether this is AWS itself, and not a sandbox or an emulator.
    #[must_use]
    pub fn is_genuine(&self) -> bool {
        self.genuine
    }

    /// The requests of this run so far.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.ledger.copy()
    }

    /// The same for later, when this is gone.
    pub fn ledger_later(&self) -> impl Fn() -> Ledger + 'static {
        let ledger = self.ledger.clone();
        move || ledger.copy()
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
        self.send(operation, false, Attempts::Idempotent, send)
            .await
    }

    /// Sends a read that is not tried again: whoever asks has another way.
    pub(crate) async fn read_once<T, E, F>(
        &self,
        operation: &'static str,
        send: impl Fn(Clients) -> F + Send,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        self.send(operation, false, Attempts::Once, send).await
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
        self.send(operation, true, attempts, send).await
    }

    async fn send<T, E, F>(
        &self,
        operation: &'static str,
        write: bool,
        attempts: Attempts,
        send: impl Fn(Clients) -> F + Send,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let mut retry = Retry::new(attempts);
        loop {
            let pause = self.buckets.take(operation, self.clock.now());
            if !pause.is_zero() {
                self.clock.sleep(pause).await;
            }
            let attempt = retry.begin();
            let (number, result) = {
                let _permit = self.in_flight.acquire().await;
                let number = self.ledger.sent(operation, write, attempt);
                // On the heap: the SDK's futures are 20 kB each.
                let request = Box::pin(send(self.clients.clone()));
                (number, self.attempt(operation, number, request).await)
            };
            let error = match result {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let now = self.clock.now();
            if error.class == Class::Throttled {
                self.ledger.throttled();
                self.buckets.refused(operation, now);
            }
            match retry.after(&error, number, now) {
                Some(wait) => self.clock.sleep(wait).await,
                None => return Err(error),
            }
        }
    }

    /// One attempt. The SDK's own timeout ends it on a real clock; a virtual one may jump past it.
    async fn attempt<T, E, F>(
        &self,
        operation: &'static str,
        number: u64,
        request: F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let begun = self.clock.now();
        let result = request.await;
        let took = self.clock.now().saturating_sub(begun);
        let result = match result {
            Ok(_) if took > self.attempt_timeout => Err(Error::late(operation)),
            Ok(value) => Ok(value),
            Err(error) => Err(Error::from_sdk(operation, &error)),
        };
        let milliseconds = took.as_millis();
        match &result {
            Ok(_) => tracing::debug!(number, operation, milliseconds, "request"),
            Err(Error { code, class, .. }) => {
                tracing::debug!(
                    number,
                    operation,
                    milliseconds,
                    code,
                    ?class,
                    "request failed"
                );
            }
        }
        result
    }
}

#[cfg(test)]
mod tests;

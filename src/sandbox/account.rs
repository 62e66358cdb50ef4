//! The [`Sandbox`] itself: one simulated account behind an HTTP client, shared by all who hold a
//! copy of it. Requests are carried out one at a time, in the order in which they arrive.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use serde_json::Value;

use super::carry::{Account, Delivery};
use super::error::ServiceError;
use super::faults::Script;
use super::file::StateFile;
use super::live_tail::SESSION;
use super::protocol::{Call, Service};
use super::store::Store;
use super::trace::TraceEntry;
use crate::clock::Clock;

/// The process died, says the fault script: the error in which the requests of a dead process end.
#[derive(Clone, Copy, Debug)]
pub struct Crash;

impl fmt::Display for Crash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the process crashed here, by the fault script")
    }
}

impl std::error::Error for Crash {}

/// A simulated AWS account that answers the SDK's requests. Copies are the same account.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Mutex<Account>>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Sandbox {
    /// Names it only: the records hold secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Sandbox")
    }
}

impl Sandbox {
    /// An empty account that lives as long as the process.
    #[must_use]
    pub fn in_memory(account_id: &str, region: &str, clock: Arc<dyn Clock>) -> Self {
        Self::of(
            Account::new(account_id, region, Arc::clone(&clock), None),
            clock,
        )
    }

    /// The account of a state file, or an empty one where there is no such file yet. The file is
    /// written whole after every change, readable by its owner only.
    pub fn open(
        path: &Path,
        account_id: &str,
        region: &str,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let file = StateFile::at(path)?;
        let mut account = Account::new(account_id, region, Arc::clone(&clock), Some(file));
        account.load()?;
        Ok(Self::of(account, clock))
    }

    fn of(account: Account, clock: Arc<dyn Clock>) -> Self {
        Self {
            inner: Arc::new(Mutex::new(account)),
            clock,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Account> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plays a script from here on; counts of requests and matches begin anew.
    pub fn play(&self, script: Script) {
        self.lock().play(script);
    }

    /// A copy of everything that the account holds; cheap.
    #[must_use]
    pub fn snapshot(&self) -> Store {
        self.lock().store.clone()
    }

    /// Puts the account back to what it was when the snapshot was taken.
    pub fn restore(&self, store: &Store) {
        self.lock().restore(store);
    }

    /// Every request since the start or the last call of this.
    #[must_use]
    pub fn take_trace(&self) -> Vec<TraceEntry> {
        std::mem::take(&mut self.lock().trace)
    }

    /// Whether the script made the process crash. Every request fails until [`Sandbox::revive`].
    #[must_use]
    pub fn crashed(&self) -> bool {
        self.lock().player.crashed
    }

    /// A new process begins: after a crash, or with new credentials after they expired.
    pub fn revive(&self) {
        self.lock().player.revive();
    }

    /// The account's time since the Unix epoch: the clock's, and what passed between runs.
    #[must_use]
    pub fn time(&self) -> Duration {
        Duration::try_from_secs_f64(self.lock().now()).unwrap_or_default()
    }

    /// Lets time pass in which nobody asks anything.
    ///
    /// # Errors
    /// The state file cannot be written.
    pub fn let_pass(&self, time: Duration) -> io::Result<()> {
        self.lock().let_pass(time)
    }

    /// The digest of some bytes, as ECR writes it.
    #[must_use]
    pub fn digest(bytes: &[u8]) -> String {
        super::ecr::digest(bytes)
    }

    /// Asks a service directly: no HTTP, no fault, no trace. For seeding, and for an actor that is
    /// not ours.
    pub fn ask(
        &self,
        service: Service,
        operation: &str,
        input: Value,
    ) -> Result<Value, ServiceError> {
        self.lock().outside().ask(service, operation, input)
    }

    /// Calls `hook` before each request is carried out, so that it can act as somebody else.
    pub fn before_each(&self, hook: impl FnMut(&Call, &mut Outside<'_>) + Send + 'static) {
        self.lock().before_each = Some(Box::new(hook));
    }

    /// Calls `hook` after each request with what the account holds then.
    pub fn after_each(&self, hook: impl FnMut(&TraceEntry, &Store) + Send + 'static) {
        self.lock().after_each = Some(Box::new(hook));
    }

    async fn answer(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let delivery = self.lock().deliver(&request);
        match delivery {
            Delivery::Reply(response) => Ok(response),
            Delivery::Broken(error) => Err(error),
            Delivery::Late(response) => {
                // Longer than any timeout that a caller may set.
                self.clock.sleep(Duration::from_hours(1)).await;
                Ok(response)
            }
            Delivery::Tail(tail) => {
                self.clock.sleep(SESSION).await;
                let stream = self.lock().tailed(&tail);
                stream.map_err(|error| ConnectorError::io(Box::new(error)))
            }
        }
    }
}

impl HttpConnector for Sandbox {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().answer(request))
    }
}

impl HttpClient for Sandbox {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

/// Somebody else's hands on the account.
pub struct Outside<'a>(pub(super) &'a mut Account);

impl fmt::Debug for Outside<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Outside")
    }
}

impl Outside<'_> {
    /// Asks a service directly: no HTTP, no fault, no trace.
    pub fn ask(
        &mut self,
        service: Service,
        operation: &str,
        input: Value,
    ) -> Result<Value, ServiceError> {
        let input = match input {
            Value::Object(members) => members,
            _ => serde_json::Map::new(),
        };
        self.0.ask(&Call::direct(service, operation, input))
    }

    /// The records, to look at and to change without any rule.
    pub fn store(&mut self) -> &mut Store {
        &mut self.0.store
    }
}

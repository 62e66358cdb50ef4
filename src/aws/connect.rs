//! How a run reaches AWS: region, endpoint, profile, credentials, timeouts and the HTTP client, made
//! into the SDK's clients. Nothing is sent here, and no certificate is read before one is needed.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep, default_async_sleep};
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use super::Clients;
use super::whole::Whole;
use crate::clock::Clock;

/// How long a request may take before it counts as lost. The SDK sets only the first of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the connection to stand.
    pub connect: Duration,
    /// For one attempt, its answer included.
    pub attempt: Duration,
    /// For the request with the credentials that it needs.
    pub operation: Duration,
}

impl Default for Timeouts {
    /// The limits of reliability.md: the SDK's own for connecting, and far above the slowest answer
    /// of these services for the rest.
    fn default() -> Self {
        Self {
            connect: Duration::from_millis(3_100),
            attempt: Duration::from_secs(20),
            operation: Duration::from_mins(1),
        }
    }
}

/// What the command line and infra.toml say about the way to AWS.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The project's region.
    pub region: String,
    /// The region in which IAM of this partition keeps its resources.
    pub home_region: String,
    /// `--profile`; otherwise what AWS's own variables and files say.
    pub profile: Option<String>,
    /// `--endpoint-url`, for every service; otherwise `AWS_ENDPOINT_URL` and its per-service kin.
    pub endpoint_url: Option<String>,
    /// `--assume-role-arn`: a role that the credentials found are exchanged for.
    pub assume_role_arn: Option<String>,
    /// The limits of each request.
    pub timeouts: Timeouts,
    /// Answers in this process (the sandbox): no credentials are looked for, no file is read.
    pub http_client: Option<SharedHttpClient>,
}

impl Connection {
    /// The way to this region of AWS, as AWS's own variables and files describe it.
    pub fn new(region: impl Into<String>, home_region: impl Into<String>) -> Self {
        Self {
            region: region.into(),
            home_region: home_region.into(),
            profile: None,
            endpoint_url: None,
            assume_role_arn: None,
            timeouts: Timeouts::default(),
            http_client: None,
        }
    }

    /// The clients, and whether they lead to AWS itself rather than to another endpoint.
    pub(super) async fn open(&self, clock: &Arc<dyn Clock>) -> (Clients, bool) {
        let config = match &self.http_client {
            Some(client) => self.inside(client, clock),
            None => self.outside(clock).await,
        };
        let genuine = self.http_client.is_none() && config.endpoint_url().is_none();
        (self.clients(&config), genuine)
    }

    fn clients(&self, config: &SdkConfig) -> Clients {
        let home = config
            .to_builder()
            .region(Region::new(self.home_region.clone()))
            .build();
        let sts = aws_sdk_sts::config::Builder::from(config).interceptor(Whole);
        let iam = aws_sdk_iam::config::Builder::from(config).interceptor(Whole);
        Clients {
            sts: aws_sdk_sts::Client::from_conf(sts.build()),
            iam: aws_sdk_iam::Client::from_conf(iam.build()),
            ecr: aws_sdk_ecr::Client::new(config),
            ecs: aws_sdk_ecs::Client::new(config),
            logs: aws_sdk_cloudwatchlogs::Client::new(config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(config),
            secrets: aws_sdk_secretsmanager::Client::new(config),
            ssm: aws_sdk_ssm::Client::new(config),
            tagging: aws_sdk_resourcegroupstagging::Client::new(config),
            tagging_iam: aws_sdk_resourcegroupstagging::Client::new(&home),
            trail: aws_sdk_cloudtrail::Client::new(config),
            trail_iam: aws_sdk_cloudtrail::Client::new(&home),
        }
    }

    /// The configuration of a run that is answered in this process.
    fn inside(&self, client: &SharedHttpClient, clock: &Arc<dyn Clock>) -> SdkConfig {
        // Static, so that neither files nor the instance's metadata are asked for any.
        let credentials =
            Credentials::new("AKIASANDBOXSANDBOX00", "sandbox", None, None, "sandbox");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(client.clone())
            .retry_config(RetryConfig::disabled())
            .timeout_config(self.timeout_config())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .sleep_impl(SharedAsyncSleep::new(ClockSleep(clock.clone())))
            .time_source(SharedTimeSource::new(ClockTime(clock.clone())))
            .build()
    }

    /// The configuration of a run against an endpoint: AWS's own chain of variables, files, SSO,
    /// web identity, container and instance credentials.
    async fn outside(&self, clock: &Arc<dyn Clock>) -> SdkConfig {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .http_client(http_client())
            // Retries are decided by the class of the error and by the call: see `Aws::send`.
            .retry_config(RetryConfig::disabled())
            .timeout_config(self.timeout_config())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .sleep_impl(ClockSleep(clock.clone()))
            .time_source(ClockTime(clock.clone()));
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(url) = &self.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        let config = loader.load().await;
        match &self.assume_role_arn {
            None => config,
            Some(role) => {
                let provider = AssumeRoleProvider::builder(role)
                    .configure(&config)
                    .session_name("provision")
                    .build()
                    .await;
                config
                    .into_builder()
                    .credentials_provider(SharedCredentialsProvider::new(provider))
                    .build()
            }
        }
    }

    fn timeout_config(&self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.timeouts.connect)
            .operation_attempt_timeout(self.timeouts.attempt)
            .operation_timeout(self.timeouts.operation)
            .build()
    }
}

/// The SDK's waits, on the run's clock.
struct ClockSleep(Arc<dyn Clock>);

impl AsyncSleep for ClockSleep {
    fn sleep(&self, duration: Duration) -> Sleep {
        let clock = self.0.clone();
        let wait = Box::pin(async move { clock.sleep(duration).await });
        Sleep::new(Unshared(Mutex::new(wait)))
    }
}

/// The SDK wants a future that may be shared between threads, though nobody shares it: the lock is
/// never taken.
struct Unshared(Mutex<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Future for Unshared {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
            .poll(context)
    }
}

impl fmt::Debug for ClockSleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClockSleep")
    }
}

/// The SDK's time (for signatures and the age of credentials), of the run's clock.
#[derive(Debug)]
struct ClockTime(Arc<dyn Clock>);

impl TimeSource for ClockTime {
    fn now(&self) -> std::time::SystemTime {
        std::time::SystemTime::UNIX_EPOCH + self.0.now()
    }
}

/// Two HTTP clients, chosen by the request's scheme: reading the system's certificates takes longer
/// than all else at start, and an `http://` endpoint needs none.
#[derive(Clone, Debug)]
struct ByScheme {
    plain: SharedHttpClient,
    secure: SharedHttpClient,
}

/// The HTTP client that goes out.
pub(super) fn http_client() -> SharedHttpClient {
    SharedHttpClient::new(ByScheme {
        plain: Builder::new().build_with_connector_fn(|settings, components| {
            connector(settings, components).build_http()
        }),
        secure: Builder::new().build_with_connector_fn(|settings, components| {
            connector(settings, components)
                .tls_provider(Provider::Rustls(CryptoMode::Ring))
                .build()
        }),
    })
}

/// A connector for requests that are not AWS's, with the same limits and the same proxies.
#[must_use]
pub fn plain_connector(url: &str, timeouts: &Timeouts) -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(timeouts.connect)
        .read_timeout(timeouts.attempt)
        .build();
    let mut builder = connector(Some(&settings), None);
    builder.set_sleep_impl(default_async_sleep());
    if url.starts_with("http://") {
        SharedHttpConnector::new(builder.build_http())
    } else {
        let provider = Provider::Rustls(CryptoMode::Ring);
        SharedHttpConnector::new(builder.tls_provider(provider).build())
    }
}

fn connector(
    settings: Option<&HttpConnectorSettings>,
    components: Option<&RuntimeComponents>,
) -> aws_smithy_http_client::ConnectorBuilder {
    let mut builder = Connector::builder().proxy_config(ProxyConfig::from_env());
    if let Some(settings) = settings {
        builder = builder.connector_settings(settings.clone());
    }
    builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
    builder
}

impl HttpClient for ByScheme {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(SchemeConnector {
            clients: self.clone(),
            settings: settings.clone(),
            components: components.clone(),
        })
    }
}

/// Chooses when the request is there; the clients keep the connectors.
#[derive(Debug)]
struct SchemeConnector {
    clients: ByScheme,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for SchemeConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = if request.uri().starts_with("http://") {
            &self.clients.plain
        } else {
            &self.clients.secure
        };
        client
            .http_connector(&self.settings, &self.components)
            .call(request)
    }
}

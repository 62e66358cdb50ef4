//! Plain downloads over the same HTTP client as everything else, so that a proxy, the timeouts and
//! the sandbox hold for them too.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::timeout::TimeoutConfig;

use super::{Aws, Error};

/// What was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Download {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// Where a redirect leads. It is not followed.
    pub location: Option<String>,
}

/// Turns a request of the SDK into a plain GET, and keeps what is answered.
#[derive(Clone)]
struct Get {
    url: String,
    answer: Arc<Mutex<Option<Download>>>,
}

impl fmt::Debug for Get {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A URL may hold a signature.
        f.write_str("Get")
    }
}

impl Intercept for Get {
    fn name(&self) -> &'static str {
        "Get"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let names: Vec<String> = request
            .headers()
            .iter()
            .map(|(name, _)| name.to_owned())
            .collect();
        // Nobody but AWS is to see what was signed.
        for name in names {
            request.headers_mut().remove(name.as_str());
        }
        request.set_method("GET")?;
        request.set_uri(self.url.as_str())?;
        *request.body_mut() = SdkBody::empty();
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let download = Download {
            status: response.status().as_u16(),
            body: response.body().bytes().unwrap_or_default().to_vec(),
            location: response.headers().get("location").map(str::to_owned),
        };
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(download);
        Ok(())
    }
}

/// Gets a URL, without credentials.
///
/// # Errors
/// Nothing was answered.
pub async fn get(aws: &Aws, url: &str) -> Result<Download, Error> {
    get_within(aws, url, aws.attempt_timeout).await
}

/// The same, within a time of its own.
///
/// # Errors
/// Nothing was answered in time.
pub async fn get_within(aws: &Aws, url: &str, timeout: Duration) -> Result<Download, Error> {
    let timeouts = TimeoutConfig::builder().operation_timeout(timeout);
    let timeouts = timeouts.operation_attempt_timeout(timeout).build();
    let answer = Arc::new(Mutex::new(None));
    let get = Get {
        url: url.to_owned(),
        answer: answer.clone(),
    };
    // Which operation lends its client does not matter: nothing of it is sent.
    let sent = aws
        .clients
        .ecr
        .get_authorization_token()
        .customize()
        .config_override(aws_sdk_ecr::config::Builder::new().timeout_config(timeouts))
        .interceptor(get)
        .send()
        .await;
    let download = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (download, sent) {
        (Some(download), _) => Ok(download),
        (None, Err(error)) => Err(Error::from_sdk("GET", &error)),
        (None, Ok(_)) => Err(Error::unreadable("the download has no answer")),
    }
}

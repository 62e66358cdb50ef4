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

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;

    use super::super::Connection;
    use super::*;
    use crate::clock::{Clock, SystemClock};

    /// A server that answers each path in its own way, for as long as the process lives.
    fn server() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let Some(Ok(first)) = lines.next() else {
                    continue;
                };
                let headers: Vec<String> = lines
                    .map_while(Result::ok)
                    .take_while(|line| !line.is_empty())
                    .collect();
                let signed = headers
                    .iter()
                    .any(|line| line.to_lowercase().starts_with("authorization"));
                let answer = match first.split(' ').nth(1).unwrap_or_default() {
                    _ if signed => "HTTP/1.1 418 signed\r\ncontent-length: 0\r\n\r\n",
                    "/ok" => "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nwell",
                    "/moved" => "HTTP/1.1 302 Found\r\nlocation: /ok\r\ncontent-length: 0\r\n\r\n",
                    "/ill" => "HTTP/1.1 503 ill\r\ncontent-length: 0\r\n\r\n",
                    _ => {
                        held.push(stream);
                        continue;
                    }
                };
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        format!("127.0.0.1:{}", address.port())
    }

    async fn aws() -> Aws {
        let mut connection = Connection::new("us-east-2", "us-east-1");
        connection.http_client = Some(super::super::connect::http_client());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let account = "633607774026".to_owned();
        Aws::connect(&connection, account, "aws".to_owned(), clock, 1).await
    }

    #[tokio::test]
    async fn a_page_is_what_the_server_answers_and_no_redirect_is_followed() {
        let (aws, server) = (aws().await, server());
        let page = get(&aws, &format!("http://{server}/ok")).await.unwrap();
        assert_eq!(
            (page.status, page.body.as_slice()),
            (200, b"well".as_slice())
        );
        let page = get(&aws, &format!("http://{server}/moved")).await.unwrap();
        assert_eq!((page.status, page.location.as_deref()), (302, Some("/ok")));
        let page = get(&aws, &format!("http://{server}/ill")).await.unwrap();
        assert_eq!(page.status, 503);
    }

    #[tokio::test]
    async fn a_server_that_does_not_answer_is_given_up_in_time() {
        let (aws, server) = (aws().await, server());
        let begun = std::time::Instant::now();
        let url = format!("http://{server}/silent");
        let error = get_within(&aws, &url, Duration::from_millis(300))
            .await
            .unwrap_err();
        assert_eq!(error.code, super::super::error::TIMEOUT);
        assert!(begun.elapsed() < Duration::from_secs(10));
    }

    #[tokio::test]
    async fn what_speaks_no_tls_and_who_is_not_there_do_not_answer() {
        let (aws, server) = (aws().await, server());
        get(&aws, &format!("https://{server}/ok"))
            .await
            .unwrap_err();
        let closed = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let error = get(&aws, &format!("http://{closed}/ok")).await.unwrap_err();
        assert_eq!(error.code, super::super::error::REFUSED);
    }
}

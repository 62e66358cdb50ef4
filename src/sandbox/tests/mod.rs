//! The sandbox through the SDK's own clients: what it answers is what the SDK reads.

mod ecs;
mod faults;
mod iam;
mod others;

use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::Sandbox;
use crate::clock::VirtualClock;

const ACCOUNT: &str = "633607774026";

fn sandbox() -> Sandbox {
    Sandbox::in_memory(ACCOUNT, "us-east-2", Arc::new(VirtualClock::default()))
}

/// What every client is made from: one attempt, so that a fault shows as it is.
fn config(sandbox: &Sandbox) -> aws_types::SdkConfig {
    aws_types::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_types::region::Region::new("us-east-2"))
        .http_client(SharedHttpClient::new(sandbox.clone()))
        .retry_config(aws_smithy_types::retry::RetryConfig::disabled())
        .credentials_provider(
            aws_credential_types::provider::SharedCredentialsProvider::new(Credentials::new(
                "AKIASANDBOX",
                "none",
                None,
                None,
                "sandbox",
            )),
        )
        .build()
}

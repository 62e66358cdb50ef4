//! One suite of requests against the sandbox, moto's server and MiniStack. Every check says what AWS
//! answers; the sandbox must answer so everywhere, an emulator everywhere but where
//! `emulators/gaps.toml` gives a reason, and a gap that is gone must be taken from that table.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "these helpers are tests themselves; what they lack is a failure"
)]

mod conformance {
    pub(crate) mod alarms;
    pub(crate) mod checks;
    pub(crate) mod compute;
    pub(crate) mod iam;
    pub(crate) mod policies;
    pub(crate) mod regional;
}
mod emulators;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use provision::clock::VirtualClock;
use provision::sandbox::Sandbox;

use conformance::checks::Checks;
use emulators::{ACCOUNT, REGION, Server};

/// Known gaps: emulator → check → reason.
type Gaps = BTreeMap<String, BTreeMap<String, String>>;

fn config() -> aws_types::sdk_config::Builder {
    let keys = Credentials::new("AKIASANDBOXSANDBOX00", "none", None, None, "test");
    SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(Region::new(REGION))
        .retry_config(RetryConfig::disabled())
        .sleep_impl(aws_smithy_async::rt::sleep::default_async_sleep().unwrap())
        .credentials_provider(SharedCredentialsProvider::new(keys))
}

async fn all(config: &SdkConfig, network: &(String, String)) -> Checks {
    let mut checks = Checks::default();
    conformance::iam::run(config, &mut checks).await;
    conformance::regional::run(config, &mut checks).await;
    conformance::compute::run(config, network, &mut checks).await;
    conformance::alarms::run(config, &mut checks).await;
    checks
}

/// Runs the suite against an emulator; none where it cannot be had here.
async fn emulator(name: &str, server: Result<Server, String>) -> Option<Checks> {
    let server = match server {
        Ok(server) => server,
        Err(reason) => {
            println!("conformance of {name}: skipped, {reason}");
            return None;
        }
    };
    let network = server.network().unwrap_or_default();
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = config()
        .http_client(http)
        .endpoint_url(server.url())
        .build();
    Some(all(&config, &network).await)
}

/// What is wrong with an emulator's deviations, given the gaps that are known.
fn judge(name: &str, checks: &Checks, gaps: &Gaps) -> Vec<String> {
    let none = BTreeMap::new();
    let known = gaps.get(name).unwrap_or(&none);
    let mut wrong = Vec::new();
    for (check, deviation) in checks.deviations() {
        if !known.contains_key(check) {
            wrong.push(format!(
                "{name}: {check}: {deviation} (not in emulators/gaps.toml)"
            ));
        }
    }
    for check in known.keys() {
        match checks.holds(check) {
            Some(true) => wrong.push(format!(
                "{name}: {check}: the gap is gone, take it from emulators/gaps.toml"
            )),
            Some(false) => {}
            None => wrong.push(format!("{name}: {check}: there is no such check")),
        }
    }
    wrong
}

#[tokio::test]
async fn the_sandbox_answers_as_aws_does() {
    let sandbox = Sandbox::in_memory(ACCOUNT, REGION, Arc::new(VirtualClock::default()));
    let config = config().http_client(SharedHttpClient::new(sandbox)).build();
    let checks = all(&config, &("subnet-0a".to_owned(), "sg-0a".to_owned())).await;
    let wrong: Vec<String> = checks
        .deviations()
        .map(|(check, deviation)| format!("{check}: {deviation}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checks.count() > 100, "only {} checks ran", checks.count());
}

#[tokio::test]
async fn the_emulators_differ_only_where_it_is_known() {
    let gaps: Gaps = toml::from_str(include_str!("emulators/gaps.toml")).unwrap();
    let mut wrong = Vec::new();
    for (name, server) in [("moto", Server::moto()), ("ministack", Server::ministack())] {
        if let Some(checks) = emulator(name, server).await {
            println!(
                "conformance of {name}: {} checks, {} known gaps",
                checks.count(),
                gaps.get(name).map_or(0, BTreeMap::len)
            );
            wrong.extend(judge(name, &checks, &gaps));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

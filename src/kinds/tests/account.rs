//! An account in the sandbox, for the tests of the kinds: plans that are carried out step by step.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::aws::{Aws, Connection};
use crate::clock::{Clock, VirtualClock};
use crate::config::{self, Config};
use crate::kind::{AnyKind, Scope, Snapshot};
use crate::kinds::law::IamLaw;
use crate::plan::{Input, Plan, kind_of, plan};
use crate::sandbox::Sandbox;

/// The project of the tests.
pub(crate) const PROJECT: &str = r#"
[project]
name = "back-end"
account_id = "633607774026"
region = "us-east-2"
tags = { team = "platform" }
ignore_tags = ["cost:*"]
"#;

/// A sandbox and the way to it.
pub(crate) struct TestAccount {
    pub(crate) aws: Aws,
    pub(crate) sandbox: Sandbox,
}

impl TestAccount {
    pub(crate) async fn new() -> Self {
        let clock = Arc::new(VirtualClock::default());
        let sandbox = Sandbox::in_memory("633607774026", "us-east-2", clock.clone());
        let mut connection = Connection::new("us-east-2", "us-east-1");
        connection.http_client = Some(SharedHttpClient::new(sandbox.clone()));
        let time: Arc<dyn Clock> = clock;
        let account = "633607774026".to_owned();
        let aws = Aws::connect(&connection, account, "aws".to_owned(), time, 16).await;
        Self { aws, sandbox }
    }

    /// What is there, looked at anew.
    pub(crate) async fn live(&self, kinds: &[&dyn AnyKind], scope: &Scope) -> Snapshot {
        self.aws.new_look();
        Snapshot::observe(kinds, &self.aws, scope)
            .await
            .unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// The plan as things stand.
    pub(crate) async fn plan(&self, kinds: &[&dyn AnyKind], scope: &Scope) -> Plan {
        let live = self.live(kinds, scope).await;
        let law = IamLaw::read(&self.aws, scope)
            .await
            .unwrap_or_else(|error| panic!("{error:?}"));
        let desired = Snapshot::declare(kinds, scope);
        plan(&Input {
            kinds,
            law: &law,
            desired: &desired,
            live: &live,
            mark: &scope.config.owner_mark(),
            runner: None,
            interrupts: false,
        })
        .unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// Carries the plan out: after each step the account is what the step's effect says, and a
    /// second performance of anything but a creation changes nothing. Then nothing is left to do.
    pub(crate) async fn apply(&self, kinds: &[&dyn AnyKind], scope: &Scope) -> Plan {
        let done = self.plan(kinds, scope).await;
        let mut expected = self.live(kinds, scope).await;
        for step in &done.steps {
            let kind = kind_of(kinds, &step.address.kind).unwrap();
            let made = !expected.contains(&step.address);
            let after = kind
                .effect(expected.get(&step.address), &step.call)
                .unwrap();
            expected.set(&step.address, after);
            for _ in 0..if made { 1 } else { 2 } {
                kind.perform(&self.aws, scope, &step.address.name, &step.call)
                    .await
                    .unwrap_or_else(|error| panic!("{} {:?}: {error:?}", step.address, step.call));
                let live = self.live(kinds, scope).await;
                for (address, spec) in expected.iter() {
                    let kept = kind_of(kinds, &address.kind)
                        .unwrap()
                        .keep(spec, live.get(address));
                    assert!(
                        live.get(address) == Some(&kept),
                        "after {} {:?}, {address} is\n{}\nand not\n{}",
                        step.address,
                        step.call,
                        live.get(address)
                            .map(crate::kind::AnySpec::json)
                            .unwrap_or_default(),
                        kept.json()
                    );
                }
                assert_eq!(
                    live.len(),
                    expected.len(),
                    "after {} {:?}",
                    step.address,
                    step.call
                );
            }
        }
        let again = self.plan(kinds, scope).await;
        assert!(again.is_empty(), "left: {:?}", again.steps);
        done
    }
}

/// The run about everything of this infra.toml, whose documents are given by name.
pub(crate) fn scope(text: &str, documents: &[(&str, &str)]) -> Scope {
    Scope::everything(Arc::new(config(text, documents)))
}

fn config(text: &str, documents: &[(&str, &str)]) -> Config {
    let documents: BTreeMap<&str, &str> = documents.iter().copied().collect();
    let text = format!("{PROJECT}{text}");
    let mut read = |path: &std::path::Path| {
        let name = path.to_string_lossy().into_owned();
        documents
            .get(name.as_str())
            .map(|text| (*text).to_owned())
            .ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound))
    };
    config::parse("infra.toml", &text, &mut read).unwrap_or_else(|errors| {
        let all: Vec<String> = errors.iter().map(|error| error.render(false)).collect();
        panic!("{}", all.join("\n"))
    })
}

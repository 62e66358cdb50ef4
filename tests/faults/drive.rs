//! One run of `apply` in this process, as the binary makes it: declare, observe, plan, perform; all
//! that a user would see is kept, so that it can be searched for secrets.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use provision::apply::{self, Event, Limits, Outcome, Run};
use provision::aws::{Aws, Clock, Connection, DEFAULT_PARALLELISM};
use provision::config::Config;
use provision::error::Error;
use provision::kind::{Scope, Snapshot};
use provision::kinds::KINDS;
use provision::kinds::law::IamLaw;
use provision::plan::{Input, Plan, plan};
use provision::sandbox::{Sandbox, VirtualClock};

/// The sandbox's clock for the rest of the program.
#[derive(Debug)]
pub(crate) struct Time(pub Arc<VirtualClock>);

impl Clock for Time {
    fn now(&self) -> Duration {
        provision::sandbox::Clock::now(&*self.0)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        provision::sandbox::Clock::sleep(&*self.0, duration)
    }
}

/// The account, its time, and what is to be in it.
pub(crate) struct Drive {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Arc<VirtualClock>,
}

/// What one run came to.
pub(crate) struct Ran {
    /// The exit code that the binary would have had.
    pub(crate) exit: u8,
    /// The steps of the plan; `None` where none could be made.
    pub(crate) planned: Option<usize>,
    /// Everything that was said.
    pub(crate) said: String,
}

impl Drive {
    pub(crate) fn new(account: &str, region: &str) -> Self {
        let clock = Arc::new(VirtualClock::default());
        let sandbox = Sandbox::in_memory(account, region, clock.clone());
        Self { sandbox, clock }
    }

    async fn connect(&self, config: &Config) -> Result<Aws, Error> {
        let mut connection = Connection::new(
            &config.project.region,
            config.project.partition.home_region(),
        );
        connection.http_client = Some(SharedHttpClient::new(self.sandbox.clone()));
        let aws = Aws::connect(
            &connection,
            config.project.account_id.clone(),
            config.project.partition.as_str().to_owned(),
            Arc::new(Time(self.clock.clone())),
            DEFAULT_PARALLELISM,
        )
        .await;
        aws.identity().await?;
        Ok(aws)
    }

    /// Plans and performs, with every hazard allowed but `interrupts`.
    pub(crate) async fn apply(&self, config: &Arc<Config>) -> Ran {
        let said = Mutex::new(String::new());
        match self.try_apply(config, &said).await {
            Ok((planned, outcome)) => Ran {
                exit: outcome.exit_code(),
                planned: Some(planned),
                said: said.into_inner().unwrap_or_default(),
            },
            Err(error) => {
                let said = format!(
                    "{}\n{error}\n{error:?}",
                    said.into_inner().unwrap_or_default()
                );
                Ran {
                    exit: error.kind.exit_code(),
                    planned: None,
                    said,
                }
            }
        }
    }

    async fn try_apply(
        &self,
        config: &Arc<Config>,
        said: &Mutex<String>,
    ) -> Result<(usize, Outcome), Error> {
        let aws = self.connect(config).await?;
        let scope = Scope::everything(config.clone());
        let desired = Snapshot::declare(KINDS, &scope);
        let live = Snapshot::observe(KINDS, &aws, &scope).await?;
        let law = IamLaw::read(&aws, &scope).await?;
        let mark = config.owner_mark();
        let input = Input {
            kinds: KINDS,
            law: &law,
            desired: &desired,
            live: &live,
            mark: &mark,
            runner: None,
            interrupts: false,
        };
        let planned = plan(&input)?;
        say(said, &words(&planned));
        if planned.is_empty() {
            return Ok((0, Outcome::default()));
        }
        let stop = AtomicBool::new(false);
        let on_event = |event: Event<'_>| say(said, &event_words(&event));
        let run = Run {
            kinds: KINDS,
            law: &law,
            aws: &aws,
            scope: &scope,
            desired: &desired,
            live: &live,
            mark: &mark,
            runner: None,
            interrupts: false,
            limits: Limits::default(),
            stop: &stop,
            on_event: &on_event,
        };
        let outcome = apply::apply(&run, &planned).await;
        for (address, error) in &outcome.failures {
            say(said, &format!("{address}: {error} {error:?}"));
        }
        Ok((planned.steps.len(), outcome))
    }

    /// A plan alone: how many steps, or why there is none.
    pub(crate) async fn plan(&self, config: &Arc<Config>) -> Result<Plan, Error> {
        let aws = self.connect(config).await?;
        let scope = Scope::everything(config.clone());
        let desired = Snapshot::declare(KINDS, &scope);
        let live = Snapshot::observe(KINDS, &aws, &scope).await?;
        let law = IamLaw::read(&aws, &scope).await?;
        let mark = config.owner_mark();
        plan(&Input {
            kinds: KINDS,
            law: &law,
            desired: &desired,
            live: &live,
            mark: &mark,
            runner: None,
            interrupts: false,
        })
    }
}

fn say(said: &Mutex<String>, text: &str) {
    let mut said = said
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    said.push_str(text);
    said.push('\n');
}

/// The plan as its text and JSON show it.
fn words(plan: &Plan) -> String {
    let about = provision::report::About {
        project: "sweep".into(),
        account_id: super::configs::ACCOUNT.into(),
        region: super::configs::REGION.into(),
        addresses: Vec::new(),
        destroy: false,
    };
    format!(
        "{}\n{}",
        provision::report::plan_text(plan, &about),
        provision::report::plan_json(plan, &about)
    )
}

fn event_words(event: &Event<'_>) -> String {
    format!("{event:?}")
}

//! A simulated account with this project's own infra.toml applied, in which images are pushed,
//! deployed, promoted and rolled back in this process, as the binary does it.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use provision::apply::{self, Limits};
use provision::aws::{Aws, Connection, DEFAULT_PARALLELISM};
use provision::clock::VirtualClock;
use provision::config::{self, Config};
use provision::error::Error;
use provision::kind::{Scope, Snapshot};
use provision::kinds::KINDS;
use provision::kinds::law::IamLaw;
use provision::plan::{Input, plan};
use provision::rollout::{
    self, DeployOrder, Event, Following, Promotion, Report, Return, Run, Selection, Until,
};
use provision::sandbox::{Sandbox, Service, Store};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// The cluster of infra.toml.
pub(crate) const CLUSTER: &str = "operationcode";
/// Its service in the first environment.
pub(crate) const STAGING: &str = "back-end-staging";
/// Its service in the second one.
pub(crate) const PRODUCTION: &str = "back-end-production";

/// What one run came to.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit code that the binary would have had.
    pub(crate) exit: u8,
    /// What became of each service; none where nothing was touched.
    pub(crate) reports: Vec<Report>,
    /// The error of the run.
    pub(crate) error: Option<Error>,
    /// Everything that was said.
    pub(crate) said: String,
}

impl Ran {
    fn of(done: Result<Vec<Report>, Error>, said: &str) -> Self {
        let (reports, error) = match done {
            Ok(reports) => {
                let error = rollout::error_of(&reports);
                (reports, error)
            }
            Err(error) => (Vec::new(), Some(error)),
        };
        let exit = error.as_ref().map_or(0, |error| error.kind.exit_code());
        let said = format!("{said}{error:?}\n{reports:?}");
        Self {
            exit,
            reports,
            error,
            said,
        }
    }
}

/// The account, its time, and what is declared.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) config: Arc<Config>,
    /// What requests go through; the sandbox itself unless a test puts something in between.
    pub(crate) client: SharedHttpClient,
}

/// The configuration of this project.
pub(crate) fn config() -> Arc<Config> {
    static CONFIG: OnceLock<Arc<Config>> = OnceLock::new();
    CONFIG
        .get_or_init(|| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("infra.toml");
            Arc::new(config::load(&path).expect("this project's infra.toml"))
        })
        .clone()
}

impl World {
    /// An account in which infra.toml is applied and no image is.
    pub(crate) async fn applied() -> Self {
        static APPLIED: OnceCell<Store> = OnceCell::const_new();
        let world = Self::empty();
        let applied = APPLIED.get_or_init(async || {
            world.apply().await;
            world.sandbox.snapshot()
        });
        world.sandbox.restore(applied.await);
        // Later than all that the account has seen.
        world.clock.advance(Duration::from_hours(1));
        world
    }

    /// The same with an image that both environments run.
    pub(crate) async fn running() -> Self {
        static RUNNING: OnceCell<Store> = OnceCell::const_new();
        let world = Self::applied().await;
        let running = RUNNING.get_or_init(async || {
            world.push("staging");
            assert_eq!(world.deploy("staging").await.exit, 0);
            assert_eq!(world.promote().await.exit, 0);
            world.sandbox.snapshot()
        });
        world.sandbox.restore(running.await);
        world.clock.advance(Duration::from_hours(1));
        world
    }

    fn empty() -> Self {
        let config = config();
        let clock = Arc::new(VirtualClock::default());
        let project = &config.project;
        let sandbox = Sandbox::in_memory(&project.account_id, &project.region, clock.clone());
        let client = SharedHttpClient::new(sandbox.clone());
        Self {
            sandbox,
            clock,
            config,
            client,
        }
    }

    /// `provision apply --yes`.
    pub(crate) async fn apply(&self) {
        let look = self.look().await;
        let planned = plan(&look.input()).expect("a plan");
        let run = apply::Run {
            kinds: KINDS,
            law: &look.law,
            aws: &look.aws,
            scope: &look.scope,
            desired: &look.desired,
            live: &look.live,
            mark: &look.mark,
            runner: None,
            interrupts: false,
            limits: Limits::default(),
            stop: &AtomicBool::new(false),
            on_event: &|_| {},
        };
        let outcome = apply::apply(&run, &planned).await;
        assert_eq!(outcome.exit_code(), 0, "{:?}", outcome.failures);
    }

    /// The steps that `provision plan` shows.
    pub(crate) async fn plan(&self) -> Vec<String> {
        let look = self.look().await;
        let steps = plan(&look.input()).expect("a plan").steps;
        let words = steps.iter();
        words
            .map(|step| format!("{} {:?}", step.address, step.call))
            .collect()
    }

    /// What a plan is made from.
    async fn look(&self) -> Look {
        let aws = self.connect(&self.client).await.expect("a way in");
        let scope = Scope::everything(self.config.clone());
        Look {
            desired: Snapshot::declare(KINDS, &scope),
            live: Snapshot::observe(KINDS, &aws, &scope).await.expect("live"),
            law: IamLaw::read(&aws, &scope).await.expect("the law"),
            mark: self.config.owner_mark(),
            aws,
            scope,
        }
    }

    async fn connect(&self, client: &SharedHttpClient) -> Result<Aws, Error> {
        let project = &self.config.project;
        let home = project.partition.home_region();
        let mut connection = Connection::new(&project.region, home);
        connection.http_client = Some(client.clone());
        let aws = Aws::connect(
            &connection,
            project.account_id.clone(),
            project.partition.as_str().to_owned(),
            self.clock.clone(),
            DEFAULT_PARALLELISM,
        )
        .await;
        aws.identity().await?;
        Ok(aws)
    }

    /// Does `work` as a command would, through this client.
    pub(crate) async fn play(
        &self,
        client: &SharedHttpClient,
        work: impl AsyncFnOnce(Run<'_>) -> Result<Vec<Report>, Error>,
    ) -> Ran {
        let said = Mutex::new(String::new());
        let on_event = |event: Event<'_>| {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = writeln!(said, "{event:?}");
        };
        let done = match self.connect(client).await {
            Ok(aws) => {
                let run = Run {
                    aws: &aws,
                    config: &self.config,
                    on_event: &on_event,
                };
                work(run).await
            }
            Err(error) => Err(error),
        };
        Ran::of(done, &said.into_inner().unwrap_or_default())
    }

    /// `provision deploy ENVIRONMENT`.
    pub(crate) async fn deploy(&self, environment: &str) -> Ran {
        self.deploy_with(environment, &Selection::Declared, following())
            .await
    }

    pub(crate) async fn deploy_with(
        &self,
        environment: &str,
        selection: &Selection,
        following: Following,
    ) -> Ran {
        let order = DeployOrder {
            environment,
            service: None,
            selection,
            force: false,
            unproved: false,
            following,
        };
        self.play(&self.client, async |run| rollout::deploy(run, &order).await)
            .await
    }

    /// `provision promote staging production`.
    pub(crate) async fn promote(&self) -> Ran {
        let promotion = Promotion {
            from: "staging",
            to: "production",
            service: None,
            unproved: false,
            following: following(),
        };
        self.play(&self.client, async |run| {
            rollout::promote(run, &promotion).await
        })
        .await
    }

    /// `provision rollback ENVIRONMENT`.
    pub(crate) async fn rollback(&self, environment: &str, to: Option<&str>) -> Ran {
        let order = Return {
            environment,
            service: None,
            to,
            following: following(),
        };
        self.play(&self.client, async |run| {
            rollout::rollback(run, &order).await
        })
        .await
    }

    /// Asks ECS directly.
    pub(crate) fn ecs(&self, operation: &str, input: Value) -> Value {
        self.sandbox
            .ask(Service::Ecs, operation, input)
            .expect("an answer of ECS")
    }

    /// What `DescribeServices` says of a service.
    pub(crate) fn service(&self, name: &str) -> Value {
        let answer = self.ecs(
            "DescribeServices",
            json!({"cluster": CLUSTER, "services": [name]}),
        );
        answer["services"][0].clone()
    }

    /// The image of the revision that a service is on.
    pub(crate) fn image(&self, service: &str) -> String {
        let service = self.service(service);
        let answer = self.ecs(
            "DescribeTaskDefinition",
            json!({"taskDefinition": service["taskDefinition"]}),
        );
        let image = &answer["taskDefinition"]["containerDefinitions"][0]["image"];
        image.as_str().unwrap_or_default().to_owned()
    }

    /// The service deployments of a service, newest first.
    pub(crate) fn deployments(&self, service: &str) -> Vec<Value> {
        let answer = self.ecs(
            "ListServiceDeployments",
            json!({"cluster": CLUSTER, "service": service}),
        );
        answer["serviceDeployments"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    }

    /// How many ACTIVE revisions a family has.
    pub(crate) fn revisions(&self, family: &str) -> usize {
        let answer = self.ecs(
            "ListTaskDefinitions",
            json!({"familyPrefix": family, "status": "ACTIVE"}),
        );
        answer["taskDefinitionArns"].as_array().map_or(0, Vec::len)
    }

    /// Pushes a new image under a tag, as a build would; gives its digest.
    pub(crate) fn push(&self, tag: &str) -> String {
        let held = json!({"repositoryName": "back-end"});
        let images = self.sandbox.ask(Service::Ecr, "ListImages", held);
        let images = images.expect("an answer of ECR");
        let number = images["imageIds"].as_array().map_or(0, Vec::len);
        let config = json!({"architecture": "arm64", "os": "linux", "number": number});
        let pushed = self.sandbox.push("back-end", tag, &config.to_string());
        pushed.expect("an answer of ECR")
    }
}

/// One look at the account, beside what is declared.
struct Look {
    aws: Aws,
    scope: Scope,
    desired: Snapshot,
    live: Snapshot,
    law: IamLaw,
    mark: String,
}

impl Look {
    fn input(&self) -> Input<'_> {
        Input {
            kinds: KINDS,
            law: &self.law,
            desired: &self.desired,
            live: &self.live,
            mark: &self.mark,
            runner: None,
            interrupts: false,
        }
    }
}

/// To the end, for a quarter of an hour.
pub(crate) fn following() -> Following {
    Following {
        until: Until::Deployed,
        timeout: Duration::from_mins(15),
    }
}

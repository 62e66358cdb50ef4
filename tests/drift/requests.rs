//! What a plan costs when nothing has changed: its requests, the longest chain of those that wait
//! for one another, and how many are in flight at once, at the work W(N) of the performance budget.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use provision::aws::{Aws, Connection};
use provision::clock::SystemClock;
use provision::config;
use provision::kind::{Scope, Snapshot};
use provision::kinds::{KINDS, law};
use provision::sandbox::Sandbox;

use super::project::Project;

/// Long enough that requests which do not wait for one another overlap.
const LATENCY: Duration = Duration::from_millis(20);

/// So many in flight that none waits for a place: the chain is then of those that need one another.
const ENOUGH: usize = 1_000;

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:PutImage","ecr:UploadLayerPart"],"Resource":"{{repository.app-NUMBER.arn}}"}]}"#;
const LIFECYCLE: &str = r#"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":14},"action":{"type":"expire"}}]}"#;

/// W(N): a provider, two clusters, and N times a role, a policy, a repository, two log groups and
/// two services with their task definitions.
fn work(count: usize) -> Project {
    let mut text = String::from(
        "[project]\nname = \"work\"\naccount_id = \"633607774026\"\nregion = \"us-east-2\"\n\
         [github]\nrepository = \"OperationCode/back-end\"\n\
         [oidc_provider.\"token.actions.githubusercontent.com\"]\nclient_ids = [\"sts.amazonaws.com\"]\n\
         [environment.staging]\n[environment.production]\nafter = \"staging\"\n\
         [cluster.\"{{environment}}\"]\nenvironments = [\"staging\", \"production\"]\n",
    );
    for number in 0..count {
        let both = "environments = [\"staging\", \"production\"]";
        let _ = write!(
            text,
            "[policy.push-{number}]\ndocument = \"policies/push-{number}.json\"\n\
             [role.push-{number}]\ntrust = {{ github = {{ branches = [\"main\"] }} }}\n\
             managed_policies = [\"push-{number}\"]\n\
             [repository.app-{number}]\nlifecycle_policy = \"policies/lifecycle.json\"\n\
             [log_group.\"/ecs/app-{number}-{{{{environment}}}}\"]\n{both}\nretention_in_days = 30\n\
             [service.\"app-{number}-{{{{environment}}}}\"]\n{both}\ncluster = \"{{{{environment}}}}\"\n\
             launch_type = \"FARGATE\"\ndesired_count = 1\nnetwork = {{ subnets = [\"subnet-0a1b2c3d\"] }}\n\
             [service.\"app-{number}-{{{{environment}}}}\".task]\nfamily = \"app-{number}-{{{{environment}}}}\"\n\
             cpu = 256\nmemory = 512\narchitecture = \"ARM64\"\n\
             execution_role = \"arn:aws:iam::633607774026:role/execution\"\n\
             [service.\"app-{number}-{{{{environment}}}}\".task.container.web]\n\
             image = {{ repository = \"app-{number}\", tag = \"{{{{environment}}}}\" }}\n\
             log_group = \"/ecs/app-{number}-{{{{environment}}}}\"\n"
        );
    }
    let project = Project::of(&[
        ("infra.toml", &text),
        ("policies/lifecycle.json", LIFECYCLE),
    ]);
    for number in 0..count {
        let document = POLICY.replace("NUMBER", &number.to_string());
        std::fs::write(
            project.path(&format!("policies/push-{number}.json")),
            document,
        )
        .unwrap();
    }
    project
}

/// Applies W(N) and counts what the next plan sends.
pub(crate) fn a_plan_sends_at_most(count: usize, most: usize) {
    let project = work(count);
    project.apply();
    let plan = project.run(&["-vv", "plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "{}{}", plan.stdout, plan.stderr);
    let requests = plan.requests();
    let (chain, flight) = chain_and_flight(&project);
    println!(
        "plan of W({count}) when nothing changed: {} requests (at most {most}), longest chain \
         {chain}, up to {flight} in flight",
        requests.len()
    );
    assert!(
        requests.len() <= most,
        "{} requests: {requests:#?}",
        requests.len()
    );
    assert!(plan.writes().is_empty(), "a plan wrote");
    assert!(flight > 1, "reads wait for one another without need");
    // Identity; lists, details and tags; task definitions; what the tagging API did not know.
    assert!(chain <= 4, "{chain} requests wait for one another");
}

/// The same reads in this process, where each takes a while.
fn chain_and_flight(project: &Project) -> (usize, usize) {
    let probe = Probe {
        sandbox: project.sandbox(),
        seen: Arc::default(),
    };
    let config = config::load(&project.path("infra.toml")).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut connection = Connection::new("us-east-2", "us-east-1");
        let connector = SharedHttpConnector::new(probe.clone());
        connection.http_client = Some(http_client_fn(move |_, _| connector.clone()));
        let account = config.project.account_id.clone();
        let clock = Arc::new(SystemClock);
        let aws = Aws::connect(&connection, account, "aws".to_owned(), clock, ENOUGH).await;
        let scope = Scope::everything(Arc::new(config));
        aws.identity().await.unwrap();
        Snapshot::observe(KINDS, &aws, &scope).await.unwrap();
        law::observe(&aws, &scope).await.unwrap();
    });
    let seen = probe.seen.lock().unwrap();
    (seen.chain, seen.most)
}

#[derive(Debug, Default)]
struct Seen {
    in_flight: usize,
    most: usize,
    /// The longest chain that has ended.
    chain: usize,
}

/// The sandbox behind a wire: each request takes a while, and is seen to begin and to end.
#[derive(Clone, Debug)]
struct Probe {
    sandbox: Sandbox,
    seen: Arc<Mutex<Seen>>,
}

impl HttpConnector for Probe {
    #[expect(
        clippy::disallowed_methods,
        reason = "requests have to overlap in real time to be seen in flight together"
    )]
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let probe = self.clone();
        HttpConnectorFuture::new(async move {
            let length = {
                let mut seen = probe.seen.lock().unwrap();
                seen.in_flight += 1;
                seen.most = seen.most.max(seen.in_flight);
                seen.chain + 1
            };
            tokio::time::sleep(LATENCY).await;
            let answer = HttpConnector::call(&probe.sandbox, request).await;
            let mut seen = probe.seen.lock().unwrap();
            seen.in_flight -= 1;
            seen.chain = seen.chain.max(length);
            answer
        })
    }
}

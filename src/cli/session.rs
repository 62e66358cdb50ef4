//! What every command that reads infra.toml begins with: the checked configuration, and the way to
//! the account that it names.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::global::Global;
use crate::aws::{Aws, Clock, Connection, SystemClock};
use crate::config::{self, Config, Partition};
use crate::error::{Error, ErrorKind, Result};
use crate::report::Screen;
use crate::sandbox::{Sandbox, Script, VirtualClock};

/// One run on one infra.toml.
#[derive(Debug)]
pub(super) struct Session<'a> {
    pub(super) global: &'a Global,
    pub(super) screen: &'a Screen,
    pub(super) config: Arc<Config>,
}

impl<'a> Session<'a> {
    /// Reads infra.toml and what it names; every error in them is reported at once.
    pub(super) fn load(global: &'a Global, screen: &'a Screen) -> Result<Self> {
        let config = Arc::new(load(&global.config, screen)?);
        if let Some(region) = global
            .region
            .as_ref()
            .filter(|region| **region != config.project.region)
        {
            let message = format!(
                "--region says {region}, and infra.toml is for {}.",
                config.project.region
            );
            return Err(Error::new(ErrorKind::Usage, message)
                .hint("Leave --region out, or change `region` under [project]."));
        }
        Ok(Self {
            global,
            screen,
            config,
        })
    }

    /// The way to AWS or to the sandbox. The account is checked: nothing of another one is read.
    pub(super) async fn connect(&self) -> Result<Aws> {
        let project = &self.config.project;
        let place = Place {
            account_id: project.account_id.clone(),
            region: project.region.clone(),
            partition: project.partition,
        };
        let aws = open(&place, self.global).await?;
        aws.identity().await?;
        Ok(aws)
    }
}

/// The sandbox itself, where the run is in one.
pub(super) fn open_sandbox(
    session: &Session<'_>,
    clock: Arc<VirtualClock>,
) -> Result<Option<Sandbox>> {
    let project = &session.config.project;
    let place = Place {
        account_id: project.account_id.clone(),
        region: project.region.clone(),
        partition: project.partition,
    };
    let file = session.global.sandbox();
    file.map(|file| sandbox(&file, &place, session.global, clock))
        .transpose()
}

/// Which part of AWS a run is about.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) account_id: String,
    pub(super) region: String,
    pub(super) partition: Partition,
}

/// The way to this place, or to the sandbox in its stead. Sends nothing.
pub(super) async fn open(place: &Place, global: &Global) -> Result<Aws> {
    let mut connection = Connection::new(&place.region, place.partition.home_region());
    connection.profile.clone_from(&global.profile);
    connection.endpoint_url.clone_from(&global.endpoint_url);
    connection
        .assume_role_arn
        .clone_from(&global.assume_role_arn);
    let mut clock: Arc<dyn Clock> = Arc::new(SystemClock);
    if let Some(file) = global.sandbox() {
        // Its time is its own: a rollout of minutes takes none of ours.
        let sandbox_clock = Arc::new(VirtualClock::default());
        let sandbox = sandbox(&file, place, global, sandbox_clock.clone())?;
        connection.http_client = Some(SharedHttpClient::new(sandbox.clone()));
        connection.endpoint_url = None;
        clock = Arc::new(SandboxTime {
            sandbox,
            clock: sandbox_clock,
            watched: global.screen().is_animated(),
        });
    } else if global.sandbox_faults.is_some() || global.sandbox_rollout().is_some() {
        return Err(Error::new(
            ErrorKind::Usage,
            "--sandbox-faults and --sandbox-rollout need --sandbox.",
        ));
    }
    let (account_id, partition) = (
        place.account_id.clone(),
        place.partition.as_str().to_owned(),
    );
    Ok(Aws::connect(
        &connection,
        account_id,
        partition,
        clock,
        global.parallelism,
    )
    .await)
}

fn sandbox(
    file: &Path,
    place: &Place,
    global: &Global,
    clock: Arc<VirtualClock>,
) -> Result<Sandbox> {
    let sandbox =
        Sandbox::open(file, &place.account_id, &place.region, clock).map_err(|error| {
            Error::failed(format!(
                "The sandbox {} cannot be used: {error}.",
                file.display()
            ))
            .hint("Name another file with --sandbox=FILE, or remove this one to begin anew.")
        })?;
    let script = global.sandbox_faults.as_ref().map(|path| {
        Script::read(path).map_err(|error| {
            Error::failed(format!(
                "The fault script {} cannot be read: {error}",
                path.display()
            ))
        })
    });
    let mut script = script.transpose()?.unwrap_or_default();
    if let Some(behaviour) = global.sandbox_rollout() {
        script.rollout = Script::rollouts(behaviour).rollout;
    }
    sandbox.play(script);
    Ok(sandbox)
}

/// How many times faster the sandbox's time goes while somebody watches: a rollout of a minute can be
/// followed, and one of a quarter of an hour is not waited for.
const FASTER: u32 = 20;

/// The sandbox's time, for the rest of the program.
#[derive(Debug)]
struct SandboxTime {
    sandbox: Sandbox,
    clock: Arc<VirtualClock>,
    /// Whether somebody watches on a terminal; otherwise no time passes.
    watched: bool,
}

impl Clock for SandboxTime {
    fn now(&self) -> Duration {
        self.sandbox.time()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            if self.watched {
                Clock::sleep(&SystemClock, duration / FASTER).await;
            }
            crate::sandbox::Clock::sleep(&*self.clock, duration).await;
        })
    }
}

fn load(path: &Path, screen: &Screen) -> Result<Config> {
    config::load(path).map_err(|diagnostics| {
        screen.workflow().annotate_diagnostics(&diagnostics);
        let rendered: Vec<String> = diagnostics
            .iter()
            .map(|diagnostic| diagnostic.render(screen.colors_errors()))
            .collect();
        Error::new(ErrorKind::Config, rendered.join("\n\n"))
    })
}

//! What every command that reads infra.toml begins with: the checked configuration, and the way to
//! the account that it names.

use std::cell::OnceCell;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::global::Global;
use crate::aws::{Aws, Connection, Ledger};
use crate::clock::{Clock, SystemClock, VirtualClock};
use crate::config::{self, Config, Partition};
use crate::error::{Error, ErrorKind, Result};
use crate::report::{self, Screen};
use crate::sandbox::{Sandbox, Script};

/// One run on one infra.toml.
pub(super) struct Session<'a> {
    pub(super) global: &'a Global,
    pub(super) screen: &'a Screen,
    pub(super) config: Arc<Config>,
    /// What the run has asked of AWS, once it is connected.
    ledger: OnceCell<Box<dyn Fn() -> Ledger>>,
}

/// With -v a run ends with what it asked of AWS, whatever came of it.
impl Drop for Session<'_> {
    fn drop(&mut self) {
        if let Some(ledger) = self.ledger.get().filter(|_| self.screen.is_verbose()) {
            self.screen.say(&report::ledger(&ledger()));
        }
    }
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
            ledger: OnceCell::new(),
        })
    }

    /// The way to AWS or to the sandbox. The account is checked: nothing of another one is read.
    pub(super) async fn connect(&self) -> Result<Aws> {
        self.connect_at(Pace::AtOnce).await
    }

    /// The same for what goes on without end: there the sandbox's time passes no faster than ours.
    pub(super) async fn connect_to_follow(&self) -> Result<Aws> {
        self.connect_at(Pace::AsOurs).await
    }

    async fn connect_at(&self, speed: Pace) -> Result<Aws> {
        let project = &self.config.project;
        let place = Place {
            account_id: project.account_id.clone(),
            region: project.region.clone(),
            partition: project.partition,
        };
        let aws = open_at(&place, self.global, speed).await?;
        // A command connects once; where it does so again, the first says enough.
        let _ = self.ledger.set(Box::new(aws.ledger_later()));
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
    open_at(place, global, Pace::AtOnce).await
}

async fn open_at(place: &Place, global: &Global, speed: Pace) -> Result<Aws> {
    let mut connection = Connection::new(&place.region, place.partition.home_region());
    connection.profile.clone_from(&global.profile);
    connection.endpoint_url.clone_from(&global.endpoint_url);
    connection
        .assume_role_arn
        .clone_from(&global.assume_role_arn);
    let mut clock: Arc<dyn Clock> = Arc::new(SystemClock);
    if let Some(file) = global.sandbox() {
        // Its time is its own: a rollout of minutes takes none of ours, or a little to be watched.
        let speed = match speed {
            Pace::AtOnce if global.screen().is_animated() => Pace::Faster,
            speed => speed,
        };
        let sandbox_clock = Arc::new(Paced {
            clock: VirtualClock::default(),
            speed,
        });
        let sandbox = sandbox(&file, place, global, sandbox_clock.clone())?;
        connection.http_client = Some(SharedHttpClient::new(sandbox.clone()));
        connection.endpoint_url = None;
        if speed == Pace::AsOurs {
            // Other runs on the same file move its time on, by more than any request may take.
            connection.timeouts.attempt = Duration::from_hours(24);
        }
        clock = Arc::new(SandboxTime {
            sandbox,
            clock: sandbox_clock,
        });
    } else if global.sandbox_faults.is_some() || global.sandbox_rollout().is_some() {
        return Err(Error::new(
            ErrorKind::Usage,
            "--sandbox-faults and --sandbox-rollout need --sandbox.",
        )
        .hint("Add --sandbox, or set PROVISION_SANDBOX."));
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

fn sandbox(file: &Path, place: &Place, global: &Global, clock: Arc<dyn Clock>) -> Result<Sandbox> {
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

/// How fast the sandbox's time passes while somebody waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// A wait ends at once.
    AtOnce,
    /// A wait takes a little of what it says: on a terminal, where somebody watches.
    Faster,
    /// A wait takes as long as it says.
    AsOurs,
}

/// The sandbox's clock, at a pace.
#[derive(Debug)]
struct Paced {
    clock: VirtualClock,
    speed: Pace,
}

impl Clock for Paced {
    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            match self.speed {
                Pace::AtOnce => {}
                Pace::Faster => SystemClock.sleep(duration / FASTER).await,
                Pace::AsOurs => SystemClock.sleep(duration).await,
            }
            self.clock.advance(duration);
        })
    }
}

/// The sandbox's time, for the rest of the program.
#[derive(Debug)]
struct SandboxTime {
    sandbox: Sandbox,
    clock: Arc<Paced>,
}

impl Clock for SandboxTime {
    fn now(&self) -> Duration {
        self.sandbox.time()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.clock.sleep(duration)
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

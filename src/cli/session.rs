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
use crate::config::{self, Config};
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
        let mut connection = Connection::new(&project.region, project.partition.home_region());
        connection.profile.clone_from(&self.global.profile);
        connection
            .endpoint_url
            .clone_from(&self.global.endpoint_url);
        connection
            .assume_role_arn
            .clone_from(&self.global.assume_role_arn);
        let mut clock: Arc<dyn Clock> = Arc::new(SystemClock);
        if let Some(file) = self.global.sandbox() {
            // Its time is its own: a rollout of minutes takes none of ours.
            let sandbox_clock = Arc::new(VirtualClock::default());
            let sandbox = self.sandbox(&file, sandbox_clock.clone())?;
            connection.http_client = Some(SharedHttpClient::new(sandbox));
            connection.endpoint_url = None;
            clock = Arc::new(SandboxTime(sandbox_clock));
        } else if self.global.sandbox_faults.is_some() {
            return Err(Error::new(
                ErrorKind::Usage,
                "--sandbox-faults needs --sandbox.",
            ));
        }
        let aws = Aws::connect(
            &connection,
            project.account_id.clone(),
            project.partition.as_str().to_owned(),
            clock,
            self.global.parallelism,
        )
        .await;
        aws.identity().await?;
        Ok(aws)
    }

    fn sandbox(&self, file: &Path, clock: Arc<VirtualClock>) -> Result<Sandbox> {
        let project = &self.config.project;
        let sandbox =
            Sandbox::open(file, &project.account_id, &project.region, clock).map_err(|error| {
                Error::failed(format!(
                    "The sandbox {} cannot be used: {error}.",
                    file.display()
                ))
                .hint("Name another file with --sandbox=FILE, or remove this one to begin anew.")
            })?;
        if let Some(path) = &self.global.sandbox_faults {
            let script = Script::read(path).map_err(|error| {
                Error::failed(format!(
                    "The fault script {} cannot be read: {error}",
                    path.display()
                ))
            })?;
            sandbox.play(script);
        }
        Ok(sandbox)
    }
}

/// The sandbox's time, for the rest of the program.
#[derive(Debug)]
struct SandboxTime(Arc<VirtualClock>);

impl Clock for SandboxTime {
    fn now(&self) -> Duration {
        crate::sandbox::Clock::now(&*self.0)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        crate::sandbox::Clock::sleep(&*self.0, duration)
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

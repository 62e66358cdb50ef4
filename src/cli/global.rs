//! The flags that every command takes; each can be given as a `PROVISION_*` variable too.

use std::path::{Path, PathBuf};

use clap::builder::{FalseyValueParser, PossibleValuesParser};
use clap::{ArgAction, Args};

use crate::aws::DEFAULT_PARALLELISM;
use crate::report::{Color, Screen, Workflow};
use crate::sandbox::Behaviour;

/// Where the sandbox is kept, beside infra.toml, unless `--sandbox=FILE` says otherwise.
const SANDBOX_FILE: &str = ".provision/sandbox.json";

/// The flags that every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// The file that declares the infrastructure.
    #[arg(
        short,
        long,
        global = true,
        env = "PROVISION_CONFIG",
        hide_env_values = true,
        value_name = "FILE"
    )]
    #[arg(default_value = "infra.toml")]
    pub(super) config: PathBuf,

    /// Use a simulated AWS account, kept in FILE (by default .provision/sandbox.json beside infra.toml).
    #[arg(
        long,
        global = true,
        env = "PROVISION_SANDBOX",
        hide_env_values = true,
        value_name = "FILE"
    )]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "1")]
    sandbox: Option<String>,

    /// Play the faults of this script in the sandbox.
    #[arg(
        long,
        global = true,
        env = "PROVISION_SANDBOX_FAULTS",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub(super) sandbox_faults: Option<PathBuf>,

    /// How rollouts go in the sandbox, such as breaker-rollback, out-of-memory or pause.
    #[arg(
        long,
        global = true,
        env = "PROVISION_SANDBOX_ROLLOUT",
        hide_env_values = true,
        value_name = "BEHAVIOUR"
    )]
    #[arg(value_parser = PossibleValuesParser::new(Behaviour::NAMES.map(|(name, _)| name)))]
    sandbox_rollout: Option<String>,

    /// The profile of the AWS configuration to take credentials from.
    #[arg(
        long,
        global = true,
        env = "PROVISION_PROFILE",
        hide_env_values = true,
        value_name = "NAME"
    )]
    pub(super) profile: Option<String>,

    /// The region; it has to be the one of infra.toml.
    #[arg(
        long,
        global = true,
        env = "PROVISION_REGION",
        hide_env_values = true,
        value_name = "REGION"
    )]
    pub(super) region: Option<String>,

    /// Send every request to this endpoint instead of AWS's.
    #[arg(
        long,
        global = true,
        env = "PROVISION_ENDPOINT_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub(super) endpoint_url: Option<String>,

    /// Assume this role with the credentials found, and work as it.
    #[arg(
        long,
        global = true,
        env = "PROVISION_ASSUME_ROLE_ARN",
        hide_env_values = true,
        value_name = "ARN"
    )]
    pub(super) assume_role_arn: Option<String>,

    /// The most requests in flight at once.
    #[arg(
        long,
        global = true,
        env = "PROVISION_PARALLELISM",
        hide_env_values = true,
        value_name = "N"
    )]
    #[arg(default_value_t = DEFAULT_PARALLELISM, value_parser = parallelism)]
    pub(super) parallelism: usize,

    /// When to colour.
    #[arg(
        long,
        global = true,
        env = "PROVISION_COLOR",
        hide_env_values = true,
        value_name = "WHEN"
    )]
    #[arg(value_enum, default_value_t)]
    color: Color,

    /// Say nothing on standard error but errors.
    #[arg(short, long, global = true, env = "PROVISION_QUIET", hide_env_values = true, value_parser = FalseyValueParser::new())]
    quiet: bool,

    /// Say more on standard error, and at the end what was asked of AWS; twice for each request.
    #[arg(short, long, global = true, env = "PROVISION_VERBOSE", hide_env_values = true, action = ArgAction::Count)]
    verbose: u8,
}

fn parallelism(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("a whole number above 0 is needed".to_owned()),
    }
}

impl Global {
    /// The screen of this run.
    pub(super) fn screen(&self) -> Screen {
        Screen::new(
            self.color,
            self.quiet,
            self.verbose,
            Workflow::from_environment(),
        )
    }

    /// The file of the sandbox, if the run is in one. The variable may also be a switch.
    pub(super) fn sandbox(&self) -> Option<PathBuf> {
        match self.sandbox.as_deref()? {
            "" | "0" | "false" | "no" => None,
            "1" | "true" | "yes" => {
                let directory = self.config.parent().unwrap_or(Path::new(""));
                Some(directory.join(SANDBOX_FILE))
            }
            file => Some(PathBuf::from(file)),
        }
    }

    /// How rollouts go in the sandbox, where that is said.
    pub(super) fn sandbox_rollout(&self) -> Option<Behaviour> {
        let wanted = self.sandbox_rollout.as_deref()?;
        let mut all = Behaviour::NAMES.into_iter();
        all.find_map(|(name, behaviour)| (name == wanted).then_some(behaviour))
    }

    /// Writes our own events to standard error under `-v`: never the SDK's, which hold requests.
    pub(super) fn start_tracing(&self) {
        let level = match self.verbose {
            0 => return,
            1 => "provision=info",
            _ => "provision=debug",
        };
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::new(level))
            .with_writer(std::io::stderr)
            .without_time()
            .with_ansi(false)
            .finish();
        // A subscriber that is set already (in tests) is as good.
        let _ = tracing::subscriber::set_global_default(subscriber);
    }
}

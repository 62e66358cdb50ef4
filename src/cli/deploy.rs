//! `provision deploy`: an image becomes what the services of an environment run.

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::lock;
use super::rollout::{Following, play};
use super::session::Session;
use crate::error::Result;
use crate::kind::Hazard;
use crate::rollout::{self, DeployOrder, Selection};

/// Deploy an image to an environment.
///
/// Resolves the tag to a digest, checks all that would make the rollout fail, registers the task
/// definition with that digest or takes a revision that says the same, sends it with one
/// `UpdateService`, and follows that deployment to its end. Exit code 4 if it does not succeed.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The environment.
    environment: String,

    /// The tag of the image; by default the one of infra.toml.
    #[arg(long, value_name = "TAG", conflicts_with = "digest")]
    tag: Option<String>,

    /// The digest of the image, such as sha256:...
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    digest: Option<String>,

    /// Start a deployment even where the service runs this already, so that tasks read their secrets anew.
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    following: Following,

    #[command(flatten)]
    allowed: Allowed,
}

/// The hazards of a deployment that need a word.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Allowed {
    /// Allow a hazard: unproved deploys what the environment before has not proved.
    #[arg(long, value_name = "HAZARD", value_delimiter = ',')]
    #[arg(value_parser = PossibleValuesParser::new([Hazard::Unproved.name()]))]
    allow: Vec<String>,
}

impl Allowed {
    /// Whether an image may go to an environment without proof.
    pub(super) fn unproved(&self) -> bool {
        !self.allow.is_empty()
    }
}

pub(super) fn digest(text: &str) -> Result<String, String> {
    let hexadecimal = text.strip_prefix("sha256:").unwrap_or_default();
    if hexadecimal.len() == 64 && hexadecimal.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(text.to_owned())
    } else {
        Err("a digest is sha256: and 64 hexadecimal digits".to_owned())
    }
}

/// Resolves, checks, sends, follows.
pub(super) async fn run(arguments: &Arguments, session: &Session<'_>) -> Result<u8> {
    let selection = match (&arguments.tag, &arguments.digest) {
        (Some(tag), _) => Selection::Tag(tag.clone()),
        (None, Some(digest)) => Selection::Digest(digest.clone()),
        (None, None) => Selection::Declared,
    };
    let order = DeployOrder {
        environment: &arguments.environment,
        service: arguments.following.service.as_deref(),
        selection: &selection,
        force: arguments.force,
        unproved: arguments.allowed.unproved(),
        following: arguments.following.get(),
    };
    let command = format!("deploy {}", arguments.environment);
    play(session, &command, async |run| {
        lock::ask(session, run.aws).await?;
        rollout::deploy(run, &order).await
    })
    .await
}

//! `provision destroy`: removes what this project owns, in reverse order.

use clap::Args;

use super::apply::{command, perform};
use super::confirm::Grants;
use super::session::Session;
use super::walk::{Request, Walk};
use crate::error::Result;
use crate::kind::Hazard;

/// Remove what carries this project's mark, in reverse order.
///
/// Nothing of others is touched. What AWS would refuse to delete is refused before anything is written.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only these resources and what depends on them.
    #[arg(value_name = "ADDRESS")]
    addresses: Vec<String>,

    #[command(flatten)]
    grants: Grants,
}

/// Plans the removal, asks, performs.
pub(super) async fn run(arguments: &Arguments, session: &Session<'_>) -> Result<u8> {
    let aws = session.connect().await?;
    let request = Request {
        addresses: arguments.addresses.clone(),
        destroy: true,
        interrupts: arguments.grants.allows(Hazard::Interrupts),
    };
    let walk = Walk::new(session, &aws, &request).await?;
    if !walk.dependents.is_empty() {
        let names: Vec<String> = walk.dependents.iter().map(ToString::to_string).collect();
        session.screen.say(&format!(
            "note: also what depends on it: {}",
            names.join(", ")
        ));
    }
    let command = command("destroy", &arguments.addresses);
    perform(session, &aws, &walk, &arguments.grants, &command).await
}

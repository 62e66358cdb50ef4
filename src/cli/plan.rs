//! `provision plan`: what would be done.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::session::Session;
use super::walk::{Request, Walk};
use crate::error::{Error, Result};
use crate::kind::Hazard;
use crate::report::{SavedPlan, Screen, Summary, plan_json, plan_markdown, plan_text};

/// The exit code of `--detailed-exitcode` where there are changes.
const CHANGES: u8 = 2;

/// Show what would be done.
///
/// Reads infra.toml and the account, and prints the difference between the two. Writes nothing to AWS.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only these resources and what they refer to.
    #[arg(value_name = "ADDRESS")]
    addresses: Vec<String>,

    /// Save the plan, for `apply --plan`. The file holds no secret.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// How to print the plan.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: Format,

    /// Exit with 2 where there are changes.
    #[arg(long)]
    detailed_exitcode: bool,

    /// Exit with 3 where anybody would gain access.
    #[arg(long)]
    deny_broadening: bool,

    /// Plan as `apply --allow interrupts` would: an order with a gap in somebody's access is acceptable.
    #[arg(long, value_name = "HAZARD", value_parser = ["interrupts"])]
    allow: Vec<String>,
}

/// The formats of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs, in the shape of Terraform's.
    Json,
    /// For a comment on a pull request.
    Markdown,
}

/// Plans and prints.
pub(super) async fn run(arguments: &Arguments, session: &Session<'_>) -> Result<u8> {
    let aws = session.connect().await?;
    let request = Request {
        addresses: arguments.addresses.clone(),
        destroy: false,
        interrupts: !arguments.allow.is_empty(),
    };
    let walk = Walk::new(session, &aws, &request).await?;
    print(arguments.format, &walk, session.screen)?;
    tell_workflow(&walk, session.screen)?;
    if let Some(path) = &arguments.out {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt)
            .map_err(|error| Error::failed(format!("No random bytes can be had: {error}.")))?;
        SavedPlan::new(&walk.plan, &walk.about, salt).write(path)?;
        let path = path.display();
        session.screen.say(&format!(
            "Saved to {path}; `provision apply --plan {path}` does it."
        ));
    }
    if arguments.deny_broadening && walk.plan.hazards().contains(&Hazard::Broadens) {
        let who: Vec<String> = walk
            .plan
            .actions
            .iter()
            .filter(|action| action.hazards.contains(&Hazard::Broadens))
            .map(|action| action.address.to_string())
            .collect();
        let message = format!("The plan broadens access: {}.", who.join(", "));
        return Err(Error::refused(message)
            .hint("Leave --deny-broadening out once the gain has been looked at."));
    }
    let changes = arguments.detailed_exitcode && !walk.plan.is_empty();
    Ok(if changes { CHANGES } else { 0 })
}

fn print(format: Format, walk: &Walk, screen: &Screen) -> Result<()> {
    let text = match format {
        Format::Text => plan_text(&walk.plan, &walk.about),
        Format::Json => format!("{:#}\n", plan_json(&walk.plan, &walk.about)),
        Format::Markdown => plan_markdown(&walk.plan, &walk.about),
    };
    screen.result(&text)
}

/// Puts the plan on the job's page and sets the step's outputs `changes` and `summary`.
fn tell_workflow(walk: &Walk, screen: &Screen) -> Result<()> {
    let workflow = screen.workflow();
    workflow.summarize(&plan_markdown(&walk.plan, &walk.about))?;
    workflow.set_output(
        "changes",
        if walk.plan.is_empty() {
            "false"
        } else {
            "true"
        },
    )?;
    workflow.set_output("summary", &Summary::of(&walk.plan).words())
}

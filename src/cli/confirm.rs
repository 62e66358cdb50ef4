//! Whether a plan may be performed: the hazards that were allowed, `--yes`, or a yes at the prompt.
//! Off a terminal nothing is asked: what would need a yes is refused and named.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::error::{Error, Result};
use crate::kind::Hazard;
use crate::plan::Plan;
use crate::report::Screen;

/// What the user grants beforehand.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Grants {
    /// Do not ask. Grants no hazard but `deploys`.
    #[arg(short, long)]
    pub(super) yes: bool,

    /// Allow a hazard of the plan; may be repeated, or list several with commas.
    #[arg(long, value_name = "HAZARD", value_delimiter = ',')]
    #[arg(value_parser = PossibleValuesParser::new(Hazard::ALL.map(Hazard::name)))]
    pub(super) allow: Vec<String>,
}

impl Grants {
    /// The hazards that were allowed; those of starting a deployment need no word.
    pub(super) fn hazards(&self) -> BTreeSet<Hazard> {
        Hazard::ALL
            .into_iter()
            .filter(|hazard| {
                *hazard == Hazard::Deploys || self.allow.iter().any(|name| name == hazard.name())
            })
            .collect()
    }

    /// Whether this hazard was allowed by name.
    pub(super) fn allows(&self, hazard: Hazard) -> bool {
        self.hazards().contains(&hazard)
    }

    /// Grants the plan, or says why not. `command` is what the user would type to go on. Returns
    /// whether somebody was asked, so that the world may have moved meanwhile.
    pub(super) fn confirm(&self, plan: &Plan, screen: &Screen, command: &str) -> Result<bool> {
        let allowed = self.hazards();
        let missing: Vec<Hazard> = plan
            .hazards()
            .into_iter()
            .filter(|hazard| !allowed.contains(hazard))
            .collect();
        if self.yes || !screen.is_interactive() {
            return refuse(self.yes, &missing, plan, command).map(|()| false);
        }
        let hazards: Vec<&str> = missing.iter().map(|hazard| hazard.name()).collect();
        let warning = match hazards.as_slice() {
            [] => String::new(),
            some => format!(" This allows: {}.", some.join(", ")),
        };
        let question = format!("Do this?{warning} Only `yes` is a yes:");
        if screen.confirm(&question) {
            return Ok(true);
        }
        Err(Error::refused("Not confirmed. Nothing was done."))
    }
}

fn refuse(yes: bool, missing: &[Hazard], plan: &Plan, command: &str) -> Result<()> {
    let mut flags = if yes {
        vec![]
    } else {
        vec!["--yes".to_owned()]
    };
    flags.extend(
        missing
            .iter()
            .map(|hazard| format!("--allow {}", hazard.name())),
    );
    if flags.is_empty() {
        return Ok(());
    }
    let mut message = match missing {
        [] => "There is no terminal to ask on, and --yes was not given.".to_owned(),
        _ => "The plan has hazards that were not allowed:".to_owned(),
    };
    for hazard in missing {
        let who: Vec<String> = plan
            .actions
            .iter()
            .filter(|action| action.hazards.contains(hazard))
            .map(|action| action.address.to_string())
            .collect();
        let _ = write!(message, "\n  {}: {}", hazard.name(), who.join(", "));
    }
    message.push_str("\nNothing was done.");
    let given = if yes { " --yes" } else { "" };
    Err(Error::refused(message).hint(format!("`{command}{given} {}`", flags.join(" "))))
}

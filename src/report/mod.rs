//! What a user sees: the only module that prints. Plans, errors and progress become text, JSON or
//! Markdown here; results go to standard output, everything else to standard error.

mod audit;
mod difference;
mod error;
mod github;
mod json;
mod ledger;
mod markdown;
mod outcome;
mod progress;
mod reach;
mod rollout;
mod rollout_view;
mod running;
mod sarif;
mod saved;
mod screen;
mod shown;
mod text;

#[cfg(test)]
mod tests;

pub use audit::{
    annotations as audit_annotations, json as audit_json, markdown as audit_markdown,
    summary as audit_summary, text as audit_text,
};
pub use github::{Workflow, escape_command};
pub use json::{JSON_FORMAT_VERSION, plan as plan_json};
pub use ledger::text as ledger;
pub use markdown::plan as plan_markdown;
pub use outcome::{summary, troubles};
pub use progress::Progress;
pub use reach::{mermaid as reach_mermaid, permits_text, text as reach_text};
pub use rollout::{
    markdown as rollout_markdown, outputs as rollout_outputs,
    refusal_markdown as rollout_refusal_markdown, refusal_outputs as rollout_refusal_outputs,
    text as rollout_text,
};
pub use rollout_view::RolloutView;
pub use running::{
    log_line, prunings as running_prunings, revisions as running_revisions,
    status as running_status, tasks as running_tasks,
};
pub use sarif::sarif;
pub use saved::SavedPlan;
pub use screen::{Color, Screen};
pub use shown::{About, Summary};
pub use text::plan as plan_text;

//! Deployments as a whole, in this process and by the built binary: exit codes of every behaviour of
//! ECS, what production may take, what a deployment costs in requests, what a terminal shows, the
//! workflows of docs/github-actions.md, and the command lines of all pages.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::format_push_string,
    clippy::panic,
    clippy::print_stderr,
    reason = "the helpers of these tests fail as loudly as the tests themselves"
)]

mod checks;
mod command_lines;
mod exit_codes;
mod promotion;
mod requests;
mod terminal;
mod unknown_fields;
mod workflows;
mod world;

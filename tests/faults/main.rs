//! The fault regime of reliability.md: sweeps over every call and every fault, on the sandbox. Prints
//! a ledger of what was met and fails where a promise was broken or a cell of the ledger is empty.

#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test binary with a main of its own: what it prints is its report, and it fails loudly"
)]

mod configs;
mod deployments;
mod drive;
mod journey;
mod ledger;
mod neighbours;
mod oracle;
mod sweeps;
#[path = "../deployments/world.rs"]
mod world;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        println!("fault_regime: test");
        return ExitCode::SUCCESS;
    }
    sweeps::run()
}

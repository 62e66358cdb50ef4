//! The fault regime of reliability.md: sweeps over every call and every fault, on the sandbox. Prints
//! a ledger of what was met and fails where a promise was broken or a cell of the ledger is empty.

#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test binary with a main of its own: what it prints is its report, and it fails loudly"
)]

mod access;
mod again;
mod chance;
mod claims;
mod configs;
mod drive;
mod heard;
mod journey;
mod ledger;
mod neighbours;
mod records;
mod regime;
mod roads;
mod sweeps;
#[cfg(debug_assertions)]
mod teeth;
mod tier;
mod watch;
mod wire;
#[path = "../deployments/world.rs"]
mod world;

use std::process::ExitCode;

/// Journeys make and drop many small values.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        println!("fault_regime: test");
        return ExitCode::SUCCESS;
    }
    regime::run()
}

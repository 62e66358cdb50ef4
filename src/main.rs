//! The binary: parses the command line, runs the command, and turns its outcome into the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(provision::cli::main(std::env::args_os()))
}
